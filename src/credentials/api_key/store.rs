//! The SQL of API keys.

use std::time::Duration;

use sqlx::FromRow;

use super::ApiKeyId;
use crate::{
    clock,
    credentials::{UserId, last_use},
    database::{Db, execute, on_engine},
    error::AppError,
    timestamp::Timestamp,
};

/// An expired key stays in its owner's list for this long, to explain why a
/// program was refused.
const SHOWN_EXPIRED: Duration = Duration::from_secs(30 * 24 * 60 * 60);

#[derive(Debug, FromRow)]
pub struct ActiveKey {
    pub id: String,
    /// Microseconds since 1970 UTC.
    pub expires_at: i64,
    /// Microseconds since 1970 UTC.
    pub last_used_at: Option<i64>,
}

/// A public key, which belongs to the site itself.
#[derive(Debug, FromRow)]
pub struct Public {
    pub id: String,
    /// SHA-256 of the key.
    pub hash: Vec<u8>,
}

#[derive(Clone, Debug)]
pub struct NewRow {
    pub id: ApiKeyId,
    /// Absent for a key of the site itself.
    pub owner: Option<UserId>,
    pub name: String,
    /// SHA-256 of the key.
    pub hash: Vec<u8>,
    pub hint: String,
    pub created_at: Timestamp,
    /// From then on it is refused.
    pub expires_at: Timestamp,
}

/// A key as `byline api-key list` shows it.
#[derive(Debug, FromRow)]
pub struct ApiKeyRow {
    pub id: String,
    /// Absent for a key of the site itself.
    pub username: Option<String>,
    pub name: String,
    pub hint: String,
    /// Microseconds since 1970 UTC.
    pub created_at: i64,
    /// Microseconds since 1970 UTC.
    pub expires_at: i64,
    /// Microseconds since 1970 UTC.
    pub last_used_at: Option<i64>,
}

/// The valid key with a hash. Nobody reads by a key of a locked account.
pub async fn active(db: &mut Db, hash: &[u8]) -> Result<Option<ActiveKey>, AppError> {
    Ok(on_engine!(db => sqlx::query_as(
            "SELECT id, expires_at, last_used_at FROM api_keys k WHERE hash = $1 AND expires_at > $2
             AND NOT EXISTS (SELECT 1 FROM users u WHERE u.id = k.user_id AND u.locked_at IS NOT NULL)",
        )
        .bind(hash)
        .bind(clock::now().micros())
        .fetch_optional(db)
        .await?))
}

/// Whether the key of that row is valid.
pub async fn is_active(db: &mut Db, id: &str) -> Result<bool, AppError> {
    Ok(on_engine!(db => sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM api_keys k WHERE id = $1 AND expires_at > $2
             AND NOT EXISTS (SELECT 1 FROM users u WHERE u.id = k.user_id AND u.locked_at IS NOT NULL))",
        )
        .bind(id)
        .bind(clock::now().micros())
        .fetch_one(db)
        .await?))
}

/// Notes that a key was used, unless that was just noted.
pub async fn touch(db: &mut Db, id: &str) -> Result<(), AppError> {
    execute!(db => sqlx::query(
            "UPDATE api_keys SET last_used_at = $1
             WHERE id = $2 AND (last_used_at IS NULL OR last_used_at < $3)",
        )
        .bind(clock::now().micros())
        .bind(id)
        .bind(last_use::just_now().micros()))?;
    Ok(())
}

/// The newest valid key of the site itself.
pub async fn newest_public(db: &mut Db) -> Result<Option<Public>, AppError> {
    Ok(on_engine!(db => sqlx::query_as(
            "SELECT id, hash FROM api_keys WHERE user_id IS NULL AND expires_at > $1
             ORDER BY created_at DESC, id DESC LIMIT 1",
        )
        .bind(clock::now().micros())
        .fetch_optional(db)
        .await?))
}

/// The number of valid keys of a person. Transactions that add a key run one
/// after the other, because each first writes the row of the person.
///
/// # Errors
/// [`AppError::WriteConflict`] where another did so at the same time.
pub async fn count_active(db: &mut Db, owner: &UserId) -> Result<i64, AppError> {
    execute!(db => sqlx::query("UPDATE users SET username = username WHERE id = $1")
        .bind(owner.as_str()))?;
    Ok(
        on_engine!(db => sqlx::query_scalar("SELECT COUNT(*) FROM api_keys WHERE user_id = $1 AND expires_at > $2")
        .bind(owner.as_str())
        .bind(clock::now().micros())
        .fetch_one(db)
        .await?),
    )
}

pub async fn insert(db: &mut Db, row: &NewRow) -> Result<(), AppError> {
    execute!(db => sqlx::query(
            "INSERT INTO api_keys (id, user_id, name, hash, hint, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(row.id.as_str())
        .bind(row.owner.as_ref().map(UserId::as_str))
        .bind(&row.name)
        .bind(&row.hash)
        .bind(&row.hint)
        .bind(row.created_at.micros())
        .bind(row.expires_at.micros()))?;
    Ok(())
}

pub async fn find(db: &mut Db, owner: &UserId, id: &ApiKeyId) -> Result<Option<ApiKeyRow>, AppError> {
    Ok(on_engine!(db => sqlx::query_as(
            "SELECT k.id, u.username, k.name, k.hint, k.created_at, k.expires_at, k.last_used_at
             FROM api_keys k JOIN users u ON u.id = k.user_id WHERE k.user_id = $1 AND k.id = $2",
        )
        .bind(owner.as_str())
        .bind(id.as_str())
        .fetch_optional(db)
        .await?))
}

/// The keys of a person, newest first.
pub async fn list(db: &mut Db, owner: &UserId) -> Result<Vec<ApiKeyRow>, AppError> {
    Ok(on_engine!(db => sqlx::query_as(
            "SELECT k.id, u.username, k.name, k.hint, k.created_at, k.expires_at, k.last_used_at
             FROM api_keys k JOIN users u ON u.id = k.user_id WHERE k.user_id = $1
             ORDER BY k.created_at DESC, k.id DESC",
        )
        .bind(owner.as_str())
        .fetch_all(db)
        .await?))
}

/// Every key there is, oldest first.
pub async fn list_all(db: &mut Db) -> Result<Vec<ApiKeyRow>, AppError> {
    Ok(on_engine!(db => sqlx::query_as(
            "SELECT k.id, u.username, k.name, k.hint, k.created_at, k.expires_at, k.last_used_at
             FROM api_keys k LEFT JOIN users u ON u.id = k.user_id ORDER BY k.created_at, k.id",
        )
        .fetch_all(db)
        .await?))
}

/// Removes a key of a person; `false` if they have no such key.
pub async fn delete(db: &mut Db, owner: &UserId, id: &ApiKeyId) -> Result<bool, AppError> {
    Ok(execute!(db => sqlx::query("DELETE FROM api_keys WHERE id = $1 AND user_id = $2")
        .bind(id.as_str())
        .bind(owner.as_str()))?
        > 0)
}

/// Removes a key of any owner; `false` if there is none.
pub async fn delete_any(db: &mut Db, id: &ApiKeyId) -> Result<bool, AppError> {
    Ok(execute!(db => sqlx::query("DELETE FROM api_keys WHERE id = $1")
        .bind(id.as_str()))?
        > 0)
}

/// Removes keys that expired long ago.
pub async fn forget_expired(db: &mut Db) -> Result<(), AppError> {
    execute!(db => sqlx::query("DELETE FROM api_keys WHERE expires_at < $1")
        .bind(clock::before(SHOWN_EXPIRED).micros()))?;
    Ok(())
}
