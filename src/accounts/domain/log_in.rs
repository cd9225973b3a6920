//! How far somebody has come with a login. The types see to it that no door forgets
//! the second factor: only [`Authenticated`] begins a session or a token family,
//! and a password alone makes a [`RightPassword`].

use super::{Login, PendingLogIn, not_authenticated, store, two_factor};
use crate::{credentials::User, error::AppError, site::Site};

/// A person whose password was right, with the hash that was stored at that
/// moment.
#[derive(Debug)]
pub struct RightPassword {
    pub user: User,
    pub(super) hash: String,
}

impl RightPassword {
    /// Asks whether a second factor is still to come.
    pub async fn go_on(self, site: &Site) -> Result<LogIn, AppError> {
        let is_on = two_factor::is_on(&mut site.database.read().await?, &self.user.id).await?;
        let Self { user, hash } = self;
        Ok(if is_on {
            LogIn::SecondFactor(PendingLogIn::begun(user, &hash))
        } else {
            LogIn::Done(Authenticated::by_password(user, hash))
        })
    }
}

/// A login after the right password.
#[derive(Debug)]
pub enum LogIn {
    /// That was all.
    Done(Authenticated),
    /// A code has to follow.
    SecondFactor(PendingLogIn),
}

impl LogIn {
    /// For a caller that has no code.
    ///
    /// # Errors
    /// [`AppError::SecondFactorRequired`].
    pub fn done(self) -> Result<Authenticated, AppError> {
        match self {
            Self::Done(authenticated) => Ok(authenticated),
            Self::SecondFactor(_) => Err(AppError::SecondFactorRequired),
        }
    }
}

/// A person who has shown every factor that their account has.
#[derive(Debug)]
pub struct Authenticated {
    pub user: User,
    hash: String,
    /// What was shown, for the audit log.
    pub(super) factors: &'static str,
}

impl Authenticated {
    /// By the password of an account that asks for nothing else.
    pub(super) const fn by_password(user: User, hash: String) -> Self {
        Self { user, hash, factors: "password" }
    }

    /// By a passkey, which is both factors. `hash` is the stored one of the
    /// password.
    pub(super) const fn by_passkey(user: User, hash: String) -> Self {
        Self { user, hash, factors: "passkey" }
    }

    /// By a code, after the password. The password may have been changed since.
    ///
    /// # Errors
    /// [`AppError::Invalid`] if it was.
    pub(super) async fn by_second_factor(site: &Site, pending: &PendingLogIn) -> Result<Self, AppError> {
        let login = Login::Username(pending.user.username.clone());
        let found = store::find(&mut site.database.read().await?, &login).await?;
        found
            .filter(|(user, hash)| user.id == pending.user.id && pending.is_of(hash))
            .map(|(user, hash)| Self { user, hash, factors: "password and code" })
            .ok_or_else(not_authenticated)
    }

    /// Checks that the password is still the one that was checked, and that the account is
    /// not locked. Asked once the session or the token family is stored: a new password, and
    /// a lock, end those that they find *after* they are stored themselves, so a login that
    /// was under way is caught by one or the other.
    ///
    /// # Errors
    /// [`AppError::Invalid`] when the password was changed; [`AppError::AccountLocked`].
    pub async fn must_still_hold(&self, site: &Site) -> Result<(), AppError> {
        let login = Login::Username(self.user.username.clone());
        let db = &mut site.database.read().await?;
        match store::find(db, &login).await? {
            Some((_, hash)) if hash == self.hash => store::refuse_locked(db, &self.user.id).await,
            _ => Err(not_authenticated()),
        }
    }
}
