//! Panics become answers.
//!
//! Not tower-http's `CatchPanicLayer` (read at 0.6.11): its handler sees the
//! panic and not the request, so it cannot know whether a page or JSON is
//! wanted, and it puts the body of every answer into two more boxes.

use std::panic::AssertUnwindSafe;

use axum::response::Response;
use futures::FutureExt;

use crate::error::AppError;

/// Returns the answer, or an error if making it panicked (security row L3). The
/// panic is logged already; see [`crate::telemetry::start`].
///
/// # Errors
/// [`AppError::Internal`] after a panic.
pub(super) async fn catch_panic(answer: impl Future<Output = Response>) -> Result<Response, AppError> {
    // Nothing is left half done: what a request changes is in a transaction,
    // and what requests share is behind locks that are taken after a panic too.
    AssertUnwindSafe(answer).catch_unwind().await.map_err(|_| AppError::Internal)
}
