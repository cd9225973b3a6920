//! What the log contains, what it never contains, and that no request waits for it
//! (security rows O2 and L5).

use std::{collections::BTreeMap, io::Read};

use axum::{body::Body, http::Method};
use serde_json::Value;

use crate::support::{Byline, Client, Served, in_time};

const USERNAME: &str = "canary-author";
const PASSWORD: &str = "canary password 7b1f0c";
const WRONG_PASSWORD: &str = "canary mistake 55d01a";
const TITLE: &str = "canary title 9c40ab";
const TEXT: &str = "canary text e3d215";
const QUERY: &str = "canary-query-61f7";

/// Signs up, logs in, publishes and makes mistakes. Every request's id and
/// status, and the session ids and the API key that were made.
async fn a_busy_day(client: &mut Client) -> (BTreeMap<String, u16>, Vec<String>) {
    let email = format!("{USERNAME}@example.org");
    let account = [("username", USERNAME), ("email", email.as_str()), ("password", PASSWORD)];
    let right = [("identifier", USERNAME), ("password", PASSWORD)];
    let wrong = [("identifier", USERNAME), ("password", WRONG_PASSWORD)];
    let post = [("title", TITLE), ("content", TEXT)];
    let long = format!("{TITLE}{}", "x".repeat(200));
    let mut answers = vec![client.submit("/signup", &account).await];
    let mut made: Vec<_> = client.sid().map(str::to_owned).into_iter().collect();
    answers.push(client.submit("/signup", &account).await);
    answers.push(client.submit("/login", &wrong).await);
    answers.push(client.submit("/login", &right).await);
    made.extend(client.sid().map(str::to_owned));
    answers.push(client.submit("/my-posts/new", &post).await);
    answers.push(client.submit("/my-posts/new", &[("title", &long), ("content", TEXT)]).await);
    answers.push(client.as_script().submit("/api/create_post", &post).await);
    answers
        .push(client.as_script().post("/api/create_post", "application/json", format!("[\"{TEXT}\"]")).await);
    answers.push(client.as_script().submit("/api/create_post", &[("titel", TITLE), ("content", TEXT)]).await);
    answers.push(client.get(&format!("/?{QUERY}")).await);
    answers.push(client.get(&format!("/login?next=/{QUERY}")).await);
    answers.push(client.get("/nope").await);
    answers.push(client.get("/pkg/boot.js").await);
    answers.push(client.submit("/account/api-keys", &[("name", TITLE), ("days", "1")]).await);
    made.push(answers[answers.len() - 1].page().value_of("#new-key"));
    answers.push(client.submit("/logout", &[]).await);
    let named =
        answers.iter().map(|answer| (answer.header("x-request-id").to_owned(), answer.status)).collect();
    (named, made)
}

fn assert_silent_about_secrets(log: &str, made: &[String]) {
    assert_eq!(made.len(), 3);
    let secrets = [PASSWORD, WRONG_PASSWORD, TITLE, TEXT, QUERY].into_iter();
    for secret in secrets.chain(made.iter().map(String::as_str)) {
        for form in [secret.to_owned(), url::form_urlencoded::byte_serialize(secret.as_bytes()).collect()] {
            assert!(!log.contains(&form), "{form:?} stands in the log:\n{log}");
        }
    }
}

#[tokio::test]
async fn a_log_of_json_has_one_object_for_each_request() {
    let byline = Byline::in_an_empty_folder();
    let served = byline.serve(&["--log-format", "json"]).await;
    let (requests, made) = a_busy_day(&mut Client::browser(served.address, false)).await;
    let log = served.terminate().await;
    assert_silent_about_secrets(&log, &made);
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
        .collect();
    let logged: Vec<_> =
        lines.iter().map(|line| &line["fields"]).filter(|line| line["message"] == "request").collect();
    assert_eq!(logged.len(), requests.len(), "one line a request");
    for (id, status) in requests {
        let line = logged.iter().find(|line| line["id"] == id.as_str()).expect("a line for each request");
        assert_eq!(line["status"], status, "{line}");
        assert!(line["micros"].is_u64() && line["method"].is_string() && line["path"].is_string(), "{line}");
    }
}

#[tokio::test]
async fn a_log_of_text_has_one_line_for_each_request() {
    let byline = Byline::in_an_empty_folder();
    let served = byline.serve(&[]).await;
    let (requests, made) = a_busy_day(&mut Client::browser(served.address, false)).await;
    let log = served.terminate().await;
    assert_silent_about_secrets(&log, &made);
    assert!(!log.contains('\u{1b}'), "a log that is no terminal gets no colours:\n{log}");
    for (id, status) in requests {
        let lines: Vec<_> =
            log.lines().filter(|line| line.contains(&id) && line.contains("micros=")).collect();
        assert_eq!(lines.len(), 1, "{id}: {log}");
        assert!(lines[0].contains(&format!("status={status}")), "{}", lines[0]);
    }
}

