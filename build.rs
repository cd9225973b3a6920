//! Tells cargo that a release binary carries the assets of `target/site`:
//! without this, one built before there were any would never be built again.
//!
//! A crate that `cargo xtask crate` has packed brings them in the folder `site`: cargo packs
//! nothing that is below `target`.

use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(packed)");
    if Path::new("site/manifest.json").exists() {
        println!("cargo::rustc-cfg=packed");
    }
    // A debug build reads the folder when it runs.
    if std::env::var("PROFILE").as_deref() == Ok("release") {
        println!("cargo::rerun-if-changed=target/site/manifest.json");
    }
}
