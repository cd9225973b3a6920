//! A package of Debian, made by cargo-deb of what `Cargo.toml` says of it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;

use crate::{
    build::{self, Profile},
    sh::{self, Outcome},
    workspace::Workspace,
};

/// The version of cargo-deb.
const VERSION: &str = "3.8.0";

/// Builds the release, unless a binary is given, and packs it.
pub(crate) fn run(workspace: &Workspace, binary: Option<PathBuf>) -> Result<()> {
    let cargo_deb = set_up(workspace)?;
    let release = build::binary(workspace, Profile::Release);
    match binary {
        None => drop(build::all(workspace, Profile::Release)?),
        // cargo-deb takes it from there alone.
        Some(binary) => {
            fs::create_dir_all(workspace.target.join("release"))?;
            fs::copy(binary, &release)?;
        }
    }
    let folder = workspace.root.join("target/deb");
    sh::step("Manual and completions", || Ok((Outcome::Done, write_beside(&release, &folder)?)))?;
    sh::step("Package", || {
        let mut deb = workspace.command(&cargo_deb);
        deb.args(["--package", "byline", "--no-build", "--output"]).arg(&folder);
        sh::run(&mut deb)?;
        Ok((Outcome::Done, ()))
    })
}

/// Installs cargo-deb, where it is missing, for this workspace alone.
fn set_up(workspace: &Workspace) -> Result<PathBuf> {
    sh::step("cargo-deb", || {
        let folder = workspace.state().join(format!("cargo-deb-{VERSION}"));
        let program = folder.join("bin/cargo-deb");
        if program.exists() {
            return Ok((Outcome::Unchanged, program));
        }
        let mut install = workspace.cargo("install");
        install.args(["cargo-deb", "--locked", "--version", VERSION, "--root"]).arg(&folder);
        sh::run(&mut install)?;
        Ok((Outcome::Done, program))
    })
}

/// Lets the binary write what a package has beside it.
fn write_beside(binary: &Path, folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    let completions = folder.join("completions");
    fs::create_dir_all(&completions)?;
    sh::run_quietly(Command::new(binary).args(["man", "--to"]).arg(folder.join("man")))?;
    // Where each shell looks for a file of this name.
    for (shell, file) in [("bash", "byline"), ("zsh", "_byline"), ("fish", "byline.fish")] {
        let script = sh::output(Command::new(binary).args(["completions", shell]))?;
        fs::write(completions.join(file), script + "\n")?;
    }
    Ok(())
}
