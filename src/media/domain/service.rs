//! What people do with their pictures. Only their owners know of them as pictures; the
//! files are for everyone who has their address, as texts that show them are.

use std::time::Duration;

use axum::body::Bytes;

use super::{
    MAX_BYTES, Refused, files, leftovers, reading,
    store::{self, Stored},
    studio::invalid,
    uses::{self, Use, Uses},
};
use crate::{
    accounts::domain::contact::may_write,
    clock,
    config::MediaQuota,
    credentials::{Actor, UserId},
    database::Db,
    error::{AppError, Field, Parsed},
    media::{Alt, Picture, address::Hash},
    site::Site,
};

/// Pictures of one page of a list.
pub const PAGE: i64 = 24;
/// New pictures of an author in an hour at most; the quota bounds their bytes.
const MOST_IN_AN_HOUR: i64 = 300;
const HOUR: Duration = Duration::from_secs(60 * 60);

/// A picture that somebody sends.
#[derive(Clone, Debug)]
pub struct Upload {
    pub file: Bytes,
    pub alt: Alt,
}

/// Stores a picture of the actor's. The same file once more is the same picture, with the
/// description that comes with it, if one does.
///
/// # Errors
/// [`AppError::NotSignedIn`]; [`AppError::EmailNotConfirmed`]; [`AppError::Invalid`] with
/// what is wrong with the file, or when the quota is used up; [`AppError::TooMany`];
/// [`AppError::Busy`]; [`AppError::PicturesAway`].
pub async fn upload(site: &Site, actor: &Actor, upload: Parsed<Upload>) -> Result<Picture, AppError> {
    let owner = actor.user()?.clone();
    may_write(site, &owner).await?;
    store_picture(site, actor, upload, MOST_IN_AN_HOUR).await
}

/// [`upload`], for whoever runs the site and brings pictures from elsewhere: how many an
/// author may upload in an hour does not count. The quota does.
///
/// # Errors
/// As [`upload`].
pub async fn bring(site: &Site, actor: &Actor, upload: Upload) -> Result<Picture, AppError> {
    store_picture(site, actor, Ok(upload), i64::MAX).await
}

/// The actor's picture that was made of this file, if there is one.
///
/// # Errors
/// [`AppError::NotSignedIn`]; [`AppError::Invalid`] if the file can be no picture.
pub async fn find_file(site: &Site, actor: &Actor, file: &[u8]) -> Result<Option<Picture>, AppError> {
    let owner = &actor.user()?.id;
    if file.len() > MAX_BYTES {
        return Err(invalid(Refused::TooManyBytes));
    }
    reading::format(file).map_err(invalid)?;
    let db = &mut site.reader_for(actor).await?;
    Ok(store::find_hash(db, owner, &Hash::of(file)).await?.map(Picture::from))
}

async fn store_picture(
    site: &Site,
    actor: &Actor,
    upload: Parsed<Upload>,
    most_in_an_hour: i64,
) -> Result<Picture, AppError> {
    let owner = actor.user()?.clone();
    let quota: MediaQuota = *site.part();
    if !quota.takes_pictures() {
        return Err(AppError::invalid(Field::File, "This site takes no pictures"));
    }
    let Upload { file, alt } = upload?;
    if file.len() > MAX_BYTES {
        return Err(invalid(Refused::TooManyBytes));
    }
    // What is no picture costs no hash and no turn.
    reading::format(&file).map_err(invalid)?;
    let hash = Hash::of(&file);
    let owner = owner.id;
    {
        let db = &mut site.reader_for(actor).await?;
        if let Some(stored) = store::find_hash(db, &owner, &hash).await? {
            return described(site, owner, stored, alt).await;
        }
        if store::count_since(db, &owner, clock::before(HOUR)).await? >= most_in_an_hour {
            return Err(AppError::TooMany { retry_after: 600 });
        }
        require_room(db, &owner, quota, 0).await?;
    }
    let prepared = site.studio().prepare(&owner, file, hash).await?;
    let stored = Stored {
        id: uuid::Uuid::now_v7().to_string(),
        bytes: prepared.bytes(),
        address: prepared.address,
        alt,
        created_at: clock::now(),
    };
    let files = files::bring(site, &stored.address.hash, prepared.files).await?;
    let objects = files::objects_of(&files);
    // In one order with deletions: a picture that somebody else deletes takes no file of
    // this one with it.
    let outcome = site
        .database
        .write_in_order(
            (owner, stored, files),
            move |db, (owner, stored, files)| {
                Box::pin(async move {
                    if let Some(stored) = store::find_hash(db, &owner, &stored.address.hash).await? {
                        return Ok(stored.into());
                    }
                    require_room(db, &owner, quota, stored.bytes).await?;
                    store::insert(db, &owner, &stored, &files).await?;
                    Ok(stored.into())
                })
            },
            |_| (),
        )
        .await;
    if outcome.is_err() && !objects.is_empty() {
        // If this fails as well, they are removed in an hour.
        let _ = leftovers::give_up(site, objects).await;
    }
    outcome
}

