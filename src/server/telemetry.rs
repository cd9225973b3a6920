//! Logs: one line a request, and the causes of what went wrong.

use std::{
    fmt,
    io::IsTerminal,
    net::{IpAddr, SocketAddr},
    panic::AssertUnwindSafe,
    str::FromStr,
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderName, HeaderValue},
    middleware::Next,
    response::Response,
};
use futures::FutureExt;
use ipnet::IpNet;
use tracing::Instrument;
use tracing_subscriber::EnvFilter;

use super::{Site, headers, limits, pages};
use crate::error::AppError;

/// Names the request in the answer and in the log.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, for programs.
    Json,
}

/// Starts logging to standard error. `BYLINE_LOG` filters as in `RUST_LOG`.
pub fn start(format: LogFormat) {
    let filter = std::env::var("BYLINE_LOG")
        .ok()
        .and_then(|raw| EnvFilter::from_str(&raw).ok())
        // tower-sessions warns of every unknown cookie; that is daily life.
        .unwrap_or_else(|| EnvFilter::new("info,tower_sessions=error,tower_sessions_core=error"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    match format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().init(),
    }
    std::panic::set_hook(Box::new(|panic| {
        // The payload may quote user input; the place says enough.
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, backtrace = %std::backtrace::Backtrace::capture(), "panic");
    }));
}

/// Where a request comes from, as far as it can be believed.
#[derive(Clone, Copy, Debug)]
pub struct ClientAddress(pub IpAddr);

/// The id of a request: random per process, then counted.
#[derive(Clone, Copy, Debug)]
pub struct RequestId(u64);

impl RequestId {
    fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        // Knuth's multiplicative constant spreads neighbours, so that ids are told apart at a glance.
        let count = NEXT.fetch_add(1, Ordering::Relaxed);
        Self((process_seed().wrapping_add(count)).wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }
}

fn process_seed() -> u64 {
    static SEED: std::sync::LazyLock<u64> = std::sync::LazyLock::new(|| uuid::Uuid::new_v4().as_u64_pair().0);
    *SEED
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The layer around everything that answers: gives the request an id, catches
/// panics, sheds load, adds the headers every answer carries, and writes the
/// one line.
///
/// The line has method, path, status, time and address; never a query, a
/// cookie or a body.
pub async fn observe(State(site): State<Site>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = RequestId::next();
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let client = client_address(&request, &site.trusted_proxies);
    if let Some(address) = client {
        request.extensions_mut().insert(ClientAddress(address));
    }
    request.extensions_mut().insert(id);
    let html = pages::wants_html(request.headers());

    let ready = pages::ready(&site, &method, request.uri(), request.headers()).await;
    let answer = async {
        let Some(_place) = limits::place() else {
            return headers::refusal(&AppError::Busy { retry_after: 2 }, html);
        };
        AssertUnwindSafe(next.run(request))
            .catch_unwind()
            .await
            .unwrap_or_else(|_| headers::refusal(&AppError::Internal, html))
    };
    let mut response = match ready {
        Some(page) => page,
        None => answer.instrument(tracing::info_span!("request", %id)).await,
    };

    headers::secure(response.headers_mut(), site.public_url.is_https());
    let id = id.to_string();
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    tracing::info!(
        id,
        %method,
        path,
        status = response.status().as_u16(),
        micros = started.elapsed().as_micros() as u64,
        client = client.map(tracing::field::display),
        "request"
    );
    response
}

/// The peer, or, if that is a trusted proxy, the rightmost address in
/// X-Forwarded-For that is not (security row R2). It is read from the right,
/// where the proxies write, and no further than it has to be: what stands left
/// of that anybody can write, so it must not even be looked at. What a trusted
/// proxy passed on without an address that can be read comes from that proxy.
fn client_address(request: &Request, trusted: &[IpNet]) -> Option<IpAddr> {
    let ConnectInfo(peer) = request.extensions().get::<ConnectInfo<SocketAddr>>()?;
    let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    let values = request.headers().get_all("x-forwarded-for").iter().rev();
    let forwarded = values.flat_map(|value| value.as_bytes().rsplit(|byte| *byte == b','));
    let mut client = peer.ip();
    for part in forwarded {
        let address = std::str::from_utf8(part).ok().and_then(|part| part.trim().parse().ok());
        match address {
            Some(address) if is_trusted(&client) => client = address,
            _ => break,
        }
    }
    Some(client)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut request = Request::new(axum::body::Body::empty());
        let peer: SocketAddr = format!("{peer}:1").parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        for value in forwarded {
            request.headers_mut().append("x-forwarded-for", value.parse().unwrap());
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|raw| raw.parse().unwrap()).collect();
        client_address(&request, &trusted).unwrap().to_string()
    }

    #[test]
    fn the_address_is_the_peers_unless_a_trusted_proxy_says_otherwise() {
        assert_eq!(client("192.0.2.1", &["198.51.100.7"], &[]), "192.0.2.1");
        assert_eq!(client("10.0.0.1", &["198.51.100.7"], &["10.0.0.0/8"]), "198.51.100.7");
        assert_eq!(client("10.0.0.1", &["6.6.6.6, 198.51.100.7"], &["10.0.0.0/8"]), "198.51.100.7");
        assert_eq!(
            client("10.0.0.1", &["6.6.6.6", "198.51.100.7, 10.0.0.2"], &["10.0.0.0/8"]),
            "198.51.100.7"
        );
        assert_eq!(client("10.0.0.1", &[], &["10.0.0.0/8"]), "10.0.0.1");
    }

    #[test]
    fn what_a_client_writes_before_its_address_is_not_believed() {
        let trusted = ["10.0.0.0/8"];
        for forwarded in [
            &["6.6.6.6, nonsense, 198.51.100.7"][..],
            &["6.6.6.6, , 198.51.100.7"],
            &["6.6.6.6", "nonsense", "198.51.100.7"],
            &["6.6.6.6, 10.0.0.3, nonsense, 198.51.100.7"],
            &["nonsense", "198.51.100.7, 10.0.0.2"],
            &["6.6.6.6:80, 198.51.100.7"],
        ] {
            assert_eq!(client("10.0.0.1", forwarded, &trusted), "198.51.100.7", "{forwarded:?}");
        }
    }

    #[test]
    fn a_proxy_that_names_nobody_stands_for_whoever_is_behind_it() {
        let trusted = ["10.0.0.0/8"];
        assert_eq!(client("10.0.0.1", &["6.6.6.6, nonsense"], &trusted), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &["6.6.6.6, nonsense, 10.0.0.2"], &trusted), "10.0.0.2");
        assert_eq!(client("10.0.0.1", &["6.6.6.6", ""], &trusted), "10.0.0.1");
    }
}
