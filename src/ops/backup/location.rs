//! Where a backup is, or is to be: a file, or an object in an object store.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use crate::{
    config::{BackupPlace, StoreUrlError},
    objects::ObjectUrl,
};

/// Where a backup is, or is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    File(PathBuf),
    Object(ObjectUrl),
}

/// Why a text names no place for a backup. It never shows the text, in which somebody may
/// have written a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocationError {
    #[error("the backup has no place: {0}")]
    Url(#[from] StoreUrlError),
    #[error("the backup needs a name in its bucket; write s3://bucket/prefix/name.backup")]
    NoName,
}

impl Location {
    /// A file, unless it begins with `s3:`.
    ///
    /// # Errors
    /// [`LocationError`] for what begins so, and names no object.
    pub fn of(path: &Path) -> Result<Self, LocationError> {
        match BackupPlace::of(path)? {
            BackupPlace::Folder(file) => Ok(Self::File(file)),
            BackupPlace::Store(place) => {
                ObjectUrl::named(&place).map(Self::Object).ok_or(LocationError::NoName)
            }
        }
    }

    /// What has this name in a place. `None` for a name that leads out of it.
    pub(super) fn below(place: &BackupPlace, name: &str) -> Option<Self> {
        match place {
            BackupPlace::Folder(folder) => Some(Self::File(folder.join(name))),
            BackupPlace::Store(place) => ObjectUrl::below(place, name).map(Self::Object),
        }
    }

    /// Whether it is directly in that place.
    pub(super) fn is_in(&self, place: &BackupPlace) -> bool {
        match (self, place) {
            (Self::File(file), BackupPlace::Folder(folder)) => file.parent() == Some(folder),
            (Self::Object(url), BackupPlace::Store(place)) => {
                let url = url.to_string();
                url.strip_prefix(&place.start()).is_some_and(|name| !name.contains('/'))
            }
            _ => false,
        }
    }

    /// Whatever the working folder is later.
    pub(super) fn absolute(&self) -> io::Result<Self> {
        Ok(match self {
            Self::File(file) => Self::File(std::path::absolute(file)?),
            Self::Object(url) => Self::Object(url.clone()),
        })
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => file.display().fmt(f),
            Self::Object(url) => url.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_is_a_file_or_an_object_and_a_wrong_address_is_never_shown() {
        let of = |raw: &str| Location::of(Path::new(raw));
        for file in ["one.backup", "/var/s3/one", "s3", "s4://x/y"] {
            assert_eq!(of(file), Ok(Location::File(file.into())));
        }
        assert_eq!(of("s3://backups/a/one.backup").unwrap().to_string(), "s3://backups/a/one.backup");
        assert_eq!(of("s3://backups"), Err(LocationError::NoName));
        for wrong in ["s3:one", "s3://a/b", "s3://canary:canary@backups/one", "s3://backups/../one"] {
            let said = of(wrong).unwrap_err().to_string();
            assert!(!said.contains("canary"), "{said}");
        }
    }

    #[test]
    fn a_place_has_what_is_directly_in_it() {
        let place = |raw: &str| BackupPlace::of(Path::new(raw)).unwrap();
        let is_in = |file: &str, raw: &str| Location::of(Path::new(file)).unwrap().is_in(&place(raw));
        assert!(
            is_in("/a/b", "/a") && is_in("s3://aaa/b/c", "s3://aaa/b") && is_in("s3://aaa/b", "s3://aaa")
        );
        for (file, raw) in [
            ("/a/b/c", "/a"),
            ("s3://aaa/b/c", "s3://aaa"),
            ("s3://aaa/bb", "s3://aaa/b"),
            ("s3://aaa/b/c", "s3://bbb/b"),
            ("/a/b", "s3://aaa"),
        ] {
            assert!(!is_in(file, raw), "{file}");
        }
        for place in ["/a", "s3://aaa/b"].map(place) {
            assert!(Location::below(&place, "name").unwrap().is_in(&place));
        }
    }
}
