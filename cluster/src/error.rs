//! What can go wrong.

use std::{io, process::ExitStatus};

/// Why there is no cluster, or why it did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No PostgreSQL that is recent enough is installed.
    #[error(
        "PostgreSQL {oldest} or newer is needed and none was found: not beside a `postgres` on PATH, \
         not in /usr/lib/postgresql/*/bin, and not where `pg_config --bindir` says"
    )]
    Missing {
        /// The oldest major version that would do.
        oldest: u32,
    },

    #[error("PgBouncer is needed and was not found: neither on PATH nor in /usr/sbin")]
    NoPooler,

    /// PostgreSQL refuses to run as root, and there is nobody else.
    #[error(
        "PostgreSQL does not run as root, and /etc/passwd has neither `postgres` nor `nobody` to run it as"
    )]
    NobodyToRunAs,

    #[error("cannot {action}")]
    Io {
        /// What was attempted, to follow "cannot".
        action: String,
        source: io::Error,
    },

    /// One of PostgreSQL's programs failed.
    #[error("`{program}` failed ({status})\n{output}")]
    Program {
        program: String,
        status: ExitStatus,
        /// What it wrote, standard error last.
        output: String,
    },

    /// The server ended before it accepted connections, or took too long to.
    #[error("PostgreSQL did not start: {reason}\n{log}")]
    Start {
        /// What `pg_ctl` said.
        reason: String,
        /// What the server wrote to its log meanwhile.
        log: String,
    },
}

/// For `map_err`: adds what was attempted, to follow "cannot".
pub(crate) fn io(action: impl Into<String>) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::Io { action: action.into(), source }
}
