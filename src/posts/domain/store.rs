//! The SQL of posts. Writes have the owner in their `WHERE`, so even a mistake in
//! other code cannot change another's post (security row A1).

use super::{
    Changed, DeletedPost,
    by_id::{ById, ReadById},
    filter::Filter,
    fold::{self, Folded},
    markdown::{self, Rendering},
    rendered,
    rows::{ChangedRow, PostRow, SummaryRow, UpdatedRow, broken, columns, post_columns, summary_columns},
    select::{Listing, fetch},
    sql::Sql,
};
use crate::{
    clock,
    credentials::{User, UserId},
    database::{COMMIT_ORDER_LOCK, Db, Engine, execute, on_engine, violates},
    error::AppError,
    posts::{
        Content, Cursor, Page, PageRequest, Post, PostId, Summary,
        events::{Event, EventKind, store as events},
    },
    site::Site,
    timestamp::Timestamp,
};

/// A post with its author's name.
const SELECT: &str = concat!("SELECT ", post_columns!(), " FROM posts p JOIN users u ON u.id = p.owner_id");

const FIND: &str =
    concat!("SELECT ", post_columns!(), " FROM posts p JOIN users u ON u.id = p.owner_id WHERE p.id = $1");

impl ReadById for Post {
    type Row = PostRow;

    fn select() -> String {
        SELECT.to_owned()
    }

    fn id(&self) -> &PostId {
        &self.id
    }

    fn reader(site: &Site) -> &ById<Self> {
        &site.posts().posts
    }
}

pub async fn find(db: &mut Db, id: &PostId) -> Result<Option<Post>, AppError> {
    let row =
        on_engine!(db => sqlx::query_as::<_, PostRow>(FIND).bind(id.as_str()).fetch_optional(db).await?);
    row.map(Post::try_from).transpose()
}

const FIND_DELETED: &str = concat!(
    "SELECT ",
    post_columns!(),
    " FROM deleted_posts p JOIN users u ON u.id = p.owner_id WHERE p.id = $1"
);

/// A deleted post, with what is still known. `updated_at` is the time of the
/// deletion, which also raised the version.
pub async fn find_deleted(db: &mut Db, id: &PostId) -> Result<Option<DeletedPost>, AppError> {
    let row = on_engine!(db => sqlx::query_as::<_, PostRow>(FIND_DELETED).bind(id.as_str()).fetch_optional(db).await?);
    row.map(DeletedPost::try_from).transpose()
}

/// Inserts the post, its HTML and its event with one query, because each round trip
/// costs more than the statement.
const INSERT_SQLITE: &str = concat!(
    "INSERT INTO posts (id, owner_id, title, excerpt, content, version, created_at, updated_at, title_folded, content_folded)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9);
     INSERT INTO rendered_posts (post_id, renderer, html) VALUES ($1, $10, $11);
     ",
    events::record_on_sqlite!("$12", "$1", "$13")
);
const INSERT_POSTGRES: &str = concat!(
    "WITH post AS (
         INSERT INTO posts (id, owner_id, title, excerpt, content, version, created_at, updated_at, title_folded, content_folded)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9)
         RETURNING id),
     rendered AS (
         INSERT INTO rendered_posts (post_id, renderer, html)
         SELECT id, CAST($10 AS BIGINT), CAST($11 AS TEXT) FROM post),
     ",
    events::record_on_postgres!("$12", "$1", "$13", "$14", "$15")
);

