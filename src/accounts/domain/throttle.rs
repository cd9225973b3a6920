//! Limits on guesses and on what can be done in an hour (security row R1).
//!
//! Guesses are counted in the database, so the limits hold on every process and
//! across restarts. A guess is counted *before* it is checked: many at once cannot
//! pass a limit that one after the other would not. A right one takes its count back.
//!
//! | counted for | limit |
//! | --- | --- |
//! | an account, by the name that was typed | from the 5th failure on, 1 s, doubling up to 15 min |
//! | an address (IPv6: its /64) | 10 failures in 3 min |
//! | a known browser or a known address of the account, in place of both | as an account |
//!
//! So a stranger who guesses makes other strangers wait, and not the owner, who logs
//! in from a browser or an address where they have logged in before. An unknown name
//! is counted like a known one, so the answers do not show who has an account.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{devices, hashing::Priority};
use crate::{
    clock,
    credentials::{RequestSource, Secret},
    database::{Db, execute, internal, on_engine},
    error::AppError,
    http::fair_pool::network,
    site::Site,
    timestamp::Timestamp,
};

/// Failures of an account that cost no time.
const FREE_FAILURES: i64 = 5;
/// The longest time that an account is closed to guesses.
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);
/// Without a failure for this long, an account's failures are forgotten.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(24 * 60 * 60);
/// Failures of an address …
const ADDRESS_FAILURES: i64 = 10;
/// … in this time.
const ADDRESS_WINDOW: Duration = Duration::from_secs(3 * 60);
/// Guesses of one address that are checked at the same time; others wait.
const AT_ONCE: usize = 4;
/// Guesses of one address, or for one account, that may wait for that.
const WAITING: usize = 32;
/// The longest wait.
const MAX_WAIT: Duration = Duration::from_secs(2);
/// How long the answer to a refused guess waits, so that clients which guess again and
/// again, one guess after the other, take little of the machine from readers.
const REFUSED_PAUSE: Duration = Duration::from_millis(250);
/// Refused guesses that wait for that; of more, each is answered at once, because each
/// takes a place among the requests.
const REFUSED_WAITING: usize = 128;
/// Lanes in memory, before unused ones are removed.
const REMEMBERED: usize = 1024;

/// What is guessed at. Each has its own count for an account, and they share that of
/// an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// The password, wherever it is asked for.
    Password,
    /// The six digits that confirm an address.
    Confirmation,
    /// The code of an authenticator app, or a recovery code.
    SecondFactor,
    /// The code that was sent to reset a password.
    Code,
}

impl Door {
    const fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Confirmation => "confirmation",
            Self::SecondFactor => "second factor",
            Self::Code => "code",
        }
    }
}

/// What is counted in an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Volume {
    /// New accounts of an address.
    SignUps,
    /// Mails to one account or one recipient.
    MailsToAccount,
    /// Mails that requests of one address cause.
    MailsFromAddress,
}

impl Volume {
    const WINDOW: Duration = Duration::from_secs(60 * 60);

    const fn name(self) -> &'static str {
        match self {
            Self::SignUps => "sign-ups",
            Self::MailsToAccount => "mails to account",
            Self::MailsFromAddress => "mails from address",
        }
    }

    const fn limit(self) -> i64 {
        match self {
            Self::SignUps => 60,
            Self::MailsToAccount => 5,
            Self::MailsFromAddress => 30,
        }
    }

    /// Whether it is counted for an address, which may stand for everybody behind a
    /// proxy that Byline does not know.
    const fn is_of_address(self) -> bool {
        matches!(self, Self::SignUps | Self::MailsFromAddress)
    }
}

/// The lanes of this process: what is being checked for whom.
#[derive(Debug)]
pub struct Lanes {
    lanes: Mutex<HashMap<[u8; 32], Weak<Lane>>>,
    refused: Semaphore,
}

#[derive(Debug)]
struct Lane {
    running: Arc<Semaphore>,
    waiting: Semaphore,
}

