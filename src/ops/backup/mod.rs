//! Backups: one file with the whole site, made while the site is served.
//!
//! A backup holds a database of SQLite, made by the code of `byline copy` from either
//! engine, and a manifest with the count and hash of the rows of every table. Files of
//! pictures that are in an object store are brought into that database. A backup gets its
//! name only after it was read back and verified.

mod encryption;
mod file;
mod location;
mod manifest;
pub mod runs;
pub mod scheduled;
mod store;
mod workshop;

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use sqlx::AssertSqlSafe;

use self::{
    encryption::Keys,
    file::{DATABASE, KEY},
    manifest::{Packed, Rows},
    workshop::Workshop,
};
pub use self::{
    encryption::{Identity, identities},
    location::{Location, LocationError},
    manifest::{BackupError, Manifest, Secrets},
    store::Uploading,
};
use crate::{
    clock,
    config::{Recipient, SecretKeySource},
    credentials::sealing::{self, Sealer},
    database::{Access, Database, DatabaseConfig, DatabaseUrl, Db, Engine, on_engine, schema_steps},
    media::domain::gathering::{self, Gathered},
    objects::Stores,
    ops::copy::{self, Copied, CopyError},
    text::hex,
};

/// The name of a backup in its workshop.
const PACKED: &str = "backup";

/// What is to be in a backup, and who can open it.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The site, which may be served meanwhile.
    pub from: &'a DatabaseUrl,
    /// The key of the site, if it is known.
    pub sealer: Option<&'a Sealer>,
    /// Whether this key is in the backup.
    pub with_key: bool,
    /// Who can open it; it is not encrypted if this is empty.
    pub encrypt_to: &'a [Recipient],
    /// Has the files of pictures that are not in the database, and takes the backup if it is
    /// to be there.
    pub stores: &'a Stores,
    /// What is uploaded, for whoever drops the work before its end.
    pub uploading: &'a Uploading,
    /// Tells apart those that are made in the folder for temporary files.
    pub id: &'a str,
}

/// A backup that was made and verified.
#[derive(Debug)]
pub struct Made {
    pub manifest: Manifest,
    /// Of the file or the object.
    pub bytes: u64,
}

/// Makes a backup. In an object store it is made on this machine, uploaded, and read back.
///
/// # Errors
///
/// [`BackupError`]; then there is nothing of this name, or what was there. Only after
/// [`BackupError::NotReadBack`] there is an object.
pub async fn create(wanted: Wanted<'_>, to: &Location, replace: bool) -> Result<Made, BackupError> {
    let to = &to.absolute().map_err(|cause| BackupError::write(to, cause))?;
    match to {
        Location::File(file) => may_be_written(file, replace)?,
        Location::Object(url) => store::may_be_written(wanted.stores, url, replace).await?,
    }
    if wanted.with_key && wanted.sealer.is_none() {
        return Err(BackupError::NoKey);
    }
    Workshop::remove_all_left_elsewhere();
    let workshop = match to {
        Location::File(file) => Workshop::beside(file),
        Location::Object(_) => Workshop::elsewhere(wanted.id),
    };
    let workshop = workshop.map_err(|cause| BackupError::write(to, cause))?;
    let made = make(&wanted, &workshop, to).await;
    let (manifest, packed) = made.map_err(|error| match to {
        Location::File(_) => error,
        Location::Object(_) => error.or_no_room(workshop.path()),
    })?;
    let backup = workshop.file(PACKED);
    match to {
        Location::File(file) => put_in_place(&backup, file, replace)?,
        Location::Object(url) => {
            store::upload(wanted.stores, (&backup, &packed), url, replace, wanted.uploading).await?;
        }
    }
    Ok(Made { manifest, bytes: packed.bytes })
}

