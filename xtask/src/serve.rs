//! Builds the site and runs it.

use std::{ffi::OsString, os::unix::process::CommandExt};

use anyhow::{Context, Result};

use crate::{
    build::{self, Profile},
    sh,
    workspace::Workspace,
};

/// Where mails go unless another transport is given.
const MAIL: &str = "target/mail";
const FROM: &str = "Byline <byline@example.org>";

/// Whether the settings for mail are given.
fn sends_mail(args: &[OsString]) -> bool {
    let in_args = args.iter().any(|arg| arg.to_string_lossy().starts_with("--mail-"));
    in_args || std::env::vars_os().any(|(name, _)| name.to_string_lossy().starts_with("BYLINE_MAIL_"))
}

/// Builds the site, then becomes its server: signals go straight to it, and
/// what it prints last is its address.
pub(crate) fn run(workspace: &Workspace, profile: Profile, args: &[OsString]) -> Result<()> {
    let (_, binary) = build::all(workspace, profile)?;
    sh::say("==> byline serve");
    let mut command = workspace.command(&binary);
    if !sends_mail(args) {
        sh::say(&format!("    mail is written to {MAIL}/, one file each"));
        command.args(["--mail-transport", &format!("file:{MAIL}")]).args(["--mail-from", FROM]);
    }
    let error = command.arg("serve").args(args).exec();
    Err(error).with_context(|| format!("cannot run {}", binary.display()))
}
