//! The use cases of a person's own account: profile, deletion.

use std::time::Duration;

use sqlx::FromRow;

use super::{
    Password,
    audit::{self, AuditEvent, AuditKind, AuditRow},
    logins, service, srp,
};
use crate::{
    accounts::profile::{About, DisplayName, Links, Profile, Punctuation},
    clock,
    credentials::{Caller, RequestSource, User, UserId, UserSession},
    database::{Db, execute, on_engine},
    error::{AppError, Field, Parsed},
    site::Site,
    timestamp::Timestamp,
    username::Username,
};

/// The time in which a login undoes a deletion.
pub const UNDO_TIME: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// What becomes of the posts of an account that is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PostsOfDeleted {
    /// They are deleted too.
    Delete,
    /// They stay, under "deleted-author".
    Keep,
}

/// The choice is neither of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Choose what becomes of your posts")]
pub struct PostsOfDeletedError;

impl PostsOfDeleted {
    /// "delete" or "keep", as the form has it.
    ///
    /// # Errors
    /// [`PostsOfDeletedError`] for anything else.
    pub fn parse(raw: &str) -> Result<Self, PostsOfDeletedError> {
        match raw {
            "delete" => Ok(Self::Delete),
            "keep" => Ok(Self::Keep),
            _ => Err(PostsOfDeletedError),
        }
    }
}

/// What is stored of an account and shown to its owner.
#[derive(Clone, Debug)]
pub struct AccountFacts {
    pub email: String,
    pub profile: Profile,
    pub punctuation: Punctuation,
}

#[derive(FromRow)]
struct FactsRow {
    email: String,
    plain_punctuation: i64,
    #[sqlx(flatten)]
    profile: ProfileRow,
}

#[derive(FromRow)]
struct AuthorRow {
    id: String,
    #[sqlx(flatten)]
    profile: ProfileRow,
}

#[derive(FromRow)]
struct ProfileRow {
    display_name: String,
    about: String,
    links: String,
}

impl From<ProfileRow> for Profile {
    fn from(row: ProfileRow) -> Self {
        Self {
            display_name: DisplayName::parse(&row.display_name).unwrap_or_default(),
            about: About::parse(&row.about).unwrap_or_default(),
            links: Links::from_stored(&row.links),
        }
    }
}

/// What a person sees of their own account.
///
/// # Errors
/// [`AppError::NotSignedIn`].
pub async fn facts(site: &Site, caller: &Caller) -> Result<AccountFacts, AppError> {
    let user = &caller.actor.user()?.id;
    let db = &mut site.reader_for(&caller.actor).await?;
    let row: Option<FactsRow> = on_engine!(db => sqlx::query_as(
            "SELECT email, display_name, about, links, plain_punctuation FROM users WHERE id = $1",
        )
        .bind(user.as_str())
        .fetch_optional(db)
        .await?);
    let FactsRow { email, plain_punctuation, profile } = row.ok_or(AppError::NotSignedIn)?;
    let punctuation = Punctuation::from_stored(plain_punctuation);
    Ok(AccountFacts { email, profile: profile.into(), punctuation })
}

/// How the punctuation of a person's posts is shown.
pub async fn punctuation(db: &mut Db, user: &UserId) -> Result<Punctuation, AppError> {
    let stored: Option<i64> = on_engine!(db => sqlx::query_scalar(
            "SELECT plain_punctuation FROM users WHERE id = $1",
        )
        .bind(user.as_str())
        .fetch_optional(db)
        .await?);
    Ok(Punctuation::from_stored(stored.unwrap_or_default()))
}

/// Who has that username, and what they tell about themselves. Everyone may know.
pub async fn author(db: &mut Db, username: &Username) -> Result<Option<(UserId, Profile)>, AppError> {
    let row: Option<AuthorRow> = on_engine!(db => sqlx::query_as(
            "SELECT id, display_name, about, links FROM users WHERE username = $1",
        )
        .bind(username.as_str())
        .fetch_optional(db)
        .await?);
    Ok(row.map(|AuthorRow { id, profile }| (UserId::from_stored(id), profile.into())))
}

/// What was done in a person's account, newest first.
///
/// # Errors
/// [`AppError::NotSignedIn`].
pub async fn activity(site: &Site, caller: &Caller) -> Result<Vec<AuditRow>, AppError> {
    let user = &caller.actor.user()?.id;
    audit::of_user(&mut site.reader_for(&caller.actor).await?, user, audit::SHOWN).await
}

/// The channel of PostgreSQL's NOTIFY by which the other processes hear that names of
/// authors have changed.
pub const NAMES_CHANNEL: &str = "byline_names";

/// When a username was changed last, by which a process on SQLite notices that a command did.
///
/// # Errors
/// [`AppError::Busy`].
pub async fn names_changed_at(db: &mut Db) -> Result<i64, AppError> {
    let query = "SELECT COALESCE(MAX(changed_at), 0) FROM former_usernames";
    Ok(on_engine!(db => sqlx::query_scalar(query).fetch_one(db).await?))
}

/// Tells the other processes, with the commit of this transaction, that pages may show another
/// name of an author. On SQLite there are none.
pub async fn tell_names_changed(db: &mut Db) -> Result<(), AppError> {
    if let Db::Postgres(db) = db {
        sqlx::query("SELECT pg_notify($1, '')").bind(NAMES_CHANNEL).execute(db.statements()).await?;
    }
    Ok(())
}

