//! The database: one writer that shares its commits, many readers.

use std::{
    fmt,
    panic::AssertUnwindSafe,
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::{FutureExt, future::BoxFuture};
use sqlx::{
    ConnectOptions, Connection, SqliteConnection, SqlitePool,
    migrate::{MigrateError, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::{
    sync::{Notify, mpsc, oneshot},
    task::JoinHandle,
};

use crate::error::AppError;

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// 3.7.0 to 3.51.2 can corrupt a database in WAL mode when its log is reset.
const MIN_SQLITE: [u32; 3] = [3, 51, 3];
/// Writes that wait at most; one more is told to come again.
const QUEUE: usize = 1024;
/// Writes that share one commit at most.
const BATCH: usize = 64;
/// The longest wait for a place in the queue or for a reading connection.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where the database is: `sqlite://path` (the file is created on first start).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseUrl(String);

/// The text names no database that Byline can use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no database Byline can use; write it as sqlite://byline.db")]
pub struct DatabaseUrlError(String);

impl FromStr for DatabaseUrl {
    type Err = DatabaseUrlError;

    fn from_str(raw: &str) -> Result<Self, DatabaseUrlError> {
        match raw.strip_prefix("sqlite://") {
            Some(path) if !path.is_empty() && !path.contains(":memory:") => Ok(Self(raw.to_owned())),
            _ => Err(DatabaseUrlError(raw.to_owned())),
        }
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file cannot be opened or is no database.
    #[error("the database {url} cannot be opened: {cause}")]
    Open {
        /// As configured.
        url: String,
        /// What SQLite says.
        cause: sqlx::Error,
    },
    /// A schema that this binary does not know.
    #[error("the database {url} was made by a newer Byline (its schema has step {version}); use that one")]
    Newer {
        /// As configured.
        url: String,
        /// The unknown step.
        version: i64,
    },
    /// A migration failed; the database is as it was.
    #[error("the database {url} cannot be brought up to date: {cause}")]
    Migrate {
        /// As configured.
        url: String,
        /// What went wrong.
        cause: MigrateError,
    },
    /// A SQLite with a known fault.
    #[error("SQLite {0} can lose data in WAL mode; Byline needs 3.51.3 or newer")]
    OldSqlite(String),
}

/// A database in use. Cheap to clone.
#[derive(Clone)]
pub struct Database(Arc<Inner>);

struct Inner {
    readers: SqlitePool,
    writes: mpsc::Sender<Write>,
    closing: Arc<Notify>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// A write on its way: run inside the transaction, then told how the commit went.
type Write = Box<dyn for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Written> + Send>;

struct Written {
    keep: bool,
    acknowledge: Box<dyn FnOnce(Result<(), AppError>) + Send>,
}

impl Database {
    /// Opens the file, creating it where it is missing, and brings the schema
    /// up to date.
    ///
    /// # Errors
    /// [`OpenError`], one clear sentence.
    pub async fn open(url: &DatabaseUrl) -> Result<Self, OpenError> {
        let open = |cause| OpenError::Open { url: url.to_string(), cause };
        let options = SqliteConnectOptions::from_str(&url.0)
            .map_err(open)?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(5))
            .foreign_keys(true)
            .pragma("trusted_schema", "OFF")
            .disable_statement_logging();
        let mut writer = options.connect().await.map_err(open)?;
        refuse_old_sqlite(&mut writer).await.map_err(|error| match error {
            Ok(version) => OpenError::OldSqlite(version),
            Err(cause) => open(cause),
        })?;
        migrate(&mut writer).await.map_err(|cause| match cause {
            MigrateError::VersionMissing(version) => OpenError::Newer { url: url.to_string(), version },
            MigrateError::Execute(cause) => open(cause),
            cause => OpenError::Migrate { url: url.to_string(), cause },
        })?;
        let readers = SqlitePoolOptions::new()
            .max_connections(readers())
            .acquire_timeout(PATIENCE)
            .connect_with(options.read_only(true))
            .await
            .map_err(open)?;
        let (writes, queue) = mpsc::channel(QUEUE);
        let closing = Arc::new(Notify::new());
        let writer = tokio::spawn(write_in_batches(writer, queue, Arc::clone(&closing)));
        let writer = Mutex::new(Some(writer));
        Ok(Self(Arc::new(Inner { readers, writes, closing, writer })))
    }

    /// For statements that only read.
    #[must_use]
    pub fn reader(&self) -> &SqlitePool {
        &self.0.readers
    }

    /// Runs `work` on `input` in a transaction and returns once it is on the
    /// disk. Writes that wait at the same time share a commit; one that fails
    /// is undone alone. `work` borrows nothing, so that an engine that asks
    /// for it may run it again.
    ///
    /// # Errors
    /// Whatever `work` says; [`AppError::Busy`] when the queue is full or the
    /// disk is.
    pub async fn write<I, T, F>(&self, input: I, work: F) -> Result<T, AppError>
    where
        I: Clone + Send + 'static,
        T: Send + 'static,
        F: for<'c> Fn(&'c mut SqliteConnection, I) -> BoxFuture<'c, Result<T, AppError>> + Send + 'static,
    {
        self.write_then(input, work, |_| ()).await
    }

    /// [`Self::write`], and `then` as soon as it is on the disk: also when
    /// nobody waits for the answer any more, because the client has hung up.
    ///
    /// # Errors
    /// As [`Self::write`]; `then` has not run in that case.
    pub async fn write_then<I, T, F, A>(&self, input: I, work: F, then: A) -> Result<T, AppError>
    where
        I: Clone + Send + 'static,
        T: Send + 'static,
        F: for<'c> Fn(&'c mut SqliteConnection, I) -> BoxFuture<'c, Result<T, AppError>> + Send + 'static,
        A: FnOnce(&T) + Send + 'static,
    {
        let (answer, outcome) = oneshot::channel();
        let write: Write = Box::new(move |db| {
            Box::pin(async move {
                let result = AssertUnwindSafe(work(db, input))
                    .catch_unwind()
                    .await
                    .unwrap_or_else(|_| Err(internal("a write panicked")));
                Written {
                    keep: result.is_ok(),
                    acknowledge: Box::new(move |committed| {
                        let outcome = committed.and(result);
                        if let Ok(value) = &outcome {
                            then(value);
                        }
                        // Nobody listens any more: the request was given up.
                        let _ = answer.send(outcome);
                    }),
                }
            })
        });
        self.0.writes.send_timeout(write, PATIENCE).await.map_err(|_| AppError::Busy { retry_after: 2 })?;
        // Dropped unanswered: the transaction it waited for could not begin or go on.
        outcome.await.map_err(|_| AppError::Busy { retry_after: 2 })?
    }

    /// Waits until every accepted write is on the disk and closes. The writer
    /// goes last: it folds the log into the database, which then is one file.
    pub async fn close(&self) {
        self.0.readers.close().await;
        self.0.closing.notify_one();
        let writer = self.0.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer
            && let Err(error) = writer.await
        {
            tracing::error!(%error, "the last writes may be missing");
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Database")
    }
}

fn readers() -> u32 {
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    u32::try_from(cores * 2).unwrap_or(4).clamp(4, 32)
}

async fn refuse_old_sqlite(db: &mut SqliteConnection) -> Result<(), Result<String, sqlx::Error>> {
    let version: String = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(db).await.map_err(Err)?;
    let numbers: Vec<u32> = version.split('.').filter_map(|part| part.parse().ok()).collect();
    if numbers.as_slice() < MIN_SQLITE.as_slice() { Err(Ok(version)) } else { Ok(()) }
}

/// One immediate transaction around all of it: of two processes started at
/// once the second waits and finds nothing left to do, and a kill in the
/// middle leaves the old schema.
async fn migrate(writer: &mut SqliteConnection) -> Result<(), MigrateError> {
    let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
    MIGRATIONS.run_direct(None, &mut *transaction, false).await?;
    transaction.commit().await?;
    Ok(())
}

async fn write_in_batches(mut db: SqliteConnection, mut queue: mpsc::Receiver<Write>, closing: Arc<Notify>) {
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        let waiting = tokio::select! {
            waiting = queue.recv_many(&mut batch, BATCH) => waiting,
            () = closing.notified() => {
                // Takes no more; what is queued still comes out.
                queue.close();
                continue;
            }
        };
        if waiting == 0 {
            break;
        }
        write_batch(&mut db, &mut batch).await;
    }
    if let Err(error) = db.close().await {
        tracing::warn!(%error, "the log was not folded into the database; the next start reads it");
    }
}

async fn write_batch(db: &mut SqliteConnection, batch: &mut Vec<Write>) {
    let mut written = Vec::with_capacity(batch.len());
    let outcome = async {
        sqlx::query("BEGIN IMMEDIATE").execute(&mut *db).await?;
        for write in batch.drain(..) {
            sqlx::query("SAVEPOINT one").execute(&mut *db).await?;
            let one = write(db).await;
            let keep = one.keep;
            written.push(one);
            if !keep {
                sqlx::query("ROLLBACK TO one").execute(&mut *db).await?;
            }
            sqlx::query("RELEASE one").execute(&mut *db).await?;
        }
        sqlx::query("COMMIT").execute(&mut *db).await
    };
    let committed = outcome.await.map(drop).map_err(AppError::from);
    if committed.is_err() {
        // After a failed BEGIN, or a COMMIT that rolled back by itself, there
        // is no transaction left to end; that is fine too.
        let _ = sqlx::query("ROLLBACK").execute(&mut *db).await;
        batch.clear();
    }
    for one in written {
        (one.acknowledge)(committed.clone());
    }
}

/// A fault of ours: the cause goes to the log, the answer says nothing of it.
pub fn internal(cause: impl fmt::Display) -> AppError {
    tracing::error!(%cause, "internal error");
    AppError::Internal
}

/// `table.column` of the unique constraint that was violated, if one was.
#[must_use]
pub fn violated_unique(error: &sqlx::Error) -> Option<&str> {
    let error = error.as_database_error()?;
    error.is_unique_violation().then(|| error.message().strip_prefix("UNIQUE constraint failed: "))?
}

impl From<sqlx::Error> for AppError {
    fn from(error: sqlx::Error) -> Self {
        // SQLITE_BUSY (5), SQLITE_FULL (13): not now, perhaps later.
        let later = matches!(error, sqlx::Error::PoolTimedOut)
            || error
                .as_database_error()
                .and_then(|error| error.code()?.parse::<u32>().ok())
                .is_some_and(|code| matches!(code & 0xFF, 5 | 13));
        if later {
            tracing::warn!(%error, "the database is busy or full");
            Self::Busy { retry_after: 2 }
        } else {
            internal(error)
        }
    }
}
