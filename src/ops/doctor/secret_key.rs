//! The key that seals secrets.

use std::path::Path;

use super::Finding;
use crate::{
    config::{SecretKeyError, SecretKeySource},
    credentials::sealing::{self, KeyFit, Sealer},
    database::Db,
};

const ABOUT: &str = "secret key";

/// Looks at the key of a site. `database` is its file of SQLite, `db` a connection to a database
/// whose schema is that of this Byline.
pub(super) async fn examine(
    source: &SecretKeySource,
    database: Option<&Path>,
    db: Option<&mut Db>,
) -> Finding {
    if let SecretKeySource::BesideDatabase(path) = source
        && !path.exists()
    {
        let path = path.display();
        return if database.is_some_and(Path::exists) {
            Finding::problem(ABOUT, format!("{path} is missing: put it back before the next start."))
        } else {
            Finding::fine(ABOUT, format!("{path} is made together with the database."))
        };
    }
    let sealer = match sealing::to_read(source) {
        Ok(sealer) => sealer,
        Err(error) => return Finding::problem(ABOUT, format!("{error}.")),
    };
    if let Some(path) = source.file().filter(|path| sealing::can_be_read_by_everybody(path)) {
        let path = path.display();
        return Finding::problem(
            ABOUT,
            format!("Everybody on this machine can read {path}: run `chmod 600 {path}`."),
        );
    }
    if let Some(db) = db
        && let Some(finding) = another(source, sealer.as_ref(), db).await
    {
        return finding;
    }
    if sealer.is_none() {
        let sentence = "Secrets stand in the database as they are, and there is no two-factor authentication: run \
                        `(umask 077; openssl rand -base64 32 > byline.key)`, and set secret-key-file.";
        return Finding::warning(ABOUT, sentence);
    }
    Finding::fine(ABOUT, format!("The key is there ({source}); keep a copy elsewhere."))
}

/// A finding where something in the database is sealed with another key.
async fn another(source: &SecretKeySource, sealer: Option<&Sealer>, db: &mut Db) -> Option<Finding> {
    let fit = match sealing::fit(source, sealer, db).await {
        Ok(fit) => fit,
        Err(error) => {
            let sentence =
                format!("Whether the key opens what is sealed in the database is not known: {error}");
            return Some(Finding::problem(ABOUT, sentence));
        }
    };
    let other = SecretKeyError::Other { place: source.to_string() };
    let sentence = match fit {
        KeyFit::Opens => return None,
        KeyFit::Replaces => format!(
            "{other}; a start with another key makes them anew, so programs have to log in again, and mails that wait \
             are lost."
        ),
        KeyFit::Refused => format!(
            "{other}; `byline serve` does not start with another key, and `byline secrets reset` is for a key that is \
             lost."
        ),
    };
    Some(Finding::problem(ABOUT, sentence))
}