/// A picture that its author has sent once more.
async fn described(site: &Site, owner: UserId, mut stored: Stored, alt: Alt) -> Result<Picture, AppError> {
    if !alt.is_empty() && alt != stored.alt {
        stored.alt = alt;
        let input = (owner, stored.id.clone(), stored.alt.clone());
        site.database
            .write(input, |db, (owner, id, alt)| {
                Box::pin(async move { store::set_alt(db, &owner, &id, &alt).await })
            })
            .await?;
    }
    Ok(stored.into())
}

async fn require_room(db: &mut Db, owner: &UserId, quota: MediaQuota, more: i64) -> Result<(), AppError> {
    let used = store::bytes(db, owner).await?;
    if used < quota.bytes() && used + more <= quota.bytes() {
        return Ok(());
    }
    let message = format!(
        "Your pictures take {} of {} MiB, so there is no room for this one. Delete some first",
        used >> 20,
        quota.bytes() >> 20,
    );
    Err(AppError::invalid(Field::File, message))
}

/// The actor's pictures, the newest first, [`PAGE`] at most: those before `before`.
///
/// # Errors
/// [`AppError::NotSignedIn`].
pub async fn list(site: &Site, actor: &Actor, before: Option<&str>) -> Result<Vec<Picture>, AppError> {
    let owner = &actor.user()?.id;
    let stored = store::list(&mut site.reader_for(actor).await?, owner, before, PAGE).await?;
    Ok(stored.into_iter().map(Picture::from).collect())
}

/// The actor's pictures as [`list`] has them, each with the texts of theirs that show it,
/// and how many bytes all of theirs take. A picture without a description has that of a text.
///
/// # Errors
/// As [`list`]; [`AppError::Busy`] when there are too many texts.
pub async fn overview(
    site: &Site,
    actor: &Actor,
    before: Option<&str>,
) -> Result<(Vec<(Picture, Vec<Use>)>, i64), AppError> {
    let owner = &actor.user()?.id;
    let db = &mut site.reader_for(actor).await?;
    let stored = store::list(db, owner, before, PAGE).await?;
    let bytes = store::bytes(db, owner).await?;
    let mut uses = match stored.is_empty() {
        true => uses::UsesOfAuthor::new(),
        false => uses::of_author(site, db, owner).await?,
    };
    let pictures = stored.into_iter().map(|stored| {
        let uses = uses.remove(&stored.address.hash).unwrap_or_default();
        let (stored, texts) = in_use(stored, uses);
        (stored.into(), texts)
    });
    Ok((pictures.collect(), bytes))
}

/// A picture and the texts that show it. Without a description, it has that of a text: people
/// write it where they show the picture.
fn in_use(stored: Stored, uses: Uses) -> (Stored, Vec<Use>) {
    let alt = if stored.alt.is_empty() { uses.alt } else { stored.alt };
    (Stored { alt, ..stored }, uses.texts)
}

/// One of the actor's pictures, and the texts of theirs that show it, as [`overview`] has them.
///
/// # Errors
/// [`AppError::NotSignedIn`]; [`AppError::NotFound`], also for another's.
pub async fn get(site: &Site, actor: &Actor, id: &str) -> Result<(Picture, Vec<Use>), AppError> {
    let (stored, uses) = find(site, actor, id).await?;
    Ok((stored.into(), uses))
}

async fn find(site: &Site, actor: &Actor, id: &str) -> Result<(Stored, Vec<Use>), AppError> {
    let owner = &actor.user()?.id;
    let db = &mut site.reader_for(actor).await?;
    let stored = store::find(db, owner, id).await?.ok_or(AppError::NotFound)?;
    let uses = uses::of_author(site, db, owner).await?.remove(&stored.address.hash);
    Ok(in_use(stored, uses.unwrap_or_default()))
}

/// Deletes a picture of the actor's that none of their texts shows.
///
/// # Errors
/// [`AppError::NotSignedIn`]; [`AppError::NotFound`], also for another's;
/// [`AppError::Invalid`] with the texts that show it.
pub async fn delete(site: &Site, actor: &Actor, id: &str) -> Result<(), AppError> {
    let (stored, uses) = find(site, actor, id).await?;
    if !uses.is_empty() {
        let mut titles: Vec<_> = uses.iter().map(|text| format!("“{}”", text.title)).collect();
        // A post and its earlier versions have the same.
        titles.sort_unstable();
        titles.dedup();
        let message = format!("Take the picture out of these texts first: {}", titles.join(", "));
        return Err(AppError::invalid(Field::File, message));
    }
    let owner = actor.user()?.id.clone();
    let files = site.clone();
    let deleted = site.database.write_in_order(
        (owner, stored),
        |db, (owner, stored)| Box::pin(async move { store::delete(db, &owner, &stored).await }),
        move |_| files.served_files().forget(),
    );
    if deleted.await? == 0 {
        return Err(AppError::NotFound);
    }
    leftovers::remove_soon(site);
    Ok(())
}
