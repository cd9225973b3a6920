//! Logs: one line a request, and the causes of what went wrong.

pub mod log;

use std::{
    backtrace::Backtrace,
    fmt,
    io::IsTerminal,
    net::{IpAddr, SocketAddr},
    panic::AssertUnwindSafe,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
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

use crate::{
    error::AppError,
    http::{answers, connections::Connection, headers, layers::cors, origin, pages, target},
    site::Site,
};
pub use log::LogFormat;
use log::{LogQueue, VALUE_BYTES, cut};

/// Names the request in the answer and in the log.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Bytes of a panic's backtrace in the log: the innermost frames of ours.
const BACKTRACE_BYTES: usize = 2 * 1024;
/// Bytes of a method in the log; the longest that is registered has 17.
const METHOD_BYTES: usize = 32;

/// Writes what is left of the log when it is dropped.
#[derive(Debug)]
pub struct Log(Option<LogQueue>);

impl Drop for Log {
    fn drop(&mut self) {
        if let Some(queue) = &self.0 {
            queue.flush();
        }
    }
}

/// Starts logging to standard error. `BYLINE_LOG` filters as in `RUST_LOG`.
#[must_use]
pub fn start(format: LogFormat) -> Log {
    let filter = std::env::var("BYLINE_LOG")
        .ok()
        .and_then(|raw| EnvFilter::from_str(&raw).ok())
        // tower-sessions warns of every unknown cookie; that is daily life.
        .unwrap_or_else(|| EnvFilter::new("info,tower_sessions=error,tower_sessions_core=error"));
    let queue = match LogQueue::to_standard_error(format) {
        Ok(queue) => queue,
        // A machine that has no thread to give; the runtime will say so in words.
        Err(_) => return Log(None),
    };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(queue.clone())
        .with_ansi(std::io::stderr().is_terminal())
        // It would complain by `eprintln!`, which panics where nothing can be written.
        .log_internal_errors(false)
        .with_target(false);
    match format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().init(),
    }
    let of_panics = queue.clone();
    // A panic in here would end the process, so tracing is not asked: it runs
    // the code of whoever logs, and may be what has panicked.
    std::panic::set_hook(Box::new(move |panic| {
        // The payload may quote user input; the place says enough.
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let backtrace = innermost(&Backtrace::capture().to_string());
        let mut fields = vec![("place", place.into()), ("backtrace", backtrace.into())];
        if let Ok(id) = REQUEST.try_with(ToString::to_string) {
            fields.insert(0, ("id", id.into()));
        }
        of_panics.say("ERROR", "panic", &fields);
    }));
    Log(Some(queue))
}

/// A backtrace in one line, from the code that panicked outwards.
fn innermost(backtrace: &str) -> String {
    let lines: Vec<&str> = backtrace.lines().map(str::trim).collect();
    let own = lines.iter().rposition(|line| line.contains("core::panicking::")).map_or(0, |last| last + 1);
    cut(&lines[own..].join(" "), BACKTRACE_BYTES).into_owned()
}

tokio::task_local! {
    /// The request that this task answers.
    static REQUEST: RequestId;
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

/// The layer around everything that answers: gives the request an id, refuses
/// targets that no page expects, catches panics, counts the answer until it is
/// taken, adds the headers every answer carries, and writes the one line.
///
/// The line has method, path, status, time and address; never a query, a
/// cookie or a body.
pub async fn observe(State(site): State<Site>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = RequestId::next();
    let target = origin::check_host(&request).and_then(|()| target::normalize(&mut request));
    let method = request.method().clone();
    let path = cut(request.uri().path(), VALUE_BYTES).into_owned();
    let client = client_address(&request, &site.trusted_proxies);
    if let Some(address) = client {
        request.extensions_mut().insert(ClientAddress(address));
    }
    request.extensions_mut().insert(id);
    let connection = request.extensions().get::<Arc<Connection>>().cloned();
    let html = pages::wants_html(request.headers());

    let answer = async {
        target?;
        if let Some(answer) = cors::answer_to_preflight(&request) {
            return Ok(answer);
        }
        if let Some(page) = pages::ready(&site, &method, request.uri(), request.headers()).await {
            return Ok(page);
        }
        let made = AssertUnwindSafe(next.run(request)).catch_unwind().await;
        let made = made.map_err(|_| AppError::Internal)?;
        answers::hold(&site.answers, made, client, connection.as_ref()).await
    };
    let answer = REQUEST.scope(id, answer.instrument(tracing::info_span!("request", %id)));
    let mut response = answer.await.unwrap_or_else(|error| headers::refusal(&error, html));

    headers::secure(response.headers_mut(), site.public_url.is_https());
    let id = id.to_string();
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    tracing::info!(
        id,
        method = %cut(method.as_str(), METHOD_BYTES),
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

    #[test]
    fn a_backtrace_in_the_log_begins_where_the_panic_was() {
        let frames = "0: byline::telemetry::hook\n 1: core::panicking::panic_fmt\n 2: byline::ours\n at x.rs";
        assert_eq!(innermost(frames), "2: byline::ours at x.rs");
        assert_eq!(innermost("disabled backtrace"), "disabled backtrace");
        assert!(innermost(&"3: byline::deep\n".repeat(1000)).len() < BACKTRACE_BYTES + 40);
    }

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
