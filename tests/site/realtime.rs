//! Subscriptions over WebSockets, by both protocols.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use byline::{
    accounts::{ApiKeyDays, ApiKeyName, server::api_keys},
    credentials::{Actor, User, UserId, api_key::ApiKeyId},
    posts::{
        Content, Title,
        server::{Draft, service},
    },
};
use serde_json::{Value, json};

use crate::support::{Client, Heard, Probe, Running, Several, Socket, postgres_database};

const ON_CREATE: &str = "subscription OnCreatePost { onCreatePost { id title owner __typename } }";
const ON_DELETE: &str = "subscription { onDeletePost { id title content owner } }";

/// The key that everyone may know.
async fn public_key(site: &Running) -> (String, String) {
    let (name, days) = (ApiKeyName::parse("Public").expect("a name"), ApiKeyDays::parse("1").expect("days"));
    let made = api_keys::create_public(&site.site, api_keys::Wanted { name, days }).await.expect("a key");
    (made.key, made.listed.id)
}

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
async fn clients_of_every_age_are_let_in_and_hear_of_new_posts() {
    let site = Running::start().await;
    let (mut ada, _) = author(&site, "ada").await;
    let (key, _) = public_key(&site).await;
    let in_address = BASE64_STANDARD.encode(with_key(&key).to_string());
    let in_address: String = url::form_urlencoded::byte_serialize(in_address.as_bytes()).collect();
    for path in ["/graphql", "/graphql/realtime"] {
        let path = format!("{path}?header={in_address}&payload=e30=");
        let mut old = Socket::try_open(&ada, &path, "graphql-ws", &[]).await.expect("it opens");
        old.begin().await;
        assert_eq!(old.start("1", ON_CREATE, &with_key(&key)).await, started("1"));
        let post = ada.publish("News", "Text").await;
        let told = json!({ "id": post, "title": "News", "owner": "ada", "__typename": "Post" });
        let data = json!({ "type": "data", "id": "1", "payload": { "data": { "onCreatePost": told } } });
        assert_eq!(old.said().await, data);
        old.say(json!({ "id": "1", "type": "stop" })).await;
        assert_eq!(old.said().await, json!({ "type": "complete", "id": "1" }));
    }
    let mut new = Socket::appsync(&ada, &with_key(&key)).await;
    assert_eq!(new.start("a", ON_CREATE, &with_key(&key)).await, started("a"));
    ada.publish("More news", "").await;
    assert_eq!(created(&new.said().await), "More news");
}

#[tokio::test]
async fn every_start_is_authorized_by_its_own_credential() {
    let site = Running::start().await;
    let (mut ada, ada_token) = author(&site, "ada").await;
    let (mut bob, bob_token) = author(&site, "bob").await;
    let (key, _) = public_key(&site).await;
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
    let (key, _) = public_key(&site).await;
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
    let cookie = format!("sid={}", ada.sid().expect("a session"));
    let own = format!("http://{}", ada.address());
    let open = async |origin: Option<&str>| {
        let mut headers = vec![("cookie", cookie.as_str())];
        headers.extend(origin.map(|origin| ("origin", origin)));
        let mut socket =
            Socket::try_open(&ada, "/graphql", "graphql-transport-ws", &headers).await.expect("it opens");
        socket.say(json!({ "type": "connection_init" })).await;
        socket
    };
    for foreign in [Some("https://evil.example"), Some("null"), None] {
        assert_eq!(open(foreign).await.hear().await, Heard::Closed(Some(4403)), "{foreign:?}");
    }
    let mut socket = open(Some(&own)).await;
    assert_eq!(socket.said().await, json!({ "type": "connection_ack" }));
    socket.subscribe("1", ON_CREATE).await;
    ada.publish("Mine", "").await;
    assert_eq!(created(&socket.said().await), "Mine");
}

#[tokio::test]
async fn a_program_may_query_over_the_connection_and_mistakes_end_the_operation_alone() {
    let site = Running::start().await;
    let (ada, token) = author(&site, "ada").await;
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
    socket.say(subscribe("3", ON_CREATE)).await;
    assert_eq!(socket.hear().await, Heard::Closed(Some(4409)), "the same id twice");
}

