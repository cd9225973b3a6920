//! What whoever watches a site gets at `/metrics` (security row L12).

use std::{
    collections::BTreeSet,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::Stdio,
    time::Duration,
};

use axum::{body::Body, http::Method};
use byline::{
    config::{BackupPlace, BackupSettings, Unverified},
    mail::{Envelope, Letter, enqueue},
    metrics,
};
use byline_cluster::free_port;
use futures::future::try_join_all;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    process::Command,
    time::Instant,
};

use crate::support::{Answer, Byline, Client, Listener, Manner, Metrics, Running, Smtp, in_time};

const REQUESTS: &str = "byline_http_requests_total";
const TIMES: &str = "byline_http_request_duration_seconds_count";

/// Somebody who watches a site, on an address of its own.
pub(super) struct Watcher(SocketAddr);

impl Watcher {
    pub(super) async fn of(site: &Running) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(metrics::serve(listener, site.site.clone(), std::future::pending()));
        Self(address)
    }

    async fn ask(&self, method: Method, path: &str) -> Answer {
        let mut client = Client::browser(self.0, false).as_script();
        let request = client.request(method, path).body(Body::empty()).expect("a request");
        client.send(request).await
    }

    async fn text(&self) -> String {
        let answer = self.ask(Method::GET, metrics::PATH).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
        assert_eq!(answer.header("cache-control"), "no-store");
        answer.text().to_owned()
    }

    pub(super) async fn metrics(&self) -> Metrics {
        Metrics::parse(&self.text().await)
    }
}

/// Lets the tool of Prometheus check the text, where `SITE_TEST_PROMTOOL` names it
/// (`cargo xtask test --only monitoring`).
async fn assert_promtool_likes(text: &str) {
    let Some(promtool) = std::env::var_os("SITE_TEST_PROMTOOL") else { return };
    let mut command = Command::new(promtool);
    command.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut checking = command.spawn().expect("promtool runs");
    let mut stdin = checking.stdin.take().expect("its input");
    stdin.write_all(text.as_bytes()).await.expect("it reads");
    drop(stdin);
    let checked = in_time("promtool", checking.wait_with_output()).await.expect("it ends");
    let said = String::from_utf8_lossy(&checked.stdout) + String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success() && said.is_empty(), "{said}\n{text}");
}

/// Puts a mail into the outbox as a use case does.
async fn post_a_mail(site: &Running) {
    let letter = Letter::about("Hello").text("Hello.");
    let mail = Envelope { to: Some("ada@example.org".to_owned()), letter, useful_until: None };
    let written = site.site.database.write((site.site.clone(), mail), |db, (site, mail)| {
        Box::pin(async move { enqueue(db, &site, &mail).await })
    });
    written.await.expect("the mail is in the outbox");
}

#[tokio::test]
async fn an_operator_finds_the_metrics_where_the_setting_says_until_the_site_stops() {
    let port = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
    let byline = Byline::in_an_empty_folder();
    let served = byline.serve(&["--metrics-listen", &port.to_string()]).await;
    Client::browser(served.address, false).page("/").await;
    let watcher = Watcher(port);
    let text = watcher.text().await;
    assert_promtool_likes(&text).await;
    let metrics = Metrics::parse(&text);
    assert_eq!(metrics.value("byline_build_info", &[("version", env!("CARGO_PKG_VERSION"))]), 1.0);
    assert_eq!(metrics.value("byline_database_up", &[]), 1.0);
    assert_eq!(metrics.value(REQUESTS, &[("method", "GET"), ("route", "/"), ("status", "200")]), 1.0);
    assert_eq!(metrics.get("byline_mails_waiting", &[]), None, "no mail is sent");
    if cfg!(target_os = "linux") {
        for name in ["cpu_seconds_total", "resident_memory_bytes", "open_fds", "max_fds", "threads"] {
            assert!(metrics.value(&format!("process_{name}"), &[]) > 0.0, "{name}");
        }
    }
    served.terminate().await;
    assert!(TcpStream::connect(port).await.is_err(), "it ends with the site");
}

