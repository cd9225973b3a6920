//! The SQL of posts. Writes have the owner in their `WHERE`, so even a mistake in
//! other code cannot change another's post (security row A1).

use super::{
    Changed, DeletedPost,
    by_id::{ById, ReadById},
    filing::{self, Filing},
    filter::Filter,
    fold,
    folded::Folded,
    markdown::Rendering,
    rendered,
    rows::{ChangedRow, PostRow, UpdatedRow, broken, columns, deleted_columns, post_columns},
    select::{Listing, fetch},
    slugs,
    sql::Sql,
};
use crate::{
    clock,
    credentials::{User, UserId},
    database::{COMMIT_ORDER_LOCK, Db, Engine, execute, on_engine, violates},
    error::AppError,
    posts::{
        Content, Cursor, Language, Post, PostId, Slug, Tags,
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
    deleted_columns!(),
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
    "INSERT INTO posts (id, owner_id, title, excerpt, content, version, created_at, updated_at, title_folded, content_folded, read_folded, slug, tags, language)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $16, $8, $9, $21, $17, $18, $19);
     INSERT INTO post_addresses (owner_id, slug, post_id, created_at) VALUES ($2, $17, $1, $16)
     ON CONFLICT (owner_id, slug) DO NOTHING;
     INSERT INTO rendered_posts (post_id, renderer, html, words) VALUES ($1, $10, $11, $20);
     ",
    events::record_on_sqlite!("$12", "$1", "$13")
);
const INSERT_POSTGRES: &str = concat!(
    "WITH post AS (
         INSERT INTO posts (id, owner_id, title, excerpt, content, version, created_at, updated_at, title_folded, content_folded, read_folded, slug, tags, language)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $16, $8, $9, $21, $17, $18, $19)
         RETURNING id),
     address AS (
         INSERT INTO post_addresses (owner_id, slug, post_id, created_at)
         SELECT $2, $17, id, CAST($16 AS BIGINT) FROM post
         ON CONFLICT (owner_id, slug) DO NOTHING),
     rendered AS (
         INSERT INTO rendered_posts (post_id, renderer, html, words)
         SELECT id, CAST($10 AS BIGINT), CAST($11 AS TEXT), CAST($20 AS TEXT) FROM post),
     ",
    events::record_on_postgres!("$12", "$1", "$13", "$14", "$15")
);

/// A post that is to be published.
#[derive(Clone, Debug)]
pub struct Insertion<'a> {
    /// Without one, the post gets a new one.
    pub id: Option<PostId>,
    pub text: Folded<'a>,
    pub filing: &'a Filing,
    /// 1, but for a post that was published before.
    pub version: i64,
    /// The time of its first publication.
    pub created_at: Timestamp,
    pub now: Timestamp,
}

impl<'a> Insertion<'a> {
    /// A post that is published for the first time.
    #[must_use]
    pub fn new(id: Option<PostId>, text: impl Into<Folded<'a>>, filing: &'a Filing, now: Timestamp) -> Self {
        Self { id, text: text.into(), filing, version: 1, created_at: now, now }
    }

    /// A post that was published elsewhere before, if there is a date.
    #[must_use]
    pub fn first_published(self, date: Option<Timestamp>) -> Self {
        Self { created_at: date.unwrap_or(self.created_at), ..self }
    }
}

/// Adds a post and its event.
///
/// # Errors
///
/// [`AppError::ConditionNotMet`] if a post has that id, or if another author's
/// deleted post had it and programs may not know of the deletion yet;
/// [`AppError::Invalid`] if another post has the slug that its author chose.
pub async fn insert(db: &mut Db, owner: &User, insertion: Insertion<'_>) -> Result<(Post, Event), AppError> {
    let Insertion { id, text, filing, version, created_at, now } = insertion;
    let Folded { post_text, rendering, content: folded } = text;
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
    let slug = match &filing.slug {
        Some(slug) => {
            slugs::refuse_taken(db, &owner.id, slug, &id).await?;
            slug.clone()
        }
        None => slugs::free(db, &owner.id, &slugs::from_title(post_text.title.as_str()), &id).await?,
    };
    let post = Post {
        id,
        slug: Some(slug.clone()),
        tags: filing.tags.clone(),
        language: filing.language,
        title: post_text.title.clone(),
        content: post_text.content.clone(),
        owner: owner.username.to_string(),
        version,
        created_at,
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
        .bind(created_at.micros())
        .bind(fold::stored(post.title.as_str()))
        .bind(folded.value())
        .bind(rendering.map_or(0, Rendering::renderer))
        .bind(rendering.and_then(Rendering::stored_html))
        .bind(kind.name())
        .bind(owner.username.as_str())
        .bind(COMMIT_ORDER_LOCK)
        .bind(events::CHANNEL)
        .bind(now.micros())
        .bind(slug.as_str())
        .bind(post.tags.stored())
        .bind(post.language.map_or("", Language::tag))
        .bind(rendering.map(|rendering| rendering.words.as_str()))
        .bind(rendering.and_then(|rendering| rendering.read_folded.as_deref()))
        .fetch_one(db)
        .await);
    let event = inserted.map_err(|error| {
        let taken = ["posts_pkey", "posts_id_key"].iter().any(|key| violates(&error, key));
        if taken { AppError::ConditionNotMet } else { error.into() }
    })?;
    filing::keep_tags(db, &post.id, created_at, &post.tags).await?;
    let event = Event { id: event, kind, post: post.id.clone(), owner: owner.username.clone() };
    Ok((post, event))
}

