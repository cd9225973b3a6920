//! The audit log: who did what to an account, from where and by which credential
//! (security row O5). Rows are only added. No row has a secret, or a text that was
//! typed wrongly.

use std::time::Duration;

use sqlx::FromRow;

use crate::{
    clock,
    credentials::{RequestSource, User, UserId},
    database::{Db, execute, on_engine},
    error::AppError,
    site::Site,
    timestamp::Timestamp,
};

/// How long rows are kept.
pub const KEPT: Duration = Duration::from_secs(400 * 24 * 60 * 60);
/// Rows that a person sees of their own.
pub const SHOWN: i64 = 50;

/// The credential of whoever runs the site, by the command line.
pub const COMMAND_LINE: &str = "command line";

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditKind {
    SignedUp,
    LoggedIn,
    /// A wrong password or a wrong code. What is refused unseen, after too many, is not noted.
    LogInRefused,
    LoggedOut,
    IdentityConfirmed,
    PasswordChanged,
    PasswordReset,
    PasswordRemoved,
    EmailChanged,
    EmailVerified,
    PasskeyAdded,
    PasskeyRemoved,
    PasskeyRefused,
    TwoFactorTurnedOn,
    TwoFactorTurnedOff,
    RecoveryCodeUsed,
    RecoveryCodesMade,
    ApiKeyMade,
    ApiKeyRevoked,
    SessionEnded,
    SessionsEnded,
    ProfileChanged,
    Exported,
    DeletionAsked,
    DeletionUndone,
    Deleted,
    MadeAdmin,
    AdminEnded,
    SignedOutByAdmin,
    Locked,
    Unlocked,
    PostApproved,
    PostHidden,
    PostRestored,
    SettingsChanged,
    InvitationMade,
    SweepUndone,
    Renamed,
}

impl AuditKind {
    /// As it is stored, and as `byline audit` shows it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.texts().0
    }

    /// As a person reads it on their own account page.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        self.texts().1
    }

    const fn texts(self) -> (&'static str, &'static str) {
        match self {
            Self::SignedUp => ("signed_up", "Account made"),
            Self::LoggedIn => ("logged_in", "Logged in"),
            Self::LogInRefused => ("log_in_refused", "Login refused"),
            Self::LoggedOut => ("logged_out", "Logged out"),
            Self::IdentityConfirmed => ("identity_confirmed", "Confirmed it is you"),
            Self::PasswordChanged => ("password_changed", "Password changed"),
            Self::PasswordReset => ("password_reset", "Password set by mail"),
            Self::PasswordRemoved => ("password_removed", "Password removed"),
            Self::EmailChanged => ("email_changed", "Email address changed"),
            Self::EmailVerified => ("email_verified", "Email address confirmed"),
            Self::PasskeyAdded => ("passkey_added", "Passkey added"),
            Self::PasskeyRemoved => ("passkey_removed", "Passkey removed"),
            Self::PasskeyRefused => ("passkey_refused", "Passkey refused"),
            Self::TwoFactorTurnedOn => ("two_factor_turned_on", "Two-factor authentication turned on"),
            Self::TwoFactorTurnedOff => ("two_factor_turned_off", "Two-factor authentication turned off"),
            Self::RecoveryCodeUsed => ("recovery_code_used", "Recovery code used"),
            Self::RecoveryCodesMade => ("recovery_codes_made", "New recovery codes made"),
            Self::ApiKeyMade => ("api_key_made", "API key made"),
            Self::ApiKeyRevoked => ("api_key_revoked", "API key revoked"),
            Self::SessionEnded => ("session_ended", "Login ended elsewhere"),
            Self::SessionsEnded => ("sessions_ended", "Signed out everywhere else"),
            Self::ProfileChanged => ("profile_changed", "Profile changed"),
            Self::Exported => ("exported", "Data exported"),
            Self::DeletionAsked => ("deletion_asked", "Deletion of the account asked for"),
            Self::DeletionUndone => ("deletion_undone", "Deletion of the account undone"),
            Self::Deleted => ("deleted", "Account deleted"),
            Self::MadeAdmin => ("made_admin", "Put in charge of the site"),
            Self::AdminEnded => ("admin_ended", "No longer in charge of the site"),
            Self::SignedOutByAdmin => ("signed_out_by_admin", "Signed out by whoever runs the site"),
            Self::Locked => ("locked", "Locked by whoever runs the site"),
            Self::Unlocked => ("unlocked", "Unlocked by whoever runs the site"),
            Self::PostApproved => ("post_approved", "A post approved by whoever runs the site"),
            Self::PostHidden => ("post_hidden", "A post hidden by whoever runs the site"),
            Self::SettingsChanged => ("settings_changed", "Settings of the site changed"),
            Self::InvitationMade => ("invitation_made", "An invitation made"),
            Self::SweepUndone => ("sweep_undone", "A sweep undone"),
            Self::Renamed => ("renamed", "Username changed by whoever runs the site"),
            Self::PostRestored => ("post_restored", "A hidden post restored by whoever runs the site"),
        }
    }

    /// Every kind.
    pub const ALL: [Self; 38] = [
        Self::SignedUp,
        Self::LoggedIn,
        Self::LogInRefused,
        Self::LoggedOut,
        Self::IdentityConfirmed,
        Self::PasswordChanged,
        Self::PasswordReset,
        Self::PasswordRemoved,
        Self::EmailChanged,
        Self::EmailVerified,
        Self::PasskeyAdded,
        Self::PasskeyRemoved,
        Self::PasskeyRefused,
        Self::TwoFactorTurnedOn,
        Self::TwoFactorTurnedOff,
        Self::RecoveryCodeUsed,
        Self::RecoveryCodesMade,
        Self::ApiKeyMade,
        Self::ApiKeyRevoked,
        Self::SessionEnded,
        Self::SessionsEnded,
        Self::ProfileChanged,
        Self::Exported,
        Self::DeletionAsked,
        Self::DeletionUndone,
        Self::Deleted,
        Self::MadeAdmin,
        Self::AdminEnded,
        Self::SignedOutByAdmin,
        Self::Locked,
        Self::Unlocked,
        Self::PostApproved,
        Self::PostHidden,
        Self::PostRestored,
        Self::SettingsChanged,
        Self::InvitationMade,
        Self::SweepUndone,
        Self::Renamed,
    ];
}

