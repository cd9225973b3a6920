//! Keys and tokens that were just verified are trusted without another query to
//! the database, as long as this process would learn that one of them has ended
//! (security row K2).
//!
//! [`Trust`] is a number that rises whenever any credential of the site ends or
//! changes. [`Verified`] stores what was verified with the number that was read
//! *before* the query. So an answer that was under way while a credential ended is
//! never trusted, and nothing has to be removed.
//!
//! The number rises
//! - in the process that ends a credential, after the commit and before any
//!   answer ([`Trust::forgetting`]);
//! - in all other processes by triggers of the database, whatever program made the
//!   change. On PostgreSQL the triggers notify ([`Trust::forget`]); while the
//!   connection that listens is lost, nothing is trusted. On SQLite only commands
//!   write beside the serving process, and the triggers count. The count is read
//!   before something is trusted, if the last read is older than [`POLL_INTERVAL`]. So an
//!   idle site asks nothing for this.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use moka::future::Cache;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;

use crate::{
    clock,
    database::{Database, Db, Engine, on_engine},
    error::AppError,
    site::Site,
    timestamp::Timestamp,
};

/// Where PostgreSQL tells that a credential has ended or changed; the triggers of
/// `migrations/postgres` have the same name.
pub const CHANNEL: &str = "byline_credentials";
/// After this time the count is read again. While one request reads it, others
/// use the last value for as long again, and no longer.
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// Credentials of a kind that are kept: some 5 MB of tokens.
const KEPT: u64 = 10_000;
/// Nothing is trusted for longer without a query, whatever the counters say.
const KEPT_FOR: Duration = Duration::from_secs(10 * 60);

/// Whether credentials that this process has verified are still valid.
#[derive(Debug)]
pub struct Trust {
    changes: Arc<AtomicU64>,
    other_processes: OtherProcesses,
}

/// How a process learns of credentials that other processes ended.
#[derive(Debug)]
enum OtherProcesses {
    /// The database notifies it; true while the listening connection is open.
    Notify(AtomicBool),
    /// It reads the count of changes in the database.
    Poll(ChangeCount),
}

#[derive(Debug)]
struct ChangeCount {
    /// The count that was seen last.
    seen: Mutex<Option<i64>>,
    since: Instant,
    /// When the last look began that found a count: microseconds after `since`;
    /// 0 before the first.
    newest: AtomicU64,
    /// Finished reads of the count, with any result.
    finished: AtomicU64,
}

impl Site {
    /// Whether credentials that this process has verified are still valid.
    #[must_use]
    pub fn trust(&self) -> &Trust {
        self.part()
    }
}

impl Trust {
    #[must_use]
    pub fn new(engine: Engine) -> Self {
        let other_processes = match engine {
            Engine::Postgres => OtherProcesses::Notify(AtomicBool::new(false)),
            Engine::Sqlite => OtherProcesses::Poll(ChangeCount {
                seen: Mutex::new(None),
                since: Instant::now(),
                newest: AtomicU64::new(0),
                finished: AtomicU64::new(0),
            }),
        };
        Self { changes: Arc::default(), other_processes }
    }

    /// A credential has ended or changed: everything is verified again.
    pub fn forget(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
    }

