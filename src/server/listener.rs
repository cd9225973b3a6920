//! Accepting connections, within limits, until told to stop.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{Router, body::Body, extract::ConnectInfo};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
};
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use super::{limits, tls::Tls};

/// Serves until `stop` resolves, over TLS if there is a certificate, then lets
/// requests under way end for at most [`limits::DRAIN_TIME`] (security row D7).
pub async fn serve(
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    router: Router,
    stop: impl Future<Output = ()>,
) {
    let places = Arc::new(Semaphore::new(limits::CONNECTIONS));
    // Every connection holds a receiver for as long as it is open.
    let stopping = watch::Sender::new(());
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = async {
            let place = places.clone().acquire_owned().await;
            (listener.accept().await, place)
        };
        let (stream, peer, place) = tokio::select! {
            () = &mut stop => break,
            (accepted, place) = accepted => match (accepted, place) {
                (Ok((stream, peer)), Ok(place)) => (stream, peer, place),
                (Err(error), _) => {
                    // Out of file descriptors or an aborted connection: the next may do.
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                    continue;
                }
                (_, Err(_)) => break,
            },
        };
        // Answers are written whole; waiting to fill a packet only delays them.
        let _ = stream.set_nodelay(true);
        notice_the_vanished(&stream);
        // A client that takes nothing of its answer does not keep it, and its place, for ever.
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(limits::WRITE_TIME));
        let stream = Placed { stream: Box::pin(stream), _place: place };
        let acceptor = tls.as_ref().map(|tls| tls.acceptor());
        let (router, stopped) = (router.clone(), stopping.subscribe());
        tokio::spawn(async move {
            match acceptor {
                None => converse(stream, router, peer, stopped).await,
                Some(acceptor) => converse_over_tls(stream, acceptor, router, peer, stopped).await,
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

/// Shakes hands first; whoever does not within the time for a head is let go.
async fn converse_over_tls(
    stream: Placed,
    acceptor: TlsAcceptor,
    router: Router,
    peer: SocketAddr,
    mut stopped: watch::Receiver<()>,
) {
    let shaken = tokio::select! {
        _ = stopped.changed() => return,
        shaken = tokio::time::timeout(limits::HEAD_TIME, acceptor.accept(stream)) => shaken,
    };
    match shaken {
        Ok(Ok(stream)) => converse(stream, router, peer, stopped).await,
        Ok(Err(error)) => tracing::debug!(%error, "a handshake failed"),
        Err(_) => tracing::debug!("a handshake took too long"),
    }
}

/// Answers request after request, until the client or the site has enough.
async fn converse(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    router: Router,
    peer: SocketAddr,
    mut stopped: watch::Receiver<()>,
) {
    let mut http = http1::Builder::new();
    // hyper sets no limit by itself: a socket that sends nothing would stay for ever.
    http.timer(TokioTimer::new()).header_read_timeout(limits::HEAD_TIME);
    let service = service_fn(move |request| answer(router.clone(), peer, request));
    let connection = http.serve_connection(TokioIo::new(stream), service).with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        _ = stopped.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// A connection and its place among all of them, which it keeps for as long as
/// it is open: also when it has become a WebSocket, and is no longer served here.
struct Placed {
    stream: Pin<Box<TimeoutStream<TcpStream>>>,
    _place: OwnedSemaphorePermit,
}

impl AsyncRead for Placed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_read(context, buffer)
    }
}

impl AsyncWrite for Placed {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stream.as_mut().poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream.as_mut().poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_shutdown(context)
    }
}

/// A machine that is gone answers nothing; without this, what is sent to it
/// is sent again for a quarter of an hour. Elsewhere the system's own limits hold.
fn notice_the_vanished(stream: &TcpStream) {
    #[cfg(target_os = "linux")]
    if let Err(error) = socket2::SockRef::from(stream).set_tcp_user_timeout(Some(limits::WRITE_TIME)) {
        tracing::debug!(%error, "a connection has no time limit of its own");
    }
    #[cfg(not(target_os = "linux"))]
    let _ = stream;
}

async fn answer(
    router: Router,
    peer: SocketAddr,
    request: hyper::Request<Incoming>,
) -> Result<hyper::Response<Body>, Infallible> {
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(ConnectInfo(peer));
    router.oneshot(request).await
}

/// Listens from now on for being asked to stop, by SIGTERM or Ctrl-C; the
/// future resolves when it happened, even if that was before it is awaited.
///
/// # Errors
/// Where the system takes no more signal handlers.
#[cfg(unix)]
pub fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Listens for Ctrl-C.
///
/// # Errors
/// None; the same shape as where there are signals.
#[cfg(not(unix))]
pub fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
