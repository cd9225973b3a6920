//! Answers that clients have not read yet (security row L7).

use std::{net::IpAddr, sync::Arc};

use axum::{
    body::{Body, Bytes, HttpBody, to_bytes},
    response::Response,
};

use super::{
    connections::Connection,
    fair_pool::{Eviction, FairPool, Reservation},
};
use crate::error::AppError;

/// Bytes of answers in memory that clients have not taken yet.
const ALL_ANSWERS: usize = 64 * 1024 * 1024;
/// Bytes of an answer that is not counted: so much every connection may have.
const SMALL: u64 = 16 * 1024;

/// Memory for answers that clients have yet to take.
#[derive(Debug)]
pub struct Pool(Arc<FairPool>);

impl Default for Pool {
    fn default() -> Self {
        Self(Arc::new(FairPool::new(ALL_ANSWERS)))
    }
}

/// Marks an answer whose bytes are shared by all clients.
#[derive(Clone, Copy, Debug)]
pub struct Shared;

/// Counts an answer until its last byte is read. If there is no room,
/// connections of clients that read nothing are closed.
///
/// # Errors
///
/// [`AppError::Busy`] in place of the answer, when there is still no room.
pub async fn hold(
    Pool(pool): &Pool,
    response: Response,
    client: Option<IpAddr>,
    connection: Option<&Arc<Connection>>,
) -> Result<Response, AppError> {
    // A stream has no known size; its handler makes it piece by piece.
    let size = response.body().size_hint().exact().unwrap_or_default();
    if size < SMALL || response.extensions().get::<Shared>().is_some() {
        return Ok(response);
    }
    let busy = || AppError::Busy { retry_after: 2 };
    let eviction = match connection {
        Some(connection) => Arc::clone(connection.eviction()),
        // Nobody could close it.
        None => Arc::new(Eviction::protected()),
    };
    let amount = usize::try_from(size).map_err(|_| busy())?;
    let reservation = FairPool::take(pool, client, amount, eviction).ok_or_else(busy)?;
    let (head, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.map_err(|_| AppError::Internal)?;
    let held = Bytes::from_owner(Held { bytes, _reservation: reservation });
    Ok(Response::from_parts(head, Body::from(held)))
}

/// The bytes that hyper writes. hyper drops them once the system has them, which
/// is later than it drops the body.
struct Held {
    bytes: Bytes,
    _reservation: Reservation,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}
