//! Brings the files of pictures from object stores into a copy of a site's database, so
//! that the copy needs no store. The objects stay where they are, because they belong to the
//! site.

use std::time::Duration;

use axum::body::Bytes;
use futures::{StreamExt, stream};

use super::{
    files::{self, NewFile, Originals, Place},
    limits::MAX_MADE,
};
use crate::{
    database::{Access, DatabaseUrl, Db, OpenError},
    error::AppError,
    objects::{ObjectError, ObjectUrl, Stores},
};

/// Names of files that are read at a time, and written in one transaction.
const NAMES: i64 = 100;
/// Objects that are in memory at a time, each of [`MAX_MADE`] bytes at most.
const AT_A_TIME: usize = 4;
/// The longest time for one object.
const READ_TIME: Duration = Duration::from_secs(30);
/// The pauses after which an object is asked for again.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];
/// Names of missing files that are known afterwards.
const NAMED: usize = 20;

/// What was brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gathered {
    pub files: u64,
    /// Files that are in no object store, although the database of the site says so. The
    /// copy does not name them any more, because their objects belong to the site.
    pub missing: u64,
    /// The names of the first of them, 20 at most.
    pub missing_names: Vec<String>,
}

/// Why it ended early.
#[derive(Debug, thiserror::Error)]
pub enum GatherError {
    #[error("the file of a picture, {url}, cannot be read: {cause}")]
    Store { url: ObjectUrl, cause: ObjectError },
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The copy cannot be written, or the site cannot be read.
    #[error("{}", .0.sentences())]
    Database(AppError),
}

impl From<AppError> for GatherError {
    fn from(error: AppError) -> Self {
        Self::Database(error)
    }
}

/// Brings all of them. Nobody else uses the copy; the site may be served.
///
/// # Errors
/// [`GatherError`]; then some files are in the copy and some are not.
pub async fn run(copy: &DatabaseUrl, site: &DatabaseUrl, stores: &Stores) -> Result<Gathered, GatherError> {
    let mut gathered = Gathered::default();
    let mut after = String::new();
    let mut db = Db::dedicated(copy, Access::Write).await?;
    loop {
        let names = files::elsewhere(&mut db, None, &after, NAMES).await?;
        let Some(last) = names.last() else { break };
        after = last.clone();
        let mut objects = Vec::with_capacity(names.len());
        for name in names {
            if let Some(Place::Object(url)) = files::find(&mut db, &name).await? {
                objects.push((name, url));
            }
        }
        db.command("BEGIN").await.map_err(AppError::from)?;
        let mut reading = stream::iter(objects)
            .map(async |(name, url)| {
                let body = read(stores, &url).await;
                (name, url, body)
            })
            .buffered(AT_A_TIME);
        while let Some((name, url, body)) = reading.next().await {
            let body = match body {
                Err(ObjectError::Missing) => from_the_site(site, stores, &name, &url).await?,
                Err(cause) => return Err(GatherError::Store { url, cause }),
                Ok(body) => Found::File(body),
            };
            match body {
                Found::File(body) => {
                    let file = NewFile { name, place: Place::Database(body) };
                    files::settle(&mut db, &Place::Object(url), &file, Originals::Kept).await?;
                    gathered.files += 1;
                }
                Found::Deleted => files::lose(&mut db, &name).await?,
                Found::Missing => {
                    tracing::warn!(%url, "a file of a picture is not in the object store");
                    files::lose(&mut db, &name).await?;
                    gathered.missing += 1;
                    if gathered.missing_names.len() < NAMED {
                        gathered.missing_names.push(name);
                    }
                }
            }
        }
        drop(reading);
        db.command("COMMIT").await.map_err(AppError::from)?;
    }
    db.close().await.map_err(AppError::from)?;
    Ok(gathered)
}

enum Found {
    File(Bytes),
    /// Its picture was deleted after the copy was made.
    Deleted,
    Missing,
}

/// What the site says now of a file whose object is missing: it may have been moved or
/// deleted since the copy was made.
async fn from_the_site(
    site: &DatabaseUrl,
    stores: &Stores,
    name: &str,
    url: &ObjectUrl,
) -> Result<Found, GatherError> {
    let mut db = Db::dedicated(site, Access::Read).await?;
    let place = files::find(&mut db, name).await?;
    db.close().await.map_err(AppError::from)?;
    Ok(match place {
        None => Found::Deleted,
        Some(Place::Database(body)) => Found::File(body.into()),
        Some(Place::Object(now)) if now == *url => Found::Missing,
        Some(Place::Object(now)) => match read(stores, &now).await {
            Ok(body) => Found::File(body),
            Err(ObjectError::Missing) => Found::Missing,
            Err(cause) => return Err(GatherError::Store { url: now, cause }),
        },
    })
}

/// Reads an object, and asks again if the store is away for a moment.
async fn read(stores: &Stores, url: &ObjectUrl) -> Result<Bytes, ObjectError> {
    for pause in PAUSES {
        match stores.read(url, MAX_MADE, READ_TIME).await {
            Err(ObjectError::Away(_)) => tokio::time::sleep(pause).await,
            outcome => return outcome,
        }
    }
    stores.read(url, MAX_MADE, READ_TIME).await
}
