//! Where PostgreSQL is installed.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    command::{command, output},
    error::Error,
};

/// The oldest major version that Byline supports.
const OLDEST: u32 = 15;

/// Where Debian and its kin keep one folder for each version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// What a folder must hold: server and client of one version.
const PROGRAMS: [&str; 5] = ["postgres", "initdb", "pg_ctl", "pg_basebackup", "psql"];

/// The programs of an installed PostgreSQL, server and client.
#[derive(Clone, Debug)]
pub struct Binaries {
    folder: PathBuf,
    version: Version,
}

impl Binaries {
    /// The newest that is installed: beside a `postgres` on PATH, in Debian's
    /// folders, or where `pg_config` says.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] where none is recent enough.
    pub fn find() -> Result<Self, Error> {
        Self::newest(on_path().chain(debians()).chain(pg_configs()))
    }

    /// The newest in these folders; of equals the first.
    fn newest(folders: impl Iterator<Item = PathBuf>) -> Result<Self, Error> {
        folders
            .filter_map(Self::in_folder)
            .filter(|binaries| binaries.version.major >= OLDEST)
            .reduce(|best, other| if other.version > best.version { other } else { best })
            .ok_or(Error::Missing { oldest: OLDEST })
    }

    fn in_folder(folder: PathBuf) -> Option<Self> {
        if !PROGRAMS.iter().all(|program| folder.join(program).is_file()) {
            return None;
        }
        let said = output(command(&folder.join("postgres")).arg("--version")).ok()?;
        Some(Self { version: Version::parse(&said)?, folder })
    }

    pub fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub fn version(&self) -> u32 {
        self.version.major
    }

    /// A command to run one of them.
    pub(crate) fn command(&self, name: &str) -> Command {
        command(&self.program(name))
    }
}

/// The folders of what `postgres` on PATH really is: Debian's own folder is
/// not on it, but a link may be.
fn on_path() -> impl Iterator<Item = PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<_> = env::split_paths(&path).collect();
    folders.into_iter().filter_map(|folder| {
        let postgres = fs::canonicalize(folder.join("postgres")).ok()?;
        postgres.parent().map(Path::to_owned)
    })
}

fn debians() -> impl Iterator<Item = PathBuf> {
    let versions = fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    versions.map(|version| version.path().join("bin"))
}

fn pg_configs() -> impl Iterator<Item = PathBuf> {
    let folder = output(command(Path::new("pg_config")).arg("--bindir")).ok();
    folder.into_iter().map(PathBuf::from)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Version {
    major: u32,
    /// 0 for a version that is not finished.
    minor: u32,
}

impl Version {
    /// Reads `postgres (PostgreSQL) 15.18 (Debian …)`.
    fn parse(said: &str) -> Option<Self> {
        let mut numbers = said.split_whitespace().nth(2)?.split('.').map(leading_number);
        Some(Self { major: numbers.next()??, minor: numbers.next().flatten().unwrap_or(0) })
    }
}

fn leading_number(text: &str) -> Option<u32> {
    let digits = text.split(|letter: char| !letter.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_ordered() {
        let version = |text: &str| Version::parse(&format!("postgres (PostgreSQL) {text}")).unwrap();
        assert_eq!(version("15.18 (Debian 15.18-0+deb12u1)"), Version { major: 15, minor: 18 });
        assert_eq!(version("19devel"), Version { major: 19, minor: 0 });
        assert!(version("15.9") < version("15.18"));
        assert!(version("15.18") < version("18beta1"));
        assert_eq!(Version::parse("no postgres at all"), None);
    }

    #[test]
    fn where_none_is_installed_one_sentence_says_where_it_was_looked_for() {
        let nowhere = tempfile::tempdir().unwrap();
        let error = Binaries::newest([nowhere.path().to_owned()].into_iter()).unwrap_err().to_string();
        for place in ["PostgreSQL 15 or newer", "PATH", "/usr/lib/postgresql/*/bin", "pg_config"] {
            assert!(error.contains(place), "{error}");
        }
    }
}
