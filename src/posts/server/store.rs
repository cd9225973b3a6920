//! The SQL of posts. Writes name the owner in their `WHERE`: whatever went
//! wrong above, another's post stays as it is (security row A1).

use sqlx::FromRow;

use super::{Draft, markdown};
use crate::{
    credentials::{User, UserId},
    error::AppError,
    posts::{Content, Cursor, Page, PageRequest, Post, PostId, Summary, Title},
    server::{
        database::{Db, internal, on},
        events::store as events,
    },
    timestamp::Timestamp,
};

#[derive(FromRow)]
struct PostRow {
    id: String,
    title: String,
    content: String,
    owner: String,
    version: i64,
    created_at: i64,
    updated_at: i64,
}

#[derive(FromRow)]
struct SummaryRow {
    id: String,
    title: String,
    excerpt: String,
    owner: String,
    version: i64,
    created_at: i64,
    updated_at: i64,
}

/// A row that breaks the rules of its own types was not written by Byline.
fn broken<T, E: std::fmt::Debug>(parsed: Result<T, E>) -> Result<T, AppError> {
    parsed.map_err(|error| internal(format_args!("a stored post breaks the rules: {error:?}")))
}

impl TryFrom<PostRow> for Post {
    type Error = AppError;

    fn try_from(row: PostRow) -> Result<Self, AppError> {
        Ok(Self {
            id: broken(PostId::try_from(row.id))?,
            title: broken(Title::try_from(row.title))?,
            content: broken(Content::try_from(row.content))?,
            owner: row.owner,
            version: row.version,
            created_at: Timestamp::from_micros(row.created_at),
            updated_at: Timestamp::from_micros(row.updated_at),
        })
    }
}

impl TryFrom<SummaryRow> for Summary {
    type Error = AppError;

    fn try_from(row: SummaryRow) -> Result<Self, AppError> {
        Ok(Self {
            id: broken(PostId::try_from(row.id))?,
            title: broken(Title::try_from(row.title))?,
            excerpt: row.excerpt,
            owner: row.owner,
            version: row.version,
            created_at: Timestamp::from_micros(row.created_at),
            updated_at: Timestamp::from_micros(row.updated_at),
        })
    }
}

const FIND: &str = "
    SELECT p.id, p.title, p.content, u.username AS owner, p.version, p.created_at, p.updated_at
    FROM posts p JOIN users u ON u.id = p.owner_id
    WHERE p.id = $1";

/// One post.
///
/// # Errors
/// Those of the database.
pub async fn find(db: &mut Db, id: &PostId) -> Result<Option<Post>, AppError> {
    let row = on!(db => sqlx::query_as::<_, PostRow>(FIND).bind(id.as_str()).fetch_optional(db).await?);
    row.map(Post::try_from).transpose()
}