/// Adds a post and its event. Without `id`, the post gets a new one.
///
/// # Errors
///
/// [`AppError::ConditionNotMet`] if a post has that id, or if another author's
/// deleted post had it and programs may not know of the deletion yet.
pub async fn insert(
    db: &mut Db,
    owner: &User,
    id: Option<PostId>,
    post_text: impl Into<Folded<'_>>,
    now: Timestamp,
) -> Result<(Post, Event), AppError> {
    let Folded { post_text, rendering, content: folded } = post_text.into();
    if let Some(id) = &id {
        execute!(db => sqlx::query("DELETE FROM deleted_posts WHERE id = $1 AND owner_id = $2")
            .bind(id.as_str())
            .bind(owner.id.as_str()))?;
        let taken: bool = on_engine!(db => sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM deleted_posts WHERE id = $1)")
            .bind(id.as_str())
            .fetch_one(db)
            .await?);
        if taken {
            return Err(AppError::ConditionNotMet);
        }
    }
    let id = match id {
        Some(id) => id,
        None => broken(PostId::try_from(uuid::Uuid::now_v7().to_string()))?,
    };
    let post = Post {
        id,
        title: post_text.title.clone(),
        content: post_text.content.clone(),
        owner: owner.username.to_string(),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let insert = match db.engine() {
        Engine::Sqlite => INSERT_SQLITE,
        Engine::Postgres => INSERT_POSTGRES,
    };
    let kind = EventKind::Created;
    let inserted: Result<i64, _> = on_engine!(db => sqlx::query_scalar(insert)
        .bind(post.id.as_str())
        .bind(owner.id.as_str())
        .bind(post.title.as_str())
        .bind(rendering.map_or("", |rendering| rendering.excerpt.as_str()))
        .bind(post.content.as_ref().map(Content::as_str))
        .bind(post.version)
        .bind(now.micros())
        .bind(fold::stored(post.title.as_str()))
        .bind(folded.value())
        .bind(rendering.map_or(0, |_| markdown::VERSION))
        .bind(rendering.and_then(Rendering::stored_html))
        .bind(kind.name())
        .bind(owner.username.as_str())
        .bind(COMMIT_ORDER_LOCK)
        .bind(events::CHANNEL)
        .fetch_one(db)
        .await);
    let event = inserted.map_err(|error| {
        let taken = ["posts_pkey", "posts_id_key"].iter().any(|key| violates(&error, key));
        if taken { AppError::ConditionNotMet } else { error.into() }
    })?;
    let event = Event { id: event, kind, post: post.id.clone(), owner: owner.username.clone() };
    Ok((post, event))
}

/// Updates a post if it belongs to `owner` and has `version`. With `new_owner`, it
/// then belongs to them. Otherwise nothing changes, and the result is `None`.
pub async fn update(
    db: &mut Db,
    id: &PostId,
    owner: &UserId,
    version: i64,
    post_text: impl Into<Folded<'_>>,
    new_owner: Option<&UserId>,
    now: Timestamp,
) -> Result<Option<Post>, AppError> {
    let Folded { post_text, rendering, content: folded } = post_text.into();
    let row: Option<UpdatedRow> = on_engine!(db => sqlx::query_as(
            "UPDATE posts
             SET title = $1, excerpt = COALESCE($2, excerpt), content = $3, version = version + 1, updated_at = $4, owner_id = $8,
                 title_folded = $9, content_folded = CASE WHEN $10 THEN content_folded ELSE $11 END
             WHERE id = $5 AND owner_id = $6 AND version = $7
             RETURNING version, created_at, (SELECT u.username FROM users u WHERE u.id = posts.owner_id) AS owner",
        )
        .bind(post_text.title.as_str())
        .bind(rendering.map(|rendering| rendering.excerpt.as_str()))
        .bind(post_text.content.as_ref().map(Content::as_str))
        .bind(now.micros())
        .bind(id.as_str())
        .bind(owner.as_str())
        .bind(version)
        .bind(new_owner.unwrap_or(owner).as_str())
        .bind(fold::stored(post_text.title.as_str()))
        .bind(folded.is_kept())
        .bind(folded.value())
        .fetch_optional(db)
        .await?);
    let Some(row) = row else { return Ok(None) };
    if let Some(rendering) = rendering {
        rendered::keep(db, id, rendering).await?;
    }
    Ok(Some(Post {
        id: id.clone(),
        title: post_text.title.clone(),
        content: post_text.content.clone(),
        owner: row.owner,
        version: row.version,
        created_at: Timestamp::from_micros(row.created_at),
        updated_at: now,
    }))
}

