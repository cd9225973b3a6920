//! What database errors mean to a request.

use std::fmt;

use crate::error::AppError;

/// A fault of ours: the cause goes to the log, the answer says nothing of it.
pub fn internal(cause: impl fmt::Display) -> AppError {
    tracing::error!(%cause, "internal error");
    AppError::Internal
}

/// Whether the error is a violation of the named unique constraint.
///
/// PostgreSQL says its name. SQLite says the columns instead, from which the
/// name follows by PostgreSQL's own rule: `table_column_key`, and
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
        match Trouble::of(&error) {
            Trouble::Overtaken => Self::Overtaken,
            Trouble::Passing => {
                tracing::warn!(%error, "the database is away, busy or full");
                Self::Busy { retry_after: 2 }
            }
            Trouble::Ours => internal(error),
        }
    }
}

/// Kinds of trouble with a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    /// Another transaction came first; run again, this one may succeed.
    Overtaken,
    /// Not now, perhaps later.
    Passing,
    /// A statement is wrong, or a row is.
    Ours,
}

impl Trouble {
    fn of(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            // A connection that broke in the middle of a message.
            | sqlx::Error::Protocol(_) => Self::Passing,
            sqlx::Error::Database(error) => match (error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>(), error.code()) {
                (Some(_), Some(code)) => Self::of_sqlstate(&code),
                (None, Some(code)) => Self::of_sqlite(&code),
                _ => Self::Ours,
            },
            _ => Self::Ours,
        }
    }

    /// By PostgreSQL's appendix A.
    fn of_sqlstate(code: &str) -> Self {
        match code {
            // serialization_failure, deadlock_detected
            "40001" | "40P01" => Self::Overtaken,
            // query_canceled (by statement_timeout), lock_not_available,
            // read_only_sql_transaction (a failover is under way)
            "57014" | "55P03" | "25006" => Self::Passing,
            // idle_in_transaction_session_timeout
            "25P03" => Self::Passing,
            // connection exceptions, insufficient resources (connections,
            // memory, disk), operator intervention (shutdown, crash, start)
            _ if ["08", "53", "57P"].iter().any(|class| code.starts_with(class)) => Self::Passing,
            _ => Self::Ours,
        }
    }

    /// By SQLite's primary result code: 5 is SQLITE_BUSY, 9 SQLITE_INTERRUPT
    /// (it took too long), 13 SQLITE_FULL.
    fn of_sqlite(code: &str) -> Self {
        match code.parse::<u32>() {
            Ok(code) if matches!(code & 0xFF, 5 | 9 | 13) => Self::Passing,
            _ => Self::Ours,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_told_from_what_is_wrong() {
        assert_eq!(Trouble::of(&sqlx::Error::PoolTimedOut), Trouble::Passing);
        assert_eq!(Trouble::of(&sqlx::Error::RowNotFound), Trouble::Ours);
        for code in ["08006", "53100", "53300", "57P01", "57P03", "57014", "25006"] {
            assert_eq!(Trouble::of_sqlstate(code), Trouble::Passing, "{code}");
        }
        for code in ["40001", "40P01"] {
            assert_eq!(Trouble::of_sqlstate(code), Trouble::Overtaken, "{code}");
        }
        for code in ["42601", "23505", "22021", "XX000"] {
            assert_eq!(Trouble::of_sqlstate(code), Trouble::Ours, "{code}");
        }
        assert_eq!(Trouble::of_sqlite("517"), Trouble::Passing, "SQLITE_BUSY_SNAPSHOT");
        assert_eq!(Trouble::of_sqlite("9"), Trouble::Passing, "SQLITE_INTERRUPT");
        assert_eq!(Trouble::of_sqlite("2067"), Trouble::Ours, "SQLITE_CONSTRAINT_UNIQUE");
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
