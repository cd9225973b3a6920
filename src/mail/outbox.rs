//! The table `outbox`: mails that wait, and mails that were given up.

use std::time::Duration;

use secrecy::ExposeSecret;
use sqlx::FromRow;

use super::{Letter, letter::one_line};
use crate::{
    clock,
    credentials::sealing::{self, SealPurpose},
    database::{Db, execute, internal, on_engine},
    error::AppError,
    site::Site,
    timestamp::Timestamp,
};

/// How long a mail is tried that says no other time.
pub(super) const TRIED_FOR: Duration = Duration::from_secs(3 * 24 * 60 * 60);
/// The pause after the first failure; each later one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(60);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(4 * 60 * 60);
/// A worker has a mail for so long. If its process dies, another takes it then.
pub(super) const LEASE: Duration = Duration::from_secs(90);
const _: () = assert!(LEASE.as_secs() > super::transport::SEND_TIME.as_secs());
/// How long a mail that was given up stays to be seen.
const SHOWN_FOR: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// A letter and where it goes.
#[derive(Clone, Debug)]
pub struct Envelope {
    /// The address. `None` for nobody: then the outbox does the same work and sends
    /// nothing, so that the time of an answer does not show whether there is an
    /// account.
    pub to: Option<String>,
    pub letter: Letter,
    /// Until when it is of use, because a link in it ends then; else it is tried
    /// for three days.
    pub useful_until: Option<Timestamp>,
}

/// A mail as `byline mail list` shows it.
#[derive(Debug, FromRow)]
pub struct Listed {
    pub recipient: String,
    pub subject: String,
    /// Microseconds since 1970 UTC, as all of its times.
    pub created_at: i64,
    /// How often it was tried.
    pub tries: i64,
    pub next_try_at: i64,
    /// When it was given up.
    pub given_up_at: Option<i64>,
    /// Why the last try failed.
    pub problem: Option<String>,
}

/// The mails that wait to be sent, or to be tried again.
#[derive(Clone, Copy, Debug, FromRow, PartialEq, Eq)]
pub struct Waiting {
    pub mails: i64,
    /// When the one was written that waits longest, in microseconds since 1970 UTC.
    pub since: Option<i64>,
}

/// A mail that this process is to send now.
#[derive(Clone, Debug)]
pub(super) struct Leased {
    pub(super) id: String,
    /// Empty for nobody; see [`Envelope::to`].
    pub(super) recipient: String,
    /// `None` if it cannot be read, because its key is gone.
    pub(super) letter: Option<Letter>,
    /// Failures so far.
    pub(super) tries: i64,
    pub(super) expires_at: i64,
}

/// Puts a mail into the outbox, in the transaction of what it tells of. Does
/// nothing where no mail is sent.
pub async fn enqueue(db: &mut Db, site: &Site, mail: &Envelope) -> Result<(), AppError> {
    if !site.mailer().is_on() {
        return Ok(());
    }
    let now = clock::now();
    let expires_at = mail.useful_until.unwrap_or_else(|| now.after(TRIED_FOR));
    let id = uuid::Uuid::now_v7().to_string();
    let letter = serde_json::to_vec(&mail.letter).map_err(internal)?;
    let letter = match site.sealer() {
        Some(sealer) => sealer.seal(SealPurpose::Letter, &id, &letter)?,
        None => letter,
    };
    execute!(db => sqlx::query(
            "INSERT INTO outbox (id, recipient, subject, letter, created_at, expires_at, tries, next_try_at, lease_until)
             VALUES ($1, $2, $3, $4, $5, $6, 0, $5, 0)",
        )
        .bind(&id)
        .bind(mail.to.as_deref().unwrap_or_default())
        .bind(one_line(&mail.letter.subject))
        .bind(letter.as_slice())
        .bind(now.micros())
        .bind(expires_at.micros()))?;
    site.mailer().wake();
    Ok(())
}

/// Whether a mail is due.
pub(super) async fn has_due(db: &mut Db) -> Result<bool, AppError> {
    Ok(on_engine!(db => sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM outbox
             WHERE given_up_at IS NULL AND next_try_at <= $1 AND lease_until <= $1)",
        )
        .bind(clock::now().micros())
        .fetch_one(db)
        .await?))
}

