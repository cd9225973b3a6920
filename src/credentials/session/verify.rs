//! From a session to who asks.

use super::UserSession;
use crate::{credentials::User, error::AppError, timestamp::Timestamp};

/// A session that somebody is signed in to.
#[derive(Clone, Debug)]
pub struct VerifiedSession {
    pub user: User,
    /// When the person showed last that it is them; absent in sessions of an older
    /// Byline.
    pub confirmed_at: Option<Timestamp>,
    session: UserSession,
}

impl VerifiedSession {
    /// Its name in the list of its owner.
    #[must_use]
    pub fn handle(&self) -> Option<String> {
        self.session.handle()
    }
}

/// Finds who is signed in; `None` for nobody. The primary database is asked at
/// the first call for a request. Nothing is trusted from memory: requests write
/// the rows of sessions, and a session ends when it is not used.
pub async fn verify(session: &UserSession) -> Result<Option<VerifiedSession>, AppError> {
    let Some(user) = session.user().await? else { return Ok(None) };
    let confirmed_at = session.login().await?.map(|login| login.confirmed_at);
    Ok(Some(VerifiedSession { user, confirmed_at, session: session.clone() }))
}

/// Whether it is still valid, for a connection that lasts longer than a request:
/// the same person is signed in. The database is asked.
pub async fn still_holds(verified: &VerifiedSession) -> Result<bool, AppError> {
    Ok(verified.session.user_now().await?.as_ref() == Some(&verified.user))
}
