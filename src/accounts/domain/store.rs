//! The SQL of accounts.

use sqlx::FromRow;

use super::{Email, Login};
use crate::{
    clock,
    credentials::{User, UserId},
    database::{Db, execute, internal, on_engine, violates},
    error::{AppError, Field, FieldError},
    timestamp::Timestamp,
    username::Username,
};

#[derive(FromRow)]
struct UserRow {
    id: String,
    username: String,
    password_hash: String,
}

/// An account as whoever runs the site sees it.
#[derive(Clone, Debug, FromRow)]
pub struct Listed {
    pub id: String,
    pub username: String,
    /// The canonical address.
    pub email: String,
    /// Microseconds since 1970 UTC.
    pub created_at: i64,
    pub posts: i64,
    /// 1 for whoever runs the site.
    pub is_admin: i64,
    /// 1 if nobody can log in.
    pub is_locked: i64,
    /// When it is deleted, if its person has asked for that.
    pub delete_at: Option<i64>,
}

fn taken(field: Field) -> FieldError {
    FieldError::new(
        field,
        match field {
            Field::Email => {
                "There is already an account with that email address. Log in instead, or use another"
            }
            _ => "That username is taken. Choose another",
        },
    )
}

/// The user of a login, with their password hash.
pub async fn find(db: &mut Db, login: &Login) -> Result<Option<(User, String)>, AppError> {
    let (statement, value) = match login {
        Login::Username(name) => {
            ("SELECT id, username, password_hash FROM users WHERE username = $1", name.as_str())
        }
        Login::Email(email) => {
            ("SELECT id, username, password_hash FROM users WHERE email = $1", email.as_str())
        }
        Login::Nobody(_) => ("SELECT id, username, password_hash FROM users WHERE username = $1", ""),
    };
    let row = on_engine!(db => sqlx::query_as::<_, UserRow>(statement).bind(value).fetch_optional(db).await?);
    row.map(|row| {
        let username = Username::try_from(row.username)
            .map_err(|error| internal(format_args!("a stored username breaks the rules: {error}")))?;
        Ok((User { id: UserId::from_stored(row.id), username }, row.password_hash))
    })
    .transpose()
}

/// The user of that id.
pub async fn find_by_id(db: &mut Db, id: &UserId) -> Result<Option<User>, AppError> {
    let username: Option<String> = on_engine!(db => sqlx::query_scalar("SELECT username FROM users WHERE id = $1")
        .bind(id.as_str())
        .fetch_optional(db)
        .await?);
    let username = username.map(Username::try_from).transpose().map_err(internal)?;
    Ok(username.map(|username| User { id: id.clone(), username }))
}

/// Both fields are checked, so that a form reports both.
///
/// # Errors
///
/// [`AppError::Invalid`] at each field that is taken.
pub async fn refuse_taken(db: &mut Db, username: &Username, email: &Email) -> Result<(), AppError> {
    let (username, email): (bool, bool) = on_engine!(db => sqlx::query_as(
            "SELECT EXISTS (SELECT 1 FROM taken_usernames WHERE username = $1), EXISTS (SELECT 1 FROM users WHERE email = $2)",
        )
        .bind(username.as_str())
        .bind(email.as_str())
        .fetch_one(db)
        .await?);
    let errors: Vec<_> = [(username, Field::Username), (email, Field::Email)]
        .into_iter()
        .filter(|(is_taken, _)| *is_taken)
        .map(|(_, field)| taken(field))
        .collect();
    if errors.is_empty() { Ok(()) } else { Err(AppError::Invalid { errors }) }
}

