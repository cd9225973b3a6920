//! Objects that no picture has: those that an upload is writing, those of an upload that
//! did not come to its end, and those of pictures that are gone.
//!
//! An upload first stores the names of its objects here, then writes them, and then takes
//! the names away in the transaction that stores the picture. So a crash at any point
//! leaves no object that nobody knows. Before an object is removed, its name is marked
//! (`is_taken`), and an upload takes no marked name. Both happen in the one order of the
//! site, so an object is either a picture's or removed, whoever is slow.

use std::time::Duration;

use futures::future::join_all;
use sqlx::FromRow;

use crate::{
    clock,
    database::{Db, execute, on_engine},
    error::AppError,
    objects::ObjectUrl,
    site::Site,
};

/// The longest time for an upload, with much to spare.
const UPLOAD: Duration = Duration::from_secs(60 * 60);
/// After a removal that failed, the next try.
const AGAIN: Duration = Duration::from_secs(10 * 60);
/// Objects that are removed at a time.
const AT_A_TIME: i64 = 8;

/// Notes objects that are about to be written.
///
/// # Errors
/// [`AppError::Busy`]
pub(super) async fn announce(site: &Site, urls: Vec<ObjectUrl>) -> Result<(), AppError> {
    site.database
        .write(urls, |db, urls| {
            Box::pin(async move {
                for url in urls {
                    execute!(db => sqlx::query(
                            "INSERT INTO media_leftovers (url, remove_at, is_taken) VALUES ($1, $2, 0)",
                        )
                        .bind(url.to_string())
                        .bind(clock::now().after(UPLOAD).micros()))?;
                }
                Ok(())
            })
        })
        .await
}

/// Takes an object that was announced for a picture.
///
/// # Errors
/// [`AppError::Busy`] if the upload took so long that the object is being removed.
pub(super) async fn take(db: &mut Db, url: &ObjectUrl) -> Result<(), AppError> {
    let taken = execute!(db => sqlx::query("DELETE FROM media_leftovers WHERE url = $1 AND is_taken = 0")
        .bind(url.to_string()))?;
    if taken == 1 { Ok(()) } else { Err(AppError::Busy { retry_after: 5 }) }
}

/// Leaves the objects of an upload that failed, unless a picture has them: whether a
/// transaction was committed is not always known. What wrote them may have been so slow
/// that they were removed before.
pub(super) async fn give_up(site: &Site, urls: Vec<ObjectUrl>) -> Result<(), AppError> {
    site.database
        .write_in_order(
            urls,
            |db, urls| {
                Box::pin(async move {
                    for url in urls {
                        execute!(db => sqlx::query(
                                "INSERT INTO media_leftovers (url, remove_at, is_taken)
                                 SELECT $1, $2, 1 WHERE NOT EXISTS (SELECT 1 FROM media_objects WHERE url = $1)
                                 ON CONFLICT (url) DO UPDATE SET remove_at = excluded.remove_at, is_taken = 1",
                            )
                            .bind(url.to_string())
                            .bind(clock::now().micros()))?;
                    }
                    Ok(())
                })
            },
            |()| (),
        )
        .await
}

/// Leaves an object that a picture had.
pub(super) async fn leave(db: &mut Db, url: &ObjectUrl) -> Result<(), AppError> {
    execute!(db => sqlx::query(
            "INSERT INTO media_leftovers (url, remove_at, is_taken) VALUES ($1, $2, 1)
             ON CONFLICT (url) DO NOTHING",
        )
        .bind(url.to_string())
        .bind(clock::now().micros()))?;
    Ok(())
}

/// [`remove`], without waiting for it. What fails, housekeeping tries again.
pub(super) fn remove_soon(site: &Site) {
    let site = site.clone();
    tokio::spawn(async move {
        // The store has had its words in the log.
        let _ = remove(&site).await;
    });
}

/// Removes all objects that are due.
///
/// # Errors
/// [`AppError::PicturesAway`]; [`AppError::Busy`].
pub async fn remove(site: &Site) -> Result<(), AppError> {
    if !is_any_due(&mut site.database.read().await?).await? {
        return Ok(());
    }
    site.database.write_in_order((), |db, ()| Box::pin(mark(db)), |()| ()).await?;
    loop {
        let due = due(&mut site.database.read().await?).await?;
        if due.is_empty() {
            return Ok(());
        }
        let removals = due.iter().map(async |Due { url, .. }| {
            let url = ObjectUrl::from_stored(url)?;
            Ok::<_, AppError>(site.objects().remove(&url).await?)
        });
        let outcomes = join_all(removals).await.into_iter().map(|outcome| outcome.is_ok());
        let outcomes: Vec<_> = outcomes.zip(due).collect();
        let is_away = !outcomes.iter().any(|(is_removed, _)| *is_removed);
        site.database
            .write(outcomes, |db, outcomes| {
                Box::pin(async move {
                    for (is_removed, due) in outcomes {
                        if is_removed { forget(db, &due).await? } else { put_off(db, &due.url).await? }
                    }
                    Ok(())
                })
            })
            .await?;
        if is_away {
            return Err(AppError::PicturesAway { retry_after: 600 });
        }
    }
}

async fn is_any_due(db: &mut Db) -> Result<bool, AppError> {
    let found: Option<i64> = on_engine!(db => sqlx::query_scalar(
            "SELECT remove_at FROM media_leftovers WHERE remove_at <= $1 LIMIT 1",
        )
        .bind(clock::now().micros())
        .fetch_optional(db)
        .await?);
    Ok(found.is_some())
}

/// From now on no upload takes what is due.
async fn mark(db: &mut Db) -> Result<(), AppError> {
    execute!(db => sqlx::query(
            "UPDATE media_leftovers SET is_taken = 1 WHERE is_taken = 0 AND remove_at <= $1",
        )
        .bind(clock::now().micros()))?;
    Ok(())
}

/// An object that is to be removed.
#[derive(Clone, Debug, FromRow)]
struct Due {
    url: String,
    remove_at: i64,
}

async fn due(db: &mut Db) -> Result<Vec<Due>, AppError> {
    Ok(on_engine!(db => sqlx::query_as(
            "SELECT url, remove_at FROM media_leftovers WHERE is_taken = 1 AND remove_at <= $1
             ORDER BY remove_at LIMIT $2",
        )
        .bind(clock::now().micros())
        .bind(AT_A_TIME)
        .fetch_all(db)
        .await?))
}

/// Forgets an object that was removed, unless an upload has left it once more meanwhile.
async fn forget(db: &mut Db, due: &Due) -> Result<(), AppError> {
    execute!(db => sqlx::query("DELETE FROM media_leftovers WHERE url = $1 AND remove_at = $2")
        .bind(&due.url)
        .bind(due.remove_at))?;
    Ok(())
}

async fn put_off(db: &mut Db, url: &str) -> Result<(), AppError> {
    execute!(db => sqlx::query("UPDATE media_leftovers SET remove_at = $1 WHERE url = $2")
        .bind(clock::now().after(AGAIN).micros())
        .bind(url))?;
    Ok(())
}
