//! The database: SQLite or PostgreSQL with one interface.
//!
//! A statement is written once, with `$1` placeholders, and runs on either
//! engine through [`on_engine!`]. A reader gets a connection ([`Database::read`]).
//! A writer passes a closure ([`Database::write`]), which runs inside a
//! transaction; the call returns once the change is on the disk.

mod batch;
mod config;
mod db;
mod error;
mod files;
pub mod idempotency;
mod in_order;
mod postgres;
mod sqlite;
mod statements;
mod url;
mod waits;
mod wal;

use std::{fmt, path::PathBuf, sync::Arc};

use futures::future::BoxFuture;
use sqlx::postgres::PgListener;
use tokio::sync::oneshot;

use crate::error::AppError;
use batch::Queued;
pub use config::DatabaseConfig;
pub(crate) use db::{Access, execute, on_engine};
pub use db::{Db, TimedConnection};
use db::{Purpose, acquire};
pub use error::{OpenError, Unusable, internal, violates};
pub(crate) use files::{owner_only, require_regular};
pub use in_order::COMMIT_ORDER_LOCK;
use statements::Way;
pub use url::{DatabaseUrl, DatabaseUrlError, Engine};
use waits::Waits;
pub use waits::{DatabaseLoad, PoolLoad};

/// A database in use. Cheap to clone.
#[derive(Clone)]
pub struct Database(Arc<Inner>);

struct Inner {
    url: DatabaseUrl,
    direct: DatabaseUrl,
    backend: Backend,
    waits: Waits,
}

enum Backend {
    Sqlite(sqlite::File),
    Postgres(Arc<postgres::Server>),
}

/// The steps of the schema that this binary knows, by their numbers.
pub(super) fn schema_steps(engine: Engine) -> impl Iterator<Item = i64> {
    let migrations = match engine {
        Engine::Sqlite => &sqlite::MIGRATIONS,
        Engine::Postgres => &postgres::MIGRATIONS,
    };
    migrations.iter().map(|step| step.version)
}

/// While this exists, no other process serves the file.
#[derive(Debug)]
pub(super) struct ServeLock {
    _lock: Option<files::Lock>,
}

impl Db {
    /// A connection outside of all pools, without time limits. It migrates no
    /// schema and creates no file.
    pub(crate) async fn dedicated(url: &DatabaseUrl, access: Access) -> Result<Self, OpenError> {
        match url.engine() {
            Engine::Sqlite => sqlite::dedicated(url, access).await.map(Self::Sqlite),
            Engine::Postgres => {
                let connection = postgres::dedicated(url).await;
                let connection = connection.map_err(|cause| OpenError::of(url.to_string(), cause));
                connection.map(|connection| Self::Postgres(connection.into()))
            }
        }
    }
}

impl DatabaseConfig {
    /// Asks what else leads to the database: the pooler, and the read replica. For each that is
    /// set, the name of its setting, its URL, and whether it answers.
    pub(crate) async fn ask_others(&self) -> Vec<(&'static str, &DatabaseUrl, Result<(), sqlx::Error>)> {
        let mut asked = Vec::new();
        if self.listen.is_some() {
            asked.push(("database-url", &self.url, postgres::ask(&self.url, Way::Pooler).await));
        }
        if let Some(replica) = &self.replica {
            asked.push(("read-database-url", replica, postgres::ask(replica, Way::Direct).await));
        }
        asked
    }
}

impl DatabaseUrl {
    /// Prevents that this file is served; a server does the same for itself.
    pub(super) fn lock(&self) -> Result<ServeLock, OpenError> {
        let lock = (self.engine() == Engine::Sqlite).then(|| sqlite::files(self)?.lock());
        Ok(ServeLock { _lock: lock.transpose()? })
    }

    /// The file of a database of SQLite.
    #[must_use]
    pub fn file(&self) -> Option<PathBuf> {
        (self.engine() == Engine::Sqlite).then(|| sqlite::path(self).ok()).flatten()
    }

    /// Whether this is the path of a file that does not exist.
    pub(super) fn is_missing_file(&self) -> bool {
        self.file().is_some_and(|path| !path.exists())
    }
}

impl Database {
    /// Opens the database and migrates its schema. A missing file is created; a
    /// server's database must exist.
    pub async fn open(config: &DatabaseConfig) -> Result<Self, OpenError> {
        Self::open_for(config, Purpose::Command).await
    }

    /// [`Self::open`], for serving. No other process serves the same file at
    /// the same time, and the file can be written.
    pub async fn open_to_serve(config: &DatabaseConfig) -> Result<Self, OpenError> {
        Self::open_for(config, Purpose::Serve).await
    }

