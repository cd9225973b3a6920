//! `byline copy`

use std::{fmt::Write, path::PathBuf};

use clap::Args;

use super::failure::Failure;
use crate::{
    config::{SecretKeySource, StartError, read_database_url},
    credentials::sealing,
    database::DatabaseUrl,
    ops::copy,
};

/// The table that says where in an object store a file is.
const OBJECTS: &str = "media_objects";

#[derive(Args, Debug)]
pub(super) struct Copy {
    /// The database of the site; it is only read, and may be in use
    #[arg(long, value_name = "URL", required_unless_present = "from_file", conflicts_with = "from_file")]
    from: Option<String>,
    /// File with the URL of the site's database
    #[arg(long, value_name = "FILE")]
    from_file: Option<PathBuf>,
    /// An empty database that is not in use; a SQLite file is created if it is missing
    #[arg(long, value_name = "URL", required_unless_present = "to_file", conflicts_with = "to_file")]
    to: Option<String>,
    /// File with the URL of the empty database
    #[arg(long, value_name = "FILE")]
    to_file: Option<PathBuf>,
}

/// The database that a flag names, or the file that another flag names. Parsed here,
/// because clap would show the password in a wrong URL.
pub(super) fn database(
    flag: &'static str,
    url: Option<String>,
    file: Option<PathBuf>,
) -> Result<DatabaseUrl, Failure> {
    match file {
        Some(file) => Ok(read_database_url(flag, &file)?),
        None => {
            let url = url.unwrap_or_default().parse::<DatabaseUrl>();
            url.map_err(|error| Failure::Refused(format!("{flag}: {error}")))
        }
    }
}

pub(super) async fn run(databases: Copy, secret_key_file: Option<PathBuf>) -> Result<String, Failure> {
    let from = database("--from", databases.from, databases.from_file)?;
    let to = database("--to", databases.to, databases.to_file)?;
    let source = SecretKeySource::of_environment(secret_key_file, &from);
    let sealer = sealing::to_read(&source).map_err(StartError::from)?;
    let copied = copy::copy(&from, &to, sealer.as_ref()).await?;
    if copied.iter().any(|copied| copied.table.name == OBJECTS && copied.checksum.rows > 0) {
        tracing::warn!(
            "files of pictures are in an object store, and both databases name them: serve one of the two alone, \
             or run `byline media move --keep` on the copy first"
        );
    }
    let mut said = String::new();
    for table in copied {
        let _ = writeln!(said, "{}: {}", table.table.name, table.checksum);
    }
    let _ = writeln!(said, "{to} now holds the site as it was in {from} when the copy began.");
    Ok(said)
}
