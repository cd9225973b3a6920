//! The use cases of posts. Every way in (page, form, script, command line)
//! ends here with an [`Actor`]. What readers have been shown is out of date as
//! soon as a change is on the disk, whether or not its author still listens.

use std::sync::Arc;

use super::{Draft, policy, store};
use crate::{
    credentials::Actor,
    error::AppError,
    posts::{Page, PageRequest, Post, PostId},
    server::{
        Site, clock,
        events::{EventKind, store as events},
        idempotency::{self, IdempotencyKey, Wish},
    },
};

/// One page of all posts. Everyone may.
///
/// # Errors
/// Those of the database.
pub async fn list(site: &Site, actor: &Actor, request: PageRequest) -> Result<Page, AppError> {
    store::page(&mut site.reader_for(actor).await?, None, request).await
}

/// One page of the actor's own posts.
///
/// # Errors
/// [`AppError::NotSignedIn`].
pub async fn list_own(site: &Site, actor: &Actor, request: PageRequest) -> Result<Page, AppError> {
    let owner = &actor.user()?.id;
    store::page(&mut site.reader_for(actor).await?, Some(owner), request).await
}

/// One post. Everyone may.
///
/// # Errors
/// [`AppError::NotFound`].
pub async fn get(site: &Site, actor: &Actor, id: &PostId) -> Result<Post, AppError> {
    store::find(&mut site.reader_for(actor).await?, id).await?.ok_or(AppError::NotFound)
}

/// One post that the actor may change.
///
/// # Errors
/// [`AppError::NotSignedIn`], [`AppError::Forbidden`], [`AppError::NotFound`].
pub async fn own(site: &Site, actor: &Actor, id: &PostId) -> Result<Post, AppError> {
    actor.user()?;
    let post = get(site, actor, id).await?;
    policy::may_change(actor, &post.owner)?;
    Ok(post)
}

/// Publishes a post; once per key (security row D5).
///
/// # Errors
/// [`AppError::NotSignedIn`].
pub async fn create(
    site: &Site,
    actor: &Actor,
    draft: Draft,
    key: Option<IdempotencyKey>,
) -> Result<Post, AppError> {
    let owner = policy::may_create(actor)?.clone();
    let bus = Arc::clone(&site.bus);
    let (post, _) = site
        .database
        .write_then(
            (owner, draft, key),
            |db, (owner, draft, key)| {
                Box::pin(async move {
                    if let Some(key) = &key
                        && let Some(id) = idempotency::remembered(db, &owner.id, Wish::CreatePost, key)
                            .await?
                            .and_then(|id| PostId::parse(&id))
                    {
                        // The post may be gone by now; then there is nothing to show.
                        return Ok((store::find(db, &id).await?.ok_or(AppError::NotFound)?, None));
                    }
                    let post = store::insert(db, &owner, &draft, clock::now()).await?;
                    if let Some(key) = &key {
                        idempotency::remember(db, &owner.id, Wish::CreatePost, key, post.id.as_str()).await?;
                    }
                    let event = events::record(db, EventKind::Created, &post.id, &owner.username).await?;
                    Ok((post, Some(event)))
                })
            },
            move |(_, event)| bus.committed(event.as_ref()),
        )
        .await?;
    Ok(post)
}

/// Saves an edit that started from `version` (security row D4). The same text
/// sent twice is one edit.
///
/// # Errors
/// [`AppError::NotSignedIn`], [`AppError::Forbidden`], [`AppError::NotFound`],
/// [`AppError::Conflict`].
pub async fn update(
    site: &Site,
    actor: &Actor,
    id: &PostId,
    version: i64,
    draft: Draft,
) -> Result<Post, AppError> {
    let bus = Arc::clone(&site.bus);
    let (post, _) = site
        .database
        .write_then(
            (actor.clone(), id.clone(), version, draft),
            |db, (actor, id, version, draft)| {
                Box::pin(async move {
                    let editor = actor.user()?;
                    let current = store::find(db, &id).await?.ok_or(AppError::NotFound)?;
                    policy::may_change(&actor, &current.owner)?;
                    if (&current.title, &current.content) == (&draft.title, &draft.content) {
                        return Ok((current, None));
                    }
                    let post = store::update(db, &id, &editor.id, version, &draft, clock::now())
                        .await?
                        .ok_or_else(|| AppError::Conflict { current: Box::new(current) })?;
                    let event = events::record(db, EventKind::Changed, &id, &editor.username).await?;
                    Ok((post, Some(event)))
                })
            },
            move |(_, event)| bus.committed(event.as_ref()),
        )
        .await?;
    Ok(post)
}

/// Deletes a post for good; with a key, sent twice is deleted once.
///
/// # Errors
/// [`AppError::NotSignedIn`], [`AppError::Forbidden`], [`AppError::NotFound`].
pub async fn delete(
    site: &Site,
    actor: &Actor,
    id: &PostId,
    key: Option<IdempotencyKey>,
) -> Result<(), AppError> {
    let bus = Arc::clone(&site.bus);
    site.database
        .write_then(
            (actor.clone(), id.clone(), key),
            |db, (actor, id, key)| {
                Box::pin(async move {
                    let user = actor.user()?;
                    if let Some(key) = &key
                        && idempotency::remembered(db, &user.id, Wish::DeletePost, key).await?.as_deref()
                            == Some(id.as_str())
                    {
                        return Ok(None);
                    }
                    let post = store::find(db, &id).await?.ok_or(AppError::NotFound)?;
                    policy::may_change(&actor, &post.owner)?;
                    store::delete(db, &id, &user.id).await?;
                    if let Some(key) = &key {
                        idempotency::remember(db, &user.id, Wish::DeletePost, key, id.as_str()).await?;
                    }
                    let event = events::record(db, EventKind::Deleted, &id, &user.username).await?;
                    Ok(Some(event))
                })
            },
            move |event| bus.committed(event.as_ref()),
        )
        .await
        .map(drop)
}
