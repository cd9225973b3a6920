//! Wishes that are sent twice and granted once (security row D5).

use std::time::Duration;

use sha2::{Digest, Sha256};

use super::{
    clock,
    database::{Db, on, violates},
};
use crate::{credentials::UserId, error::AppError};

/// How long a wish is remembered; a browser tab that was asleep for a weekend
/// may still send its form again.
const REMEMBERED: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// A client's name for one wish, so that a wish sent twice is granted once
/// (draft-ietf-httpapi-idempotency-key-header).
/// Remembered per person for a week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(String);

/// The text is no idempotency key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an idempotency key is 1 to 64 visible ASCII characters")]
pub struct IdempotencyKeyError;

impl IdempotencyKey {
    /// 1 to 64 visible ASCII characters.
    ///
    /// # Errors
    /// [`IdempotencyKeyError`].
    pub fn parse(raw: &str) -> Result<Self, IdempotencyKeyError> {
        let fits = (1..=64).contains(&raw.len()) && raw.bytes().all(|b| b.is_ascii_graphic());
        if fits { Ok(Self(raw.to_owned())) } else { Err(IdempotencyKeyError) }
    }

    /// The key of a call, if it has one. A form's empty field is none.
    ///
    /// # Errors
    /// [`AppError::BadRequest`].
    pub fn optional(raw: Option<String>) -> Result<Option<Self>, AppError> {
        raw.filter(|raw| !raw.is_empty())
            .map(|raw| Self::parse(&raw).map_err(|error| AppError::BadRequest { reason: error.to_string() }))
            .transpose()
    }

    /// A new one, for a form.
    #[must_use]
    pub fn generate() -> Self {
        Self(uuid::Uuid::now_v7().to_string())
    }

    /// What is stored of it: whoever reads the database cannot wish as somebody
    /// else has, nor make again what was made from a key.
    fn hash(&self) -> String {
        Sha256::digest(&self.0).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The text of the key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What is wished for. A key names one wish of one kind: used for two, it names two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// An account.
    SignUp,
    /// A new post.
    CreatePost,
    /// A post gone.
    DeletePost,
    /// A new API key.
    CreateApiKey,
    /// An API key that holds no longer.
    RevokeApiKey,
}

impl Wish {
    const fn name(self) -> &'static str {
        match self {
            Self::SignUp => "sign_up",
            Self::CreatePost => "create_post",
            Self::DeletePost => "delete_post",
            Self::CreateApiKey => "create_api_key",
            Self::RevokeApiKey => "revoke_api_key",
        }
    }
}

/// The id of what this wish already made or touched.
///
/// # Errors
/// Those of the database.
pub async fn remembered(
    db: &mut Db,
    user: &UserId,
    wish: Wish,
    key: &IdempotencyKey,
) -> Result<Option<String>, AppError> {
    // Older rows have the key as it came, until they are a week old.
    Ok(on!(db => sqlx::query_scalar(
            "SELECT result_id FROM idempotency_keys WHERE user_id = $1 AND wish = $2 AND key IN ($3, $4)",
        )
        .bind(user.as_str())
        .bind(wish.name())
        .bind(key.hash())
        .bind(key.as_str())
        .fetch_optional(db)
        .await?))
}

/// Notes a granted wish, in the transaction that grants it.
///
/// # Errors
/// [`AppError::Overtaken`] when the same wish was granted at the same time:
/// run again, the transaction finds it remembered. Those of the database.
pub async fn remember(
    db: &mut Db,
    user: &UserId,
    wish: Wish,
    key: &IdempotencyKey,
    result_id: &str,
) -> Result<(), AppError> {
    let done = on!(db => sqlx::query(
            "INSERT INTO idempotency_keys (user_id, wish, key, result_id, created_at) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(user.as_str())
        .bind(wish.name())
        .bind(key.hash())
        .bind(result_id)
        .bind(clock::now().micros())
        .execute(db)
        .await
        .map(drop));
    done.map_err(
        |error| {
            if violates(&error, "idempotency_keys_pkey") { AppError::Overtaken } else { error.into() }
        },
    )
}

/// Removes wishes that are too old to be sent again.
///
/// # Errors
/// Those of the database.
pub async fn forget_old(db: &mut Db) -> Result<(), AppError> {
    on!(db => sqlx::query("DELETE FROM idempotency_keys WHERE created_at < $1")
        .bind(clock::before(REMEMBERED).micros())
        .execute(db)
        .await
        .map(drop)?);
    Ok(())
}
