//! The files of pictures: each is in the database or in an object store. The SQL of that,
//! and the way from an upload to there.

use axum::body::Bytes;
use futures::future::try_join_all;
use sqlx::AssertSqlSafe;

use super::{leftovers, reading::MadeFile};
use crate::{
    clock,
    database::{Db, execute, on_engine},
    error::AppError,
    media::{address::Hash, objects::new_object},
    objects::ObjectUrl,
    site::Site,
};

/// A file that is to be stored.
#[derive(Clone, Debug)]
pub(super) struct NewFile {
    pub(super) name: String,
    pub(super) place: Place<Bytes>,
}

/// Where a file is. In the database it is beside its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place<T> {
    Database(T),
    Object(ObjectUrl),
}

/// Brings new files to where the site keeps them now. Objects are written at once, rows
/// by [`insert`]; until then the objects are leftovers.
///
/// # Errors
/// [`AppError::PicturesAway`]; [`AppError::Busy`].
pub(super) async fn bring(site: &Site, hash: &Hash, files: Vec<MadeFile>) -> Result<Vec<NewFile>, AppError> {
    let objects = site.objects();
    let Some(place) = objects.place() else {
        let kept =
            files.into_iter().map(|MadeFile { name, body }| NewFile { name, place: Place::Database(body) });
        return Ok(kept.collect());
    };
    let named = files.into_iter().map(|file| Ok((new_object(place, hash, &file.name)?, file)));
    let named = named.collect::<Result<Vec<_>, AppError>>()?;
    leftovers::announce(site, named.iter().map(|(url, _)| url.clone()).collect()).await?;
    let written = named.into_iter().map(async |(url, MadeFile { name, body })| {
        objects.write(&url, body).await?;
        Ok::<_, AppError>(NewFile { name, place: Place::Object(url) })
    });
    try_join_all(written).await
}

/// The objects that new files have.
pub(super) fn objects_of(files: &[NewFile]) -> Vec<ObjectUrl> {
    let object = |file: &NewFile| match &file.place {
        Place::Database(_) => None,
        Place::Object(url) => Some(url.clone()),
    };
    files.iter().filter_map(object).collect()
}

/// Stores where a file is, unless there is one of that name: another author may have the
/// same picture.
///
/// # Errors
/// [`AppError::Busy`] if its object is a leftover by now.
pub(super) async fn insert(db: &mut Db, hash: &str, file: &NewFile) -> Result<(), AppError> {
    if exists(db, &file.name).await? {
        return Ok(());
    }
    match &file.place {
        Place::Database(body) => execute!(db => sqlx::query(
                "INSERT INTO media_files (name, hash, body) VALUES ($1, $2, $3)",
            )
            .bind(&file.name)
            .bind(hash)
            .bind(&body[..]))?,
        Place::Object(url) => {
            leftovers::take(db, url).await?;
            execute!(db => sqlx::query("INSERT INTO media_objects (name, hash, url) VALUES ($1, $2, $3)")
                .bind(&file.name)
                .bind(hash)
                .bind(url.to_string()))?
        }
    };
    Ok(())
}

/// Forgets that a file is in an object store.
pub(super) async fn lose(db: &mut Db, name: &str) -> Result<(), AppError> {
    execute!(db => sqlx::query("DELETE FROM media_objects WHERE name = $1").bind(name))?;
    Ok(())
}

/// The file of that name, or where it is.
pub(super) async fn find(db: &mut Db, name: &str) -> Result<Option<Place<Vec<u8>>>, AppError> {
    // One statement sees a file that is being moved in exactly one place.
    let row: Option<(Option<Vec<u8>>, Option<String>)> = on_engine!(db => sqlx::query_as(
            "SELECT body, CAST(NULL AS TEXT) AS url FROM media_files WHERE name = $1
             UNION ALL SELECT NULL, url FROM media_objects WHERE name = $1",
        )
        .bind(name)
        .fetch_optional(db)
        .await?);
    Ok(match row {
        Some((Some(body), _)) => Some(Place::Database(body)),
        Some((None, Some(url))) => Some(Place::Object(ObjectUrl::from_stored(&url)?)),
        Some((None, None)) | None => None,
    })
}

