//! PostgreSQL: a pool for everything, and one for a replica where there is one.

use std::{
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use futures::future::BoxFuture;
use prometheus::Histogram;
use sqlx::{
    ConnectOptions, Connection, PgConnection, PgPool, Postgres,
    migrate::Migrator,
    pool::PoolConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::{
    config::DatabaseConfig,
    db::{Db, MAX_WAIT, RETRIES, TRANSACTION_TIME, TimedConnection, acquire, catch_panic, wait_before_retry},
    error::OpenError,
    in_order::OrderedWriter,
    statements::{Way, begin},
    url::DatabaseUrl,
    waits::PoolLoad,
};
use crate::error::AppError;

pub(super) static MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// 15, the oldest that is tested.
const MIN_VERSION: i32 = 150_000;
/// What holds for each session; behind a pooler, [`begin!`] says the first three.
pub(super) const SESSION: [(&str, &str); 4] = [
    // STATEMENT_TIME
    ("statement_timeout", "5s"),
    // After this time the server ends an idle transaction, whose locks are then free.
    ("idle_in_transaction_session_timeout", "10s"),
    // Byline's statements end before compiling them would pay.
    ("jit", "off"),
    // Otherwise every start logs that the table of migrations exists.
    ("client_min_messages", "warning"),
];
/// Connections of the writer in order beside a pooler: one for its batches, the others for
/// writes that had a conflict.
const DIRECT_WRITERS: u32 = 4;
/// How long a server may take to start.
const START_TIME: Duration = Duration::from_secs(5);
/// The longest a reader waits for the replica before the primary serves them.
const REPLICA_MAX_WAIT: Duration = Duration::from_millis(250);
/// How long a replica that did not answer is not asked again.
const REPLICA_RETRY: Duration = Duration::from_secs(5);
/// A connection that was idle for longer is tested before it is used.
const PING_AFTER: Duration = Duration::from_secs(1);

pub(super) struct Server {
    pub(super) primary: PgPool,
    way: Way,
    /// For readiness; no request uses it.
    pub(super) health: PgPool,
    pub(super) replica: Option<Replica>,
    pub(super) ordered: OrderedWriter,
}

/// Why a transaction did not commit.
enum TransactionError {
    /// The work returned an error.
    RolledBack(AppError),
    /// The connection cannot be used any more.
    Broken(sqlx::Error),
}

/// A read replica, which may be behind or away.
pub(super) struct Replica {
    pool: PgPool,
    way: Way,
    /// The replica is not asked before this time.
    unavailable_until: Mutex<Option<Instant>>,
}

impl Server {
    /// Connects and migrates the schema. The replica may be away.
    pub(super) async fn open(config: &DatabaseConfig) -> Result<Self, OpenError> {
        let DatabaseConfig { url, listen, replica, connections } = config;
        let connections = *connections;
        let way = if listen.is_some() { Way::Pooler } else { Way::Direct };
        let open = |url: &DatabaseUrl| {
            let url = url.to_string();
            move |cause| OpenError::of(url, cause)
        };
        let options_of = |url: &DatabaseUrl, way| options(url, way).map_err(open(url));
        let direct = config.direct();
        let direct_options = options_of(direct, Way::Direct)?;
        migrate(connect(&direct_options).await.map_err(open(direct))?, direct).await?;
        let options = options_of(url, way)?;
        if way == Way::Pooler {
            connect(&options).await.map_err(open(url))?.close().await.map_err(open(url))?;
        }
        let health_connected = Arc::new(HealthConnected::default());
        let health = health_pool(&health_connected).connect_lazy_with(options.clone());
        let primary = pool(connections, &health_connected).connect_lazy_with(options);
        let replica = match replica {
            Some(url) => Some(Replica {
                pool: pool(connections, &Arc::default())
                    .acquire_timeout(REPLICA_MAX_WAIT)
                    .connect_lazy_with(options_of(url, way)?),
                way,
                unavailable_until: Mutex::new(None),
            }),
            None => None,
        };
        // Its lock belongs to a session, from before a transaction until after it.
        let ordered = OrderedWriter::new(match way {
            Way::Direct => primary.clone(),
            Way::Pooler => pool(DIRECT_WRITERS, &Arc::default()).connect_lazy_with(direct_options),
        });
        Ok(Self { primary, way, health, replica, ordered })
    }

    /// A connection for statements that only read.
    pub(super) async fn read(&self) -> Result<Db, sqlx::Error> {
        TimedConnection::to_read(acquire(&self.primary).await?, self.way).await.map(Db::Postgres)
    }

    /// The connection for readiness, for statements that only read.
    pub(super) async fn health(&self) -> Result<Db, sqlx::Error> {
        TimedConnection::to_read(acquire(&self.health).await?, self.way).await.map(Db::Postgres)
    }

    /// Runs `work` in a transaction, and again after a conflict.
    ///
    /// The isolation level is REPEATABLE READ, so what `work` has read holds
    /// until its commit, as on SQLite, where writes run one after the other. If
    /// another transaction changed a row first, the database reports it (40001)
    /// and `work` runs again with the new rows.
    pub(super) async fn transaction<I, T, F>(
        &self,
        waits: &Histogram,
        input: I,
        work: &F,
    ) -> Result<T, AppError>
    where
        I: Clone,
        F: for<'c> Fn(&'c mut Db, I) -> BoxFuture<'c, Result<T, AppError>>,
    {
        for retry in 1..=RETRIES {
            match self.try_transaction(waits, input.clone(), work).await {
                Err(AppError::WriteConflict) => wait_before_retry(retry).await,
                outcome => return outcome,
            }
        }
        self.try_transaction(waits, input, work).await
    }

    async fn try_transaction<I, T, F>(&self, waits: &Histogram, input: I, work: &F) -> Result<T, AppError>
    where
        F: for<'c> Fn(&'c mut Db, I) -> BoxFuture<'c, Result<T, AppError>>,
    {
        let wait = waits.start_timer();
        let mut db = Db::Postgres(TimedConnection::of(acquire(&self.primary).await?, self.way));
        drop(wait);
        let outcome = async {
            let begin = begin!(self.way, "ISOLATION LEVEL REPEATABLE READ");
            db.command(begin).await.map_err(TransactionError::Broken)?;
            match catch_panic(work(&mut db, input)).await {
                Ok(value) => {
                    db.command("COMMIT").await.map_err(TransactionError::Broken)?;
                    Ok(value)
                }
                Err(error) => {
                    db.command("ROLLBACK").await.map_err(TransactionError::Broken)?;
                    Err(TransactionError::RolledBack(error))
                }
            }
        };
        // Time limits of the server do not reach a COMMIT, nor a server that is gone.
        match tokio::time::timeout(TRANSACTION_TIME, outcome).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(TransactionError::RolledBack(error))) => Err(error),
            Ok(Err(TransactionError::Broken(error))) => {
                db.discard();
                Err(error.into())
            }
            Err(_) => {
                tracing::warn!("a transaction took too long; whether it was committed is not known");
                db.discard();
                Err(AppError::Busy { retry_after: 5 })
            }
        }
    }

    /// The connections of the primary, and of the replica if there is one.
    pub(super) fn pools(&self) -> Vec<PoolLoad> {
        let replica = self.replica.as_ref().map(|replica| PoolLoad::of("replica", &replica.pool));
        std::iter::once(PoolLoad::of("primary", &self.primary)).chain(replica).collect()
    }

    pub(super) async fn close(&self) {
        let closed = async {
            self.ordered.close().await;
            self.primary.close().await;
            self.health.close().await;
            if let Some(replica) = &self.replica {
                replica.pool.close().await;
            }
        };
        if tokio::time::timeout(TRANSACTION_TIME, closed).await.is_err() {
            tracing::warn!("the server does not answer; its connections are left to themselves");
        }
    }
}

