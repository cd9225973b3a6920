//! The SQL of second factors.

use sqlx::FromRow;

use super::RecoveryCode;
use crate::{
    credentials::UserId,
    database::{Db, execute, on_engine},
    error::AppError,
    timestamp::Timestamp,
};

/// The secrets of an account, sealed.
#[derive(Debug, FromRow)]
pub struct Row {
    /// The one that counts, if two-factor authentication is on.
    pub secret: Option<Vec<u8>>,
    /// The last time step of which a code was accepted.
    pub last_step: i64,
    /// The one of a set-up that was not finished.
    pub pending: Option<Vec<u8>>,
}

pub async fn find(db: &mut Db, user: &UserId) -> Result<Option<Row>, AppError> {
    Ok(
        on_engine!(db => sqlx::query_as("SELECT secret, last_step, pending FROM two_factor WHERE user_id = $1")
        .bind(user.as_str())
        .fetch_optional(db)
        .await?),
    )
}

/// Whether a login of that account needs a code.
pub async fn is_on(db: &mut Db, user: &UserId) -> Result<bool, AppError> {
    Ok(on_engine!(db => sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM two_factor WHERE user_id = $1 AND secret IS NOT NULL)",
        )
        .bind(user.as_str())
        .fetch_one(db)
        .await?))
}

/// Stores the secret of a set-up; it replaces that of an earlier one.
pub async fn set_pending(db: &mut Db, user: &UserId, sealed: &[u8], now: Timestamp) -> Result<(), AppError> {
    execute!(db => sqlx::query(
            "INSERT INTO two_factor (user_id, last_step, pending, pending_since) VALUES ($1, 0, $2, $3)
             ON CONFLICT (user_id) DO UPDATE SET pending = excluded.pending, pending_since = excluded.pending_since",
        )
        .bind(user.as_str())
        .bind(sealed)
        .bind(now.micros()))?;
    Ok(())
}

/// Turns it on with the secret of the set-up, if it still is `pending`: whether it
/// was.
pub async fn turn_on(
    db: &mut Db,
    user: &UserId,
    pending: &[u8],
    step: i64,
    now: Timestamp,
) -> Result<bool, AppError> {
    let turned = execute!(db => sqlx::query(
            "UPDATE two_factor SET secret = pending, on_since = $1, last_step = $2, pending = NULL, pending_since = NULL
             WHERE user_id = $3 AND pending = $4",
        )
        .bind(now.micros())
        .bind(step)
        .bind(user.as_str())
        .bind(pending))?;
    Ok(turned > 0)
}

/// Removes the secrets and the recovery codes; whether it was on.
pub async fn turn_off(db: &mut Db, user: &UserId) -> Result<bool, AppError> {
    let was_on = is_on(db, user).await?;
    execute!(db => sqlx::query("DELETE FROM two_factor WHERE user_id = $1").bind(user.as_str()))?;
    execute!(db => sqlx::query("DELETE FROM recovery_codes WHERE user_id = $1").bind(user.as_str()))?;
    Ok(was_on)
}

/// Notes that a code of this time step was accepted; `false` if one of it, or of a
/// later one, was before.
pub async fn use_step(db: &mut Db, user: &UserId, step: i64) -> Result<bool, AppError> {
    let used = execute!(db => sqlx::query("UPDATE two_factor SET last_step = $1 WHERE user_id = $2 AND last_step < $1")
        .bind(step)
        .bind(user.as_str()))?;
    Ok(used > 0)
}

/// Replaces the recovery codes of an account.
pub async fn replace_codes(db: &mut Db, user: &UserId, codes: &[RecoveryCode]) -> Result<(), AppError> {
    execute!(db => sqlx::query("DELETE FROM recovery_codes WHERE user_id = $1").bind(user.as_str()))?;
    for code in codes {
        let db = &mut *db;
        execute!(db => sqlx::query("INSERT INTO recovery_codes (user_id, hash) VALUES ($1, $2)")
            .bind(user.as_str())
            .bind(code.hash()))?;
    }
    Ok(())
}

/// Uses up a recovery code; `false` if there is no such code, or it was used.
pub async fn use_code(
    db: &mut Db,
    user: &UserId,
    code: &RecoveryCode,
    now: Timestamp,
) -> Result<bool, AppError> {
    let used = execute!(db => sqlx::query(
            "UPDATE recovery_codes SET used_at = $1 WHERE user_id = $2 AND hash = $3 AND used_at IS NULL",
        )
        .bind(now.micros())
        .bind(user.as_str())
        .bind(code.hash()))?;
    Ok(used > 0)
}

/// How many recovery codes are left.
pub async fn count_codes(db: &mut Db, user: &UserId) -> Result<i64, AppError> {
    Ok(on_engine!(db => sqlx::query_scalar(
            "SELECT COUNT(*) FROM recovery_codes WHERE user_id = $1 AND used_at IS NULL",
        )
        .bind(user.as_str())
        .fetch_one(db)
        .await?))
}
