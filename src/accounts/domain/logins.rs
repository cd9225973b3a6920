//! Where a person is signed in: their sessions and their programs' token families; ending them.

use super::{
    audit::{self, AuditEvent, AuditKind},
    device_name::device_name,
};
use crate::{
    credentials::{
        Caller, RequestSource, UserId, session::store as session_store, token::store as token_store,
    },
    database::Db,
    error::AppError,
    site::Site,
    timestamp::Timestamp,
};

/// What a login is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginKind {
    /// A session in a browser.
    Browser,
    /// A token family.
    Program,
}

/// A login, as its owner finds it in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedLogin {
    /// Names it among the person's own.
    pub id: String,
    pub kind: LoginKind,
    /// In words.
    pub device: String,
    /// Empty if it is not known.
    pub address: String,
    pub began_at: Timestamp,
    pub last_used_at: Timestamp,
    /// Whether it is the one that asks.
    pub is_this: bool,
}

/// The person's logins; the one that asks first, then the newest.
///
/// # Errors
/// [`AppError::NotSignedIn`].
pub async fn list(site: &Site, caller: &Caller) -> Result<Vec<ListedLogin>, AppError> {
    let user = &caller.actor.user()?.id;
    let db = &mut site.reader_for(&caller.actor).await?;
    let sessions = session_store::list(db, user).await?.into_iter().map(|session| {
        let from = session.login.as_ref().map(|login| login.from.clone()).unwrap_or_default();
        ListedLogin {
            kind: LoginKind::Browser,
            device: device_name(&from.user_agent),
            address: from.address,
            began_at: session.login.map_or(session.created_at, |login| login.at),
            last_used_at: session.last_seen_at,
            is_this: caller.session_handle().as_deref() == Some(session.handle.as_str()),
            id: session.handle,
        }
    });
    let families = token_store::list(db, user).await?.into_iter().map(|family| ListedLogin {
        kind: LoginKind::Program,
        device: device_name(&family.user_agent),
        address: family.address,
        began_at: Timestamp::from_micros(family.created_at),
        last_used_at: Timestamp::from_micros(family.last_used_at),
        is_this: caller.family() == Some(family.id.as_str()),
        id: family.id,
    });
    let mut logins: Vec<_> = sessions.chain(families).collect();
    logins.sort_by_key(|login| (!login.is_this, std::cmp::Reverse(login.last_used_at)));
    Ok(logins)
}

/// One of the person's logins.
///
/// # Errors
/// [`AppError::NotSignedIn`]; [`AppError::NotFound`], also for another's.
pub async fn get(site: &Site, caller: &Caller, id: &str) -> Result<ListedLogin, AppError> {
    let found = list(site, caller).await?.into_iter().find(|login| login.id == id);
    found.ok_or(AppError::NotFound)
}

/// Ends one of the person's logins. Sent twice, it says yes again.
///
/// # Errors
/// [`AppError::NotSignedIn`]. After any error it has not ended.
pub async fn end(site: &Site, caller: &Caller, id: String, source: &RequestSource) -> Result<(), AppError> {
    let user = caller.actor.user()?.clone();
    let credential = caller.credential_kind();
    site.database
        .write_then(
            (user, id, source.clone()),
            move |db, (user, id, source)| {
                Box::pin(async move {
                    let ended = session_store::end(db, &user.id, &id).await?
                        || token_store::end_own(db, &user.id, &id).await?;
                    if ended {
                        let event = AuditEvent::of(AuditKind::SessionEnded, &user, credential);
                        audit::record(db, event, &source).await?;
                    }
                    Ok(())
                })
            },
            site.trust().forgetting(),
        )
        .await
}

/// Ends every login but the one that asks.
///
/// # Errors
/// [`AppError::NotSignedIn`]. After any error nothing has ended.
pub async fn end_others(site: &Site, caller: &Caller, source: &RequestSource) -> Result<(), AppError> {
    let user = caller.actor.user()?.clone();
    let credential = caller.credential_kind();
    site.database
        .write_then(
            (user, Spared::of(caller), source.clone()),
            move |db, (user, spared, source)| {
                Box::pin(async move {
                    end_all(db, &user.id, &spared).await?;
                    audit::record(db, AuditEvent::of(AuditKind::SessionsEnded, &user, credential), &source)
                        .await
                })
            },
            site.trust().forgetting(),
        )
        .await
}

/// What stays when everything else of a person ends: what asked for it.
#[derive(Clone, Debug, Default)]
pub struct Spared {
    /// A token family.
    pub family: Option<String>,
    /// The handle of a session ([`UserSession::handle`]).
    pub session: Option<String>,
}

impl Spared {
    /// The login that asks.
    #[must_use]
    pub fn of(caller: &Caller) -> Self {
        Self { family: caller.family().map(str::to_owned), session: caller.session_handle() }
    }
}

/// Ends every session and every token family of an account.
///
/// # Errors
///
/// After an error nothing has ended.
pub async fn sign_out_everywhere(site: &Site, user: UserId) -> Result<(), AppError> {
    sign_out(site, user, Spared::default()).await
}

pub(super) async fn sign_out(site: &Site, user: UserId, spared: Spared) -> Result<(), AppError> {
    site.database
        .write_then(
            (user, spared),
            |db, (user, spared)| Box::pin(async move { end_all(db, &user, &spared).await }),
            site.trust().forgetting(),
        )
        .await
}

/// As [`sign_out`], in a transaction; its caller makes the site forget whom it trusts.
pub(super) async fn end_all(db: &mut Db, user: &UserId, spared: &Spared) -> Result<(), AppError> {
    session_store::end_all(db, user, spared.session.as_deref()).await?;
    token_store::end_all(db, user, spared.family.as_deref()).await
}
