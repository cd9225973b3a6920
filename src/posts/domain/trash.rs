//! Posts that their authors have deleted: for 30 days they can be restored. What whoever
//! runs the site has hidden lies here as well ([`super::hidden`]).

use std::time::Duration;

use sqlx::FromRow;

use super::{
    DraftText, Filing, PostText, draft_store, fold,
    folded::Folded,
    policy,
    rendering::Renderer,
    rows,
    service::change,
    store::{self, Insertion},
};
use crate::{
    accounts::domain::contact::may_write,
    clock,
    credentials::{Actor, User, UserId},
    database::{Db, execute, internal, on_engine},
    error::AppError,
    posts::{Content, DraftPost, PostId, PostOrDraft, Tags, Title},
    site::Site,
    timestamp::Timestamp,
};

/// How long a deleted post can be restored.
pub const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// A deleted post, as its author finds it in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrashedPost {
    pub id: PostId,
    /// Empty only for a draft.
    pub title: String,
    pub trashed_at: Timestamp,
    /// Whether it was not published; then it becomes a draft again.
    pub is_draft: bool,
    /// Why whoever runs the site has hidden it; absent for what the author has deleted.
    pub hidden_reason: Option<String>,
}

impl TrashedPost {
    /// When it is gone for good.
    #[must_use]
    pub fn ends_at(&self) -> Timestamp {
        self.trashed_at.after(KEPT)
    }
}

#[derive(FromRow)]
struct ListedRow {
    id: String,
    title: String,
    trashed_at: i64,
    is_draft: i64,
    hidden_reason: Option<String>,
}

impl TryFrom<ListedRow> for TrashedPost {
    type Error = AppError;

    fn try_from(row: ListedRow) -> Result<Self, AppError> {
        Ok(Self {
            id: PostId::try_from(row.id).map_err(internal)?,
            title: row.title,
            is_draft: row.is_draft != 0,
            hidden_reason: row.hidden_reason,
            trashed_at: Timestamp::from_micros(row.trashed_at),
        })
    }
}

#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
struct Row {
    version: i64,
    created_at: i64,
    trashed_at: i64,
    title: String,
    content: Option<String>,
    slug: String,
    tags: String,
    language: String,
    is_draft: i64,
}

impl Row {
    fn filing(&self) -> Result<Filing, AppError> {
        Ok(Filing {
            slug: rows::slug(self.slug.clone())?,
            tags: Tags::from_stored(&self.tags).map_err(internal)?,
            language: rows::language(&self.language)?,
        })
    }

    fn draft_text(&self) -> Result<DraftText, AppError> {
        let content = Content::try_from(self.content.clone().unwrap_or_default()).map_err(internal)?;
        Ok(DraftText { title: self.title.clone(), content })
    }

    fn text(&self) -> Result<PostText, AppError> {
        let title = Title::try_from(self.title.clone()).map_err(internal)?;
        let content = self.content.clone().map(Content::try_from).transpose().map_err(internal)?;
        Ok(PostText { title, content })
    }
}

/// The actor's own deleted posts, and those that are hidden, the last one first, at most
/// `limit`.
///
/// # Errors
/// [`AppError::NotSignedIn`].
pub async fn list(site: &Site, actor: &Actor, limit: i64) -> Result<Vec<TrashedPost>, AppError> {
    let owner = &actor.user()?.id;
    let db = &mut site.reader_for(actor).await?;
    let rows: Vec<ListedRow> = on_engine!(db => sqlx::query_as(
            "SELECT id, title, trashed_at, is_draft, hidden_reason FROM trashed_posts
             WHERE owner_id = $1 AND (trashed_at > $2 OR hidden_reason IS NOT NULL)
             ORDER BY trashed_at DESC, id DESC LIMIT $3",
        )
        .bind(owner.as_str())
        .bind(clock::before(KEPT).micros())
        .bind(limit)
        .fetch_all(db)
        .await?);
    rows.into_iter().map(TrashedPost::try_from).collect()
}

/// The texts of one of the actor's own; `None` if it is gone, or restored.
///
/// # Errors
/// [`AppError::NotSignedIn`].
pub async fn text(site: &Site, actor: &Actor, post: &TrashedPost) -> Result<Option<DraftText>, AppError> {
    let owner = &actor.user()?.id;
    let db = &mut site.reader_for(actor).await?;
    let row: Option<Row> = on_engine!(db => sqlx::query_as(
            "SELECT version, created_at, trashed_at, title, content, slug, tags, language, is_draft FROM trashed_posts
             WHERE id = $1 AND owner_id = $2 AND trashed_at = $3",
        )
        .bind(post.id.as_str())
        .bind(owner.as_str())
        .bind(post.trashed_at.micros())
        .fetch_optional(db)
        .await?);
    row.as_ref().map(Row::draft_text).transpose()
}

