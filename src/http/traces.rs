//! Traces: a collector of OpenTelemetry is told of each request (setting `otlp-endpoint`).
//!
//! An answered request becomes one span, which is put into a bounded queue without a wait.
//! A task sends what is in the queue by OTLP over HTTP, in its encoding in JSON
//! (<https://opentelemetry.io/docs/specs/otlp/#otlphttp>). A collector that is away costs
//! spans and nothing else. The crates of OpenTelemetry would send the same spans with
//! eight packages more.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{
    body::Bytes,
    extract::Request,
    http::{HeaderMap, Method, StatusCode, header::CONTENT_TYPE},
};
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use ipnet::IpNet;
use serde_json::{Value, json};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};
use tokio_rustls::rustls::crypto::ring;

use super::{layers::client_address::is_of_proxy, request_counts::OTHER};
use crate::{config::OtlpEndpoint, site::Site, telemetry::RequestId, text::hex};

/// Spans that may wait to be sent.
const QUEUE: usize = 4096;
/// The most spans of one message.
const BATCH: usize = 512;
/// How long spans are collected before they are sent together.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest time for a message.
const SEND_TIME: Duration = Duration::from_secs(5);
/// How long the process waits at its end for the last spans.
const GOODBYE: Duration = Duration::from_secs(2);

/// The queue of spans, if somebody collects them.
#[derive(Debug, Default)]
pub struct Tracer {
    collector: Option<OtlpEndpoint>,
    queue: Option<mpsc::Sender<Span>>,
    /// For the task that sends.
    waiting: Mutex<Option<mpsc::Receiver<Span>>>,
    /// Spans for which the queue had no room.
    lost: AtomicU64,
}

/// A request that is answered now.
#[derive(Clone, Copy, Debug)]
pub struct Begun {
    trace: [u8; 16],
    parent: Option<[u8; 8]>,
    began: SystemTime,
}

/// An answered request, as the collector is told of it.
#[derive(Debug)]
pub struct Span {
    begun: Begun,
    ended: SystemTime,
    id: RequestId,
    method: &'static str,
    route: String,
    path: String,
    status: StatusCode,
}

impl Site {
    #[must_use]
    pub fn tracer(&self) -> &Tracer {
        self.part()
    }
}

impl Tracer {
    /// Tells this collector, or nobody.
    #[must_use]
    pub fn new(collector: Option<OtlpEndpoint>) -> Self {
        let (queue, waiting) = collector.is_some().then(|| mpsc::channel(QUEUE)).unzip();
        Self { collector, queue, waiting: Mutex::new(waiting), lost: AtomicU64::new(0) }
    }

    /// A request begins, in the trace that a trusted proxy names: from anybody else's word,
    /// strangers could write into traces that are not theirs. `None` if nobody wants to know
    /// of it: there is no collector, or the proxy has decided that the trace is not collected
    /// (the flag "sampled").
    #[must_use]
    pub fn begin(&self, request: &Request, trusted: &[IpNet]) -> Option<Begun> {
        self.queue.as_ref()?;
        let began = SystemTime::now();
        let context = is_of_proxy(request, trusted).then(|| Context::of(request.headers())).flatten();
        match context {
            Some(Context { is_sampled: false, .. }) => None,
            Some(Context { trace, parent, .. }) => Some(Begun { trace, parent: Some(parent), began }),
            None => Some(Begun { trace: *uuid::Uuid::new_v4().as_bytes(), parent: None, began }),
        }
    }

    /// The request was answered.
    pub fn end(
        &self,
        begun: Begun,
        id: RequestId,
        (method, route): (&'static str, &str),
        path: &str,
        status: StatusCode,
    ) {
        let (route, path) = (route.to_owned(), path.to_owned());
        let span = Span { begun, ended: SystemTime::now(), id, method, route, path, status };
        if self.queue.as_ref().is_some_and(|queue| queue.try_send(span).is_err()) {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Where a request belongs to, by its header `traceparent`
/// (<https://www.w3.org/TR/trace-context/#traceparent-header>).
#[derive(Debug, PartialEq, Eq)]
struct Context {
    trace: [u8; 16],
    parent: [u8; 8],
    is_sampled: bool,
}

impl Context {
    /// `None` if there is no such header, several, or an invalid one.
    fn of(headers: &HeaderMap) -> Option<Self> {
        let mut all = headers.get_all("traceparent").iter();
        let (Some(only), None) = (all.next(), all.next()) else { return None };
        let mut parts = only.to_str().ok()?.split('-');
        let [version] = bytes(parts.next()?)?;
        let (trace, parent) = (bytes(parts.next()?)?, bytes(parts.next()?)?);
        let [flags] = bytes(parts.next()?)?;
        // Later versions may have more parts.
        let is_valid = version != 0xFF
            && (version > 0 || parts.next().is_none())
            && trace != [0; 16]
            && parent != [0; 8];
        is_valid.then_some(Self { trace, parent, is_sampled: flags & 1 == 1 })
    }
}

/// Bytes in lower hexadecimal digits, two for each.
fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if text.len() != 2 * N || !text.bytes().all(is_digit) {
        return None;
    }
    let mut bytes = [0; N];
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * place..2 * place + 2], 16).ok()?;
    }
    Some(bytes)
}

