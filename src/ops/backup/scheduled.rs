//! Backups that the site makes of itself (settings under `backup`).
//!
//! Every process that serves the site looks whether one is due. A row of `backup_runs`
//! sees to it that one of them makes it, on a thread of a low priority. Older ones are
//! removed only after a new one was verified.

use std::{
    fs, io,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{oneshot, watch},
    task::JoinHandle,
};

use super::{
    Wanted, create, encryption, file,
    location::Location,
    runs::{self, Ending, Known, Run},
    store::{self, Uploading},
    workshop::Workshop,
};
use crate::{
    accounts::domain::hash_threads::let_others_go_first,
    clock,
    config::{AwsVariables, BackupPlace, BackupSettings, Recipient, StartError},
    credentials::sealing::Sealer,
    database::{DatabaseUrl, Db, Engine, internal},
    error::AppError,
    objects::{ObjectUrl, Stores},
    site::Site,
    timestamp::Timestamp,
};

/// How often it looks although nothing is due as far as it knows: another process may have
/// failed or ended.
const LOOK: Duration = Duration::from_secs(60);
/// How often the row says that the run goes on.
const RENEW: Duration = Duration::from_secs(30);
/// How often the end of a run is noted, if that fails.
const TRIES: u32 = 5;
/// The longest time for the removal of an object.
const REMOVE_TIME: Duration = Duration::from_secs(15);
/// Failures that are kept in memory, until the database can be told of them.
const MOST_UNTOLD: usize = 100;
/// How long a run may hold up the end of the process.
const GOODBYE: Duration = Duration::from_secs(3);

/// The schedule of this site, if it has one.
#[derive(Debug)]
pub struct Schedule {
    settings: Option<BackupSettings>,
    database: DatabaseUrl,
    variables: AwsVariables,
    /// Failures of this process of which the database could not be told, because its disk is
    /// full or it was away; the oldest first.
    untold: Mutex<Vec<Run>>,
}

impl Schedule {
    /// By the settings `backup.…`, for a site with this database. No store is asked yet.
    ///
    /// # Errors
    /// [`StartError::Value`] for variables with which no store can be reached.
    pub fn new(
        settings: Option<BackupSettings>,
        database: DatabaseUrl,
        variables: AwsVariables,
    ) -> Result<Self, StartError> {
        if let Some(BackupSettings { to: BackupPlace::Store(place), .. }) = &settings {
            Stores::new(variables.clone())
                .bucket(place.bucket())
                .map_err(|error| StartError::Value { setting: "backup.to", problem: error.to_string() })?;
        }
        Ok(Self { settings, database, variables, untold: Mutex::default() })
    }

    /// When and where, if the site makes backups of itself.
    #[must_use]
    pub const fn settings(&self) -> Option<&BackupSettings> {
        self.settings.as_ref()
    }

    /// What is known of the backups: what the database says, and the failures of this process
    /// that it could not be told of.
    ///
    /// # Errors
    /// [`AppError::Busy`]
    pub async fn known(&self, db: &mut Db) -> Result<Known, AppError> {
        let known = runs::known(db).await?;
        Ok(known.with_failures(&self.untold()))
    }

    fn untold(&self) -> MutexGuard<'_, Vec<Run>> {
        self.untold.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a failure until the next run is begun, which tells the database of it.
    fn keep(&self, failure: Run) {
        let mut untold = self.untold();
        if untold.len() == MOST_UNTOLD {
            untold.remove(0);
        }
        untold.push(failure);
    }

    fn forget(&self, told: &[Run]) {
        self.untold().retain(|run| told.iter().all(|told| told.id != run.id));
    }
}

impl Site {
    #[must_use]
    pub fn backups(&self) -> &Schedule {
        self.part()
    }
}

/// The task of this process that makes backups.
#[derive(Debug)]
pub struct Keeper {
    stop: watch::Sender<bool>,
    task: Option<JoinHandle<()>>,
}

impl Keeper {
    /// Starts, if the site makes backups of itself.
    #[must_use]
    pub fn start(site: &Site) -> Self {
        let (stop, stopped) = watch::channel(false);
        let is_on = site.backups().settings.is_some();
        let task = is_on.then(|| tokio::spawn(run(site.clone(), stopped)));
        Self { stop, task }
    }

