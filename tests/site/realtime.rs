//! Subscriptions over WebSockets, by both protocols.

use axum::{body::Body, http::Method};
use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use byline::{
    accounts::domain::api_keys,
    credentials::{Actor, api_key::ApiKeyId},
    error::AppError,
    posts::{
        Content, Title,
        domain::{PostText, service},
        events::{Event, EventKind},
    },
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

use crate::support::{
    Client, Credential, Heard, Probe, Running, Several, Socket, in_time, postgres_database,
    tokens::{key_of, parts, signed},
};

const ON_CREATE: &str = "subscription OnCreatePost { onCreatePost { id title owner __typename } }";
const ON_DELETE: &str = "subscription { onDeletePost { id title content owner } }";

fn with_key(key: &str) -> Value {
    json!({ "host": "byline.example", "x-api-key": key })
}

fn with_token(token: &str) -> Value {
    json!({ "Authorization": token, "host": "byline.example" })
}

/// An author with a browser and a token.
async fn author(site: &Running, username: &str) -> (Client, String) {
    let mut browser = site.author(username).await;
    let token = browser.tokens(username).await.access;
    (browser, token)
}

fn started(id: &str) -> Value {
    json!({ "type": "start_ack", "id": id })
}

fn created(said: &Value) -> &str {
    said["payload"]["data"]["onCreatePost"]["title"].as_str().unwrap_or_else(|| panic!("no post: {said}"))
}

#[tokio::test]
async fn clients_of_every_version_connect_and_get_new_posts() {
    let site = Running::start().await;
    let (mut ada, _) = author(&site, "ada").await;
    let key = site.public_key().await.key;
    let in_address = BASE64_STANDARD.encode(with_key(&key).to_string());
    let in_address: String = url::form_urlencoded::byte_serialize(in_address.as_bytes()).collect();
    for path in ["/graphql", "/graphql/realtime"] {
        let path = format!("{path}?header={in_address}&payload=e30=");
        let mut old = Socket::try_open(&ada, &path, "graphql-ws", &[]).await.expect("it opens");
        old.begin().await;
        assert_eq!(old.start("1", ON_CREATE, &with_key(&key)).await, started("1"));
        let post = ada.publish("PostEvent", "Text").await;
        let told = json!({ "id": post, "title": "PostEvent", "owner": "ada", "__typename": "Post" });
        let data = json!({ "type": "data", "id": "1", "payload": { "data": { "onCreatePost": told } } });
        assert_eq!(old.said().await, data);
        old.say(json!({ "id": "1", "type": "stop" })).await;
        assert_eq!(old.said().await, json!({ "type": "complete", "id": "1" }));
        assert_eq!(old.start("2", ON_CREATE, &with_key(&key)).await, started("2"));
        for title in ["Second", "Third"] {
            ada.publish(title, "").await;
        }
        for title in ["Second", "Third"] {
            let said = old.said().await;
            assert_eq!((said["id"].as_str(), created(&said)), (Some("2"), title), "the first has stopped");
        }
    }
    let mut new = Socket::appsync(&ada, &with_key(&key)).await;
    assert_eq!(new.start("a", ON_CREATE, &with_key(&key)).await, started("a"));
    ada.publish("More news", "").await;
    assert_eq!(created(&new.said().await), "More news");
}

/// gql for Python names AppSync's `graphql-ws` first, by which it means the
/// protocol that had this name before.
#[tokio::test]
async fn a_client_that_offers_graphql_transport_ws_gets_it() {
    let site = Running::start().await;
    let reader = site.browser();
    let key = site.public_key().await.key;
    let (appsync, transport) = ("graphql-ws", "graphql-transport-ws");
    for (offered, chosen) in [
        ("graphql-ws, graphql-transport-ws", transport),
        ("graphql-transport-ws, graphql-ws", transport),
        ("graphql-ws,mqtt,graphql-transport-ws", transport),
        (appsync, appsync),
        ("graphql-ws, graphql-transport-ws2", appsync),
    ] {
        for path in ["/graphql", "/graphql/realtime"] {
            let mut socket = Socket::try_open(&reader, path, offered, &[]).await.expect("it opens");
            socket.say(json!({ "type": "connection_init", "payload": with_key(&key) })).await;
            let said = socket.said().await;
            // AppSync's acknowledgement has a payload.
            let spoken = if said.get("payload").is_some() { appsync } else { transport };
            assert_eq!((said["type"].as_str(), spoken), (Some("connection_ack"), chosen), "{path} {offered}");
        }
    }
    for (lines, chosen) in [
        (vec![" mqtt ,\tgraphql-ws ,  graphql-transport-ws,"], Some(transport)),
        (vec!["graphql-ws", "graphql-transport-ws"], Some(transport)),
        (vec!["graphql-transport-ws", "graphql-ws"], Some(transport)),
        (vec!["header-e30, graphql-ws", "", "mqtt, graphql-transport-ws"], Some(transport)),
        (vec!["mqtt", "graphql-ws, header-e30"], Some(appsync)),
        // Names have case.
        (vec!["GRAPHQL-TRANSPORT-WS, graphql-ws"], Some(appsync)),
        (vec!["graphql-transport-WS"], None),
        (vec![",", "mqtt"], None),
        (vec![], None),
    ] {
        let request = Credential::none().request(&site, Method::GET, "/graphql");
        let request = request
            .header("connection", "keep-alive, Upgrade")
            .header("upgrade", "WebSocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        let request =
            lines.iter().fold(request, |request, line| request.header("sec-websocket-protocol", *line));
        let answer = site.exchange(request.body(Body::empty()).expect("a request")).await;
        let status = if chosen.is_some() { 101 } else { 400 };
        assert_eq!(answer.status, status, "{lines:?}: {}", answer.text());
        assert_eq!(answer.header("sec-websocket-protocol"), chosen.unwrap_or_default(), "{lines:?}");
    }
}

/// gql for Python 4 finds the name of the subprotocol by these letters alone.
#[tokio::test]
async fn the_answer_to_an_upgrade_keeps_the_case_of_the_clients_header_names() {
    let site = Running::start().await;
    for name in ["Sec-WebSocket-Protocol", "sec-websocket-protocol", "SEC-WEBSOCKET-PROTOCOL"] {
        let mut stream = TcpStream::connect(site.address).await.expect("a connection");
        let request = format!(
            "GET /graphql HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             {name}: graphql-ws, graphql-transport-ws\r\n\r\n",
            site.address
        );
        stream.write_all(request.as_bytes()).await.expect("the site listens");
        let mut answer = String::new();
        let mut lines = BufReader::new(stream);
        while !answer.ends_with("\r\n\r\n") {
            let read = in_time("the head of the answer", lines.read_line(&mut answer)).await;
            assert_ne!(read.expect("text"), 0, "{answer}");
        }
        assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
        assert!(answer.contains(&format!("\r\n{name}: graphql-transport-ws\r\n")), "{answer}");
        assert!(answer.to_ascii_lowercase().contains("\r\nx-request-id: "), "{answer}");
    }
}

#[tokio::test]
async fn every_start_is_authorized_by_its_own_credential() {
    let site = Running::start().await;
    let (mut ada, ada_token) = author(&site, "ada").await;
    let (mut bob, bob_token) = author(&site, "bob").await;
    let key = site.public_key().await.key;
    let mut socket = Socket::appsync(&ada, &with_key(&key)).await;
    assert_eq!(socket.start("ada", ON_CREATE, &with_token(&ada_token)).await, started("ada"));
    assert_eq!(socket.start("key", ON_CREATE, &with_key(&key)).await, started("key"));

    let of_another = "subscription { onCreatePost(owner: \"ada\") { id } }";
    let denied = json!({ "errorType": "Unauthorized", "message": "Not Authorized to access onCreatePost on type Subscription" });
    assert_eq!(
        socket.start("bob", of_another, &with_token(&bob_token)).await,
        json!({ "type": "error", "id": "bob", "payload": { "errors": [denied] } })
    );
    for (credential, message) in [
        (with_token("a.b.c"), "Unable to parse JWT token."),
        (with_key("byl_wrong"), "You are not authorized to make this call."),
    ] {
        let refused = socket.start("bad", ON_CREATE, &credential).await;
        let error = json!({ "errorType": "UnauthorizedException", "message": message });
        assert_eq!(refused, json!({ "type": "error", "id": "bad", "payload": { "errors": [error] } }));
    }

    bob.publish("By Bob", "").await;
    let said = socket.said().await;
    assert_eq!((said["id"].as_str(), created(&said)), (Some("key"), "By Bob"), "Ada hears of her own alone");
    ada.publish("By Ada", "").await;
    let mut told = [socket.said().await, socket.said().await].map(|said| said["id"].clone());
    told.sort_by_key(Value::to_string);
    assert_eq!(told, [json!("ada"), json!("key")]);
}

#[tokio::test]
async fn a_bad_credential_is_refused_after_the_connection_opened() {
    let site = Running::start().await;
    let reader = site.browser();
    for credential in [with_key("byl_wrong"), with_token("a.b.c"), json!({ "host": "h" }), json!(null)] {
        let encoded = BASE64_STANDARD.encode(credential.to_string());
        let path = format!("/graphql/realtime?header={}", encoded.replace('+', "%2B").replace('=', "%3D"));
        let mut socket = Socket::try_open(&reader, &path, "graphql-ws", &[]).await.expect("it opens");
        socket.say(json!({ "type": "connection_init" })).await;
        let said = socket.said().await;
        assert_eq!(said["type"], "connection_error", "{said}");
        let error = &said["payload"]["errors"][0];
        assert_eq!(error["errorType"], "UnauthorizedException", "{said}");
        assert_eq!(error["errorCode"], 401, "{said}");
        assert_eq!(socket.hear().await, Heard::Closed(Some(4403)));
    }
    assert_eq!(
        Socket::try_open(&reader, "/graphql", "mqtt", &[]).await.err(),
        Some(400),
        "no protocol of ours"
    );
}

#[tokio::test]
async fn a_filter_and_the_kind_of_change_decide_what_is_heard() {
    let site = Running::start().await;
    let (mut ada, token) = author(&site, "ada").await;
    let key = site.public_key().await.key;
    let mut socket = Socket::transport(&ada, json!({ "x-api-key": key })).await;
    socket.subscribe("long", "subscription { onCreatePost(filter: {title: {beginsWith: \"A\"}, owner: {eq: \"ada\"}}) { title } }").await;
    socket.subscribe("gone", ON_DELETE).await;
    socket.subscribe("edits", "subscription { onUpdatePost { title content owner } }").await;

    ada.publish("Beta", "").await;
    let post = ada.publish("Alpha", "Once").await;
    let next = |id: &str, field: &str, post: Value| json!({ "type": "next", "id": id, "payload": { "data": { field: post } } });
    assert_eq!(socket.said().await, next("long", "onCreatePost", json!({ "title": "Alpha" })));

    let mut program = site.script();
    let update = "mutation($input: UpdatePostInput!) { updatePost(input: $input) { id } }";
    let request = program
        .request(axum::http::Method::POST, "/graphql")
        .header("content-type", "application/json")
        .header("authorization", &token);
    let body = json!({ "query": update, "variables": { "input": { "id": post, "content": "Twice" } } });
    let answer = program.send(request.body(body.to_string().into()).expect("a request")).await;
    assert_eq!(answer.json()["data"]["updatePost"]["id"], json!(post), "{}", answer.text());
    let told = json!({ "title": "Alpha", "content": "Twice", "owner": "ada" });
    assert_eq!(socket.said().await, next("edits", "onUpdatePost", told));

    assert_eq!(ada.submit(&format!("/posts/{post}/delete"), &[]).await.status, 303);
    let told = json!({ "id": post, "title": "Alpha", "content": "Twice", "owner": "ada" });
    assert_eq!(socket.said().await, next("gone", "onDeletePost", told), "as it was before it was deleted");
}

#[tokio::test]
async fn a_page_of_this_site_subscribes_with_its_session_and_a_foreign_page_does_not() {
    let site = Running::start().await;
    let (mut ada, _) = author(&site, "ada").await;
    let cookie = ada.sid_pair().expect("a session");
    let own = format!("http://{}", ada.address());
    let other_scheme = format!("https://{}", ada.address());
    let open = async |origin: Option<&str>| {
        let mut headers = vec![("cookie", cookie.as_str())];
        headers.extend(origin.map(|origin| ("origin", origin)));
        let mut socket =
            Socket::try_open(&ada, "/graphql", "graphql-transport-ws", &headers).await.expect("it opens");
        socket.say(json!({ "type": "connection_init" })).await;
        socket
    };
    for foreign in [Some("https://evil.example"), Some(other_scheme.as_str()), Some("null"), None] {
        assert_eq!(open(foreign).await.hear().await, Heard::Closed(Some(4403)), "{foreign:?}");
    }
    // What is said twice, or against each other, is not believed.
    for more in [
        [("origin", own.as_str()), ("origin", "https://evil.example")],
        [("sec-fetch-site", "same-origin"), ("origin", "https://evil.example")],
        [("sec-fetch-site", "cross-site"), ("origin", own.as_str())],
    ] {
        let headers = [vec![("cookie", cookie.as_str())], more.to_vec()].concat();
        let mut socket =
            Socket::try_open(&ada, "/graphql", "graphql-transport-ws", &headers).await.expect("it opens");
        socket.say(json!({ "type": "connection_init" })).await;
        assert_eq!(socket.hear().await, Heard::Closed(Some(4403)), "{more:?}");
    }
    // Beside a credential that cannot be read, the session counts for nothing.
    for (path, more) in [
        ("/graphql?header=bnVsbA", vec![]),
        ("/graphql?header=%21", vec![]),
        ("/graphql", vec![("authorization", "Basic eA=="), ("authorization", "Bearer a.b.c")]),
        ("/graphql", vec![("x-api-key", "byl_wrong")]),
    ] {
        let headers = [vec![("cookie", cookie.as_str()), ("origin", own.as_str())], more].concat();
        let mut socket =
            Socket::try_open(&ada, path, "graphql-transport-ws", &headers).await.expect("it opens");
        socket.say(json!({ "type": "connection_init" })).await;
        assert_eq!(socket.hear().await, Heard::Closed(Some(4403)), "{path} {headers:?}");
    }
    let headers = [("cookie", cookie.as_str()), ("origin", own.as_str())];
    let mut socket =
        Socket::try_open(&ada, "/graphql", "graphql-transport-ws", &headers).await.expect("it opens");
    socket.say(json!({ "type": "connection_init", "payload": with_token("a.b.c") })).await;
    assert_eq!(socket.hear().await, Heard::Closed(Some(4403)), "nor beside one that comes later");
    let mut socket = open(Some(&own)).await;
    assert_eq!(socket.said().await, json!({ "type": "connection_ack" }));
    socket.subscribe("1", ON_CREATE).await;
    ada.publish("Mine", "").await;
    assert_eq!(created(&socket.said().await), "Mine");
}

#[tokio::test]
async fn a_program_may_query_over_the_connection_and_mistakes_end_the_operation_alone() {
    let site = Running::start().await;
    let (mut ada, token) = author(&site, "ada").await;
    let mut socket = Socket::transport(&ada, json!({ "Authorization": format!("Bearer {token}") })).await;
    let subscribe =
        |id: &str, query: &str| json!({ "id": id, "type": "subscribe", "payload": { "query": query } });
    socket.say(subscribe("1", "{ me { username } }")).await;
    let me = json!({ "data": { "me": { "username": "ada" } } });
    assert_eq!(socket.said().await, json!({ "type": "next", "id": "1", "payload": me }));
    assert_eq!(socket.said().await, json!({ "type": "complete", "id": "1" }));

    socket.say(subscribe("2", "subscription { onNothing { id } }")).await;
    let said = socket.said().await;
    assert_eq!((&said["type"], &said["id"]), (&json!("error"), &json!("2")), "{said}");

    socket.subscribe("3", ON_CREATE).await;
    socket.subscribe("4", ON_CREATE).await;
    socket.say(json!({ "id": "4", "type": "complete" })).await;
    socket.subscribe("5", ON_CREATE).await;
    ada.publish("PostEvent", "").await;
    let mut told = [socket.said().await["id"].clone(), socket.said().await["id"].clone()];
    told.sort_by_key(Value::to_string);
    assert_eq!(told, [json!("3"), json!("5")], "the fourth is complete");

    socket.say(subscribe("3", ON_CREATE)).await;
    assert_eq!(socket.hear().await, Heard::Closed(Some(4409)), "the same id twice");
}

#[tokio::test]
async fn an_invalid_message_ends_the_connection() {
    let site = Running::start().await;
    let key = site.public_key().await.key;
    for nonsense in [json!({}), json!([]), json!({ "type": "subscribe" }), json!({ "type": "nothing" })] {
        let mut socket = Socket::transport(&site.browser(), json!({ "x-api-key": key })).await;
        socket.say(nonsense).await;
        assert_eq!(socket.hear().await, Heard::Closed(Some(4400)));
    }
    let mut early =
        Socket::try_open(&site.browser(), "/graphql", "graphql-transport-ws", &[]).await.expect("it opens");
    early.say(json!({ "id": "1", "type": "subscribe", "payload": { "query": ON_CREATE } })).await;
    assert_eq!(early.hear().await, Heard::Closed(Some(4401)), "not begun");
}

#[tokio::test]
async fn a_message_that_is_too_big_ends_the_connection_with_the_reason() {
    let site = Running::start().await;
    let key = site.public_key().await.key;
    let mut transport = Socket::transport(&site.browser(), with_key(&key)).await;
    transport.say(json!({ "type": "ping", "payload": "x".repeat(60_000) })).await;
    assert_eq!(transport.said().await, json!({ "type": "pong" }));
    let appsync = Socket::appsync(&site.browser(), &with_key(&key)).await;
    for mut socket in [transport, appsync] {
        socket.say_text(json!({ "type": "ping", "payload": "x".repeat(70_000) }).to_string()).await;
        assert_eq!(socket.hear().await, Heard::Closed(Some(1009)));
    }
}

#[tokio::test]
async fn a_connection_has_a_hundred_subscriptions_at_most() {
    let site = Running::start().await;
    let key = site.public_key().await.key;
    let mut socket = Socket::appsync(&site.browser(), &with_key(&key)).await;
    for id in 0..100 {
        let id = id.to_string();
        assert_eq!(socket.start(&id, ON_CREATE, &with_key(&key)).await, started(&id));
    }
    let refused = socket.start("one more", ON_CREATE, &with_key(&key)).await;
    assert_eq!(refused["type"], "error", "{refused}");
    socket.say(json!({ "id": "7", "type": "stop" })).await;
    assert_eq!(socket.said().await["type"], "complete");
    assert_eq!(socket.start("one more", ON_CREATE, &with_key(&key)).await, started("one more"));
}

/// A connection as clients of 2021 open it.
async fn old_socket(client: &Client, credential: &Value) -> Socket {
    let header = BASE64_STANDARD.encode(credential.to_string());
    let header: String = url::form_urlencoded::byte_serialize(header.as_bytes()).collect();
    let path = format!("/graphql/realtime?header={header}&payload=e30=");
    let mut socket = Socket::try_open(client, &path, "graphql-ws", &[]).await.expect("it opens");
    socket.begin().await;
    socket
}

/// Nobody hears of Ada's next post: clients that connect again by themselves
/// are made to, and are not let in; others are told at the subscription.
async fn assert_withdrawn(
    ada: &mut Client,
    [mut old, mut new, mut transport]: [Socket; 3],
    credential: &Value,
) {
    for (socket, id) in [(&mut old, "old"), (&mut transport, "transport")] {
        let over = socket.said().await;
        assert_eq!((&over["type"], &over["id"]), (&json!("error"), &json!(id)), "{over}");
        assert!(over.to_string().contains("UnauthorizedException"), "{over}");
    }
    assert_eq!(transport.hear().await, Heard::Closed(Some(4403)));
    assert_eq!(new.hear().await, Heard::Closed(Some(1001)), "come back with a new token");
    let token = ada.tokens("ada").await.access;
    let mut witness = Socket::transport(ada, with_token(&token)).await;
    witness.subscribe("witness", ON_CREATE).await;
    ada.publish("Unheard", "").await;
    assert_eq!(created(&witness.said().await), "Unheard");
    let again = old.start("again", ON_CREATE, credential).await;
    assert_eq!(
        (&again["type"], &again["id"]),
        (&json!("error"), &json!("again")),
        "nothing of the post: {again}"
    );
}

async fn subscribed(client: &Client, credential: &Value) -> [Socket; 3] {
    let mut old = old_socket(client, credential).await;
    assert_eq!(old.start("old", ON_CREATE, credential).await, started("old"));
    let mut new = Socket::appsync(client, credential).await;
    assert_eq!(new.start("new", ON_CREATE, credential).await, started("new"));
    let mut transport = Socket::transport(client, credential.clone()).await;
    transport.subscribe("transport", ON_CREATE).await;
    [old, new, transport]
}

#[tokio::test]
async fn a_revoked_key_gets_no_more_events_within_a_minute() {
    let site = Running::start().await;
    let (mut ada, _) = author(&site, "ada").await;
    let public = site.public_key().await;
    let credential = with_key(&public.key);
    let sockets = subscribed(&ada, &credential).await;
    let id = ApiKeyId::parse(&public.listed.id).expect("an id");
    api_keys::revoke_any(&site.site, id).await.expect("it is revoked");
    assert_withdrawn(&mut ada, sockets, &credential).await;
}

#[tokio::test]
async fn a_revoked_token_gets_no_more_events_within_a_minute() {
    let site = Running::start().await;
    let (mut ada, token) = author(&site, "ada").await;
    let credential = with_token(&token);
    let sockets = subscribed(&ada, &credential).await;
    let answer = ada.submit("/api/token/revoke", &[("token", token.as_str())]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_withdrawn(&mut ada, sockets, &credential).await;
}

#[tokio::test]
async fn an_expired_token_gets_no_more_events_within_a_minute() {
    let site = Running::start().await;
    let (mut ada, token) = author(&site, "ada").await;
    let (header, mut claims) = parts(&token);
    let key = key_of(&site, header["kid"].as_str().expect("a kid")).await;
    // Long enough to subscribe, and for the leeway to be over at the next look.
    claims["exp"] = json!(claims["iat"].as_u64().expect("a time") + 5);
    let credential = with_token(&signed(&header, &claims, &key));
    let sockets = subscribed(&ada, &credential).await;
    assert_withdrawn(&mut ada, sockets, &credential).await;
}

fn creation(id: &str) -> Value {
    let query = format!(r#"mutation {{ createPost(input: {{ id: "{id}", title: "x" }}) {{ id }} }}"#);
    json!({ "id": id, "type": "subscribe", "payload": { "query": query } })
}

async fn assert_creates(socket: &mut Socket, id: &str) {
    socket.say(creation(id)).await;
    assert_eq!(socket.said().await["payload"]["data"]["createPost"]["id"], id);
    assert_eq!(socket.said().await["type"], "complete");
}

#[tokio::test]
async fn a_credential_that_was_revoked_does_nothing_more_over_an_open_connection() {
    let site = Running::start().await;
    let (mut ada, token) = author(&site, "ada").await;
    let mut socket = Socket::transport(&ada, with_token(&token)).await;
    assert_creates(&mut socket, "before").await;
    assert_eq!(ada.submit("/api/token/revoke", &[("token", token.as_str())]).await.status, 200);
    socket.say(creation("after")).await;
    assert_eq!(socket.hear().await, Heard::Closed(Some(4403)));
    assert_eq!(site.stored_post("after").await, None);
    assert!(site.stored_post("before").await.is_some());
}

#[tokio::test]
async fn a_session_that_was_ended_does_nothing_more_over_an_open_connection() {
    let site = Running::start().await;
    let (ada, _) = author(&site, "ada").await;
    let (cookie, own) = (ada.sid_pair().expect("a session"), format!("http://{}", ada.address()));
    let headers = [("cookie", cookie.as_str()), ("origin", own.as_str())];
    let mut socket =
        Socket::try_open(&ada, "/graphql", "graphql-transport-ws", &headers).await.expect("it opens");
    socket.say(json!({ "type": "connection_init" })).await;
    assert_eq!(socket.said().await["type"], "connection_ack");
    assert_creates(&mut socket, "before").await;
    assert_eq!(ada.as_script().submit("/api/log_out", &[]).await.status, 200);
    socket.say(creation("after")).await;
    assert_eq!(socket.hear().await, Heard::Closed(Some(4403)));
    assert_eq!(site.stored_post("after").await, None);
    assert!(site.stored_post("before").await.is_some());
}

#[tokio::test]
async fn a_start_that_is_wrong_ends_itself_alone() {
    let site = Running::start().await;
    let (mut ada, _) = author(&site, "ada").await;
    let key = site.public_key().await.key;
    let credential = with_key(&key);
    let mut socket = Socket::appsync(&ada, &credential).await;
    assert_eq!(socket.start("good", ON_CREATE, &credential).await, started("good"));
    for (data, kind) in [
        (json!("no JSON"), "MalformedHttpRequestException"),
        (json!({ "query": ON_CREATE }), "MalformedHttpRequestException"),
        (Value::Null, "MalformedHttpRequestException"),
        (json!(json!({ "query": "{ me { id } }" }).to_string()), "MalformedHttpRequestException"),
        (json!(json!({ "query": "x".repeat(17_000) }).to_string()), "QueryTooLarge"),
    ] {
        let payload = json!({ "data": data, "extensions": { "authorization": credential } });
        socket.say(json!({ "id": "bad", "type": "start", "payload": payload })).await;
        let said = socket.said().await;
        assert_eq!((&said["type"], &said["id"]), (&json!("error"), &json!("bad")), "{said}");
        assert_eq!(said["payload"]["errors"][0]["errorType"], kind, "{said}");
    }
    let twice = socket.start("good", ON_CREATE, &credential).await;
    assert_eq!(twice["payload"]["errors"][0]["errorType"], "DuplicatedOperationError", "{twice}");
    socket.say(json!({ "id": "unknown", "type": "stop" })).await;
    ada.publish("Still here", "").await;
    assert_eq!(created(&socket.said().await), "Still here");
}

#[tokio::test]
async fn an_idle_connection_gets_keep_alive_messages() {
    let site = Running::start().await;
    let key = site.public_key().await.key;
    let mut appsync = Socket::appsync(&site.browser(), &with_key(&key)).await;
    assert_eq!(appsync.hear_anything().await, Heard::Said(json!({ "type": "ka" })));
}

#[tokio::test]
async fn an_internal_error_makes_clients_reconnect_instead_of_giving_up() {
    let site = Running::start().await;
    let key = site.public_key().await.key;
    let credential = with_key(&key);
    let mut subscribed = Socket::appsync(&site.browser(), &credential).await;
    assert_eq!(subscribed.start("1", ON_CREATE, &credential).await, started("1"));
    let mut waiting =
        Socket::try_open(&site.browser(), "/graphql", "graphql-transport-ws", &[]).await.expect("it opens");
    let header = BASE64_URL_SAFE_NO_PAD.encode(credential.to_string());
    let protocols = format!("graphql-ws, header-{header}");
    let mut late =
        Socket::try_open(&site.browser(), "/graphql/realtime", &protocols, &[]).await.expect("it opens");

    site.site.database.close().await;
    // Else whoever was believed a moment ago still would be, for another.
    site.site.trust().forget();
    late.say(json!({ "type": "connection_init" })).await;
    let said = late.said().await;
    assert_eq!(said["type"], "connection_error", "{said}");
    assert_eq!(said["payload"]["errors"][0]["errorCode"], 503, "those of 401 do not try again: {said}");
    assert_eq!(late.hear().await, Heard::Closed(Some(1013)));
    waiting.say(json!({ "type": "connection_init", "payload": credential })).await;
    assert_eq!(waiting.hear().await, Heard::Closed(Some(1013)));

    // Something happened that cannot be read.
    match &mut site.probe().await {
        Probe::Sqlite(_) => {
            let owner = "ada".to_owned().try_into().expect("a username");
            let post = "lost".to_owned().try_into().expect("an id");
            site.site.bus().committed(Some(&Event { id: 1, kind: EventKind::Created, post, owner }));
        }
        Probe::Postgres(db) => {
            let told = json!({ "id": 1, "kind": "created", "post": "lost", "owner": "ada" });
            let notify = sqlx::query("SELECT pg_notify('byline_events', $1)").bind(told.to_string());
            notify.execute(db).await.expect("it is told");
        }
    }
    assert_eq!(subscribed.hear().await, Heard::Closed(Some(1013)));
}

#[tokio::test]
async fn a_filter_of_a_subscription_means_what_it_says() {
    let site = Running::start().await;
    let (mut ada, _) = author(&site, "ada").await;
    let key = site.public_key().await.key;
    let mut socket = Socket::transport(&ada, json!({ "x-api-key": key })).await;
    // What holds of a post with the title "B" and the content "two words".
    let filters = [
        (r#"{ title: { in: ["A", "B"] } }"#, true),
        (r#"{ title: { in: ["A", "C"] } }"#, false),
        (r#"{ title: { in: [] } }"#, false),
        (r#"{ title: { notIn: ["A", "C"] } }"#, true),
        (r#"{ title: { notIn: ["A", "B"] } }"#, false),
        (r#"{ title: { between: ["A", "C"] } }"#, true),
        (r#"{ title: { between: ["C", "D"] } }"#, false),
        (r#"{ title: { ne: "B" } }"#, false),
        (r#"{ title: { gt: "A", lt: "C" } }"#, true),
        (r#"{ title: { gt: "A", lt: "B" } }"#, false),
        (r#"{ content: { contains: "o w" } }"#, true),
        (r#"{ content: { notContains: "o w" } }"#, false),
        (r#"{ and: [{ title: { eq: "B" } }, { content: { beginsWith: "two" } }] }"#, true),
        (r#"{ and: [{ title: { eq: "B" } }, { content: { beginsWith: "Two" } }] }"#, false),
        (r#"{ or: [{ title: { eq: "A" } }, { content: { beginsWith: "two" } }] }"#, true),
        (r#"{ or: [{ title: { eq: "A" } }, { content: { beginsWith: "Two" } }] }"#, false),
        (r#"{ owner: { beginsWith: "ad" } }"#, true),
        (r#"{ owner: { size: { gt: 3 } } }"#, false),
        (r#"{ id: { beginsWith: "x" } }"#, false),
        (r#"{ createdAt: { gt: "2020" } }"#, true),
        (r#"{ updatedAt: { lt: "2020" } }"#, false),
    ];
    for (filter, _) in filters {
        socket
            .subscribe(filter, &format!("subscription {{ onCreatePost(filter: {filter}) {{ title }} }}"))
            .await;
    }
    socket.subscribe("the last", "subscription { onCreatePost { title } }").await;
    ada.publish("B", "two words").await;
    ada.publish("The end", "").await;
    let mut heard = Vec::new();
    loop {
        let said = socket.said().await;
        if said["id"] == "the last" && created(&said) == "The end" {
            break;
        }
        if created(&said) == "B" {
            heard.push(said["id"].as_str().expect("an id").to_owned());
        }
    }
    for (filter, holds) in filters {
        let times = heard.iter().filter(|id| *id == filter).count();
        assert_eq!(times, usize::from(holds), "{filter}");
    }
}

#[tokio::test]
async fn a_subscriber_who_does_not_read_is_told_so_and_holds_nobody_else_up() {
    let site = Running::start().await;
    site.author("ada").await;
    let ada = Actor::User(site.user("ada").await);
    let key = site.public_key().await.key;
    let mut slow = Socket::transport(&site.browser(), json!({ "x-api-key": key })).await;
    slow.subscribe("all", "subscription { onCreatePost { title content } }").await;
    // More than the buffers of both ends hold, and more news than are kept.
    let content = Some(Content::parse(&"x".repeat(100_000)).expect("a content"));
    for number in 0..400 {
        let post_text =
            PostText { title: Title::parse(&number.to_string()).expect("a title"), content: content.clone() };
        service::create::<AppError>(&site.site, &ada, Ok(post_text.into()), Ok(None))
            .await
            .expect("nobody waits for a subscriber");
    }
    let mut heard = 0;
    let last = loop {
        let said = slow.said().await;
        if said["type"] != "next" {
            break said;
        }
        heard += 1;
    };
    assert!(heard < 400, "the buffers hold it all");
    assert_eq!((&last["type"], &last["id"]), (&json!("error"), &json!("all")), "{last}");
    assert_eq!(last["payload"][0]["extensions"]["errorType"], "SlowConsumer", "{last}");
}

#[tokio::test]
async fn a_site_that_stops_says_goodbye() {
    let site = Running::start().await;
    let key = site.public_key().await.key;
    let mut idle = Socket::transport(&site.browser(), json!({ "x-api-key": key })).await;
    site.site.bus().close();
    assert_eq!(idle.hear().await, Heard::Closed(Some(1001)));
}

#[tokio::test]
async fn a_subscriber_at_one_process_hears_of_what_happens_at_another() {
    let site = Several::start(postgres_database().await, 2, &[]).await;
    let mut ada = site.author("ada").await;
    let token = ada.tokens("ada").await.access;
    let mut socket = Socket::transport(&site.at(&ada, 1), json!({ "Authorization": token })).await;
    socket.subscribe("new", ON_CREATE).await;
    socket.subscribe("gone", ON_DELETE).await;
    let mut at_the_first = site.at(&ada, 0);
    let post = at_the_first.publish("Far", "Away").await;
    assert_eq!(created(&socket.said().await), "Far");
    assert_eq!(at_the_first.submit(&format!("/posts/{post}/delete"), &[]).await.status, 303);
    let said = socket.said().await;
    let told = json!({ "id": post, "title": "Far", "content": "Away", "owner": "ada" });
    assert_eq!(said["payload"]["data"]["onDeletePost"], told, "{said}");
}
