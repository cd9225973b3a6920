//! The SQL of pictures.

use sqlx::FromRow;

use super::files::{self, NewFile};
use crate::{
    credentials::UserId,
    database::{Db, execute, internal, on_engine},
    error::AppError,
    media::{
        Alt, Picture,
        address::{Address, Format, Hash},
    },
    timestamp::Timestamp,
};

/// An author's picture.
#[derive(Clone, Debug)]
pub struct Stored {
    pub id: String,
    pub address: Address,
    pub bytes: i64,
    pub alt: Alt,
    pub created_at: Timestamp,
}

#[derive(FromRow)]
struct Row {
    id: String,
    hash: String,
    format: String,
    width: i64,
    height: i64,
    bytes: i64,
    alt: String,
    created_at: i64,
}

impl TryFrom<Row> for Stored {
    type Error = AppError;

    fn try_from(row: Row) -> Result<Self, AppError> {
        let wrong = || internal("a stored picture breaks the rules");
        let address = Address {
            hash: Hash::parse(&row.hash).ok_or_else(wrong)?,
            width: u32::try_from(row.width).map_err(internal)?,
            height: u32::try_from(row.height).map_err(internal)?,
            format: Format::of_extension(&row.format).ok_or_else(wrong)?,
        };
        Ok(Self {
            id: row.id,
            address,
            bytes: row.bytes,
            alt: Alt::from_stored(row.alt),
            created_at: Timestamp::from_micros(row.created_at),
        })
    }
}

impl From<Stored> for Picture {
    fn from(stored: Stored) -> Self {
        let url = stored.address.to_string();
        Self {
            id: stored.id,
            thumbnail: stored.address.thumbnail(),
            width: stored.address.width,
            height: stored.address.height,
            markdown: Self::markdown(&stored.alt, &url),
            url,
            alt: stored.alt,
            bytes: stored.bytes,
            created_at: stored.created_at,
        }
    }
}

/// An author's pictures, the newest first: those before the picture `before`.
pub(super) async fn list(
    db: &mut Db,
    owner: &UserId,
    before: Option<&str>,
    limit: i64,
) -> Result<Vec<Stored>, AppError> {
    let rows: Vec<Row> = on_engine!(db => sqlx::query_as(
            "SELECT id, hash, format, width, height, bytes, alt, created_at FROM media
             WHERE owner_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
        )
        .bind(owner.as_str())
        // Behind every id.
        .bind(before.unwrap_or("~"))
        .bind(limit)
        .fetch_all(db)
        .await?);
    rows.into_iter().map(Stored::try_from).collect()
}

/// One of an author's pictures.
pub(super) async fn find(db: &mut Db, owner: &UserId, id: &str) -> Result<Option<Stored>, AppError> {
    let row: Option<Row> = on_engine!(db => sqlx::query_as(
            "SELECT id, hash, format, width, height, bytes, alt, created_at FROM media
             WHERE id = $1 AND owner_id = $2",
        )
        .bind(id)
        .bind(owner.as_str())
        .fetch_optional(db)
        .await?);
    row.map(Stored::try_from).transpose()
}

/// An author's picture with that content.
pub(super) async fn find_hash(db: &mut Db, owner: &UserId, hash: &Hash) -> Result<Option<Stored>, AppError> {
    let row: Option<Row> = on_engine!(db => sqlx::query_as(
            "SELECT id, hash, format, width, height, bytes, alt, created_at FROM media
             WHERE owner_id = $1 AND hash = $2",
        )
        .bind(owner.as_str())
        .bind(hash.as_str())
        .fetch_optional(db)
        .await?);
    row.map(Stored::try_from).transpose()
}

/// Bytes that count for an author's quota.
pub(super) async fn bytes(db: &mut Db, owner: &UserId) -> Result<i64, AppError> {
    Ok(on_engine!(db => sqlx::query_scalar(
            "SELECT CAST(COALESCE(SUM(bytes), 0) AS BIGINT) FROM media WHERE owner_id = $1",
        )
        .bind(owner.as_str())
        .fetch_one(db)
        .await?))
}

/// How many pictures an author has uploaded since then.
pub(super) async fn count_since(db: &mut Db, owner: &UserId, since: Timestamp) -> Result<i64, AppError> {
    Ok(on_engine!(db => sqlx::query_scalar(
            "SELECT COUNT(*) FROM media WHERE owner_id = $1 AND created_at > $2",
        )
        .bind(owner.as_str())
        .bind(since.micros())
        .fetch_one(db)
        .await?))
}