    async fn open_for(config: &DatabaseConfig, purpose: Purpose) -> Result<Self, OpenError> {
        let DatabaseConfig { url, listen, replica, .. } = config;
        let replica_fits = replica.as_ref().is_none_or(|url| url.engine() == Engine::Postgres);
        if let Some(listen) = listen
            && (url.engine(), listen.engine()) != (Engine::Postgres, Engine::Postgres)
        {
            return Err(OpenError::PoolerOfFile);
        }
        let backend = match url.engine() {
            Engine::Postgres if replica_fits => {
                let server = postgres::Server::open(config).await?;
                Backend::Postgres(Arc::new(server))
            }
            Engine::Sqlite if replica.is_none() => Backend::Sqlite(sqlite::File::open(url, purpose).await?),
            _ => return Err(OpenError::ReplicaOfFile),
        };
        let (url, direct) = (url.clone(), config.direct().clone());
        Ok(Self(Arc::new(Inner { url, direct, backend, waits: Waits::default() })))
    }

    #[must_use]
    pub fn engine(&self) -> Engine {
        self.0.url.engine()
    }

    /// A connection for statements that only read. They see every write that
    /// was answered before.
    ///
    /// # Errors
    /// [`AppError::Busy`] if none is free in time or the server is away.
    pub async fn read(&self) -> Result<Db, AppError> {
        // Observes when it is dropped, also where none was free in time.
        let _wait = self.0.waits.read.start_timer();
        Ok(match &self.0.backend {
            Backend::Sqlite(file) => Db::Sqlite(acquire(&file.readers).await?),
            Backend::Postgres(server) => server.read().await?,
        })
    }

    /// How many connections can read at a time.
    #[must_use]
    pub fn readers(&self) -> usize {
        let pool = match &self.0.backend {
            Backend::Sqlite(file) => file.readers.options().get_max_connections(),
            Backend::Postgres(server) => server.primary.options().get_max_connections(),
        };
        usize::try_from(pool).unwrap_or(1)
    }

    /// A connection outside of the shared pool, to check whether the database
    /// answers. There is only one; while it is in use, callers wait.
    ///
    /// # Errors
    /// [`AppError::Busy`] if it is not free in time or the database is away.
    pub async fn health(&self) -> Result<Db, AppError> {
        Ok(match &self.0.backend {
            Backend::Sqlite(file) => Db::Sqlite(acquire(&file.health).await?),
            Backend::Postgres(server) => server.health().await?,
        })
    }

    /// A connection to the read replica, if there is one and it answers. The
    /// replica may be behind.
    pub async fn read_replica(&self) -> Option<Db> {
        let Backend::Postgres(server) = &self.0.backend else { return None };
        server.replica.as_ref()?.read().await
    }

    /// A connection that receives notifications of other processes on
    /// `channels`, and one to read earlier events. Both are outside of the shared
    /// pool. `None` on SQLite, where no other process serves.
    pub async fn listen(&self, channels: &[&str]) -> Result<Option<(PgListener, Db)>, sqlx::Error> {
        match &self.0.backend {
            Backend::Sqlite(_) => Ok(None),
            Backend::Postgres(_) => {
                let mut listener = PgListener::connect_with(&postgres::single(&self.0.direct)?).await?;
                // Otherwise it would reconnect by itself and not report that it
                // missed something.
                listener.eager_reconnect(false);
                listener.listen_all(channels.iter().copied()).await?;
                let reader = postgres::single(&self.0.direct)?.acquire().await?;
                Ok(Some((listener, Db::Postgres(reader.into()))))
            }
        }
    }

