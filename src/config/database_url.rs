//! The settings with a URL that may contain a password.

use std::{
    fmt::Display,
    io::Read,
    path::{Path, PathBuf},
};

use super::{credential, error::StartError, reading::Reading};
use crate::database::{DatabaseUrl, DatabaseUrlError};

/// A setting with a URL, and the one with a file that contains it. Separate from other
/// settings, because the URL may contain a password, which an error must not show.
pub(super) struct UrlSetting {
    pub(super) name: &'static str,
    pub(super) of_file: &'static str,
}

pub(super) const DATABASE_URL: UrlSetting = UrlSetting { name: "database-url", of_file: "database-url-file" };
pub(super) const DATABASE_LISTEN_URL: UrlSetting =
    UrlSetting { name: "database-listen-url", of_file: "database-listen-url-file" };
pub(super) const READ_DATABASE_URL: UrlSetting =
    UrlSetting { name: "read-database-url", of_file: "read-database-url-file" };

impl UrlSetting {
    /// The value of the first source that has one, else of the credential of systemd with
    /// the name of the setting.
    pub(super) fn first<T, E: Display>(
        &self,
        sources: [(Option<String>, Option<PathBuf>); 2],
        reading: Reading,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Result<Option<T>, StartError> {
        let source = sources.into_iter().find(|source| *source != (None, None));
        match source.unwrap_or_else(|| (None, credential::file(&self.name.replace('.', "-")))) {
            (None, None) => Ok(None),
            (Some(url), None) => self.value(&url, parse).map(Some),
            (None, Some(file)) => {
                let url = read_url_file(&file, reading)?;
                parse(url.trim()).map(Some).map_err(wrong_url(self.of_file, Some(&file)))
            }
            (Some(_), Some(_)) => {
                let problem = format!("goes without {}", self.of_file);
                Err(StartError::Value { setting: self.name, problem })
            }
        }
    }

    /// The value of a text that is not in a file of its own.
    pub(super) fn value<T, E: Display>(
        &self,
        raw: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Result<T, StartError> {
        parse(raw).map_err(wrong_url(self.name, None))
    }
}

/// Parses the URL of a database that a site writes to, or reads from beside it.
pub(super) fn database_url(raw: &str) -> Result<DatabaseUrl, DatabaseUrlError> {
    raw.parse::<DatabaseUrl>().and_then(DatabaseUrl::to_be_written)
}

fn wrong_url<E: Display>(setting: &'static str, file: Option<&Path>) -> impl Fn(E) -> StartError + use<E> {
    let place = file.map_or_else(String::new, |file| format!("{}: ", file.display()));
    move |error| StartError::Value { setting, problem: format!("{place}{error}") }
}

/// Reads a URL from a file, which may have white space around it.
///
/// # Errors
/// [`StartError`] names the file, or `setting` and what is wrong.
pub fn read_database_url(setting: &'static str, path: &Path) -> Result<DatabaseUrl, StartError> {
    read_url_file(path, Reading::AtStart)?
        .trim()
        .parse::<DatabaseUrl>()
        .map_err(wrong_url(setting, Some(path)))
}

/// The text of a file that contains a URL.
fn read_url_file(path: &Path, reading: Reading) -> Result<String, StartError> {
    /// Longer than any URL: what is behind it is not read.
    const MAX_BYTES: u64 = 64 * 1024;

    let mut text = String::new();
    let read = reading.open(path).and_then(|file| file.take(MAX_BYTES).read_to_string(&mut text));
    read.map_err(|cause| StartError::Unreadable { path: path.display().to_string(), cause })?;
    Ok(text)
}
