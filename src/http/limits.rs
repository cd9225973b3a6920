//! Limits on what a client can use (security rows L1, L2 and L6).

use std::time::Duration;

use crate::error::AppError;

/// The largest body of calls about accounts, tokens or API keys.
pub const ACCOUNT_BODY: usize = 64 * 1024;
/// The body of anything that carries a post: 100,000 characters of four bytes
/// each, percent-encoded to three times that, and room for the other fields.
pub const POST_BODY: usize = 1280 * 1024;
/// The longest time for the head of a request; idle connections end after it too.
pub const HEAD_TIME: Duration = Duration::from_secs(10);
/// The longest time for the body of most requests.
const BODY_TIME: Duration = Duration::from_secs(30);
/// Bytes a second at which a large body may come: a phone that sends a photo.
const BODY_RATE: usize = 80_000;
/// The longest time until a client reads the next piece of an answer.
pub const WRITE_TIME: Duration = Duration::from_secs(30);
/// The longest time until an answer is made.
pub const ANSWER_TIME: Duration = Duration::from_secs(15);
/// The time that requests under way have after a signal to stop.
pub const DRAIN_TIME: Duration = Duration::from_secs(10);
/// The time that open connections have after a signal to stop, to bring the request that
/// their client may have sent already.
pub const LAST_REQUESTS: Duration = Duration::from_millis(250);
/// Open connections, where the system has as many descriptors.
const CONNECTIONS: usize = 4096;
/// Descriptors for the database, files and the log.
const OTHER_DESCRIPTORS: usize = 128;
/// Bytes of the head of a request; larger is 431 (RFC 6585 5). Room for a GraphQL
/// document in the query, percent-encoded.
pub const HEAD_BYTES: usize = 64 * 1024;
/// Idle connections that are closed at a time when there are no more descriptors.
pub const SHED_CONNECTIONS: usize = 64;
/// Requests under way; one more gets 503.
pub const REQUESTS: usize = 1024;

/// The longest time for a body of so many bytes at most.
#[must_use]
pub fn body_time(max_bytes: usize) -> Duration {
    BODY_TIME.max(Duration::from_secs((max_bytes / BODY_RATE) as u64))
}

/// Gives up on work that takes too long; the client may try again.
///
/// # Errors
///
/// [`AppError::Busy`] after [`ANSWER_TIME`].
pub async fn in_time<T>(work: impl Future<Output = Result<T, AppError>>) -> Result<T, AppError> {
    tokio::time::timeout(ANSWER_TIME, work).await.map_err(|_| AppError::Busy { retry_after: 5 })?
}

/// Raises the soft limit of descriptors to the hard one, and says how many
/// connections they are enough for.
#[must_use]
pub fn connections() -> usize {
    let descriptors = raise_descriptors().unwrap_or(usize::MAX);
    CONNECTIONS.min(descriptors.saturating_sub(OTHER_DESCRIPTORS).max(descriptors / 2))
}

/// The limit afterwards; `None` if there is none. The soft limit is 1,024 only
/// for programs that call `select` (`getrlimit(2)`).
#[cfg(unix)]
fn raise_descriptors() -> Option<usize> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    let holds = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => raised,
        Err(error) => {
            tracing::warn!(%error, "the limit of open files stays as it is");
            limit
        }
    };
    holds.current.map(|current| usize::try_from(current).unwrap_or(usize::MAX))
}

#[cfg(not(unix))]
const fn raise_descriptors() -> Option<usize> {
    None
}
