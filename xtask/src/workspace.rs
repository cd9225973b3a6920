//! The paths of the workspace.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

/// The paths that the commands share.
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    /// Cargo's target folder, wherever `CARGO_TARGET_DIR` puts it.
    pub(crate) target: PathBuf,
}

impl Workspace {
    /// The workspace that this program was compiled in.
    pub(crate) fn find() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("xtask is a folder of the workspace")
            .to_owned();
        let target = root.join(env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()));
        Self { root, target }
    }

    /// The files that the server embeds. The server's source names this
    /// folder, so unlike [`Self::target`] it never moves.
    pub(crate) fn site(&self) -> PathBuf {
        self.root.join("target/site")
    }

    /// What xtask keeps between runs.
    pub(crate) fn state(&self) -> PathBuf {
        self.target.join("xtask")
    }

    /// A command that runs in the workspace root.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        // Cargo's variables for this tool are not about what it builds: a build
        // script that reads them (ring's does) would run again each time.
        let about_us = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_str().is_some_and(about_us)) {
            command.env_remove(name);
        }
        command
    }

    /// A cargo command for this machine's own target, by the cargo that runs us.
    pub(crate) fn cargo(&self, subcommand: &str) -> Command {
        let mut command = self.command(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.arg(subcommand);
        command
    }
}
