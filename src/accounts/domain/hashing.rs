//! Password hashing, with its own queue (security rows P1 to P3, P5).

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use base64::{Engine as _, prelude::BASE64_STANDARD_NO_PAD};
use sha2::{Digest, Sha256};
use tokio::sync::{Semaphore, TryAcquireError};

use super::{NewPassword, Password, hash_threads::HashThreads};
use crate::{
    config::{Cost, CostError},
    database::internal,
    error::AppError,
    site::Site,
};

/// Characters of a hash behind its cost: salt and output, 16 and 32 bytes in
/// base64 without padding, and a `$` before each.
pub const HASH_CHARS: i32 = 1 + 22 + 1 + 43;

/// Tells later whether a stored hash, and so its password, is still the same: its
/// SHA-256, so that who reads it has no hash to guess at.
#[must_use]
pub(super) fn fingerprint(hash: &str) -> [u8; 32] {
    Sha256::digest(hash).into()
}

impl Site {
    #[must_use]
    pub fn hasher(&self) -> &Hasher {
        self.part()
    }
}

/// Hashes and verifies, a few at a time, never on the threads that serve readers.
#[derive(Clone)]
pub struct Hasher {
    argon2: Argon2<'static>,
    cost: Cost,
    /// Salt and output of no password; with a cost before them they are
    /// verified for unknown users, so that they take as long.
    nobodys: Arc<str>,
    threads: HashThreads,
    running: Arc<Semaphore>,
    known: Arc<Semaphore>,
    unknown: Arc<Semaphore>,
    /// One of the unknown at a time waits for its turn among the known.
    next_unknown: Arc<Semaphore>,
    at_once: usize,
    refused: Arc<AtomicU64>,
}

/// How busy the hashing is, for whoever watches the site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashingLoad {
    /// Hashes that are computed now.
    pub running: usize,
    /// The most that are computed at once.
    pub at_once: usize,
    /// Those that wait for it.
    pub waiting: usize,
    /// Those that were sent away since the start of the process, because too many waited.
    pub refused: u64,
}

/// Whose hashing goes first. Strangers who guess by the hundred, from as many
/// addresses, delay each other, and a person whose browser is known by one hash at
/// most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// Somebody who has logged in to the account from there before.
    Known,
    Unknown,
}

/// What a verification found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verified {
    /// Wrong password, or nobody of that name.
    No,
    /// Right, and its hash has today's cost.
    Yes,
    /// Right, but stored at another cost, or as it was typed and not in its
    /// normal form: hash it again.
    YesOutdated,
}

impl Hasher {
    /// Requests of each priority that may wait, those at work not counted.
    const QUEUE: usize = 32;
    /// Longest wait for a place.
    const MAX_WAIT: Duration = Duration::from_secs(2);

    /// Half the cores hash at once, one at least.
    ///
    /// # Errors
    /// [`CostError`] below the floor.
    pub fn new(cost: Cost) -> Result<Self, CostError> {
        let Cost { memory, iterations, parallelism } = Cost::FLOOR;
        if cost.memory < memory || cost.iterations < iterations || cost.parallelism < parallelism {
            return Err(CostError::BelowFloor);
        }
        if u64::from(cost.memory) * u64::from(cost.iterations) > Cost::MOST_WORK {
            return Err(CostError::AboveCeiling(cost.memory, cost.iterations));
        }
        let params = Params::new(cost.memory, cost.iterations, cost.parallelism, None)
            .map_err(|error| CostError::Refused(error.to_string()))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut random = [0; 48];
        getrandom::fill(&mut random).map_err(|error| CostError::Refused(error.to_string()))?;
        let [salt, output] = [&random[..16], &random[16..]].map(|part| BASE64_STANDARD_NO_PAD.encode(part));
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let at_once = (cores / 2).max(1);
        Ok(Self {
            argon2,
            cost,
            nobodys: format!("${salt}${output}").into(),
            threads: HashThreads::start(at_once).map_err(|error| CostError::Refused(error.to_string()))?,
            running: Arc::new(Semaphore::new(at_once)),
            known: Arc::new(Semaphore::new(Self::QUEUE)),
            unknown: Arc::new(Semaphore::new(Self::QUEUE)),
            next_unknown: Arc::new(Semaphore::new(1)),
            at_once,
            refused: Arc::default(),
        })
    }

    /// The PHC string of a new password.
    ///
    /// # Errors
    /// [`AppError::Busy`] when the queue is full or the wait too long.
    pub async fn hash(&self, password: NewPassword, priority: Priority) -> Result<String, AppError> {
        let argon2 = self.argon2.clone();
        self.run(priority, move || argon2.hash_password(password.as_bytes()).map(|hash| hash.to_string()))
            .await?
            .map_err(internal)
    }

