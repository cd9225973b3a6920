//! Accepts connections, within limits, until the process is told to stop.

use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    BoxError, Router,
    body::{Body, Bytes, HttpBody},
    extract::ConnectInfo,
    http::{HeaderValue, StatusCode, header::CONNECTION},
};
use hyper::{
    body::{Frame, Incoming, SizeHint},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use ipnet::IpNet;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use super::{
    connections::{Busy, Connection, ConnectionStream, Connections},
    limits,
    tls::Tls,
};

/// How long nothing is accepted when that has just failed.
const PAUSE: Duration = Duration::from_millis(50);

/// Serves until `stop` resolves, over TLS if there is a certificate, then lets
/// requests under way end for at most [`limits::DRAIN_TIME`] (security row D7).
/// A connection that was accepted before may still bring a request for
/// [`limits::LAST_REQUESTS`], whose answer says that the connection closes: so a
/// client that is about to ask does not find its connection closed.
/// The proxies that are `trusted` may have as many connections as there are.
pub async fn serve(
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    router: Router,
    trusted: &[IpNet],
    stop: impl Future<Output = ()>,
) {
    serve_within(listener, tls, router, Connections::new(limits::connections(), trusted), stop).await;
}

/// [`serve`], with these places for connections.
pub async fn serve_within(
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    router: Router,
    connections: Connections,
    stop: impl Future<Output = ()>,
) {
    // Every connection has a receiver as long as it is open.
    let stopping = watch::Sender::new(());
    let mut stop = std::pin::pin!(stop);
    loop {
        let next = async {
            let descriptor = connections.descriptor().await;
            (listener.accept().await, descriptor)
        };
        let (accepted, descriptor) = tokio::select! {
            () = &mut stop => break,
            next = next => next,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors or an aborted connection: the next may do.
                tracing::warn!(%error, "a connection was not accepted");
                connections.shed();
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let Some(connection) = connections.open(peer) else {
            tracing::debug!(%peer, "a connection found no place");
            continue;
        };
        // Answers are written whole; waiting to fill a packet only delays them.
        let _ = stream.set_nodelay(true);
        detect_lost_peers(&stream);
        let stream = ConnectionStream::new(stream, Arc::clone(&connection), descriptor);
        let acceptor = tls.as_ref().map(|tls| tls.acceptor());
        let client = Client { router: router.clone(), peer, connection };
        let stopped = stopping.subscribe();
        tokio::spawn(async move {
            match acceptor {
                None => serve_connection(stream, client, stopped).await,
                Some(acceptor) => serve_tls_connection(stream, acceptor, client, stopped).await,
            }
        });
    }
    drop(listener);
    tracing::info!("stopping: no new connections");
    let _ = stopping.send(());
    tokio::select! {
        () = stopping.closed() => tracing::info!("every request has ended"),
        () = tokio::time::sleep(limits::DRAIN_TIME) => tracing::warn!("gave up on requests that would not end"),
    }
}

/// Starts with the handshake; a client that needs longer than the time for a
/// head is disconnected.
async fn serve_tls_connection(
    stream: ConnectionStream,
    acceptor: TlsAcceptor,
    client: Client,
    stopped: watch::Receiver<()>,
) {
    let mut until = stopped.clone();
    let shaken = tokio::select! {
        () = last_requests_are_over(&mut until) => return,
        shaken = tokio::time::timeout(limits::HEAD_TIME, acceptor.accept(stream)) => shaken,
    };
    match shaken {
        Ok(Ok(stream)) => serve_connection(stream, client, stopped).await,
        Ok(Err(error)) => tracing::debug!(%error, "a handshake failed"),
        Err(_) => tracing::debug!("a handshake took too long"),
    }
}

/// Answers request after request, until the client or the site has enough.
async fn serve_connection(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    client: Client,
    mut stopped: watch::Receiver<()>,
) {
    let mut http = http1::Builder::new();
    // Without a timer hyper has no limit, and a socket that sends nothing stays for ever.
    http.timer(TokioTimer::new()).header_read_timeout(limits::HEAD_TIME).max_buf_size(limits::HEAD_BYTES);
    // For `graphql::realtime`, which writes names of headers as its client does.
    http.preserve_header_case(true);
    let asked = stopped.clone();
    let service = service_fn(move |request| {
        let is_last = asked.has_changed().unwrap_or(true);
        answer(client.clone(), is_last, request)
    });
    let connection = http.serve_connection(TokioIo::new(stream), service).with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = last_requests_are_over(&mut stopped) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Resolves [`limits::LAST_REQUESTS`] after the site was told to stop.
async fn last_requests_are_over(stopped: &mut watch::Receiver<()>) {
    // The only error is that the sender is gone, and it stays until the connection ends.
    let _ = stopped.changed().await;
    tokio::time::sleep(limits::LAST_REQUESTS).await;
}

/// Detects peers that are gone; without this, data for them is sent again for a
/// quarter of an hour. On other systems the limits of the system apply.
fn detect_lost_peers(stream: &TcpStream) {
    #[cfg(target_os = "linux")]
    if let Err(error) = socket2::SockRef::from(stream).set_tcp_user_timeout(Some(limits::WRITE_TIME)) {
        tracing::debug!(%error, "a connection has no time limit of its own");
    }
    #[cfg(not(target_os = "linux"))]
    let _ = stream;
}

/// The peer of a connection, and the service that answers it.
#[derive(Clone)]
struct Client {
    router: Router,
    peer: SocketAddr,
    connection: Arc<Connection>,
}

async fn answer(
    client: Client,
    is_last: bool,
    request: hyper::Request<Incoming>,
) -> Result<hyper::Response<Body>, Infallible> {
    let Client { router, peer, connection } = client;
    let busy = connection.busy();
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(ConnectInfo(peer));
    request.extensions_mut().insert(connection);
    let mut response = router.oneshot(request).await?;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        busy.for_ever();
        return Ok(response);
    }
    if is_last {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response.map(|inner| Body::new(Answering { inner, _busy: busy })))
}

/// The body of an answer, until whose end its connection is not idle.
struct Answering {
    inner: Body,
    _busy: Busy,
}

impl HttpBody for Answering {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Pin::new(&mut self.inner).poll_frame(context).map_err(Into::into)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// Listens from now on for a signal to stop: SIGTERM, SIGINT (Ctrl-C), SIGQUIT,
/// or, if it is to `stop_at_hang_up`, SIGHUP (its terminal was closed). The future resolves also if the signal
/// came before it is awaited. SIGHUP stays ignored if it was ignored at the
/// start, as with `nohup`.
#[cfg(unix)]
pub fn stop_signal(stop_at_hang_up: bool) -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let asked = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::quit(), SignalKind::hangup()];
    let heeded = asked
        .into_iter()
        .filter(|kind| *kind != SignalKind::hangup() || stop_at_hang_up && !is_ignored(*kind));
    let mut signals = heeded.map(signal).collect::<Result<Vec<_>, _>>()?;
    Ok(async move {
        let received = signals.iter_mut().map(|signal| Box::pin(signal.recv()));
        futures::future::select_all(received).await;
    })
}

/// Hears SIGHUP, each time.
#[cfg(unix)]
#[derive(Debug)]
pub struct HangUps(tokio::signal::unix::Signal);

#[cfg(unix)]
impl HangUps {
    /// Hears it from now on.
    ///
    /// # Errors
    /// The system does not allow it.
    pub fn heed() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};

        signal(SignalKind::hangup()).map(Self)
    }

    /// Waits for the next.
    pub async fn next(&mut self) {
        if self.0.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

/// There is no SIGHUP.
#[cfg(not(unix))]
#[derive(Debug)]
pub struct HangUps;

#[cfg(not(unix))]
impl HangUps {
    pub fn heed() -> std::io::Result<Self> {
        Ok(Self)
    }

    pub async fn next(&mut self) {
        std::future::pending::<()>().await;
    }
}

/// Whether the process was started with this signal ignored. Elsewhere than on
/// Linux, only `unsafe` code could ask.
#[cfg(unix)]
fn is_ignored(kind: tokio::signal::unix::SignalKind) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    // proc_pid_status(5): a mask in hexadecimal, whose lowest bit is signal 1.
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask >> (kind.as_raw_value() - 1) & 1 == 1)
}

/// Listens for Ctrl-C.
#[cfg(not(unix))]
pub fn stop_signal(_: bool) -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
