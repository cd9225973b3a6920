//! What database errors mean, at a start and for a request.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use sqlx::migrate::MigrateError;

use super::DatabaseUrl;
use crate::error::AppError;

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file or server cannot be opened, or is no database.
    #[error("the database {url} cannot be opened: {cause}")]
    Open {
        /// As configured, without its password.
        url: String,
        cause: sqlx::Error,
    },
    /// A file that cannot be opened: the database or one beside it.
    #[error("{place} cannot be opened: {cause}")]
    File {
        /// Its path, or the database as configured.
        place: String,
        cause: io::Error,
    },
    /// Nothing can be saved: the file, its folder, or a server that is a standby.
    #[error("the database {url} can only be read: {cause}")]
    ReadOnly {
        /// As configured, without its password.
        url: String,
        cause: sqlx::Error,
    },
    /// The disk is so full that not even reading is possible.
    #[error("there is no room on the disk of the database {url}: {cause}")]
    Full {
        /// As configured, without its password.
        url: String,
        cause: sqlx::Error,
    },
    /// Another process has the lock (security row D9).
    #[error("{} is in use by another Byline; a file is served by one process at a time", .0.display())]
    Served(PathBuf),
    /// Where there are no locks, two processes destroy what they share.
    #[error("{} cannot be locked: {cause}; a database has to lie on a disk with locks", .file.display())]
    NoLocks { file: PathBuf, cause: io::Error },
    /// SQLite keeps a log by each name, and copies both into the one file.
    #[error("{} has a second name (a hard link), by which SQLite would lose data; remove one of them", .0.display())]
    TwoNames(PathBuf),
    /// The log does not continue the file (security row D12).
    #[error(
        "{} is not the log of {}, which was put back or replaced; to use the file as it is, move that log away",
        .log.display(), .file.display()
    )]
    ForeignLog { file: PathBuf, log: PathBuf },
    /// A schema that this binary does not know.
    #[error("the database {url} was made by a newer Byline (its schema has step {version}); use that one")]
    Newer {
        /// As configured, without its password.
        url: String,
        /// The unknown migration.
        version: i64,
    },
    /// A migration failed; the database is as it was.
    #[error("the database {url} cannot be brought up to date: {cause}")]
    Migrate {
        /// As configured, without its password.
        url: String,
        cause: MigrateError,
    },
    /// A SQLite with a known fault.
    #[error("SQLite {0} can lose data in WAL mode; Byline needs 3.51.3 or newer")]
    OldSqlite(String),
    /// A PostgreSQL older than any that is tested.
    #[error("the server is PostgreSQL {0}; Byline needs 15 or newer")]
    OldPostgres(i32),
    /// PgBouncer and its like refuse what they would not pass on.
    #[error(
        "the database {url} is reached through a pooler ({cause}); name the server itself by database-listen-url"
    )]
    Pooler {
        /// As configured, without its password.
        url: String,
        cause: sqlx::Error,
    },
    /// Only PostgreSQL has poolers.
    #[error("database-listen-url needs a database-url of postgres://, and must be such a URL itself")]
    PoolerOfFile,
    /// Only PostgreSQL has replicas.
    #[error("read-database-url needs a database-url of postgres://, and must be such a URL itself")]
    ReplicaOfFile,
}

impl OpenError {
    pub(super) fn from_migration(url: &DatabaseUrl, cause: MigrateError) -> Self {
        let url = url.to_string();
        match cause {
            MigrateError::VersionMissing(version) => Self::Newer { url, version },
            MigrateError::Execute(cause) => Self::of(url, cause),
            MigrateError::ExecuteMigration(cause, _)
                if matches!(DbErrorKind::of(&cause), DbErrorKind::Full | DbErrorKind::ReadOnly) =>
            {
                Self::of(url, cause)
            }
            cause => Self::Migrate { url, cause },
        }
    }

    pub(super) fn of(url: String, cause: sqlx::Error) -> Self {
        match DbErrorKind::of(&cause) {
            _ if is_of_pooler(&cause) => Self::Pooler { url, cause },
            DbErrorKind::Full => Self::Full { url, cause },
            DbErrorKind::ReadOnly => Self::ReadOnly { url, cause },
            _ => Self::Open { url, cause },
        }
    }

    pub(super) fn of_file(file: &Path, cause: io::Error) -> Self {
        Self::File { place: file.display().to_string(), cause }
    }
}