    /// Whether the password is the one of `stored`. An unknown user (`None`) and
    /// a hash that cannot be read take as long as a hash of the cost `nobodys`,
    /// or of the current one.
    ///
    /// # Errors
    /// [`AppError::Busy`] when the queue is full or the wait too long.
    pub async fn verify(
        &self,
        password: Password,
        stored: Option<String>,
        nobodys: Option<Cost>,
        priority: Priority,
    ) -> Result<Verified, AppError> {
        let (argon2, current) = (self.argon2.clone(), self.cost);
        let nobodys = format!("{}{}", nobodys.unwrap_or(current), self.nobodys);
        self.run(priority, move || {
            let stored = stored.as_deref().filter(|stored| can_be_verified(stored));
            let hash = PasswordHash::new(stored.unwrap_or(&nobodys))?;
            // The parameters come from the hash, not from `argon2`.
            let is_right = |form: &[u8]| argon2.verify_password(form, &hash).is_ok();
            let right_form = password.forms().position(is_right);
            let is_current = stored.and_then(Cost::parse) == Some(current);
            Ok::<_, argon2::password_hash::phc::Error>(match right_form {
                Some(0) if is_current => Verified::Yes,
                Some(_) if stored.is_some() => Verified::YesOutdated,
                _ => Verified::No,
            })
        })
        .await?
        .map_err(internal)
    }

    /// Asked before a guess is counted, which could not be checked.
    ///
    /// # Errors
    /// [`AppError::Busy`] when the queue is full.
    pub(super) fn must_have_room(&self, priority: Priority) -> Result<(), AppError> {
        if self.queue(priority).available_permits() > 0 { Ok(()) } else { Err(self.refuse()) }
    }

    /// How busy it is now.
    #[must_use]
    pub fn load(&self) -> HashingLoad {
        let queues = [&self.known, &self.unknown];
        HashingLoad {
            running: self.at_once - self.running.available_permits(),
            at_once: self.at_once,
            waiting: queues.iter().map(|queue| Self::QUEUE - queue.available_permits()).sum(),
            refused: self.refused.load(Ordering::Relaxed),
        }
    }

    fn refuse(&self) -> AppError {
        self.refused.fetch_add(1, Ordering::Relaxed);
        busy()
    }

    fn queue(&self, priority: Priority) -> &Arc<Semaphore> {
        match priority {
            Priority::Known => &self.known,
            Priority::Unknown => &self.unknown,
        }
    }

    /// The permit travels into the closure: a request that is given up on
    /// keeps its place until its hashing is really over.
    ///
    /// # Errors
    /// [`AppError::Busy`] when the queue is full or the wait too long.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        priority: Priority,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, AppError> {
        let place = match self.queue(priority).clone().try_acquire_owned() {
            Ok(place) => place,
            Err(TryAcquireError::NoPermits) => return Err(self.refuse()),
            Err(error @ TryAcquireError::Closed) => return Err(internal(error)),
        };
        let turn = async {
            let _next = match priority {
                Priority::Known => None,
                Priority::Unknown => Some(self.next_unknown.acquire().await.map_err(internal)?),
            };
            self.running.clone().acquire_owned().await.map_err(internal)
        };
        let permit = tokio::time::timeout(Self::MAX_WAIT, turn).await.map_err(|_| self.refuse())??;
        drop(place);
        let work = move || {
            let _permit = permit;
            work()
        };
        self.threads.run(work).await
    }
}

const fn busy() -> AppError {
    AppError::Busy { retry_after: 2 }
}