/// Adds a post.
///
/// # Errors
/// Those of the database.
pub async fn insert(db: &mut Db, owner: &User, draft: &Draft, now: Timestamp) -> Result<Post, AppError> {
    let post = Post {
        id: broken(PostId::try_from(uuid::Uuid::now_v7().to_string()))?,
        title: draft.title.clone(),
        content: draft.content.clone(),
        owner: owner.username.to_string(),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let excerpt = markdown::excerpt(&post.content);
    on!(db => sqlx::query(
            "INSERT INTO posts (id, owner_id, title, excerpt, content, version, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $7)",
        )
        .bind(post.id.as_str())
        .bind(owner.id.as_str())
        .bind(post.title.as_str())
        .bind(excerpt)
        .bind(post.content.as_str())
        .bind(post.version)
        .bind(now.micros())
        .execute(db)
        .await
        .map(drop)?);
    Ok(post)
}

/// Saves over `version` of a post of `owner`. `None`: no such post, not
/// theirs, or no longer that version; nothing changed then.
///
/// # Errors
/// Those of the database.
pub async fn update(
    db: &mut Db,
    id: &PostId,
    owner: &UserId,
    version: i64,
    draft: &Draft,
    now: Timestamp,
) -> Result<Option<Post>, AppError> {
    let excerpt = markdown::excerpt(&draft.content);
    let changed = on!(db => sqlx::query(
            "UPDATE posts
             SET title = $1, excerpt = $2, content = $3, version = version + 1, updated_at = $4
             WHERE id = $5 AND owner_id = $6 AND version = $7",
        )
        .bind(draft.title.as_str())
        .bind(excerpt)
        .bind(draft.content.as_str())
        .bind(now.micros())
        .bind(id.as_str())
        .bind(owner.as_str())
        .bind(version)
        .execute(db)
        .await?
        .rows_affected());
    if changed == 0 { Ok(None) } else { find(db, id).await }
}

/// Deletes a post of `owner`; any other stays.
///
/// # Errors
/// Those of the database.
pub async fn delete(db: &mut Db, id: &PostId, owner: &UserId) -> Result<(), AppError> {
    on!(db => sqlx::query("DELETE FROM posts WHERE id = $1 AND owner_id = $2")
        .bind(id.as_str())
        .bind(owner.as_str())
        .execute(db)
        .await
        .map(drop)?);
    Ok(())
}

/// A statement for the list of everyone (`all`) and of one owner (`own`):
/// the columns, the join and the limit have one home.
macro_rules! list_statement {
    ($name:ident, where: $condition:literal, order: $order:literal) => {
        const $name: &str = concat!(
            "SELECT p.id, p.title, p.excerpt, u.username AS owner, p.version, p.created_at, p.updated_at ",
            "FROM posts p JOIN users u ON u.id = p.owner_id WHERE ",
            $condition,
            " ORDER BY p.created_at ",
            $order,
            ", p.id ",
            $order,
            " LIMIT $1"
        );
    };
}
list_statement!(ALL_FIRST, where: "TRUE", order: "DESC");
list_statement!(ALL_OLDER, where: "(p.created_at, p.id) < ($2, $3)", order: "DESC");
list_statement!(ALL_NEWER, where: "(p.created_at, p.id) > ($2, $3)", order: "ASC");
list_statement!(OWN_FIRST, where: "p.owner_id = $2", order: "DESC");
list_statement!(OWN_OLDER, where: "p.owner_id = $4 AND (p.created_at, p.id) < ($2, $3)", order: "DESC");
list_statement!(OWN_NEWER, where: "p.owner_id = $4 AND (p.created_at, p.id) > ($2, $3)", order: "ASC");

/// One page, newest first, of all posts or of one owner's. Costs the same at
/// any depth: it starts inside an index and reads one row more than it shows.
///
/// # Errors
/// Those of the database.
pub async fn page(db: &mut Db, owner: Option<&UserId>, request: PageRequest) -> Result<Page, AppError> {
    // Asked first: what is listed below is at least as new.
    let as_of = events::newest(db).await?;
    let limit = Page::SIZE as i64 + 1;
    let (statement, cursor) = match (&request, owner) {
        (PageRequest::First, None) => (ALL_FIRST, None),
        (PageRequest::First, Some(_)) => (OWN_FIRST, None),
        (PageRequest::OlderThan(cursor), None) => (ALL_OLDER, Some(cursor)),
        (PageRequest::OlderThan(cursor), Some(_)) => (OWN_OLDER, Some(cursor)),
        (PageRequest::NewerThan(cursor), None) => (ALL_NEWER, Some(cursor)),
        (PageRequest::NewerThan(cursor), Some(_)) => (OWN_NEWER, Some(cursor)),
    };
    let rows = on!(db => {
        let mut query = sqlx::query_as::<_, SummaryRow>(statement).bind(limit);
        if let Some(cursor) = cursor {
            query = query.bind(cursor.created_at.micros()).bind(cursor.id.as_str());
        }
        if let Some(owner) = owner {
            query = query.bind(owner.as_str());
        }
        query.fetch_all(db).await?
    });
    let more = rows.len() > Page::SIZE;
    let mut posts =
        rows.into_iter().take(Page::SIZE).map(Summary::try_from).collect::<Result<Vec<_>, _>>()?;

    let edge =
        |post: Option<&Summary>| post.map(|post| Cursor { created_at: post.created_at, id: post.id.clone() });
    Ok(match request {
        // Having reached the top, show the whole first page, not its lower part.
        PageRequest::NewerThan(_) if !more => Box::pin(page(db, owner, PageRequest::First)).await?,
        PageRequest::NewerThan(_) => {
            posts.reverse();
            Page { older: edge(posts.last()), newer: edge(posts.first()), posts, as_of }
        }
        PageRequest::First => Page { older: edge(posts.last()).filter(|_| more), newer: None, posts, as_of },
        PageRequest::OlderThan(_) => {
            Page { older: edge(posts.last()).filter(|_| more), newer: edge(posts.first()), posts, as_of }
        }
    })
}
