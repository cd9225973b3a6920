//! Where the site puts the backups that it makes of itself.

use super::{Finding, rights};
use crate::config::{BackupPlace, Config};

const ABOUT: &str = "backups";

/// `None` where the site makes none, or puts them into an object store.
pub(super) fn examine(config: &Config) -> Option<Finding> {
    let BackupPlace::Folder(folder) = &config.backup.as_ref()?.to else { return None };
    let place = folder.display();
    Some(if !folder.exists() {
        Finding::problem(ABOUT, format!("The folder {place} is missing: make it, or change backup.to."))
    } else if !folder.is_dir() {
        Finding::problem(ABOUT, format!("{place} is no folder: change backup.to."))
    } else {
        rights::folder(ABOUT, folder, "backups go there")
            .unwrap_or_else(|| Finding::fine(ABOUT, format!("The site makes backups in {place}.")))
    })
}
