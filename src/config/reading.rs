//! When settings are read, and what may keep that waiting.

use std::{io, path::Path};

use crate::database::require_regular;

/// When settings are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// By a process that a signal still ends. A file may be a pipe, as that of `<(…)` of a shell.
    AtStart,
    /// By a site that is served: nothing may keep it waiting.
    WhileServed,
}

impl Reading {
    /// # Errors
    /// Where a file would keep it waiting. One that is missing does not, and another setting may
    /// stand above the one that names it.
    pub(super) fn allows(self, path: &Path) -> io::Result<()> {
        match self {
            Self::AtStart => Ok(()),
            Self::WhileServed => match require_regular(path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                found => found,
            },
        }
    }
}
