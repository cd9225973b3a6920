//! What a collector of OpenTelemetry is told of requests.

use std::collections::BTreeMap;

use axum::{
    Json, Router,
    body::Body,
    extract::State,
    http::{HeaderMap, Method},
    routing::post,
};
use byline_cluster::free_port;
use serde_json::Value;
use tokio::{net::TcpListener, sync::mpsc};

use crate::support::{Answer, Byline, Client};

/// A collector: its address, and the spans that it was told of.
struct Collector {
    url: String,
    told: mpsc::UnboundedReceiver<Value>,
}

impl Collector {
    async fn start() -> Self {
        let (teller, told) = mpsc::unbounded_channel();
        let take = async |State(teller): State<mpsc::UnboundedSender<Value>>,
                          headers: HeaderMap,
                          Json(message): Json<Value>| {
            assert_eq!(headers["content-type"], "application/json");
            let _ = teller.send(message);
            Json(serde_json::json!({}))
        };
        let router = Router::new().route("/v1/traces", post(take)).with_state(teller);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async { axum::serve(listener, router).await });
        Self { url, told }
    }

    /// The spans that it was told of so far.
    fn spans(&mut self) -> Vec<Value> {
        let mut spans = Vec::new();
        while let Ok(message) = self.told.try_recv() {
            let resource = &message["resourceSpans"][0];
            assert_eq!(attributes(&resource["resource"])["service.name"], "byline");
            spans.extend(resource["scopeSpans"][0]["spans"].as_array().expect("spans").clone());
        }
        spans
    }
}

fn attributes(of: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let list = of["attributes"].as_array().expect("attributes");
    let one = |attribute: &Value| {
        let value = &attribute["value"];
        let value = value.get("stringValue").or(value.get("intValue")).expect("a value");
        (text(&attribute["key"]), text(value))
    };
    list.iter().map(one).collect()
}

async fn get(client: &mut Client, path: &str, traceparent: Option<&str>) -> Answer {
    let mut request = client.request(Method::GET, path);
    if let Some(traceparent) = traceparent {
        request = request.header("traceparent", traceparent);
    }
    client.send(request.body(Body::empty()).expect("a request")).await
}

#[tokio::test]
async fn a_collector_is_told_of_each_request_in_the_trace_that_a_trusted_proxy_names() {
    let mut collector = Collector::start().await;
    let byline = Byline::in_an_empty_folder();
    let served = byline.serve(&["--otlp-endpoint", &collector.url, "--trusted-proxies", "127.0.0.1"]).await;
    let mut reader = Client::browser(served.address, false);
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let answer = get(&mut reader, "/", Some(&format!("00-{trace}-00f067aa0ba902b7-01"))).await;
    let unsampled = format!("00-{}-00f067aa0ba902b7-00", "7".repeat(32));
    assert_eq!(get(&mut reader, "/", Some(&unsampled)).await.status, 200);
    for wrong in ["00-0-0-01", "x", "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"] {
        assert_eq!(get(&mut reader, "/@ada/none?secret=1", Some(wrong)).await.status, 404);
    }
    // The last are sent when the site stops.
    served.terminate().await;
    let spans = collector.spans();
    assert_eq!(spans.len(), 4, "{spans:?}");
    let (first, others) = spans.split_first().expect("spans");
    assert_eq!((&first["traceId"], &first["parentSpanId"]), (&trace.into(), &"00f067aa0ba902b7".into()));
    assert_eq!((&first["name"], &first["kind"]), (&"GET /".into(), &2.into()));
    let said = attributes(first);
    assert_eq!((&*said["http.route"], &*said["http.response.status_code"]), ("/", "200"));
    assert_eq!(said["byline.request_id"], answer.header("x-request-id"));
    let time = |name: &str| first[name].as_str().and_then(|time| time.parse::<u64>().ok()).expect("a time");
    assert!(time("startTimeUnixNano") <= time("endTimeUnixNano"));
    for other in others {
        assert_eq!((&other["name"], other.get("parentSpanId")), (&"GET /{author}/{slug}".into(), None));
        assert_eq!(other["traceId"].as_str().expect("an id").len(), 32);
        assert_ne!(other["traceId"], first["traceId"]);
        let said = attributes(other);
        assert_eq!((&*said["url.path"], &*said["http.response.status_code"]), ("/@ada/none", "404"));
        assert!(!other.to_string().contains("secret"), "no query: {other}");
    }
}

#[tokio::test]
async fn a_stranger_writes_into_no_trace_and_keeps_no_request_out_of_one() {
    let mut collector = Collector::start().await;
    let byline = Byline::in_an_empty_folder();
    let served = byline.serve(&["--otlp-endpoint", &collector.url]).await;
    let mut stranger = Client::browser(served.address, false);
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    for flags in ["01", "00"] {
        let named = format!("00-{trace}-00f067aa0ba902b7-{flags}");
        assert_eq!(get(&mut stranger, "/", Some(&named)).await.status, 200);
    }
    served.terminate().await;
    let spans = collector.spans();
    assert_eq!(spans.len(), 2, "{spans:?}");
    for span in spans {
        assert_ne!(span["traceId"], trace);
        assert_eq!(span.get("parentSpanId"), None);
    }
}

#[tokio::test]
async fn a_collector_that_is_away_keeps_no_reader_waiting() {
    let url = format!("http://127.0.0.1:{}", free_port());
    let byline = Byline::in_an_empty_folder();
    let served = byline.serve(&["--otlp-endpoint", &url]).await;
    let mut reader = Client::browser(served.address, false);
    for _ in 0..20 {
        assert_eq!(get(&mut reader, "/", None).await.status, 200);
    }
    let log = served.terminate().await;
    let said = log.matches("spans cannot be sent").count();
    assert_eq!(said, 1, "the log says it once: {log}");
    byline
        .run(&["serve", "--otlp-endpoint", "https://ada:s3cret@collector.example"], "")
        .await
        .failed_with(&["otlp-endpoint", "collector"]);
}
