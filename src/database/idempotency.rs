//! Operations that are sent twice and done once (security row D5).

use std::time::Duration;

use sha2::{Digest, Sha256};

use super::{Db, execute, on_engine, violates};
use crate::{clock, error::AppError, text::hex};

/// How long an operation is remembered. A browser tab that slept for a weekend
/// may send its form again.
const REMEMBERED: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// A client's name for one operation, so that an operation that is sent twice is
/// done once (draft-ietf-httpapi-idempotency-key-header). It is remembered for
/// each person for a week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an idempotency key is 1 to 64 visible ASCII characters")]
pub struct IdempotencyKeyError;

impl IdempotencyKey {
    /// 1 to 64 visible ASCII characters.
    pub fn parse(raw: &str) -> Result<Self, IdempotencyKeyError> {
        let fits = (1..=64).contains(&raw.len()) && raw.bytes().all(|b| b.is_ascii_graphic());
        if fits { Ok(Self(raw.to_owned())) } else { Err(IdempotencyKeyError) }
    }

    /// The key of a call, if it has one. A form's empty field counts as none.
    pub fn optional(raw: Option<String>) -> Result<Option<Self>, AppError> {
        raw.filter(|raw| !raw.is_empty())
            .map(|raw| Self::parse(&raw).map_err(|error| AppError::BadRequest { reason: error.to_string() }))
            .transpose()
    }

    /// A random key, for a form.
    #[must_use]
    pub fn generate() -> Self {
        Self(uuid::Uuid::now_v7().to_string())
    }

    /// The stored form of the key. A reader of the database can neither repeat
    /// an operation of somebody else nor derive an API key again.
    fn hash(&self) -> String {
        hex(&Sha256::digest(&self.0))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The kind of an operation. The same key for two kinds names two operations, unless
/// [`refuse_used_for`] is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdempotentOperation {
    SignUp,
    CreatePost,
    SaveDraft,
    DeletePost,
    CreateApiKey,
    RevokeApiKey,
    TurnOnTwoFactor,
    RenewRecoveryCodes,
}

impl IdempotentOperation {
    const fn name(self) -> &'static str {
        match self {
            Self::SignUp => "sign_up",
            Self::CreatePost => "create_post",
            Self::SaveDraft => "save_draft",
            Self::DeletePost => "delete_post",
            Self::CreateApiKey => "create_api_key",
            Self::RevokeApiKey => "revoke_api_key",
            Self::TurnOnTwoFactor => "turn_on_two_factor",
            Self::RenewRecoveryCodes => "renew_recovery_codes",
        }
    }

    /// This operation with a key and a content. The content is the parsed
    /// values, so two spellings that are stored alike are the same operation. It
    /// must not contain a password.
    #[must_use]
    pub fn under(self, key: IdempotencyKey, content: &[Option<&str>]) -> KeyedOperation {
        KeyedOperation { operation: self, key, fingerprint: Fingerprint::of(content) }
    }
}

/// An operation, its key and its content.
#[derive(Clone, Debug)]
pub struct KeyedOperation {
    operation: IdempotentOperation,
    key: IdempotencyKey,
    fingerprint: Fingerprint,
}

impl KeyedOperation {
    /// The client's name for it.
    #[must_use]
    pub const fn key(&self) -> &IdempotencyKey {
        &self.key
    }
}

/// A SHA-256 of an operation's content ("idempotency fingerprint" in
/// draft-ietf-httpapi-idempotency-key-header, 2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Each part is preceded by a byte that says whether it is present, and by
    /// its length, so two different contents never have the same encoding.
    fn of(parts: &[Option<&str>]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            match part {
                Some(text) => {
                    hash.update([1]);
                    hash.update((text.len() as u64).to_be_bytes());
                    hash.update(text);
                }
                None => hash.update([0]),
            }
        }
        Self(hash.finalize().into())
    }

    /// Whether the stored fingerprint is of other content. Old rows without a
    /// fingerprint count as the same content.
    fn differs_from(self, stored: Option<&[u8]>) -> bool {
        stored.is_some_and(|stored| stored != self.0)
    }
}

/// The id of what this operation already created or changed.
///
/// # Errors
///
/// [`AppError::KeyReused`] when the key was used with other content.
pub async fn remembered(
    db: &mut Db,
    user_id: &str,
    named: &KeyedOperation,
) -> Result<Option<String>, AppError> {
    match stored(db, user_id, named.operation, &named.key).await? {
        Some((made, stored)) if named.fingerprint.differs_from(stored.as_deref()) => {
            Err(AppError::KeyReused { made: Some(made) })
        }
        row => Ok(row.map(|(made, _)| made)),
    }
}