/// Deletes a post of `owner`, which lies in the trash then; any other stays.
pub async fn delete(
    db: &mut Db,
    id: &PostId,
    owner: &UserId,
    now: Timestamp,
) -> Result<Option<DeletedPost>, AppError> {
    execute!(db => sqlx::query(
            "INSERT INTO trashed_posts (id, owner_id, version, created_at, trashed_at, title, content)
             SELECT id, owner_id, version, created_at, $3, title, content FROM posts
             WHERE id = $1 AND owner_id = $2",
        )
        .bind(id.as_str())
        .bind(owner.as_str())
        .bind(now.micros()))?;
    let row: Option<PostRow> = on_engine!(db => sqlx::query_as(
            "INSERT INTO deleted_posts (id, owner_id, version, created_at, updated_at, title, content)
             SELECT id, owner_id, version + 1, created_at, $3, title, content FROM posts
             WHERE id = $1 AND owner_id = $2
             RETURNING id, title, content, version, created_at, updated_at,
                 (SELECT u.username FROM users u WHERE u.id = deleted_posts.owner_id) AS owner",
        )
        .bind(id.as_str())
        .bind(owner.as_str())
        .bind(now.micros())
        .fetch_optional(&mut *db)
        .await?);
    let Some(row) = row else { return Ok(None) };
    execute!(db => sqlx::query("DELETE FROM posts WHERE id = $1 AND owner_id = $2")
        .bind(id.as_str())
        .bind(owner.as_str()))?;
    row.try_into().map(Some)
}

/// Removes the texts of deleted posts once all subscribers have been told, and later
/// the rows that no program needs any more.
pub async fn forget_deleted(db: &mut Db) -> Result<(), AppError> {
    execute!(db => sqlx::query(
            "UPDATE deleted_posts SET title = '', content = NULL
             WHERE updated_at < $1 AND (title <> '' OR content IS NOT NULL)",
        )
        .bind(clock::before(DeletedPost::TEXT_KEPT).micros()))?;
    execute!(db => sqlx::query("DELETE FROM deleted_posts WHERE updated_at < $1")
        .bind(clock::before(DeletedPost::KEPT).micros()))?;
    Ok(())
}

/// Which changes a program asks for, oldest first.
#[derive(Clone, Debug)]
pub struct ChangesSince {
    /// Only this person's posts.
    pub owner: Option<UserId>,
    /// Only those that match.
    pub filter: Filter,
    /// Only changes since then; all known ones if absent.
    pub since: Option<Timestamp>,
    /// Only those after this place: a time of change, and an id.
    pub after: Option<Cursor>,
    /// The most posts to return.
    pub limit: usize,
}

/// The posts that changed since a time, ordered by the time of the change, which the cursor has too.
pub async fn changes(db: &mut Db, wanted: &ChangesSince) -> Result<Listing<Changed>, AppError> {
    let mut sql = Sql::new(db.engine());
    sql.push("SELECT * FROM (");
    write_changes(&mut sql, wanted, "CAST(0 AS BIGINT) AS deleted FROM posts p");
    sql.push(") AS living UNION ALL SELECT * FROM (").set_of_deleted(true);
    write_changes(&mut sql, wanted, "CAST(1 AS BIGINT) AS deleted FROM deleted_posts p");
    sql.push(") AS changed ORDER BY updated_at, id LIMIT ").bind(wanted.limit as i64 + 1);
    let text_len = |row: &ChangedRow| row.post.text_len();
    let (rows, more) = fetch(db, sql, &wanted.filter, wanted.limit, text_len).await?;
    let last = rows.last().map(|row| (row.post.updated_at, row.post.id.clone()));
    let posts = rows.into_iter().map(Changed::try_from).collect::<Result<Vec<_>, _>>()?;
    let next = match last.filter(|_| more) {
        Some((micros, id)) => {
            Some(Cursor { created_at: Timestamp::from_micros(micros), id: broken(PostId::try_from(id))? })
        }
        None => None,
    };
    Ok(Listing { posts, next })
}