/// Publishes a deleted post of the actor's again: under its address, unless that has
/// been taken since, with the time of its first publication and the next version. Sent
/// twice, it says yes again.
///
/// # Errors
/// [`AppError::NotSignedIn`]; [`AppError::EmailNotConfirmed`]; [`AppError::NotFound`],
/// also for another's; [`AppError::Busy`] when too many texts wait to be rendered.
pub async fn restore(site: &Site, actor: &Actor, id: &PostId) -> Result<PostOrDraft, AppError> {
    let user = policy::may_create(actor)?.clone();
    restore_of(site, user, id, Gone::Deleted).await
}

/// How a post has come here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gone {
    /// By its author.
    Deleted,
    /// By whoever runs the site, who alone restores it.
    Hidden,
}

/// [`restore`], of a post of `user` that has gone in that way.
pub(super) async fn restore_of(
    site: &Site,
    user: User,
    id: &PostId,
    gone: Gone,
) -> Result<PostOrDraft, AppError> {
    let actor = &Actor::User(user.clone());
    let found = find(&mut site.reader_for(actor).await?, &user.id, id, gone).await?;
    if found.as_ref().is_some_and(|row| row.is_draft != 0) {
        return restore_draft(site, user, id, gone).await.map(PostOrDraft::Draft);
    }
    if gone == Gone::Deleted {
        may_write(site, &user).await?;
    }
    let Some(row) = found else {
        if let Some(draft) = draft_store::find(&mut site.reader_for(actor).await?, &user.id, id).await? {
            return Ok(PostOrDraft::Draft(draft));
        }
        let post = site.posts().post(site, actor, id).await?.ok_or(AppError::NotFound)?;
        return if post.owner == user.username.as_str() {
            Ok(PostOrDraft::Published((*post).clone()))
        } else {
            Err(AppError::NotFound)
        };
    };
    let text = row.text()?;
    // Before the transaction: writers do not wait for a rendering.
    let rendering = Renderer::render_for(site, &user.id, text.text()).await?;
    let (text, folded) = fold::fold_before_write(text, |text: &PostText| Some(text.content.as_ref())).await?;
    let input = (user.clone(), id.clone(), row, text, folded, rendering);
    let restored = change(site, input, move |db, (user, id, row, text, folded, rendering)| {
        Box::pin(async move {
            if find(db, &user.id, &id, gone).await?.as_ref() != Some(&row) {
                return Ok((None, None));
            }
            // The deletion has raised it, and programs may still know that.
            let last_version = store::find_deleted(db, &id).await?.map_or(row.version, |post| post.version);
            let address = is_free(db, &user, &id).await?.then(|| id.clone());
            let mut filing = row.filing()?;
            if address.is_none() {
                filing.slug = None;
            }
            let insertion = Insertion {
                id: address,
                text: Folded { post_text: &text, rendering: Some(&rendering), content: folded },
                filing: &filing,
                version: last_version + 1,
                created_at: Timestamp::from_micros(row.created_at),
                now: clock::now(),
            };
            let (post, event) = store::insert(db, &user, insertion).await?;
            execute!(db => sqlx::query("DELETE FROM trashed_posts WHERE id = $1 AND trashed_at = $2")
                .bind(id.as_str())
                .bind(row.trashed_at))?;
            Ok((Some(post), Some(event)))
        })
    });
    match restored.await? {
        Some(post) => Ok(PostOrDraft::Published(post)),
        // Another request has restored it, or has deleted it once more.
        None => Box::pin(restore_of(site, user, id, gone)).await,
    }
}

/// Takes a draft out of the trash; as a draft, because it was not published. What was hidden
/// waits for approval again.
async fn restore_draft(site: &Site, user: User, id: &PostId, gone: Gone) -> Result<DraftPost, AppError> {
    let restored = site.database.write((user, id.clone()), move |db, (user, id)| {
        Box::pin(async move {
            let row = find(db, &user.id, &id, gone).await?.filter(|row| row.is_draft != 0);
            let Some(row) = row else {
                return draft_store::find(db, &user.id, &id).await?.ok_or(AppError::NotFound);
            };
            let (DraftText { title, content }, Filing { slug, tags, language }) =
                (row.draft_text()?, row.filing()?);
            let created_at = Timestamp::from_micros(row.created_at);
            let was_published = store::find_deleted(db, &id).await?.is_some();
            let draft = DraftPost {
                id: id.clone(),
                slug,
                tags,
                language,
                title,
                content,
                version: row.version + 1,
                created_at,
                updated_at: clock::now(),
                publish_at: None,
                utc_offset: 0,
                is_scheduled: false,
                waits_since: (gone == Gone::Hidden).then(clock::now),
            };
            draft_store::insert(db, &user.id, &draft, was_published.then_some(created_at)).await?;
            execute!(db => sqlx::query("DELETE FROM trashed_posts WHERE id = $1 AND trashed_at = $2")
                .bind(id.as_str())
                .bind(row.trashed_at))?;
            Ok(draft)
        })
    });
    restored.await
}

