//! What one picture may cost.

use std::time::{Duration, Instant};

/// Bytes of an uploaded file at most.
pub const MAX_BYTES: usize = 10 * 1024 * 1024;
/// Pixels of a picture at most; the frames of one that moves are added up.
pub(super) const MAX_PIXELS: u64 = 50_000_000;
/// Bytes that a reader may take for the pixels of a picture.
pub(super) const MAX_MEMORY: u64 = 256 * 1024 * 1024;
/// Bytes of one file that is made of it.
pub const MAX_MADE: usize = 2 * MAX_BYTES;
/// The longest time for one picture, by the clock.
const BUDGET: Duration = Duration::from_secs(30);

/// When a picture must be done.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock(Instant);

impl Clock {
    /// From now on.
    pub(super) fn start() -> Self {
        Self(Instant::now() + BUDGET)
    }

    /// The time until then.
    pub(super) fn left(&self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Between two steps.
    pub(super) fn check(&self) -> Result<(), TooLate> {
        if Instant::now() < self.0 { Ok(()) } else { Err(TooLate) }
    }
}

/// The time for a picture is over.
#[derive(Clone, Copy, Debug)]
pub(super) struct TooLate;
