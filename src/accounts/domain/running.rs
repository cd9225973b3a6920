//! What whoever runs the site does with accounts: put somebody in charge, lock, unlock,
//! delete.

use super::{
    Login,
    account::{self, PostsOfDeleted},
    audit::{self, AuditEvent, AuditKind, COMMAND_LINE},
    logins, store,
};
use crate::{
    clock,
    credentials::{RequestSource, User},
    database::Db,
    error::AppError,
    site::Site,
    timestamp::Timestamp,
};

/// Puts a person in charge of the site.
///
/// # Errors
/// [`AppError::Busy`].
pub async fn make_admin(site: &Site, user: &User) -> Result<(), AppError> {
    site.database
        .write(user.clone(), |db, user| {
            Box::pin(async move {
                if store::make_admin(db, &user.id).await? {
                    note(db, AuditKind::MadeAdmin, &user).await?;
                }
                Ok(())
            })
        })
        .await
}

/// Locks an account: its logins end, and nobody logs in to it. What it has published stays.
/// Locked twice, it stays locked.
///
/// # Errors
/// [`AppError::NotFound`], [`AppError::Busy`].
pub async fn lock(site: &Site, login: &Login) -> Result<User, AppError> {
    let user = person(site, login).await?;
    set_locked(site, &user, Some(clock::now())).await?;
    // Only now, see [`super::Authenticated::must_still_hold`].
    logins::sign_out_everywhere(site, user.id.clone()).await?;
    Ok(user)
}

/// Opens a locked account. Its person logs in as before.
///
/// # Errors
/// [`AppError::NotFound`], [`AppError::Busy`].
pub async fn unlock(site: &Site, login: &Login) -> Result<User, AppError> {
    let user = person(site, login).await?;
    set_locked(site, &user, None).await?;
    Ok(user)
}

/// Closes an account that is to be deleted at once.
///
/// # Errors
/// [`AppError::NotFound`], [`AppError::Busy`].
pub async fn close(site: &Site, login: &Login, posts: PostsOfDeleted) -> Result<User, AppError> {
    let user = person(site, login).await?;
    let source = RequestSource::command_line();
    account::close_until(site, user.clone(), posts, clock::now(), COMMAND_LINE, &source).await?;
    Ok(user)
}

async fn person(site: &Site, login: &Login) -> Result<User, AppError> {
    let found = store::find(&mut site.database.read().await?, login).await?;
    Ok(found.ok_or(AppError::NotFound)?.0)
}

async fn set_locked(site: &Site, user: &User, since: Option<Timestamp>) -> Result<(), AppError> {
    let kind = if since.is_some() { AuditKind::Locked } else { AuditKind::Unlocked };
    site.database
        .write_then(
            (user.clone(), since),
            move |db, (user, since)| {
                Box::pin(async move {
                    if store::set_locked(db, &user.id, since).await? {
                        note(db, kind, &user).await?;
                    }
                    Ok(())
                })
            },
            site.trust().forgetting(),
        )
        .await
}

async fn note(db: &mut Db, kind: AuditKind, user: &User) -> Result<(), AppError> {
    audit::record(db, AuditEvent::of(kind, user, COMMAND_LINE), &RequestSource::command_line()).await
}
