//! What a backup says about itself, and why one cannot be used.

use std::{
    io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::location::{Location, LocationError};
use crate::{
    config::SecretKeyError,
    database::OpenError,
    media::domain::gathering::GatherError,
    objects::{ObjectError, ObjectUrl},
    ops::copy::CopyError,
    timestamp::Timestamp,
};

/// Why there is no backup, or why it cannot be used, in one sentence.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("{0} exists already; name another file, or replace this one by --replace")]
    Exists(Location),
    /// Something else than a backup would be lost.
    #[error("{0} exists and is no backup, so it is not replaced; name another file")]
    NotReplaced(Location),
    #[error(
        "the secret key was to be in the backup, and none was given: name its file by --secret-key-file, or set BYLINE_SECRET_KEY"
    )]
    NoKey,
    /// Not made by itself: a disk that is not mounted would go unnoticed.
    #[error("the folder {0} is not there; make it, or mount its disk")]
    NoFolder(PathBuf),
    #[error(transparent)]
    Location(#[from] LocationError),
    /// Of the object store in which the backup is, or was to be.
    #[error("{url}: {cause}")]
    Store { url: ObjectUrl, cause: ObjectError },
    #[error(
        "{url} was written and could not be read back: {cause}; verify it by `byline backup verify`, or remove it"
    )]
    NotReadBack { url: ObjectUrl, cause: ObjectError },
    /// A file of a picture, or the database into which it was to be brought.
    #[error("{0}; there is no backup without it, so try again when that is mended")]
    Pictures(#[from] GatherError),
    /// Backups are made and unpacked there, if they have no folder of their own.
    #[error("there is not enough room in {folder} ({cause}); make room, or name another folder by TMPDIR")]
    NoRoom { folder: PathBuf, cause: String },
    #[error("the backup {at} could not be written: {cause}")]
    Write { at: Location, cause: io::Error },
    #[error("the backup {at} cannot be read or unpacked: {cause}")]
    Read { at: Location, cause: io::Error },
    #[error("{0} is no backup of Byline")]
    Foreign(Location),
    #[error("the backup {0} is cut off: its end is missing or has changed")]
    CutOff(Location),
    #[error("the backup {at} is damaged: {what}")]
    Damaged { at: Location, what: String },
    #[error("the backup {at} was made by a newer Byline ({byline}); use that one")]
    Newer { at: Location, byline: String },
    #[error("the backup {0} is encrypted; name the file with a key of age that opens it by --identity")]
    NoIdentity(Location),
    #[error("the backup {0} was encrypted for other keys than the one that was given")]
    OtherIdentity(Location),
    #[error("{file} cannot be used as a key of age: {problem}")]
    Identity { file: PathBuf, problem: String },
    #[error(transparent)]
    Copy(#[from] CopyError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Key(#[from] SecretKeyError),
}

impl BackupError {
    pub(super) fn read(at: &Location, cause: io::Error) -> Self {
        Self::Read { at: at.clone(), cause }
    }

    pub(super) fn write(at: &Location, cause: io::Error) -> Self {
        Self::Write { at: at.clone(), cause }
    }

    pub(super) fn store(url: &ObjectUrl, cause: ObjectError) -> Self {
        Self::Store { url: url.clone(), cause }
    }

    /// Says what to do if there was no room in the folder of a workshop.
    pub(super) fn or_no_room(self, folder: &Path) -> Self {
        let no_room = |cause: String| {
            let folder = folder.parent().unwrap_or(folder).to_owned();
            Self::NoRoom { folder, cause }
        };
        let is_full = |cause: &io::Error| {
            use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
            matches!(cause.kind(), StorageFull | QuotaExceeded | FileTooLarge)
        };
        match self {
            Self::Write { cause, .. } | Self::Read { cause, .. } if is_full(&cause) => {
                no_room(cause.to_string())
            }
            // Nobody else uses the database there.
            Self::Copy(CopyError::Failed { url, cause })
                if url.file().is_some_and(|file| file.starts_with(folder)) =>
            {
                no_room(cause.to_string())
            }
            other => other,
        }
    }
}

/// What is in a backup.
#[derive(Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// [`Self::FORMAT`]
    pub(super) format: u32,
    /// The version of Byline that made it.
    pub byline: String,
    /// The last step of the schema of its database.
    pub(super) schema: i64,
    /// When the backup began: it has every change that was acknowledged before.
    pub made_at: Timestamp,
    pub secrets: Secrets,
    /// Files of pictures that are in an object store, and not in the backup. Only earlier
    /// versions of Byline made such backups.
    pub files_elsewhere: u64,
    /// Files of pictures that are in no backup, because the object store had lost them.
    #[serde(default)]
    pub files_missing: u64,
    /// The names of the first of them.
    #[serde(default)]
    pub missing_names: Vec<String>,
    pub(super) tables: Vec<Rows>,
    pub(super) files: Vec<Packed>,
}

/// How what is secret lies in the database of a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Secrets {
    /// Sealed, and the key is not in the backup.
    Sealed,
    /// Sealed, and the key is in the backup.
    SealedWithKey,
    /// As they are: the site had no key.
    Open,
}

/// The rows of a table.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Rows {
    pub(super) table: String,
    pub(super) rows: u64,
    /// As a [`crate::ops::copy::Checksum`] has it, in hexadecimal digits.
    pub(super) sha256: String,
}

impl Manifest {
    /// The layout of a backup. A Byline that writes another one counts on.
    pub(super) const FORMAT: u32 = 1;

    /// What the backup lacks, in one sentence without a full stop.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        let more = match self.files_missing.checked_sub(self.missing_names.len() as u64) {
            None | Some(0) => String::new(),
            Some(more) => format!(" and {more} more"),
        };
        (self.files_missing > 0).then(|| {
            let files =
                if self.files_missing == 1 { "1 file" } else { &format!("{} files", self.files_missing) };
            format!(
                "it lacks {files} of pictures that the object store should have and has not: {}{more}",
                self.missing_names.join(", ")
            )
        })
    }

    /// The number of rows of a table.
    #[must_use]
    pub fn rows(&self, table: &str) -> u64 {
        self.tables.iter().find(|rows| rows.table == table).map_or(0, |rows| rows.rows)
    }
}

/// A file inside of a backup.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Packed {
    pub(super) name: String,
    pub(super) bytes: u64,
    /// In hexadecimal digits.
    pub(super) sha256: String,
}
