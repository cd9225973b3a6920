//! How statements run on a connection to PostgreSQL.
//!
//! A pooler such as PgBouncer gives each transaction another connection of the server. A
//! statement that was prepared by a name on one is unknown on the next, or that name is
//! somebody else's there. So behind a pooler, statements have no name and live in
//! transactions, between whose statements the connection stays the same.

use futures::{future::BoxFuture, stream::BoxStream};
use sqlx::{
    Describe, Either, Execute, Executor, PgConnection, Postgres, SqlStr,
    error::BoxDynError,
    postgres::{PgArguments, PgQueryResult, PgRow, PgStatement, PgTypeInfo},
};

/// What stands between this process and the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Nothing that matters: a connection is the same from its first statement to its last.
    Direct,
    /// A pooler that gives a connection of the server for a transaction at a time.
    Pooler,
}

/// Begins a transaction. Behind a pooler, the limits of [`super::postgres::SESSION`] are set
/// for each, because a session there is nobody's own.
macro_rules! begin {
    ($way:expr, $how:literal) => {
        match $way {
            $crate::database::statements::Way::Direct => concat!("BEGIN ", $how),
            $crate::database::statements::Way::Pooler => concat!(
                "BEGIN ",
                $how,
                "; SET LOCAL statement_timeout = '5s'; SET LOCAL idle_in_transaction_session_timeout = '10s'; SET LOCAL jit = 'off'"
            ),
        }
    };
}
pub(super) use begin;

/// Runs statements on a connection in the way that fits it.
#[derive(Debug)]
pub struct Statements<'c> {
    connection: &'c mut PgConnection,
    way: Way,
}

impl<'c> Statements<'c> {
    pub(super) fn on(connection: &'c mut PgConnection, way: Way) -> Self {
        Self { connection, way }
    }

    fn fitting<E>(&self, statement: E) -> Fitting<E> {
        Fitting { statement, may_have_name: self.way == Way::Direct }
    }
}

impl<'c> Executor<'c> for Statements<'c> {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxStream<'e, Result<Either<PgQueryResult, PgRow>, sqlx::Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let query = self.fitting(query);
        self.connection.fetch_many(query)
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, sqlx::Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let query = self.fitting(query);
        self.connection.fetch_optional(query)
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, Result<PgStatement, sqlx::Error>>
    where
        'c: 'e,
    {
        self.connection.prepare_with(sql, parameters)
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Postgres>, sqlx::Error>>
    where
        'c: 'e,
    {
        self.connection.describe(sql)
    }
}

/// A statement that is prepared by a name only where it may.
struct Fitting<E> {
    statement: E,
    may_have_name: bool,
}

impl<'q, E: Execute<'q, Postgres>> Execute<'q, Postgres> for Fitting<E> {
    fn sql(self) -> SqlStr {
        self.statement.sql()
    }

    fn statement(&self) -> Option<&PgStatement> {
        self.statement.statement()
    }

    fn take_arguments(&mut self) -> Result<Option<PgArguments>, BoxDynError> {
        self.statement.take_arguments()
    }

    fn persistent(&self) -> bool {
        self.may_have_name && self.statement.persistent()
    }
}
