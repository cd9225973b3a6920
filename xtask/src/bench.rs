//! Builds the release and measures it.

use std::ffi::OsString;

use anyhow::Result;

use crate::{
    build::{self, Profile},
    postgres,
    sh::{self, Outcome},
    workspace::Workspace,
};

/// Measures the release, or the server that they name. The arguments are
/// those of `byline-bench run`.
pub(crate) fn run(workspace: &Workspace, args: &[OsString]) -> Result<()> {
    if wants_postgres(args) {
        postgres::set_up()?;
    }
    let built = if names_a_server(args) {
        None
    } else {
        build::site(workspace)?;
        Some(build::server(workspace, Profile::Release)?)
    };
    sh::step("Bench", || {
        sh::run(workspace.cargo("build").args(["--package", "byline-bench", "--release"]))?;
        Ok((Outcome::Done, ()))
    })?;
    sh::say("==> byline-bench run");
    let mut bench = workspace.command(workspace.target.join("release/byline-bench"));
    bench.arg("run").arg("--folder").arg(workspace.state().join("bench"));
    if let Some(server) = built {
        bench.arg("--server").arg(server);
    }
    sh::run(bench.args(args))
}

/// Whether they need PostgreSQL. What else is in them is for the other program to read.
fn wants_postgres(args: &[OsString]) -> bool {
    args.iter()
        .map(|arg| arg.to_string_lossy())
        .any(|arg| arg.starts_with("--processes") || arg.ends_with("postgres"))
}

/// Whether there is nothing to build but the other program.
fn names_a_server(args: &[OsString]) -> bool {
    args.iter().map(|arg| arg.to_string_lossy()).any(|arg| arg == "--server" || arg.starts_with("--server="))
}
