//! Bodies of requests while they arrive, and places for the work that follows
//! (security rows L1, L2 and L6).
//!
//! A request has a place while the server works on it, but not while it waits for
//! its client: the place is given back until the rest of the body has arrived. The
//! bytes that have arrived are counted over all requests. The pool drops slow
//! bodies before it refuses new ones.

use std::{
    net::IpAddr,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    BoxError,
    body::{Body, Bytes, HttpBody},
    extract::Request,
};
use futures::StreamExt;
use hyper::body::{Frame, SizeHint};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, Sleep, sleep_until, timeout},
};

use super::{
    connections::Connection,
    fair_pool::{Eviction, FairPool, Reservation},
    limits::{ACCOUNT_BODY, REQUESTS, body_time},
};
use crate::{error::AppError, http::layers::client_address::ClientAddress, site::Site};

/// Bytes of bodies in memory, over all requests, from their first byte until
/// the request is answered.
const ALL_BODIES: usize = 32 * 1024 * 1024;
/// The minimum that a body reserves while it arrives, so that there are 512 at
/// most.
const SLOW_BODY: usize = 64 * 1024;
/// A body must have come at [`MIN_RATE`] after this long.
const SLOW_TIME: Duration = Duration::from_secs(5);
/// Bytes a second, on average.
const MIN_RATE: u32 = 1000;
/// A short body that arrives within this time is read before its sender is
/// verified.
const PROMPT_TIME: Duration = Duration::from_millis(50);

/// Memory for bodies of requests, and the places of requests under way.
#[derive(Debug)]
pub struct Pool {
    bytes: Arc<FairPool>,
    slots: Arc<Semaphore>,
}

impl Default for Pool {
    fn default() -> Self {
        Self { bytes: Arc::new(FairPool::new(ALL_BODIES)), slots: Arc::new(Semaphore::new(REQUESTS)) }
    }
}

impl Site {
    /// A place among the requests under way, if there is one.
    #[must_use]
    pub fn request_slot(&self) -> Option<OwnedSemaphorePermit> {
        let Pool { slots, .. } = self.part();
        Arc::clone(slots).try_acquire_owned().ok()
    }

    /// How many requests are worked on now, of [`REQUESTS`] at most.
    #[must_use]
    pub fn requests_in_progress(&self) -> usize {
        let Pool { slots, .. } = self.part();
        REQUESTS - slots.available_permits()
    }
}

/// The resources of a request until it is answered.
#[derive(Debug)]
pub(super) struct ActiveRequest {
    site: Site,
    place: Mutex<Option<OwnedSemaphorePermit>>,
    body: Mutex<Option<Reservation>>,
}

impl ActiveRequest {
    /// A request that has a place.
    pub(super) fn new(site: &Site, place: OwnedSemaphorePermit) -> Arc<Self> {
        Arc::new(Self { site: site.clone(), place: Mutex::new(Some(place)), body: Mutex::new(None) })
    }

    /// The request with its body counted, if it has one.
    pub(super) fn count_body(self: &Arc<Self>, request: Request) -> Request {
        if request.body().is_end_stream() {
            return request;
        }
        let client = request.extensions().get().map(|ClientAddress(address)| *address);
        let connection = request.extensions().get::<Arc<Connection>>().cloned();
        let pool = Arc::clone(&self.site.part::<Pool>().bytes);
        let active = Arc::clone(self);
        request.map(|inner| {
            Body::new(CountedBody {
                inner,
                pool,
                client,
                connection,
                active,
                received: 0,
                began: None,
                slow: None,
                whole: false,
            })
        })
    }

    fn release_slot(&self) {
        lock(&self.place).take();
    }

    fn take_slot(&self) -> Result<(), AppError> {
        let mut place = lock(&self.place);
        if place.is_none() {
            *place = Some(self.site.request_slot().ok_or(BUSY)?);
        }
        Ok(())
    }