impl Span {
    fn json(&self) -> Value {
        let Self { begun, ended, id, method, route, path, status } = self;
        let is_known = |label: &str| label != OTHER;
        let mut attributes = vec![
            attribute("http.request.method", if is_known(method) { method } else { "_OTHER" }),
            attribute("url.path", path),
            attribute("byline.request_id", &id.to_string()),
            json!({ "key": "http.response.status_code", "value": { "intValue": status.as_u16().to_string() } }),
        ];
        let method = if is_known(method) { method } else { "HTTP" };
        let mut name = method.to_owned();
        if is_known(route) {
            attributes.push(attribute("http.route", route));
            name = format!("{method} {route}");
        }
        let mut span = json!({
            "traceId": hex(&begun.trace),
            "spanId": hex(&uuid::Uuid::new_v4().as_bytes()[..8]),
            "name": name,
            "kind": 2,
            "startTimeUnixNano": nanos(begun.began),
            "endTimeUnixNano": nanos(*ended),
            "attributes": attributes,
            "status": {},
        });
        if let Some(parent) = begun.parent {
            span["parentSpanId"] = hex(&parent).into();
        }
        if status.is_server_error() {
            span["status"] = json!({ "code": 2 });
        }
        span
    }
}

fn attribute(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}

/// Numbers of 64 bits are texts in the JSON of protobuf.
fn nanos(time: SystemTime) -> String {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos().to_string()
}

/// The message with these spans.
fn message(spans: &[Span], instance: &str) -> Value {
    json!({ "resourceSpans": [{
        "resource": { "attributes": [
            attribute("service.name", "byline"),
            attribute("service.version", env!("CARGO_PKG_VERSION")),
            attribute("service.instance.id", instance),
        ]},
        "scopeSpans": [{
            "scope": { "name": "byline" },
            "spans": spans.iter().map(Span::json).collect::<Vec<_>>(),
        }],
    }]})
}

/// The task that sends spans.
#[derive(Debug)]
pub struct Exporter(Option<(oneshot::Sender<()>, JoinHandle<()>)>);

impl Exporter {
    /// Starts, if there is a collector.
    #[must_use]
    pub fn start(site: &Site) -> Self {
        let tracer = site.tracer();
        let waiting = tracer.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (Some(collector), Some(waiting)) = (tracer.collector.clone(), waiting) else { return Self(None) };
        let (stop, stopped) = oneshot::channel();
        let sender = match Sender::to(collector) {
            Ok(sender) => sender,
            Err(error) => {
                tracing::error!(%error, "no traces are sent: the certificates of this system cannot be read");
                return Self(None);
            }
        };
        Self(Some((stop, tokio::spawn(run(site.clone(), sender, waiting, stopped)))))
    }

    /// Sends what is left, and ends.
    pub async fn stop(self) {
        let Some((stop, task)) = self.0 else { return };
        // An error means that it has ended.
        let _ = stop.send(());
        if tokio::time::timeout(GOODBYE, task).await.is_err() {
            tracing::warn!("the last spans were not sent");
        }
    }
}

async fn run(
    site: Site,
    mut sender: Sender,
    mut waiting: mpsc::Receiver<Span>,
    mut stopped: oneshot::Receiver<()>,
) {
    let mut is_over = false;
    while !is_over {
        let mut batch = Vec::new();
        tokio::select! {
            _ = waiting.recv_many(&mut batch, BATCH) => {}
            _ = &mut stopped => is_over = true,
        }
        if !is_over && batch.len() < BATCH {
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                _ = &mut stopped => is_over = true,
            }
        }
        loop {
            while batch.len() < BATCH
                && let Ok(span) = waiting.try_recv()
            {
                batch.push(span);
            }
            if batch.is_empty() {
                break;
            }
            sender.send(&std::mem::take(&mut batch)).await;
            let lost = site.tracer().lost.swap(0, Ordering::Relaxed);
            if lost > 0 {
                tracing::warn!(lost, "spans were lost, because they came faster than they could be sent");
            }
        }
    }
}

struct Sender {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    collector: OtlpEndpoint,
    /// Names this process.
    instance: String,
    has_failed: bool,
}

impl Sender {
    fn to(collector: OtlpEndpoint) -> std::io::Result<Self> {
        let tls = HttpsConnectorBuilder::new().with_provider_and_native_roots(ring::default_provider())?;
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(SEND_TIME));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .build(tls.https_or_http().enable_http1().wrap_connector(tcp));
        let instance = uuid::Uuid::new_v4().to_string();
        Ok(Self { client, collector, instance, has_failed: false })
    }

    /// Sends once; what fails is lost. The log says when it begins to fail, and when it
    /// works again.
    async fn send(&mut self, spans: &[Span]) {
        let message = message(spans, &self.instance).to_string();
        let sending = tokio::time::timeout(SEND_TIME, self.post(message));
        let outcome = sending.await.unwrap_or_else(|_| Err("it takes too long".to_owned()));
        match &outcome {
            Err(problem) if !self.has_failed => {
                tracing::warn!(problem, collector = %self.collector, "spans cannot be sent, and are lost");
            }
            Ok(()) if self.has_failed => tracing::info!("spans can be sent again"),
            _ => {}
        }
        self.has_failed = outcome.is_err();
    }

    async fn post(&self, message: String) -> Result<(), String> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(self.collector.as_str())
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(message)))
            .map_err(|error| error.to_string())?;
        let answer = self.client.request(request).await.map_err(|error| error.to_string())?;
        if answer.status().is_success() { Ok(()) } else { Err(format!("the answer is {}", answer.status())) }
    }
}
