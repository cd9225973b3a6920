//! The files of a SQLite database: the database itself, its log and its index
//! (`-wal`, `-shm`), and a file that is locked while the site is served
//! (`.lock`).
//!
//! SQLite locks with `fcntl`, and the system drops all of these locks when a
//! process closes *any* descriptor of the database file. So this module opens
//! the file before SQLite does, and closes it after SQLite.

use std::{
    ffi::OsString,
    fs::{self, Metadata, OpenOptions, TryLockError},
    io::{self, BufReader, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicI32, Ordering},
    },
    time::{Duration, SystemTime},
};

use super::{
    OpenError, Unusable,
    wal::{self, Stamp},
};

/// How often file and log are compared before the log counts as foreign. While
/// another process copies the log into the file, they differ for a moment.
const COMPARISONS: u32 = 5;
const BETWEEN_COMPARISONS: Duration = Duration::from_millis(20);

/// The paths of a database and of the files beside it.
#[derive(Clone, Debug)]
pub(super) struct Files {
    /// As configured; it may be a link.
    given: PathBuf,
    /// The same with links followed.
    database: PathBuf,
    log: PathBuf,
    index: PathBuf,
    lock: PathBuf,
}

/// The lock on a file that is served. The system releases it when the process
/// ends, in whatever way.
#[derive(Debug)]
pub(super) struct Lock {
    _file: fs::File,
}

impl Files {
    /// The files of the database at `path`. Links are followed, as SQLite does.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let database = match fs::canonicalize(path) {
            // A disk that is not mounted yet, most likely: a new site there would hide the old one.
            Err(_) if path.is_symlink() => {
                return Err(io::Error::new(
                    io::ErrorKind::NotFound,
                    "it is a link to a file that is missing",
                ));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
                let name = path.file_name().ok_or(error)?;
                fs::canonicalize(folder.unwrap_or(Path::new(".")))?.join(name)
            }
            found => found?,
        };
        match require_regular(&database) {
            // It is created later.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            found => found?,
        }
        let beside = |suffix: &str| {
            let mut path = OsString::from(&database);
            path.push(suffix);
            PathBuf::from(path)
        };
        let given = path.to_owned();
        Ok(Self { given, log: beside("-wal"), index: beside("-shm"), lock: beside(".lock"), database })
    }

    /// The database file itself, whatever happens to links that lead to it.
    pub(super) fn database(&self) -> &Path {
        &self.database
    }

    /// Takes the lock, which only one process can have (security row D9).
    pub(super) fn lock(&self) -> Result<Lock, OpenError> {
        let failed = |cause| OpenError::of_file(&self.lock, cause);
        let mut options = OpenOptions::new();
        let file = owner_only(options.read(true).write(true).create(true).truncate(false));
        let file = file.open(&self.lock).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Lock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(OpenError::Served(self.database.clone())),
            Err(TryLockError::Error(cause)) => Err(OpenError::NoLocks { file: self.lock.clone(), cause }),
        }
    }

    /// Whether the database is missing although it is served, or was served.
    pub(super) fn is_gone(&self) -> bool {
        !self.database.exists() && self.lock.exists()
    }

    /// Refuses a file with two names, because each name has a log of its own,
    /// and a file whose log belongs to another. A file that is mounted by itself
    /// has two names as well, but this cannot be seen from here.
    pub(super) fn require_exclusive_log(&self) -> Result<(), OpenError> {
        let failed = |cause| OpenError::of_file(&self.database, cause);
        let metadata = match fs::metadata(&self.database) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            found => Some(found.map_err(failed)?),
        };
        if metadata.is_some_and(|metadata| metadata.is_file() && links(&metadata) > 1) {
            return Err(OpenError::TwoNames(self.database.clone()));
        }
        self.require_matching_log()
    }

    /// Refuses a log that does not continue the file.
    pub(super) fn require_matching_log(&self) -> Result<(), OpenError> {
        let stamp = || match fs::File::open(&self.database) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            file => Stamp::read(file?),
        };
        match retry_until_true(|| Ok(self.log_continues(stamp()?, None)?.unwrap_or(true))) {
            Ok(true) => Ok(()),
            Ok(false) => Err(OpenError::ForeignLog { file: self.database.clone(), log: self.log.clone() }),
            Err(cause) => Err(OpenError::of_file(&self.database, cause)),
        }
    }

    /// Whether the log continues a file with that stamp and, if one is given, has
    /// that commit; `None` if it is empty.
    fn log_continues(&self, stamp: Option<Stamp>, commit: Option<i32>) -> io::Result<Option<bool>> {
        match fs::File::open(&self.log) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            log => wal::continues(BufReader::new(log?), stamp, commit),
        }
    }

    /// Creates the file if it is missing, with access for its owner alone.
    /// SQLite gives log and index the mode of the file (security row D10).
    pub(super) fn create(&self) -> Result<(), OpenError> {
        let mut options = OpenOptions::new();
        match owner_only(options.write(true).create_new(true)).open(&self.database) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(OpenError::of_file(&self.database, error)),
            // The umask may have removed rights of the owner, which log and
            // index would lack too.
            Ok(file) => set_owner_only(&file).map_err(|error| OpenError::of_file(&self.database, error)),
        }
    }

    /// Gives log and index the mode of the file, as SQLite does when it creates
    /// them. Without this, an index from a time when the file was read-only
    /// could not be written. If this fails, SQLite reports it.
    #[cfg(unix)]
    pub(super) fn align_modes(&self) {
        let Ok(mode) = fs::metadata(&self.database).map(|metadata| metadata.permissions()) else { return };
        for beside in [&self.log, &self.index] {
            if fs::metadata(beside).is_ok_and(|metadata| metadata.permissions() != mode) {
                let _ = fs::set_permissions(beside, mode.clone());
            }
        }
    }

    /// Only Unix has modes of files.
    #[cfg(not(unix))]
    pub(super) fn align_modes(&self) {}

    /// Removes the access of everybody but owner and group, which an earlier
    /// Byline or another program gave. The group's access may be intended.
    pub(super) fn restrict_access(&self) {
        let file = self.database.display();
        let closed = [&self.database, &self.log, &self.index].map(|path| remove_world_access(path));
        if let Some(error) = closed.iter().find_map(|closed| closed.as_ref().err()) {
            tracing::warn!(%file, %error, "everybody can read this database, which holds secrets");
        } else if closed.iter().any(|closed| matches!(closed, Ok(true))) {
            tracing::warn!(%file, "everybody could read this database; its owner and group alone can now");
        }
    }

    /// A guard for the files, which SQLite has open from now on.
    pub(super) fn guard(self, database: fs::File) -> io::Result<Guard> {
        let opened = database.metadata()?;
        let stamp = first_stamp(&database)?;
        Ok(Guard {
            database_id: Some(Identity::of(&opened)),
            log_id: Identity::at(&self.log)?,
            index_id: Identity::at(&self.index)?,
            last_check: Mutex::new(LastCheck { state: State::of(&opened), stamp, log_bytes: 0 }),
            committed: AtomicI32::new(stamp.map_or(0, |stamp| stamp.current)),
            is_overwritten: AtomicBool::new(false),
            database,
            files: self,
        })
    }

    /// Opens the file for reading, beside SQLite.
    pub(super) fn open(&self) -> Result<fs::File, OpenError> {
        fs::File::open(&self.database).map_err(|cause| OpenError::of_file(&self.database, cause))
    }
}