/// Refuses an operation whose key has done `another`, with whatever content: a form that
/// has two buttons does one thing.
///
/// # Errors
///
/// [`AppError::KeyReused`].
pub async fn refuse_used_for(
    db: &mut Db,
    user_id: &str,
    named: &KeyedOperation,
    another: IdempotentOperation,
) -> Result<(), AppError> {
    match stored(db, user_id, another, &named.key).await? {
        Some((made, _)) => Err(AppError::KeyReused { made: Some(made) }),
        None => Ok(()),
    }
}

/// The result and the fingerprint of what a key has done.
async fn stored(
    db: &mut Db,
    user_id: &str,
    operation: IdempotentOperation,
    key: &IdempotencyKey,
) -> Result<Option<(String, Option<Vec<u8>>)>, AppError> {
    // Older rows have the key as it came, until they are a week old.
    Ok(on_engine!(db => sqlx::query_as(
            "SELECT result_id, fingerprint FROM idempotency_keys
             WHERE user_id = $1 AND wish = $2 AND key IN ($3, $4)",
        )
        .bind(user_id)
        .bind(operation.name())
        .bind(key.hash())
        .bind(key.as_str())
        .fetch_optional(db)
        .await?))
}

/// Refuses a sign-up whose key was used with other content. At a sign-up nobody
/// is signed in, so the key is compared with those of all people. The error says
/// nothing about them.
///
/// # Errors
///
/// [`AppError::KeyReused`].
pub async fn refuse_reused_sign_up(db: &mut Db, named: &KeyedOperation) -> Result<(), AppError> {
    let stored: Option<Vec<u8>> = on_engine!(db => sqlx::query_scalar(
            "SELECT fingerprint FROM idempotency_keys
             WHERE wish = 'sign_up' AND fingerprint IS NOT NULL AND key = $1",
        )
        .bind(named.key.hash())
        .fetch_optional(db)
        .await?);
    if named.fingerprint.differs_from(stored.as_deref()) {
        return Err(AppError::KeyReused { made: None });
    }
    Ok(())
}

/// Stores that an operation was done, in the transaction that does it.
///
/// # Errors
///
/// [`AppError::WriteConflict`] if another request used the key at the same time.
/// If the transaction is run again, it finds the other's result.
pub async fn remember(
    db: &mut Db,
    user_id: &str,
    named: &KeyedOperation,
    result_id: &str,
) -> Result<(), AppError> {
    let done = execute!(db => sqlx::query(
            "INSERT INTO idempotency_keys (user_id, wish, key, result_id, created_at, fingerprint)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(user_id)
        .bind(named.operation.name())
        .bind(named.key.hash())
        .bind(result_id)
        .bind(clock::now().micros())
        .bind(named.fingerprint.0.as_slice()))
    .map(drop);
    done.map_err(|error| {
        let taken = ["idempotency_keys_pkey", "idempotency_keys_key_key"];
        if taken.iter().any(|name| violates(&error, name)) { AppError::WriteConflict } else { error.into() }
    })
}

/// Removes operations that are too old to be sent again.
pub async fn forget_old(db: &mut Db) -> Result<(), AppError> {
    execute!(db => sqlx::query("DELETE FROM idempotency_keys WHERE created_at < $1")
        .bind(clock::before(REMEMBERED).micros()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_tells_where_each_part_ends_and_whether_it_is_there() {
        let of = Fingerprint::of;
        assert_eq!(of(&[Some("ab"), Some("c")]), of(&[Some("ab"), Some("c")]));
        assert_ne!(of(&[Some("ab"), Some("c")]), of(&[Some("a"), Some("bc")]));
        assert_ne!(of(&[Some(""), None]), of(&[None, Some("")]));
        assert_ne!(of(&[None]), of(&[Some("")]));
        assert_ne!(of(&[None]), of(&[]));
    }

    #[test]
    fn an_old_row_without_a_fingerprint_counts_as_the_same_content() {
        let fingerprint = Fingerprint::of(&[Some("a")]);
        assert!(!fingerprint.differs_from(None));
        assert!(!fingerprint.differs_from(Some(&fingerprint.0)));
        assert!(fingerprint.differs_from(Some(&Fingerprint::of(&[Some("b")]).0)));
    }
}
