//! Stamps, which remember the inputs of a finished step so that it is not repeated.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// The SHA-256 of some parts in order, in hexadecimal. Each part counts with
/// its length, so moving a byte from one to the next changes the result.
pub(crate) fn digest<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    format!("{:x}", hasher.finalize())
}

/// A small file that holds the digest of the inputs of a finished step.
pub(crate) struct Stamp {
    path: PathBuf,
    digest: String,
}

impl Stamp {
    /// The stamp called `name` in the folder `state`, for inputs of this digest.
    pub(crate) fn new(state: &Path, name: &str, digest: String) -> Self {
        let path = state.join(name).with_extension("stamp");
        Self { path, digest }
    }

    /// Whether the step was finished for the very same inputs.
    pub(crate) fn is_current(&self) -> bool {
        fs::read_to_string(&self.path).is_ok_and(|digest| digest == self.digest)
    }

    pub(crate) fn set(&self) -> Result<()> {
        write(&self.path, self.digest.as_bytes())
    }
}

pub(crate) fn write(path: &Path, contents: &[u8]) -> Result<()> {
    let write = || {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, contents)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}
