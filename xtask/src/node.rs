//! Node, its packages and its browser.

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

/// The oldest Node that the end-to-end tests run on.
const OLDEST: u32 = 20;

/// Debian's Chromium without windows, the package and the program. It asks a
/// quarter of the whole one's time of the processor, which draws a window for
/// each context even where nobody sees it.
const SHELL_PACKAGE: &str = "chromium-headless-shell";
const SHELL: &str = "/usr/bin/chromium-headless-shell";

/// Debian's whole Chromium, which does where the other cannot be installed.
const CHROMIUM: &str = "/usr/bin/chromium";

/// Node and npm, both recent enough.
pub(crate) struct Node {
    version: String,
}

impl Node {
    /// The installed Node, or `None` where it is missing or too old.
    pub(crate) fn find() -> Result<Option<Self>> {
        let version = sh::output_if_installed(Command::new("node").arg("--version"))?;
        Ok(version
            .filter(|version| major(version).is_some_and(|major| major >= OLDEST))
            .map(|version| Self { version }))
    }

    /// The installed Node, for work that cannot do without.
    pub(crate) fn require() -> Result<Self> {
        Self::find()?.with_context(|| {
            format!("Node {OLDEST} or newer is needed: install it from your system's packages")
        })
    }

    /// Installs exactly the packages that a folder's lock file names.
    pub(crate) fn install_packages(&self, workspace: &Workspace, folder: &Path) -> Result<Outcome> {
        let lock = folder.join("package-lock.json");
        let lock = fs::read(&lock).with_context(|| format!("cannot read {}", lock.display()))?;
        let name = folder.strip_prefix(&workspace.root).unwrap_or(folder);
        let stamp = Stamp::new(
            &workspace.state(),
            &format!("npm-{}", name.display()),
            digest([self.version.as_bytes(), &lock]),
        );
        if stamp.is_current() && folder.join("node_modules").exists() {
            return Ok(Outcome::Unchanged);
        }
        sh::note(&format!("installing the packages of {}", name.display()));
        sh::run_quietly(Command::new("npm").arg("ci").current_dir(folder))?;
        stamp.set()?;
        Ok(Outcome::Done)
    }

    /// The same for several folders, named from the root of the workspace.
    pub(crate) fn install_all_packages(&self, workspace: &Workspace, folders: &[&str]) -> Result<Outcome> {
        let mut outcome = Outcome::Unchanged;
        for folder in folders {
            outcome = outcome.and(self.install_packages(workspace, &workspace.root.join(folder))?);
        }
        Ok(outcome)
    }

    /// Makes sure that the tests in `folder` have a browser: Debian's, or the
    /// one that Playwright downloads. The tests themselves choose likewise.
    pub(crate) fn install_chromium(&self, folder: &Path) -> Result<Outcome> {
        if Path::new(SHELL).exists() || playwrights_chromium(folder)?.exists() {
            return Ok(Outcome::Unchanged);
        }
        if apt::is_debian() {
            return match apt::install(&[SHELL_PACKAGE]) {
                Err(error) if Path::new(CHROMIUM).exists() => {
                    sh::note(&format!("the tests use {CHROMIUM}, which is slower: {error:#}"));
                    Ok(Outcome::Unchanged)
                }
                installed => installed,
            };
        }
        if Path::new(CHROMIUM).exists() {
            return Ok(Outcome::Unchanged);
        }
        sh::note("installing Playwright's Chromium");
        sh::run_quietly(Command::new("npx").args(["playwright", "install", "chromium"]).current_dir(folder))?;
        Ok(Outcome::Done)
    }
}

/// Where Playwright would keep its own browser.
fn playwrights_chromium(folder: &Path) -> Result<PathBuf> {
    let script = "console.log(require('@playwright/test').chromium.executablePath())";
    let path = sh::output(Command::new("node").args(["--eval", script]).current_dir(folder))?;
    Ok(path.into())
}

/// The first number of a version such as `v20.11.1`.
fn major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build;

    #[test]
    fn the_major_version_is_the_first_number() {
        assert_eq!(major("v20.11.1"), Some(20));
        assert_eq!(major("v9.0.0"), Some(9));
        assert_eq!(major("node"), None);
    }

    /// Locks with addresses would tie everybody to the registry of whoever
    /// wrote them.
    #[test]
    fn lock_files_name_versions_and_checksums_but_no_addresses() {
        let root = Workspace::find().root;
        for folder in ["xtask", "graphiql"].into_iter().chain(build::CLIENTS) {
            let Ok(lock) = fs::read_to_string(root.join(folder).join("package-lock.json")) else {
                continue;
            };
            assert!(!lock.contains("\"resolved\""), "{folder} names addresses");
            assert!(lock.contains("\"integrity\""), "{folder} lacks checksums");
        }
    }
}
