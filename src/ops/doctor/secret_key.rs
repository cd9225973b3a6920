//! The key that seals secrets.

use std::path::Path;

use super::Finding;
use crate::{config::SecretKeySource, credentials::sealing};

const ABOUT: &str = "secret key";

/// Looks at the key of a site; `database` is its file of SQLite.
pub(super) fn examine(source: &SecretKeySource, database: Option<&Path>) -> Finding {
    match source {
        SecretKeySource::Nowhere => {
            let sentence = "Secrets stand in the database as they are, and there is no two-factor authentication: run \
                            `openssl rand -base64 32 > byline.key`, and set secret-key-file.";
            return Finding::warning(ABOUT, sentence);
        }
        SecretKeySource::BesideDatabase(path) if !path.exists() => {
            let path = path.display();
            return if database.is_some_and(Path::exists) {
                Finding::problem(ABOUT, format!("{path} is missing: put it back before the next start."))
            } else {
                Finding::fine(ABOUT, format!("{path} is made together with the database."))
            };
        }
        SecretKeySource::Given(_) | SecretKeySource::Named(_) | SecretKeySource::BesideDatabase(_) => {}
    }
    match (sealing::to_read(source), source.file()) {
        (Err(error), _) => Finding::problem(ABOUT, format!("{error}.")),
        (Ok(_), Some(path)) if sealing::can_be_read_by_everybody(path) => {
            let path = path.display();
            Finding::problem(
                ABOUT,
                format!("Everybody on this machine can read {path}: run `chmod 600 {path}`."),
            )
        }
        (Ok(_), _) => Finding::fine(ABOUT, format!("The key is there ({source}); keep a copy elsewhere.")),
    }
}