/// A deed, for the log.
#[derive(Clone, Debug)]
pub struct AuditEvent<'a> {
    pub kind: AuditKind,
    /// Whose account; absent for a name that nobody has.
    pub user: Option<&'a User>,
    /// The credential that was shown: "password", "session", "access token" and so on.
    pub credential: &'a str,
    /// What else is worth knowing; no secret, and nothing that was typed wrongly.
    pub detail: &'a str,
}

impl<'a> AuditEvent<'a> {
    /// Of a person, without a detail.
    #[must_use]
    pub const fn of(kind: AuditKind, user: &'a User, credential: &'a str) -> Self {
        Self { kind, user: Some(user), credential, detail: "" }
    }
}

/// A row of the log.
#[derive(Clone, Debug, FromRow)]
pub struct AuditRow {
    /// Rises with the time.
    pub id: i64,
    /// Microseconds since 1970 UTC.
    pub at: i64,
    /// [`AuditKind::name`].
    pub kind: String,
    /// What the person was called then; empty for a name that nobody had.
    pub username: String,
    /// What they are called now; absent without an account.
    pub account: Option<String>,
    pub credential: String,
    pub address: String,
    pub user_agent: String,
    pub request_id: String,
    pub detail: String,
}

impl AuditRow {
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        Timestamp::from_micros(self.at)
    }

    /// What the row says, for the person whose account it is.
    #[must_use]
    pub fn sentence(&self) -> &str {
        let kind = AuditKind::ALL.into_iter().find(|kind| kind.name() == self.kind);
        kind.map_or(self.kind.as_str(), |kind| kind.sentence())
    }

    /// [`Self::sentence`], and what else is worth knowing.
    #[must_use]
    pub fn said(&self) -> String {
        let sentence = self.sentence();
        if self.detail.is_empty() { sentence.to_owned() } else { format!("{sentence} {}", self.detail) }
    }
}

