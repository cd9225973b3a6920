//! Queries by `GET /graphql` (GraphQL over HTTP, 5.3): with a key or a token,
//! never by a cookie, and never a change.

use axum::{body::Body, http::Method};
use byline::config::ConflictDetection;
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::support::{Answer, Client, Credential, Running, until};

const SPECIFICATION: &str = "application/graphql-response+json";
const LIST: &str = "query List($limit: Int) { listPosts(limit: $limit) { items { id title } } }";

/// A site, ada's browser with her session, her token and an API key.
async fn site() -> (Running, Client, Credential, Credential) {
    let site = Running::start_with(|config| config.conflict_detection = ConflictDetection::Off).await;
    let ada = site.author("ada").await;
    let (key, _) = site.api_key_of(&ada).await;
    let token = site.token_of("ada").await;
    (site, ada, token, key)
}

fn address(parameters: &[(&str, &str)]) -> String {
    format!("/graphql?{}", form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish())
}

async fn send(site: &Running, by: &Credential, method: Method, address: &str) -> Answer {
    site.exchange(by.request(site, method, address).body(Body::empty()).expect("a request")).await
}

async fn get(site: &Running, by: &Credential, parameters: &[(&str, &str)]) -> Answer {
    send(site, by, Method::GET, &address(parameters)).await
}

fn assert_refused(answer: &Answer, status: u16, words: &str) {
    let body = answer.json();
    assert_eq!(answer.status, status, "{body}");
    assert_eq!(answer.header("cache-control"), "no-store", "{body}");
    assert!(answer.headers.get("etag").is_none(), "{body}");
    assert!(
        body["errors"][0]["message"].as_str().is_some_and(|said| said.contains(words)),
        "{words}: {body}"
    );
}

