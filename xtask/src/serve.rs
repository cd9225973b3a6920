//! Building the site and running it.

use std::{ffi::OsString, os::unix::process::CommandExt};

use anyhow::{Context, Result};

use crate::{
    build::{self, Profile},
    workspace::Workspace,
};

/// Builds the site, then becomes its server: signals go straight to it, and
/// what it prints last is its address.
pub(crate) fn run(workspace: &Workspace, profile: Profile, args: &[OsString]) -> Result<()> {
    build::site(workspace)?;
    let binary = build::server(workspace, profile)?;
    println!("==> byline serve");
    let error = workspace.command(&binary).arg("serve").args(args).exec();
    Err(error).with_context(|| format!("cannot run {}", binary.display()))
}
