//! SQLite: one writer that shares its commits, many readers.

use std::{
    io,
    path::PathBuf,
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
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
    batch::{self, BATCH, Care, QUEUE, Ran, Write},
    db::{Access, Db, PATIENCE, Purpose},
    error::DbErrorKind,
    error::{OpenError, Unusable},
    files::{Files, Guard, Lock},
    wal::Stamp,
};
use crate::{database::url::DatabaseUrl, error::AppError};

pub(super) static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// 3.7.0 to 3.51.2 can corrupt a database in WAL mode when its log is reset.
const MIN_VERSION: [u32; 3] = [3, 51, 3];
/// How long another process may hold a lock.
const LOCKED: Duration = Duration::from_secs(5);
/// A look at the files as young as this counts before a commit: the one after
/// the commit before, where writes wait for each other.
const JUST_LOOKED: Duration = Duration::from_millis(20);
/// How often the files are looked at while nothing is written.
const LOOK: Duration = Duration::from_secs(5);
/// How often the log is copied into the file while nothing else makes SQLite
/// do so. Who copies the file alone gets what is not older than that.
const FOLD: Duration = Duration::from_secs(10 * 60);

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
    /// Opens the file, creating it where it is missing, and brings the schema
    /// up to date.
    pub(super) async fn open(url: &DatabaseUrl, purpose: Purpose) -> Result<Self, OpenError> {
        let open = |cause| OpenError::of(url.to_string(), cause);
        let files = files(url)?;
        let options = options(url).map_err(open)?.filename(files.database());
        // A file that is served and missing must not be created again.
        let is_gone = files.is_gone();
        let lock = (purpose == Purpose::Serve || is_gone).then(|| files.lock()).transpose()?;
        files.require_one_history()?;
        files.create()?;
        files.give_one_mode();
        let beside = files.open()?;
        let mut writer = connect(&options).await.map_err(open)?;
        refuse_old(&mut writer).await.map_err(|error| match error {
            Ok(version) => OpenError::OldSqlite(version),
            Err(cause) => open(cause),
        })?;
        migrate(&mut writer).await.map_err(|cause| OpenError::from_migration(url, cause))?;
        let mut writer = Db::Sqlite(writer);
        if purpose == Purpose::Serve {
            begin_new_history(&mut writer).await.map_err(open)?;
        }
        files.close_to_others();
        if is_gone {
            tracing::warn!(%url, "what was served from this file is gone; this is a new one");
        }
        let guard = files
            .guard(beside)
            .map_err(|cause| OpenError::File { place: format!("the database {url}"), cause })?;
        let condition = Arc::new(Condition::new(guard));
        let options = options.read_only(true);
        let open_pool = async |pool: SqlitePoolOptions| {
            let looks = Arc::clone(&condition);
            // What is opened by the name of another file would read that one.
            let pool = pool.after_connect(move |_, _| {
                let looks = Arc::clone(&looks);
                Box::pin(async move { looks.look().await.map_err(|wrong| io::Error::other(wrong).into()) })
            });
            pool.connect_with(options.clone()).await.map_err(open)
        };
        let readers = open_pool(pool(readers())).await?;
        let health = open_pool(pool(1).idle_timeout(None).max_lifetime(None)).await?;
        let (writes, queue) = mpsc::channel(QUEUE);
        let closing = Arc::new(Notify::new());
        let (condition_of_writer, care) = (Arc::clone(&condition), Care::default());
        let writer = Writer { db: writer, condition: condition_of_writer, care, looked: None };
        let writer = tokio::spawn(writer.write_in_batches(queue, Arc::clone(&closing)));
        let writer = Mutex::new(Some(writer));
        Ok(Self { readers, health, writes, closing, writer, condition, _lock: lock })
    }

    pub(super) async fn send(&self, write: Box<dyn Write>) -> Result<(), AppError> {
        self.writes.send_timeout(write, PATIENCE).await.map_err(|_| AppError::Busy { retry_after: 2 })
    }

    /// Whether what is written now will be there afterwards.
    pub(super) async fn check(&self) -> Result<(), Unusable> {
        // A disk that hangs is no reason to hang.
        let looked = tokio::time::timeout(PATIENCE, self.condition.look()).await;
        looked.unwrap_or(Err(Unusable::Silent))?;
        self.condition.unwritable().map_or(Ok(()), Err)
    }

    /// Waits until every accepted write is on the disk and closes. The writer
    /// goes last: it folds the log into the database, which then is one file.
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