/// An edit of a post, with all that it will be.
#[derive(Clone, Debug)]
pub struct Edit<'a> {
    pub text: Folded<'a>,
    /// Absent for a post that has none yet.
    pub slug: Option<&'a Slug>,
    pub tags: &'a Tags,
    pub language: Option<Language>,
    /// To whom it belongs then, if to somebody else.
    pub new_owner: Option<&'a UserId>,
    pub now: Timestamp,
}

/// Updates a post if it belongs to `owner` and has `version`. Otherwise nothing changes,
/// and the result is `None`.
pub async fn update(
    db: &mut Db,
    id: &PostId,
    owner: &UserId,
    version: i64,
    edit: Edit<'_>,
) -> Result<Option<Post>, AppError> {
    let Edit { text, slug, tags, language, new_owner, now } = edit;
    let Folded { post_text, rendering, content: folded } = text;
    let new_owner = new_owner.unwrap_or(owner);
    let row: Option<UpdatedRow> = on_engine!(db => sqlx::query_as(
            "UPDATE posts
             SET title = $1, excerpt = COALESCE($2, excerpt), content = $3, version = version + 1, updated_at = $4, owner_id = $8,
                 title_folded = $9, content_folded = CASE WHEN $10 THEN content_folded ELSE $11 END,
                 read_folded = CASE WHEN $15 THEN read_folded ELSE $16 END,
                 slug = COALESCE($12, slug), tags = $13, language = $14
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
        .bind(new_owner.as_str())
        .bind(fold::stored(post_text.title.as_str()))
        .bind(folded.is_kept())
        .bind(folded.value())
        .bind(slug.map(Slug::as_str))
        .bind(tags.stored())
        .bind(language.map_or("", Language::tag))
        .bind(rendering.is_none())
        .bind(rendering.and_then(|rendering| rendering.read_folded.as_deref()))
        .fetch_optional(db)
        .await?);
    let Some(row) = row else { return Ok(None) };
    if let Some(rendering) = rendering {
        rendered::keep(db, id, rendering).await?;
    }
    Ok(Some(Post {
        id: id.clone(),
        slug: slug.cloned(),
        tags: tags.clone(),
        language,
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
            "INSERT INTO trashed_posts (id, owner_id, version, created_at, trashed_at, title, content, slug, tags, language)
             SELECT id, owner_id, version, created_at, $3, title, content, slug, tags, language FROM posts
             WHERE id = $1 AND owner_id = $2",
        )
        .bind(id.as_str())
        .bind(owner.as_str())
        .bind(now.micros()))?;
    remove(db, id, owner, now).await
}

/// Takes a post of `owner` away from all readers; any other stays.
pub(super) async fn remove(
    db: &mut Db,
    id: &PostId,
    owner: &UserId,
    now: Timestamp,
) -> Result<Option<DeletedPost>, AppError> {
    let row: Option<PostRow> = on_engine!(db => sqlx::query_as(
            "INSERT INTO deleted_posts (id, owner_id, version, created_at, updated_at, title, content)
             SELECT id, owner_id, version + 1, created_at, $3, title, content FROM posts
             WHERE id = $1 AND owner_id = $2
             RETURNING id, '' AS slug, '' AS tags, '' AS language, title, content, version, created_at, updated_at,
                 (SELECT u.username FROM users u WHERE u.id = deleted_posts.owner_id) AS owner",
        )
        .bind(id.as_str())
        .bind(owner.as_str())
        .bind(now.micros())
        .fetch_optional(db)
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
    write_changes(&mut sql, wanted, concat!(post_columns!(), ", CAST(0 AS BIGINT) AS deleted FROM posts p"));
    sql.push(") AS living UNION ALL SELECT * FROM (").set_of_deleted(true);
    let deleted = concat!(deleted_columns!(), ", CAST(1 AS BIGINT) AS deleted FROM deleted_posts p");
    write_changes(&mut sql, wanted, deleted);
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

fn write_changes(sql: &mut Sql, wanted: &ChangesSince, columns_and_table: &'static str) {
    sql.push("SELECT ").push(columns_and_table).push(" JOIN users u ON u.id = p.owner_id WHERE ");
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
