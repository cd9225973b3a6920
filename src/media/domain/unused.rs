//! Pictures that no text of their author shows: they are removed after 30 days, and with an
//! account at once.

use std::time::Duration;

use super::{files, leftovers, store, uses};
use crate::{
    clock,
    credentials::{User, UserId},
    database::on_engine,
    error::AppError,
    site::Site,
    username::Username,
};

/// How long a picture that no text shows stays.
pub const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// How often texts are searched for an author's pictures.
const EVERY: Duration = Duration::from_secs(24 * 60 * 60);
/// Authors whose texts are searched at a time.
const AUTHORS: i64 = 20;

/// Searches the texts of some authors for their pictures, and removes what none has shown
/// for 30 days. Removes the objects that no picture has.
///
/// # Errors
/// [`AppError::Busy`]; [`AppError::PicturesAway`] with everything done but objects removed.
pub async fn run(site: &Site) -> Result<(), AppError> {
    let authors = {
        let db = &mut site.database.read().await?;
        store::unchecked_authors(db, clock::before(EVERY), AUTHORS).await?
    };
    for author in authors {
        if let Err(error) = check(site, &author).await {
            tracing::warn!(%error, user = author.as_str(), "the pictures of an author are not checked yet");
        }
    }
    site.database.write_in_order((), |db, ()| Box::pin(files::forget(db, None)), |()| ()).await?;
    leftovers::remove(site).await
}

async fn check(site: &Site, author: &UserId) -> Result<(), AppError> {
    let (uses, pictures) = {
        let db = &mut site.database.read().await?;
        (uses::of_author(site, db, author).await?, store::hashes(db, author).await?)
    };
    let pictures: Vec<_> = pictures.into_iter().map(|(id, hash)| (id, uses.contains_key(&hash))).collect();
    let removed = site.database.write_in_order(
        pictures,
        |db, pictures| {
            Box::pin(async move {
                let (now, gone) = (clock::now(), clock::before(KEPT));
                let mut removed = 0;
                for (id, is_used) in pictures {
                    if is_used {
                        store::note_used(db, &id, now).await?;
                    } else {
                        removed += store::note_unused(db, &id, now, gone).await?;
                    }
                }
                Ok(removed)
            })
        },
        |_| (),
    );
    let removed = removed.await?;
    if removed > 0 {
        tracing::info!(user = author.as_str(), removed, "pictures that no text showed were removed");
    }
    Ok(())
}

/// Gives the pictures of a deleted author that posts of `new_owner` show by now to that
/// account. The others go with the author's.
///
/// # Errors
/// [`AppError::Busy`]
pub async fn give_away(site: &Site, author: &User, new_owner: &Username) -> Result<(), AppError> {
    let (new_owner, shown) = {
        let db = &mut site.database.read().await?;
        let pictures = store::hashes(db, &author.id).await?;
        if pictures.is_empty() {
            return Ok(());
        }
        let id: Option<String> = on_engine!(db => sqlx::query_scalar("SELECT id FROM users WHERE username = $1")
            .bind(new_owner.as_str())
            .fetch_optional(db)
            .await?);
        let Some(new_owner) = id.map(UserId::from_stored) else { return Ok(()) };
        let uses = uses::of_author(site, db, &new_owner).await?;
        let shown = pictures.into_iter().filter(|(_, hash)| uses.contains_key(hash));
        (new_owner, shown.map(|(id, _)| id).collect::<Vec<_>>())
    };
    site.database
        .write_in_order(
            (new_owner, shown),
            |db, (new_owner, shown)| {
                Box::pin(async move {
                    for id in shown {
                        store::give(db, &id, &new_owner).await?;
                    }
                    Ok(())
                })
            },
            |()| (),
        )
        .await
}

/// Removes the files of pictures that nobody has any more, after an account was deleted.
///
/// # Errors
/// [`AppError::Busy`]; [`AppError::PicturesAway`] if objects wait to be removed.
pub async fn forget_files(site: &Site) -> Result<(), AppError> {
    let served = site.clone();
    site.database
        .write_in_order(
            (),
            |db, ()| Box::pin(files::forget(db, None)),
            move |()| served.served_files().forget(),
        )
        .await?;
    leftovers::remove(site).await
}
