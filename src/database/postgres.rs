//! PostgreSQL: a pool for everything, and one for a replica where there is one.

use std::{
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use futures::future::BoxFuture;
use sqlx::{
    ConnectOptions, Connection, PgConnection, PgPool, Postgres,
    migrate::Migrator,
    pool::PoolConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::{
    db::{Db, PATIENCE, RETRIES, STATEMENT_TIME, TRANSACTION_TIME, before_retry, caught},
    error::OpenError,
    in_order::Changes,
    url::DatabaseUrl,
};
use crate::error::AppError;

pub(super) static MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// 15, the oldest that is tested.
const MIN_VERSION: i32 = 150_000;
/// A process that hangs inside a transaction gives its locks back.
const IDLE_TIME: &str = "10s";
/// How long a server may take to start.
const START_TIME: Duration = Duration::from_secs(5);
/// The longest a reader waits for the replica before the primary serves them.
const REPLICA_PATIENCE: Duration = Duration::from_millis(250);
/// A replica that did not answer is left alone for so long.
const REPLICA_REST: Duration = Duration::from_secs(5);
/// A connection that was idle for longer is asked whether it still lives.
const SURELY_ALIVE: Duration = Duration::from_secs(1);

pub(super) struct Server {
    pub(super) primary: PgPool,
    /// For readiness; no request uses it.
    pub(super) health: PgPool,
    pub(super) replica: Option<Replica>,
    pub(super) changes: Changes,
}

/// How a transaction ended that did not commit.
enum Ended {
    /// Cleanly: the work returned an error.
    RolledBack(AppError),
    /// In a way that makes the connection unusable.
    Broken(sqlx::Error),
}

/// A read replica, which may be behind or away.
pub(super) struct Replica {
    pool: PgPool,
    /// It is not asked before this.
    rests_until: Mutex<Option<Instant>>,
}

impl Server {
    /// Connects and migrates the schema. The replica may be away.
    pub(super) async fn open(
        url: &DatabaseUrl,
        replica: Option<&DatabaseUrl>,
        connections: u32,
    ) -> Result<Self, OpenError> {
        let open = |url: &DatabaseUrl| {
            let url = url.to_string();
            move |cause| OpenError::of(url, cause)
        };
        let options_of = |url: &DatabaseUrl| options(url).map_err(open(url));
        let options = options_of(url)?;
        migrate(connect(&options).await.map_err(open(url))?, url).await?;
        let renewed = Arc::new(Renewed::default());
        let health = health_pool(&renewed).connect_lazy_with(options.clone());
        let primary = pool(connections, &renewed).connect_lazy_with(options);
        let replica = match replica {
            Some(url) => Some(Replica {
                pool: pool(connections, &Arc::default())
                    .acquire_timeout(REPLICA_PATIENCE)
                    .connect_lazy_with(options_of(url)?),
                rests_until: Mutex::new(None),
            }),
            None => None,
        };
        let changes = Changes::new(primary.clone());
        Ok(Self { primary, health, replica, changes })
    }

    /// Runs `work` in a transaction, again where it met another one.
    ///
    /// Its isolation is REPEATABLE READ: what `work` has read holds until it
    /// commits, as on SQLite, where writes come one after the other. Where
    /// another transaction changed a row first, the database says so (40001)
    /// and `work` starts anew with what is there now.
    pub(super) async fn transaction<I, T, F>(&self, input: I, work: &F) -> Result<T, AppError>
    where
        I: Clone,
        F: for<'c> Fn(&'c mut Db, I) -> BoxFuture<'c, Result<T, AppError>>,
    {
        for retry in 1..=RETRIES {
            match self.once(input.clone(), work).await {
                Err(AppError::WriteConflict) => before_retry(retry).await,
                outcome => return outcome,
            }
        }
        self.once(input, work).await
    }

    async fn once<I, T, F>(&self, input: I, work: &F) -> Result<T, AppError>
    where
        F: for<'c> Fn(&'c mut Db, I) -> BoxFuture<'c, Result<T, AppError>>,
    {
        let mut db = Db::Postgres(self.primary.acquire().await?.into());
        let outcome = async {
            db.command("BEGIN ISOLATION LEVEL REPEATABLE READ").await.map_err(Ended::Broken)?;
            match caught(work(&mut db, input)).await {
                Ok(value) => {
                    db.command("COMMIT").await.map_err(Ended::Broken)?;
                    Ok(value)
                }
                Err(error) => {
                    db.command("ROLLBACK").await.map_err(Ended::Broken)?;
                    Err(Ended::RolledBack(error))
                }
            }
        };
        // Time limits of the server do not reach a COMMIT, nor a server that is gone.
        match tokio::time::timeout(TRANSACTION_TIME, outcome).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(Ended::RolledBack(error))) => Err(error),
            Ok(Err(Ended::Broken(error))) => {
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

    pub(super) async fn close(&self) {
        let closed = async {
            self.changes.close().await;
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
    /// A connection; `None` when it does not answer soon, and for a while after that.
    pub(super) async fn acquire(&self) -> Option<PoolConnection<Postgres>> {
        let rests_until = || self.rests_until.lock().unwrap_or_else(PoisonError::into_inner);
        if rests_until().is_some_and(|until| Instant::now() < until) {
            return None;
        }
        match self.pool.acquire().await {
            Ok(connection) => Some(connection),
            Err(error) => {
                // If all connections are in use it is busy, not away: only this
                // reader uses the primary.
                let busy = self.pool.size() >= self.pool.options().get_max_connections();
                if !busy {
                    tracing::warn!(%error, "the read replica does not answer; the primary serves its readers");
                    *rests_until() = Some(Instant::now() + REPLICA_REST);
                }
                None
            }
        }
    }
}

pub(super) fn options(url: &DatabaseUrl) -> Result<PgConnectOptions, sqlx::Error> {
    Ok(PgConnectOptions::from_str(url.as_str())?
        .application_name("byline")
        .options([
            ("statement_timeout", format!("{}s", STATEMENT_TIME.as_secs()).as_str()),
            ("idle_in_transaction_session_timeout", IDLE_TIME),
            // Otherwise every start logs that the table of migrations exists.
            ("client_min_messages", "warning"),
        ])
        .disable_statement_logging())
}

/// A first connection. Where server and site start together, the server may
/// need a moment longer.
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

/// When the connection for readiness was made. It is made anew when it broke, and
/// those of the pool that are older have broken with it, most likely.
#[derive(Default)]
struct Renewed(Mutex<Option<Instant>>);

impl Renewed {
    fn now(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Whether a connection of that age was there before.
    fn is_after(&self, age: Duration) -> bool {
        let renewed = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        renewed.is_some_and(|renewed| age > renewed.elapsed())
    }
}

/// The connection for readiness stays for as long as it works.
fn health_pool(renewed: &Arc<Renewed>) -> PgPoolOptions {
    let renewed = Arc::clone(renewed);
    pool(1, &Arc::default()).idle_timeout(None).max_lifetime(None).after_connect(move |_, _| {
        renewed.now();
        Box::pin(async { Ok(()) })
    })
}

fn pool(connections: u32, renewed: &Arc<Renewed>) -> PgPoolOptions {
    let renewed = Arc::clone(renewed);
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(PATIENCE)
        // Asking costs a journey to the server and back; after a restart of
        // the server the connections that are in use break at once anyway.
        .test_before_acquire(false)
        .before_acquire(move |connection, state| {
            let is_doubtful = state.idle_for > SURELY_ALIVE || renewed.is_after(state.age);
            Box::pin(async move {
                if is_doubtful {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
}

/// sqlx takes an advisory lock for the time of it: of two processes started
/// at once the second waits and finds nothing left to do. Each step is a
/// transaction of its own. The lock is the connection's; it goes with it.
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

/// A connection without the limits of time that hold for requests. It still
/// does not wait long for a lock that somebody else has.
pub(super) async fn dedicated(url: &DatabaseUrl) -> Result<PoolConnection<Postgres>, sqlx::Error> {
    // A pool reports only that it has waited; this reports the reason.
    connect(&options(url)?).await?.close().await?;
    let mut connection = single(url)?.acquire().await?;
    let limits =
        "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET lock_timeout = '5s'";
    sqlx::raw_sql(limits).execute(&mut *connection).await?;
    Ok(connection)
}

/// A pool of one, for code that needs its own connection for long.
pub(super) fn single(url: &DatabaseUrl) -> Result<sqlx::Pool<Postgres>, sqlx::Error> {
    Ok(PgPoolOptions::new().max_connections(1).acquire_timeout(PATIENCE).connect_lazy_with(options(url)?))
}
