//! What one client can use, and what happens when something breaks (security rows P3,
//! L1 to L3, D7).

use std::{io::ErrorKind, time::Duration};

use axum::{body::Body, http::Method};
use byline::{database::Db, error::AppError};
use futures::{future::join_all, stream};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{Byline, Client, Running, in_time, serve_a_panic, until};

const FORM: &str = "application/x-www-form-urlencoded";

/// A body of that many bytes which does not announce its length.
fn chunked(bytes: usize) -> Body {
    let chunk = axum::body::Bytes::from(vec![b'x'; 16 * 1024]);
    let chunks = (0..bytes.div_ceil(chunk.len())).map(move |_| Ok::<_, std::io::Error>(chunk.clone()));
    Body::from_stream(stream::iter(chunks))
}

#[tokio::test]
async fn a_body_over_its_limit_is_refused_announced_or_not() {
    let site = Running::start().await;
    let ada = site.author("ada").await;
    let before = site.dump().await;
    let (small, large) = (65 * 1024, 2 * 1024 * 1024);
    for (path, bytes) in [
        ("/signup", small),
        ("/login", small),
        ("/logout", small),
        ("/api/sign_up", small),
        ("/api/log_in", small),
        ("/api/log_out", small),
        ("/my-posts/new", large),
        ("/my-posts/x/edit", large),
        ("/posts/x/delete", large),
        ("/api/create_post", large),
        ("/api/update_post", large),
        ("/api/delete_post", large),
        ("/api/preview_post", large),
    ] {
        for client in [ada.clone(), ada.as_script()] {
            for (how, body) in [("announced", Body::from("x".repeat(bytes))), ("chunked", chunked(bytes))] {
                let answer = client.clone().post(path, FORM, body).await;
                assert_eq!(answer.status, 413, "{how} to {path}: {}", answer.text());
            }
        }
    }
    assert_eq!(site.dump().await, before);
}

#[tokio::test]
async fn a_body_just_under_its_limit_is_read() {
    let site = Running::start().await;
    let answer = site.browser().post("/login", FORM, "x".repeat(64 * 1024)).await;
    assert_eq!(answer.status, 400, "read, and found to be no login");
    // The longest text that is allowed, in characters that take the most room in a form.
    let content = "\u{1F58B}".repeat(100_000);
    let mut ada = site.author("ada").await;
    assert_eq!(ada.submit("/my-posts/new", &[("title", "Long"), ("content", &content)]).await.status, 303);
}

/// Reads until the site closes the connection; returns what it sent.
async fn until_closed(stream: &mut TcpStream) -> String {
    let mut said = Vec::new();
    match in_time("the site to hang up", stream.read_to_end(&mut said)).await {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
    }
    String::from_utf8_lossy(&said).into_owned()
}

#[tokio::test]
async fn a_connection_that_sends_no_request_does_not_stay() {
    let site = Running::start().await;
    let connections = [
        ("sends nothing", ""),
        ("sends half a head", "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "),
        ("sends no more after an answer", "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"),
    ]
    .map(|(what, sent)| async move {
        let mut stream = TcpStream::connect(site.address).await.expect("a connection");
        stream.write_all(sent.as_bytes()).await.expect("it is sent");
        (what, until_closed(&mut stream).await)
    });
    for (what, said) in join_all(connections).await {
        let answered = said.starts_with("HTTP/1.1 200");
        assert_eq!(answered, what == "sends no more after an answer", "who {what} hears {said:?}");
        assert!(answered || said.is_empty() || said.starts_with("HTTP/1.1 408"), "who {what} hears {said:?}");
    }
    assert_eq!(site.browser().get("/").await.status, 200);
}

#[tokio::test]
async fn what_is_no_http_is_refused_and_harms_nobody() {
    let site = Running::start().await;
    for sent in [
        "\r\n\r\n\r\nnonsense\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "\u{16}\u{3}\u{1}",
        "POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nx",
        &format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(100_000)),
        &format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "X-Many: x\r\n".repeat(1000)),
    ] {
        let mut stream = TcpStream::connect(site.address).await.expect("a connection");
        // The site may hang up before everything is sent.
        let _ = stream.write_all(sent.as_bytes()).await;
        let _ = stream.shutdown().await;
        let said = until_closed(&mut stream).await;
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 4"), "{:.60?} hears {said:?}", sent);
    }
    assert_eq!(site.browser().get("/").await.status, 200);
}

