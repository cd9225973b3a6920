//! SQLite: one writer that shares its commits, many readers.

use std::{
    io,
    path::PathBuf,
    str::FromStr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::{
    AssertSqlSafe, Row, Sqlite, SqliteConnection, SqlitePool,
    migrate::{MigrateError, Migrator},
    pool::PoolConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::{
    sync::{Notify, mpsc},
    task::JoinHandle,
    time::MissedTickBehavior,
};

use super::{
    batch::{self, BATCH, QUEUE, SavepointPolicy, Write, WriteOutcome},
    db::{Access, Db, MAX_WAIT, Purpose},
    error::DbErrorKind,
    error::{OpenError, Unusable},
    files::{Files, Guard, Lock},
    wal::Stamp,
};
use crate::{database::url::DatabaseUrl, error::AppError};

pub(super) static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// 3.7.0 to 3.51.2 can corrupt a database in WAL mode when its log is reset.
const MIN_VERSION: [u32; 3] = [3, 51, 3];
/// Memory of a reader for pages of the file, in kibibytes below zero, as SQLite has it. It is
/// used as far as that reader has read other pages. With SQLite's 2 MB, a search among
/// 100,000 posts reads the same pages of its index again and again.
const PAGE_CACHE: &str = "-8000";
const DISK_IS_FULL: &str =
    "the disk of the database is full; readers are served, writes are answered with 503";
/// How long another process may hold a lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// A check of the files is valid for this time. So, under load, the check after
/// one commit also counts for the next.
const CHECK_VALIDITY: Duration = Duration::from_millis(20);
/// How often the files are checked while nothing is written.
const CHECK_INTERVAL: Duration = Duration::from_secs(5);
/// How often the log is copied into the file (a checkpoint) if SQLite does not do
/// it by itself. A copy of the file alone is at most this old.
const CHECKPOINT_INTERVAL: Duration = Duration::from_secs(10 * 60);

pub(super) struct File {
    pub(super) readers: SqlitePool,
    /// For readiness; no request uses it.
    pub(super) health: SqlitePool,
    writes: mpsc::Sender<Box<dyn Write>>,
    closing: Arc<Notify>,
    writer: Mutex<Option<JoinHandle<()>>>,
    condition: Arc<Condition>,
    _lock: Option<Lock>,
}

impl File {
    /// Opens the file, creates it if it is missing, and migrates the schema.
    pub(super) async fn open(url: &DatabaseUrl, purpose: Purpose) -> Result<Self, OpenError> {
        let open = |cause| OpenError::of(url.to_string(), cause);
        let files = files(url)?;
        let options = options(url).map_err(open)?.filename(files.database());
        // A file that is served and missing must not be created again.
        let is_gone = files.is_gone();
        let lock = (purpose == Purpose::Serve || is_gone).then(|| files.lock()).transpose()?;
        files.require_exclusive_log()?;
        files.create()?;
        files.align_modes();
        let beside = files.open()?;
        let mut writer = connect(&options).await.map_err(open)?;
        refuse_old(&mut writer).await.map_err(|error| match error {
            Ok(version) => OpenError::OldSqlite(version),
            Err(cause) => open(cause),
        })?;
        migrate(&mut writer).await.map_err(|cause| OpenError::from_migration(url, cause))?;
        let mut writer = Db::Sqlite(writer);
        let is_full = purpose == Purpose::Serve && !begin_new_history(&mut writer).await.map_err(open)?;
        files.restrict_access();
        if is_gone {
            tracing::warn!(%url, "what was served from this file is gone; this is a new one");
        }
        let guard = files
            .guard(beside)
            .map_err(|cause| OpenError::File { place: format!("the database {url}"), cause })?;
        let condition = Arc::new(Condition::new(guard, is_full));
        let options = options.read_only(true).pragma("cache_size", PAGE_CACHE);
        let open_pool = async |pool: SqlitePoolOptions| {
            let condition = Arc::clone(&condition);
            // If the file was replaced, a new connection would read the other one.
            let pool = pool.after_connect(move |_, _| {
                let condition = Arc::clone(&condition);
                Box::pin(async move {
                    condition.check_files().await.map_err(|wrong| io::Error::other(wrong).into())
                })
            });
            pool.connect_with(options.clone()).await.map_err(open)
        };
        let readers = open_pool(pool(readers())).await?;
        let health = open_pool(pool(1).idle_timeout(None).max_lifetime(None)).await?;
        let (writes, queue) = mpsc::channel(QUEUE);
        let closing = Arc::new(Notify::new());
        let (condition_of_writer, savepoints) = (Arc::clone(&condition), SavepointPolicy::default());
        let writer = Writer { db: writer, condition: condition_of_writer, savepoints, checked_at: None };
        let writer = tokio::spawn(writer.write_in_batches(queue, Arc::clone(&closing)));
        let writer = Mutex::new(Some(writer));
        Ok(Self { readers, health, writes, closing, writer, condition, _lock: lock })
    }

    pub(super) async fn send(&self, write: Box<dyn Write>) -> Result<(), AppError> {
        self.writes.send_timeout(write, MAX_WAIT).await.map_err(|_| AppError::Busy { retry_after: 2 })
    }

    /// Writes that wait, and how many may.
    pub(super) fn queue(&self) -> (usize, usize) {
        let most = self.writes.max_capacity();
        (most - self.writes.capacity(), most)
    }

    /// Whether the last write found no room on the disk.
    pub(super) fn is_disk_full(&self) -> bool {
        self.condition.is_full.load(Ordering::Relaxed)
    }

    /// Checks that writes succeed and last.
    pub(super) async fn check(&self) -> Result<(), Unusable> {
        // A disk that hangs must not block the caller.
        let checked = tokio::time::timeout(MAX_WAIT, self.condition.check_files()).await;
        checked.unwrap_or(Err(Unusable::Silent))?;
        self.condition.write_problem().map_or(Ok(()), Err)
    }

    /// Waits until every accepted write is on the disk, and closes. The writer
    /// closes last; it copies the log into the database, which is then one file.
    pub(super) async fn close(&self) {
        self.readers.close().await;
        self.health.close().await;
        self.closing.notify_one();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer
            && let Err(error) = writer.await
        {
            tracing::error!(%error, "the last writes may be missing");
        }
    }
}

/// The state of the files and of the disk.
struct Condition {
    guard: Arc<Guard>,
    /// What was wrong at the last check.
    file_problem: Mutex<Option<Unusable>>,
    /// The error of the last write, if the disk caused it.
    write_problem: Mutex<Option<Unusable>>,
    /// Whether the last write found no room on the disk.
    is_full: AtomicBool,
}

impl Condition {
    fn new(guard: Guard, is_full: bool) -> Self {
        Self {
            guard: Arc::new(guard),
            file_problem: Mutex::default(),
            write_problem: Mutex::default(),
            is_full: AtomicBool::new(is_full),
        }
    }

    /// Checks the files, and logs when their state has changed.
    async fn check_files(&self) -> Result<(), Unusable> {
        let guard = Arc::clone(&self.guard);
        let checked = tokio::task::spawn_blocking(move || guard.check_files()).await;
        let checked = checked.unwrap_or(Err(Unusable::Silent));
        replace_problem(&self.file_problem, checked.clone().err());
        checked
    }

    /// Whether the last check of the files found nothing wrong.
    fn is_in_place(&self) -> bool {
        self.file_problem.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    fn write_problem(&self) -> Option<Unusable> {
        self.write_problem.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Stores the result of a write. A full disk does not make the site unready:
    /// readers are still served, and each writer gets the error.
    fn record_write(&self, written: Result<Stamp, &sqlx::Error>) {
        match written {
            Ok(stamp) => {
                self.guard.record_commit(stamp);
                replace_problem(&self.write_problem, None);
                if self.is_full.swap(false, Ordering::Relaxed) {
                    tracing::info!("the disk of the database has room again");
                }
            }
            Err(error) if DbErrorKind::of(error) == DbErrorKind::Full => {
                if !self.is_full.swap(true, Ordering::Relaxed) {
                    tracing::error!(%error, "{DISK_IS_FULL}");
                }
            }
            Err(error) if matches!(DbErrorKind::of(error), DbErrorKind::ReadOnly | DbErrorKind::Storage) => {
                replace_problem(&self.write_problem, Some(Unusable::Unwritable(error.to_string())));
            }
            Err(_) => {}
        }
    }
}

/// Stores the current problem in place of the last one, and logs a change once.
fn replace_problem(place: &Mutex<Option<Unusable>>, now: Option<Unusable>) {
    let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
    match (&*place, &now) {
        (before, Some(wrong)) if before.as_ref() != Some(wrong) => {
            tracing::error!("{wrong}; until then writes are answered with 503, and so is /readyz");
        }
        (Some(_), None) => tracing::info!("the database can be written again"),
        _ => {}
    }
    *place = now;
}

pub(super) fn files(url: &DatabaseUrl) -> Result<Files, OpenError> {
    let failed = |cause| OpenError::File { place: format!("the database {url}"), cause };
    let path = path(url).map_err(|cause| OpenError::of(url.to_string(), cause))?;
    Files::of(&path).map_err(failed)
}

/// A connection beside those of a [`File`]. With [`Access::Read`] it does not
/// change the file: a backup is not converted to WAL.
pub(super) async fn dedicated(
    url: &DatabaseUrl,
    access: Access,
) -> Result<PoolConnection<Sqlite>, OpenError> {
    let open = |cause| OpenError::of(url.to_string(), cause);
    let files = files(url)?;
    let options = match access {
        Access::Read => {
            files.require_matching_log()?;
            base_options(url).map_err(open)?.create_if_missing(false).read_only(true)
        }
        Access::Write => {
            files.require_exclusive_log()?;
            options(url).map_err(open)?.create_if_missing(false)
        }
    };
    connect(&options).await.map_err(open)
}

pub(super) fn path(url: &DatabaseUrl) -> Result<PathBuf, sqlx::Error> {
    Ok(base_options(url)?.get_filename().to_owned())
}

fn options(url: &DatabaseUrl) -> Result<SqliteConnectOptions, sqlx::Error> {
    Ok(base_options(url)?
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true))
}

/// Options that change nothing in the file.
fn base_options(url: &DatabaseUrl) -> Result<SqliteConnectOptions, sqlx::Error> {
    use sqlx::ConnectOptions;

    Ok(SqliteConnectOptions::from_str(url.as_str())?
        .busy_timeout(BUSY_TIMEOUT)
        .pragma("trusted_schema", "OFF")
        .disable_statement_logging())
}

/// Connects, and retries while the file is busy. SQLite ignores the busy timeout
/// where a wait could be a deadlock: while several processes convert a new file
/// to WAL, or one recovers the log of a killed one.
async fn connect(options: &SqliteConnectOptions) -> Result<PoolConnection<Sqlite>, sqlx::Error> {
    let one = SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
    let deadline = Instant::now() + BUSY_TIMEOUT;
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

fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(MAX_WAIT)
        // sqlx would only test whether the connection's thread answers, and it
        // has done so when the connection was returned.
        .test_before_acquire(false)
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

/// Migrates the schema in one immediate transaction. Of two processes that start
/// at once, the second waits and then has nothing to do. If the process is killed
/// meanwhile, the old schema stays.
async fn migrate(writer: &mut SqliteConnection) -> Result<(), MigrateError> {
    use sqlx::Connection;

    let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
    MIGRATIONS.run_direct(None, &mut *transaction, false).await?;
    transaction.commit().await?;
    Ok(())
}

/// Gives the file a new stamp and an empty log. No older copy has that stamp, so
/// a copy that is restored later does not match the new log. If the file cannot be
/// written, it cannot be served; on a full disk it can be read.
///
/// `false` on a full disk.
async fn begin_new_history(writer: &mut Db) -> Result<bool, sqlx::Error> {
    let stamped = match stamp(writer).await {
        Ok(_) => writer.command("PRAGMA wal_checkpoint(TRUNCATE)").await,
        Err(error) => Err(error),
    };
    match stamped {
        Err(error) if DbErrorKind::of(&error) == DbErrorKind::Full => {
            tracing::error!(%error, "{DISK_IS_FULL}");
            Ok(false)
        }
        other => other.map(|()| true),
    }
}

/// Makes a commit that changes only the stamp.
async fn stamp(db: &mut Db) -> Result<Stamp, sqlx::Error> {
    let stamped = match begin(db).await {
        Ok(previous) => commit(db, previous).await,
        Err(error) => Err(error),
    };
    if stamped.is_err() {
        let _ = db.command("ROLLBACK").await;
    }
    stamped
}

/// Begins a transaction that writes, and returns the stamp of the last commit.
async fn begin(db: &mut Db) -> Result<i32, sqlx::Error> {
    let Db::Sqlite(connection) = db else { return Err(sqlx::Error::WorkerCrashed) };
    let begun = sqlx::raw_sql("BEGIN IMMEDIATE; PRAGMA user_version").fetch_all(&mut **connection).await?;
    begun.last().map_or(Ok(0), |row| row.try_get(0))
}

/// Commits with a new stamp.
async fn commit(db: &mut Db, previous: i32) -> Result<Stamp, sqlx::Error> {
    let Db::Sqlite(connection) = db else { return Err(sqlx::Error::WorkerCrashed) };
    let stamp = Stamp::after(previous);
    let commit = format!(
        "PRAGMA application_id = {}; PRAGMA user_version = {}; COMMIT",
        stamp.previous, stamp.current
    );
    sqlx::raw_sql(AssertSqlSafe(commit)).execute(&mut **connection).await?;
    Ok(stamp)
}

struct Writer {
    db: Db,
    condition: Arc<Condition>,
    savepoints: SavepointPolicy,
    /// When the last check that found no problem began.
    checked_at: Option<Instant>,
}

impl Writer {
    async fn write_in_batches(mut self, mut queue: mpsc::Receiver<Box<dyn Write>>, closing: Arc<Notify>) {
        let mut batch = Vec::with_capacity(BATCH);
        let mut checks = tokio::time::interval(CHECK_INTERVAL);
        checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut checkpointed_at = Instant::now();
        loop {
            let waiting = tokio::select! {
                waiting = queue.recv_many(&mut batch, BATCH) => waiting,
                () = closing.notified() => {
                    // Accepts no more; what is queued is still received.
                    queue.close();
                    continue;
                }
                _ = checks.tick() => {
                    self.run_maintenance(&mut checkpointed_at).await;
                    continue;
                }
            };
            if waiting == 0 {
                break;
            }
            self.write_batch(&mut batch).await;
        }
        if self.condition.guard.is_overwritten() {
            // A normal close would copy the log into a file that it does not belong to.
            tracing::error!("what was written since the file was overwritten stays in the log beside it");
            return std::mem::forget(self.db);
        }
        if let Err(error) = self.db.close().await {
            tracing::warn!(%error, "the log was not folded into the database; the next start reads it");
        }
    }

    /// Runs while no write waits: checks the files, retries a failed write, copies the log.
    async fn run_maintenance(&mut self, checkpointed_at: &mut Instant) {
        if self.condition.check_files().await.is_err() {
            return;
        }
        if self.condition.write_problem().is_some() {
            self.try_to_write().await;
        } else if checkpointed_at.elapsed() >= CHECKPOINT_INTERVAL {
            *checkpointed_at = Instant::now();
            if let Err(error) = self.db.command("PRAGMA wal_checkpoint(PASSIVE)").await {
                self.condition.record_write(Err(&error));
                tracing::warn!(%error, "the log was not copied into the database");
            }
        }
    }

    async fn try_to_write(&mut self) {
        let stamped = stamp(&mut self.db).await;
        self.condition.record_write(stamped.as_ref().copied());
    }

    async fn write_batch(&mut self, batch: &mut Vec<Box<dyn Write>>) {
        // After a known problem the files are checked each time.
        let was_just_checked =
            self.condition.is_in_place() && self.checked_at.is_some_and(|at| at.elapsed() < CHECK_VALIDITY);
        if !was_just_checked && self.check_files().await.is_err() {
            // The waiting writes get an error.
            return batch.clear();
        }
        let mut may_be_disk = false;
        let outcome = match self.commit_batch(batch).await {
            Ok((stamp, outcomes)) => {
                if let Some(stamp) = stamp {
                    self.condition.record_write(Ok(stamp));
                }
                may_be_disk = outcomes.contains(&WriteOutcome::Failed { may_be_disk: true });
                // A change is not confirmed if its file was removed or replaced.
                self.check_files().await.map_err(|_| AppError::Busy { retry_after: 10 })
            }
            Err(error) => {
                tracing::warn!(%error, "nothing of a commit was kept");
                self.condition.record_write(Err(&error));
                self.roll_back().await;
                Err(AppError::Busy { retry_after: 2 })
            }
        };
        for write in batch.drain(..) {
            write.finish(outcome.clone());
        }
        if may_be_disk && self.condition.write_problem().is_none() {
            self.try_to_write().await;
        }
    }

    async fn check_files(&mut self) -> Result<(), Unusable> {
        let begun = Instant::now();
        let checked = self.condition.check_files().await;
        self.checked_at = checked.is_ok().then_some(begun);
        checked
    }

    /// Runs the writes in one transaction. Returns the stamp of the commit, if
    /// anything was stored, and the outcomes of the last attempt.
    async fn commit_batch(
        &mut self,
        batch: &mut [Box<dyn Write>],
    ) -> Result<(Option<Stamp>, Vec<WriteOutcome>), sqlx::Error> {
        if !self.savepoints.are_needed() {
            let previous = begin(&mut self.db).await?;
            let outcomes = batch::run_until_one_fails(&mut self.db, batch).await;
            if outcomes.iter().all(|outcome| *outcome == WriteOutcome::Done) {
                return Ok((Some(commit(&mut self.db, previous).await?), outcomes));
            }
            self.roll_back().await;
            if batch.len() == 1 {
                return Ok((None, outcomes));
            }
            self.savepoints.keep_using();
        }
        let previous = begin(&mut self.db).await?;
        let outcomes = batch::run_each_in_savepoint(&mut self.db, batch).await?;
        let stamp = if outcomes.contains(&WriteOutcome::Done) {
            Some(commit(&mut self.db, previous).await?)
        } else {
            self.db.command("COMMIT").await?;
            None
        };
        Ok((stamp, outcomes))
    }

    /// Rolls back. An error is ignored: after a failed BEGIN, or a statement that
    /// rolled back by itself, there is no transaction.
    async fn roll_back(&mut self) {
        let _ = self.db.command("ROLLBACK").await;
    }
}
