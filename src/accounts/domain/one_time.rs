//! Links and codes that are mailed and used once (security row P7).
//!
//! A link has a token of 256 random bits, of which the database has the SHA-256. A
//! code has six digits, of which the database has an HMAC with the secret of the
//! site; how often one may be tried is for [`super::throttle`] to say. Reading a token
//! ([`peek`]) uses nothing up, because mail scanners open links; [`take`] does.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use sqlx::FromRow;

use crate::{
    clock,
    credentials::{Secret, UserId},
    database::{Db, execute, internal, on_engine},
    error::{AppError, Field},
    timestamp::Timestamp,
};

/// How long a link or a code can be used.
pub const VALID_FOR: Duration = Duration::from_secs(30 * 60);
/// How long a change of the address can be undone.
pub const UNDO_FOR: Duration = Duration::from_secs(72 * 60 * 60);
/// The newest of a person for one purpose that stay valid: mails arrive in any
/// order, and people ask again.
const KEPT: i64 = 5;

/// What a token is for. One for another purpose is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Confirms the address of an account.
    VerifyEmail,
    /// Sets a new password.
    ResetPassword,
    /// Confirms the new address of an account, which then replaces the old one.
    ChangeEmail,
    /// Restores the address from before a change.
    UndoEmail,
}

impl Purpose {
    const fn stored(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::ResetPassword => "reset_password",
            Self::ChangeEmail => "change_email",
            Self::UndoEmail => "undo_email",
        }
    }

    fn from_stored(stored: &str) -> Option<Self> {
        [Self::VerifyEmail, Self::ResetPassword, Self::ChangeEmail, Self::UndoEmail]
            .into_iter()
            .find(|purpose| purpose.stored() == stored)
    }

    const fn valid_for(self) -> Duration {
        match self {
            Self::VerifyEmail | Self::ResetPassword | Self::ChangeEmail => VALID_FOR,
            Self::UndoEmail => UNDO_FOR,
        }
    }
}

/// The token in a link: 256 random bits.
#[derive(Clone, Debug)]
pub struct Token(SecretString);

impl Token {
    /// From the random numbers of the system.
    pub fn random() -> Result<Self, AppError> {
        let mut bits = [0; 32];
        getrandom::fill(&mut bits).map_err(internal)?;
        Ok(Self(BASE64_URL_SAFE_NO_PAD.encode(bits).into()))
    }

    /// As it stood in a link; `None` for what was never one.
    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        let bits = BASE64_URL_SAFE_NO_PAD.decode(raw.trim()).ok()?;
        (bits.len() == 32).then(|| Self(raw.trim().into()))
    }

    /// For a link.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// As it is stored.
    #[must_use]
    pub fn hash(&self) -> Vec<u8> {
        Sha256::digest(self.expose()).to_vec()
    }
}

/// Six digits, to be typed.
#[derive(Clone, Debug)]
pub struct Code(SecretString);

/// The text has no six digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Enter the six digits from the mail")]
pub struct CodeError;

impl Code {
    /// Each of a million is as likely as any other.
    pub fn random() -> Result<Self, AppError> {
        /// The largest multiple of a million that fits: above it, small codes would
        /// be likelier.
        const FAIR: u32 = u32::MAX - u32::MAX % 1_000_000;
        loop {
            let mut bits = [0; 4];
            getrandom::fill(&mut bits).map_err(internal)?;
            let number = u32::from_be_bytes(bits);
            if number < FAIR {
                return Ok(Self(format!("{:06}", number % 1_000_000).into()));
            }
        }
    }

    /// As people type or paste it, with spaces or a hyphen between.
    ///
    /// # Errors
    /// [`CodeError`].
    pub fn parse(raw: &str) -> Result<Self, CodeError> {
        let digits: String = raw.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
        let is_code = digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_digit());
        if is_code { Ok(Self(digits.into())) } else { Err(CodeError) }
    }

    /// For a mail.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// As it is stored for `owner`, the id of a person or of a sign-up. An HMAC,
    /// because a million hashes are tried in a moment.
    #[must_use]
    pub fn seal(&self, secret: &Secret, owner: &str) -> Vec<u8> {
        secret.seal("one-time code", &[owner.as_bytes(), self.expose().as_bytes()]).to_vec()
    }
}

/// How a person shows that they read a mail.
#[derive(Clone, Debug)]
pub enum Proof {
    /// The token of its link.
    Link(Token),
    /// Its code, as [`Code::seal`] makes it for that person.
    Code(UserId, Vec<u8>),
}

