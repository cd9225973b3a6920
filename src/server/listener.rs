//! Accepting connections, within limits, until told to stop.

use std::{convert::Infallible, net::SocketAddr, sync::Arc};

use axum::{Router, body::Body, extract::ConnectInfo};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt;

use super::limits;

/// Serves until `stop` resolves, then lets requests under way end for at most
/// [`limits::DRAIN_TIME`] (security row D7).
pub async fn serve(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) {
    let mut http = http1::Builder::new();
    // hyper sets no limit by itself: a socket that sends nothing would stay for ever.
    http.timer(TokioTimer::new()).header_read_timeout(limits::HEAD_TIME);
    let connections = Arc::new(Semaphore::new(limits::CONNECTIONS));
    let under_way = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = async {
            let place = connections.clone().acquire_owned().await;
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
        let service = service_fn({
            let router = router.clone();
            move |request| answer(router.clone(), peer, request)
        });
        notice_the_vanished(&stream);
        // A client that takes nothing of its answer does not keep it, and its place, for ever.
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(limits::WRITE_TIME));
        let connection = under_way.watch(http.serve_connection(TokioIo::new(Box::pin(stream)), service));
        tokio::spawn(async move {
            let _place = place;
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
    drop(listener);
    tracing::info!("stopping: no new connections");
    tokio::select! {
        () = under_way.shutdown() => tracing::info!("every request has ended"),
        () = tokio::time::sleep(limits::DRAIN_TIME) => tracing::warn!("gave up on requests that would not end"),
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
