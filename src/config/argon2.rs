//! The cost of a password hash (security row P1).

use std::fmt;

use argon2::{Params, password_hash::phc::PasswordHash};

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
    /// Memory times passes, in KiB. A core works through about a GiB a second,
    /// and an answer has 15 seconds.
    pub const MOST_WORK: u64 = 8 * 1024 * 1024;

    /// From a hash, or from the part before its salt
    /// ([`Display`](fmt::Display)).
    #[must_use]
    pub fn parse(hash: &str) -> Option<Self> {
        let hash = PasswordHash::new(hash).ok()?;
        let params = Params::try_from(&hash).ok()?;
        let ours = hash.algorithm.as_str() == "argon2id";
        ours.then(|| Self {
            memory: params.m_cost(),
            iterations: params.t_cost(),
            parallelism: params.p_cost(),
        })
    }
}

/// As a hash of that cost begins (the PHC string format).
impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "$argon2id$v=19$m={},t={},p={}", self.memory, self.iterations, self.parallelism)
    }
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
    /// One hash would take longer than an answer may.
    #[error("argon2 with memory {0} KiB and iterations {1} takes longer than an answer may: \
             memory times iterations can be {most} at most", most = Cost::MOST_WORK)]
    AboveCeiling(u32, u32),
    /// Out of argon2's own bounds.
    #[error("argon2 does not accept these parameters: {0}")]
    Refused(String),
}
