//! One client takes everything and gives nothing back, and the others notice nothing
//! (security rows L2, L6 and L7).
//!
//! All of them come from one address, so the site must tell them apart by what they
//! do.

use std::net::SocketAddr;

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

use crate::support::{Byline, Client, Running, in_time, until};

/// A connection on which this was sent.
async fn sent(address: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(bytes).await.expect("it is sent");
    stream
}

/// The first of an answer, empty where the connection was closed.
async fn heard(stream: &mut TcpStream) -> String {
    let mut said = Vec::new();
    let mut piece = [0; 4096];
    let reading = async {
        while !said.windows(4).any(|end| end == b"\r\n\r\n") {
            match stream.read(&mut piece).await {
                Ok(0) | Err(_) => break,
                Ok(read) => said.extend_from_slice(&piece[..read]),
            }
        }
    };
    in_time("an answer", reading).await;
    String::from_utf8_lossy(&said).into_owned()
}

/// The head of a request that announces so many bytes and sends fewer.
fn post(path: &str, bytes: usize) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nAccept: application/json\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {bytes}\r\n\r\n"
    )
}

/// Reads what no memory holds, signs up, publishes, and asks for health.
async fn assert_serves(address: SocketAddr, username: &str) {
    let mut polite = Client::browser(address, false);
    for path in ["/livez", "/readyz", "/", "/login", "/posts/none", "/api/list_posts"] {
        let answer = polite.get(path).await;
        assert!([200, 404].contains(&answer.status), "{path}: {} {}", answer.status, answer.text());
    }
    assert_eq!(polite.sign_up(username).await.status, 303);
    polite.publish("Still here", "words").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_of_slow_bodies_takes_no_place_from_others() {
    let site = Running::start().await;
    let mut slow = Vec::new();
    for _ in 0..1060 {
        slow.push(sent(site.address, (post("/api/log_in", 1000) + "ident").as_bytes()).await);
    }
    assert_serves(site.address, "ada").await;
    drop(slow);
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_dropped() {
    let site = Running::start().await;
    let mut stream = sent(site.address, (post("/api/log_in", 1000) + "ident").as_bytes()).await;
    let said = heard(&mut stream).await;
    assert!(said.starts_with("HTTP/1.1 408"), "{said}");
}

#[tokio::test]
async fn a_sender_without_rights_is_refused_before_the_body() {
    let site = Running::start().await;
    let json = |more: &str| {
        post("/graphql", 1_000_000)
            .replace("application/x-www-form-urlencoded", "application/json")
            .replace("Host: x\r\n", &format!("Host: {}\r\n{more}", site.address))
    };
    let with = |path: &str, more: &str| {
        let own = format!("Host: {0}\r\n{more}Origin: http://{0}\r\n", site.address);
        post(path, 1_000_000).replace("Host: x\r\n", &own)
    };
    let wrong_sid = format!("Cookie: sid-{}=AAAAAAAAAAAAAAAAAAAAAA\r\n", site.address.port());
    for head in [
        with("/api/create_post", ""),
        with("/api/preview_post", ""),
        with("/api/update_post", &wrong_sid),
        with("/api/delete_post", "Authorization: Bearer a.b.c\r\n"),
        with("/my-posts/new", "Authorization: Bearer a.b.c\r\n"),
        with("/api/create_api_key", "x-api-key: byl_x\r\n"),
        with("/api/log_in", "x-api-key: byl_x\r\n"),
        json(""),
        json("Authorization: a.b.c\r\n"),
        json("x-api-key: byl_x\r\n"),
        json(&format!("{wrong_sid}Origin: http://{}\r\n", site.address)),
    ] {
        let said = heard(&mut sent(site.address, head.as_bytes()).await).await;
        assert!(said.starts_with("HTTP/1.1 401"), "{head}{said}");
    }
    let form = with("/account/api-keys", "").replace("application/json", "text/html");
    let said = heard(&mut sent(site.address, form.as_bytes()).await).await;
    assert!(
        said.starts_with("HTTP/1.1 303") && said.contains("location: /login?next=/account/api-keys"),
        "{said}"
    );
    let large = post("/api/log_in", 65 * 1024);
    let said = heard(&mut sent(site.address, large.as_bytes()).await).await;
    assert!(said.starts_with("HTTP/1.1 413"), "{said}");
}

#[tokio::test]
async fn the_sender_of_a_refused_large_body_gets_the_reason() {
    let site = Running::start().await;
    let mut stream = TcpStream::connect(site.address).await.expect("a connection");
    let whole = [post("/api/create_post", 1_200_000).into_bytes(), vec![b'x'; 1_200_000]].concat();
    in_time("the site to take all of it", stream.write_all(&whole)).await.expect("it is sent");
    let said = heard(&mut stream).await;
    assert!(said.starts_with("HTTP/1.1 401"), "{said}");
}

/// Of a process, in bytes.
fn peak_memory(pid: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its memory");
    1024 * peak.trim().trim_end_matches(" kB").parse::<usize>().expect("a number")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_that_are_held_open_share_a_budget() {
    let byline = Byline::in_an_empty_folder();
    let served = byline.serve(&[]).await;
    assert_serves(served.address, "ada").await;
    let before = peak_memory(served.pid());
    let (head, most) = (post("/my-posts/new", 1_250_000), vec![b'x'; 1_249_000]);
    let mut held = Vec::new();
    for _ in 0..400 {
        let mut stream = sent(served.address, head.replace("application/json", "text/html").as_bytes()).await;
        // The site takes it, or refuses it and hangs up.
        let _ = in_time("the site to take it", stream.write_all(&most)).await;
        held.push(stream);
    }
    assert_serves(served.address, "bob").await;
    let grown = peak_memory(served.pid()) - before;
    assert!(grown < 250 * 1024 * 1024, "{grown} bytes more");
    served.terminate().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_nobody_takes_share_a_budget() {
    let byline = Byline::in_an_empty_folder();
    let served = byline.serve(&[]).await;
    let mut ada = Client::browser(served.address, false);
    ada.sign_up("ada").await;
    for number in 0..15 {
        ada.publish(&format!("{number}"), &"\"".repeat(100_000)).await;
    }
    let query = json!({ "query": "{ listPosts(limit: 14) { items { content } } }" }).to_string();
    let sid = ada.sid().expect("a session").to_owned();
    let request = format!(
        "POST /graphql HTTP/1.1\r\nHost: x\r\nOrigin: http://x\r\nCookie: sid={sid}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{query}",
        query.len()
    );
    let before = peak_memory(served.pid());
    let (mut deaf, mut large) = (Vec::new(), 0);
    for _ in 0..150 {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4096).expect("a small window");
        let mut stream = socket.connect(served.address).await.expect("a connection");
        stream.write_all(request.as_bytes()).await.expect("it is sent");
        let said = heard(&mut stream).await;
        large += usize::from(said.starts_with("HTTP/1.1 200") && said.contains("content-length: 22"));
        deaf.push(stream);
    }
    assert!(large > 15, "{large} answers of 2.2 MB");
    assert_serves(served.address, "bob").await;
    let grown = peak_memory(served.pid()) - before;
    assert!(grown < 200 * 1024 * 1024, "{grown} bytes more");
    served.terminate().await;
}

/// So many connections that send nothing.
async fn idle(address: SocketAddr, count: usize) -> Vec<TcpStream> {
    let mut idle = Vec::new();
    for _ in 0..count {
        idle.push(TcpStream::connect(address).await.expect("a connection"));
    }
    idle
}

#[tokio::test]
async fn the_limit_of_descriptors_is_raised_at_the_start() {
    let byline = Byline::in_an_empty_folder();
    let served = byline.serve_in_shell(r#"ulimit -S -n 256; exec "$0" "$@""#, &[]).await;
    let mut idle = idle(served.address, 300).await;
    assert_serves(served.address, "ada").await;
    for stream in &mut idle {
        let said = stream.try_read(&mut [0; 1]).map_err(|error| error.kind());
        assert_eq!(said, Err(std::io::ErrorKind::WouldBlock), "it is still open");
    }
    let log = served.terminate().await;
    assert!(!log.contains("not accepted"), "{log}");
}

#[tokio::test]
async fn idle_connections_make_room_where_descriptors_are_few() {
    let byline = Byline::in_an_empty_folder();
    let served = byline.serve_in_shell(r#"ulimit -n 256; exec "$0" "$@""#, &[]).await;
    let mut ada = Client::browser(served.address, false).as_script();
    ada.sign_up("ada").await;
    let slow = ada.submit_slowly("/api/create_post").await;
    slow.write("title=Slow&");
    let mut idle = idle(served.address, 600).await;
    assert_serves(served.address, "bob").await;
    slow.write("content=words");
    assert_eq!(slow.finish().await.status, 200, "who is at work is not put out");
    let oldest = in_time("the oldest to be closed", idle[0].read(&mut [0; 1])).await;
    assert!(matches!(oldest, Ok(0) | Err(_)), "{oldest:?}");
    let log = served.terminate().await;
    assert!(!log.contains("not accepted"), "{log}");
}

#[tokio::test]
async fn a_target_that_is_no_path_is_refused_at_the_door() {
    let byline = Byline::in_an_empty_folder();
    let served = byline.serve(&[]).await;
    let long = format!("GET /{}", "x".repeat(9000));
    for target in [
        "GET evil.example:80",
        "GET evil.example",
        "CONNECT evil.example:80",
        "CONNECT /",
        "OPTIONS *",
        "GET *",
        "POST *",
        "GET ftp://evil.example/",
        "GET http://user@evil.example/",
        "GET /%",
        "GET /posts/%zz",
        "GET /posts/%ff",
        "POST /my-posts/%C3%28/edit",
        "GET /..",
        "GET /posts/%2e%2E",
        "GET /\\..\\x",
        "GET \\",
        "GET nothing",
        &long,
    ] {
        let request = format!("{target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let said = heard(&mut sent(served.address, request.as_bytes()).await).await;
        assert!(said.starts_with("HTTP/1.1 400"), "{target:.60}: {said}");
    }
    for (target, status) in [
        ("GET http://x/", 200),
        ("GET HTTP://x/login?next=/a", 200),
        ("GET http://x", 200),
        ("GET https://x/posts/none", 404),
        ("GET //", 404),
        ("GET //evil.example/posts", 404),
        ("GET /\\evil.example", 404),
        ("GET /posts//x", 404),
        ("GET /a%00b", 404),
        ("GET /posts/%2F", 404),
        ("GET /?%zz&%ff", 200),
        ("OPTIONS /", 405),
        ("GET /;?#", 404),
    ] {
        let request = format!("{target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let said = heard(&mut sent(served.address, request.as_bytes()).await).await;
        assert!(said.starts_with(&format!("HTTP/1.1 {status}")), "{target:.60}: {said}");
    }
    let log = served.terminate().await;
    assert!(!log.contains("panic"), "{log}");
}

#[tokio::test]
async fn every_signal_to_stop_lets_requests_end() {
    let byline = Byline::in_an_empty_folder();
    for signal in ["HUP", "QUIT", "INT", "TERM"] {
        let served = byline.serve(&[]).await;
        let mut ada = Client::browser(served.address, false);
        if signal == "HUP" {
            ada.sign_up("ada").await
        } else {
            ada.log_in("ada").await
        };
        let slow = ada.as_script().submit_slowly("/api/create_post").await;
        slow.write("title=Last&");
        served.signal(signal).await;
        until("new connections to be refused", async || TcpStream::connect(served.address).await.is_err())
            .await;
        slow.write("content=words");
        assert_eq!(slow.finish().await.status, 200, "{signal}");
        served.ended().await;
    }
}

#[tokio::test]
async fn a_site_that_was_started_by_nohup_outlives_its_terminal() {
    let byline = Byline::in_an_empty_folder();
    let served = byline.serve_in_shell(r#"trap '' HUP; exec "$0" "$@""#, &[]).await;
    served.signal("HUP").await;
    assert_serves(served.address, "ada").await;
    served.terminate().await;
}