/// Adds an account.
///
/// # Errors
/// [`AppError::Invalid`] when the username or the address is taken.
pub async fn insert(
    db: &mut Db,
    user: &User,
    email: &Email,
    hash: &str,
    now: Timestamp,
) -> Result<(), AppError> {
    let done = execute!(db => sqlx::query(
            "INSERT INTO users (id, username, email, password_hash, created_at) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(user.id.as_str())
        .bind(user.username.as_str())
        .bind(email.as_str())
        .bind(hash)
        .bind(now.micros()))
    .map(drop);
    done.map_err(|error| {
        let taken_field = [("users_username_key", Field::Username), ("users_email_key", Field::Email)]
            .into_iter()
            .find(|(constraint, _)| violates(&error, constraint));
        match taken_field {
            Some((_, field)) => AppError::Invalid { errors: vec![taken(field)] },
            None => error.into(),
        }
    })
}

/// Sets the hash without a look at the old one; an account that did without a
/// password has one again.
pub async fn set_hash(db: &mut Db, id: &UserId, hash: &str) -> Result<(), AppError> {
    execute!(db => sqlx::query("UPDATE users SET password_hash = $1, password_dropped_at = NULL WHERE id = $2")
        .bind(hash)
        .bind(id.as_str()))?;
    Ok(())
}

/// Sets the hash if it still is `old`: a password changed meanwhile wins.
/// Whether it was.
pub async fn replace_hash(db: &mut Db, id: &UserId, old: &str, new: &str) -> Result<bool, AppError> {
    let replaced = execute!(db => sqlx::query("UPDATE users SET password_hash = $1 WHERE id = $2 AND password_hash = $3")
        .bind(new)
        .bind(id.as_str())
        .bind(old))?;
    Ok(replaced > 0)
}

/// Makes an account that nobody can log in to, unless it is there.
pub async fn insert_nobody(db: &mut Db, username: &Username) -> Result<(), AppError> {
    let user = User::new(username.clone());
    execute!(db => sqlx::query(
            "INSERT INTO users (id, username, email, password_hash, created_at) VALUES ($1, $2, $3, '', $4)
             ON CONFLICT (username) DO NOTHING",
        )
        .bind(user.id.as_str())
        .bind(username.as_str())
        // No address: it has no sign for "at".
        .bind(username.as_str())
        .bind(clock::now().micros()))?;
    Ok(())
}

/// Keeps an account that waits to be deleted. Whether it did.
pub async fn undo_deletion(db: &mut Db, id: &UserId) -> Result<bool, AppError> {
    let undone = execute!(db => sqlx::query("UPDATE users SET delete_at = NULL WHERE id = $1 AND delete_at IS NOT NULL")
        .bind(id.as_str()))?;
    Ok(undone > 0)
}

/// Checks that an account is not locked.
///
/// # Errors
/// [`AppError::AccountLocked`].
pub(super) async fn refuse_locked(db: &mut Db, id: &UserId) -> Result<(), AppError> {
    let is_locked: bool = on_engine!(db => sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM users WHERE id = $1 AND locked_at IS NOT NULL)",
        )
        .bind(id.as_str())
        .fetch_one(db)
        .await?);
    if is_locked { Err(AppError::AccountLocked) } else { Ok(()) }
}

/// Locks an account, or opens it. Whether that changed something.
pub(super) async fn set_locked(db: &mut Db, id: &UserId, since: Option<Timestamp>) -> Result<bool, AppError> {
    let changed = match since {
        Some(since) => {
            execute!(db => sqlx::query("UPDATE users SET locked_at = $2 WHERE id = $1 AND locked_at IS NULL")
                .bind(id.as_str())
                .bind(since.micros()))?
        }
        None => {
            execute!(db => sqlx::query("UPDATE users SET locked_at = NULL WHERE id = $1 AND locked_at IS NOT NULL")
                .bind(id.as_str()))?
        }
    };
    Ok(changed > 0)
}

/// Puts a person in charge of the site, or ends that. Whether that changed something.
pub(super) async fn set_admin(db: &mut Db, id: &UserId, is_admin: bool) -> Result<bool, AppError> {
    let changed = execute!(db => sqlx::query("UPDATE users SET is_admin = $2 WHERE id = $1 AND is_admin <> $2")
        .bind(id.as_str())
        .bind(i64::from(is_admin)))?;
    Ok(changed > 0)
}

