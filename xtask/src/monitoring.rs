//! The alerts and the dashboard for whoever watches a site, and the metrics that they read.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use crate::{
    apt,
    sh::{self, Outcome},
    workspace::Workspace,
};

/// Debian's package with promtool. Installing it would also start a server, so only the one
/// program is taken out of it.
const PACKAGE: &str = "prometheus";
const PROMTOOL: &str = "usr/bin/promtool";

/// Makes sure that promtool is there, and returns its path.
pub(crate) fn set_up(workspace: &Workspace) -> Result<PathBuf> {
    sh::step("promtool", || {
        if sh::output_if_installed(Command::new("promtool").arg("--version"))?.is_some() {
            return Ok((Outcome::Unchanged, PathBuf::from("promtool")));
        }
        let folder = workspace.state().join("promtool");
        if folder.join(PROMTOOL).exists() {
            return Ok((Outcome::Unchanged, folder.join(PROMTOOL)));
        }
        ensure!(apt::is_debian(), "install promtool, a part of Prometheus, from your system's packages");
        unpack(&workspace.state().join("promtool.partial"), &folder)?;
        Ok((Outcome::Done, folder.join(PROMTOOL)))
    })
}

/// Downloads the package and unpacks it; the folder gets its name once it is complete.
fn unpack(partial: &Path, folder: &Path) -> Result<()> {
    if partial.exists() {
        fs::remove_dir_all(partial)?;
    }
    fs::create_dir_all(partial)?;
    let package = apt::download(PACKAGE, partial)?;
    sh::run_quietly(Command::new("dpkg-deb").arg("--extract").arg(&package).arg(partial))?;
    fs::remove_file(package)?;
    fs::rename(partial, folder).with_context(|| format!("{} cannot be made", folder.display()))
}

/// Checks the rules, and runs their tests.
pub(crate) fn check_rules(workspace: &Workspace, promtool: &Path) -> Result<()> {
    let rules = |arguments: [&str; 3]| {
        sh::run(Command::new(promtool).args(arguments).current_dir(workspace.root.join("monitoring")))
    };
    rules(["check", "rules", "alerts.yml"])?;
    rules(["test", "rules", "alerts.test.yml"])
}