#[tokio::test]
async fn an_operator_is_told_which_address_for_metrics_does_not_work() {
    let byline = Byline::in_an_empty_folder();
    let taken = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--metrics-listen"];
    byline.run(&[&arguments[..], &[&address]].concat(), "").await.failed_with(&[&address, "in use"]);
    byline.run(&[&arguments[..], &["here"]].concat(), "").await.failed_with(&["metrics-listen", "here"]);
}

#[tokio::test]
async fn nothing_else_is_where_the_metrics_are_and_they_are_nowhere_else() {
    let site = Running::start().await;
    let watcher = Watcher::of(&site).await;
    for path in ["/", "/metrics/", "/livez", "/graphql", "/assets/byline.css", "/@ada", "/metrics%2f"] {
        assert_eq!(watcher.ask(Method::GET, path).await.status, 404, "{path}");
    }
    for method in [Method::POST, Method::DELETE, Method::OPTIONS] {
        let answer = watcher.ask(method, metrics::PATH).await;
        assert_eq!((answer.status, answer.header("allow")), (405, "GET,HEAD"));
    }
    let head = watcher.ask(Method::HEAD, metrics::PATH).await;
    assert_eq!((head.status, head.text()), (200, ""));
    let mut reader = site.browser();
    let answer = reader.get(metrics::PATH).await;
    assert_eq!(answer.status, 404);
    assert!(!answer.text().contains(REQUESTS));
}

#[tokio::test]
async fn what_readers_and_authors_do_is_counted_by_the_pattern_of_its_path() {
    let site = Running::start().await;
    let watcher = Watcher::of(&site).await;
    let mut ada = site.browser();
    assert_eq!(ada.sign_up("ada").await.status, 303);
    let post = ada.publish("The heron", "It stands.").await;
    let mut reader = site.browser();
    let before = watcher.metrics().await;
    for _ in 0..3 {
        reader.page("/").await;
        reader.page(&format!("/posts/{post}")).await;
    }
    assert_eq!(reader.get("/@ada/there-is-none").await.status, 404);
    assert_eq!(reader.get("/a/b/c/d").await.status, 404);
    let heard = Listener::open(&reader).await;
    let after = watcher.metrics().await;

    let rise = |name: &str, labels: &[(&str, &str)]| {
        after.value(name, labels) - before.get(name, labels).unwrap_or_default()
    };
    for (route, status, times) in [
        ("/", "200", 3.0),
        ("/posts/{id}", "308", 3.0),
        ("/{author}/{slug}", "200", 3.0),
        ("/{author}/{slug}", "404", 1.0),
        ("other", "404", 1.0),
        ("/events", "200", 1.0),
    ] {
        let labels = [("method", "GET"), ("route", route), ("status", status)];
        assert_eq!(rise(REQUESTS, &labels), times, "{labels:?}");
    }
    assert_eq!(rise(TIMES, &[("method", "GET"), ("route", "/{author}/{slug}")]), 4.0);
    let sign_up = [("method", "POST"), ("route", "/signup"), ("status", "303")];
    assert_eq!(before.value(REQUESTS, &sign_up), 1.0);
    assert_eq!(rise(REQUESTS, &sign_up), 0.0);

    assert!(rise("byline_cache_hits_total", &[("cache", "pages")]) >= 4.0, "the second time from memory");
    assert!(rise("byline_cache_misses_total", &[("cache", "pages")]) >= 2.0, "the first time not");
    assert!(rise("byline_database_wait_seconds_count", &[("to", "read")]) >= 1.0);
    assert!(before.value("byline_database_wait_seconds_count", &[("to", "write")]) >= 2.0);
    assert_eq!((before.value("byline_listeners", &[]), after.value("byline_listeners", &[])), (0.0, 1.0));
    assert_eq!(after.value("byline_password_hashes_running", &[]), 0.0);
    assert_eq!(after.value("byline_password_hashes_refused_total", &[]), 0.0);
    drop(heard);
}

