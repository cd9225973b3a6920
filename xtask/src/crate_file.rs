//! A crate that brings the built assets: who installs it with `cargo install` needs neither
//! Node nor a compiler for WebAssembly.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use crate::{
    build,
    files::files_below,
    sh::{self, Outcome},
    workspace::Workspace,
};

/// Builds the assets, and packs them with the source. Only files that git knows are packed.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    build::site(workspace)?;
    sh::step("Crate", || {
        let stage = workspace.state().join("crate");
        if stage.exists() {
            fs::remove_dir_all(&stage)?;
        }
        let tracked = sh::output(workspace.command("git").args(["ls-files", "-z"]))?;
        for file in tracked.split('\0').filter(|file| !file.is_empty()) {
            copy(&workspace.root.join(file), &stage.join(file))?;
        }
        let site = workspace.site();
        for file in files_below(&site)? {
            copy(&file, &stage.join("site").join(file.strip_prefix(&site)?))?;
        }
        let mut package = workspace.cargo("package");
        package
            .current_dir(&stage)
            .args(["--package", "byline", "--no-verify", "--target-dir"])
            .arg(&workspace.target);
        sh::run(&mut package)?;
        Ok((Outcome::Done, ()))
    })
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let folder = to.parent().context("a file is in a folder")?;
    fs::create_dir_all(folder)?;
    fs::copy(from, to).with_context(|| format!("cannot copy {}", from.display())).map(drop)
}