/// The one that was deleted last under that id.
async fn find(db: &mut Db, owner: &UserId, id: &PostId, gone: Gone) -> Result<Option<Row>, AppError> {
    // What is hidden stays until it is restored.
    let since = match gone {
        Gone::Deleted => clock::before(KEPT).micros(),
        Gone::Hidden => i64::MIN,
    };
    Ok(on_engine!(db => sqlx::query_as(
            "SELECT version, created_at, trashed_at, title, content, slug, tags, language, is_draft FROM trashed_posts
             WHERE id = $1 AND owner_id = $2 AND trashed_at > $3
                 AND CASE WHEN hidden_reason IS NULL THEN 0 ELSE 1 END = $4
             ORDER BY trashed_at DESC LIMIT 1",
        )
        .bind(id.as_str())
        .bind(owner.as_str())
        .bind(since)
        .bind(i64::from(gone == Gone::Hidden))
        .fetch_optional(db)
        .await?))
}

/// Whether a post can have that id again: programs may have brought it since.
async fn is_free(db: &mut Db, user: &User, id: &PostId) -> Result<bool, AppError> {
    Ok(on_engine!(db => sqlx::query_scalar(
            "SELECT NOT EXISTS (SELECT 1 FROM posts WHERE id = $1)
                AND NOT EXISTS (SELECT 1 FROM deleted_posts WHERE id = $1 AND owner_id <> $2)",
        )
        .bind(id.as_str())
        .bind(user.id.as_str())
        .fetch_one(db)
        .await?))
}

/// Removes what can no longer be restored, with its addresses and versions.
pub async fn forget_old(db: &mut Db) -> Result<(), AppError> {
    execute!(db => sqlx::query(
            "DELETE FROM post_addresses WHERE post_id IN (SELECT id FROM trashed_posts WHERE trashed_at <= $1 AND hidden_reason IS NULL)
                AND NOT EXISTS (SELECT 1 FROM posts p WHERE p.id = post_addresses.post_id)
                AND NOT EXISTS (SELECT 1 FROM drafts d WHERE d.id = post_addresses.post_id)
                AND NOT EXISTS (SELECT 1 FROM trashed_posts t WHERE t.id = post_addresses.post_id AND (t.trashed_at > $1 OR t.hidden_reason IS NOT NULL))",
        )
        .bind(clock::before(KEPT).micros()))?;
    execute!(db => sqlx::query(
            "DELETE FROM redirects WHERE post_id IN (SELECT id FROM trashed_posts WHERE trashed_at <= $1 AND hidden_reason IS NULL)
                AND NOT EXISTS (SELECT 1 FROM posts p WHERE p.id = redirects.post_id)
                AND NOT EXISTS (SELECT 1 FROM drafts d WHERE d.id = redirects.post_id)
                AND NOT EXISTS (SELECT 1 FROM trashed_posts t WHERE t.id = redirects.post_id AND (t.trashed_at > $1 OR t.hidden_reason IS NOT NULL))",
        )
        .bind(clock::before(KEPT).micros()))?;
    execute!(db => sqlx::query(
            "DELETE FROM revisions WHERE post_id IN (SELECT id FROM trashed_posts WHERE trashed_at <= $1 AND hidden_reason IS NULL)
                AND NOT EXISTS (SELECT 1 FROM posts p WHERE p.id = revisions.post_id)
                AND NOT EXISTS (SELECT 1 FROM drafts d WHERE d.id = revisions.post_id)
                AND NOT EXISTS (SELECT 1 FROM trashed_posts t WHERE t.id = revisions.post_id AND (t.trashed_at > $1 OR t.hidden_reason IS NOT NULL))",
        )
        .bind(clock::before(KEPT).micros()))?;
    execute!(db => sqlx::query("DELETE FROM trashed_posts WHERE trashed_at <= $1 AND hidden_reason IS NULL")
        .bind(clock::before(KEPT).micros()))?;
    Ok(())
}
