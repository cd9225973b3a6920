//! Who may sign up: everyone, whoever has a link from whoever runs the site, or nobody
//! (setting `site.sign-up`).

use std::time::Duration;

use super::one_time::Token;
use crate::{
    clock,
    config::SignUpPolicy,
    credentials::UserId,
    database::{Db, execute, on_engine},
    error::AppError,
    site::Site,
};

/// A link that makes one account.
#[derive(Clone, Debug)]
pub struct Invitation(Token);

impl Invitation {
    /// As it stood in a link; `None` for what was never one.
    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        Token::parse(raw).map(Self)
    }

    /// For a link.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// The condition of an invitation $1 that can be used at $2: a sign-up that has it and was
/// not confirmed in time gives it back.
macro_rules! valid {
    () => {
        "WHERE hash = $1 AND expires_at > $2
             AND NOT EXISTS (SELECT 1 FROM pending_sign_ups p WHERE p.id = used_by AND p.expires_at > $2)"
    };
}

/// Makes an invitation for so many days.
///
/// # Errors
/// [`AppError::Busy`].
pub async fn make(site: &Site, days: u32) -> Result<Invitation, AppError> {
    let invitation = Invitation(Token::random()?);
    let now = clock::now();
    let end = now.after(Duration::from_secs(u64::from(days) * 24 * 60 * 60));
    site.database
        .write((invitation.0.hash(), now, end), |db, (hash, now, end)| {
            Box::pin(async move {
                execute!(db => sqlx::query(
                        "INSERT INTO invitations (hash, created_at, expires_at) VALUES ($1, $2, $3)",
                    )
                    .bind(hash)
                    .bind(now.micros())
                    .bind(end.micros()))?;
                Ok(())
            })
        })
        .await?;
    Ok(invitation)
}

/// Checks that somebody with this invitation, or none, may sign up; the invitation that the
/// sign-up has to [`take`]. Whoever runs the site makes accounts without.
///
/// # Errors
/// [`AppError::SignUpClosed`], [`AppError::InvitationNeeded`].
pub async fn may_sign_up(
    site: &Site,
    invitation: Option<Invitation>,
) -> Result<Option<Invitation>, AppError> {
    match site.settings().sign_up {
        SignUpPolicy::Open => Ok(None),
        SignUpPolicy::Closed => Err(AppError::SignUpClosed),
        SignUpPolicy::Invite => {
            let invitation = invitation.ok_or(AppError::InvitationNeeded)?;
            let is_valid: bool = {
                let db = &mut site.database.read().await?;
                on_engine!(db => sqlx::query_scalar(concat!("SELECT EXISTS (SELECT 1 FROM invitations ", valid!(), ")"))
                    .bind(invitation.0.hash())
                    .bind(clock::now().micros())
                    .fetch_one(db)
                    .await?)
            };
            if is_valid { Ok(Some(invitation)) } else { Err(AppError::InvitationNeeded) }
        }
    }
}

/// Gives the invitation to an account, or to the sign-up that becomes it.
///
/// # Errors
/// [`AppError::InvitationNeeded`] when another took it first.
pub(super) async fn take(db: &mut Db, invitation: &Invitation, account: &UserId) -> Result<(), AppError> {
    let taken = execute!(db => sqlx::query(concat!("UPDATE invitations SET used_by = $3 ", valid!()))
        .bind(invitation.0.hash())
        .bind(clock::now().micros())
        .bind(account.as_str()))?;
    if taken > 0 { Ok(()) } else { Err(AppError::InvitationNeeded) }
}

/// The account is made: its invitation, if it has one, makes no other.
pub(super) async fn use_up(db: &mut Db, account: &UserId) -> Result<(), AppError> {
    execute!(db => sqlx::query("UPDATE invitations SET expires_at = $1 WHERE used_by = $2")
        .bind(clock::now().micros())
        .bind(account.as_str()))?;
    Ok(())
}

/// Removes what can no longer be used.
pub async fn forget_old(db: &mut Db) -> Result<(), AppError> {
    execute!(db => sqlx::query("DELETE FROM invitations WHERE expires_at <= $1").bind(clock::now().micros()))?;
    Ok(())
}