fn write_changes(sql: &mut Sql, wanted: &ChangesSince, from: &'static str) {
    sql.push(concat!("SELECT ", post_columns!(), ", "))
        .push(from)
        .push(" JOIN users u ON u.id = p.owner_id WHERE ");
    wanted.filter.write(sql);
    if let Some(owner) = &wanted.owner {
        sql.push(" AND p.owner_id = ").bind(owner.as_str());
    }
    if let Some(since) = wanted.since {
        sql.push(" AND p.updated_at >= ").bind(since.micros());
    }
    if let Some(cursor) = &wanted.after {
        sql.push(" AND (p.updated_at, p.id) > (")
            .bind(cursor.created_at.micros())
            .push(", ")
            .bind(cursor.id.as_str())
            .push(")");
    }
    sql.push(" ORDER BY p.updated_at, p.id LIMIT ").bind(wanted.limit as i64 + 1);
}

/// Defines a statement for the list of all posts, or of one owner's.
macro_rules! list_statement {
    ($name:ident, where: $condition:literal, order: $order:literal) => {
        const $name: &str = concat!(
            "SELECT ",
            summary_columns!(),
            " FROM posts p JOIN users u ON u.id = p.owner_id WHERE ",
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
list_statement!(ALL_FROM, where: "(p.created_at, p.id) >= ($2, $3)", order: "ASC");
list_statement!(OWN_FIRST, where: "p.owner_id = $2", order: "DESC");
list_statement!(OWN_OLDER, where: "p.owner_id = $4 AND (p.created_at, p.id) < ($2, $3)", order: "DESC");
list_statement!(OWN_NEWER, where: "p.owner_id = $4 AND (p.created_at, p.id) > ($2, $3)", order: "ASC");

/// The newest posts of all, or of one owner.
pub async fn newest(db: &mut Db, owner: Option<&UserId>, most: usize) -> Result<Vec<Summary>, AppError> {
    let statement = if owner.is_some() { OWN_FIRST } else { ALL_FIRST };
    let rows = on_engine!(db => {
        let mut query = sqlx::query_as::<_, SummaryRow>(statement).bind(most as i64);
        if let Some(owner) = owner {
            query = query.bind(owner.as_str());
        }
        query.fetch_all(db).await?
    });
    rows.into_iter().map(Summary::try_from).collect()
}

/// The posts from a place on, oldest first.
pub async fn piece(db: &mut Db, from: &Cursor, size: usize) -> Result<Vec<Summary>, AppError> {
    let rows = on_engine!(db => sqlx::query_as::<_, SummaryRow>(ALL_FROM)
        .bind(size as i64)
        .bind(from.created_at.micros())
        .bind(from.id.as_str())
        .fetch_all(db)
        .await?);
    rows.into_iter().map(Summary::try_from).collect()
}

/// The place of each `size`th post, oldest first, from an index alone.
const PIECES: &str = "
    SELECT created_at, id FROM (
        SELECT created_at, id, ROW_NUMBER() OVER (ORDER BY created_at, id) AS place FROM posts) AS numbered
    WHERE (place - 1) % $1 = 0 ORDER BY place";

/// Where each piece of `size` posts begins.
pub async fn pieces(db: &mut Db, size: usize) -> Result<Vec<Cursor>, AppError> {
    let rows = on_engine!(db => sqlx::query_as::<_, (i64, String)>(PIECES)
        .bind(size as i64)
        .fetch_all(db)
        .await?);
    let cursor = |(micros, id): (i64, String)| {
        Ok(Cursor { created_at: Timestamp::from_micros(micros), id: broken(PostId::try_from(id))? })
    };
    rows.into_iter().map(cursor).collect()
}

/// One page of all posts or of one owner's, newest first. The cost is the same at any
/// depth: the query starts inside an index and reads one row more than it shows.
pub async fn page(db: &mut Db, owner: Option<&UserId>, request: PageRequest) -> Result<Page, AppError> {
    // Read first, so that the list below is at least as new.
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
    let rows = on_engine!(db => {
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