impl Replica {
    /// A connection for statements that only read; `None` if the replica does not answer soon,
    /// and for a while after that.
    pub(super) async fn read(&self) -> Option<Db> {
        let unavailable_until = || self.unavailable_until.lock().unwrap_or_else(PoisonError::into_inner);
        if unavailable_until().is_some_and(|until| Instant::now() < until) {
            return None;
        }
        let read = async { TimedConnection::to_read(acquire(&self.pool).await?, self.way).await };
        match read.await {
            Ok(connection) => Some(Db::Postgres(connection)),
            Err(error) => {
                // If all connections are in use, the replica is busy, not away.
                // Only this reader uses the primary.
                let busy = self.pool.size() >= self.pool.options().get_max_connections();
                if !busy {
                    tracing::warn!(%error, "the read replica does not answer; the primary serves its readers");
                    *unavailable_until() = Some(Instant::now() + REPLICA_RETRY);
                }
                None
            }
        }
    }
}

pub(super) fn options(url: &DatabaseUrl, way: Way) -> Result<PgConnectOptions, sqlx::Error> {
    let options =
        PgConnectOptions::from_str(url.as_str())?.application_name("byline").disable_statement_logging();
    Ok(match way {
        Way::Direct => options.options(SESSION),
        // A pooler refuses parameters that it does not know, and a name of a statement that it
        // has not kept.
        Way::Pooler => options.extra_float_digits(None).statement_cache_capacity(0),
    })
}