/// Whether a stored text is a hash at all. Otherwise verifying it would fail at
/// once, and the time would tell.
fn can_be_verified(stored: &str) -> bool {
    Cost::parse(stored).is_some()
        && PasswordHash::new(stored).is_ok_and(|hash| hash.salt.is_some() && hash.hash.is_some())
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hasher").field("cost", &self.cost).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_below_the_floor_is_refused() {
        for cost in [
            Cost { memory: Cost::FLOOR.memory - 1, ..Cost::FLOOR },
            Cost { iterations: 1, ..Cost::FLOOR },
            Cost { parallelism: 0, ..Cost::FLOOR },
        ] {
            assert_eq!(Hasher::new(cost).err(), Some(CostError::BelowFloor), "{cost:?}");
        }
    }

    #[test]
    fn a_cost_that_no_answer_waits_for_is_refused() {
        for cost in [
            Cost { memory: u32::MAX, ..Cost::FLOOR },
            Cost { iterations: u32::MAX, ..Cost::FLOOR },
            Cost { memory: 4 * 1024 * 1024, iterations: 3, parallelism: 1 },
        ] {
            assert!(matches!(Hasher::new(cost).err(), Some(CostError::AboveCeiling(..))), "{cost:?}");
        }
        assert!(Hasher::new(Cost { memory: 2 * 1024 * 1024, iterations: 4, parallelism: 4 }).is_ok());
    }

    #[tokio::test]
    async fn what_nobody_has_is_a_hash_of_the_cost_that_was_asked_for() {
        let hasher = Hasher::new(Cost::FLOOR).unwrap();
        let hash = hasher
            .hash(NewPassword::parse("a password of ours", &[]).unwrap(), Priority::Unknown)
            .await
            .unwrap();
        let behind_the_cost = hash.len() - Cost::FLOOR.to_string().len();
        assert_eq!(i32::try_from(behind_the_cost), Ok(HASH_CHARS));
        assert_eq!(Cost::parse(&hash), Some(Cost::FLOOR));
        for cost in [Cost::FLOOR, Cost::DEFAULT] {
            let nobodys = format!("{cost}{}", hasher.nobodys);
            assert_eq!(
                (Cost::parse(&nobodys), nobodys.len()),
                (Some(cost), cost.to_string().len() + behind_the_cost)
            );
            assert!(can_be_verified(&nobodys));
        }
        for unreadable in ["", "!", "$argon2id$v=19$m=19456,t=2,p=1", "$2b$12$abcdefghijklmnopqrstuv"] {
            assert!(!can_be_verified(unreadable), "{unreadable}");
        }
    }

    #[tokio::test]
    async fn the_last_character_matters_and_the_cost_is_noticed() {
        let floor = Hasher::new(Cost::FLOOR).unwrap();
        let long = "x".repeat(127);
        let hash = floor
            .hash(NewPassword::parse(&format!("{long}a"), &[]).unwrap(), Priority::Unknown)
            .await
            .unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        let verify = async |hasher: &Hasher, raw: String, stored: Option<&String>| {
            hasher
                .verify(Password::parse(&raw).unwrap(), stored.cloned(), None, Priority::Unknown)
                .await
                .unwrap()
        };
        assert_eq!(verify(&floor, format!("{long}a"), Some(&hash)).await, Verified::Yes);
        assert_eq!(verify(&floor, format!("{long}b"), Some(&hash)).await, Verified::No);
        assert_eq!(verify(&floor, format!("{long}a"), None).await, Verified::No);
        let dearer = Hasher::new(Cost { iterations: 3, ..Cost::FLOOR }).unwrap();
        assert_eq!(verify(&dearer, format!("{long}a"), Some(&hash)).await, Verified::YesOutdated);
    }

    /// Hashes whatever is asked for at once on one thread, and says in which order.
    async fn order_of(asked: &[Priority]) -> Vec<Priority> {
        let hasher = Hasher::new(Cost::FLOOR).unwrap();
        let all = u32::try_from(hasher.running.available_permits()).unwrap();
        let mut held = hasher.running.clone().acquire_many_owned(all).await.unwrap();
        let done = Arc::new(std::sync::Mutex::new(Vec::new()));
        let mut waiting = Vec::new();
        for priority in asked.iter().copied() {
            let (hasher, done) = (hasher.clone(), done.clone());
            let note = move || done.lock().unwrap().push(priority);
            waiting.push(Box::pin(async move { hasher.run(priority, note).await }));
            // Until it waits, so that they wait in this order.
            assert!(futures::poll!(waiting.last_mut().unwrap()).is_pending());
        }
        // One at a time, however many cores there are.
        drop(held.split(1));
        futures::future::try_join_all(waiting).await.unwrap();
        let done = done.lock().unwrap();
        done.clone()
    }

    #[tokio::test]
    async fn a_known_browser_waits_for_one_stranger_at_most() {
        use Priority::{Known, Unknown};
        let order = order_of(&[Unknown, Unknown, Unknown, Unknown, Known, Known]).await;
        assert_eq!(order, [Unknown, Known, Known, Unknown, Unknown, Unknown]);
    }

    #[tokio::test]
    async fn who_finds_the_queue_full_is_told_at_once_and_others_are_not() {
        let hasher = Hasher::new(Cost::FLOOR).unwrap();
        let full = hasher.unknown.clone().acquire_many_owned(32).await.unwrap();
        assert_eq!(hasher.must_have_room(Priority::Unknown), Err(busy()));
        assert_eq!(hasher.run(Priority::Unknown, || ()).await, Err(busy()));
        let load = hasher.load();
        assert_eq!((load.running, load.waiting, load.refused), (0, 32, 2));
        assert_eq!(hasher.must_have_room(Priority::Known), Ok(()));
        assert_eq!(hasher.run(Priority::Known, || 7).await, Ok(7));
        drop(full);
        assert_eq!(hasher.run(Priority::Unknown, || 7).await, Ok(7));
    }

    #[tokio::test]
    async fn a_job_that_panics_ends_no_thread() {
        let hasher = Hasher::new(Cost::FLOOR).unwrap();
        for _ in 0..=hasher.running.available_permits() {
            let outcome = hasher.run(Priority::Known, || panic!("a fault")).await;
            assert_eq!(outcome, Err::<(), _>(AppError::Internal));
        }
        assert_eq!(hasher.run(Priority::Known, || 7).await, Ok(7));
    }
}