/// A count, by its key in the database.
#[derive(Clone, Copy, Debug)]
struct Counter {
    key: [u8; 32],
    limit: Limit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Limit {
    /// Growing pauses.
    OfAccount,
    /// A number in a time.
    Window { most: i64, window: Duration },
    /// It is read, so that the time does not show who is known, and limits nothing.
    Nothing,
}

/// A guess that is counted. What is dropped stays counted as a failure.
#[derive(Debug)]
#[must_use = "a guess that was right has to be told"]
pub struct Attempt {
    counters: Vec<Counter>,
    priority: Priority,
    _places: Vec<Place>,
}

/// A place in a lane, given back when this is dropped.
#[derive(Debug)]
struct Place {
    _lane: Arc<Lane>,
    _permit: OwnedSemaphorePermit,
}

/// Begins a guess at `door` for `account`: the canonical name that was typed, or the
/// id of a person who is known.
///
/// # Errors
/// [`AppError::TooMany`] beyond a limit; [`AppError::Busy`] when too many guesses
/// are being checked for the same account or address.
pub async fn begin(
    site: &Site,
    door: Door,
    account: &str,
    source: &RequestSource,
) -> Result<Attempt, AppError> {
    let outcome = admit(site, door, account, source).await;
    if matches!(outcome, Err(AppError::TooMany { .. } | AppError::Busy { .. })) {
        let lanes: &Lanes = site.part();
        if let Ok(_place) = lanes.refused.try_acquire() {
            tokio::time::sleep(REFUSED_PAUSE).await;
        }
    }
    outcome
}

async fn admit(site: &Site, door: Door, account: &str, source: &RequestSource) -> Result<Attempt, AppError> {
    let secret = site.secret().await?;
    let known = devices::known(&mut site.database.read().await?, secret, account, source).await?;
    let priority = if known.is_some() { Priority::Known } else { Priority::Unknown };
    if door == Door::Password {
        site.hasher().must_have_room(priority)?;
    }
    let counters = counters(secret, door, account, source, known);
    let lanes: &Lanes = site.part();
    let mut places = Vec::new();
    for counter in &counters {
        let at_once = if counter.limit == Limit::OfAccount { 1 } else { AT_ONCE };
        places.push(lanes.place(counter.key, at_once).await?);
    }
    // Most guesses of an attack end here, and write nothing.
    let mut rows = Vec::new();
    {
        let db = &mut site.database.read().await?;
        for counter in &counters {
            rows.push(counter.row(db).await?);
        }
    }
    for (counter, row) in counters.iter().zip(rows) {
        counter.check(row, clock::now())?;
    }
    site.database
        .write(counters.clone(), |db, counters| Box::pin(async move { count_all(db, &counters).await }))
        .await?;
    Ok(Attempt { counters, priority, _places: places })
}

/// Counts one of `volume` for `key`, or for the address of the request.
///
/// # Errors
/// [`AppError::TooMany`] beyond the limit.
pub async fn count(site: &Site, volume: Volume, key: &str, source: &RequestSource) -> Result<(), AppError> {
    let subject = match (volume.is_of_address(), source.address) {
        (false, _) => key.to_owned(),
        // Everybody, behind a proxy that is not configured.
        (true, Some(address)) if !address.is_loopback() => network(address).to_string(),
        (true, _) => return Ok(()),
    };
    let key = site.secret().await?.seal("volume", &[volume.name().as_bytes(), subject.as_bytes()]);
    let limit = Limit::Window { most: volume.limit(), window: Volume::WINDOW };
    site.database
        .write(vec![Counter { key, limit }], |db, counters| {
            Box::pin(async move { count_all(db, &counters).await })
        })
        .await
}

fn counters(
    secret: &Secret,
    door: Door,
    account: &str,
    source: &RequestSource,
    known: Option<[u8; 32]>,
) -> Vec<Counter> {
    let of_account = |of: &[u8]| Counter {
        key: secret.seal("attempts of account", &[door.name().as_bytes(), account.as_bytes(), of]),
        limit: Limit::OfAccount,
    };
    let of_address = |address: IpAddr, limit: Limit| Counter {
        key: secret.seal("attempts of address", &[network(address).to_string().as_bytes()]),
        limit,
    };
    let (account, limit) = match known {
        // It has a count of its own, which no stranger can raise. Neighbours at the same
        // address can, and then it grows as slowly as that of an account.
        Some(device) => (of_account(&device), Limit::Nothing),
        None => (of_account(b""), Limit::Window { most: ADDRESS_FAILURES, window: ADDRESS_WINDOW }),
    };
    std::iter::once(account).chain(source.address.map(|address| of_address(address, limit))).collect()
}

impl Attempt {
    /// Whether the check may go before those of strangers.
    #[must_use]
    pub const fn priority(&self) -> Priority {
        self.priority
    }

