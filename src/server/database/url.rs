//! Where a database is.

use std::{fmt, str::FromStr};

use url::Url;

/// `sqlite://path` (the file is created on first start) or
/// `postgres://user:password@host/name` (which must exist).
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

/// The two that Byline speaks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// A file beside the binary; one process.
    Sqlite,
    /// A server; any number of processes.
    Postgres,
}

/// The text names no database that Byline can use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no database Byline can use; write it as sqlite://byline.db or postgres://user@host/name")]
pub struct DatabaseUrlError(String);

impl DatabaseUrl {
    /// Which of the two it is.
    #[must_use]
    pub fn engine(&self) -> Engine {
        if self.0.starts_with("sqlite:") { Engine::Sqlite } else { Engine::Postgres }
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
        let fits = match raw.split_once("://") {
            Some(("sqlite", path)) => !path.is_empty() && !path.contains(":memory:"),
            Some(("postgres" | "postgresql", _)) => {
                Url::parse(raw).is_ok_and(|url| !url.path().trim_matches('/').is_empty())
            }
            _ => false,
        };
        if fits { Ok(Self(raw.to_owned())) } else { Err(DatabaseUrlError(without_password(raw))) }
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

/// A password may stand before the host and among the parameters; messages and
/// logs show neither.
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
    fn a_password_is_never_shown() {
        for raw in [
            "postgres://ada:s3cret@db.example/byline",
            "postgres://db.example/byline?password=s3cret&sslmode=require",
        ] {
            let url: DatabaseUrl = raw.parse().unwrap();
            assert!(!format!("{url} {url:?}").contains("s3cret"), "{url}");
            assert!(url.to_string().contains("db.example/byline"), "{url}");
        }
        let wrong = "postgrs://ada:s3cret@db.example/byline".parse::<DatabaseUrl>().unwrap_err();
        assert!(!wrong.to_string().contains("s3cret"), "{wrong}");
    }
}