/// Gives a person another username. The old one stays theirs.
///
/// # Errors
/// [`AppError::Invalid`] where it is, or was, somebody else's; [`AppError::Busy`].
pub(super) async fn rename(db: &mut Db, user: &User, username: &Username) -> Result<(), AppError> {
    let taken = || AppError::Invalid { errors: vec![taken(Field::Username)] };
    let is_elses: bool = on_engine!(db => sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM former_usernames WHERE username = $1 AND user_id <> $2)",
        )
        .bind(username.as_str())
        .bind(user.id.as_str())
        .fetch_one(db)
        .await?);
    if is_elses {
        return Err(taken());
    }
    execute!(db => sqlx::query("DELETE FROM former_usernames WHERE username = $1").bind(username.as_str()))?;
    let renamed = execute!(db => sqlx::query("UPDATE users SET username = $2 WHERE id = $1")
        .bind(user.id.as_str())
        .bind(username.as_str()));
    renamed.map_err(|error| if violates(&error, "users_username_key") { taken() } else { error.into() })?;
    execute!(db => sqlx::query("INSERT INTO former_usernames (username, user_id, changed_at) VALUES ($1, $2, $3)")
        .bind(user.username.as_str())
        .bind(user.id.as_str())
        .bind(clock::now().micros()))?;
    Ok(())
}

/// What somebody is called now who was called so before.
///
/// # Errors
/// [`AppError::Busy`].
pub async fn renamed_to(db: &mut Db, former: &Username) -> Result<Option<Username>, AppError> {
    let now: Option<String> = on_engine!(db => sqlx::query_scalar(
            "SELECT u.username FROM former_usernames f JOIN users u ON u.id = f.user_id WHERE f.username = $1",
        )
        .bind(former.as_str())
        .fetch_optional(db)
        .await?);
    now.map(Username::try_from).transpose().map_err(internal)
}

/// What is selected for [`Listed`].
macro_rules! listed {
    () => {
        "SELECT u.id, u.username, u.email, u.created_at,
             (SELECT COUNT(*) FROM posts p WHERE p.owner_id = u.id) AS posts, u.is_admin,
             CAST(CASE WHEN u.locked_at IS NULL THEN 0 ELSE 1 END AS BIGINT) AS is_locked, u.delete_at
         FROM users u "
    };
}

/// Every account, oldest first.
pub async fn list(db: &mut Db) -> Result<Vec<Listed>, AppError> {
    let statement = concat!(listed!(), "ORDER BY u.created_at, u.id");
    Ok(on_engine!(db => sqlx::query_as(statement).fetch_all(db).await?))
}

/// The newest accounts first, those before the account `before`: whose username or address
/// has `words` in it, if there are any.
///
/// # Errors
/// [`AppError::Busy`].
pub async fn page(
    db: &mut Db,
    words: &str,
    before: Option<&str>,
    limit: i64,
) -> Result<Vec<Listed>, AppError> {
    let escaped = words.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    // Ids are UUIDs of version 7, which rise with the time.
    let statement = concat!(
        listed!(),
        "WHERE (u.username LIKE $1 ESCAPE '\\' OR u.email LIKE $1 ESCAPE '\\') AND ($2 = '' OR u.id < $2)
         ORDER BY u.id DESC LIMIT $3"
    );
    Ok(on_engine!(db => sqlx::query_as(statement)
        .bind(format!("%{escaped}%"))
        .bind(before.unwrap_or_default())
        .bind(limit)
        .fetch_all(db)
        .await?))
}

/// One account.
///
/// # Errors
/// [`AppError::NotFound`], [`AppError::Busy`].
pub async fn listed(db: &mut Db, username: &Username) -> Result<Listed, AppError> {
    let found: Option<Listed> = on_engine!(db => sqlx::query_as(concat!(listed!(), "WHERE u.username = $1"))
        .bind(username.as_str())
        .fetch_optional(db)
        .await?);
    found.ok_or(AppError::NotFound)
}
