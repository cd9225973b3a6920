//! Building the release and measuring it.

use std::ffi::OsString;

use anyhow::Result;

use crate::{
    build::{self, Profile},
    sh::{self, Outcome},
    workspace::Workspace,
};

/// Measures the release. The arguments are those of `byline-bench run`.
pub(crate) fn run(workspace: &Workspace, args: &[OsString]) -> Result<()> {
    build::site(workspace)?;
    let byline = build::server(workspace, Profile::Release)?;
    sh::step("Bench", || {
        sh::run(workspace.cargo("build").args(["--package", "byline-bench", "--release"]))?;
        Ok((Outcome::Done, ()))
    })?;
    println!("==> byline-bench run");
    let folder = workspace.state().join("bench");
    let mut bench = workspace.command(workspace.target.join("release/byline-bench"));
    sh::run(bench.arg("run").arg("--byline").arg(byline).arg("--folder").arg(folder).args(args))
}
