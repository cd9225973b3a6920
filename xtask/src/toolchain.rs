//! A compiler for WebAssembly, found or installed.

use std::{
    fs,
    path::Path,
    process::Command,
    time::{Duration, SystemTime},
};

use anyhow::{Context, Result, bail};

use crate::{
    apt,
    debian::DebianRust,
    rust::{TARGET, rustc},
    sh::{self, Outcome},
    stamp,
    workspace::Workspace,
};

/// How long rustup may take to install the target. A machine that cannot reach
/// rustup's server would otherwise wait for minutes.
const RUSTUP_LIMIT: Duration = Duration::from_secs(20);

/// How long a failed attempt by rustup is remembered.
const RUSTUP_RETRY: Duration = Duration::from_secs(24 * 60 * 60);

/// What compiles the browser half.
pub(crate) enum WasmToolchain {
    /// The toolchain that runs us has the target's standard library.
    Own,
    /// Debian's compiler, beside ours, with a standard library that we built.
    Debian(DebianRust),
}

impl WasmToolchain {
    /// Finds a toolchain and installs what it lacks.
    pub(crate) fn set_up(workspace: &Workspace) -> Result<Self> {
        sh::step("Compiler for WebAssembly", || {
            if own_has_target()? {
                return Ok((Outcome::Unchanged, Self::Own));
            }
            if add_target_by_rustup(workspace)? {
                return Ok((Outcome::Done, Self::Own));
            }
            if !apt::is_debian() {
                bail!(
                    "Rust's standard library for {TARGET} is missing; install it with\n    \
                     rustup target add {TARGET}"
                );
            }
            let (outcome, rust) = DebianRust::set_up(workspace)?;
            Ok((outcome, Self::Debian(rust)))
        })
    }

    /// A cargo command for the browser half: the module and the library that it
    /// is made of, with the features and the profile that every such command
    /// shares, so that linting does not compile the dependencies' macros a
    /// second time.
    pub(crate) fn cargo(&self, workspace: &Workspace, subcommand: &str) -> Command {
        let mut command = match self {
            Self::Own => workspace.cargo(subcommand),
            Self::Debian(rust) => rust.cargo(workspace, subcommand),
        };
        command
            .args(["--package", "byline-islands", "--lib", "--features", "hydrate"])
            .args(["--target", TARGET, "--profile", PROFILE])
            .arg("--target-dir")
            .arg(workspace.target.join("wasm"));
        command
    }
}

/// The cargo profile of the browser half, debug builds included: it takes
/// seconds more than `dev` to rebuild, and the module is a tenth of the size.
pub(crate) const PROFILE: &str = "wasm-release";

fn own_has_target() -> Result<bool> {
    let folder = sh::output(rustc().args(["--print", "target-libdir", "--target", TARGET]))?;
    Ok(Path::new(&folder).exists())
}

/// Asks rustup for the target; `false` where that does not work.
fn add_target_by_rustup(workspace: &Workspace) -> Result<bool> {
    let failure = workspace.state().join("rustup-cannot-add-target");
    if is_younger_than(&failure, RUSTUP_RETRY) {
        return Ok(false);
    }
    sh::note(&format!("asking rustup for {TARGET}"));
    let mut rustup = Command::new("rustup");
    let added =
        sh::succeeds_within(rustup.args(["target", "add", TARGET]), RUSTUP_LIMIT) && own_has_target()?;
    if !added {
        sh::note("rustup cannot install it here");
        stamp::write(&failure, b"").context("cannot note that rustup failed")?;
    }
    Ok(added)
}

fn is_younger_than(path: &Path, age: Duration) -> bool {
    let modified = fs::metadata(path).and_then(|metadata| metadata.modified());
    modified.is_ok_and(|time| {
        // A time in the future has no age; it is then as good as now.
        SystemTime::now().duration_since(time).is_ok_and(|elapsed| elapsed < age)
    })
}
