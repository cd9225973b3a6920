//! Open connections, and which of them may be closed for others (security row L2).

use std::{
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use ipnet::IpNet;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Sleep, sleep},
};
use tokio_io_timeout::TimeoutStream;

use super::{
    fair_pool::{Eviction, FairPool, Reservation},
    limits,
};

/// How long a client that is still sending a body gets to notice the answer.
const LINGER_TIME: Duration = Duration::from_secs(5);
/// Bytes that are read and discarded in that time.
const LINGER_BYTES: usize = 4 * 1024 * 1024;
/// Descriptors for connections that were evicted and are not closed yet.
const SPARE_DESCRIPTORS: usize = 16;

#[derive(Debug)]
pub struct Connections {
    pool: Arc<FairPool>,
    descriptors: Arc<Semaphore>,
    trusted: Vec<IpNet>,
}

/// A connection, for the code that answers its requests.
#[derive(Debug)]
pub struct Connection {
    place: Reservation,
    unread: AtomicBool,
    upgraded: AtomicBool,
}

/// A request is under way on a connection, which is not closed for others
/// until this is dropped.
#[derive(Debug)]
pub struct Busy(Arc<Connection>);

impl Connections {
    /// At most `max` connections at once. The addresses in `trusted` have no maximum
    /// share, because proxies stand for many clients.
    #[must_use]
    pub fn new(max: usize, trusted: &[IpNet]) -> Self {
        Self {
            pool: Arc::new(FairPool::new(max)),
            descriptors: Arc::new(Semaphore::new(max + SPARE_DESCRIPTORS)),
            trusted: trusted.to_vec(),
        }
    }

    /// A descriptor for the next connection. An evicted connection has its
    /// descriptor until its task has run. Without this wait, fast new
    /// connections would take the descriptors of the database and the log.
    pub async fn descriptor(&self) -> Option<OwnedSemaphorePermit> {
        // It is never closed, which would be the only error.
        Arc::clone(&self.descriptors).acquire_owned().await.ok()
    }

    /// A place for one more connection. If there is none, idle connections are
    /// closed; `None` if none is idle.
    #[must_use]
    pub fn open(&self, peer: SocketAddr) -> Option<Arc<Connection>> {
        let is_trusted = |address: &IpAddr| self.trusted.iter().any(|network| network.contains(address));
        let client = Some(peer.ip()).filter(|address| !is_trusted(address));
        let place = FairPool::take(&self.pool, client, 1, Arc::new(Eviction::default()))?;
        Some(Arc::new(Connection { place, unread: AtomicBool::default(), upgraded: AtomicBool::default() }))
    }

    /// Closes a few idle connections, because the system has no more
    /// descriptors.
    pub fn shed(&self) {
        self.pool.shed(limits::SHED_CONNECTIONS);
    }
}

impl Connection {
    /// Marks it as working on a request.
    #[must_use]
    pub fn busy(self: &Arc<Self>) -> Busy {
        self.eviction().protect(true);
        self.unread.store(false, Ordering::Relaxed);
        Busy(Arc::clone(self))
    }

    /// A request was answered without reading all that its client sends.
    pub fn has_unread_body(&self) {
        self.unread.store(true, Ordering::Relaxed);
    }

    /// Closes it when others need its resources.
    #[must_use]
    pub const fn eviction(&self) -> &Arc<Eviction> {
        self.place.eviction()
    }
}

impl Busy {
    /// The connection has become a WebSocket: it is busy until it ends.
    pub fn for_ever(self) {
        self.0.upgraded.store(true, Ordering::Relaxed);
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        if !self.0.upgraded.load(Ordering::Relaxed) {
            self.0.eviction().protect(false);
            self.0.place.touch();
        }
    }
}

/// The stream of a connection. It has a place among all connections while it is
/// open, also as a WebSocket, which the listener no longer serves.
pub struct ConnectionStream {
    stream: Pin<Box<TimeoutStream<TcpStream>>>,
    connection: Arc<Connection>,
    linger: Option<Linger>,
    /// Given back after `stream` is closed: fields are dropped in their order.
    _descriptor: Option<OwnedSemaphorePermit>,
}

/// Delays the close while the client still sends. An immediate close would send a
/// reset, and the client would drop the answer unread.
struct Linger {
    until: Pin<Box<Sleep>>,
    bytes: usize,
}

impl ConnectionStream {
    /// Over a stream that was just accepted.
    #[must_use]
    pub fn new(
        stream: TcpStream,
        connection: Arc<Connection>,
        descriptor: Option<OwnedSemaphorePermit>,
    ) -> Self {
        // A client that takes nothing of its answer does not keep it, and its place, for ever.
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(limits::WRITE_TIME));
        Self { stream: Box::pin(stream), connection, linger: None, _descriptor: descriptor }
    }

    fn check(&self, context: &Context<'_>) -> io::Result<()> {
        match self.connection.eviction().poll_evicted(context) {
            Poll::Ready(()) => Err(io::ErrorKind::ConnectionAborted.into()),
            Poll::Pending => Ok(()),
        }
    }

    /// Notes whether the client takes what is written.
    fn written<T>(&self, written: Poll<T>) -> Poll<T> {
        self.connection.eviction().stall(written.is_pending());
        written
    }
}

impl AsyncRead for ConnectionStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check(context)?;
        self.stream.as_mut().poll_read(context, buffer)
    }
}

impl AsyncWrite for ConnectionStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check(context)?;
        let written = self.stream.as_mut().poll_write(context, bytes);
        self.written(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check(context)?;
        let written = self.stream.as_mut().poll_write_vectored(context, parts);
        self.written(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.linger.is_none() {
            ready!(self.stream.as_mut().poll_shutdown(context))?;
            if !self.connection.unread.load(Ordering::Relaxed) {
                return Poll::Ready(Ok(()));
            }
            self.linger = Some(Linger { until: Box::pin(sleep(LINGER_TIME)), bytes: LINGER_BYTES });
        }
        self.check(context)?;
        let Self { stream, linger: Some(linger), .. } = &mut *self else { return Poll::Ready(Ok(())) };
        let mut thrown_away = [0; 16 * 1024];
        while linger.bytes > 0 && linger.until.as_mut().poll(context).is_pending() {
            let mut buffer = ReadBuf::new(&mut thrown_away);
            ready!(stream.as_mut().poll_read(context, &mut buffer))?;
            match buffer.filled().len() {
                0 => break,
                read => linger.bytes = linger.bytes.saturating_sub(read),
            }
        }
        Poll::Ready(Ok(()))
    }
}