/// Whether there is a file of that name.
pub(super) async fn exists(db: &mut Db, name: &str) -> Result<bool, AppError> {
    let found: i64 = on_engine!(db => sqlx::query_scalar(
            "SELECT (SELECT COUNT(*) FROM media_files WHERE name = $1)
                  + (SELECT COUNT(*) FROM media_objects WHERE name = $1)",
        )
        .bind(name)
        .fetch_one(db)
        .await?);
    Ok(found > 0)
}

/// Removes the files of pictures that nobody has: of all, or of the one with that hash.
pub(super) async fn forget(db: &mut Db, hash: Option<&Hash>) -> Result<(), AppError> {
    let of_one = if hash.is_some() { "hash = $1" } else { "CAST($1 AS TEXT) IS NULL" };
    let unused = |table: &str| {
        format!(
            "FROM {table} WHERE {of_one} AND NOT EXISTS (SELECT 1 FROM media WHERE media.hash = {table}.hash)"
        )
    };
    let leave = format!(
        "INSERT INTO media_leftovers (url, remove_at, is_taken) SELECT url, $2, 1 {}
         ON CONFLICT (url) DO NOTHING",
        unused("media_objects")
    );
    let hash = hash.map(Hash::as_str);
    execute!(db => sqlx::query(AssertSqlSafe(leave)).bind(hash).bind(clock::now().micros()))?;
    for table in ["media_files", "media_objects"] {
        execute!(db => sqlx::query(AssertSqlSafe(format!("DELETE {}", unused(table)))).bind(hash))?;
    }
    Ok(())
}

/// Files that are not below `start` in an object store, in the order of their names: those
/// behind `after`. Without `start`, files that are not in the database.
pub(super) async fn elsewhere(
    db: &mut Db,
    start: Option<&str>,
    after: &str,
    limit: i64,
) -> Result<Vec<String>, AppError> {
    Ok(match start {
        Some(start) => on_engine!(db => sqlx::query_scalar(
                "SELECT name FROM media_files WHERE name > $2
                 UNION ALL
                 SELECT name FROM media_objects WHERE name > $2 AND substr(url, 1, length($1)) <> $1
                 ORDER BY name LIMIT $3",
            )
            .bind(start)
            .bind(after)
            .bind(limit)
            .fetch_all(db)
            .await?),
        None => on_engine!(db => sqlx::query_scalar(
                "SELECT name FROM media_objects WHERE name > $1 ORDER BY name LIMIT $2",
            )
            .bind(after)
            .bind(limit)
            .fetch_all(db)
            .await?),
    })
}

/// What becomes of an object that was moved away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Originals {
    Removed,
    /// Another site has them as well.
    Kept,
}

/// Stores that a file is now elsewhere. `false` if it is not where it was any more.
///
/// # Errors
/// As [`insert`].
pub(super) async fn settle(
    db: &mut Db,
    from: &Place<()>,
    file: &NewFile,
    originals: Originals,
) -> Result<bool, AppError> {
    let name = &file.name;
    let hash: Option<String> = match from {
        Place::Database(()) => on_engine!(db => sqlx::query_scalar(
                "DELETE FROM media_files WHERE name = $1 RETURNING hash",
            )
            .bind(name)
            .fetch_optional(db)
            .await?),
        Place::Object(url) => on_engine!(db => sqlx::query_scalar(
                "DELETE FROM media_objects WHERE name = $1 AND url = $2 RETURNING hash",
            )
            .bind(name)
            .bind(url.to_string())
            .fetch_optional(db)
            .await?),
    };
    let Some(hash) = hash else { return Ok(false) };
    insert(db, &hash, file).await?;
    if let (Place::Object(url), Originals::Removed) = (from, originals) {
        leftovers::leave(db, url).await?;
    }
    Ok(true)
}
