//! The SQL of passkeys.

use sqlx::FromRow;

use crate::{
    credentials::UserId,
    database::{Db, execute, on_engine, violates},
    error::AppError,
    timestamp::Timestamp,
};

/// A passkey as it is stored.
#[derive(Clone, Debug, FromRow)]
pub struct Row {
    pub id: String,
    pub name: String,
    /// The public key and its counter, as JSON.
    pub credential: String,
    /// Microseconds since 1970 UTC, like the other.
    pub created_at: i64,
    pub last_used_at: Option<i64>,
    /// Since when it counts as copied.
    pub refused_at: Option<i64>,
}

/// The passkeys of a person, oldest first.
pub async fn list(db: &mut Db, user: &UserId) -> Result<Vec<Row>, AppError> {
    Ok(on_engine!(db => sqlx::query_as(
            "SELECT id, name, credential, created_at, last_used_at, refused_at FROM passkeys WHERE user_id = $1 ORDER BY created_at, id",
        )
        .bind(user.as_str())
        .fetch_all(db)
        .await?))
}

/// How many there are.
pub async fn count(db: &mut Db, user: &UserId) -> Result<i64, AppError> {
    Ok(on_engine!(db => sqlx::query_scalar("SELECT COUNT(*) FROM passkeys WHERE user_id = $1")
        .bind(user.as_str())
        .fetch_one(db)
        .await?))
}

/// How many of them open the account.
pub async fn count_accepted(db: &mut Db, user: &UserId) -> Result<i64, AppError> {
    Ok(on_engine!(db => sqlx::query_scalar(
            "SELECT COUNT(*) FROM passkeys WHERE user_id = $1 AND refused_at IS NULL",
        )
        .bind(user.as_str())
        .fetch_one(db)
        .await?))
}

/// Refuses one from now on.
pub async fn refuse(db: &mut Db, id: &str, now: Timestamp) -> Result<(), AppError> {
    execute!(db => sqlx::query("UPDATE passkeys SET refused_at = $1 WHERE id = $2 AND refused_at IS NULL")
        .bind(now.micros())
        .bind(id))?;
    Ok(())
}

/// The passkey of that person that browsers name so.
pub async fn find(db: &mut Db, user: &UserId, credential_id: &[u8]) -> Result<Option<Row>, AppError> {
    Ok(on_engine!(db => sqlx::query_as(
            "SELECT id, name, credential, created_at, last_used_at, refused_at FROM passkeys WHERE user_id = $1 AND credential_id = $2",
        )
        .bind(user.as_str())
        .bind(credential_id)
        .fetch_optional(db)
        .await?))
}

/// Adds one; `false` if some account has it already.
pub async fn insert(db: &mut Db, user: &UserId, credential_id: &[u8], row: &Row) -> Result<bool, AppError> {
    let done = execute!(db => sqlx::query(
            "INSERT INTO passkeys (id, user_id, name, credential_id, credential, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(&row.id)
        .bind(user.as_str())
        .bind(&row.name)
        .bind(credential_id)
        .bind(&row.credential)
        .bind(row.created_at));
    match done {
        Ok(_) => Ok(true),
        Err(error) if violates(&error, "passkeys_credential_id_key") => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Notes a use, with the new counter, unless the credential is no longer `old` or is
/// refused: whether it was noted.
pub async fn note_use(db: &mut Db, id: &str, old: &str, new: &str, now: Timestamp) -> Result<bool, AppError> {
    let noted = execute!(db => sqlx::query(
            "UPDATE passkeys SET credential = $1, last_used_at = $2 WHERE id = $3 AND credential = $4 AND refused_at IS NULL",
        )
        .bind(new)
        .bind(now.micros())
        .bind(id)
        .bind(old))?;
    Ok(noted > 0)
}

/// Removes one of that person.
pub async fn delete(db: &mut Db, user: &UserId, id: &str) -> Result<(), AppError> {
    execute!(db => sqlx::query("DELETE FROM passkeys WHERE id = $1 AND user_id = $2")
        .bind(id)
        .bind(user.as_str()))?;
    Ok(())
}

/// Whether the account has no password.
pub async fn is_password_dropped(db: &mut Db, user: &UserId) -> Result<bool, AppError> {
    Ok(on_engine!(db => sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM users WHERE id = $1 AND password_dropped_at IS NOT NULL)",
        )
        .bind(user.as_str())
        .fetch_one(db)
        .await?))
}

/// Replaces the password by one that nobody knows.
pub async fn drop_password(db: &mut Db, user: &UserId, hash: &str, now: Timestamp) -> Result<(), AppError> {
    execute!(db => sqlx::query("UPDATE users SET password_hash = $1, password_dropped_at = $2 WHERE id = $3")
        .bind(hash)
        .bind(now.micros())
        .bind(user.as_str()))?;
    Ok(())
}
