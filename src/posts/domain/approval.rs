//! The first posts of new authors wait until whoever runs the site approves one (setting
//! `site.approval`). A post that waits is a draft, so nobody but its author knows of it; whoever
//! is in charge of the site reads it here, and publishes it ([`super::approving`]) or hides it
//! ([`super::hidden`]).
//!
//! An author is new until a post of theirs was approved, as long as nothing of them is or was
//! published that is not hidden. Whoever is in charge is not. When the setting is turned off,
//! what waits goes on waiting: turning a switch publishes nothing.

use sqlx::FromRow;

use super::{Filing, PostText, draft_store, rows::broken, slugs, store};
use crate::{
    accounts::domain::{audit::AuditKind, running::InCharge, store as accounts},
    clock,
    config::Approval,
    credentials::{User, UserId},
    database::{Db, execute, on_engine},
    error::AppError,
    posts::{DraftPost, PostId, PostOrDraft},
    site::Site,
    timestamp::Timestamp,
};

/// A post that waits, as whoever is in charge of the site sees it.
#[derive(Clone, Debug, FromRow)]
pub struct WaitingPost {
    pub id: String,
    pub version: i64,
    pub title: String,
    /// Markdown.
    pub content: String,
    /// The username of its author.
    pub owner: String,
    /// Microseconds since 1970 UTC.
    pub waits_since: i64,
}

/// Whether what that author publishes has to wait.
pub(super) async fn must_wait(db: &mut Db, rule: Approval, author: &User) -> Result<bool, AppError> {
    if rule == Approval::None {
        return Ok(false);
    }
    let is_known: bool = on_engine!(db => sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM users WHERE id = $1 AND (is_admin = 1 OR approved_at IS NOT NULL))
                 OR EXISTS (SELECT 1 FROM posts WHERE owner_id = $1)
                 OR EXISTS (SELECT 1 FROM drafts WHERE owner_id = $1 AND published_at IS NOT NULL)
                 OR EXISTS (SELECT 1 FROM trashed_posts WHERE owner_id = $1 AND is_draft = 0 AND hidden_reason IS NULL)",
        )
        .bind(author.id.as_str())
        .fetch_one(db)
        .await?);
    Ok(!is_known)
}

/// Stores a new post that waits, with the address that it is going to have.
///
/// # Errors
/// [`AppError::ConditionNotMet`] if something has that id; [`AppError::Invalid`] if another
/// post has the slug that its author chose.
pub(super) async fn begin(
    db: &mut Db,
    author: &User,
    id: Option<PostId>,
    text: PostText,
    filing: Filing,
) -> Result<DraftPost, AppError> {
    if let Some(id) = &id {
        let is_taken: bool = on_engine!(db => sqlx::query_scalar(
                "SELECT EXISTS (SELECT 1 FROM posts WHERE id = $1) OR EXISTS (SELECT 1 FROM drafts WHERE id = $1)
                     OR EXISTS (SELECT 1 FROM deleted_posts WHERE id = $1 AND owner_id <> $2)",
            )
            .bind(id.as_str())
            .bind(author.id.as_str())
            .fetch_one(db)
            .await?);
        if is_taken {
            return Err(AppError::ConditionNotMet);
        }
    }
    let id = match id {
        Some(id) => id,
        None => broken(PostId::try_from(uuid::Uuid::now_v7().to_string()))?,
    };
    let slug = match filing.slug {
        Some(slug) => {
            slugs::refuse_taken(db, &author.id, &slug, &id).await?;
            slug
        }
        None => slugs::free(db, &author.id, &slugs::from_title(text.title.as_str()), &id).await?,
    };
    let now = clock::now();
    let draft = DraftPost {
        slug: Some(slug),
        tags: filing.tags,
        language: filing.language,
        title: text.title.to_string(),
        content: text.text().clone(),
        waits_since: Some(now),
        ..DraftPost::empty(id, now)
    };
    draft_store::insert(db, &author.id, &draft, None).await?;
    Ok(draft)
}

/// What an author has made under that id: a post, or one that waits.
pub(super) async fn created(db: &mut Db, author: &User, id: &str) -> Result<Option<PostOrDraft>, AppError> {
    let Some(id) = PostId::parse(id) else { return Ok(None) };
    if let Some(post) = store::find(db, &id).await? {
        return Ok(Some(PostOrDraft::Published(post)));
    }
    Ok(draft_store::find(db, &author.id, &id).await?.map(PostOrDraft::Draft))
}

/// The posts that wait, the one that waits longest first, at most `limit`; but those of locked
/// accounts.
///
/// # Errors
/// [`AppError::Busy`].
pub async fn list(site: &Site, _by: &InCharge, limit: i64) -> Result<Vec<WaitingPost>, AppError> {
    let db = &mut site.database.read().await?;
    Ok(on_engine!(db => sqlx::query_as(
            "SELECT d.id, d.version, d.title, d.content, u.username AS owner, d.waits_since
             FROM drafts d JOIN users u ON u.id = d.owner_id
             WHERE d.waits_since IS NOT NULL AND u.locked_at IS NULL
             ORDER BY d.waits_since, d.id LIMIT $1",
        )
        .bind(limit)
        .fetch_all(db)
        .await?))
}

/// How many posts [`list`] has without a limit.
pub async fn count(db: &mut Db) -> Result<i64, AppError> {
    Ok(on_engine!(db => sqlx::query_scalar(
            "SELECT COUNT(*) FROM drafts d JOIN users u ON u.id = d.owner_id
             WHERE d.waits_since IS NOT NULL AND u.locked_at IS NULL",
        )
        .fetch_one(db)
        .await?))
}

/// One post that waits.
///
/// # Errors
/// [`AppError::NotFound`], [`AppError::Busy`].
pub async fn waiting(site: &Site, _by: &InCharge, id: &PostId) -> Result<WaitingPost, AppError> {
    let db = &mut site.database.read().await?;
    let found: Option<WaitingPost> = on_engine!(db => sqlx::query_as(
            "SELECT d.id, d.version, d.title, d.content, u.username AS owner, d.waits_since
             FROM drafts d JOIN users u ON u.id = d.owner_id WHERE d.id = $1 AND d.waits_since IS NOT NULL",
        )
        .bind(id.as_str())
        .fetch_optional(db)
        .await?);
    found.ok_or(AppError::NotFound)
}

/// The author of a post that waits.
pub(super) async fn owner(db: &mut Db, id: &PostId) -> Result<Option<User>, AppError> {
    let owner: Option<String> = on_engine!(db => sqlx::query_scalar(
            "SELECT owner_id FROM drafts WHERE id = $1 AND waits_since IS NOT NULL",
        )
        .bind(id.as_str())
        .fetch_optional(db)
        .await?);
    match owner {
        Some(owner) => accounts::find_by_id(db, &UserId::from_stored(owner)).await,
        None => Ok(None),
    }
}

/// The author of an approved post is no new one any more.
pub(super) async fn note(db: &mut Db, by: &InCharge, author: &User, id: &PostId) -> Result<(), AppError> {
    execute!(db => sqlx::query("UPDATE users SET approved_at = $1 WHERE id = $2 AND approved_at IS NULL")
        .bind(clock::now().micros())
        .bind(author.id.as_str()))?;
    by.note(db, AuditKind::PostApproved, author, id.as_str()).await
}

impl WaitingPost {
    /// Its title, as lists show it.
    #[must_use]
    pub fn shown_title(&self) -> &str {
        if self.title.is_empty() { "Untitled" } else { &self.title }
    }

    #[must_use]
    pub fn since(&self) -> Timestamp {
        Timestamp::from_micros(self.waits_since)
    }
}
