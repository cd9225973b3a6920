//! Limits on what a client can take up (security rows L1 and L2).

use std::time::Duration;

use axum::body::{Body, Bytes};
use futures::StreamExt;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::error::AppError;

/// The body of whatever is about accounts, tokens or API keys.
pub const ACCOUNT_BODY: usize = 64 * 1024;
/// The body of anything that carries a post: 100,000 characters of four bytes
/// each, percent-encoded to three times that, and room for the other fields.
pub const POST_BODY: usize = 1280 * 1024;
/// For the head of a request to arrive; idle connections end after it, too.
pub const HEAD_TIME: Duration = Duration::from_secs(10);
/// For the body of a request to arrive.
pub const BODY_TIME: Duration = Duration::from_secs(30);
/// For a client to take the next piece of an answer.
pub const WRITE_TIME: Duration = Duration::from_secs(30);
/// For an answer to be made.
pub const ANSWER_TIME: Duration = Duration::from_secs(15);
/// For requests under way to end when the process is told to.
pub const DRAIN_TIME: Duration = Duration::from_secs(10);
/// Open connections.
pub const CONNECTIONS: usize = 4096;
/// Requests under way; one more gets 503.
const REQUESTS: usize = 1024;

static REQUEST_PLACES: Semaphore = Semaphore::const_new(REQUESTS);

/// A place among the requests under way, if there is one.
#[must_use]
pub fn place() -> Option<SemaphorePermit<'static>> {
    REQUEST_PLACES.try_acquire().ok()
}

/// Reads a whole body, counting what arrives rather than what was announced.
///
/// # Errors
/// [`AppError::TooLarge`] over `max_bytes`, [`AppError::Timeout`] after
/// [`BODY_TIME`], [`AppError::BadRequest`] when the client hangs up.
pub async fn read_body(body: Body, max_bytes: usize) -> Result<Bytes, AppError> {
    let read = async {
        let mut whole = Vec::new();
        let mut chunks = body.into_data_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk =
                chunk.map_err(|_| AppError::BadRequest { reason: "the body is incomplete".into() })?;
            if whole.len() + chunk.len() > max_bytes {
                return Err(AppError::TooLarge { max_bytes });
            }
            whole.extend_from_slice(&chunk);
        }
        Ok(Bytes::from(whole))
    };
    tokio::time::timeout(BODY_TIME, read).await.map_err(|_| AppError::Timeout)?
}

/// Gives up on work that takes too long; the client may try again.
///
/// # Errors
/// [`AppError::Busy`] after [`ANSWER_TIME`], and those of `work`.
pub async fn in_time<T>(work: impl Future<Output = Result<T, AppError>>) -> Result<T, AppError> {
    tokio::time::timeout(ANSWER_TIME, work).await.map_err(|_| AppError::Busy { retry_after: 5 })?
}
