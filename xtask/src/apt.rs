//! Installing and downloading Debian's packages.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};

use crate::sh;

/// Whether this is Debian itself. Derived systems lack some of the packages we
/// ask for, or carry other things under the same names.
pub(crate) fn is_debian() -> bool {
    fs::read_to_string("/etc/os-release").is_ok_and(|text| names_debian(&text))
}

fn names_debian(os_release: &str) -> bool {
    os_release.lines().any(|line| matches!(line, "ID=debian" | "ID=\"debian\""))
}

/// Installs those of the packages that are missing, or says how to.
pub(crate) fn install(packages: &[&str]) -> Result<sh::Outcome> {
    let missing: Vec<_> = packages.iter().copied().filter(|package| !is_installed(package)).collect();
    if missing.is_empty() {
        return Ok(sh::Outcome::Unchanged);
    }

    // --no-remove: rather fail than push out a toolchain that somebody uses.
    let arguments = ["install", "--yes", "--no-remove", "--no-install-recommends"];
    if !is_root() {
        bail!(
            "some Debian packages are missing; install them with\n    sudo apt-get {} {}",
            arguments.join(" "),
            missing.join(" ")
        );
    }
    sh::note(&format!("installing {}", missing.join(", ")));
    sh::run_quietly(&mut apt_get(&["update"]))?;
    sh::run_quietly(apt_get(&arguments).args(&missing))?;
    Ok(sh::Outcome::Done)
}

/// Downloads a package into a folder without installing it, and returns its path.
pub(crate) fn download(package: &str, folder: &Path) -> Result<PathBuf> {
    let download = || sh::run_quietly(apt_get(&["download", package]).current_dir(folder));
    if download().is_err() {
        // The list of packages is missing or old.
        ensure!(is_root(), "update the list of packages with\n    sudo apt-get update");
        sh::run_quietly(&mut apt_get(&["update"]))?;
        download()?;
    }
    let file = fs::read_dir(folder)?.filter_map(Result::ok).map(|entry| entry.path());
    let mut packages = file.filter(|path| path.extension().is_some_and(|extension| extension == "deb"));
    packages.next().with_context(|| format!("apt-get has not downloaded {package}"))
}

fn apt_get(arguments: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn is_installed(package: &str) -> bool {
    let query = ["--show", "--showformat=${db:Status-Status}", package];
    sh::output(Command::new("dpkg-query").args(query)).is_ok_and(|status| status == "installed")
}

/// Whether this process may install packages: it owns its own entry in /proc.
fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|entry| entry.uid() == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_debian_itself_is_debian() {
        assert!(names_debian("PRETTY_NAME=\"Debian\"\nID=debian\n"));
        assert!(!names_debian("ID=ubuntu\nID_LIKE=debian\n"));
    }
}