/// Makes the file [`PACKED`] in the workshop, and verifies it.
async fn make(
    wanted: &Wanted<'_>,
    workshop: &Workshop,
    to: &Location,
) -> Result<(Manifest, Packed), BackupError> {
    let Wanted { from, sealer, with_key, encrypt_to, stores, .. } = *wanted;
    let failed = |cause| BackupError::write(to, cause);
    let made_at = clock::now();
    let folder = workshop.folder("made").map_err(failed)?;
    let database = url_of(&folder.join(DATABASE)).map_err(failed)?;
    copy::copy(from, &database, sealer).await?;
    // A restored site needs no store. What the manifest says of the rows, it says of these
    // files as well.
    let Gathered { missing, missing_names, .. } = gathering::run(&database, from, stores).await?;
    let tables = rows_of(&database).await?;
    let files: &[&str] = if with_key { &[DATABASE, KEY] } else { &[DATABASE] };
    let in_folder = folder.clone();
    let files = blocking(move || files.iter().map(|name| file::describe(&in_folder, name)).collect()).await;
    let manifest = Manifest {
        format: Manifest::FORMAT,
        byline: env!("CARGO_PKG_VERSION").to_owned(),
        schema: newest_schema(),
        made_at,
        secrets: match (sealer, with_key) {
            (Some(_), true) => Secrets::SealedWithKey,
            (Some(_), false) => Secrets::Sealed,
            (None, _) if has_sealed(&database).await.map_err(|cause| failed(io::Error::other(cause)))? => {
                Secrets::Sealed
            }
            (None, _) => Secrets::Open,
        },
        files_elsewhere: 0,
        files_missing: missing,
        missing_names,
        tables,
        files: files.map_err(failed)?,
    };
    let into = workshop.file(PACKED);
    let keys = Keys::of(encrypt_to);
    // What counts is what can be read.
    let own: Vec<_> = keys.iter().map(|keys| keys.own().clone()).collect();
    blocking(move || {
        file::pack(&manifest, &folder, &into, keys.as_ref())?;
        // It is as large as the site, and not needed any more.
        fs::remove_dir_all(&folder)
    })
    .await
    .map_err(failed)?;
    let whole = workshop.path().to_owned();
    let packed = blocking(move || file::describe(&whole, PACKED)).await.map_err(failed)?;
    let check = workshop.folder("read back").map_err(failed)?;
    let manifest = unpack_and_check(&workshop.file(PACKED), to, &check, &own).await?;
    Ok((manifest, packed))
}

/// Unpacks the backup into a temporary database and compares all of it with what its
/// manifest says. One of the identities has to open it, if it is encrypted.
///
/// # Errors
///
/// [`BackupError`] if a byte of it has changed, or it is no backup.
pub async fn verify(
    backup: &Location,
    stores: &Stores,
    identities: &[Identity],
) -> Result<Manifest, BackupError> {
    Ok(Unpacked::of(backup, stores, identities).await?.manifest)
}

/// Verifies the backup and copies what is in it into `to`, which has to be empty.
///
/// # Errors
///
/// [`BackupError`]; then the target has no rows.
pub async fn restore(
    backup: &Location,
    stores: &Stores,
    identities: &[Identity],
    to: &DatabaseUrl,
) -> Result<(Manifest, Vec<Copied>), BackupError> {
    let Unpacked { manifest, folder, workshop: _workshop } = Unpacked::of(backup, stores, identities).await?;
    let failed = |cause| BackupError::read(backup, cause);
    let database = url_of(&folder.join(DATABASE)).map_err(failed)?;
    if manifest.schema != newest_schema() {
        Database::open(&DatabaseConfig::of(database.clone())).await?.close().await;
    }
    let sealer = match manifest.secrets {
        Secrets::SealedWithKey => sealing::to_read(&SecretKeySource::Named(folder.join(KEY)))?,
        Secrets::Sealed | Secrets::Open => None,
    };
    let copied = copy::copy(&database, to, sealer.as_ref()).await?;
    Ok((manifest, copied))
}

/// A backup that was verified, and is unpacked in a folder for as long as this exists.
struct Unpacked {
    manifest: Manifest,
    folder: PathBuf,
    workshop: Workshop,
}

impl Unpacked {
    async fn of(backup: &Location, stores: &Stores, identities: &[Identity]) -> Result<Self, BackupError> {
        let failed = |cause| BackupError::read(backup, cause);
        Workshop::remove_all_left_elsewhere();
        let workshop = Workshop::elsewhere(&uuid::Uuid::new_v4().to_string()).map_err(failed)?;
        let folder = workshop.folder("unpacked").map_err(failed)?;
        let unpacking = async {
            let local = match backup {
                Location::File(file) => file.clone(),
                Location::Object(url) => {
                    let local = workshop.file(PACKED);
                    store::download(stores, url, &local).await?;
                    local
                }
            };
            unpack_and_check(&local, backup, &folder, identities).await
        };
        let manifest = unpacking.await.map_err(|error: BackupError| error.or_no_room(workshop.path()))?;
        Ok(Self { manifest, folder, workshop })
    }
}

