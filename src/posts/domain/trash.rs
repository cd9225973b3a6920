//! Posts that their authors have deleted: for 30 days they can be restored.

use std::time::Duration;

use sqlx::FromRow;

use super::{
    Filing, PostText,
    fold::{self, Folded},
    policy, rows,
    service::change,
    store::{self, Insertion},
};
use crate::{
    accounts::domain::contact::may_write,
    clock,
    credentials::{Actor, User, UserId},
    database::{Db, execute, internal, on_engine},
    error::AppError,
    posts::{Content, Post, PostId, Tags, Title},
    site::Site,
    timestamp::Timestamp,
};

/// How long a deleted post can be restored.
pub const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// A deleted post, as its author finds it in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrashedPost {
    pub id: PostId,
    pub title: Title,
    pub trashed_at: Timestamp,
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
}

impl TryFrom<ListedRow> for TrashedPost {
    type Error = AppError;

    fn try_from(row: ListedRow) -> Result<Self, AppError> {
        Ok(Self {
            id: PostId::try_from(row.id).map_err(internal)?,
            title: Title::try_from(row.title).map_err(internal)?,
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
}

impl Row {
    fn filing(&self) -> Result<Filing, AppError> {
        Ok(Filing {
            slug: rows::slug(self.slug.clone())?,
            tags: Tags::from_stored(&self.tags).map_err(internal)?,
        })
    }

    fn text(&self) -> Result<PostText, AppError> {
        let title = Title::try_from(self.title.clone()).map_err(internal)?;
        let content = self.content.clone().map(Content::try_from).transpose().map_err(internal)?;
        Ok(PostText { title, content })
    }
}

/// The actor's own deleted posts, the last one first, at most `limit`.
///
/// # Errors
/// [`AppError::NotSignedIn`].
pub async fn list(site: &Site, actor: &Actor, limit: i64) -> Result<Vec<TrashedPost>, AppError> {
    let owner = &actor.user()?.id;
    let db = &mut site.reader_for(actor).await?;
    let rows: Vec<ListedRow> = on_engine!(db => sqlx::query_as(
            "SELECT id, title, trashed_at FROM trashed_posts WHERE owner_id = $1 AND trashed_at > $2
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
pub async fn text(site: &Site, actor: &Actor, post: &TrashedPost) -> Result<Option<PostText>, AppError> {
    let owner = &actor.user()?.id;
    let db = &mut site.reader_for(actor).await?;
    let row: Option<Row> = on_engine!(db => sqlx::query_as(
            "SELECT version, created_at, trashed_at, title, content, slug, tags FROM trashed_posts
             WHERE id = $1 AND owner_id = $2 AND trashed_at = $3",
        )
        .bind(post.id.as_str())
        .bind(owner.as_str())
        .bind(post.trashed_at.micros())
        .fetch_optional(db)
        .await?);
    row.as_ref().map(Row::text).transpose()
}

/// Publishes a deleted post of the actor's again: under its address, unless that has
/// been taken since, with the time of its first publication and the next version. Sent
/// twice, it says yes again.
///
/// # Errors
/// [`AppError::NotSignedIn`]; [`AppError::EmailNotConfirmed`]; [`AppError::NotFound`],
/// also for another's; [`AppError::Busy`] when too many texts wait to be rendered.
pub async fn restore(site: &Site, actor: &Actor, id: &PostId) -> Result<Post, AppError> {
    let user = policy::may_create(actor)?.clone();
    may_write(site, &user).await?;
    let found = find(&mut site.reader_for(actor).await?, &user.id, id).await?;
    let Some(row) = found else {
        let post = site.posts().post(site, actor, id).await?.ok_or(AppError::NotFound)?;
        return if post.owner == user.username.as_str() {
            Ok((*post).clone())
        } else {
            Err(AppError::NotFound)
        };
    };
    let text = row.text()?;
    // Before the transaction: writers do not wait for a rendering.
    let rendering = site.renderer().render(text.text()).await?;
    let (text, folded) = fold::fold_before_write(text, |text: &PostText| Some(text.content.as_ref())).await?;
    let input = (user, id.clone(), row, text, folded, rendering);
    let restored = change(site, input, |db, (user, id, row, text, folded, rendering)| {
        Box::pin(async move {
            if find(db, &user.id, &id).await?.as_ref() != Some(&row) {
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
        Some(post) => Ok(post),
        // Another request has restored it, or has deleted it once more.
        None => Box::pin(restore(site, actor, id)).await,
    }
}

/// The one that was deleted last under that id.
async fn find(db: &mut Db, owner: &UserId, id: &PostId) -> Result<Option<Row>, AppError> {
    Ok(on_engine!(db => sqlx::query_as(
            "SELECT version, created_at, trashed_at, title, content, slug, tags FROM trashed_posts
             WHERE id = $1 AND owner_id = $2 AND trashed_at > $3 ORDER BY trashed_at DESC LIMIT 1",
        )
        .bind(id.as_str())
        .bind(owner.as_str())
        .bind(clock::before(KEPT).micros())
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

/// Removes what can no longer be restored, with its addresses.
pub async fn forget_old(db: &mut Db) -> Result<(), AppError> {
    execute!(db => sqlx::query(
            "DELETE FROM post_addresses WHERE post_id IN (SELECT id FROM trashed_posts WHERE trashed_at <= $1)
                AND NOT EXISTS (SELECT 1 FROM posts p WHERE p.id = post_addresses.post_id)
                AND NOT EXISTS (SELECT 1 FROM trashed_posts t WHERE t.id = post_addresses.post_id AND t.trashed_at > $1)",
        )
        .bind(clock::before(KEPT).micros()))?;
    execute!(db => sqlx::query("DELETE FROM trashed_posts WHERE trashed_at <= $1")
        .bind(clock::before(KEPT).micros()))?;
    Ok(())
}