    /// Ends it, within a few seconds. A backup that is not finished is made at the next
    /// start.
    pub async fn stop(self) {
        // Nobody hears it if the task has ended already.
        let _ = self.stop.send(true);
        if let Some(task) = self.task
            && tokio::time::timeout(GOODBYE, task).await.is_err()
        {
            tracing::warn!("a backup did not stop in time; what it has written is removed later");
        }
    }
}

async fn run(site: Site, mut stopped: watch::Receiver<bool>) {
    if site.database.engine() == Engine::Sqlite
        && let Err(error) =
            site.database.write((), |db, ()| Box::pin(async move { runs::end_those_before(db).await })).await
    {
        tracing::warn!(%error, "a backup whose process has ended is not noted as such yet");
    }
    loop {
        let next = match make_if_due(&site, &stopped).await {
            Ok(next) => next.micros() - clock::now().micros(),
            Err(error) => {
                tracing::warn!(%error, "whether a backup is due cannot be known; it is asked again");
                i64::MAX
            }
        };
        let wait = Duration::from_micros(u64::try_from(next).unwrap_or(0)).min(LOOK);
        tokio::select! {
            () = told(&mut stopped) => return,
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Waits until it is told to stop.
async fn told(stopped: &mut watch::Receiver<bool>) {
    // An error means that there is nobody left to say it.
    let _ = stopped.wait_for(|stop| *stop).await;
}

/// Makes a backup if one is due and no other process makes it. Returns when to look again.
///
/// # Errors
/// [`AppError::Busy`] if the database cannot say whether one is due. That a backup failed is
/// no error: it is logged, and noted in `backup_runs`, or kept in memory where that cannot be
/// written.
pub async fn make_if_due(site: &Site, stopped: &watch::Receiver<bool>) -> Result<Timestamp, AppError> {
    let schedule = site.backups();
    let Schedule { settings: Some(settings), database, variables, .. } = schedule else {
        return Ok(clock::now().after(LOOK));
    };
    let every = settings.every;
    // A read, so that an idle site writes nothing.
    let known = schedule.known(&mut site.database.read().await?).await?;
    if known.next(every) > clock::now() {
        return Ok(known.next(every));
    }
    let place = absolute(&settings.to)?;
    let run = NewRun::in_place(&place, !settings.encrypt_to.is_empty())?;
    if begin(site, &run, every).await {
        let order = Order {
            from: database.clone(),
            sealer: site.sealer().cloned(),
            encrypt_to: settings.encrypt_to.clone(),
            variables: variables.clone(),
        };
        let ending = make(site, &run, order, stopped.clone()).await;
        note(site, &run, &ending).await;
        match &ending {
            Ending::Done { bytes, problem } => {
                tracing::info!(file = %run.at, bytes, "a backup is made and verified");
                if let Some(problem) = problem {
                    tracing::error!(problem, "the backup lacks something");
                }
                // Connections of the thread that made it have ended with it.
                let stores = Stores::new(variables.clone());
                if let Err(error) = remove_older(site, &stores, &place, settings.keep).await {
                    tracing::warn!(%error, "older backups are not removed yet; it is tried again after the next");
                }
            }
            Ending::Failed { problem } => {
                tracing::error!(problem, "the backup failed; it is tried again");
            }
            Ending::Interrupted => tracing::info!("a backup was interrupted; it is made at the next start"),
        }
    }
    let known = schedule.known(&mut site.database.read().await?).await?;
    Ok(known.next(every))
}

/// Whether this process is to make the backup: it is due, and the database has it as begun.
async fn begin(site: &Site, run: &NewRun, every: Duration) -> bool {
    let schedule = site.backups();
    let untold = schedule.untold().clone();
    let input = (run.clone(), every, untold.clone());
    let begun = site.database.write(input, |db, (run, every, untold)| {
        Box::pin(async move { runs::begin(db, &run.id, &run.at.to_string(), every, &untold).await })
    });
    match begun.await {
        Ok(begun) => {
            schedule.forget(&untold);
            begun
        }
        Err(error) => {
            let problem = if site.database.is_disk_full() {
                "the disk of the database is full"
            } else {
                "the database cannot be written; the log says why"
            };
            tracing::error!(%error, problem, "a backup is due and cannot be begun; it is tried again");
            schedule.keep(run.failed(problem));
            false
        }
    }
}

/// A backup that is to be made.
#[derive(Clone, Debug)]
struct NewRun {
    id: String,
    /// When it was found to be due: another process may have made it before this one fails.
    due_at: Timestamp,
    at: Location,
}

impl NewRun {
    fn failed(&self, problem: &str) -> Run {
        Run::failed(self.id.clone(), self.due_at, self.at.to_string(), problem.to_owned())
    }

    /// Named by its time, in the basic format of ISO 8601.
    fn in_place(place: &BackupPlace, is_encrypted: bool) -> Result<Self, AppError> {
        let due_at = clock::now();
        let time = due_at.rfc3339_millis().replace(['-', ':'], "");
        let age = if is_encrypted { ".age" } else { "" };
        let at = Location::below(place, &format!("byline-{time}.backup{age}"));
        let at = at.ok_or_else(|| internal("the name of a backup leads out of its place"))?;
        Ok(Self { id: uuid::Uuid::now_v7().to_string(), due_at, at })
    }
}

/// The same place, whatever the working folder is later.
fn absolute(place: &BackupPlace) -> Result<BackupPlace, AppError> {
    Ok(match place {
        BackupPlace::Folder(folder) => BackupPlace::Folder(std::path::absolute(folder).map_err(internal)?),
        BackupPlace::Store(place) => BackupPlace::Store(place.clone()),
    })
}

/// What the thread that makes it has to know.
struct Order {
    from: DatabaseUrl,
    sealer: Option<Sealer>,
    encrypt_to: Vec<Recipient>,
    variables: AwsVariables,
}

/// Makes it on a thread of its own, and says meanwhile that it goes on.
async fn make(site: &Site, run: &NewRun, order: Order, mut stopped: watch::Receiver<bool>) -> Ending {
    let (done, mut outcome) = oneshot::channel();
    let run_on_thread = run.clone();
    let started = std::thread::Builder::new().name("backup".to_owned()).spawn(move || {
        let_others_go_first();
        let ending = on_this_thread(async {
            let uploading = Uploading::default();
            tokio::select! {
                () = told(&mut stopped) => {
                    uploading.abort().await;
                    Ending::Interrupted
                }
                ending = make_it(&order, &run_on_thread, &uploading) => ending,
            }
        });
        // Nobody waits for it any more if the process ends.
        let _ = done.send(ending.unwrap_or_else(|error| Ending::Failed { problem: error.to_string() }));
    });
    if let Err(error) = started {
        return Ending::Failed { problem: format!("a thread cannot be started: {error}") };
    }
    let mut turns = tokio::time::interval(RENEW);
    loop {
        tokio::select! {
            ending = &mut outcome => {
                let panicked = || Ending::Failed { problem: "its thread has ended by a fault of Byline".to_owned() };
                return ending.unwrap_or_else(|_| panicked());
            }
            _ = turns.tick() => {
                let id = run.id.clone();
                let renewed = site.database.write(id, |db, id| Box::pin(async move { runs::renew(db, &id).await }));
                if let Err(error) = renewed.await {
                    tracing::debug!(%error, "it could not be noted that a backup goes on");
                }
            }
        }
    }
}

fn on_this_thread<T>(work: impl Future<Output = T>) -> io::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(work);
    // What waits for the disk, for a backup that was interrupted, holds nobody up.
    runtime.shutdown_background();
    Ok(outcome)
}

async fn make_it(order: &Order, run: &NewRun, uploading: &Uploading) -> Ending {
    let Order { from, sealer, encrypt_to, variables } = order;
    // Of this thread: its connections belong to its runtime.
    let stores = Stores::new(variables.clone());
    let wanted = Wanted {
        from,
        sealer: sealer.as_ref(),
        with_key: false,
        encrypt_to,
        stores: &stores,
        uploading,
        id: &run.id,
    };
    match create(wanted, &run.at, false).await {
        Ok(made) => Ending::Done { bytes: made.bytes, problem: made.manifest.problem() },
        Err(error) => Ending::Failed { problem: error.to_string() },
    }
}

/// Notes how a run has ended, and tries that for as long as it makes sense. What the database
/// cannot be told counts as a failure: nobody could find the backup by it.
async fn note(site: &Site, run: &NewRun, ending: &Ending) {
    for attempt in 1..=TRIES {
        let input = (run.id.clone(), ending.clone());
        let noted = site.database.write(input, |db: &mut Db, (id, ending)| {
            Box::pin(async move { runs::end(db, &id, &ending).await })
        });
        match noted.await {
            Ok(()) => return,
            Err(error) if attempt == TRIES || matches!(ending, Ending::Interrupted) => {
                // Its lease ends, and then another is made.
                tracing::warn!(%error, "how a backup has ended could not be noted");
                let problem = match ending {
                    Ending::Failed { problem } => problem.as_str(),
                    Ending::Done { .. } => "it was made, and the database could not be told of it",
                    Ending::Interrupted => return,
                };
                return site.backups().keep(run.failed(problem));
            }
            Err(_) => tokio::time::sleep(Duration::from_secs(u64::from(attempt))).await,
        }
    }
}

/// Removes what this site has made in the place, but for the newest that are verified. The
/// newest that lacks nothing stays as well, however old it is.
async fn remove_older(site: &Site, stores: &Stores, place: &BackupPlace, keep: u32) -> Result<(), AppError> {
    let made = runs::not_removed(&mut site.database.read().await?).await?;
    let located = made.into_iter().filter_map(|run| {
        let at = Location::of(Path::new(&run.file)).ok()?;
        at.is_in(place).then_some((run, at))
    });
    let mut made: Vec<(Run, Location)> = located.collect();
    let (mut good, mut complete) = (0, 0);
    made.retain(|(run, _)| {
        good += u32::from(run.is_good());
        complete += u32::from(run.is_complete());
        let is_newest_complete = run.is_complete() && complete == 1;
        // The newest run is good; before that, there may be what others left behind.
        !run.is_good() || (good > keep && !is_newest_complete)
    });
    for (run, at) in made {
        let id = run.id.clone();
        let removed = match at {
            Location::File(_) => tokio::task::spawn_blocking(move || remove(&run)).await.map_err(internal)?,
            Location::Object(url) => remove_object(stores, &run, &url).await,
        };
        match removed {
            Ok(true) => {
                let noted =
                    site.database.write(id, |db, id| Box::pin(async move { runs::removed(db, &id).await }));
                noted.await?;
            }
            // Perhaps it is on another machine.
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "an older backup cannot be removed"),
        }
    }
    site.database.write((), |db, ()| Box::pin(async move { runs::forget_old(db).await })).await
}

/// Removes the file of a run and what an interrupted one left behind, if they are what it
/// made. Whether nothing of it is there any more.
fn remove(run: &Run) -> io::Result<bool> {
    let path = Path::new(&run.file);
    Workshop::remove_left_beside(path)?;
    let found = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(!run.is_good()),
        found => found?,
    };
    let is_same = run.bytes.is_none_or(|bytes| u64::try_from(bytes) == Ok(found.len()));
    if !found.is_file() || !is_same || !file::begins_as_backup(&encryption::head(path)?) {
        return Err(something_else(&run.file));
    }
    fs::remove_file(path)?;
    Ok(true)
}

/// As [`remove`], in an object store.
async fn remove_object(stores: &Stores, run: &Run, url: &ObjectUrl) -> io::Result<bool> {
    Workshop::remove_left_elsewhere(&run.id)?;
    let Some((bytes, is_backup)) = store::find(stores, url).await.map_err(io::Error::other)? else {
        return Ok(!run.is_good());
    };
    let is_same = run.bytes.is_none_or(|made| u64::try_from(made) == Ok(bytes));
    if !is_same || !is_backup {
        return Err(something_else(&run.file));
    }
    stores.remove(url, REMOVE_TIME).await.map_err(io::Error::other)?;
    Ok(true)
}

fn something_else(at: &str) -> io::Error {
    io::Error::other(format!("{at} is not the backup that was made there, and stays"))
}
