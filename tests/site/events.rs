//! `/events`: listeners get what happens to posts, and no more.

use std::time::Instant;

use byline::http::limits::DRAIN_TIME;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{Byline, Client, Listener, Running, TestDatabase, Told, in_time, until};

fn fact(kind: &str, post: &str, owner: &str) -> (String, String, String) {
    (kind.to_owned(), post.to_owned(), owner.to_owned())
}

#[tokio::test]
async fn a_listener_gets_every_change_once_and_nothing_else() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let mut bob = site.author("bob").await;
    let before = ada.publish("Before", "").await;
    let mut listener = Listener::open(&site.browser()).await;
    let of_author = &mut Listener::open(&ada).await;

    let post = ada.publish("canary-title", "canary-text").await;
    let edit = format!("/my-posts/{post}/edit");
    let refused = [
        ada.submit(&edit, &[("version", "1"), ("title", "canary-title"), ("content", "canary-text")]).await,
        ada.submit(&edit, &[("version", "7"), ("title", "WriteConflict")]).await,
        ada.submit(&edit, &[("version", "1"), ("title", "")]).await,
        bob.submit(&edit, &[("version", "1"), ("title", "Not his")]).await,
        bob.submit(&format!("/posts/{post}/delete"), &[]).await,
        bob.submit("/my-posts/new", &[("title", "")]).await,
        site.browser().submit("/my-posts/new", &[("title", "Of nobody")]).await,
    ];
    assert_eq!(refused.map(|answer| answer.status), [303, 409, 422, 403, 403, 422, 303]);
    let saved = ada.submit(&edit, &[("version", "1"), ("title", "canary-new"), ("content", "")]).await;
    assert_eq!(saved.status, 303);
    let wish = [("idempotency_key", "once")];
    for _ in 0..2 {
        let answer = ada.submit(&format!("/posts/{post}/delete"), &wish).await;
        assert_eq!(answer.status, 303);
    }
    ada.submit(&format!("/posts/{before}/delete"), &[]).await;
    let of_bob = bob.publish("canary-of-bob", "").await;

    let expected = [
        fact("created", &post, "ada"),
        fact("changed", &post, "ada"),
        fact("deleted", &post, "ada"),
        fact("deleted", &before, "ada"),
        fact("created", &of_bob, "bob"),
    ];
    for listener in [&mut listener, of_author] {
        assert_eq!((listener.greeting.event.as_str(), listener.greeting.data.as_str()), ("", ""));
        let told = listener.take(expected.len()).await;
        assert_eq!(told.iter().map(Told::fact).collect::<Vec<_>>(), expected);
        assert!(told.iter().all(|told| !told.raw.contains("canary")), "{told:?}");
    }
    assert_eq!(site.count("SELECT COUNT(*) FROM events").await, 1 + expected.len() as i64);
}

#[tokio::test]
async fn a_listener_is_answered_with_headers_that_fit() {
    let site = Running::start_behind_https().await;
    let listener = Listener::open(&site.browser()).await;
    let header = |name: &str| listener.headers.get(name).map_or("", |value| value.to_str().expect("ASCII"));
    assert_eq!(header("content-type"), "text/event-stream");
    assert_eq!(header("cache-control"), "no-store");
    assert_eq!(header("x-accel-buffering"), "no");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert!(header("content-security-policy").starts_with("default-src 'none'"));
    assert!(header("strict-transport-security").starts_with("max-age="));
    assert_eq!(header("x-request-id").len(), 16);
    for name in ["set-cookie", "content-encoding", "retry-after", "access-control-allow-origin"] {
        assert_eq!(header(name), "", "{name}");
    }
    let raw = listener.greeting.raw.clone();
    assert!(raw.starts_with("retry: "), "a browser is told when to come back: {raw}");
}

#[tokio::test]
async fn a_listener_that_comes_back_hears_what_it_missed() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let first = ada.publish("First", "").await;
    let as_of = site.script().get("/api/list_posts").await.json()["as_of"].as_i64().expect("an id");
    let second = ada.publish("Second", "").await;
    let reader = site.browser();

    let mut missed = Listener::resume(&reader, &format!("/events?after={as_of}"), None).await;
    assert_eq!((missed.greeting.id, missed.next().await.fact()), (as_of, fact("created", &second, "ada")));
    let mut both = Listener::resume(&reader, &format!("/events?after={}", as_of + 1), Some("0")).await;
    let told: Vec<_> = both.take(2).await.iter().map(Told::fact).collect();
    assert_eq!(told, [fact("created", &first, "ada"), fact("created", &second, "ada")]);

    for (path, last) in [
        ("/events?after=999999999", None),
        ("/events?after=yesterday", None),
        ("/events?after=-1", None),
        ("/events", Some("999999999")),
        ("/events", Some("9223372036854775808")),
        ("/events", Some("01a0-of-another-site")),
        ("/events?after=0", Some("-7")),
    ] {
        let newest = site.count("SELECT MAX(id) FROM events").await;
        let mut listener = Listener::resume(&reader, path, last).await;
        let Told { id, event, data, .. } = &listener.greeting;
        assert_eq!((*id, event.as_str(), data.as_str()), (newest, "reset", "{}"), "{path} {last:?}");
        let post = ada.publish("Next", "").await;
        assert_eq!(listener.next().await.fact(), fact("created", &post, "ada"), "from there it goes on");
    }
}

