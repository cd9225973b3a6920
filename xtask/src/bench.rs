//! Building the release and measuring it.

use std::ffi::OsString;

use anyhow::Result;

use crate::{
    build::{self, Profile},
    postgres,
    sh::{self, Outcome},
    workspace::Workspace,
};

/// Measures the release. The arguments are those of `byline-bench run`.
pub(crate) fn run(workspace: &Workspace, args: &[OsString]) -> Result<()> {
    if wants_postgres(args) {
        postgres::set_up()?;
    }
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

/// Whether they need PostgreSQL. What else is in them is for the other program to read.
fn wants_postgres(args: &[OsString]) -> bool {
    args.iter()
        .map(|arg| arg.to_string_lossy())
        .any(|arg| arg.starts_with("--processes") || arg.ends_with("postgres"))
}