/// Stores an author's picture.
pub(super) async fn insert(
    db: &mut Db,
    owner: &UserId,
    picture: &Stored,
    files: &[NewFile],
) -> Result<(), AppError> {
    let Address { hash, width, height, format } = &picture.address;
    execute!(db => sqlx::query(
            "INSERT INTO media (id, owner_id, hash, format, width, height, bytes, alt, created_at, checked_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)",
        )
        .bind(&picture.id)
        .bind(owner.as_str())
        .bind(hash.as_str())
        .bind(format.extension())
        .bind(i64::from(*width))
        .bind(i64::from(*height))
        .bind(picture.bytes)
        .bind(picture.alt.as_str())
        .bind(picture.created_at.micros()))?;
    for file in files {
        files::insert(db, hash.as_str(), file).await?;
    }
    Ok(())
}

/// Gives an author's picture another description.
pub(super) async fn set_alt(db: &mut Db, owner: &UserId, id: &str, alt: &Alt) -> Result<(), AppError> {
    execute!(db => sqlx::query("UPDATE media SET alt = $1 WHERE id = $2 AND owner_id = $3")
        .bind(alt.as_str())
        .bind(id)
        .bind(owner.as_str()))?;
    Ok(())
}

/// Removes an author's picture, and its files if nobody else has it.
pub(super) async fn delete(db: &mut Db, owner: &UserId, picture: &Stored) -> Result<u64, AppError> {
    let deleted = execute!(db => sqlx::query("DELETE FROM media WHERE id = $1 AND owner_id = $2")
        .bind(&picture.id)
        .bind(owner.as_str()))?;
    files::forget(db, Some(&picture.address.hash)).await?;
    Ok(deleted)
}

/// Authors with pictures that were not looked for since then, those first that wait longest.
pub(super) async fn unchecked_authors(
    db: &mut Db,
    since: Timestamp,
    limit: i64,
) -> Result<Vec<UserId>, AppError> {
    let ids: Vec<String> = on_engine!(db => sqlx::query_scalar(
            "SELECT owner_id FROM media WHERE checked_at <= $1
             GROUP BY owner_id ORDER BY MIN(checked_at) LIMIT $2",
        )
        .bind(since.micros())
        .bind(limit)
        .fetch_all(db)
        .await?);
    Ok(ids.into_iter().map(UserId::from_stored).collect())
}

/// All pictures of an author: ids and content.
pub(super) async fn hashes(db: &mut Db, owner: &UserId) -> Result<Vec<(String, Hash)>, AppError> {
    let rows: Vec<(String, String)> = on_engine!(db => sqlx::query_as(
            "SELECT id, hash FROM media WHERE owner_id = $1",
        )
        .bind(owner.as_str())
        .fetch_all(db)
        .await?);
    Ok(rows.into_iter().filter_map(|(id, hash)| Some((id, Hash::parse(&hash)?))).collect())
}

/// Notes when texts were searched for a picture, and that some show it.
pub(super) async fn note_used(db: &mut Db, id: &str, now: Timestamp) -> Result<(), AppError> {
    execute!(db => sqlx::query("UPDATE media SET checked_at = $1, unused_since = NULL WHERE id = $2")
        .bind(now.micros())
        .bind(id))?;
    Ok(())
}

/// Notes when texts were searched for a picture, and that none shows it; removes it if that
/// was so before `gone`.
pub(super) async fn note_unused(
    db: &mut Db,
    id: &str,
    now: Timestamp,
    gone: Timestamp,
) -> Result<u64, AppError> {
    execute!(db => sqlx::query(
            "UPDATE media SET checked_at = $1, unused_since = COALESCE(unused_since, $1) WHERE id = $2",
        )
        .bind(now.micros())
        .bind(id))?;
    Ok(execute!(db => sqlx::query("DELETE FROM media WHERE id = $1 AND unused_since <= $2")
        .bind(id)
        .bind(gone.micros()))?)
}

/// Gives an author's picture to another account, unless that has the same.
pub(super) async fn give(db: &mut Db, id: &str, new_owner: &UserId) -> Result<(), AppError> {
    execute!(db => sqlx::query(
            "UPDATE media SET owner_id = $1 WHERE id = $2 AND NOT EXISTS
                (SELECT 1 FROM media AS same WHERE same.owner_id = $1 AND same.hash = media.hash)",
        )
        .bind(new_owner.as_str())
        .bind(id))?;
    Ok(())
}
