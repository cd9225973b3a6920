//! SQLite: one writer that shares its commits, many readers.

use std::{
    path::PathBuf,
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use futures::future::BoxFuture;
use sqlx::{
    Sqlite, SqliteConnection, SqlitePool,
    migrate::{MigrateError, Migrator},
    pool::PoolConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::{
    sync::{Notify, mpsc},
    task::JoinHandle,
};

use super::{Access, Db, OpenError, PATIENCE};
use crate::{error::AppError, server::database::url::DatabaseUrl};

pub(super) static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// 3.7.0 to 3.51.2 can corrupt a database in WAL mode when its log is reset.
const MIN_VERSION: [u32; 3] = [3, 51, 3];
/// Writes that wait at most; one more is told to come again.
const QUEUE: usize = 1024;
/// Writes that share one commit at most.
const BATCH: usize = 64;
/// How long another process may hold a lock.
const LOCKED: Duration = Duration::from_secs(5);

/// A write on its way: run inside the transaction, then told how the commit went.
pub(super) type Write = Box<dyn for<'c> FnOnce(&'c mut Db) -> BoxFuture<'c, Written> + Send>;

pub(super) struct Written {
    pub(super) keep: bool,
    pub(super) acknowledge: Box<dyn FnOnce(Result<(), AppError>) + Send>,
}

/// An open file.
pub(super) struct File {
    pub(super) readers: SqlitePool,
    writes: mpsc::Sender<Write>,
    closing: Arc<Notify>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl File {
    /// Opens the file, creating it where it is missing, and brings the schema
    /// up to date.
    pub(super) async fn open(url: &DatabaseUrl) -> Result<Self, OpenError> {
        let open = |cause| OpenError::Open { url: url.to_string(), cause };
        let options = options(url).map_err(open)?;
        let mut writer = connect(&options).await.map_err(open)?;
        refuse_old(&mut writer).await.map_err(|error| match error {
            Ok(version) => OpenError::OldSqlite(version),
            Err(cause) => open(cause),
        })?;
        migrate(&mut writer).await.map_err(|cause| OpenError::from_migration(url, cause))?;
        let readers = SqlitePoolOptions::new()
            .max_connections(readers())
            .acquire_timeout(PATIENCE)
            // All that sqlx asks of SQLite is whether the connection's thread
            // answers, and it has asked when the connection came back.
            .test_before_acquire(false)
            .connect_with(options.read_only(true))
            .await
            .map_err(open)?;
        let (writes, queue) = mpsc::channel(QUEUE);
        let closing = Arc::new(Notify::new());
        let writer = tokio::spawn(write_in_batches(Db::Sqlite(writer), queue, Arc::clone(&closing)));
        let writer = Mutex::new(Some(writer));
        Ok(Self { readers, writes, closing, writer })
    }

    /// Puts a write into the queue.
    pub(super) async fn send(&self, write: Write) -> Result<(), AppError> {
        self.writes.send_timeout(write, PATIENCE).await.map_err(|_| AppError::Busy { retry_after: 2 })
    }

    /// Waits until every accepted write is on the disk and closes. The writer
    /// goes last: it folds the log into the database, which then is one file.
    pub(super) async fn close(&self) {
        self.readers.close().await;
        self.closing.notify_one();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer
            && let Err(error) = writer.await
        {
            tracing::error!(%error, "the last writes may be missing");
        }
    }
}

/// A connection beside those of a [`File`]. One that reads leaves the file as
/// it lies: a backup is not turned to WAL.
pub(super) async fn dedicated(
    url: &DatabaseUrl,
    access: Access,
) -> Result<PoolConnection<Sqlite>, sqlx::Error> {
    let options = match access {
        Access::Read => untouched(url)?.create_if_missing(false).read_only(true),
        Access::Write => options(url)?.create_if_missing(false),
    };
    connect(&options).await
}

/// Where the file is.
pub(super) fn path(url: &DatabaseUrl) -> Result<PathBuf, sqlx::Error> {
    Ok(untouched(url)?.get_filename().to_owned())
}

fn options(url: &DatabaseUrl) -> Result<SqliteConnectOptions, sqlx::Error> {
    Ok(untouched(url)?
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true))
}

/// Settings that change nothing in the file.
fn untouched(url: &DatabaseUrl) -> Result<SqliteConnectOptions, sqlx::Error> {
    use sqlx::ConnectOptions;

    Ok(SqliteConnectOptions::from_str(url.as_str())?
        .busy_timeout(LOCKED)
        .pragma("trusted_schema", "OFF")
        .disable_statement_logging())
}

/// Connects. SQLite does not wait, whatever the busy timeout, where waiting
/// could mean a deadlock: while several processes turn a new file to WAL, or
/// one reads back the log of a killed one. So we do.
async fn connect(options: &SqliteConnectOptions) -> Result<PoolConnection<Sqlite>, sqlx::Error> {
    let one = SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
    let deadline = Instant::now() + LOCKED;
    loop {
        let connected = async { one.clone().connect_with(options.clone()).await?.acquire().await };
        match connected.await {
            Err(error) if is_busy(&error) && Instant::now() < deadline => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            outcome => return outcome,
        }
    }
}

fn is_busy(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code()?.parse::<u32>().ok());
    code.is_some_and(|code| code & 0xFF == 5)
}

