//! The folder in which a backup is made, or unpacked. It goes when the work ends.

use std::{
    ffi::OsString,
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::database::owner_only;

/// A folder for its owner only. It is removed when this is dropped. After a kill it
/// stays: beside a file until the next run with that file, and where the system keeps
/// temporary files until the next run of this user.
#[derive(Debug)]
pub(super) struct Workshop {
    folder: PathBuf,
    /// Held by the process that works here.
    _lock: File,
}

impl Workshop {
    const LOCK: &str = "lock";
    /// How its name begins where the system keeps temporary files.
    const PREFIX: &str = "byline-backup-";
    /// A lock that is newer may be one that its process has yet to take.
    const NEW: Duration = Duration::from_secs(60);

    /// `FILE.unfinished` beside the file, so that the file can be renamed into place.
    pub(super) fn beside(file: &Path) -> io::Result<Self> {
        let folder = Self::beside_file(file);
        match new_folder(&folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && is_ours(&folder) => {}
            made => made?,
        }
        Self::of(folder)
    }

    /// Removes what a killed run with this file has left, if it is not at work.
    pub(super) fn remove_left_beside(file: &Path) -> io::Result<()> {
        let folder = Self::beside_file(file);
        if is_ours(&folder) {
            drop(Self::of(folder)?);
        }
        Ok(())
    }

    fn beside_file(file: &Path) -> PathBuf {
        let mut name = OsString::from(file);
        name.push(".unfinished");
        PathBuf::from(name)
    }

    /// A new folder where the system keeps temporary files (`TMPDIR`). No two runs have the
    /// same id.
    pub(super) fn elsewhere(id: &str) -> io::Result<Self> {
        let folder = Self::folder_elsewhere(id)?;
        new_folder(&folder)?;
        Self::of(folder)
    }

    /// Removes what a killed run with this id has left on this machine.
    pub(super) fn remove_left_elsewhere(id: &str) -> io::Result<()> {
        let folder = Self::folder_elsewhere(id)?;
        if is_ours(&folder) {
            drop(Self::of(folder)?);
        }
        Ok(())
    }

    /// Removes what killed runs of this user have left where the system keeps temporary files,
    /// whatever their ids are. What cannot be removed stays.
    pub(super) fn remove_all_left_elsewhere() {
        let entries = std::path::absolute(std::env::temp_dir()).and_then(fs::read_dir);
        for entry in entries.into_iter().flatten().flatten() {
            let is_called_so = entry.file_name().to_string_lossy().starts_with(Self::PREFIX);
            if is_called_so && is_left(&entry.path()) {
                // An error says that another process works there.
                drop(Self::of(entry.path()));
            }
        }
    }

    fn folder_elsewhere(id: &str) -> io::Result<PathBuf> {
        Ok(std::path::absolute(std::env::temp_dir())?.join(format!("{}{id}", Self::PREFIX)))
    }

    fn of(folder: PathBuf) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let lock = owner_only(options.write(true).create(true).truncate(false));
        let lock = lock.open(folder.join(Self::LOCK))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(io::Error::new(
                    io::ErrorKind::WouldBlock,
                    format!("another process works in {}", folder.display()),
                ));
            }
            Err(TryLockError::Error(cause)) => return Err(cause),
        }
        let workshop = Self { folder, _lock: lock };
        for left in fs::read_dir(&workshop.folder)? {
            let left = left?;
            if left.file_name() == Self::LOCK {
                continue;
            }
            match left.file_type()?.is_dir() {
                true => fs::remove_dir_all(left.path())?,
                false => fs::remove_file(left.path())?,
            }
        }
        Ok(workshop)
    }

    pub(super) fn path(&self) -> &Path {
        &self.folder
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A new folder inside of this one.
    pub(super) fn folder(&self, name: &str) -> io::Result<PathBuf> {
        let folder = self.folder.join(name);
        new_folder(&folder)?;
        Ok(folder)
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        // What cannot be removed has a name that says what it is.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Whether an earlier run made it: a folder with our lock in it, or an empty one.
fn is_ours(folder: &Path) -> bool {
    let is_folder = fs::symlink_metadata(folder).is_ok_and(|found| found.is_dir() && is_of_our_user(&found));
    let is_empty = || fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none());
    is_folder && (folder.join(Workshop::LOCK).is_file() || is_empty())
}

/// Whether an earlier run made it that may have ended. It did if the lock can be taken.
fn is_left(folder: &Path) -> bool {
    let lock = fs::symlink_metadata(folder.join(Workshop::LOCK)).and_then(|lock| lock.modified());
    let is_old = lock.is_ok_and(|made| made.elapsed().is_ok_and(|age| age >= Workshop::NEW));
    is_old && is_ours(folder)
}

/// In a folder for everybody's files, somebody else may have made one of this name.
#[cfg(unix)]
fn is_of_our_user(found: &fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::uid(found) == rustix::process::geteuid().as_raw()
}

#[cfg(not(unix))]
fn is_of_our_user(_: &fs::Metadata) -> bool {
    true
}

#[cfg(unix)]
fn new_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(not(unix))]
fn new_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().create(folder)
}
