//! A connection of either engine, and how a statement runs on it.

use std::{
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};

use futures::{FutureExt, future::BoxFuture};
use sqlx::{
    Postgres, SqlStr, Sqlite, SqliteConnection, pool::PoolConnection, postgres::PgTransactionManager,
};
use sqlx_core::transaction::TransactionManager;

use super::{
    error::internal,
    statements::{Statements, Way, begin},
    url::Engine,
};
use crate::error::AppError;

/// The longest wait for a place in the queue or for a connection.
pub(super) const MAX_WAIT: Duration = Duration::from_secs(2);

/// The longest time for a statement of a request (security row D8).
pub(super) const STATEMENT_TIME: Duration = Duration::from_secs(5);

/// The longest time for a transaction, including its waits for others.
pub(super) const TRANSACTION_TIME: Duration = Duration::from_secs(10);

/// How often a transaction is run again after a conflict (security row D8).
pub(super) const RETRIES: u32 = 3;

/// Waits for a random time, so that two transactions do not conflict again.
pub(super) async fn wait_before_retry(retry: u32) {
    let spread = u64::from(uuid::Uuid::new_v4().as_bytes()[0]);
    tokio::time::sleep(Duration::from_micros(spread * 40 * u64::from(retry))).await;
}

/// Runs a statement on the engine of a [`Db`]:
///
/// ```text
/// let row = on_engine!(db => sqlx::query_as::<_, Row>("SELECT … $1").bind(id).fetch_optional(db).await?);
/// ```
///
/// The text is written once; sqlx compiles it for both engines.
macro_rules! on_engine {
    ($db:ident => $statement:expr) => {
        match $db {
            $crate::database::Db::Sqlite(connection) => {
                let $db = &mut **connection;
                $statement
            }
            $crate::database::Db::Postgres(connection) => {
                let $db = connection.statements();
                $statement
            }
        }
    };
}
pub(crate) use on_engine;

/// Runs a statement that returns no rows, like [`on_engine!`], and returns how
/// many rows it changed.
macro_rules! execute {
    ($db:ident => $statement:expr) => {
        $crate::database::on_engine!($db => $statement.execute($db).await.map(|done| done.rows_affected()))
    };
}
pub(crate) use execute;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// For one command, perhaps beside a process that serves.
    Command,
    Serve,
}

/// What a connection of [`Db::dedicated`] may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Only read; nothing is created or migrated.
    Read,
    Write,
}

/// A connection of a pool. Boxed, because the future of SQLx has room for opening
/// a connection: 4 kB, which the future of every request would have as well, and
/// which is moved from layer to layer.
pub(super) fn acquire<E: sqlx::Database>(
    pool: &sqlx::Pool<E>,
) -> BoxFuture<'static, Result<sqlx::pool::PoolConnection<E>, sqlx::Error>> {
    Box::pin(pool.acquire())
}

/// A connection of either engine; statements run on it through [`on_engine!`].
#[derive(Debug)]
pub enum Db {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(TimedConnection),
}

/// A connection to a server, while it is in use.
#[derive(Debug)]
pub struct TimedConnection {
    connection: PoolConnection<Postgres>,
    since: Instant,
    way: Way,
    transaction: OwnTransaction,
}

/// A transaction that lasts as long as a connection is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OwnTransaction {
    None,
    /// Whether the server has begun it is not known.
    Beginning,
    Begun,
}

impl TimedConnection {
    /// No statement runs that long. A connection that was in use for longer
    /// probably waited for a server that is gone. The pool would wait for it as
    /// long as TCP does, so the connection is closed.
    const MAX_USE: Duration = Duration::from_secs(6);

    /// For transactions that its user begins and ends.
    pub(super) fn of(connection: PoolConnection<Postgres>, way: Way) -> Self {
        Self { connection, since: Instant::now(), way, transaction: OwnTransaction::None }
    }