    /// [`Self::forget`], for [`Database::write_then`]: right after the commit
    /// that ends a credential, before any answer.
    pub fn forgetting<T>(&self) -> impl FnOnce(&T) + Send + 'static {
        let changes = Arc::clone(&self.changes);
        move |_| {
            changes.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// From now on the database tells of every change; before, some may have been
    /// missed.
    pub fn follow(&self) {
        self.forget();
        if let OtherProcesses::Notify(is_connected) = &self.other_processes {
            is_connected.store(true, Ordering::Release);
        }
    }

    /// From now on changes may be missed, so nothing is trusted.
    pub fn lose(&self) {
        if let OtherProcesses::Notify(is_connected) = &self.other_processes {
            is_connected.store(false, Ordering::Release);
        }
    }

    /// The number of changes that this process knows. Read it before the
    /// database is asked about a credential. `None` while changes may be
    /// missed.
    #[must_use]
    pub fn known(&self) -> Option<u64> {
        let may_miss = matches!(&self.other_processes, OtherProcesses::Notify(is_connected) if !is_connected.load(Ordering::Acquire));
        (!may_miss).then(|| self.changes.load(Ordering::Acquire))
    }

    /// [`Self::known`], when nothing has happened elsewhere that is not counted.
    pub async fn current(&self, database: &Database) -> Option<u64> {
        if let OtherProcesses::Poll(count) = &self.other_processes
            && !count.is_recent(|| self.forget(), database).await
        {
            return None;
        }
        self.known()
    }
}

impl ChangeCount {
    /// Reads the count if it is time to. Requests that arrive meanwhile share
    /// the result, so nobody waits for more than one read.
    async fn is_recent(&self, forget: impl Fn(), database: &Database) -> bool {
        let is_younger_than = |age| self.age().is_some_and(|found| found < age);
        if is_younger_than(POLL_INTERVAL) {
            return true;
        }
        let finished = self.finished.load(Ordering::Acquire);
        let mut seen = match self.seen.try_lock() {
            Ok(seen) => seen,
            Err(_) if is_younger_than(2 * POLL_INTERVAL) => return true,
            Err(_) => self.seen.lock().await,
        };
        if self.finished.load(Ordering::Acquire) != finished {
            return is_younger_than(2 * POLL_INTERVAL);
        }
        let began = self.since.elapsed();
        let counted = count(database).await;
        if let Ok(count) = counted {
            if *seen != Some(count) {
                forget();
                *seen = Some(count);
            }
            let began = u64::try_from(began.as_micros()).unwrap_or(u64::MAX);
            self.newest.store(began.max(1), Ordering::Release);
        }
        self.finished.fetch_add(1, Ordering::AcqRel);
        counted.is_ok()
    }

    fn age(&self) -> Option<Duration> {
        match self.newest.load(Ordering::Acquire) {
            0 => None,
            newest => Some(self.since.elapsed().saturating_sub(Duration::from_micros(newest))),
        }
    }
}

async fn count(database: &Database) -> Result<i64, AppError> {
    let db: &mut Db = &mut database.read().await?;
    Ok(on_engine!(db => sqlx::query_scalar("SELECT count FROM credential_changes").fetch_one(db).await?))
}

/// Verified credentials, by their SHA-256, so that the memory of a process
/// reveals none. Invalid ones are never kept, so guessing fills no memory and
/// costs as much as before. The digests are compared in ordinary time: it
/// depends only on digests, which nobody can choose.
pub struct Verified<T> {
    kept: Cache<[u8; 32], Arc<Kept<T>>>,
}

struct Kept<T> {
    as_of: u64,
    until: Timestamp,
    verified: T,
}

/// Names a credential in a [`Verified`].
#[derive(Clone, Copy)]
pub struct Name([u8; 32]);

impl Name {
    #[must_use]
    pub fn of(credential: &SecretString) -> Self {
        Self(Sha256::digest(credential.expose_secret()).into())
    }
}

impl<T> Default for Verified<T>
where
    T: Send + Sync + 'static,
{
    fn default() -> Self {
        Self { kept: Cache::builder().max_capacity(KEPT).time_to_live(KEPT_FOR).build() }
    }
}

impl<T> Verified<T>
where
    T: Send + Sync + 'static,
{
    /// Returns what `take` makes of a verified credential, if it is still
    /// valid.
    pub async fn recall<U>(&self, name: Name, site: &Site, take: impl FnOnce(&T) -> U) -> Option<U> {
        let kept = self.kept.get(&name.0).await?;
        let holds =
            site.trust().current(&site.database).await == Some(kept.as_of) && clock::now() < kept.until;
        holds.then(|| take(&kept.verified))
    }

    /// Keeps what the database answered. `as_of` is [`Trust::known`] from
    /// before the query.
    pub async fn keep(&self, name: Name, as_of: Option<u64>, until: Timestamp, verified: T) {
        if let Some(as_of) = as_of {
            self.kept.insert(name.0, Arc::new(Kept { as_of, until, verified })).await;
        }
    }
}

impl<T> fmt::Debug for Verified<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verified")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_known_before_the_database_tells_of_changes_and_while_it_does_not() {
        let trust = Trust::new(Engine::Postgres);
        assert_eq!(trust.known(), None);
        trust.follow();
        let before = trust.known();
        assert!(before.is_some());
        trust.lose();
        assert_eq!(trust.known(), None);
        trust.follow();
        assert!(trust.known() > before, "what was missed is counted");
    }

    #[test]
    fn an_end_is_counted_by_whoever_ends_and_by_whoever_hears_of_it() {
        let trust = Trust::new(Engine::Sqlite);
        let before = trust.known();
        trust.forget();
        let heard = trust.known();
        trust.forgetting()(&());
        assert!(before < heard && heard < trust.known());
    }
}
