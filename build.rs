//! Tells cargo that a release binary carries the assets of `target/site`:
//! without this, one built before there were any would never be built again.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // A debug build reads the folder when it runs.
    if std::env::var("PROFILE").as_deref() == Ok("release") {
        println!("cargo::rerun-if-changed=target/site/manifest.json");
    }
}