#[tokio::test]
async fn a_program_asks_by_get_and_is_answered_as_by_post() {
    let (site, mut ada, token, key) = site().await;
    for title in ["One", "Two"] {
        ada.publish(title, "Text").await;
    }
    let variables = json!({ "limit": 1 });
    for by in [&key, &token] {
        for accept in ["*/*", SPECIFICATION, "application/graphql-response+json, application/json;q=0.9"] {
            let by = by.clone().with("accept", accept);
            let posted = site.graphql_with(&by, LIST, variables.clone()).await;
            for parameters in [
                vec![("query", LIST), ("variables", r#"{"limit":1}"#)],
                vec![
                    ("query", LIST),
                    ("variables", r#"{"limit":1}"#),
                    ("operationName", "List"),
                    ("extensions", "{}"),
                ],
                vec![("v", "2"), ("operationName", ""), ("variables", r#"{"limit":1}"#), ("query", LIST)],
            ] {
                let answer = get(&site, &by, &parameters).await;
                assert_eq!((answer.status, answer.text()), (200, posted.text()), "{}", by.name);
                assert_eq!(answer.header("content-type"), posted.header("content-type"));
                assert_eq!(answer.header("x-amzn-requestid"), answer.header("x-request-id"));
            }
        }
    }
    for nothing in ["", "null", "{}"] {
        let answer =
            get(&site, &key, &[("query", LIST), ("variables", nothing), ("extensions", nothing)]).await;
        assert_eq!(
            answer.json()["data"]["listPosts"]["items"].as_array().map(Vec::len),
            Some(2),
            "{nothing:?}"
        );
    }
    let several = "query A { me { username } } mutation B { deletePost(input: { id: \"x\" }) { id } }";
    let answer = get(&site, &token, &[("query", several), ("operationName", "A")]).await;
    assert_eq!(answer.json(), json!({ "data": { "me": { "username": "ada" } } }));
}

#[tokio::test]
async fn nothing_is_changed_and_nothing_subscribed_to_by_get() {
    let (site, mut ada, token, key) = site().await;
    let post = ada.publish("Title", "Text").await;
    let before = site.dump().await;
    let delete = format!("mutation D {{ deletePost(input: {{ id: \"{post}\" }}) {{ id }} }}");
    let several = format!("query Q {{ me {{ id }} }} {delete}");
    let subscription = "subscription S { onCreatePost { id } }";
    for by in [&token, &key] {
        for method in [Method::GET, Method::HEAD] {
            for parameters in [
                vec![("query", delete.as_str())],
                vec![("query", delete.as_str()), ("operationName", "D")],
                vec![("query", several.as_str()), ("operationName", "D")],
            ] {
                let answer = send(&site, by, method.clone(), &address(&parameters)).await;
                assert_eq!((answer.status, answer.header("allow")), (405, "POST"), "{method} {parameters:?}");
                assert_eq!(answer.header("x-amzn-errortype"), "MalformedHttpRequestException");
                assert_eq!(answer.header("cache-control"), "no-store");
            }
        }
        assert_refused(&get(&site, by, &[("query", &delete)]).await, 405, "POST");
        assert_refused(&get(&site, by, &[("query", subscription)]).await, 400, "WebSocket");
        // Which is meant is not clear, and one of them changes something.
        for parameters in
            [vec![("query", several.as_str())], vec![("query", several.as_str()), ("operationName", "X")]]
        {
            assert_eq!(get(&site, by, &parameters).await.status, 405);
        }
    }
    assert_eq!(site.dump().await, before);
}

#[tokio::test]
async fn a_cookie_does_not_count_by_get() {
    let (site, ada, token, key) = site().await;
    let query = [("query", "{ me { username } }")];
    for by in [
        Credential::none(),
        Credential::session(&ada),
        Credential::cookie(&ada),
        Credential::session(&ada).with("authorization", "Basic YTpi"),
    ] {
        assert_refused(&get(&site, &by, &query).await, 401, "Valid authorization header not provided.");
        assert_refused(&send(&site, &by, Method::GET, "/graphql").await, 401, "Valid authorization");
    }
    for by in [Credential::token("a.b.c"), Credential::api_key("byl_wrong")] {
        let by = by.beside(&Credential::session(&ada));
        assert_refused(&get(&site, &by, &query).await, 401, "");
    }
    let answer = get(&site, &key.beside(&Credential::session(&ada)), &query).await;
    assert_eq!(answer.json(), json!({ "data": { "me": null } }), "the key alone counts");
    let answer = get(&site, &token.beside(&Credential::session(&ada)), &query).await;
    assert_eq!(answer.cookies().count(), 0);
}

#[tokio::test]
async fn an_address_that_is_no_request_is_refused_in_words() {
    let (site, _, token, _) = site().await;
    let q = "query=%7B__typename%7D";
    for (query, words) in [
        (String::new(), "query is missing"),
        ("query".to_owned(), "Validation error"),
        ("operationName=A".to_owned(), "query is missing"),
        (format!("{q}&{q}"), "query twice"),
        (format!("{q}&variables=%7B%7D&variables=%7B%7D"), "variables twice"),
        (format!("{q}&variables=%7B"), "variables as JSON"),
        (format!("{q}&variables=x"), "variables as JSON"),
        (format!("{q}&variables=%5B1%5D"), "GraphQL over HTTP"),
        (format!("{q}&variables=1"), "GraphQL over HTTP"),
        (format!("{q}&extensions=%22x%22"), "GraphQL over HTTP"),
        (format!("{q}&extensions=%7B"), "extensions as JSON"),
        (format!("{q}&variables={}", "%5B".repeat(5000)), "variables as JSON"),
        (
            "query=%7BlistPosts(filter:%7Btitle:%7Beq:%22%FF%22%7D%7D)%7Bitems%7Bid%7D%7D%7D".to_owned(),
            "UTF-8",
        ),
        (format!("{q}&variables=%7B%22x%22:%22%FF%22%7D"), "UTF-8"),
    ] {
        for accept in ["application/json", SPECIFICATION] {
            let answer =
                send(&site, &token.clone().with("accept", accept), Method::GET, &format!("/graphql?{query}"))
                    .await;
            if words == "Validation error" {
                assert_eq!(
                    answer.status,
                    if accept == SPECIFICATION { 400 } else { 200 },
                    "{}",
                    answer.text()
                );
                continue;
            }
            assert_refused(&answer, 400, words);
            assert_eq!(answer.header("content-type"), format!("{accept}; charset=utf-8"));
            assert_eq!(answer.header("x-amzn-errortype"), "MalformedHttpRequestException");
        }
    }
    // The character itself is one like any other.
    let answer = get(
        &site,
        &token,
        &[("query", "{ listPosts(filter: { title: { eq: \"\u{fffd}\" } }) { nextToken } }")],
    )
    .await;
    assert_eq!((answer.status, answer.json()["data"]["listPosts"]["nextToken"].clone()), (200, Value::Null));
    let large = format!("{{ {} }}", "__typename ".repeat(2000));
    let answer = get(&site, &token, &[("query", &large)]).await;
    assert_eq!(answer.header("x-amzn-errortype"), "QueryTooLarge");
}

#[tokio::test]
async fn a_cache_revalidates_an_answer_and_mixes_no_callers() {
    let (site, mut ada, token, key) = site().await;
    ada.publish("One", "Text").await;
    let query = [("query", LIST)];
    let first = get(&site, &key, &query).await;
    let etag = first.header("etag").to_owned();
    assert!(etag.starts_with("W/\"") && etag.len() > 20, "{etag}");
    let assert_private = |answer: &Answer| {
        assert_eq!(answer.header("cache-control"), "private, no-cache");
        let varies: Vec<_> =
            answer.headers.get_all("vary").iter().map(|value| value.to_str().expect("text")).collect();
        let varies = varies.join(", ");
        for name in ["authorization", "x-api-key", "accept", "origin"] {
            assert!(varies.split(", ").any(|varies| varies == name), "{name}: {varies}");
        }
    };
    assert_private(&first);
    for known in [etag.clone(), format!("\"x\", {}", etag.trim_start_matches("W/")), "*".to_owned()] {
        for method in [Method::GET, Method::HEAD] {
            let by = key.clone().with("if-none-match", &known);
            let answer = send(&site, &by, method, &address(&query)).await;
            assert_eq!((answer.status, answer.body.len(), answer.header("etag")), (304, 0, etag.as_str()));
            assert_eq!(answer.header("access-control-allow-origin"), "*");
            assert_private(&answer);
        }
    }
    let head = send(&site, &key, Method::HEAD, &address(&query)).await;
    assert_eq!((head.status, head.body.len(), head.header("etag")), (200, 0, etag.as_str()));
    assert_eq!(head.header("content-length"), first.body.len().to_string());
    assert_eq!(head.header("content-type"), first.header("content-type"));

    // The other kind of JSON, another caller's, a change: each is another answer.
    let knowing = |by: &Credential| by.clone().with("if-none-match", &etag);
    let other = get(&site, &knowing(&token), &[("query", "{ me { username } }")]).await;
    assert_eq!(other.status, 200);
    ada.publish("Two", "Text").await;
    let changed = get(&site, &knowing(&key), &query).await;
    assert_eq!(changed.status, 200);
    assert_ne!(changed.header("etag"), etag);
    // Who is no longer let in is not told that nothing has changed.
    let etag = changed.header("etag").to_owned();
    site.tamper("DELETE FROM api_keys").await;
    let knowing = key.clone().with("if-none-match", &etag);
    until("the key to be refused", async || get(&site, &knowing, &query).await.status != 304).await;
    let answer = get(&site, &knowing, &query).await;
    assert_refused(&answer, 401, "not authorized");

    // What failed is asked for again.
    let refused = get(&site, &token, &[("query", "{ myPosts(first: 0) { nodes { id } } nope }")]).await;
    assert_eq!(refused.header("cache-control"), "no-store");
    // What is posted is kept by nobody.
    let posted = site.graphql(&token, "{ me { username } }").await;
    assert_eq!(posted.header("cache-control"), "no-store");
    assert!(posted.headers.get("etag").is_none());
}

#[tokio::test]
async fn a_websocket_address_names_the_methods_and_the_upgrade_that_it_accepts() {
    let (site, _, token, _) = site().await;
    let broken = token.clone().with("upgrade", "websocket");
    for (by, path) in [(&token, "/graphql/realtime"), (&broken, "/graphql/realtime"), (&broken, "/graphql")] {
        let answer = send(&site, by, Method::GET, path).await;
        assert_eq!((answer.status, answer.header("upgrade")), (426, "websocket"), "{path}");
        assert_eq!(answer.header("sec-websocket-version"), "13");
    }
    let answer = send(&site, &token, Method::POST, "/graphql/realtime").await;
    assert_eq!((answer.status, answer.header("allow")), (405, "GET, OPTIONS"));
}