#[tokio::test]
async fn what_is_no_message_ends_the_connection() {
    let site = Running::start().await;
    let (key, _) = public_key(&site).await;
    for nonsense in [json!({}), json!([]), json!({ "type": "subscribe" }), json!({ "type": "nothing" })] {
        let mut socket = Socket::transport(&site.browser(), json!({ "x-api-key": key })).await;
        socket.say(nonsense).await;
        assert_eq!(socket.hear().await, Heard::Closed(Some(4400)));
    }
    let mut early =
        Socket::try_open(&site.browser(), "/graphql", "graphql-transport-ws", &[]).await.expect("it opens");
    early.say(json!({ "id": "1", "type": "subscribe", "payload": { "query": ON_CREATE } })).await;
    assert_eq!(early.hear().await, Heard::Closed(Some(4401)), "not begun");
    let mut large = Socket::transport(&site.browser(), json!({ "x-api-key": key })).await;
    large.say(json!({ "type": "ping", "payload": "x".repeat(70_000) })).await;
    assert!(matches!(large.hear().await, Heard::Closed(_)));
}

#[tokio::test]
async fn a_connection_has_a_hundred_subscriptions_at_most() {
    let site = Running::start().await;
    let (key, _) = public_key(&site).await;
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

#[tokio::test]
async fn what_is_revoked_or_ended_is_told_nothing_more_within_a_minute() {
    let site = Running::start().await;
    let (mut ada, token) = author(&site, "ada").await;
    let (key, key_id) = public_key(&site).await;
    let mut by_key = Socket::appsync(&ada, &with_key(&key)).await;
    assert_eq!(by_key.start("key", ON_CREATE, &with_key(&key)).await, started("key"));
    let mut by_token = Socket::transport(&ada, json!({ "Authorization": token })).await;
    by_token.subscribe("token", ON_CREATE).await;

    let key_id = ApiKeyId::parse(&key_id).expect("an id");
    api_keys::revoke_any(&site.site, key_id).await.expect("it is revoked");
    let answer = ada.submit("/api/token/revoke", &[("token", token.as_str())]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());

    let over = by_key.said().await;
    assert_eq!((&over["type"], &over["id"]), (&json!("error"), &json!("key")), "{over}");
    assert_eq!(over["payload"]["errors"][0]["errorType"], "UnauthorizedException", "{over}");
    let over = by_token.said().await;
    assert_eq!((&over["type"], &over["id"]), (&json!("error"), &json!("token")), "{over}");
    assert_eq!(by_token.hear().await, Heard::Closed(Some(4403)));
    ada.publish("Unheard", "").await;
    assert_eq!(by_key.start("again", ON_CREATE, &with_key(&key)).await["type"], "error");
}

async fn actor_of(site: &Running, username: &str) -> Actor {
    const FIND: &str = "SELECT id FROM users WHERE username = $1";
    let id: String = match &mut site.probe().await {
        Probe::Sqlite(db) => sqlx::query_scalar(FIND).bind(username).fetch_one(db).await,
        Probe::Postgres(db) => sqlx::query_scalar(FIND).bind(username).fetch_one(db).await,
    }
    .expect("an account");
    let username = username.to_owned().try_into().expect("a username");
    Actor::User(User { id: UserId::from_stored(id), username })
}

#[tokio::test]
async fn a_subscriber_who_does_not_read_is_told_so_and_holds_nobody_else_up() {
    let site = Running::start().await;
    site.author("ada").await;
    let ada = actor_of(&site, "ada").await;
    let (key, _) = public_key(&site).await;
    let mut slow = Socket::transport(&site.browser(), json!({ "x-api-key": key })).await;
    slow.subscribe("all", "subscription { onCreatePost { title content } }").await;
    // More than the buffers of both ends hold, and more news than are kept.
    let content = Content::parse(&"x".repeat(100_000)).expect("a content");
    for number in 0..400 {
        let draft =
            Draft { title: Title::parse(&number.to_string()).expect("a title"), content: content.clone() };
        service::create(&site.site, &ada, draft, None).await.expect("nobody waits for a subscriber");
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
    let (key, _) = public_key(&site).await;
    let mut idle = Socket::transport(&site.browser(), json!({ "x-api-key": key })).await;
    site.site.bus.close();
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