/// Tells whether two names lead to one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

/// When a file was written last, and how long it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct State {
    modified: Option<SystemTime>,
    bytes: u64,
}

impl State {
    fn of(metadata: &Metadata) -> Self {
        Self { modified: metadata.modified().ok(), bytes: metadata.len() }
    }
}

/// The file when it last matched its log.
struct LastCheck {
    state: State,
    stamp: Option<Stamp>,
    log_bytes: u64,
}

/// Compares the open files of a process with those in the folder.
pub(super) struct Guard {
    files: Files,
    database: fs::File,
    database_id: Option<Identity>,
    log_id: Option<Identity>,
    index_id: Option<Identity>,
    last_check: Mutex<LastCheck>,
    /// The stamp of this process's newest commit.
    committed: AtomicI32,
    is_overwritten: AtomicBool,
}

impl Guard {
    /// Checks the files (security row D11) with six system calls. If the
    /// database file was written since, its stamp and the log are read too.
    pub(super) fn check_files(&self) -> Result<(), Unusable> {
        let Files { given, database, log, index, .. } = &self.files;
        let all = [
            (database, self.database_id),
            (given, self.database_id),
            (log, self.log_id),
            (index, self.index_id),
        ];
        for (path, id) in all {
            match Identity::at(path) {
                Ok(found) if found == id => {}
                Ok(Some(_)) => return Err(Unusable::Replaced(path.clone())),
                Ok(None) => return Err(Unusable::Removed(path.clone())),
                Err(error) => return Err(Unusable::Unreadable(path.clone(), error.to_string())),
            }
        }
        if self.is_overwritten() {
            return Err(Unusable::Overwritten(database.clone()));
        }
        match self.matches_log() {
            Ok(true) => Ok(()),
            Ok(false) => {
                self.is_overwritten.store(true, Ordering::Release);
                Err(Unusable::Overwritten(database.clone()))
            }
            Err(error) => Err(Unusable::Unreadable(database.clone(), error.to_string())),
        }
    }

