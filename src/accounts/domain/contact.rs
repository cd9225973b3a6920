//! Accounts as mail sees them: whose they are, and their address.

use sqlx::FromRow;

use super::{Email, Login};
use crate::{
    clock,
    config::Unverified,
    credentials::{User, UserId},
    database::{Db, execute, internal, on_engine, violates},
    error::{AppError, Field},
    site::Site,
    username::Username,
};

/// A person and their address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    pub user: User,
    /// Canonical.
    pub email: String,
    /// Whether they have proven that it is theirs.
    pub is_verified: bool,
}

#[derive(FromRow)]
struct Row {
    id: String,
    username: String,
    email: String,
    email_verified_at: Option<i64>,
}

impl TryFrom<Row> for Contact {
    type Error = AppError;

    fn try_from(row: Row) -> Result<Self, AppError> {
        let username = Username::try_from(row.username)
            .map_err(|error| internal(format_args!("a stored username breaks the rules: {error}")))?;
        Ok(Self {
            user: User { id: UserId::from_stored(row.id), username },
            email: row.email,
            is_verified: row.email_verified_at.is_some(),
        })
    }
}

/// Who logs in by that name.
pub async fn find(db: &mut Db, login: &Login) -> Result<Option<Contact>, AppError> {
    let (statement, value) = match login {
        Login::Email(email) => {
            ("SELECT id, username, email, email_verified_at FROM users WHERE email = $1", email.as_str())
        }
        Login::Username(name) => {
            ("SELECT id, username, email, email_verified_at FROM users WHERE username = $1", name.as_str())
        }
        Login::Nobody(_) => {
            ("SELECT id, username, email, email_verified_at FROM users WHERE username = $1", "")
        }
    };
    let row = on_engine!(db => sqlx::query_as::<_, Row>(statement).bind(value).fetch_optional(db).await?);
    row.map(Contact::try_from).transpose()
}

/// The account of that id.
pub async fn of(db: &mut Db, user: &UserId) -> Result<Option<Contact>, AppError> {
    let row: Option<Row> = on_engine!(db => sqlx::query_as(
            "SELECT id, username, email, email_verified_at FROM users WHERE id = $1",
        )
        .bind(user.as_str())
        .fetch_optional(db)
        .await?);
    row.map(Contact::try_from).transpose()
}

/// Whether an account has that address.
pub async fn is_taken(db: &mut Db, email: &Email) -> Result<bool, AppError> {
    Ok(on_engine!(db => sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM users WHERE email = $1)")
        .bind(email.as_str())
        .fetch_one(db)
        .await?))
}

/// Notes that the address is theirs, unless they have another by now.
pub async fn verify(db: &mut Db, user: &UserId, email: &str) -> Result<(), AppError> {
    execute!(db => sqlx::query(
            "UPDATE users SET email_verified_at = $1 WHERE id = $2 AND email = $3 AND email_verified_at IS NULL",
        )
        .bind(clock::now().micros())
        .bind(user.as_str())
        .bind(email))?;
    Ok(())
}

/// Gives an account another address.
///
/// # Errors
/// [`AppError::Invalid`] when another account has it.
pub async fn set_email(db: &mut Db, user: &UserId, email: &str, is_verified: bool) -> Result<(), AppError> {
    let done =
        execute!(db => sqlx::query("UPDATE users SET email = $1, email_verified_at = $2 WHERE id = $3")
        .bind(email)
        .bind(is_verified.then(|| clock::now().micros()))
        .bind(user.as_str()))
        .map(drop);
    done.map_err(|error| {
        if violates(&error, "users_email_key") {
            AppError::invalid(Field::Email, "Another account has that address by now")
        } else {
            error.into()
        }
    })
}

/// Whether a person may publish and change posts by the setting
/// `accounts.unverified`. Reading, and deleting what is theirs, they always may.
///
/// # Errors
/// [`AppError::EmailNotConfirmed`].
pub async fn may_write(site: &Site, user: &User) -> Result<(), AppError> {
    match site.part::<Unverified>() {
        Unverified::MayWrite => Ok(()),
        Unverified::MayNotWrite => {
            let contact = of(&mut site.database.read().await?, &user.id).await?;
            match contact {
                Some(contact) if !contact.is_verified => Err(AppError::EmailNotConfirmed),
                // Whoever is gone by now is found to be so where the post is written.
                _ => Ok(()),
            }
        }
    }
}