impl Proof {
    /// By a code that a known person has typed.
    #[must_use]
    pub fn by_code(code: &Code, secret: &Secret, user: &UserId) -> Self {
        Self::Code(user.clone(), code.seal(secret, user.as_str()))
    }
}

/// What is said of a link that does not work, but for one that undoes a change.
#[must_use]
pub fn link_is_over() -> AppError {
    AppError::invalid(
        Field::Token,
        "This link does not work any more: it works once, and for 30 minutes. Ask for another",
    )
}

/// A token that is valid now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub purpose: Purpose,
    pub user: UserId,
    /// The canonical address that it is about.
    pub email: String,
}

#[derive(FromRow)]
struct Row {
    purpose: String,
    user_id: String,
    email: String,
    created_at: i64,
}

impl Row {
    fn found(self) -> Option<Found> {
        let Self { purpose, user_id, email, .. } = self;
        Purpose::from_stored(&purpose).map(|purpose| Found {
            purpose,
            user: UserId::from_stored(user_id),
            email,
        })
    }
}

/// What is stored of a token that is to be mailed.
#[derive(Clone, Debug)]
pub struct New {
    pub purpose: Purpose,
    /// Whose it is; `None` does the same work for a name without an account.
    pub user: Option<UserId>,
    /// The canonical address that it is about.
    pub email: String,
    pub token: Token,
    /// [`Code::seal`].
    pub code: Option<Vec<u8>>,
}

/// Stores a token; until when it can be used. Of the same person and purpose, the
/// newest five stay valid, but of those that undo a change of the address all; and of
/// codes, which can be guessed, the newest alone.
pub async fn issue(db: &mut Db, new: &New) -> Result<Timestamp, AppError> {
    let now = clock::now();
    let expires_at = now.after(new.purpose.valid_for());
    let user = new.user.as_ref().map(UserId::as_str);
    execute!(db => sqlx::query(
            "INSERT INTO one_time_tokens (hash, purpose, user_id, email, code, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(new.token.hash())
        .bind(new.purpose.stored())
        .bind(user)
        .bind(&new.email)
        .bind(new.code.as_deref())
        .bind(now.micros())
        .bind(expires_at.micros()))?;
    execute!(db => sqlx::query(
            "UPDATE one_time_tokens SET code = NULL WHERE user_id = $1 AND purpose = $2 AND hash <> $3",
        )
        .bind(user)
        .bind(new.purpose.stored())
        .bind(new.token.hash()))?;
    if new.purpose == Purpose::UndoEmail {
        // Whoever has taken over an account must not push out the link of its owner.
        return Ok(expires_at);
    }
    execute!(db => sqlx::query(
            "DELETE FROM one_time_tokens WHERE user_id = $1 AND purpose = $2 AND hash NOT IN (
                 SELECT hash FROM one_time_tokens WHERE user_id = $1 AND purpose = $2
                 ORDER BY created_at DESC, hash LIMIT $3)",
        )
        .bind(user)
        .bind(new.purpose.stored())
        .bind(KEPT))?;
    Ok(expires_at)
}

/// How many tokens of a person for one purpose can be used now.
pub async fn valid_of(db: &mut Db, user: &UserId, purpose: Purpose) -> Result<i64, AppError> {
    Ok(on_engine!(db => sqlx::query_scalar(
            "SELECT COUNT(*) FROM one_time_tokens WHERE user_id = $1 AND purpose = $2 AND expires_at > $3",
        )
        .bind(user.as_str())
        .bind(purpose.stored())
        .bind(clock::now().micros())
        .fetch_one(db)
        .await?))
}

/// What a token is for, if it can be used. Uses nothing up.
pub async fn peek(db: &mut Db, token: &Token) -> Result<Option<Found>, AppError> {
    let row: Option<Row> = on_engine!(db => sqlx::query_as(
            "SELECT purpose, user_id, email, created_at FROM one_time_tokens
             WHERE hash = $1 AND user_id IS NOT NULL AND expires_at > $2",
        )
        .bind(token.hash())
        .bind(clock::now().micros())
        .fetch_optional(db)
        .await?);
    Ok(row.and_then(Row::found))
}