/// Sends all requests on one connection and waits for its end.
async fn send_all(address: SocketAddr, requests: impl Iterator<Item = (String, String)>) {
    let mut heads: Vec<String> =
        requests.map(|(method, path)| format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\n")).collect();
    if let Some(last) = heads.last_mut() {
        last.push_str("Connection: close\r\n");
    }
    let all: String = heads.iter().map(|head| format!("{head}\r\n")).collect();
    let (mut answers, mut sending) = TcpStream::connect(address).await.expect("a connection").into_split();
    let mut heard = Vec::new();
    let (sent, read) = tokio::join!(sending.write_all(all.as_bytes()), answers.read_to_end(&mut heard));
    sent.expect("they are sent");
    read.expect("they are answered");
    let answered = String::from_utf8_lossy(&heard).matches("HTTP/1.1 ").count();
    assert!(answered >= heads.len(), "{answered} answers");
}

#[tokio::test]
async fn a_hostile_client_adds_no_series_by_ten_thousand_paths_and_methods() {
    let site = Running::start().await;
    let watcher = Watcher::of(&site).await;
    let request = |number: usize| match number % 4 {
        // Few, because these ask the database.
        0 if number.is_multiple_of(40) => ("GET".to_owned(), format!("/api/x{number}")),
        0 => (format!("M{number}"), format!("/api/x{number}")),
        1 => (format!("M{number}"), format!("/{number}/x/y")),
        2 => (format!("M{number}"), format!("/@u{number}")),
        _ => ("POST".to_owned(), format!("/pkg/{number}\"}}{{le=\"%0a")),
    };
    send_all(site.address, (0..8).map(request)).await;
    let before = watcher.metrics().await;
    for part in 0..100 {
        send_all(site.address, (part * 100..(part + 1) * 100).map(request)).await;
    }
    let after = watcher.metrics().await;
    assert_eq!(after.series(), before.series());
    let count = |metrics: &Metrics| {
        let routes = metrics.values_of(REQUESTS, "route").into_iter();
        let counted = routes.flat_map(|route| {
            let methods = metrics.values_of(TIMES, "method");
            methods
                .into_iter()
                .filter_map(move |method| metrics.get(TIMES, &[("method", method), ("route", route)]))
        });
        counted.sum::<f64>()
    };
    assert_eq!(count(&after) - count(&before), 10_000.0, "each is counted");
    assert_eq!(after.values_of(REQUESTS, "method"), BTreeSet::from(["GET", "POST", "other"]));
}

#[tokio::test]
async fn an_operator_sees_that_all_readers_are_taken_while_they_are() {
    let site = Running::start().await;
    let watcher = Watcher::of(&site).await;
    let database = &site.site.database;
    let held = try_join_all((0..database.readers()).map(|_| database.read())).await.expect("connections");
    let asked = Instant::now();
    let metrics = watcher.metrics().await;
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
    let pool = *metrics.values_of("byline_database_connections", "pool").first().expect("a pool");
    let in_use = metrics.value("byline_database_connections", &[("pool", pool)]);
    assert_eq!(in_use, metrics.value("byline_database_connections_limit", &[("pool", pool)]));
    assert_eq!(in_use as usize, held.len());
    assert_eq!(metrics.value("byline_database_up", &[]), 1.0);
    drop(held);
}

#[tokio::test]
async fn an_operator_sees_that_the_database_is_gone_and_everything_else() {
    let site = Running::start().await;
    let watcher = Watcher::of(&site).await;
    site.browser().page("/").await;
    site.site.database.close().await;
    let metrics = watcher.metrics().await;
    assert_eq!(metrics.value("byline_database_up", &[]), 0.0);
    assert_eq!(metrics.get("byline_search_index_waiting", &[]), None);
    assert_eq!(metrics.value(REQUESTS, &[("method", "GET"), ("route", "/"), ("status", "200")]), 1.0);
}

#[tokio::test]
async fn an_operator_sees_which_mails_and_posts_wait() {
    let server = Smtp::start(Manner::Takes).await;
    let mail = server.settings();
    let site = Running::start_with(|config| {
        mail(config);
        config.unverified = Unverified::MayWrite;
    });
    let site = site.await.stop_mail().await;
    let watcher = Watcher::of(&site).await;
    let metrics = watcher.metrics().await;
    assert_eq!(metrics.value("byline_mails_waiting", &[]), 0.0);
    assert_eq!(metrics.value("byline_mails_oldest_seconds", &[]), 0.0);
    assert_eq!(metrics.value("byline_search_index_waiting", &[]), 0.0);
    post_a_mail(&site).await;
    site.tamper("UPDATE outbox SET created_at = created_at - 7200000000").await;
    // Nobody keeps the index of searches here.
    site.signed_in("ada").await.publish("The heron", "It stands.").await;
    let metrics = watcher.metrics().await;
    assert_eq!(metrics.value("byline_mails_waiting", &[]), 1.0);
    let waits = metrics.value("byline_mails_oldest_seconds", &[]);
    assert!((7200.0..7300.0).contains(&waits), "{waits}");
    assert_eq!(metrics.value("byline_search_index_waiting", &[]), 1.0);
}

/// The names of Byline's metrics, and of those about its process, in a text.
fn metrics_in(text: &str) -> BTreeSet<&str> {
    let words = text.split(|character: char| !character.is_ascii_alphanumeric() && character != '_');
    words.filter(|word| word.starts_with("byline_") || word.starts_with("process_")).collect()
}

#[tokio::test]
async fn whatever_the_dashboard_the_alerts_and_the_docs_name_is_there_to_watch() {
    let server = Smtp::start(Manner::Takes).await;
    let mail = server.settings();
    let site = Running::start_with(|config| {
        mail(config);
        let (every, to) = (Duration::from_secs(3600), BackupPlace::Folder(std::env::temp_dir()));
        config.backup = Some(BackupSettings { every, to, keep: 1, encrypt_to: Vec::new() });
    });
    let site = site.await;
    let watcher = Watcher::of(&site).await;
    site.browser().page("/").await;
    let metrics = watcher.metrics().await;
    let known = metrics.names();
    let read = |path: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    for path in ["monitoring/dashboard.json", "monitoring/alerts.yml", "monitoring/alerts.test.yml"] {
        let text = read(path);
        let named = metrics_in(&text);
        assert!(named.len() > 5, "{path} names {named:?}");
        let unknown: Vec<_> = named.difference(&known).collect();
        assert!(unknown.is_empty(), "{path} names {unknown:?}");
    }
    serde_json::from_str::<serde_json::Value>(&read("monitoring/dashboard.json")).expect("JSON");

    // The docs explain every one, histograms by the name of all their parts.
    let docs = read("docs/operations.md");
    let (_, watching) = docs.split_once("\n## Watching\n").expect("a section");
    let explained = metrics_in(watching.split_once("\n## ").map_or(watching, |(section, _)| section));
    let families = known.iter().map(|name| {
        let name =
            ["_bucket", "_sum", "_count"].iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name);
        name.strip_suffix("_limit").unwrap_or(name)
    });
    let missing: Vec<_> = families.filter(|name| !explained.contains(name)).collect();
    assert!(missing.is_empty(), "docs/operations.md does not explain {missing:?}");
    let is_known = |name: &&&str| known.contains(**name) || known.contains(format!("{name}_count").as_str());
    let unknown: Vec<_> = explained.iter().filter(|name| !is_known(name)).collect();
    assert!(unknown.is_empty(), "docs/operations.md explains {unknown:?}");
}