    /// The guess was right: the account's failures are forgotten, and this one was
    /// none.
    pub async fn succeed(self, site: &Site) -> Result<(), AppError> {
        self.take_back(site, true).await
    }

    /// The guess was not checked.
    pub async fn undo(self, site: &Site) -> Result<(), AppError> {
        self.take_back(site, false).await
    }

    async fn take_back(self, site: &Site, was_right: bool) -> Result<(), AppError> {
        site.database
            .write((self.counters.clone(), was_right), |db, (counters, was_right)| {
                Box::pin(async move {
                    for counter in counters {
                        let forget = was_right && counter.limit == Limit::OfAccount;
                        counter.take_back(db, forget).await?;
                    }
                    Ok(())
                })
            })
            .await
    }
}

/// A stored count.
#[derive(Clone, Copy, Debug, Default, sqlx::FromRow)]
struct Row {
    count: i64,
    since: i64,
    last_at: i64,
    blocked_until: i64,
}

async fn count_all(db: &mut Db, counters: &[Counter]) -> Result<(), AppError> {
    let now = clock::now();
    for counter in counters {
        let row = counter.check(counter.row(db).await?, now)?;
        if counter.limit != Limit::Nothing {
            counter.store(db, counter.raise(row, now)).await?;
        }
    }
    Ok(())
}

impl Counter {
    async fn row(&self, db: &mut Db) -> Result<Row, AppError> {
        let row: Option<Row> = on_engine!(db => sqlx::query_as(
                "SELECT count, since, last_at, blocked_until FROM attempts WHERE key = $1",
            )
            .bind(self.key.as_slice())
            .fetch_optional(db)
            .await?);
        Ok(row.unwrap_or_default())
    }

    /// The count without what is too old.
    ///
    /// # Errors
    /// [`AppError::TooMany`] if the limit is reached.
    fn check(&self, row: Row, now: Timestamp) -> Result<Row, AppError> {
        let (is_old, until) = match self.limit {
            Limit::OfAccount => (row.last_at <= now.before(FORGOTTEN_AFTER).micros(), row.blocked_until),
            Limit::Nothing => (false, 0),
            Limit::Window { most, window } => {
                let ends = Timestamp::from_micros(row.since).after(window).micros();
                (ends <= now.micros(), if row.count >= most { ends } else { 0 })
            }
        };
        if is_old {
            return Ok(Row::default());
        }
        match until - now.micros() {
            ..=0 => Ok(row),
            wait => Err(AppError::TooMany { retry_after: seconds(wait) }),
        }
    }

    fn raise(&self, row: Row, now: Timestamp) -> Row {
        let count = row.count + 1;
        let since = if row.count == 0 { now.micros() } else { row.since };
        let blocked_until = match self.limit {
            Limit::OfAccount => now.after(pause(count)).micros(),
            Limit::Window { .. } | Limit::Nothing => 0,
        };
        Row { count, since, last_at: now.micros(), blocked_until }
    }

    async fn store(&self, db: &mut Db, row: Row) -> Result<(), AppError> {
        execute!(db => sqlx::query(
                "INSERT INTO attempts (key, count, since, last_at, blocked_until) VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (key) DO UPDATE SET count = $2, since = $3, last_at = $4, blocked_until = $5",
            )
            .bind(self.key.as_slice())
            .bind(row.count)
            .bind(row.since)
            .bind(row.last_at)
            .bind(row.blocked_until))?;
        Ok(())
    }