/// Adds a row, in the transaction of the deed.
pub async fn record(db: &mut Db, event: AuditEvent<'_>, source: &RequestSource) -> Result<(), AppError> {
    let from = source.begun_from();
    execute!(db => sqlx::query(
            "INSERT INTO audit (at, kind, user_id, username, credential, address, user_agent, request_id, detail)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(clock::now().micros())
        .bind(event.kind.name())
        .bind(event.user.map(|user| user.id.as_str()))
        .bind(event.user.map_or("", |user| user.username.as_str()))
        .bind(event.credential)
        .bind(&from.address)
        .bind(&from.user_agent)
        .bind(&source.request_id)
        .bind(event.detail))?;
    Ok(())
}

/// Notes a credential that was wrong. A password for an unknown name as well, so that it
/// takes as long.
pub async fn refused(
    site: &Site,
    user: Option<User>,
    credential: &'static str,
    source: &RequestSource,
) -> Result<(), AppError> {
    site.database
        .write((user, source.clone()), move |db, (user, source)| {
            Box::pin(async move {
                let kind = AuditKind::LogInRefused;
                let event = AuditEvent { kind, user: user.as_ref(), credential, detail: "" };
                record(db, event, &source).await
            })
        })
        .await
}

/// What is selected for [`AuditRow`].
macro_rules! rows {
    () => {
        "SELECT a.id, a.at, a.kind, a.username, u.username AS account, a.credential, a.address,
             a.user_agent, a.request_id, a.detail
         FROM audit a LEFT JOIN users u ON u.id = a.user_id "
    };
}

/// The newest rows of a person, newest first, whatever they were called then.
///
/// # Errors
/// [`AppError::Busy`].
pub async fn of_user(db: &mut Db, user: &UserId, limit: i64) -> Result<Vec<AuditRow>, AppError> {
    let statement = concat!(rows!(), "WHERE a.user_id = $1 ORDER BY a.id DESC LIMIT $2");
    Ok(on_engine!(db => sqlx::query_as(statement)
        .bind(user.as_str())
        .bind(limit)
        .fetch_all(db)
        .await?))
}

/// The newest rows of all, or of one username; oldest first.
pub async fn newest(db: &mut Db, username: Option<&str>, limit: i64) -> Result<Vec<AuditRow>, AppError> {
    let mut rows = page(db, username.unwrap_or_default(), None, limit).await?;
    rows.reverse();
    Ok(rows)
}

/// Rows of the whole log or of one username, newest first: those before the row `before`. Those
/// of a username are also those of whoever is called so now or was before, under every name of
/// theirs.
///
/// # Errors
/// [`AppError::Busy`].
pub async fn page(
    db: &mut Db,
    username: &str,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<AuditRow>, AppError> {
    let statement = concat!(
        rows!(),
        "WHERE ($1 = '' OR a.username = $1 OR a.user_id IN (
                    SELECT id FROM users WHERE username = $1
                    UNION ALL SELECT user_id FROM former_usernames WHERE username = $1))
             AND a.id < $2
         ORDER BY a.id DESC LIMIT $3"
    );
    Ok(on_engine!(db => sqlx::query_as(statement)
        .bind(username)
        .bind(before.unwrap_or(i64::MAX))
        .bind(limit)
        .fetch_all(db)
        .await?))
}

/// The first row of a kind with this detail that was added at a time or later.
///
/// # Errors
/// [`AppError::Busy`].
pub async fn first_since(
    db: &mut Db,
    since: Timestamp,
    kind: AuditKind,
    detail: &str,
) -> Result<Option<AuditRow>, AppError> {
    let statement =
        concat!(rows!(), "WHERE a.at >= $1 AND a.kind = $2 AND a.detail = $3 ORDER BY a.id LIMIT 1");
    Ok(on_engine!(db => sqlx::query_as(statement)
        .bind(since.micros())
        .bind(kind.name())
        .bind(detail)
        .fetch_optional(db)
        .await?))
}

/// Removes rows that are older than [`KEPT`].
pub async fn forget_old(db: &mut Db) -> Result<(), AppError> {
    execute!(db => sqlx::query("DELETE FROM audit WHERE at <= $1").bind(clock::before(KEPT).micros()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_kind_has_its_own_name() {
        let names: BTreeSet<_> = AuditKind::ALL.iter().map(|kind| kind.name()).collect();
        assert_eq!(names.len(), AuditKind::ALL.len());
    }
}