#[tokio::test]
async fn a_listener_above_the_limit_is_told_to_come_again() {
    let site = Running::start_with(|config| config.max_listeners = 2).await;
    let reader = site.browser();
    let first = Listener::open(&reader).await;
    let mut second = Listener::open(&reader).await;
    for client in [&reader, &reader.as_script()] {
        let refused = Listener::try_resume(client, "/events", None).await;
        let answer = refused.err().expect("there is no place left");
        assert_eq!(answer.status, 503, "{}", answer.text());
        assert!(answer.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0));
    }
    assert_eq!(reader.clone().get("/").await.status, 200, "only listeners are refused");
    drop(first);
    until("the place to be free", async || Listener::try_resume(&reader, "/events", None).await.is_ok())
        .await;
    let post = site.author("ada").await.publish("Title", "").await;
    assert_eq!(second.next().await.fact(), fact("created", &post, "ada"), "who is in hears on");
}

#[tokio::test]
async fn a_head_request_takes_no_place() {
    let site = Running::start_with(|config| config.max_listeners = 1).await;
    let mut connections = Vec::new();
    for _ in 0..3 {
        // Kept open: were it closed, the place would be free for that reason.
        let mut connection = TcpStream::connect(site.address).await.expect("a connection");
        until("an answer with room", async || {
            connection.write_all(b"HEAD /events HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("it is sent");
            let head = head(&mut connection).await;
            head.starts_with("HTTP/1.1 200") && head.contains("content-type: text/event-stream")
        })
        .await;
        connections.push(connection);
    }
    until("the place to be free", async || {
        Listener::try_resume(&site.browser(), "/events", None).await.is_ok()
    })
    .await;
}

#[tokio::test]
async fn one_address_does_not_get_every_place() {
    let site = Running::start_with(|config| {
        config.max_listeners = 10;
        config.trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")];
    })
    .await;
    let mut connections = Vec::new();
    for (address, status) in [("192.0.2.1", 200), ("192.0.2.1", 503), ("192.0.2.2", 200), ("192.0.2.2", 503)]
    {
        let mut connection = TcpStream::connect(site.address).await.expect("a connection");
        let request = format!("GET /events HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {address}\r\n\r\n");
        connection.write_all(request.as_bytes()).await.expect("it is sent");
        let head = head(&mut connection).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{address}: {head}");
        connections.push(connection);
    }
}

/// Reads the head of an answer, and nothing of its body.
async fn head(connection: &mut TcpStream) -> String {
    let mut head = Vec::new();
    in_time("the head of an answer", async {
        while !head.ends_with(b"\r\n\r\n") {
            head.push(connection.read_u8().await.expect("more of the head"));
        }
    })
    .await;
    String::from_utf8(head).expect("UTF-8")
}

#[tokio::test]
async fn a_site_that_is_told_to_stop_does_not_wait_for_its_listeners() {
    let database = TestDatabase::fresh().await;
    let byline = Byline::in_an_empty_folder();
    let served = byline.serve(&["--database-url", database.url_text()]).await;
    let reader = Client::browser(served.address, false);
    let listeners = [Listener::open(&reader).await, Listener::open(&reader).await];
    let since = Instant::now();
    let log = served.terminate().await;
    assert!(since.elapsed() < DRAIN_TIME / 2, "it took {:?}", since.elapsed());
    assert!(log.contains("every request has ended"), "{log}");
    for listener in listeners {
        assert_eq!(listener.ended().await, [], "nothing happened");
    }
}

#[tokio::test]
async fn a_listener_that_missed_nothing_begins_without_a_query() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    ada.publish("One", "").await;
    let newest = site.count("SELECT MAX(id) FROM events").await;
    let reader = site.browser();
    assert_eq!(Listener::open(&reader).await.greeting.id, newest);
    // Whoever asks the database now gets an error.
    let mut database = site.probe().await;
    database.execute("ALTER TABLE events RENAME TO events_elsewhere").await;
    let mut first = Listener::open(&reader).await;
    let mut again = Listener::resume(&reader, "/events", Some(&newest.to_string())).await;
    assert_eq!([first.greeting.id, again.greeting.id], [newest; 2]);

    database.execute("ALTER TABLE events_elsewhere RENAME TO events").await;
    let behind = Listener::resume(&reader, "/events", Some(&(newest + 7).to_string())).await;
    assert_eq!(behind.greeting.event, "reset", "who knows more than the database begins anew");
    ada.publish("Two", "").await;
    for listener in [&mut first, &mut again] {
        assert_eq!(listener.next().await.id, newest + 1, "what is new is heard, and nothing before it");
    }
    assert_eq!(Listener::open(&reader).await.greeting.id, newest + 1, "asked for again after a change");
}
