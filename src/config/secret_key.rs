//! Where the key is that seals secrets in the database: setting `secret-key-file`,
//! the environment, or a credential of systemd.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use secrecy::SecretString;

use super::credential;
use crate::database::DatabaseUrl;

/// The variable with the key itself. It is no flag, because everybody on a machine
/// can read the arguments of a process.
pub const VARIABLE: &str = "BYLINE_SECRET_KEY";

/// Where the key is. Each source may have several keys, one a line or separated by
/// spaces: the first seals, the others open what was sealed before.
#[derive(Clone)]
pub enum SecretKeySource {
    /// Given by the environment: 32 bytes in base64.
    Given(SecretString),
    /// A file that somebody named. It has to exist.
    Named(PathBuf),
    /// The file beside a database of SQLite. It is made when it is missing.
    BesideDatabase(PathBuf),
    /// PostgreSQL, and nothing is configured: secrets are stored as they are.
    Nowhere,
}

/// How a new key is made, for errors.
const MAKE: &str = "for a new site, with: openssl rand -base64 32";

/// Why there is no key that could be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretKeyError {
    #[error("the secret key file {path} cannot be read or made: {cause}")]
    File { path: String, cause: io::Error },
    /// A named file is not made, because a new key opens nothing that another one has sealed.
    #[error(
        "the secret key file {path} does not exist. Put the key of this site back there, or make one, {MAKE}"
    )]
    Missing { path: String },
    #[error("{place} has no secret key: a key is 32 bytes in base64. Make one, {MAKE}")]
    Malformed { place: String },
    /// The database has sealed secrets, and the key that opens them is not here.
    #[error(
        "the secrets in the database are sealed with a key that is not here ({place}): put that key back, \
         in secret-key-file or {VARIABLE}"
    )]
    Other { place: String },
    /// The database could not be asked, or a secret in it cannot be read.
    #[error("the secrets in the database cannot be sealed: {0}")]
    Database(String),
}

impl SecretKeySource {
    /// [`Self::choose`] from a setting and the environment of this process.
    #[must_use]
    pub fn of_environment(named: Option<PathBuf>, database: &DatabaseUrl) -> Self {
        let credential = credential::file("secret-key");
        Self::choose(std::env::var(VARIABLE).ok(), named.or(credential), database)
    }

    /// The first that is there: the variable, the named file or the credential of
    /// systemd, the file beside the database.
    fn choose(given: Option<String>, named: Option<PathBuf>, database: &DatabaseUrl) -> Self {
        match (given.filter(|key| !key.trim().is_empty()), named, database.file()) {
            (Some(key), _, _) => Self::Given(key.into()),
            (None, Some(path), _) => Self::Named(path),
            (None, None, Some(file)) => Self::BesideDatabase(Self::beside(&file)),
            (None, None, None) => Self::Nowhere,
        }
    }

    /// `byline.db.key` beside `byline.db`. A link is followed, as for the other files beside a
    /// database: a second name of a site does not bring another key.
    #[must_use]
    pub fn beside(database: &Path) -> PathBuf {
        let key_of = |file: &Path| {
            let mut name = file.as_os_str().to_owned();
            name.push(".key");
            PathBuf::from(name)
        };
        let beside_link = key_of(database);
        // Any other path is shown as it was configured.
        let linked = database.is_symlink().then(|| fs::canonicalize(database).ok()).flatten();
        let Some(beside_file) = linked.map(|file| key_of(&file)) else { return beside_link };
        // Earlier versions made the key beside the link.
        if beside_link.exists() && !beside_file.exists() { beside_link } else { beside_file }
    }

    /// The file, where the keys are in one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Named(path) | Self::BesideDatabase(path) => Some(path),
            Self::Given(_) | Self::Nowhere => None,
        }
    }
}

/// Where the key is, for errors.
impl fmt::Display for SecretKeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given(_) => f.write_str(VARIABLE),
            Self::Named(path) | Self::BesideDatabase(path) => path.display().fmt(f),
            Self::Nowhere => f.write_str("none is configured"),
        }
    }
}

impl fmt::Debug for SecretKeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKeySource({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_beside_the_file_of_a_database_unless_it_is_given() {
        let sqlite: DatabaseUrl = "sqlite://data/byline.db".parse().unwrap();
        let server: DatabaseUrl = "postgres://db.example/byline".parse().unwrap();
        let choose = |given: Option<&str>, named: Option<&str>, database| {
            SecretKeySource::choose(given.map(str::to_owned), named.map(PathBuf::from), database).to_string()
        };
        assert_eq!(choose(None, None, &sqlite), "data/byline.db.key");
        assert_eq!(choose(None, Some("/etc/key"), &sqlite), "/etc/key");
        assert_eq!(choose(Some("AAAA"), Some("/etc/key"), &sqlite), VARIABLE);
        assert_eq!(choose(Some(" "), None, &server), "none is configured");
    }

    #[cfg(unix)]
    #[test]
    fn the_key_of_a_linked_database_is_beside_the_file_itself_unless_it_is_beside_the_link_alone() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let (link, file) = (root.join("m.db"), root.join("real").join("m.db"));
        fs::create_dir(root.join("real")).unwrap();
        std::os::unix::fs::symlink("real/m.db", &link).unwrap();
        let (beside_link, beside_file) = (root.join("m.db.key"), root.join("real").join("m.db.key"));
        assert_eq!(SecretKeySource::beside(&link), beside_link, "it leads nowhere");
        fs::write(&file, "").unwrap();
        assert_eq!(SecretKeySource::beside(&link), beside_file);
        assert_eq!(SecretKeySource::beside(&file), beside_file);
        fs::write(&beside_link, "").unwrap();
        assert_eq!(SecretKeySource::beside(&link), beside_link);
        fs::write(&beside_file, "").unwrap();
        assert_eq!(SecretKeySource::beside(&link), beside_file);
    }

    #[test]
    fn a_given_key_is_never_printed() {
        let source = SecretKeySource::Given("c2VjcmV0".into());
        assert!(!format!("{source:?} {source}").contains("c2VjcmV0"));
    }
}