/// PgBouncer's answer to a parameter that a session may have and a transaction may not.
fn is_of_pooler(cause: &sqlx::Error) -> bool {
    let unsupported = |error: &dyn sqlx::error::DatabaseError| {
        error.code().as_deref() == Some("08P01") && error.message().contains("unsupported startup parameter")
    };
    cause.as_database_error().is_some_and(unsupported)
}

/// Why an open database cannot be used: writes fail, or may be lost.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// The path names no file any more.
    #[error("{} was removed while it is open; put it back, or start again with what is there", .0.display())]
    Removed(PathBuf),
    /// The path names another file now.
    #[error("{} was replaced while it is open; put it back, or start again with what is there", .0.display())]
    Replaced(PathBuf),
    /// The file was overwritten with another's content.
    #[error("{} was overwritten while it is open; start again with what is there", .0.display())]
    Overwritten(PathBuf),
    /// The check itself failed, for this reason.
    #[error("{} cannot be read: {}", .0.display(), .1)]
    Unreadable(PathBuf, String),
    /// The last write failed, and so does every try since.
    #[error("the database cannot be written: {0}")]
    Unwritable(String),
    /// A standby, or a server that was told to be read only.
    #[error("the server can only be read")]
    Standby,
    /// No connection to the server.
    #[error("the server is away: {0}")]
    Away(String),
    /// The disk or the server does not answer.
    #[error("the database does not answer in time")]
    Silent,
}

/// A fault of Byline: the cause goes to the log and not into the answer.
pub fn internal(cause: impl fmt::Display) -> AppError {
    tracing::error!(%cause, "internal error");
    AppError::Internal
}

/// Whether the error is a violation of the named unique constraint.
///
/// PostgreSQL reports the name. SQLite reports the columns, and PostgreSQL's
/// rule for names makes the same name of them: `table_column_key`, and
/// `table_pkey` for a primary key of several columns.
#[must_use]
pub fn violates(error: &sqlx::Error, constraint: &str) -> bool {
    let Some(error) = error.as_database_error().filter(|error| error.is_unique_violation()) else {
        return false;
    };
    match error.constraint() {
        Some(name) => name == constraint,
        None => error
            .message()
            .strip_prefix("UNIQUE constraint failed: ")
            .and_then(constraint_of)
            .is_some_and(|name| name == constraint),
    }
}

fn constraint_of(columns: &str) -> Option<String> {
    let (table, column) = columns.split(", ").next()?.split_once('.')?;
    let several = columns.contains(", ");
    Some(if several { format!("{table}_pkey") } else { format!("{table}_{column}_key") })
}

