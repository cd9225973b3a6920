//! Builds the site and runs it.

use std::{ffi::OsString, os::unix::process::CommandExt};

use anyhow::{Context, Result};

use crate::{
    build::{self, Profile},
    sh,
    workspace::Workspace,
};

/// Builds the site, then becomes its server: signals go straight to it, and
/// what it prints last is its address.
pub(crate) fn run(workspace: &Workspace, profile: Profile, args: &[OsString]) -> Result<()> {
    let (_, binary) = build::all(workspace, profile)?;
    sh::say("==> byline serve");
    let error = workspace.command(&binary).arg("serve").args(args).exec();
    Err(error).with_context(|| format!("cannot run {}", binary.display()))
}
