//! Backups that the site makes of itself (settings under `backup`).

use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use serde::Deserialize;

use super::{
    error::StartError,
    object_store::{StoreUrl, StoreUrlError},
};

/// Whose key of age opens a backup.
pub type Recipient = age::x25519::Recipient;

const MINUTE: Duration = Duration::from_secs(60);
const YEAR: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// When and where the site makes backups of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupSettings {
    /// From one to the next.
    pub every: Duration,
    pub to: BackupPlace,
    /// How many are kept.
    pub keep: u32,
    /// Who can open them; they are not encrypted if this is empty.
    pub encrypt_to: Vec<Recipient>,
}

/// Where the backups are that the site makes of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BackupPlace {
    Folder(PathBuf),
    Store(StoreUrl),
}

impl BackupPlace {
    /// A folder, unless it begins with `s3:`.
    ///
    /// # Errors
    /// [`StoreUrlError`] for what begins so, and is no place in an object store.
    pub fn of(path: &Path) -> Result<Self, StoreUrlError> {
        match path.to_str().filter(|text| is_in_a_store(text)) {
            Some(text) => Ok(Self::Store(text.parse()?)),
            None => Ok(Self::Folder(path.to_owned())),
        }
    }
}

impl fmt::Display for BackupPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => folder.display().fmt(f),
            Self::Store(place) => place.fmt(f),
        }
    }
}

/// Whether a text names a place in an object store, rightly or not, and no file.
#[must_use]
pub fn is_in_a_store(text: &str) -> bool {
    text.starts_with("s3:")
}

impl BackupSettings {
    /// How many are kept, unless set otherwise.
    pub const KEEP: u32 = 7;
    const MOST: u32 = 10_000;
}

#[derive(Args, Clone, Debug, Default)]
pub struct BackupFlags {
    /// How often the site makes a backup of itself, such as "1 d" or "12 h"; goes with --backup-to [default: never]
    #[arg(long, global = true, env = "BYLINE_BACKUP_EVERY", value_name = "TIME")]
    pub backup_every: Option<String>,
    /// Where these backups go: a folder, which has to exist, or an object store, like s3://bucket/prefix [default: none]
    #[arg(long, global = true, env = "BYLINE_BACKUP_TO", value_name = "PLACE")]
    pub backup_to: Option<PathBuf>,
    /// How many of these backups are kept [default: 7]
    #[arg(long, global = true, env = "BYLINE_BACKUP_KEEP", value_name = "N")]
    pub backup_keep: Option<u32>,
    /// Public keys of age (comma separated, age1…) for which these backups are encrypted [default: none]
    #[arg(
        long,
        global = true,
        env = "BYLINE_BACKUP_ENCRYPT_TO",
        value_name = "AGE_RECIPIENTS",
        value_delimiter = ','
    )]
    pub backup_encrypt_to: Option<Vec<String>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct BackupFile {
    every: Option<String>,
    to: Option<PathBuf>,
    keep: Option<u32>,
    encrypt_to: Option<Vec<String>>,
}

