//! `/metrics`: numbers about this process and its site for Prometheus, on an address of
//! its own (setting `metrics-listen`).
//!
//! Numbers are kept where they arise, and read when somebody asks ([`shown`]). The
//! database is asked for a second at most, by the connection that no request uses; if it
//! does not answer, everything else is shown all the same.

mod numbers;
mod process;
mod shown;

use std::net::SocketAddr;

use axum::{
    Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{
    clock,
    config::StartError,
    http::{connections::Connections, headers::uncached, listener},
    site::Site,
    timestamp::Timestamp,
};

pub const PATH: &str = "/metrics";

/// The text format of Prometheus.
const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Connections at a time. Whoever scrapes needs one.
const CONNECTIONS: usize = 16;

/// What is watched.
#[derive(Clone, Debug)]
struct Watched {
    site: Site,
    /// When the process began to serve.
    since: Timestamp,
}

/// Takes the address, if there is one.
///
/// # Errors
/// [`StartError::Listen`].
pub async fn bind(address: Option<SocketAddr>) -> Result<Option<TcpListener>, StartError> {
    let Some(address) = address else { return Ok(None) };
    let bound = TcpListener::bind(address).await;
    bound.map(Some).map_err(|cause| StartError::Listen { address, cause })
}

/// Serves beside the site, until the site stops.
pub fn start(listener: TcpListener, site: &Site) -> JoinHandle<()> {
    let (site, bus) = (site.clone(), site.bus().clone());
    tokio::spawn(serve(listener, site, async move { bus.closed().await }))
}

/// Serves the metrics of a site until `stop` resolves, and nothing else.
pub async fn serve(listener: TcpListener, site: Site, stop: impl Future<Output = ()>) {
    let watched = Watched { site, since: clock::now() };
    let router = Router::new()
        .route(PATH, get(metrics))
        .fallback(async || (StatusCode::NOT_FOUND, "Only /metrics is here.\n"))
        .with_state(watched);
    listener::serve_within(listener, None, router, Connections::new(CONNECTIONS, &[]), stop).await;
}

async fn metrics(State(Watched { site, since }): State<Watched>) -> Response {
    match shown::text(&site, since).await {
        Ok(text) => uncached(StatusCode::OK, FORMAT, text),
        Err(error) => {
            tracing::error!(%error, "the metrics cannot be shown");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
