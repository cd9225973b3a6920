//! The SQL of drafts. Every statement has the owner in its `WHERE` (security row A1).

use sqlx::FromRow;

use super::rows::{broken, language, slug};
use crate::{
    clock,
    credentials::UserId,
    database::{Db, execute, on_engine},
    error::AppError,
    posts::{Content, DraftPost, Language, PostId, Slug, Tags},
    timestamp::Timestamp,
};

#[derive(Clone, FromRow)]
pub(super) struct DraftRow {
    id: String,
    version: i64,
    created_at: i64,
    updated_at: i64,
    pub(super) published_at: Option<i64>,
    publish_at: Option<i64>,
    utc_offset: i64,
    is_scheduled: i64,
    waits_since: Option<i64>,
    slug: String,
    tags: String,
    language: String,
    title: String,
    content: String,
}

const COLUMNS: &str = "id, version, created_at, updated_at, published_at, publish_at, utc_offset, is_scheduled, waits_since, slug, tags, language, title, content";

impl TryFrom<DraftRow> for DraftPost {
    type Error = AppError;

    fn try_from(row: DraftRow) -> Result<Self, AppError> {
        Ok(Self {
            id: broken(PostId::try_from(row.id))?,
            slug: slug(row.slug)?,
            tags: broken(Tags::from_stored(&row.tags))?,
            language: language(&row.language)?,
            title: row.title,
            content: broken(Content::try_from(row.content))?,
            version: row.version,
            created_at: Timestamp::from_micros(row.created_at),
            updated_at: Timestamp::from_micros(row.updated_at),
            publish_at: row.publish_at.map(Timestamp::from_micros),
            utc_offset: row.utc_offset,
            is_scheduled: row.is_scheduled != 0,
            waits_since: row.waits_since.map(Timestamp::from_micros),
        })
    }
}

pub(super) async fn find_row(db: &mut Db, owner: &UserId, id: &PostId) -> Result<Option<DraftRow>, AppError> {
    let sql = format!("SELECT {COLUMNS} FROM drafts WHERE id = $1 AND owner_id = $2");
    Ok(on_engine!(db => sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(id.as_str())
        .bind(owner.as_str())
        .fetch_optional(db)
        .await?))
}

pub(super) async fn find(db: &mut Db, owner: &UserId, id: &PostId) -> Result<Option<DraftPost>, AppError> {
    find_row(db, owner, id).await?.map(DraftPost::try_from).transpose()
}

/// Adds a draft as it is.
pub(super) async fn insert(
    db: &mut Db,
    owner: &UserId,
    draft: &DraftPost,
    published_at: Option<Timestamp>,
) -> Result<(), AppError> {
    execute!(db => sqlx::query(
            "INSERT INTO drafts (id, owner_id, version, created_at, updated_at, published_at, publish_at, utc_offset, is_scheduled, slug, tags, title, content, language, waits_since)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
        )
        .bind(draft.id.as_str())
        .bind(owner.as_str())
        .bind(draft.version)
        .bind(draft.created_at.micros())
        .bind(draft.updated_at.micros())
        .bind(published_at.map(Timestamp::micros))
        .bind(draft.publish_at.map(Timestamp::micros))
        .bind(draft.utc_offset)
        .bind(i64::from(draft.is_scheduled))
        .bind(draft.slug.as_ref().map_or("", Slug::as_str))
        .bind(draft.tags.stored())
        .bind(draft.title.as_str())
        .bind(draft.content.as_str())
        .bind(draft.language.map_or("", Language::tag))
        .bind(draft.waits_since.map(Timestamp::micros)))?;
    Ok(())
}

/// Stores a draft that was changed in this transaction, as its next version.
pub(super) async fn update(db: &mut Db, owner: &UserId, draft: DraftPost) -> Result<DraftPost, AppError> {
    let saved = DraftPost { version: draft.version + 1, updated_at: clock::now(), ..draft };
    let changed = execute!(db => sqlx::query(
            "UPDATE drafts SET version = $4, updated_at = $5, publish_at = $6, utc_offset = $7, is_scheduled = $8,
                 slug = $9, tags = $10, title = $11, content = $12, language = $13, waits_since = $14
             WHERE id = $1 AND owner_id = $2 AND version = $3",
        )
        .bind(saved.id.as_str())
        .bind(owner.as_str())
        .bind(draft.version)
        .bind(saved.version)
        .bind(saved.updated_at.micros())
        .bind(saved.publish_at.map(Timestamp::micros))
        .bind(saved.utc_offset)
        .bind(i64::from(saved.is_scheduled))
        .bind(saved.slug.as_ref().map_or("", Slug::as_str))
        .bind(saved.tags.stored())
        .bind(saved.title.as_str())
        .bind(saved.content.as_str())
        .bind(saved.language.map_or("", Language::tag))
        .bind(saved.waits_since.map(Timestamp::micros)))?;
    if changed == 0 { Err(AppError::WriteConflict) } else { Ok(saved) }
}

/// Puts a draft into the trash; `false` if there is none.
pub(super) async fn delete(
    db: &mut Db,
    owner: &UserId,
    id: &PostId,
    now: Timestamp,
) -> Result<bool, AppError> {
    let trashed = execute!(db => sqlx::query(
            "INSERT INTO trashed_posts (id, owner_id, version, created_at, trashed_at, title, content, slug, tags, language, is_draft)
             SELECT id, owner_id, version, COALESCE(published_at, created_at), $3, title, content, slug, tags, language, 1 FROM drafts
             WHERE id = $1 AND owner_id = $2",
        )
        .bind(id.as_str())
        .bind(owner.as_str())
        .bind(now.micros()))?;
    execute!(db => sqlx::query("DELETE FROM drafts WHERE id = $1 AND owner_id = $2")
        .bind(id.as_str())
        .bind(owner.as_str()))?;
    Ok(trashed > 0)
}

/// The drafts of an author, the last saved first, at most `limit`.
pub(super) async fn list(db: &mut Db, owner: &UserId, limit: i64) -> Result<Vec<DraftPost>, AppError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM drafts WHERE owner_id = $1 ORDER BY updated_at DESC, id DESC LIMIT $2"
    );
    let rows: Vec<DraftRow> = on_engine!(db => sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(owner.as_str())
        .bind(limit)
        .fetch_all(db)
        .await?);
    rows.into_iter().map(DraftPost::try_from).collect()
}