/// Uses a proof up, and with it every other of the same person and purpose; `None` if
/// it does not hold, or is for something else. Of two at once, one gets it.
pub async fn take(db: &mut Db, proof: &Proof, purpose: Purpose) -> Result<Option<Found>, AppError> {
    let now = clock::now().micros();
    let row: Option<Row> = match proof {
        Proof::Link(token) => on_engine!(db => sqlx::query_as(
                "DELETE FROM one_time_tokens
                 WHERE hash = $1 AND purpose = $2 AND user_id IS NOT NULL AND expires_at > $3
                 RETURNING purpose, user_id, email, created_at",
            )
            .bind(token.hash())
            .bind(purpose.stored())
            .bind(now)
            .fetch_optional(db)
            .await?),
        Proof::Code(user, sealed) => on_engine!(db => sqlx::query_as(
                "DELETE FROM one_time_tokens
                 WHERE user_id = $1 AND purpose = $2 AND code = $3 AND expires_at > $4
                 RETURNING purpose, user_id, email, created_at",
            )
            .bind(user.as_str())
            .bind(purpose.stored())
            .bind(sealed)
            .bind(now)
            .fetch_optional(db)
            .await?),
    };
    taken(db, row).await
}

async fn taken(db: &mut Db, row: Option<Row>) -> Result<Option<Found>, AppError> {
    let Some(row) = row else { return Ok(None) };
    let created_at = row.created_at;
    let Some(found) = row.found() else { return Ok(None) };
    // To undo a change undoes those after it, and none before.
    let since = if found.purpose == Purpose::UndoEmail { created_at } else { 0 };
    execute!(db => sqlx::query(
            "DELETE FROM one_time_tokens WHERE user_id = $1 AND purpose = $2 AND created_at >= $3",
        )
        .bind(found.user.as_str())
        .bind(found.purpose.stored())
        .bind(since))?;
    Ok(Some(found))
}

/// Ends every token of a person for one purpose.
pub async fn forget_purpose(db: &mut Db, user: &UserId, purpose: Purpose) -> Result<(), AppError> {
    execute!(db => sqlx::query("DELETE FROM one_time_tokens WHERE user_id = $1 AND purpose = $2")
        .bind(user.as_str())
        .bind(purpose.stored()))?;
    Ok(())
}

/// The address that waits to be confirmed as the new one of a person.
pub async fn wanted_email(db: &mut Db, user: &UserId) -> Result<Option<String>, AppError> {
    Ok(on_engine!(db => sqlx::query_scalar(
            "SELECT email FROM one_time_tokens WHERE user_id = $1 AND purpose = $2 AND expires_at > $3
             ORDER BY created_at DESC LIMIT 1",
        )
        .bind(user.as_str())
        .bind(Purpose::ChangeEmail.stored())
        .bind(clock::now().micros())
        .fetch_optional(db)
        .await?))
}

/// Removes tokens that are over.
pub async fn forget_expired(db: &mut Db) -> Result<(), AppError> {
    let now = clock::now().micros();
    execute!(db => sqlx::query("DELETE FROM one_time_tokens WHERE expires_at <= $1").bind(now))?;
    execute!(db => sqlx::query("DELETE FROM pending_sign_ups WHERE expires_at <= $1").bind(now))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_256_bits_and_is_read_as_it_was_written() {
        let token = Token::random().unwrap();
        assert_eq!(token.expose().len(), 43);
        assert_eq!(Token::parse(token.expose()).unwrap().hash(), token.hash());
        assert_ne!(Token::random().unwrap().hash(), token.hash());
        for wrong in ["", "a", &"a".repeat(42), &"a".repeat(44), &"!".repeat(43), &"A".repeat(10_000)] {
            assert!(Token::parse(wrong).is_none(), "{wrong}");
        }
        assert!(!format!("{token:?}").contains(token.expose()));
    }

    #[test]
    fn a_code_has_six_digits_and_may_be_typed_with_spaces() {
        for _ in 0..100 {
            let code = Code::random().unwrap();
            assert_eq!(code.expose().len(), 6);
            assert_eq!(Code::parse(code.expose()).unwrap().expose(), code.expose());
        }
        assert_eq!(Code::parse(" 012 345 ").unwrap().expose(), "012345");
        assert_eq!(Code::parse("012-345").unwrap().expose(), "012345");
        for wrong in ["", "12345", "1234567", "12345a", "١٢٣٤٥٦", "-----"] {
            assert!(Code::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_code_of_one_person_is_not_that_of_another() {
        let (secret, code) = (Secret::for_test(1), Code::parse("012345").unwrap());
        assert_eq!(code.seal(&secret, "a"), code.seal(&secret, "a"));
        assert_ne!(code.seal(&secret, "a"), code.seal(&secret, "b"));
        assert_ne!(code.seal(&secret, "a"), code.seal(&Secret::for_test(2), "a"));
    }
}