/// Checks the backup in a local file, which people know by its location.
async fn unpack_and_check(
    backup: &Path,
    at: &Location,
    folder: &Path,
    identities: &[Identity],
) -> Result<Manifest, BackupError> {
    let (from, into, identities) = (backup.to_owned(), folder.to_owned(), identities.to_vec());
    let called = at.clone();
    let unpacked = blocking(move || Ok(file::unpack(&from, &called, &into, &identities))).await;
    let manifest = unpacked.map_err(|cause| BackupError::read(at, cause))??;
    let damaged = |what: String| BackupError::Damaged { at: at.clone(), what };
    if manifest.schema > newest_schema() {
        return Err(BackupError::Newer { at: at.clone(), byline: manifest.byline });
    }
    let has_key = manifest.files.iter().any(|file| file.name == KEY);
    if has_key != (manifest.secrets == Secrets::SealedWithKey) {
        return Err(damaged("its manifest contradicts itself about the secret key".to_owned()));
    }
    let database = url_of(&folder.join(DATABASE)).map_err(|cause| BackupError::read(at, cause))?;
    let problem = problem_of(&database).await.map_err(|cause| damaged(format!("its database: {cause}")))?;
    if let Some(problem) = problem {
        return Err(damaged(format!("its database: {problem}")));
    }
    // An older schema has other columns; then the hash of the file has to be enough.
    if manifest.schema == newest_schema() {
        let found = rows_of(&database).await?;
        let other = found.iter().find(|rows| !manifest.tables.contains(rows));
        if let Some(Rows { table, .. }) = other {
            return Err(damaged(format!("{table} has other rows than its manifest says")));
        }
    }
    Ok(manifest)
}

/// Whether something in a database is sealed.
async fn has_sealed(database: &DatabaseUrl) -> Result<bool, String> {
    let opened = Db::dedicated(database, Access::Read).await;
    let mut db = opened.map_err(|error| error.to_string())?;
    let has_sealed = sealing::has_sealed(&mut db).await.map_err(|error| error.to_string())?;
    db.close().await.map_err(|error| error.to_string())?;
    Ok(has_sealed)
}

/// What SQLite finds wrong with a file, in its own words.
async fn problem_of(database: &DatabaseUrl) -> Result<Option<String>, sqlx::Error> {
    let opened = Db::dedicated(database, Access::Read).await;
    let mut connection = opened.map_err(|error| sqlx::Error::Protocol(error.to_string()))?;
    let db = &mut connection;
    let checks = [
        "SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok' LIMIT 1",
        "SELECT 'a row of ' || \"table\" || ' names one that is missing in ' || parent
         FROM pragma_foreign_key_check LIMIT 1",
    ];
    let mut problem = None;
    for check in checks {
        let db = &mut *db;
        problem = on_engine!(db => sqlx::query_scalar(AssertSqlSafe(check)).fetch_optional(db).await)?;
        if problem.is_some() {
            break;
        }
    }
    connection.close().await?;
    Ok(problem)
}

async fn rows_of(database: &DatabaseUrl) -> Result<Vec<Rows>, CopyError> {
    let checksums = copy::checksums(database).await?;
    let rows = |Copied { table, checksum }| Rows {
        table: table.name.to_owned(),
        rows: checksum.rows,
        sha256: hex(&checksum.sha256),
    };
    Ok(checksums.into_iter().map(rows).collect())
}

fn newest_schema() -> i64 {
    schema_steps(Engine::Sqlite).max().unwrap_or_default()
}

fn url_of(file: &Path) -> io::Result<DatabaseUrl> {
    let no_text = || io::Error::new(io::ErrorKind::InvalidFilename, "the path of its folder is not in UTF-8");
    DatabaseUrl::of_file(file).ok_or_else(no_text)
}

fn may_be_written(to: &Path, replace: bool) -> Result<(), BackupError> {
    let at = || Location::File(to.to_owned());
    if let Some(folder) = to.parent().filter(|folder| !folder.is_dir()) {
        return Err(BackupError::NoFolder(folder.to_owned()));
    }
    match fs::symlink_metadata(to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(cause) => Err(BackupError::write(&at(), cause)),
        Ok(_) if !replace => Err(BackupError::Exists(at())),
        Ok(found) if !found.is_file() => Err(BackupError::NotReplaced(at())),
        Ok(_) => {
            let head = encryption::head(to).map_err(|cause| BackupError::write(&at(), cause))?;
            if file::begins_as_backup(&head) { Ok(()) } else { Err(BackupError::NotReplaced(at())) }
        }
    }
}

/// Gives the finished file its name. Unless it replaces another, it takes no name that
/// somebody has given meanwhile.
fn put_in_place(finished: &Path, to: &Path, replace: bool) -> Result<(), BackupError> {
    let at = || Location::File(to.to_owned());
    let failed = |cause| BackupError::write(&at(), cause);
    let linked = if replace { Err(io::ErrorKind::Unsupported.into()) } else { fs::hard_link(finished, to) };
    match linked {
        Ok(()) => fs::remove_file(finished).map_err(failed)?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(BackupError::Exists(at()));
        }
        // It may be replaced, or this disk has no links.
        Err(_) => {
            may_be_written(to, replace)?;
            fs::rename(finished, to).map_err(failed)?;
        }
    }
    let folder = to.parent().unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
}

/// Runs work that waits for the disk.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|ended| Err(io::Error::other(ended)))
}
