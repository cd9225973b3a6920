//! Debian's Rust for machines where rustup cannot install a WASM target.
//!
//! Debian has packages of a recent compiler, of clippy, and of the source of the
//! standard library, but no standard library for WebAssembly. That is built here
//! once, into a separate sysroot.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use crate::{
    apt,
    rust::{TARGET, rustc},
    sh::{self, Outcome},
    stamp::{self, digest},
    workspace::Workspace,
};

const PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-clippy", "rust-web-src"];
const CARGO: &str = "/usr/bin/cargo";
const CARGO_CLIPPY: &str = "/usr/bin/cargo-clippy";
const RUSTC: &str = "/usr/bin/rustc";

/// An empty crate: building it builds the standard library. It is optimised for
/// size like the islands that use it. It is a separate workspace, because it is
/// inside Byline's.
const STD_MANIFEST: &str = r#"
[package]
name = "wasm-std"
edition = "2024"

[lib]
path = "lib.rs"

[profile.release]
opt-level = "z"
codegen-units = 1
panic = "abort"

[workspace]
"#;

/// Debian's toolchain, complete for WebAssembly.
pub(crate) struct DebianRust {
    /// Contains the standard library for [`TARGET`] where rustc looks for it.
    sysroot: PathBuf,
    /// rustup's copy of the linker; Debian's rustc brings none.
    linker: PathBuf,
}

impl DebianRust {
    /// Installs the packages and builds the standard library, where missing.
    pub(crate) fn set_up(workspace: &Workspace) -> Result<(Outcome, Self)> {
        let installed = apt::install(&PACKAGES)?;
        let (built, sysroot) = build_std(workspace)?;
        let linker = rust_lld()?;
        Ok((installed.and(built), Self { sysroot, linker }))
    }

    /// A cargo command that compiles for [`TARGET`] when it is given as target.
    pub(crate) fn cargo(&self, workspace: &Workspace, subcommand: &str) -> Command {
        // cargo would take `clippy` from rustup's folder, with any PATH.
        let program = match subcommand {
            "clippy" => CARGO_CLIPPY,
            _ => CARGO,
        };
        let mut command = debian_command(workspace, program);
        command
            .arg(subcommand)
            .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", &self.linker)
            .env("CARGO_ENCODED_RUSTFLAGS", self.rustflags());
        command
    }

    /// Flags in cargo's encoding, which allows spaces in the path. With an
    /// explicit target cargo keeps them from build scripts and macros.
    fn rustflags(&self) -> String {
        format!("--sysroot\u{1f}{}", self.sysroot.display())
    }
}

/// A command of Debian's toolchain, shielded from what the outer cargo and
/// rustup tell the programs they run.
fn debian_command(workspace: &Workspace, program: &str) -> Command {
    let mut command = workspace.command(program);
    command
        .env("CARGO", CARGO)
        .env("RUSTC", RUSTC)
        .env_remove("RUSTUP_TOOLCHAIN")
        .env_remove("LD_LIBRARY_PATH");
    command
}

/// Builds the standard library with the compiler that will use it. The folder
/// is named after the compiler's version, so an upgrade builds another.
fn build_std(workspace: &Workspace) -> Result<(Outcome, PathBuf)> {
    let version = sh::output(debian_command(workspace, RUSTC).arg("-vV"))?;
    let key = digest([version.as_bytes(), STD_MANIFEST.as_bytes()]);
    let sysroot = workspace.state().join(format!("wasm-sysroot-{}", &key[..8]));
    if sysroot.exists() {
        return Ok((Outcome::Unchanged, sysroot));
    }

    sh::note("building the standard library, once");
    let source = workspace.state().join("wasm-std");
    stamp::write(&source.join("Cargo.toml"), STD_MANIFEST.as_bytes())?;
    stamp::write(&source.join("lib.rs"), b"")?;
    sh::run_quietly(
        debian_command(workspace, CARGO)
            .current_dir(&source)
            .args(["build", "--release", "--target", TARGET])
            .arg("-Zbuild-std=std,panic_abort")
            .arg("--target-dir=target")
            // Without this, only nightly compilers accept `-Z`.
            .env("RUSTC_BOOTSTRAP", "1")
            // cargo would leave the bitcode out, and link-time optimisation
            // could then not reach into the standard library.
            .env("CARGO_ENCODED_RUSTFLAGS", "-Cembed-bitcode=yes"),
    )?;

    let built = source.join("target").join(TARGET).join("release/deps");
    let partial = sysroot.with_extension("partial");
    copy_libraries(&built, &partial.join("lib/rustlib").join(TARGET).join("lib"))?;
    fs::remove_dir_all(&source)?;
    // The name appears only once the folder is complete.
    fs::rename(&partial, &sysroot)?;
    Ok((Outcome::Done, sysroot))
}

fn copy_libraries(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rlib") {
            let name = path.file_name().context("a library has a name")?;
            fs::copy(&path, to.join(name))?;
        }
    }
    Ok(())
}

/// The linker that comes with every Rust toolchain of rustup.
fn rust_lld() -> Result<PathBuf> {
    let sysroot = sh::output(rustc().args(["--print", "sysroot"]))?;
    let host = sh::output(rustc().args(["--print", "host-tuple"]))?;
    let linker = Path::new(&sysroot).join("lib/rustlib").join(host).join("bin/rust-lld");
    ensure!(linker.exists(), "{} is missing: install Rust by rustup", linker.display());
    Ok(linker)
}