#[tokio::test]
async fn a_panic_is_answered_and_the_site_lives_on() {
    let site = Running::start().await;
    let (address, _stop) = serve_a_panic(&site, |router| router).await;
    let mut browser = Client::browser(address, false);
    for _ in 0..3 {
        for (mut client, content_type) in
            [(browser.clone(), "text/html; charset=utf-8"), (browser.as_script(), "application/json")]
        {
            let answer = client.get("/breaks").await;
            assert_eq!((answer.status, answer.header("content-type")), (500, content_type));
            assert!(!answer.text().contains("canary"), "{}", answer.text());
            assert_eq!(answer.header("x-request-id").len(), 16);
            assert_eq!(answer.header("x-content-type-options"), "nosniff");
        }
        assert_eq!(browser.get("/works").await.text(), "works");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_at_the_login_is_told_to_come_again_and_readers_are_served() {
    let site = Running::start().await;
    let crowd = join_all((0..100).map(|_| {
        let mut browser = site.browser();
        async move { browser.log_in("nobody-here").await }
    }));
    let mut reader = site.browser();
    let readers = async {
        for _ in 0..20 {
            assert_eq!(reader.get("/").await.status, 200);
            assert_eq!(reader.get("/healthz").await.status, 200);
        }
    };
    let (crowd, ()) = futures::join!(crowd, readers);
    let sent_away = crowd.iter().filter(|answer| [429, 503].contains(&answer.status));
    assert!(sent_away.clone().count() > 0, "a hundred are more than the lane takes");
    for answer in sent_away {
        assert_ne!(answer.header("retry-after"), "");
        assert_eq!(answer.page().value("identifier"), "nobody-here", "what was typed is kept");
    }
    assert!(crowd.iter().all(|answer| [422, 429, 503].contains(&answer.status)));
}

#[tokio::test]
async fn a_crowd_that_signs_up_gets_back_what_was_typed_but_the_password() {
    let site = Running::start().await;
    let crowd = join_all((0..100).map(|number| {
        let mut browser = site.browser();
        async move { (number, browser.sign_up(&format!("writer-{number}")).await) }
    }))
    .await;
    let mut sent_away = 0;
    for (number, answer) in crowd.iter().filter(|(_, answer)| answer.status == 503) {
        let page = answer.page();
        assert_ne!(answer.header("retry-after"), "");
        assert_eq!(page.value("username"), format!("writer-{number}"));
        assert_eq!(page.value("email"), format!("writer-{number}@example.org"));
        assert_eq!(page.value("password"), "");
        sent_away += 1;
    }
    assert!(sent_away > 0, "a hundred are more than the lane takes");
    assert!(crowd.iter().all(|(_, answer)| [303, 503].contains(&answer.status)));
    let made = crowd.iter().filter(|(_, answer)| answer.status == 303).count();
    assert_eq!(site.count("SELECT COUNT(*) FROM users").await, i64::try_from(made).expect("few"));
}

#[tokio::test]
async fn a_request_under_way_is_answered_when_the_site_is_told_to_stop() {
    let byline = Byline::in_an_empty_folder();
    let served = byline.serve(&[]).await;
    let mut ada = Client::browser(served.address, false);
    ada.sign_up("ada").await;
    let idle = TcpStream::connect(served.address).await.expect("a connection");
    let slow = ada.as_script().submit_slowly("/api/create_post").await;
    slow.write("title=Last&");
    served.ask_to_stop().await;
    in_time("new connections to be refused", async {
        while TcpStream::connect(served.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    slow.write("content=words");
    let answer = slow.finish().await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    served.ended().await;
    drop(idle);

    let served = byline.serve(&[]).await;
    let mut reader = Client::browser(served.address, false);
    assert_eq!(reader.page("/").await.texts("article h2"), ["Last"], "what was acknowledged is stored");
    served.terminate().await;
}

#[tokio::test]
async fn a_client_that_goes_away_leaves_nothing_half_done() {
    let site = Running::start().await;
    let ada = site.author("ada").await.as_script();
    let before = site.dump().await;
    let slow = ada.submit_slowly("/api/create_post").await;
    slow.write("title=Half&content=");
    slow.hang_up().await;
    assert_eq!(ada.clone().get("/api/my_posts").await.status, 200);
    assert_eq!(site.dump().await, before);
    let request = ada.request(Method::POST, "/api/create_post").body(Body::from("title=Whole"));
    assert_eq!(ada.clone().send(request.expect("a request")).await.status, 200);
}

/// Counts for as long as it may run.
const ENDLESS: &str = "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers) SELECT COUNT(*) FROM numbers";

async fn count_without_end(db: &mut Db) -> Result<i64, AppError> {
    Ok(match db {
        Db::Sqlite(db) => sqlx::query_scalar(ENDLESS).fetch_one(&mut **db).await?,
        Db::Postgres(db) => sqlx::query_scalar(ENDLESS).fetch_one(db.statements()).await?,
    })
}

#[tokio::test]
async fn a_search_without_end_is_ended_and_the_next_has_its_own_time() {
    let site = Running::start().await;
    let database = &site.site.database;
    let mut db = database.read().await.expect("a connection");
    let outcome = in_time("the statement to end", db.in_time(count_without_end)).await;
    assert!(matches!(outcome, Err(AppError::Busy { .. })), "{outcome:?}");
    drop(db);
    // Given up by whoever asked, on as many connections as there are: none is
    // lost, and none keeps the deadline of another.
    for _ in 0..4 {
        let mut db = database.read().await.expect("a connection");
        let given_up = tokio::time::timeout(Duration::from_millis(10), db.in_time(count_without_end)).await;
        assert!(given_up.is_err(), "it has no end");
    }
    let alive = async || site.script().get("/api/list_posts").await.status == 200;
    until("the site to read again", alive).await;
}
