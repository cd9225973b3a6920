//! What whoever is in charge of the site does with accounts: put somebody else in charge,
//! rename, lock, unlock, sign out, delete.

use super::{
    Login,
    account::{self, PostsOfDeleted},
    audit::{self, AuditEvent, AuditKind, COMMAND_LINE},
    logins, srp, store,
};
use crate::{
    clock,
    credentials::{Caller, RequestSource, User, UserId, kept_forms_of_renamed},
    database::{Db, on_engine},
    error::AppError,
    site::Site,
    username::Username,
};

/// Somebody who is in charge of the site, and may do what this module and others take it
/// for: the proof, and what the audit log says of them.
#[derive(Clone, Debug)]
pub struct InCharge {
    /// `None` at the command line.
    user: Option<User>,
    credential: String,
    request_id: String,
}

impl InCharge {
    /// Whoever runs commands of `byline` has the database itself.
    #[must_use]
    pub fn at_the_command_line() -> Self {
        Self { user: None, credential: COMMAND_LINE.to_owned(), request_id: String::new() }
    }

    /// Whoever began something that goes on later, as [`Self::credential`] has it, and the
    /// request that began it; empty if it is not known.
    #[must_use]
    pub const fn recorded(credential: String, request_id: String) -> Self {
        Self { user: None, credential, request_id }
    }

    /// The person, unless it is somebody at the command line.
    #[must_use]
    pub const fn user(&self) -> Option<&User> {
        self.user.as_ref()
    }

    /// Who it was, as the audit log has it beside each deed.
    #[must_use]
    pub fn credential(&self) -> &str {
        &self.credential
    }

    /// Where a deed comes from. The log of an account is shown to its person, so the
    /// address of whoever is in charge is not in it; it stands at their login.
    #[must_use]
    pub fn source(&self) -> RequestSource {
        if self.credential == COMMAND_LINE {
            RequestSource::command_line()
        } else {
            let mut source = RequestSource::default();
            source.request_id.clone_from(&self.request_id);
            source
        }
    }

    /// Adds a deed to the audit log of the account that it is about.
    pub(crate) async fn note(
        &self,
        db: &mut Db,
        kind: AuditKind,
        about: &User,
        detail: &str,
    ) -> Result<(), AppError> {
        let event = AuditEvent { kind, user: Some(about), credential: &self.credential, detail };
        audit::record(db, event, &self.source()).await
    }

    /// Adds a deed that is about the site to the audit log, in the name of who did it; at the
    /// command line there is nobody.
    pub(crate) async fn note_own(&self, db: &mut Db, kind: AuditKind, detail: &str) -> Result<(), AppError> {
        let event = AuditEvent { kind, user: self.user.as_ref(), credential: &self.credential, detail };
        audit::record(db, event, &self.source()).await
    }

    /// Checks that the deed is not about the person's own account: nobody locks themselves out.
    fn not_about(&self, user: &User) -> Result<(), AppError> {
        if self.user.as_ref() == Some(user) { Err(AppError::Forbidden) } else { Ok(()) }
    }
}

/// The proof that the caller is in charge of the site. Only a session of a browser counts: a
/// program with a token of theirs writes as them and is not in charge.
///
/// # Errors
/// [`AppError::NotFound`] for everybody else, so that nobody learns what there is.
pub async fn in_charge(site: &Site, caller: &Caller, source: &RequestSource) -> Result<InCharge, AppError> {
    let user = caller.actor.user().map_err(|_| AppError::NotFound)?;
    if caller.session_handle().is_none() || !is_in_charge(site, &user.id).await? {
        return Err(AppError::NotFound);
    }
    Ok(InCharge {
        credential: format!("session of {}", user.username),
        user: Some(user.clone()),
        request_id: source.request_id.clone(),
    })
}

/// [`in_charge`], for what cannot be undone: they have shown within ten minutes that it is
/// them (security row S4).
///
/// # Errors
/// [`AppError::NotFound`], [`AppError::ConfirmIdentity`].
pub async fn in_charge_for_sure(
    site: &Site,
    caller: &Caller,
    source: &RequestSource,
) -> Result<InCharge, AppError> {
    let in_charge = in_charge(site, caller, source).await?;
    caller.confirmed_user()?;
    Ok(in_charge)
}

/// Whether that account is in charge of the site. The primary database is asked.
///
/// # Errors
/// [`AppError::Busy`].
pub async fn is_in_charge(site: &Site, user: &UserId) -> Result<bool, AppError> {
    let db = &mut site.database.read().await?;
    Ok(on_engine!(db => sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM users WHERE id = $1 AND is_admin = 1 AND locked_at IS NULL)",
        )
        .bind(user.as_str())
        .fetch_one(db)
        .await?))
}

/// Whether somebody is in charge of the site who can log in. The primary database is asked.
///
/// # Errors
/// [`AppError::Busy`].
pub async fn is_anybody_in_charge(site: &Site) -> Result<bool, AppError> {
    let db = &mut site.database.read().await?;
    let query = "SELECT EXISTS (SELECT 1 FROM users WHERE is_admin = 1 AND locked_at IS NULL)";
    Ok(on_engine!(db => sqlx::query_scalar(query).fetch_one(db).await?))
}

