//! Password hashing in a lane of its own (security rows P1 to P3, P5).

use std::{sync::Arc, time::Duration};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tokio::sync::{Semaphore, TryAcquireError};

use super::{NewPassword, Password};
use crate::{error::AppError, server::database::internal};

/// The cost of one hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Memory in KiB.
    pub memory: u32,
    /// Passes over the memory.
    pub iterations: u32,
    /// Lanes.
    pub parallelism: u32,
}

impl Cost {
    /// The least that OWASP's password storage cheat sheet allows; Byline does
    /// not start below it.
    pub const FLOOR: Self = Self { memory: 19_456, iterations: 2, parallelism: 1 };
    /// RFC 9106, second recommended option, with one lane.
    pub const DEFAULT: Self = Self { memory: 65_536, iterations: 3, parallelism: 1 };
}

/// The cost is below [`Cost::FLOOR`] or no cost argon2 knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CostError {
    /// Weaker than the floor.
    #[error(
        "argon2 must be at least memory {} KiB, iterations {}, parallelism {}",
        Cost::FLOOR.memory, Cost::FLOOR.iterations, Cost::FLOOR.parallelism
    )]
    BelowFloor,
    /// Out of argon2's own bounds.
    #[error("argon2 does not accept these parameters: {0}")]
    Refused(String),
}

/// Hashes and verifies, a few at a time, never on the threads that serve readers.
#[derive(Clone)]
pub struct Hasher {
    argon2: Argon2<'static>,
    params: Params,
    /// Verified for unknown users, so that they take as long.
    dummy: Arc<str>,
    running: Arc<Semaphore>,
    queued: Arc<Semaphore>,
}

/// What a verification found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verified {
    /// Wrong password, or nobody of that name.
    No,
    /// Right, by the current parameters.
    Yes,
    /// Right, by other parameters: hash it again.
    YesByOtherCost,
}

impl Hasher {
    /// May wait at once, running ones not counted.
    const QUEUE: usize = 32;
    /// Longest wait for a place.
    const PATIENCE: Duration = Duration::from_secs(2);

    /// Half the cores hash at once, one at least.
    ///
    /// # Errors
    /// [`CostError`] below the floor.
    pub fn new(cost: Cost) -> Result<Self, CostError> {
        let Cost { memory, iterations, parallelism } = Cost::FLOOR;
        if cost.memory < memory || cost.iterations < iterations || cost.parallelism < parallelism {
            return Err(CostError::BelowFloor);
        }
        let params = Params::new(cost.memory, cost.iterations, cost.parallelism, None)
            .map_err(|error| CostError::Refused(error.to_string()))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
        let dummy = argon2
            .hash_password(uuid::Uuid::new_v4().as_bytes())
            .map_err(|error| CostError::Refused(error.to_string()))?
            .to_string();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            argon2,
            params,
            dummy: dummy.into(),
            running: Arc::new(Semaphore::new((cores / 2).max(1))),
            queued: Arc::new(Semaphore::new(Self::QUEUE)),
        })
    }

    /// The PHC string of a new password.
    ///
    /// # Errors
    /// [`AppError::Busy`] when the queue is full or the wait too long.
    pub async fn hash(&self, password: NewPassword) -> Result<String, AppError> {
        let argon2 = self.argon2.clone();
        self.run(move || argon2.hash_password(password.as_bytes()).map(|hash| hash.to_string()))
            .await?
            .map_err(internal)
    }

    /// Whether the password is the one of `stored`; `None` stands for an
    /// unknown user and takes as long.
    ///
    /// # Errors
    /// [`AppError::Busy`] when the queue is full or the wait too long.
    pub async fn verify(&self, password: Password, stored: Option<String>) -> Result<Verified, AppError> {
        let (argon2, params, dummy) = (self.argon2.clone(), self.params.clone(), self.dummy.clone());
        self.run(move || {
            let hash = PasswordHash::new(stored.as_deref().unwrap_or(&dummy))?;
            // The parameters come from the hash, not from `argon2`.
            if argon2.verify_password(password.as_bytes(), &hash).is_err() || stored.is_none() {
                return Ok(Verified::No);
            }
            let same = Params::try_from(&hash).is_ok_and(|used| {
                (used.m_cost(), used.t_cost(), used.p_cost())
                    == (params.m_cost(), params.t_cost(), params.p_cost())
            });
            Ok::<_, argon2::password_hash::phc::Error>(if same {
                Verified::Yes
            } else {
                Verified::YesByOtherCost
            })
        })
        .await?
        .map_err(internal)
    }

    /// The permit travels into the closure: a request that is given up on
    /// keeps its place until its hashing is really over.
    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, AppError> {
        let busy = || AppError::Busy { retry_after: 2 };
        let place = match self.queued.clone().try_acquire_owned() {
            Ok(place) => place,
            Err(TryAcquireError::NoPermits) => return Err(busy()),
            Err(error @ TryAcquireError::Closed) => return Err(internal(error)),
        };
        let permit = tokio::time::timeout(Self::PATIENCE, self.running.clone().acquire_owned())
            .await
            .map_err(|_| busy())?
            .map_err(internal)?;
        drop(place);
        tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work()
        })
        .await
        .map_err(internal)
    }
}

impl std::fmt::Debug for Hasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hasher").field("params", &self.params).finish_non_exhaustive()
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

    #[tokio::test]
    async fn the_last_character_matters_and_the_cost_is_noticed() {
        let floor = Hasher::new(Cost::FLOOR).unwrap();
        let long = "x".repeat(127);
        let hash = floor.hash(NewPassword::parse(&format!("{long}a"), &[]).unwrap()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        let verify = async |hasher: &Hasher, raw: String, stored: Option<&String>| {
            hasher.verify(Password::parse(&raw).unwrap(), stored.cloned()).await.unwrap()
        };
        assert_eq!(verify(&floor, format!("{long}a"), Some(&hash)).await, Verified::Yes);
        assert_eq!(verify(&floor, format!("{long}b"), Some(&hash)).await, Verified::No);
        assert_eq!(verify(&floor, format!("{long}a"), None).await, Verified::No);
        let dearer = Hasher::new(Cost { iterations: 3, ..Cost::FLOOR }).unwrap();
        assert_eq!(verify(&dearer, format!("{long}a"), Some(&hash)).await, Verified::YesByOtherCost);
    }
}
