//! Posts that whoever runs the site has hidden from everyone: they lie in the trash of their
//! author, who reads why. Only whoever runs the site restores them.

use super::{
    service::change,
    store,
    trash::{self, Gone},
};
use crate::{
    accounts::domain::{
        audit::{self, AuditEvent, AuditKind, COMMAND_LINE},
        store as accounts,
    },
    clock,
    credentials::{RequestSource, User, UserId},
    database::{Db, execute, on_engine},
    error::AppError,
    posts::{
        Post, PostId, PostOrDraft,
        events::{EventKind, store as events},
    },
    site::Site,
};

/// Why a post is hidden, in words for its author: 1 to 500 characters, on one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HiddenReason(String);

/// Not a reason. The words are for whoever wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the reason must be one line of 1 to 500 characters; the author reads it")]
pub struct HiddenReasonError;

impl HiddenReason {
    /// Trims, then checks.
    ///
    /// # Errors
    /// [`HiddenReasonError`].
    pub fn parse(raw: &str) -> Result<Self, HiddenReasonError> {
        let reason = raw.trim();
        let fits = reason.chars().count() <= 500 && !reason.chars().any(char::is_control);
        if fits && !crate::text::is_blank(reason) {
            Ok(Self(reason.to_owned()))
        } else {
            Err(HiddenReasonError)
        }
    }
}

/// Hides a published post: everybody hears of it as of a deletion.
///
/// # Errors
/// [`AppError::NotFound`] where no such post is published; [`AppError::Busy`].
pub async fn hide(site: &Site, id: &PostId, reason: HiddenReason) -> Result<(), AppError> {
    let owner = owner_of_published(&mut site.database.read().await?, id).await?.ok_or(AppError::NotFound)?;
    change(site, (owner, id.clone(), reason), |db, (owner, id, HiddenReason(reason))| {
        Box::pin(async move {
            let now = clock::now();
            store::delete(db, &id, &owner.id, now).await?.ok_or(AppError::NotFound)?;
            execute!(db => sqlx::query(
                    "UPDATE trashed_posts SET hidden_reason = $1 WHERE id = $2 AND trashed_at = $3",
                )
                .bind(&reason)
                .bind(id.as_str())
                .bind(now.micros()))?;
            let event = AuditEvent {
                detail: id.as_str(),
                ..AuditEvent::of(AuditKind::PostHidden, &owner, COMMAND_LINE)
            };
            audit::record(db, event, &RequestSource::command_line()).await?;
            let event = events::record(db, EventKind::Deleted, &id, &owner.username).await?;
            Ok(((), Some(event)))
        })
    })
    .await
}

/// Publishes a hidden post again, as [`trash::restore`] does for its author.
///
/// # Errors
/// [`AppError::NotFound`] where no such post is hidden; [`AppError::Busy`].
pub async fn restore(site: &Site, id: &PostId) -> Result<Post, AppError> {
    let owner = owner_of_hidden(&mut site.database.read().await?, id).await?.ok_or(AppError::NotFound)?;
    let PostOrDraft::Published(post) = trash::restore_of(site, owner.clone(), id, Gone::Hidden).await? else {
        return Err(AppError::NotFound);
    };
    site.database
        .write((owner, id.clone()), |db, (owner, id)| {
            Box::pin(async move {
                let event = AuditEvent {
                    detail: id.as_str(),
                    ..AuditEvent::of(AuditKind::PostRestored, &owner, COMMAND_LINE)
                };
                audit::record(db, event, &RequestSource::command_line()).await
            })
        })
        .await?;
    Ok(post)
}

async fn owner_of_published(db: &mut Db, id: &PostId) -> Result<Option<User>, AppError> {
    let owner: Option<String> = on_engine!(db => sqlx::query_scalar("SELECT owner_id FROM posts WHERE id = $1")
        .bind(id.as_str())
        .fetch_optional(&mut *db)
        .await?);
    user(db, owner).await
}

async fn owner_of_hidden(db: &mut Db, id: &PostId) -> Result<Option<User>, AppError> {
    let owner: Option<String> = on_engine!(db => sqlx::query_scalar(
            "SELECT owner_id FROM trashed_posts WHERE id = $1 AND hidden_reason IS NOT NULL
             ORDER BY trashed_at DESC LIMIT 1",
        )
        .bind(id.as_str())
        .fetch_optional(&mut *db)
        .await?);
    user(db, owner).await
}

async fn user(db: &mut Db, id: Option<String>) -> Result<Option<User>, AppError> {
    match id {
        Some(id) => accounts::find_by_id(db, &UserId::from_stored(id)).await,
        None => Ok(None),
    }
}
