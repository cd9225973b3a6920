//! Who may sign up: everyone, whoever has a link from whoever runs the site, or nobody
//! (setting `site.sign-up`).

use std::time::Duration;

use sqlx::FromRow;

use super::{
    audit::{self, AuditEvent, AuditKind},
    one_time::Token,
};
use crate::{
    clock,
    config::SignUpPolicy,
    credentials::{RequestSource, User, UserId},
    database::{Db, execute, on_engine},
    error::AppError,
    site::Site,
    text::hex,
    timestamp::Timestamp,
};

/// How long the invitation of whoever is first can be used.
const FIRST: Duration = Duration::from_secs(24 * 60 * 60);

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

    /// Names it in a list, as [`ListedInvitation::id`]; nobody can sign up by it.
    #[must_use]
    pub fn id(&self) -> String {
        hex(&self.0.hash())
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

/// Makes an invitation that can be used until `end`.
///
/// # Errors
/// [`AppError::Busy`].
pub async fn make(site: &Site, end: Timestamp) -> Result<Invitation, AppError> {
    insert(site, end, false).await
}

/// An invitation for whoever is to be in charge of a site that has no account yet; `None` if
/// it has one.
///
/// # Errors
/// [`AppError::Busy`].
pub async fn for_the_first(site: &Site) -> Result<Option<Invitation>, AppError> {
    let is_empty: bool = {
        let db = &mut site.database.read().await?;
        on_engine!(db => sqlx::query_scalar("SELECT NOT EXISTS (SELECT 1 FROM users)").fetch_one(db).await?)
    };
    if is_empty { insert(site, clock::now().after(FIRST), true).await.map(Some) } else { Ok(None) }
}

async fn insert(site: &Site, end: Timestamp, makes_admin: bool) -> Result<Invitation, AppError> {
    let invitation = Invitation(Token::random()?);
    site.database
        .write((invitation.0.hash(), clock::now(), end), move |db, (hash, now, end)| {
            Box::pin(async move {
                execute!(db => sqlx::query(
                        "INSERT INTO invitations (hash, created_at, expires_at, makes_admin)
                         VALUES ($1, $2, $3, $4)",
                    )
                    .bind(hash)
                    .bind(now.micros())
                    .bind(end.micros())
                    .bind(i64::from(makes_admin)))?;
                Ok(())
            })
        })
        .await?;
    Ok(invitation)
}

/// An invitation that can still be used, as whoever runs the site sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedInvitation {
    /// Names it; nobody can sign up by it.
    pub id: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// Whether a sign-up has it that was not confirmed yet.
    pub is_taken: bool,
}

#[derive(FromRow)]
struct Row {
    hash: Vec<u8>,
    created_at: i64,
    expires_at: i64,
    used_by: Option<String>,
}

/// The invitations that can be used or may come back, newest first.
///
/// # Errors
/// [`AppError::Busy`].
pub async fn list(site: &Site) -> Result<Vec<ListedInvitation>, AppError> {
    let rows = usable(&mut site.database.read().await?).await?;
    let listed = |row: Row| ListedInvitation {
        id: hex(&row.hash),
        created_at: Timestamp::from_micros(row.created_at),
        expires_at: Timestamp::from_micros(row.expires_at),
        is_taken: row.used_by.is_some(),
    };
    Ok(rows.into_iter().map(listed).collect())
}

async fn usable(db: &mut Db) -> Result<Vec<Row>, AppError> {
    Ok(on_engine!(db => sqlx::query_as(
            "SELECT hash, created_at, expires_at, used_by FROM invitations WHERE expires_at > $1 AND makes_admin = 0
             ORDER BY created_at DESC LIMIT 500",
        )
        .bind(clock::now().micros())
        .fetch_all(db)
        .await?))
}

/// Ends an invitation, by its id in the list. Sent twice, it says yes again.
///
/// # Errors
/// [`AppError::Busy`].
pub async fn revoke(site: &Site, id: &str) -> Result<(), AppError> {
    let rows = usable(&mut site.database.read().await?).await?;
    let Some(row) = rows.into_iter().find(|row| hex(&row.hash) == id) else { return Ok(()) };
    site.database
        .write(row.hash, |db, hash| {
            Box::pin(async move {
                execute!(db => sqlx::query("DELETE FROM invitations WHERE hash = $1").bind(hash))?;
                Ok(())
            })
        })
        .await
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
    let policy = site.settings().sign_up;
    let validity = match &invitation {
        Some(invitation) => validity(site, invitation).await?,
        None => None,
    };
    match (validity, policy) {
        // Whoever is to be in charge signs up whatever the setting says.
        (Some(MakesAdmin(true)), _) | (Some(_), SignUpPolicy::Invite) => Ok(invitation),
        (_, SignUpPolicy::Open) => Ok(None),
        (_, SignUpPolicy::Closed) => Err(AppError::SignUpClosed),
        (None, SignUpPolicy::Invite) => Err(AppError::InvitationNeeded),
    }
}

/// Whether an account that is made by an invitation is in charge of the site.
struct MakesAdmin(bool);

/// `None` for an invitation that cannot be used.
async fn validity(site: &Site, invitation: &Invitation) -> Result<Option<MakesAdmin>, AppError> {
    let db = &mut site.database.read().await?;
    let found: Option<i64> = on_engine!(db => sqlx::query_scalar(concat!("SELECT makes_admin FROM invitations ", valid!()))
        .bind(invitation.0.hash())
        .bind(clock::now().micros())
        .fetch_optional(db)
        .await?);
    Ok(found.map(|makes_admin| MakesAdmin(makes_admin != 0)))
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

/// The account is made: its invitation, if it has one, makes no other. If it was that of
/// whoever is in charge, the account is, and no other such invitation can be used.
pub(super) async fn use_up(db: &mut Db, account: &User) -> Result<(), AppError> {
    let id = account.id.as_str();
    let used = "UPDATE users SET is_admin = 1 WHERE id = $1 AND EXISTS (
             SELECT 1 FROM invitations WHERE used_by = $1 AND makes_admin = 1 AND expires_at > $2)";
    if execute!(db => sqlx::query(used).bind(id).bind(clock::now().micros()))? > 0 {
        audit::record(
            db,
            AuditEvent::of(AuditKind::MadeAdmin, account, "invitation"),
            &RequestSource::default(),
        )
        .await?;
        execute!(db => sqlx::query("UPDATE invitations SET expires_at = $1 WHERE makes_admin = 1")
            .bind(clock::now().micros()))?;
    }
    execute!(db => sqlx::query("UPDATE invitations SET expires_at = $1 WHERE used_by = $2")
        .bind(clock::now().micros())
        .bind(id))?;
    Ok(())
}

/// Removes what can no longer be used.
pub async fn forget_old(db: &mut Db) -> Result<(), AppError> {
    execute!(db => sqlx::query("DELETE FROM invitations WHERE expires_at <= $1").bind(clock::now().micros()))?;
    Ok(())
}