/// What is known of the files and the disk below them.
struct Condition {
    guard: Arc<Guard>,
    /// What was wrong at the last look.
    displaced: Mutex<Option<Unusable>>,
    /// What the last try to write ran into, where that was the disk's fault.
    unwritable: Mutex<Option<Unusable>>,
}

impl Condition {
    fn new(guard: Guard) -> Self {
        Self { guard: Arc::new(guard), displaced: Mutex::default(), unwritable: Mutex::default() }
    }

    /// Checks the files, and logs when their state has changed.
    async fn look(&self) -> Result<(), Unusable> {
        let guard = Arc::clone(&self.guard);
        let looked = tokio::task::spawn_blocking(move || guard.look()).await;
        let looked = looked.unwrap_or(Err(Unusable::Silent));
        change(&self.displaced, looked.clone().err());
        looked
    }

    /// Whether the last check of the files found nothing wrong.
    fn is_in_place(&self) -> bool {
        self.displaced.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    fn unwritable(&self) -> Option<Unusable> {
        self.unwritable.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Remembers how a try to write ended. A full disk is none of this: readers
    /// are served meanwhile, and whoever writes is told.
    fn note(&self, written: Result<Stamp, &sqlx::Error>) {
        match written {
            Ok(stamp) => {
                self.guard.note(stamp);
                change(&self.unwritable, None);
            }
            Err(error) if matches!(DbErrorKind::of(error), DbErrorKind::ReadOnly | DbErrorKind::Storage) => {
                change(&self.unwritable, Some(Unusable::Unwritable(error.to_string())));
            }
            Err(_) => {}
        }
    }
}

/// Puts what is wrong now in the place of what was, and tells the log once.
fn change(place: &Mutex<Option<Unusable>>, now: Option<Unusable>) {
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

/// A connection beside those of a [`File`]. One that reads leaves the file as
/// it lies: a backup is not turned to WAL.
pub(super) async fn dedicated(
    url: &DatabaseUrl,
    access: Access,
) -> Result<PoolConnection<Sqlite>, OpenError> {
    let open = |cause| OpenError::of(url.to_string(), cause);
    let files = files(url)?;
    let options = match access {
        Access::Read => {
            files.require_own_log()?;
            untouched(url).map_err(open)?.create_if_missing(false).read_only(true)
        }
        Access::Write => {
            files.require_one_history()?;
            options(url).map_err(open)?.create_if_missing(false)
        }
    };
    connect(&options).await.map_err(open)
}

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

/// Options that change nothing in the file.
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

fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(PATIENCE)
        // All that sqlx asks of SQLite is whether the connection's thread
        // answers, and it has asked when the connection came back.
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

/// Lets the history of the file begin anew, under a stamp that no copy of it
/// has, with an empty log. So whoever puts back a copy that was made before
/// cannot have the log to come for its own. Nothing can be served from a file
/// that cannot be written; from a full disk it can be read.
async fn begin_new_history(writer: &mut Db) -> Result<(), sqlx::Error> {
    let stamped = match stamp(writer).await {
        Ok(_) => writer.command("PRAGMA wal_checkpoint(TRUNCATE)").await,
        Err(error) => Err(error),
    };
    match stamped {
        Err(error) if DbErrorKind::of(&error) == DbErrorKind::Full => {
            tracing::error!(%error, "the disk of the database is full; readers are served, writes are answered with 503");
            Ok(())
        }
        other => other,
    }
}

/// A commit that changes the stamp alone.
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

/// Begins a transaction that writes; what the commit before it is called.
async fn begin(db: &mut Db) -> Result<i32, sqlx::Error> {
    let Db::Sqlite(connection) = db else { return Err(sqlx::Error::WorkerCrashed) };
    let begun = sqlx::raw_sql("BEGIN IMMEDIATE; PRAGMA user_version").fetch_all(&mut **connection).await?;
    begun.last().map_or(Ok(0), |row| row.try_get(0))
}

/// Commits, under a new stamp.
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
    care: Care,
    /// When the files were last found as they should be.
    looked: Option<Instant>,
}

impl Writer {
    async fn write_in_batches(mut self, mut queue: mpsc::Receiver<Box<dyn Write>>, closing: Arc<Notify>) {
        let mut batch = Vec::with_capacity(BATCH);
        let mut looks = tokio::time::interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut folded = Instant::now();
        loop {
            let waiting = tokio::select! {
                waiting = queue.recv_many(&mut batch, BATCH) => waiting,
                () = closing.notified() => {
                    // Takes no more; what is queued still comes out.
                    queue.close();
                    continue;
                }
                _ = looks.tick() => {
                    self.look_after(&mut folded).await;
                    continue;
                }
            };
            if waiting == 0 {
                break;
            }
            self.write_batch(&mut batch).await;
        }
        if self.condition.guard.is_overwritten() {
            // Closed in order, SQLite would copy the log into a file that it does not belong to.
            tracing::error!("what was written since the file was overwritten stays in the log beside it");
            return std::mem::forget(self.db);
        }
        if let Err(error) = self.db.close().await {
            tracing::warn!(%error, "the log was not folded into the database; the next start reads it");
        }
    }

    /// What has to be done while no write waits.
    async fn look_after(&mut self, folded: &mut Instant) {
        if self.condition.look().await.is_err() {
            return;
        }
        if self.condition.unwritable().is_some() {
            self.try_to_write().await;
        } else if folded.elapsed() >= FOLD {
            *folded = Instant::now();
            if let Err(error) = self.db.command("PRAGMA wal_checkpoint(PASSIVE)").await {
                self.condition.note(Err(&error));
                tracing::warn!(%error, "the log was not copied into the database");
            }
        }
    }

    async fn try_to_write(&mut self) {
        let stamped = stamp(&mut self.db).await;
        self.condition.note(stamped.as_ref().copied());
    }

    async fn write_batch(&mut self, batch: &mut Vec<Box<dyn Write>>) {
        // After a known problem the files are checked each time.
        let just_looked =
            self.condition.is_in_place() && self.looked.is_some_and(|looked| looked.elapsed() < JUST_LOOKED);
        if !just_looked && self.look().await.is_err() {
            // Those that wait get an error.
            return batch.clear();
        }
        let mut is_doubtful = false;
        let outcome = match self.commit_batch(batch).await {
            Ok((stamp, ran)) => {
                if let Some(stamp) = stamp {
                    self.condition.note(Ok(stamp));
                }
                is_doubtful = ran.contains(&Ran::Refused { is_doubtful: true });
                // No change is confirmed that is in a file which nobody will
                // find.
                self.look().await.map_err(|_| AppError::Busy { retry_after: 10 })
            }
            Err(error) => {
                tracing::warn!(%error, "nothing of a commit was kept");
                self.condition.note(Err(&error));
                self.roll_back().await;
                Err(AppError::Busy { retry_after: 2 })
            }
        };
        for write in batch.drain(..) {
            write.finish(outcome.clone());
        }
        if is_doubtful && self.condition.unwritable().is_none() {
            self.try_to_write().await;
        }
    }

    async fn look(&mut self) -> Result<(), Unusable> {
        let begun = Instant::now();
        let looked = self.condition.look().await;
        self.looked = looked.is_ok().then_some(begun);
        looked
    }

    /// Runs the writes in one transaction: the stamp of its commit, if
    /// anything was kept, and what each came to that ran last.
    async fn commit_batch(
        &mut self,
        batch: &mut [Box<dyn Write>],
    ) -> Result<(Option<Stamp>, Vec<Ran>), sqlx::Error> {
        if !self.care.is_needed() {
            let previous = begin(&mut self.db).await?;
            let ran = batch::run_until_one_fails(&mut self.db, batch).await;
            if ran.iter().all(|ran| *ran == Ran::Kept) {
                return Ok((Some(commit(&mut self.db, previous).await?), ran));
            }
            self.roll_back().await;
            if batch.len() == 1 {
                return Ok((None, ran));
            }
            self.care.renew();
        }
        let previous = begin(&mut self.db).await?;
        let ran = batch::run_each_apart(&mut self.db, batch).await?;
        let stamp = if ran.contains(&Ran::Kept) {
            Some(commit(&mut self.db, previous).await?)
        } else {
            self.db.command("COMMIT").await?;
            None
        };
        Ok((stamp, ran))
    }

    /// After a failed BEGIN, or a statement that rolled back by itself, there
    /// is no transaction left to end; that is fine too.
    async fn roll_back(&mut self) {
        let _ = self.db.command("ROLLBACK").await;
    }
}
