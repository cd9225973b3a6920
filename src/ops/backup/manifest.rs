//! What a backup says about itself, and why one cannot be used.

use std::{
    io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{config::SecretKeyError, database::OpenError, ops::copy::CopyError, timestamp::Timestamp};

/// Why there is no backup, or why it cannot be used, in one sentence.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("{0} exists already; name another file, or replace this one by --replace")]
    Exists(PathBuf),
    /// Something else than a backup would be lost.
    #[error("{0} exists and is no backup, so it is not replaced; name another file")]
    NotReplaced(PathBuf),
    #[error(
        "the secret key was to be in the backup, and none was given: name its file by --secret-key-file, or set BYLINE_SECRET_KEY"
    )]
    NoKey,
    /// Not made by itself: a disk that is not mounted would go unnoticed.
    #[error("the folder {0} is not there; make it, or mount its disk")]
    NoFolder(PathBuf),
    #[error(
        "{0} is in an object store; write the backup into a file, and copy it there with a tool of the store"
    )]
    InStore(PathBuf),
    #[error("the backup {file} could not be written: {cause}")]
    Write { file: PathBuf, cause: io::Error },
    #[error("the backup {file} cannot be read or unpacked: {cause}")]
    Read { file: PathBuf, cause: io::Error },
    #[error("{0} is no backup of Byline")]
    Foreign(PathBuf),
    #[error("the backup {0} is cut off: its end is missing or has changed")]
    CutOff(PathBuf),
    #[error("the backup {file} is damaged: {what}")]
    Damaged { file: PathBuf, what: String },
    #[error("the backup {file} was made by a newer Byline ({byline}); use that one")]
    Newer { file: PathBuf, byline: String },
    #[error("the backup {0} is encrypted; name the file with a key of age that opens it by --identity")]
    NoIdentity(PathBuf),
    #[error("the backup {0} was encrypted for other keys than the one that was given")]
    OtherIdentity(PathBuf),
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
    pub(super) fn read(file: &Path, cause: io::Error) -> Self {
        Self::Read { file: file.to_owned(), cause }
    }

    pub(super) fn write(file: &Path, cause: io::Error) -> Self {
        Self::Write { file: file.to_owned(), cause }
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
    /// Files of pictures that are in an object store, and not in the backup.
    pub files_elsewhere: u64,
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