/// Lets no statement of that connection work on after the deadline.
pub(super) async fn end_at(connection: &mut SqliteConnection, deadline: Instant) -> Result<(), sqlx::Error> {
    /// Instructions of SQLite's machine between two looks at the clock. One of
    /// them may search through a whole text.
    const INSTRUCTIONS: i32 = 1_000;
    connection.lock_handle().await?.set_progress_handler(INSTRUCTIONS, move || Instant::now() < deadline);
    Ok(())
}

/// Takes the deadline back.
pub(super) async fn end_never(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    connection.lock_handle().await?.remove_progress_handler();
    Ok(())
}

fn readers() -> u32 {
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    u32::try_from(cores * 2).unwrap_or(4).clamp(4, 32)
}

async fn refuse_old(db: &mut SqliteConnection) -> Result<(), Result<String, sqlx::Error>> {
    let version: String = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(db).await.map_err(Err)?;
    let numbers: Vec<u32> = version.split('.').filter_map(|part| part.parse().ok()).collect();
    if numbers.as_slice() < MIN_VERSION.as_slice() { Err(Ok(version)) } else { Ok(()) }
}

/// One immediate transaction around all of it: of two processes started at
/// once the second waits and finds nothing left to do, and a kill in the
/// middle leaves the old schema.
async fn migrate(writer: &mut SqliteConnection) -> Result<(), MigrateError> {
    use sqlx::Connection;

    let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
    MIGRATIONS.run_direct(None, &mut *transaction, false).await?;
    transaction.commit().await?;
    Ok(())
}

async fn write_in_batches(mut db: Db, mut queue: mpsc::Receiver<Write>, closing: Arc<Notify>) {
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

async fn write_batch(db: &mut Db, batch: &mut Vec<Write>) {
    let mut written = Vec::with_capacity(batch.len());
    let outcome = async {
        db.command("BEGIN IMMEDIATE").await?;
        for write in batch.drain(..) {
            db.command("SAVEPOINT one").await?;
            let one = write(db).await;
            let keep = one.keep;
            written.push(one);
            if !keep {
                db.command("ROLLBACK TO one").await?;
            }
            db.command("RELEASE one").await?;
        }
        db.command("COMMIT").await
    };
    let committed = outcome.await.map_err(AppError::from);
    if committed.is_err() {
        // After a failed BEGIN, or a COMMIT that rolled back by itself, there
        // is no transaction left to end; that is fine too.
        let _ = db.command("ROLLBACK").await;
        batch.clear();
    }
    for one in written {
        (one.acknowledge)(committed.clone());
    }
}