    async fn take_back(&self, db: &mut Db, forget: bool) -> Result<(), AppError> {
        if self.limit == Limit::Nothing {
            return Ok(());
        }
        let statement = if forget {
            "DELETE FROM attempts WHERE key = $1"
        } else {
            "UPDATE attempts SET count = count - 1, blocked_until = 0 WHERE key = $1 AND count > 0"
        };
        execute!(db => sqlx::query(statement).bind(self.key.as_slice()))?;
        Ok(())
    }
}

/// How long an account is closed after that many failures.
fn pause(failures: i64) -> Duration {
    match failures - FREE_FAILURES {
        ..0 => Duration::ZERO,
        over => {
            let doubled = u32::try_from(over).ok().and_then(|over| 1_u64.checked_shl(over.min(63)));
            Duration::from_secs(doubled.unwrap_or(u64::MAX)).min(LONGEST_PAUSE)
        }
    }
}

/// Rounded up, so that a client that waits so long is not refused again.
fn seconds(micros: i64) -> u32 {
    u32::try_from(micros.max(0).unsigned_abs().div_ceil(1_000_000)).unwrap_or(u32::MAX)
}

impl Default for Lanes {
    fn default() -> Self {
        Self { lanes: Mutex::default(), refused: Semaphore::new(REFUSED_WAITING) }
    }
}

impl Lanes {
    /// Waits for a place.
    async fn place(&self, key: [u8; 32], at_once: usize) -> Result<Place, AppError> {
        let lane = self.lane(key, at_once);
        let busy = || AppError::Busy { retry_after: 2 };
        let waiting = lane.waiting.try_acquire().map_err(|_| busy())?;
        let permit = tokio::time::timeout(MAX_WAIT, Arc::clone(&lane.running).acquire_owned())
            .await
            .map_err(|_| busy())?
            .map_err(internal)?;
        drop(waiting);
        Ok(Place { _lane: lane, _permit: permit })
    }

    fn lane(&self, key: [u8; 32], at_once: usize) -> Arc<Lane> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lane) = lanes.get(&key).and_then(Weak::upgrade) {
            return lane;
        }
        if lanes.len() >= REMEMBERED {
            lanes.retain(|_, lane| lane.strong_count() > 0);
        }
        let lane =
            Arc::new(Lane { running: Arc::new(Semaphore::new(at_once)), waiting: Semaphore::new(WAITING) });
        lanes.insert(key, Arc::downgrade(&lane));
        lane
    }
}

/// Removes counts that no longer limit anything.
pub async fn forget_old(db: &mut Db) -> Result<(), AppError> {
    execute!(db => sqlx::query("DELETE FROM attempts WHERE last_at <= $1")
        .bind(clock::before(FORGOTTEN_AFTER).micros()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_from_the_fifth_failure_on_up_to_fifteen_minutes() {
        let pauses: Vec<_> = (1..=16).map(|failures| pause(failures).as_secs()).collect();
        assert_eq!(pauses, [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
        assert_eq!(pause(i64::MAX), LONGEST_PAUSE);
    }

    #[test]
    fn a_window_ends_and_an_account_is_forgotten_after_a_day() {
        let start = Timestamp::from_micros(1_700_000_000_000_000);
        let at = |seconds| start.after(Duration::from_secs(seconds));
        let address =
            Counter { key: [0; 32], limit: Limit::Window { most: ADDRESS_FAILURES, window: ADDRESS_WINDOW } };
        let mut row = Row::default();
        for second in 0..10 {
            row = address.raise(address.check(row, at(second)).unwrap(), at(second));
        }
        assert_eq!(address.check(row, at(60)).unwrap_err(), AppError::TooMany { retry_after: 120 });
        assert_eq!(address.check(row, at(180)).unwrap().count, 0);
        let account = Counter { key: [0; 32], limit: Limit::OfAccount };
        let row = (0..6).fold(Row::default(), |row, _| account.raise(row, start));
        assert_eq!(account.check(row, start).unwrap_err(), AppError::TooMany { retry_after: 2 });
        assert_eq!(account.check(row, at(2)).unwrap().count, 6);
        assert_eq!(account.check(row, at(24 * 60 * 60)).unwrap().count, 0);
    }
}
