//! The URL of a database.

use std::{fmt, path::Path, str::FromStr};

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use url::{Url, form_urlencoded};

/// What would end the path in the URL of a file, or stand for another character.
const IN_PATH: &AsciiSet = &CONTROLS.add(b'%').add(b'?').add(b'#');

/// `sqlite://path` (the file is created on first start) or
/// `postgres://user:password@host/name` (which must exist).
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// A file beside the binary; one process.
    Sqlite,
    /// A server; any number of processes.
    Postgres,
}

/// The text names no database that Byline can use. It is shown without a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseUrlError {
    /// It is of another kind, or incomplete.
    #[error(
        "\"{0}\" is no database Byline can use; write it as sqlite://byline.db or postgres://user@host/name"
    )]
    Unknown(String),
    /// Its data is lost when the process ends.
    #[error(
        "\"{0}\" is a database in memory, which is lost when Byline stops; name a file, as in sqlite://byline.db"
    )]
    Vanishes(String),
    /// A URL that forbids writing.
    #[error(
        "\"{0}\" can only be read; leave out mode=ro and immutable, or name another file, as in sqlite://byline.db"
    )]
    ReadOnly(String),
}

impl DatabaseUrl {
    /// The URL of a file of SQLite. The path has to be absolute, and of UTF-8.
    #[must_use]
    pub(crate) fn of_file(path: &Path) -> Option<Self> {
        let path = path.to_str().filter(|_| path.is_absolute())?;
        format!("sqlite://{}", utf8_percent_encode(path, IN_PATH)).parse().ok()
    }

    #[must_use]
    pub fn engine(&self) -> Engine {
        if self.0.starts_with("sqlite:") { Engine::Sqlite } else { Engine::Postgres }
    }

    /// The same, for a site that is to live there: it has to write.
    pub fn to_be_written(self) -> Result<Self, DatabaseUrlError> {
        let file = self.0.strip_prefix("sqlite://").map(SqliteFile::read);
        match file {
            Some((_, asked)) if asked.read_only => Err(DatabaseUrlError::ReadOnly(self.0)),
            _ => Ok(self),
        }
    }

    /// Whether it contains a password, before the host or among the parameters.
    #[must_use]
    pub fn has_password(&self) -> bool {
        self.engine() == Engine::Postgres
            && Url::parse(&self.0).is_ok_and(|url| {
                url.password().is_some() || url.query_pairs().any(|(name, _)| name == "password")
            })
    }