    /// Whether another program has overwritten the file. This stays true,
    /// because SQLite has pages of both contents in memory.
    pub(super) fn is_overwritten(&self) -> bool {
        self.is_overwritten.load(Ordering::Acquire)
    }

    pub(super) fn record_commit(&self, stamp: Stamp) {
        self.committed.store(stamp.current, Ordering::Release);
    }

    fn matches_log(&self) -> io::Result<bool> {
        let mut last_check = self.last_check.lock().unwrap_or_else(PoisonError::into_inner);
        // Read before the content, so that a write in between is seen at the next check.
        let state = State::of(&self.database.metadata()?);
        let log_bytes = fs::metadata(&self.files.log).map_or(0, |log| log.len());
        let is_cut = log_bytes < last_check.log_bytes;
        if state == last_check.state && !is_cut {
            last_check.log_bytes = log_bytes;
            return Ok(true);
        }
        let mut stamp = None;
        let matches = retry_until_true(|| {
            stamp = first_stamp(&self.database)?;
            let Some(lies) = stamp else { return Ok(false) };
            let is_of = |known: i32| known == lies.current || known == lies.previous;
            let committed = self.committed.load(Ordering::Acquire);
            let was_there = !is_cut && last_check.stamp.is_some_and(|stamp| is_of(stamp.current));
            if is_of(committed) || was_there {
                return Ok(true);
            }
            // Another program cuts a log when it has copied all of it into the
            // file. If this process has written since, its commit is in the new log.
            let continues = self.files.log_continues(stamp, is_cut.then_some(committed))?;
            Ok(continues.unwrap_or(false))
        })?;
        *last_check = LastCheck { state, stamp, log_bytes };
        Ok(matches)
    }
}

/// Calls `is_so` several times until it is true. While another process copies
/// the log into the file, the two differ for a moment.
fn retry_until_true(mut is_so: impl FnMut() -> io::Result<bool>) -> io::Result<bool> {
    for _ in 1..COMPARISONS {
        if is_so()? {
            return Ok(true);
        }
        std::thread::sleep(BETWEEN_COMPARISONS);
    }
    is_so()
}

fn first_stamp(mut database: &fs::File) -> io::Result<Option<Stamp>> {
    database.seek(SeekFrom::Start(0))?;
    Stamp::read(database)
}

/// Refuses a path that leads to no regular file, links followed. To open a pipe or to read a
/// device may last for ever, and a process does not end while one of its threads waits there.
///
/// # Errors
/// It is of another kind, or there is nothing.
pub(crate) fn require_regular(path: &Path) -> io::Result<()> {
    let found = fs::metadata(path)?;
    if found.is_file() {
        Ok(())
    } else if found.is_dir() {
        Err(io::ErrorKind::IsADirectory.into())
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"))
    }
}

/// Lets only the owner of a new file read and write it.
#[cfg(unix)]
pub(crate) fn owner_only(options: &mut OpenOptions) -> &mut OpenOptions {
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600)
}

#[cfg(not(unix))]
pub(crate) fn owner_only(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(unix)]
fn set_owner_only(file: &fs::File) -> io::Result<()> {
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))
}

#[cfg(not(unix))]
fn set_owner_only(_: &fs::File) -> io::Result<()> {
    Ok(())
}

/// Removes access for everybody; returns whether there was any.
#[cfg(unix)]
fn remove_world_access(file: &Path) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt;

    let mut permissions = match fs::metadata(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        found => found?.permissions(),
    };
    if permissions.mode() & 0o007 == 0 {
        return Ok(false);
    }
    permissions.set_mode(permissions.mode() & 0o7770);
    fs::set_permissions(file, permissions)?;
    Ok(true)
}

#[cfg(not(unix))]
fn remove_world_access(_: &Path) -> io::Result<bool> {
    Ok(false)
}

/// The number of hard links to the file.
#[cfg(unix)]
fn links(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::nlink(metadata)
}

#[cfg(not(unix))]
fn links(_: &Metadata) -> u64 {
    1
}

impl Identity {
    /// The identity of the file at that path, if there is one.
    fn at(path: &Path) -> io::Result<Option<Self>> {
        match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            found => found.map(|metadata| Some(Self::of(&metadata))),
        }
    }

    #[cfg(unix)]
    fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;

        Self { device: metadata.dev(), inode: metadata.ino() }
    }

    /// Elsewhere an open file cannot be removed or replaced.
    #[cfg(not(unix))]
    fn of(_: &Metadata) -> Self {
        Self { device: 0, inode: 0 }
    }
}