#[tokio::test]
async fn a_program_that_writes_line_breaks_into_a_path_forges_no_log_line() {
    let byline = Byline::in_an_empty_folder();
    let served = byline.serve(&[]).await;
    Client::browser(served.address, false).get("/x%0A2026-01-01T00:00:00Z%20INFO%20forged").await;
    let log = served.terminate().await;
    assert!(!log.lines().any(|line| line.starts_with("2026-01-01T00:00:00Z INFO forged")), "{log}");
}

const FORMATS: [&str; 2] = ["text", "json"];

/// A reader, and a program that asks for what is not there, are answered.
async fn assert_answers(served: &Served, requests: usize) {
    let mut browser = Client::browser(served.address, false);
    for _ in 0..requests {
        assert_eq!(browser.get(&format!("/nope/{}", "x".repeat(300))).await.status, 404);
    }
    assert_eq!(browser.sign_up("ada").await.status, 303);
    assert_eq!(browser.signed_in_as().await.as_deref(), Some("ada"));
}

#[tokio::test]
async fn a_log_on_a_full_disk_is_lost_and_every_request_answered() {
    for format in FORMATS {
        let byline = Byline::in_an_empty_folder();
        let script = r#"exec "$0" "$@" 2>/dev/full"#;
        let served = byline.serve_in_shell(script, &["--log-format", format]).await;
        assert_answers(&served, 3).await;
        served.terminate().await;
    }
}

#[tokio::test]
async fn a_log_that_was_closed_before_the_start_stops_nothing() {
    for format in FORMATS {
        let byline = Byline::in_an_empty_folder();
        let script = r#"exec "$0" "$@" 2>&-"#;
        let served = byline.serve_in_shell(script, &["--log-format", format]).await;
        assert_answers(&served, 3).await;
        served.terminate().await;
    }
}

#[tokio::test]
async fn a_log_whose_reader_has_left_is_lost_and_every_request_answered() {
    for format in FORMATS {
        let byline = Byline::in_an_empty_folder();
        let (reader, writer) = std::io::pipe().expect("a pipe");
        let served = byline.serve_logging_to(writer.into(), &["--log-format", format]).await;
        drop(reader);
        assert_answers(&served, 3).await;
        served.terminate().await;
    }
}

#[tokio::test]
async fn a_log_that_nobody_reads_holds_up_no_request_and_is_whole_when_it_is_read() {
    for format in FORMATS {
        let byline = Byline::in_an_empty_folder();
        let (mut reader, writer) = std::io::pipe().expect("a pipe");
        let served = byline.serve_logging_to(writer.into(), &["--log-format", format]).await;
        // More than a pipe takes, which is 64 KiB.
        assert_answers(&served, 400).await;
        let reading = tokio::task::spawn_blocking(move || {
            let mut log = String::new();
            reader.read_to_string(&mut log).map(|_| log)
        });
        served.terminate().await;
        let log = in_time("the end of the log", reading).await.expect("it is read").expect("UTF-8");
        assert_eq!(log.lines().filter(|line| line.contains("/nope/x")).count(), 400);
        assert!(!log.contains("lost"), "{log}");
    }
}

#[tokio::test]
async fn a_log_that_nobody_reads_does_not_keep_the_site_from_ending() {
    let byline = Byline::in_an_empty_folder();
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let served = byline.serve_logging_to(writer.into(), &[]).await;
    assert_answers(&served, 400).await;
    served.terminate().await;
    drop(reader);
}

#[tokio::test]
async fn what_a_stranger_chooses_stands_in_the_log_cut() {
    for format in FORMATS {
        let byline = Byline::in_an_empty_folder();
        let served = byline.serve(&["--log-format", format]).await;
        let mut client = Client::browser(served.address, false);
        client.get(&format!("/{}", "x".repeat(15_000))).await;
        client.get(&format!("/posts/{}", "%F0%9F%96%8B".repeat(1000))).await;
        let method = Method::from_bytes("M".repeat(5000).as_bytes()).expect("a method");
        client.send(client.request(method, "/").body(Body::empty()).expect("a request")).await;
        let log = served.terminate().await;
        let requests: Vec<_> = log.lines().filter(|line| line.contains("micros")).collect();
        assert_eq!(requests.len(), 3, "{log}");
        assert!(requests.iter().all(|line| line.len() < 1000), "{log}");
    }
}