    /// As configured, the password included; for connecting, never for showing.
    #[must_use]
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DatabaseUrl {
    type Err = DatabaseUrlError;

    fn from_str(raw: &str) -> Result<Self, DatabaseUrlError> {
        let shown = || without_password(raw);
        let fits = match raw.split_once("://") {
            Some(("sqlite", file)) => {
                let (path, asked) = SqliteFile::read(file);
                if path.contains(":memory:") || asked.keep_in_memory {
                    return Err(DatabaseUrlError::Vanishes(shown()));
                }
                // For an empty name SQLite creates a temporary file. A name that
                // begins with "file:" is a URI with parameters.
                !path.is_empty() && !path.starts_with("file:")
            }
            Some(("postgres" | "postgresql", _)) => {
                Url::parse(raw).is_ok_and(|url| !url.path().trim_matches('/').is_empty())
            }
            _ if raw.contains(":memory:") => return Err(DatabaseUrlError::Vanishes(shown())),
            _ => false,
        };
        if fits { Ok(Self(raw.to_owned())) } else { Err(DatabaseUrlError::Unknown(shown())) }
    }
}

/// The path and parameters after `sqlite://`, as sqlx and SQLite read them.
#[derive(Default)]
struct SqliteFile {
    keep_in_memory: bool,
    read_only: bool,
}

impl SqliteFile {
    /// The path, and what the parameters behind it ask for.
    fn read(file: &str) -> (String, Self) {
        let (path, query) = file.split_once('?').unwrap_or((file, ""));
        let mut asked = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match (&*name, &*value) {
                ("mode", "memory") | ("vfs", "memdb") => asked.keep_in_memory = true,
                ("mode", "ro") | ("immutable", "1" | "true") => asked.read_only = true,
                _ => {}
            }
        }
        (percent_decode_str(path).decode_utf8_lossy().into_owned(), asked)
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&without_password(&self.0))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The URL without its password, which may be before the host or among the
/// parameters, for messages and logs.
fn without_password(raw: &str) -> String {
    let Ok(mut url) = Url::parse(raw) else {
        let place = raw.rsplit_once('@').map_or(raw, |(_, place)| place);
        return place.split('?').next().unwrap_or_default().to_owned();
    };
    if url.scheme() == "sqlite" {
        return raw.to_owned();
    }
    if url.password().is_some() {
        // Fails only for addresses that cannot have one.
        let _ = url.set_password(Some("***"));
    }
    if url.query_pairs().any(|(name, _)| name == "password") {
        url.set_query(None);
    }
    url.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_a_file_or_a_server_with_a_name() {
        let engine = |raw: &str| raw.parse::<DatabaseUrl>().map(|url| url.engine());
        assert_eq!(engine("sqlite://byline.db"), Ok(Engine::Sqlite));
        assert_eq!(engine("postgres://byline@localhost/byline"), Ok(Engine::Postgres));
        assert_eq!(engine("postgresql://localhost/byline"), Ok(Engine::Postgres));
        for raw in ["", "byline.db", "sqlite://", "sqlite://:memory:", "postgres://localhost", "mysql://x/y"]
        {
            assert!(engine(raw).is_err(), "{raw}");
        }
    }

    #[test]
    fn a_database_that_vanishes_or_cannot_be_written_is_none() {
        let error = |raw: &str| raw.parse::<DatabaseUrl>().map(drop).unwrap_err();
        for raw in [
            "sqlite::memory:",
            "file::memory:",
            "sqlite://:memory:?cache=shared",
            "sqlite://%3amemory%3A",
            "sqlite://?mode=memory",
            "sqlite://byline.db?cache=shared&mode=mem%6fry",
            "sqlite://byline.db?vfs=memdb",
            "sqlite://file::memory:",
        ] {
            assert!(matches!(error(raw), DatabaseUrlError::Vanishes(_)), "{raw}");
        }
        for raw in ["sqlite://byline.db?mode=ro", "sqlite://byline.db?immutable=1"] {
            let url: DatabaseUrl = raw.parse().unwrap();
            assert_eq!(url.to_be_written(), Err(DatabaseUrlError::ReadOnly(raw.to_owned())));
        }
        for raw in ["sqlite://?cache=shared", "sqlite://file:byline.db", "sqlite:"] {
            assert!(matches!(error(raw), DatabaseUrlError::Unknown(_)), "{raw}");
        }
        for raw in
            ["sqlite://byline.db?mode=rwc", "sqlite://memory.db", "sqlite:///var/lib/byline.db?mode=rw"]
        {
            assert!(raw.parse::<DatabaseUrl>().unwrap().to_be_written().is_ok(), "{raw}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        for raw in [
            "postgres://ada:s3cret@db.example/byline",
            "postgres://db.example/byline?password=s3cret&sslmode=require",
        ] {
            let url: DatabaseUrl = raw.parse().unwrap();
            assert!(!format!("{url} {url:?}").contains("s3cret"), "{url}");
            assert!(url.to_string().contains("db.example/byline"), "{url}");
            assert!(url.has_password(), "{url}");
        }
        assert!(!"postgres://ada@db.example/byline".parse::<DatabaseUrl>().unwrap().has_password());
        let wrong = "postgrs://ada:s3cret@db.example/byline".parse::<DatabaseUrl>().unwrap_err();
        assert!(!wrong.to_string().contains("s3cret"), "{wrong}");
    }
}