/// Puts a person in charge of the site, or ends that.
///
/// # Errors
/// [`AppError::NotFound`]; [`AppError::Forbidden`] for one's own account; [`AppError::Busy`].
pub async fn set_admin(site: &Site, by: &InCharge, login: &Login, is_admin: bool) -> Result<User, AppError> {
    let user = person(site, login).await?;
    by.not_about(&user)?;
    let kind = if is_admin { AuditKind::MadeAdmin } else { AuditKind::AdminEnded };
    site.database
        .write((user.clone(), by.clone()), move |db, (user, by)| {
            Box::pin(async move {
                if store::set_admin(db, &user.id, is_admin).await? {
                    by.note(db, kind, &user, "").await?;
                }
                Ok(())
            })
        })
        .await?;
    Ok(user)
}

/// Gives a person another username. Addresses with the old one lead on to the new one, and
/// nobody else is ever called so. They stay signed in; a login by SRP works again after one by
/// password, because its proof has the name in it.
///
/// # Errors
/// [`AppError::NotFound`]; [`AppError::Invalid`] where the name is, or was, somebody else's;
/// [`AppError::Busy`].
pub async fn rename(site: &Site, by: &InCharge, login: &Login, username: Username) -> Result<User, AppError> {
    let user = person(site, login).await?;
    if user.username == username {
        return Ok(user);
    }
    let renamed = User { id: user.id.clone(), username };
    let told = {
        let site = site.clone();
        move |(): &()| {
            site.trust().forget();
            site.pages_changed();
        }
    };
    site.database
        .write_then(
            (user, renamed.clone(), by.clone()),
            |db, (user, renamed, by)| {
                Box::pin(async move {
                    store::rename(db, &user, &renamed.username).await?;
                    srp::forget(db, &user.id).await?;
                    kept_forms_of_renamed(db, &user, &renamed).await?;
                    by.note(db, AuditKind::Renamed, &renamed, &format!("{} before", user.username)).await?;
                    account::tell_names_changed(db).await
                })
            },
            told,
        )
        .await?;
    Ok(renamed)
}

/// Locks an account: its logins end, and nobody logs in to it. What it has published stays.
/// Locked twice, it stays locked.
///
/// # Errors
/// [`AppError::NotFound`]; [`AppError::Forbidden`] for one's own account; [`AppError::Busy`].
pub async fn lock(site: &Site, by: &InCharge, login: &Login) -> Result<User, AppError> {
    let user = person(site, login).await?;
    by.not_about(&user)?;
    site.database
        .write_then(
            (user.clone(), by.clone()),
            |db, (user, by)| Box::pin(async move { set_locked(db, &by, &user, true).await.map(drop) }),
            site.trust().forgetting(),
        )
        .await?;
    // Only now, see [`super::Authenticated::must_still_hold`].
    logins::sign_out_everywhere(site, user.id.clone()).await?;
    Ok(user)
}

/// Opens a locked account. Its person logs in as before.
///
/// # Errors
/// [`AppError::NotFound`], [`AppError::Busy`].
pub async fn unlock(site: &Site, by: &InCharge, login: &Login) -> Result<User, AppError> {
    let user = person(site, login).await?;
    site.database
        .write_then(
            (user.clone(), by.clone()),
            |db, (user, by)| Box::pin(async move { set_locked(db, &by, &user, false).await.map(drop) }),
            site.trust().forgetting(),
        )
        .await?;
    Ok(user)
}

/// Locks an account or opens it, in a transaction: its caller signs it out after a lock, and
/// makes the site forget whom it trusts. Whether that changed something.
///
/// # Errors
/// [`AppError::Busy`].
pub async fn set_locked(db: &mut Db, by: &InCharge, user: &User, locked: bool) -> Result<bool, AppError> {
    let kind = if locked { AuditKind::Locked } else { AuditKind::Unlocked };
    let changed = store::set_locked(db, &user.id, locked.then(clock::now)).await?;
    if changed {
        by.note(db, kind, user, "").await?;
    }
    Ok(changed)
}

/// Ends every session and every token of an account.
///
/// # Errors
/// [`AppError::NotFound`], [`AppError::Busy`].
pub async fn sign_out(site: &Site, by: &InCharge, login: &Login) -> Result<User, AppError> {
    let user = person(site, login).await?;
    logins::sign_out_everywhere(site, user.id.clone()).await?;
    site.database
        .write((user.clone(), by.clone()), |db, (user, by)| {
            Box::pin(async move { by.note(db, AuditKind::SignedOutByAdmin, &user, "").await })
        })
        .await?;
    Ok(user)
}

/// Closes an account that is to be deleted at once.
///
/// # Errors
/// [`AppError::NotFound`]; [`AppError::Forbidden`] for one's own account; [`AppError::Busy`].
pub async fn close(
    site: &Site,
    by: &InCharge,
    login: &Login,
    posts: PostsOfDeleted,
) -> Result<User, AppError> {
    let user = person(site, login).await?;
    by.not_about(&user)?;
    let credential = by.credential().to_owned();
    account::close_until(site, user.clone(), posts, clock::now(), credential, &by.source()).await?;
    Ok(user)
}

async fn person(site: &Site, login: &Login) -> Result<User, AppError> {
    let found = store::find(&mut site.database.read().await?, login).await?;
    Ok(found.ok_or(AppError::NotFound)?.0)
}

/// [`InCharge::note_own`], in a transaction of its own.
///
/// # Errors
/// [`AppError::Busy`].
pub async fn note_own(site: &Site, by: &InCharge, kind: AuditKind, detail: String) -> Result<(), AppError> {
    site.database
        .write((by.clone(), detail), move |db, (by, detail)| {
            Box::pin(async move { by.note_own(db, kind, &detail).await })
        })
        .await
}