/// Takes the mail that is due longest; no other process has it until the lease
/// ends. On PostgreSQL, of two processes that take the same one, the second has a
/// conflict, and its transaction runs again.
pub(super) async fn lease(db: &mut Db, site: &Site) -> Result<Option<Leased>, AppError> {
    let now = clock::now();
    let row: Option<(String, String, Vec<u8>, i64, i64)> = on_engine!(db => sqlx::query_as(
            "UPDATE outbox SET lease_until = $2 WHERE id = (
                 SELECT id FROM outbox
                 WHERE given_up_at IS NULL AND next_try_at <= $1 AND lease_until <= $1
                 ORDER BY next_try_at, id LIMIT 1
             ) RETURNING id, recipient, letter, tries, expires_at",
        )
        .bind(now.micros())
        .bind(now.after(LEASE).micros())
        .fetch_optional(db)
        .await?);
    Ok(row.map(|(id, recipient, letter, tries, expires_at)| {
        let letter = opened(site, &id, letter);
        Leased { id, recipient, letter, tries, expires_at }
    }))
}

fn opened(site: &Site, id: &str, stored: Vec<u8>) -> Option<Letter> {
    let letter = sealing::open_stored(site.sealer(), SealPurpose::Letter, id, stored).ok()?;
    serde_json::from_slice(letter.expose_secret()).ok()
}

/// The mail is sent: nothing of it stays.
pub(super) async fn sent(db: &mut Db, id: &str) -> Result<(), AppError> {
    execute!(db => sqlx::query("DELETE FROM outbox WHERE id = $1").bind(id))?;
    Ok(())
}

/// The mail has to wait for another try.
pub(super) async fn postpone(db: &mut Db, id: &str, until: Timestamp, problem: &str) -> Result<(), AppError> {
    execute!(db => sqlx::query(
            "UPDATE outbox SET tries = tries + 1, next_try_at = $1, lease_until = 0, problem = $2 WHERE id = $3",
        )
        .bind(until.micros())
        .bind(problem)
        .bind(id))?;
    Ok(())
}

/// The mail is never tried again. Its text goes, because it may contain a link that
/// opens an account; who was to get it and why they did not stays to be seen.
pub(super) async fn give_up(db: &mut Db, id: &str, problem: &str) -> Result<(), AppError> {
    execute!(db => sqlx::query(
            "UPDATE outbox SET tries = tries + 1, given_up_at = $1, lease_until = 0, letter = NULL, problem = $2
             WHERE id = $3",
        )
        .bind(clock::now().micros())
        .bind(problem)
        .bind(id))?;
    Ok(())
}

/// This process will not send it after all.
pub(super) async fn release(db: &mut Db, id: &str) -> Result<(), AppError> {
    execute!(db => sqlx::query("UPDATE outbox SET lease_until = 0 WHERE id = $1 AND given_up_at IS NULL").bind(id))?;
    Ok(())
}

/// How long a mail waits that has failed so often.
pub(super) fn pause(tries: i64) -> Duration {
    let doublings = u32::try_from(tries).unwrap_or(u32::MAX).min(16);
    (FIRST_PAUSE * 2_u32.pow(doublings)).min(LONGEST_PAUSE)
}

/// Mails that wait and mails that were given up, oldest first.
pub async fn list(db: &mut Db) -> Result<Vec<Listed>, AppError> {
    Ok(on_engine!(db => sqlx::query_as(
            "SELECT recipient, subject, created_at, tries, next_try_at, given_up_at, problem
             FROM outbox WHERE recipient <> '' ORDER BY created_at, id",
        )
        .fetch_all(db)
        .await?))
}

/// How many mails wait, and since when.
pub async fn waiting(db: &mut Db) -> Result<Waiting, AppError> {
    Ok(on_engine!(db => sqlx::query_as(
            "SELECT COUNT(*) AS mails, MIN(created_at) AS since
             FROM outbox WHERE given_up_at IS NULL AND recipient <> ''",
        )
        .fetch_one(db)
        .await?))
}

/// Removes mails that were given up long ago.
pub async fn forget_given_up(db: &mut Db) -> Result<(), AppError> {
    execute!(db => sqlx::query("DELETE FROM outbox WHERE given_up_at < $1")
        .bind(clock::before(SHOWN_FOR).micros()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_from_a_minute_to_four_hours() {
        let minutes: Vec<u64> = (0..10).map(|tries| pause(tries).as_secs() / 60).collect();
        assert_eq!(minutes, [1, 2, 4, 8, 16, 32, 64, 128, 240, 240]);
        assert_eq!(pause(i64::MAX), LONGEST_PAUSE);
    }
}