    /// It is answered.
    pub(super) fn end(&self) {
        lock(&self.place).take();
        lock(&self.body).take();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const BUSY: AppError = AppError::Busy { retry_after: 2 };

/// A body that is being received.
struct CountedBody {
    inner: Body,
    pool: Arc<FairPool>,
    client: Option<IpAddr>,
    connection: Option<Arc<Connection>>,
    active: Arc<ActiveRequest>,
    received: usize,
    began: Option<Instant>,
    slow: Option<Pin<Box<Sleep>>>,
    whole: bool,
}

impl CountedBody {
    /// Counts bytes that have arrived, or notes that the body is waited for.
    fn reserve(&self) -> Result<(), AppError> {
        let amount = self.received.max(SLOW_BODY);
        let mut body = lock(&self.active.body);
        let has_room = match &*body {
            Some(reserved) => reserved.resize(amount),
            None => {
                *body = FairPool::take(&self.pool, self.client, amount, Arc::new(Eviction::default()));
                body.is_some()
            }
        };
        if has_room { Ok(()) } else { Err(BUSY) }
    }

    /// Nothing evicts a body that is whole: it is being worked on.
    fn end(&mut self) -> Result<(), AppError> {
        self.whole = true;
        if let Some(reserved) = &*lock(&self.active.body) {
            reserved.eviction().protect(true);
            if !reserved.resize(self.received) {
                return Err(BUSY);
            }
        }
        self.active.take_slot()
    }

    fn poll_limits(&mut self, context: &mut Context<'_>) -> Result<(), AppError> {
        self.active.release_slot();
        self.reserve()?;
        if let Some(reserved) = &*lock(&self.active.body)
            && reserved.eviction().poll_evicted(context).is_ready()
        {
            return Err(BUSY);
        }
        let began = *self.began.get_or_insert_with(Instant::now);
        let earned = u32::try_from(self.received).unwrap_or(u32::MAX) / MIN_RATE;
        let until = began + SLOW_TIME + Duration::from_secs(earned.into());
        let slow = self.slow.get_or_insert_with(|| Box::pin(sleep_until(until)));
        if slow.deadline() != until {
            slow.as_mut().reset(until);
        }
        match slow.as_mut().poll(context) {
            Poll::Ready(()) => Err(AppError::Timeout),
            Poll::Pending => Ok(()),
        }
    }
}

impl HttpBody for CountedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        let counted = match Pin::new(&mut this.inner).poll_frame(context) {
            Poll::Pending => match this.poll_limits(context) {
                Ok(()) => return Poll::Pending,
                Err(error) => Err(error),
            },
            Poll::Ready(Some(Ok(frame))) => {
                this.received += frame.data_ref().map_or(0, Bytes::len);
                this.reserve().map(|()| Some(frame))
            }
            Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error.into()))),
            Poll::Ready(None) => this.end().map(|()| None),
        };
        Poll::Ready(counted.map_err(BoxError::from).transpose())
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for CountedBody {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.as_ref().filter(|_| !self.whole) {
            connection.has_unread_body();
        }
    }
}

/// Reads a whole body and counts the bytes that arrive, not those announced.
///
/// # Errors
/// [`AppError::TooLarge`] over `max_bytes`, [`AppError::Timeout`] after
/// [`body_time`] or if it comes too slowly, [`AppError::Busy`] if there is no
/// memory for it, [`AppError::BadRequest`] if the client hangs up.
pub async fn read_body(body: Body, max_bytes: usize) -> Result<Bytes, AppError> {
    let too_large = AppError::TooLarge { max_bytes };
    let announced = body.size_hint().upper().and_then(|bytes| usize::try_from(bytes).ok());
    if announced.is_some_and(|announced| announced > max_bytes) {
        return Err(too_large);
    }
    let most = announced.unwrap_or(max_bytes);
    let read = async {
        let mut whole = Vec::new();
        let mut chunks = body.into_data_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(read_error)?;
            if whole.len() + chunk.len() > max_bytes {
                return Err(too_large);
            }
            if whole.capacity() - whole.len() < chunk.len() {
                // Grows like a vector, but never beyond the announced length.
                let enough = (2 * whole.capacity()).min(most).max(whole.len() + chunk.len());
                whole.reserve_exact(enough - whole.len());
            }
            whole.extend_from_slice(&chunk);
        }
        Ok(Bytes::from(whole))
    };
    timeout(body_time(max_bytes), read).await.map_err(|_| AppError::Timeout)?
}

fn read_error(error: axum::Error) -> AppError {
    match error.into_inner().downcast::<AppError>() {
        Ok(ours) => *ours,
        Err(_) => AppError::BadRequest { reason: "the body is incomplete".into() },
    }
}

/// As [`read_body`], but only from senders that `check` accepts. From others it
/// reads only a body that is short and arrives at once: the handler then
/// refuses them, without a second verification.
pub async fn read_body_if<E: From<AppError>>(
    check: impl Future<Output = Result<(), E>>,
    body: Body,
    max_bytes: usize,
) -> Result<Bytes, E> {
    let is_short = body.size_hint().upper().is_some_and(|announced| announced <= ACCOUNT_BODY as u64);
    let mut reading = std::pin::pin!(read_body(body, max_bytes));
    if is_short && let Ok(read) = timeout(PROMPT_TIME, &mut reading).await {
        return Ok(read?);
    }
    check.await?;
    Ok(reading.await?)
}
