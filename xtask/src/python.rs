//! Python and its packages, in a virtual environment.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::{
    apt,
    sh::{self, Outcome},
    stamp::{Stamp, digest},
    workspace::Workspace,
};

/// Makes the environment called `name` with exactly the packages of
/// `requirements`, and returns the folder of its programs.
pub(crate) fn environment(
    workspace: &Workspace,
    name: &str,
    requirements: &Path,
) -> Result<(Outcome, PathBuf)> {
    let mut outcome = Outcome::Unchanged;
    if apt::is_debian() && !can_make_environments() {
        outcome = apt::install(&["python3", "python3-venv"])?;
    }
    let version = sh::output(Command::new("python3").arg("--version"))
        .context("Python 3 is needed: install it from your system's packages")?;
    let wanted = fs::read(requirements).with_context(|| format!("cannot read {}", requirements.display()))?;
    let folder = workspace.state().join(name);
    let programs = folder.join("bin");
    let stamp = Stamp::new(&workspace.state(), name, digest([version.as_bytes(), &wanted]));
    if stamp.is_current() && programs.exists() {
        return Ok((outcome, programs));
    }
    sh::note("installing Python's packages");
    sh::run_quietly(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    sh::run_quietly(
        Command::new(programs.join("python"))
            .args(["-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:", "--requirement"])
            .arg(requirements),
    )?;
    stamp.set()?;
    Ok((Outcome::Done, programs))
}

/// Debian's own Python cannot make environments without another package.
fn can_make_environments() -> bool {
    sh::output(Command::new("python3").args(["-c", "import ensurepip, venv"])).is_ok()
}