/// Stores what a person tells about themselves, and how the punctuation of their posts is
/// shown, unless that stays.
///
/// # Errors
/// [`AppError::NotSignedIn`], [`AppError::Invalid`].
pub async fn save_profile(
    site: &Site,
    caller: &Caller,
    changed: Parsed<(Profile, Option<Punctuation>)>,
    source: &RequestSource,
) -> Result<(), AppError> {
    let user = caller.actor.user()?.clone();
    let (profile, punctuation) = changed?;
    let credential = caller.credential_kind();
    let told = {
        let site = site.clone();
        move |(): &()| site.pages_changed()
    };
    site.database
        .write_then(
            (user, profile, source.clone()),
            move |db, (user, profile, source)| {
                Box::pin(async move {
                    execute!(db => sqlx::query(
                        "UPDATE users SET display_name = $1, about = $2, links = $3,
                             plain_punctuation = COALESCE($5, plain_punctuation)
                         WHERE id = $4",
                    )
                    .bind(profile.display_name.as_str())
                    .bind(profile.about.as_str())
                    .bind(profile.links.lines())
                    .bind(user.id.as_str())
                    .bind(punctuation.map(Punctuation::stored)))?;
                    tell_names_changed(db).await?;
                    audit::record(db, AuditEvent::of(AuditKind::ProfileChanged, &user, credential), &source)
                        .await
                })
            },
            told,
        )
        .await
}

/// Asks for the deletion of the person's account. It is closed at once, and deleted
/// after [`UNDO_TIME`], unless the person logs in before.
///
/// # Errors
/// [`AppError::NotSignedIn`]; [`AppError::Invalid`] for a wrong password;
/// [`AppError::Busy`], [`AppError::TooMany`].
pub async fn ask_for_deletion(
    site: &Site,
    caller: &Caller,
    session: &UserSession,
    posts: PostsOfDeleted,
    password: Password,
    source: &RequestSource,
) -> Result<(), AppError> {
    let user = caller.actor.user()?.clone();
    service::prove(site, &user, password, Field::Password, source).await?;
    close(site, user, posts, "password", source).await?;
    session.sign_out(&site.database).await
}

/// Signs a person out everywhere, and deletes their account after [`UNDO_TIME`].
///
/// # Errors
/// [`AppError::Busy`]
pub async fn close(
    site: &Site,
    user: User,
    posts: PostsOfDeleted,
    credential: &'static str,
    source: &RequestSource,
) -> Result<(), AppError> {
    close_until(site, user, posts, clock::now().after(UNDO_TIME), credential.to_owned(), source).await
}

/// [`close`], where the account is deleted at another time.
///
/// # Errors
/// [`AppError::Busy`]
pub(super) async fn close_until(
    site: &Site,
    user: User,
    posts: PostsOfDeleted,
    delete_at: Timestamp,
    credential: String,
    source: &RequestSource,
) -> Result<(), AppError> {
    let keep = i64::from(posts == PostsOfDeleted::Keep);
    site.database
        .write((user.clone(), delete_at, keep, credential, source.clone()), |db, (user, delete_at, keep, credential, source)| {
            Box::pin(async move {
                execute!(db => sqlx::query("UPDATE users SET delete_at = $1, keep_posts = $2 WHERE id = $3")
                    .bind(delete_at.micros())
                    .bind(keep)
                    .bind(user.id.as_str()))?;
                audit::record(db, AuditEvent::of(AuditKind::DeletionAsked, &user, &credential), &source).await
            })
        })
        .await?;
    logins::sign_out_everywhere(site, user.id).await
}

/// An account whose time is over.
#[derive(Clone, Debug)]
pub struct DueDeletion {
    pub user: User,
    pub posts: PostsOfDeleted,
}

/// The accounts that are to be deleted by now.
pub async fn due(db: &mut Db) -> Result<Vec<DueDeletion>, AppError> {
    let rows: Vec<(String, String, i64)> = on_engine!(db => sqlx::query_as(
            "SELECT id, username, keep_posts FROM users WHERE delete_at <= $1 ORDER BY delete_at",
        )
        .bind(clock::now().micros())
        .fetch_all(db)
        .await?);
    let due = |(id, username, keep): (String, String, i64)| {
        let user = User { id: UserId::from_stored(id), username: Username::try_from(username).ok()? };
        let posts = if keep == 0 { PostsOfDeleted::Delete } else { PostsOfDeleted::Keep };
        Some(DueDeletion { user, posts })
    };
    Ok(rows.into_iter().filter_map(due).collect())
}

/// Deletes an account whose posts are gone, and all that belongs to it. `false` if it
/// is no longer to be deleted.
pub async fn delete(site: &Site, user: User) -> Result<bool, AppError> {
    site.database
        .write_then(
            (user, clock::now()),
            |db, (user, now)| {
                Box::pin(async move {
                    let deleted = execute!(db => sqlx::query("DELETE FROM users WHERE id = $1 AND delete_at <= $2")
                        .bind(user.id.as_str())
                        .bind(now.micros()))?;
                    if deleted > 0 {
                        srp::forget(db, &user.id).await?;
                        let event = AuditEvent::of(AuditKind::Deleted, &user, "housekeeping");
                        audit::record(db, event, &RequestSource::command_line()).await?;
                    }
                    Ok(deleted > 0)
                })
            },
            site.trust().forgetting(),
        )
        .await
}
