//! The settings of `byline.toml`.

use std::{
    io,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use super::{StartError, accounts, backup, cognito, limits, mail, media, reading::Reading, site};

const FILE: &str = "byline.toml";

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct File {
    pub(super) listen: Option<String>,
    pub(super) metrics_listen: Option<String>,
    pub(super) otlp_endpoint: Option<String>,
    pub(super) database_url: Option<String>,
    pub(super) database_url_file: Option<PathBuf>,
    pub(super) database_listen_url: Option<String>,
    pub(super) database_listen_url_file: Option<PathBuf>,
    pub(super) read_database_url: Option<String>,
    pub(super) read_database_url_file: Option<PathBuf>,
    pub(super) database_connections: Option<u32>,
    pub(super) max_listeners: Option<usize>,
    pub(super) page_memory: Option<usize>,
    pub(super) public_url: Option<String>,
    #[serde(default)]
    pub(super) tls: TlsFile,
    #[serde(default)]
    pub(super) argon2: Argon2File,
    pub(super) trusted_proxies: Option<Vec<String>>,
    pub(super) secret_key_file: Option<PathBuf>,
    #[serde(default)]
    pub(super) graphql: GraphqlFile,
    #[serde(default)]
    pub(super) cognito: cognito::CognitoFile,
    #[serde(default)]
    pub(super) mail: mail::MailFile,
    #[serde(default)]
    pub(super) accounts: accounts::AccountsFile,
    #[serde(default)]
    pub(super) limits: limits::LimitsFile,
    #[serde(default)]
    pub(super) site: site::SiteFile,
    #[serde(default)]
    pub(super) media: media::MediaFile,
    #[serde(default)]
    pub(super) backup: backup::BackupFile,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Argon2File {
    pub(super) memory: Option<u32>,
    pub(super) iterations: Option<u32>,
    pub(super) parallelism: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct GraphqlFile {
    pub(super) conflict_detection: Option<bool>,
    pub(super) cors_origins: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TlsFile {
    pub(super) cert: Option<PathBuf>,
    pub(super) key: Option<PathBuf>,
}

/// The default file may be missing, a named one may not.
pub(super) fn read_file(named: Option<&Path>, reading: Reading) -> Result<File, StartError> {
    let path = named.unwrap_or(Path::new(FILE));
    let shown = path.display().to_string();
    let text = match reading.open(path).and_then(io::read_to_string) {
        Ok(text) => text,
        Err(error) if named.is_none() && error.kind() == io::ErrorKind::NotFound => {
            return Ok(File::default());
        }
        Err(cause) => return Err(StartError::Unreadable { path: shown, cause }),
    };
    toml::from_str(&text).map_err(|error| {
        let line = error.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count());
        let problem = format!("line {line}: {}", error.message().replace('\n', " "));
        StartError::File { path: shown, problem }
    })
}
