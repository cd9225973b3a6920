//! Why a command fails, in words for the person at the terminal.

use std::process::ExitCode;

use crate::{
    config::StartError,
    error::AppError,
    ops::{backup::BackupError, copy::CopyError, export::folder::ExportError, import::ImportError},
};

/// Why a command failed: one sentence for the person at the terminal.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Copy(#[from] CopyError),
    #[error(transparent)]
    Export(#[from] ExportError),
    #[error(transparent)]
    Import(#[from] ImportError),
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// There is a backup, and not all that should be in it is.
    #[error("{at} is made and verified, but {lack}")]
    Incomplete { at: String, lack: String },
    #[error("{0}")]
    Refused(String),
    #[error("standard input: {0}")]
    Input(std::io::Error),
    #[error("standard output cannot be written: {0}; all else is done")]
    Output(std::io::Error),
    /// A key or an invitation, of which there is no other copy.
    #[error("the {what} could not be written to standard output ({cause}), so it was revoked")]
    Lost { what: &'static str, cause: std::io::Error },
    #[error("{what} {id} could not be written to standard output ({cause}); revoke it, because it is valid")]
    LostHolds { what: &'static str, id: String, cause: std::io::Error },
    #[error("standard output is thrown away, and it is the only place where the {0} is shown")]
    NowhereToShow(&'static str),
    #[error("the system does not let Byline start: {0}")]
    System(#[from] std::io::Error),
}

impl Failure {
    /// What the command ends with: 3 for what is done with something missing, else 1.
    pub(super) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Incomplete { .. } => ExitCode::from(3),
            _ => ExitCode::FAILURE,
        }
    }
}

impl From<AppError> for Failure {
    fn from(error: AppError) -> Self {
        Self::Refused(match error {
            AppError::NotFound => "There is no such account.".to_owned(),
            AppError::Busy { .. } => {
                "The database refused the change: it is busy, full or cannot be written; the log says which."
                    .to_owned()
            }
            other => other.sentences(),
        })
    }
}

pub(super) fn refused(error: impl std::fmt::Display) -> Failure {
    Failure::Refused(format!("{error}."))
}