pub(super) fn settings(flags: BackupFlags, file: BackupFile) -> Result<Option<BackupSettings>, StartError> {
    let wrong = |setting, problem: String| StartError::Value { setting, problem };
    let keep = flags.backup_keep.or(file.keep).unwrap_or(BackupSettings::KEEP);
    if !(1..=BackupSettings::MOST).contains(&keep) {
        let most = BackupSettings::MOST;
        return Err(wrong("backup.keep", format!("{keep} must be 1 or more, and {most} at most")));
    }
    let encrypt_to = flags.backup_encrypt_to.or(file.encrypt_to).unwrap_or_default();
    let encrypt_to = encrypt_to.iter().map(|raw| {
        // It is not shown: it may be a secret key.
        raw.trim().parse().map_err(|_| {
            wrong("backup.encrypt-to", "this is no public key of age; those begin with age1".to_owned())
        })
    });
    let encrypt_to = encrypt_to.collect::<Result<_, _>>()?;
    let to = flags.backup_to.or(file.to).filter(|folder| !folder.as_os_str().is_empty());
    match (flags.backup_every.or(file.every), to) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(wrong("backup.to", "goes with backup.every alone".to_owned())),
        (Some(_), None) => Err(wrong("backup.every", "goes with backup.to alone".to_owned())),
        (Some(every), Some(to)) => {
            let parsed = humantime::parse_duration(&every).map_err(|error| {
                wrong("backup.every", format!("\"{every}\": {error}; write \"1 d\" or \"12 h\""))
            })?;
            if !(MINUTE..=YEAR).contains(&parsed) {
                return Err(wrong(
                    "backup.every",
                    format!("\"{every}\" must be a minute or more, and a year at most"),
                ));
            }
            let to = BackupPlace::of(&to).map_err(|error| wrong("backup.to", error.to_string()))?;
            Ok(Some(BackupSettings { every: parsed, to, keep, encrypt_to }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings_of(
        every: Option<&str>,
        to: Option<&str>,
        keep: Option<u32>,
    ) -> Result<Option<BackupSettings>, String> {
        let flags = BackupFlags {
            backup_every: every.map(str::to_owned),
            backup_to: to.map(PathBuf::from),
            backup_keep: keep,
            backup_encrypt_to: None,
        };
        settings(flags, BackupFile::default()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_time_is_written_as_people_write_it() {
        for (every, seconds) in [("1 d", 86_400), ("1d", 86_400), ("12 h", 43_200), ("90 min", 5_400)] {
            let settings = settings_of(Some(every), Some("/backups"), None).unwrap().unwrap();
            assert_eq!(settings.every.as_secs(), seconds, "{every}");
            assert_eq!((settings.to.to_string().as_str(), settings.keep), ("/backups", 7));
        }
        assert_eq!(settings_of(None, None, None), Ok(None));
    }

    #[test]
    fn backups_go_into_a_folder_or_an_object_store() {
        let to = |to| settings_of(Some("1 d"), Some(to), None).unwrap().unwrap().to;
        assert_eq!(to("s3"), BackupPlace::Folder("s3".into()));
        assert_eq!(to("s3://backups/of/blog/"), BackupPlace::Store("s3://backups/of/blog".parse().unwrap()));
    }

    #[test]
    fn half_a_setting_and_a_time_that_makes_no_sense_are_refused_by_name() {
        for (every, to, keep, said) in [
            (Some("1 d"), None, None, "backup.every: goes with backup.to"),
            (None, Some("x"), None, "backup.to: goes with backup.every"),
            (Some("daily"), Some("x"), None, "backup.every: \"daily\""),
            (Some("1 s"), Some("x"), None, "backup.every: \"1 s\" must be"),
            (Some("3 years"), Some("x"), None, "backup.every: \"3 years\" must be"),
            (Some("1 d"), Some("x"), Some(0), "backup.keep: 0 must be"),
            (Some("1 d"), Some("s3:/x"), None, "backup.to: this is no place in an object store"),
            (Some("1 d"), Some("s3://canary@x"), None, "backup.to: the name of a bucket"),
        ] {
            let problem = settings_of(every, to, keep).unwrap_err();
            assert!(problem.starts_with(said) && !problem.contains("canary"), "{problem}");
        }
    }
    #[test]
    fn a_secret_key_in_the_place_of_a_public_one_is_not_shown() {
        let secret = age::x25519::Identity::generate();
        let given = secrecy::ExposeSecret::expose_secret(&secret.to_string()).to_owned();
        let flags = BackupFlags { backup_encrypt_to: Some(vec![given.clone()]), ..BackupFlags::default() };
        let said = settings(flags, BackupFile::default()).unwrap_err().to_string();
        assert!(said.contains("backup.encrypt-to") && !said.contains(&given), "{said}");
        let flags = BackupFlags {
            backup_encrypt_to: Some(vec![secret.to_public().to_string()]),
            ..BackupFlags::default()
        };
        assert_eq!(settings(flags, BackupFile::default()).unwrap(), None);
    }
}