    /// Runs `work` on `input` in a transaction and returns once it is on the
    /// disk. If it fails, it changes nothing. On SQLite, writes that wait at the
    /// same time share a commit. `work` borrows nothing from the caller, because
    /// it may run again: if another write of the same commit failed, or on
    /// PostgreSQL, up to three times, if it had a conflict.
    ///
    /// # Errors
    ///
    /// The error of `work`; [`AppError::Busy`] if the queue or the disk is full
    /// or the server is away; [`AppError::WriteConflict`] if every attempt had a
    /// conflict.
    pub async fn write<I, T, F>(&self, input: I, work: F) -> Result<T, AppError>
    where
        I: Clone + Send + 'static,
        T: Send + 'static,
        F: for<'c> Fn(&'c mut Db, I) -> BoxFuture<'c, Result<T, AppError>> + Send + Sync + 'static,
    {
        self.write_then(input, work, |_| ()).await
    }

    /// [`Self::write`], and calls `then` as soon as it is on the disk, even if
    /// the client has hung up.
    ///
    /// # Errors
    ///
    /// As [`Self::write`]. After an error `then` has not run.
    pub async fn write_then<I, T, F, A>(&self, input: I, work: F, then: A) -> Result<T, AppError>
    where
        I: Clone + Send + 'static,
        T: Send + 'static,
        F: for<'c> Fn(&'c mut Db, I) -> BoxFuture<'c, Result<T, AppError>> + Send + Sync + 'static,
        A: FnOnce(&T) + Send + 'static,
    {
        let server = match &self.0.backend {
            Backend::Sqlite(_) => return self.write_in_order(input, work, then).await,
            Backend::Postgres(server) => Arc::clone(server),
        };
        let waits = self.0.waits.write.clone();
        // In its own task, so that it ends in order even if the caller is gone.
        let written = tokio::spawn(async move {
            let outcome = server.transaction(&waits, input, &work).await;
            outcome.inspect(then)
        });
        written.await.unwrap_or(Err(AppError::Busy { retry_after: 2 }))
    }

    /// [`Self::write_then`] for changes that are committed in one order on the
    /// whole site, on either engine. A change begins after the commit of the one
    /// before, changes that wait in this process share a commit, and `then` runs
    /// in that order.
    pub async fn write_in_order<I, T, F, A>(&self, input: I, work: F, then: A) -> Result<T, AppError>
    where
        I: Clone + Send + 'static,
        T: Send + 'static,
        F: for<'c> Fn(&'c mut Db, I) -> BoxFuture<'c, Result<T, AppError>> + Send + Sync + 'static,
        A: FnOnce(&T) + Send + 'static,
    {
        let (answer, outcome) = oneshot::channel();
        let finish = move |outcome: Result<T, AppError>| {
            if let Ok(value) = &outcome {
                then(value);
            }
            // Nobody listens any more: the request was given up.
            let _ = answer.send(outcome);
        };
        let wait = Some(self.0.waits.write.start_timer());
        let write = Box::new(Queued { input, work, finish, result: None, wait });
        match &self.0.backend {
            Backend::Sqlite(file) => file.send(write).await?,
            Backend::Postgres(server) => server.ordered.send(write).await?,
        }
        // Dropped unanswered: the transaction it waited for could not begin or go on.
        outcome.await.map_err(|_| AppError::Busy { retry_after: 2 })?
    }

    /// How busy it is now, and how long work had to wait so far.
    #[must_use]
    pub fn load(&self) -> DatabaseLoad {
        let (pools, writes) = match &self.0.backend {
            Backend::Sqlite(file) => (vec![PoolLoad::of("readers", &file.readers)], file.queue()),
            Backend::Postgres(server) => (server.pools(), server.ordered.queue()),
        };
        let (queued, queue) = writes;
        DatabaseLoad { waits: self.0.waits.all(), pools, queued, queue }
    }

    /// Whether the last write found no room on the disk, as far as this process knows: a server
    /// of PostgreSQL has a disk of its own. Reading goes on, so [`Self::check`] finds no fault.
    #[must_use]
    pub fn is_disk_full(&self) -> bool {
        match &self.0.backend {
            Backend::Sqlite(file) => file.is_disk_full(),
            Backend::Postgres(_) => false,
        }
    }

    /// Checks that writes succeed and last. A server is checked through the
    /// connection `db`.
    pub async fn check(&self, db: &mut Db) -> Result<(), Unusable> {
        match (&self.0.backend, db) {
            (Backend::Sqlite(file), _) => file.check().await,
            (Backend::Postgres(_), db) => {
                // A standby, or a primary that became one, cannot be written.
                let query = "SELECT CAST(
                    pg_is_in_recovery() OR current_setting('default_transaction_read_only') = 'on' AS INTEGER)";
                let is_standby = on_engine!(db => sqlx::query_scalar::<_, i32>(query).fetch_one(db).await);
                match is_standby {
                    Ok(0) => Ok(()),
                    Ok(_) => Err(Unusable::Standby),
                    Err(error) => Err(Unusable::Away(error.to_string())),
                }
            }
        }
    }

    /// Waits until every accepted write is on the disk, and closes. The wait is
    /// limited if a server does not answer.
    pub async fn close(&self) {
        match &self.0.backend {
            Backend::Sqlite(file) => file.close().await,
            Backend::Postgres(server) => server.close().await,
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Database").field(&self.0.url).finish()
    }
}