/// Makes the first connection. If server and site start together, the server may
/// need more time.
async fn connect(options: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
    let deadline = Instant::now() + START_TIME;
    loop {
        let answered = tokio::time::timeout(START_TIME, options.connect()).await;
        match answered.unwrap_or_else(|_| Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into())) {
            Err(error) if is_starting(&error) && Instant::now() < deadline => {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            outcome => return outcome,
        }
    }
}

fn is_starting(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(error) => error.kind() == std::io::ErrorKind::ConnectionRefused,
        // cannot_connect_now
        other => other.as_database_error().is_some_and(|error| error.code().as_deref() == Some("57P03")),
    }
}

/// When the connection for readiness was made. If it broke and was made again,
/// older connections of the pool have probably broken too.
#[derive(Default)]
struct HealthConnected(Mutex<Option<Instant>>);

impl HealthConnected {
    fn record(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Whether a connection of that age is older.
    fn is_after(&self, age: Duration) -> bool {
        let connected = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        connected.is_some_and(|connected| age > connected.elapsed())
    }
}

/// The pool for readiness, whose connection is kept as long as it works.
fn health_pool(health_connected: &Arc<HealthConnected>) -> PgPoolOptions {
    let health_connected = Arc::clone(health_connected);
    pool(1, &Arc::default()).idle_timeout(None).max_lifetime(None).after_connect(move |_, _| {
        health_connected.record();
        Box::pin(async { Ok(()) })
    })
}

fn pool(connections: u32, health_connected: &Arc<HealthConnected>) -> PgPoolOptions {
    let health_connected = Arc::clone(health_connected);
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(MAX_WAIT)
        // A test costs a round trip to the server, so only doubtful connections
        // are tested. After a restart of the server, connections in use break
        // at once.
        .test_before_acquire(false)
        .before_acquire(move |connection, state| {
            let is_doubtful = state.idle_for > PING_AFTER || health_connected.is_after(state.age);
            Box::pin(async move {
                if is_doubtful {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
}

/// Migrates the schema, each step in its own transaction. sqlx holds an advisory
/// lock meanwhile: of two processes that start at once, the second waits and then
/// has nothing to do. The lock ends with the connection.
async fn migrate(mut db: PgConnection, url: &DatabaseUrl) -> Result<(), OpenError> {
    let open = |cause| OpenError::of(url.to_string(), cause);
    let version: i32 = sqlx::query_scalar("SELECT current_setting('server_version_num')::int")
        .fetch_one(&mut db)
        .await
        .map_err(open)?;
    if version < MIN_VERSION {
        return Err(OpenError::OldPostgres(version / 10_000));
    }
    // A large table may need longer than a page may.
    sqlx::query("SET statement_timeout = 0").execute(&mut db).await.map_err(open)?;
    let outcome = MIGRATIONS.run_direct(None, &mut db, false).await;
    // Lock and setting go with the connection.
    let _ = db.close().await;
    outcome.map_err(|cause| OpenError::from_migration(url, cause))
}

/// Connects as the pools do, and lets one statement run.
pub(super) async fn ask(url: &DatabaseUrl, way: Way) -> Result<(), sqlx::Error> {
    let mut connection = connect(&options(url, way)?).await?;
    sqlx::raw_sql("SELECT 1").execute(&mut connection).await?;
    connection.close().await
}

/// A connection without the time limits of requests. Its wait for a lock of
/// somebody else is still limited.
pub(super) async fn dedicated(url: &DatabaseUrl) -> Result<PoolConnection<Postgres>, sqlx::Error> {
    // A pool reports only a timeout; this reports the reason.
    connect(&options(url, Way::Direct)?).await?.close().await?;
    let mut connection = single(url)?.acquire().await?;
    let limits =
        "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET lock_timeout = '5s'";
    sqlx::raw_sql(limits).execute(&mut *connection).await?;
    Ok(connection)
}

/// A pool of one, for code that needs its own connection for long.
pub(super) fn single(url: &DatabaseUrl) -> Result<sqlx::Pool<Postgres>, sqlx::Error> {
    Ok(PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(MAX_WAIT)
        .connect_lazy_with(options(url, Way::Direct)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::db::STATEMENT_TIME;

    #[test]
    fn a_session_has_the_same_limits_behind_a_pooler() {
        let behind = begin!(Way::Pooler, "READ ONLY");
        for (name, value) in &SESSION[..3] {
            assert!(behind.contains(&format!("; SET LOCAL {name} = '{value}'")), "{behind}");
        }
        assert_eq!(begin!(Way::Direct, "READ ONLY"), "BEGIN READ ONLY");
        assert_eq!(SESSION[0].1, format!("{}s", STATEMENT_TIME.as_secs()));
    }
}