impl From<sqlx::Error> for AppError {
    fn from(error: sqlx::Error) -> Self {
        match DbErrorKind::of(&error) {
            DbErrorKind::WriteConflict => Self::WriteConflict,
            DbErrorKind::Transient | DbErrorKind::Full => {
                tracing::warn!(%error, "the database is away, busy or full");
                Self::Busy { retry_after: 2 }
            }
            DbErrorKind::ReadOnly | DbErrorKind::Storage => {
                tracing::error!(%error, "the database cannot be read or written");
                Self::Busy { retry_after: 10 }
            }
            DbErrorKind::Ours => internal(error),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DbErrorKind {
    /// Another transaction came first; run again, this one may succeed.
    WriteConflict,
    /// The next try may succeed.
    Transient,
    Full,
    /// Nothing may be changed, because of the modes of the files, because the
    /// disk is mounted read-only, or because the server is a standby.
    ReadOnly,
    /// The disk fails, or returns other bytes than were written.
    Storage,
    /// A mistake of Byline's: a wrong statement or row.
    Ours,
}

impl DbErrorKind {
    pub(super) fn of(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            // A connection that broke in the middle of a message.
            | sqlx::Error::Protocol(_) => Self::Transient,
            sqlx::Error::Database(error) => match (error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>(), error.code()) {
                (Some(_), Some(code)) => Self::of_sqlstate(&code),
                (None, Some(code)) => Self::of_sqlite(&code),
                _ => Self::Ours,
            },
            _ => Self::Ours,
        }
    }

    /// By appendix A of PostgreSQL's documentation.
    fn of_sqlstate(code: &str) -> Self {
        match code {
            // serialization_failure, deadlock_detected
            "40001" | "40P01" => Self::WriteConflict,
            // query_canceled (by statement_timeout), lock_not_available
            "57014" | "55P03" => Self::Transient,
            // read_only_sql_transaction: a standby, perhaps while another server takes over
            "25006" => Self::ReadOnly,
            // disk_full
            "53100" => Self::Full,
            // data_corrupted, index_corrupted
            "XX001" | "XX002" => Self::Storage,
            // idle_in_transaction_session_timeout
            "25P03" => Self::Transient,
            // system errors: a disk that cannot be read
            _ if code.starts_with("58") => Self::Storage,
            // connection exceptions, insufficient resources (connections,
            // memory), operator intervention (shutdown, crash, start)
            _ if ["08", "53", "57P"].iter().any(|class| code.starts_with(class)) => Self::Transient,
            _ => Self::Ours,
        }
    }

    /// From a result code of SQLite (<https://www.sqlite.org/rescode.html>). The
    /// lowest byte is the primary code.
    fn of_sqlite(code: &str) -> Self {
        /// The index of the log (`-shm`) could not be made longer. SQLite
        /// does that in advance, so the disk is full.
        const IOERR_SHMSIZE: u32 = 4874;

        match code.parse::<u32>() {
            Ok(IOERR_SHMSIZE) => Self::Full,
            Ok(code) => match code & 0xFF {
                // BUSY, NOMEM, INTERRUPT (it took too long), PROTOCOL (others were quicker, for too long)
                5 | 7 | 9 | 15 => Self::Transient,
                // FULL
                13 => Self::Full,
                // READONLY
                8 => Self::ReadOnly,
                // IOERR, CORRUPT, CANTOPEN, NOTADB
                10 | 11 | 14 | 26 => Self::Storage,
                _ => Self::Ours,
            },
            Err(_) => Self::Ours,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_told_from_what_is_wrong() {
        assert_eq!(DbErrorKind::of(&sqlx::Error::PoolTimedOut), DbErrorKind::Transient);
        assert_eq!(DbErrorKind::of(&sqlx::Error::RowNotFound), DbErrorKind::Ours);
        for code in ["08006", "53300", "57P01", "57P03", "57014"] {
            assert_eq!(DbErrorKind::of_sqlstate(code), DbErrorKind::Transient, "{code}");
        }
        for code in ["40001", "40P01"] {
            assert_eq!(DbErrorKind::of_sqlstate(code), DbErrorKind::WriteConflict, "{code}");
        }
        for code in ["42601", "23505", "22021", "XX000"] {
            assert_eq!(DbErrorKind::of_sqlstate(code), DbErrorKind::Ours, "{code}");
        }
        assert_eq!(DbErrorKind::of_sqlite("517"), DbErrorKind::Transient, "SQLITE_BUSY_SNAPSHOT");
        assert_eq!(DbErrorKind::of_sqlite("9"), DbErrorKind::Transient, "SQLITE_INTERRUPT");
        for code in ["13", "4874"] {
            assert_eq!(DbErrorKind::of_sqlite(code), DbErrorKind::Full, "{code}");
        }
        assert_eq!(DbErrorKind::of_sqlstate("53100"), DbErrorKind::Full);
        for code in ["8", "264", "520", "1032", "1544"] {
            assert_eq!(DbErrorKind::of_sqlite(code), DbErrorKind::ReadOnly, "{code}");
        }
        assert_eq!(DbErrorKind::of_sqlstate("25006"), DbErrorKind::ReadOnly);
        for code in ["10", "266", "522", "778", "1034", "11", "14", "26"] {
            assert_eq!(DbErrorKind::of_sqlite(code), DbErrorKind::Storage, "{code}");
        }
        for code in ["58030", "XX001"] {
            assert_eq!(DbErrorKind::of_sqlstate(code), DbErrorKind::Storage, "{code}");
        }
        assert_eq!(DbErrorKind::of_sqlite("2067"), DbErrorKind::Ours, "SQLITE_CONSTRAINT_UNIQUE");
    }

    #[test]
    fn a_constraint_has_one_name_on_both_engines() {
        assert_eq!(constraint_of("users.username").as_deref(), Some("users_username_key"));
        assert_eq!(
            constraint_of("idempotency_keys.user_id, idempotency_keys.wish, idempotency_keys.key").as_deref(),
            Some("idempotency_keys_pkey")
        );
    }
}
