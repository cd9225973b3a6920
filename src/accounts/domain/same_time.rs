//! Answers whose time must not show what was found.

use std::time::Duration;

use tokio::time::Instant;

/// Longer than the work takes on a quiet machine: two indexed statements and a commit.
pub(super) const FLOOR: Duration = Duration::from_millis(25);

/// Does the work, and waits until `floor` is over. The work is alike for a person and
/// for nobody, but not to the microsecond: a foreign key is checked, a row is read. Over
/// many requests that could be measured. Nobody waits longer for work that takes longer.
pub(super) async fn no_sooner_than<T>(floor: Duration, work: impl Future<Output = T>) -> T {
    let ends = Instant::now() + floor;
    let done = work.await;
    tokio::time::sleep_until(ends).await;
    done
}
