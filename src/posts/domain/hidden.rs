//! Posts that whoever runs the site has hidden from everyone: they lie in the trash of their
//! author, who reads why. Only whoever runs the site restores them.

use sqlx::FromRow;

use super::{
    approval, draft_store, reports,
    service::change,
    store,
    trash::{self, Gone},
};
use crate::{
    accounts::domain::{audit::AuditKind, running::InCharge, store as accounts},
    clock,
    credentials::{User, UserId},
    database::{Db, execute, on_engine},
    error::AppError,
    posts::{
        PostId, PostOrDraft,
        events::{Event, EventKind, store as events},
    },
    site::Site,
    timestamp::Timestamp,
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

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Hides a published post: everybody hears of it as of a deletion. A post that waits for
/// approval is hidden as well, and nobody hears of it.
///
/// # Errors
/// [`AppError::NotFound`] where no such post is published or waits; [`AppError::Busy`].
pub async fn hide(site: &Site, by: &InCharge, id: &PostId, reason: HiddenReason) -> Result<(), AppError> {
    let db = &mut site.database.read().await?;
    let Some(owner) = owner_of_published(db, id).await? else {
        let owner = approval::owner(db, id).await?.ok_or(AppError::NotFound)?;
        return hide_waiting(site, by, owner, id, reason).await;
    };
    change(site, (owner, by.clone(), id.clone(), reason), |db, (owner, by, id, reason)| {
        Box::pin(async move { hide_in(db, &by, &owner, &id, &reason).await.map(|event| ((), Some(event))) })
    })
    .await
}

/// [`hide`], in a transaction.
pub(super) async fn hide_in(
    db: &mut Db,
    by: &InCharge,
    owner: &User,
    id: &PostId,
    HiddenReason(reason): &HiddenReason,
) -> Result<Event, AppError> {
    let now = clock::now();
    store::delete(db, id, &owner.id, now).await?.ok_or(AppError::NotFound)?;
    set_reason(db, id, now, reason).await?;
    reports::settle(db, id).await?;
    by.note(db, AuditKind::PostHidden, owner, id.as_str()).await?;
    events::record(db, EventKind::Deleted, id, &owner.username).await
}

async fn hide_waiting(
    site: &Site,
    by: &InCharge,
    owner: User,
    id: &PostId,
    reason: HiddenReason,
) -> Result<(), AppError> {
    let input = (owner, by.clone(), id.clone(), reason);
    let hidden = site.database.write(input, |db, (owner, by, id, HiddenReason(reason))| {
        Box::pin(async move {
            // Its author may have taken it back.
            let now = clock::now();
            let waits = approval::owner(db, &id).await?.as_ref() == Some(&owner);
            if !waits || !draft_store::delete(db, &owner.id, &id, now).await? {
                return Err(AppError::NotFound);
            }
            set_reason(db, &id, now, &reason).await?;
            by.note(db, AuditKind::PostHidden, &owner, id.as_str()).await
        })
    });
    hidden.await
}

async fn set_reason(db: &mut Db, id: &PostId, trashed_at: Timestamp, reason: &str) -> Result<(), AppError> {
    execute!(db => sqlx::query(
            "UPDATE trashed_posts SET hidden_reason = $1 WHERE id = $2 AND trashed_at = $3",
        )
        .bind(reason)
        .bind(id.as_str())
        .bind(trashed_at.micros()))?;
    Ok(())
}

/// Publishes a hidden post again, as [`trash::restore`] does for its author; what has waited
/// for approval waits again.
///
/// # Errors
/// [`AppError::NotFound`] where no such post is hidden; [`AppError::Busy`].
pub async fn restore(site: &Site, by: &InCharge, id: &PostId) -> Result<PostOrDraft, AppError> {
    let owner = owner_of_hidden(&mut site.database.read().await?, id).await?.ok_or(AppError::NotFound)?;
    let restored = trash::restore_of(site, owner.clone(), id, Gone::Hidden).await?;
    site.database
        .write((owner, by.clone(), id.clone()), |db, (owner, by, id)| {
            Box::pin(async move { by.note(db, AuditKind::PostRestored, &owner, id.as_str()).await })
        })
        .await?;
    Ok(restored)
}

/// A hidden post, as whoever is in charge of the site sees it.
#[derive(Clone, Debug, FromRow)]
pub struct HiddenPost {
    pub id: String,
    pub title: String,
    /// The username of its author.
    pub owner: String,
    pub reason: String,
    /// Microseconds since 1970 UTC.
    pub hidden_at: i64,
}

/// Those of the rows of a [`HiddenPost`] that it goes on to say.
macro_rules! hidden_posts {
    ($which:literal) => {
        concat!(
            "SELECT t.id, t.title, u.username AS owner, t.hidden_reason AS reason, t.trashed_at AS hidden_at
             FROM trashed_posts t JOIN users u ON u.id = t.owner_id WHERE t.hidden_reason IS NOT NULL ",
            $which
        )
    };
}

/// So many hidden posts, the one that was hidden last first; those after a place, if there is one:
/// the time and the id of a post.
///
/// # Errors
/// [`AppError::Busy`].
pub async fn page(
    site: &Site,
    after: Option<(i64, String)>,
    limit: i64,
) -> Result<Vec<HiddenPost>, AppError> {
    let (hidden_at, id) = after.unwrap_or((i64::MAX, String::new()));
    let db = &mut site.database.read().await?;
    Ok(on_engine!(db => sqlx::query_as(hidden_posts!(
            "AND (t.trashed_at < $1 OR (t.trashed_at = $1 AND t.id > $2))
             ORDER BY t.trashed_at DESC, t.id LIMIT $3"
        ))
        .bind(hidden_at)
        .bind(&id)
        .bind(limit)
        .fetch_all(db)
        .await?))
}

/// A hidden post.
///
/// # Errors
/// [`AppError::NotFound`] where none is hidden by that id; [`AppError::Busy`].
pub async fn find(site: &Site, id: &PostId) -> Result<HiddenPost, AppError> {
    let db = &mut site.database.read().await?;
    let found: Option<HiddenPost> = on_engine!(db => sqlx::query_as(hidden_posts!(
            "AND t.id = $1 ORDER BY t.trashed_at DESC LIMIT 1"
        ))
        .bind(id.as_str())
        .fetch_optional(db)
        .await?);
    found.ok_or(AppError::NotFound)
}

pub(super) async fn owner_of_published(db: &mut Db, id: &PostId) -> Result<Option<User>, AppError> {
    let owner: Option<String> = on_engine!(db => sqlx::query_scalar("SELECT owner_id FROM posts WHERE id = $1")
        .bind(id.as_str())
        .fetch_optional(db)
        .await?);
    user(db, owner).await
}

async fn owner_of_hidden(db: &mut Db, id: &PostId) -> Result<Option<User>, AppError> {
    let owner: Option<String> = on_engine!(db => sqlx::query_scalar(
            "SELECT owner_id FROM trashed_posts WHERE id = $1 AND hidden_reason IS NOT NULL
             ORDER BY trashed_at DESC LIMIT 1",
        )
        .bind(id.as_str())
        .fetch_optional(db)
        .await?);
    user(db, owner).await
}

async fn user(db: &mut Db, id: Option<String>) -> Result<Option<User>, AppError> {
    match id {
        Some(id) => accounts::find_by_id(db, &UserId::from_stored(id)).await,
        None => Ok(None),
    }
}