    /// For statements that only read.
    pub(super) async fn to_read(connection: PoolConnection<Postgres>, way: Way) -> Result<Self, sqlx::Error> {
        let mut timed = Self::of(connection, way);
        if way == Way::Pooler {
            timed.transaction = OwnTransaction::Beginning;
            let begin = SqlStr::from_static(begin!(Way::Pooler, "READ ONLY"));
            PgTransactionManager::begin(&mut timed.connection, Some(begin)).await?;
            timed.transaction = OwnTransaction::Begun;
        }
        Ok(timed)
    }

    /// Runs statements on it.
    pub fn statements(&mut self) -> Statements<'_> {
        Statements::on(&mut self.connection, self.way)
    }
}

/// Straight to the server.
impl From<PoolConnection<Postgres>> for TimedConnection {
    fn from(connection: PoolConnection<Postgres>) -> Self {
        Self::of(connection, Way::Direct)
    }
}

impl Drop for TimedConnection {
    fn drop(&mut self) {
        let is_doubtful = self.transaction == OwnTransaction::Beginning;
        if is_doubtful || self.since.elapsed() > Self::MAX_USE {
            self.connection.close_on_drop();
        } else if self.transaction == OwnTransaction::Begun {
            // It ends before whatever the connection does next.
            PgTransactionManager::start_rollback(&mut self.connection);
        }
    }
}

impl Db {
    #[must_use]
    pub const fn engine(&self) -> Engine {
        match self {
            Self::Sqlite(_) => Engine::Sqlite,
            Self::Postgres(_) => Engine::Postgres,
        }
    }

    /// Ends the statements of `work` after [`STATEMENT_TIME`]. PostgreSQL does
    /// this for every statement (`statement_timeout`). SQLite checks the clock
    /// while it works, even after the caller has gone.
    ///
    /// # Errors
    ///
    /// [`AppError::Busy`] if `work` takes too long.
    pub async fn in_time<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut Self) -> Result<T, AppError>,
    ) -> Result<T, AppError> {
        let Self::Sqlite(connection) = self else { return work(self).await };
        set_deadline(connection, Instant::now() + STATEMENT_TIME).await?;
        let mut guard = DeadlineGuard { db: self, is_over: false };
        let outcome = work(guard.db).await;
        if let Self::Sqlite(connection) = guard.db {
            clear_deadline(connection).await?;
        }
        guard.is_over = true;
        outcome
    }

    /// Runs a statement without parameters and without rows, unprepared.
    pub(crate) async fn command(&mut self, statement: &'static str) -> Result<(), sqlx::Error> {
        let db = self;
        on_engine!(db => sqlx::raw_sql(statement).execute(db).await.map(drop))
    }

    pub(crate) async fn close(self) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(connection) => connection.close().await,
            connection @ Self::Postgres(_) => {
                connection.discard();
                Ok(())
            }
        }
    }

    /// Closes it instead of giving it back to the pool.
    pub(super) fn discard(mut self) {
        match &mut self {
            Self::Sqlite(connection) => connection.close_on_drop(),
            Self::Postgres(timed) => timed.connection.close_on_drop(),
        }
    }
}

/// A connection with a deadline. If it is dropped before the deadline is
/// removed, it is closed, because nobody else may use it.
struct DeadlineGuard<'a> {
    db: &'a mut Db,
    is_over: bool,
}

impl Drop for DeadlineGuard<'_> {
    fn drop(&mut self) {
        if let (Db::Sqlite(connection), false) = (&mut *self.db, self.is_over) {
            connection.close_on_drop();
        }
    }
}

/// Turns a panic in `work` into an error.
pub(super) async fn catch_panic<T>(work: BoxFuture<'_, Result<T, AppError>>) -> Result<T, AppError> {
    AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|_| Err(internal("a write panicked")))
}

/// Ends every statement of the connection after the deadline.
async fn set_deadline(connection: &mut SqliteConnection, deadline: Instant) -> Result<(), sqlx::Error> {
    /// Instructions of SQLite's virtual machine between two checks of the
    /// clock. One instruction may search a whole text.
    const INSTRUCTIONS: i32 = 1_000;
    connection.lock_handle().await?.set_progress_handler(INSTRUCTIONS, move || Instant::now() < deadline);
    Ok(())
}

async fn clear_deadline(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    connection.lock_handle().await?.remove_progress_handler();
    Ok(())
}
