//! A client that uses much of a shared resource takes it from nobody else (security
//! rows G4, L4).

use std::sync::atomic::{AtomicBool, Ordering};

use byline::{
    database::Engine,
    http::turns::{Client, ReadCost},
};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::support::{Credential, Heard, Running, Socket, in_time};

const LIST: &str = "{ listPosts(limit: 20) { items { id title } } }";

fn query(id: usize, document: &str) -> Value {
    json!({ "type": "subscribe", "id": id.to_string(), "payload": { "query": document } })
}

/// Posts with texts of that many characters, which no word is in.
async fn fill(site: &Running, posts: usize, characters: usize) {
    site.author("ada").await;
    let text = match site.site.database.engine() {
        Engine::Sqlite => format!("replace(hex(zeroblob({characters} / 2)), '0', 'x')"),
        Engine::Postgres => format!("repeat('x', {characters})"),
    };
    site.tamper(&format!(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {posts})
         INSERT INTO posts (id, owner_id, title, excerpt, content, version, created_at, updated_at)
         SELECT 'p' || n, (SELECT id FROM users), 'Post', '', {text}, 1, n, n FROM numbers"
    ))
    .await;
}

/// Reads as everybody does until that is over; each is answered.
async fn neighbour(site: &Running, credential: &Credential, is_over: &AtomicBool) -> usize {
    let mut served = 0;
    loop {
        let list = site.graphql(credential, LIST).await;
        assert_eq!(list.json()["errors"], Value::Null, "{}", list.text());
        assert_eq!(site.browser().get("/readyz").await.status, 200);
        assert_eq!(site.script().get("/api/list_posts").await.status, 200);
        served += 1;
        if is_over.load(Ordering::Relaxed) {
            return served;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_client_that_asks_a_hundred_things_in_one_packet_gets_a_hundred_answers() {
    let site = Running::start().await;
    fill(&site, 30, 10).await;
    let key = site.public_key().await.key;
    let mut socket = Socket::transport(&site.browser(), json!({ "x-api-key": key })).await;
    let is_over = AtomicBool::new(false);
    let polite = async {
        socket.say_all((0..100).map(|id| query(id, LIST))).await;
        let mut answered = vec![0; 100];
        while answered.iter().any(|times| *times < 2) {
            let said = socket.said().await;
            let id: usize = said["id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
            match said["type"].as_str() {
                Some("next") => {
                    let items = &said["payload"]["data"]["listPosts"]["items"];
                    assert_eq!(items.as_array().map(Vec::len), Some(20), "{said}");
                }
                Some("complete") => {}
                _ => panic!("{said}"),
            }
            answered[id] += 1;
        }
        is_over.store(true, Ordering::Relaxed);
    };
    let credential = Credential::api_key(&key);
    in_time("all answers", async { futures::join!(polite, neighbour(&site, &credential, &is_over)) }).await;
}

#[tokio::test]
async fn a_client_that_takes_no_answers_takes_no_reader_from_others() {
    let site = Running::start().await;
    fill(&site, 20, 50_000).await;
    let key = site.public_key().await.key;
    let mut greedy = Vec::new();
    for _ in 0..3 {
        let mut socket = Socket::transport(&site.browser(), json!({ "x-api-key": key })).await;
        let long = "{ listPosts(limit: 20) { items { content } } }";
        socket.say_all((0..100).map(|id| query(id, long))).await;
        greedy.push(socket);
    }
    let credential = Credential::api_key(&key);
    for _ in 0..30 {
        in_time("others", neighbour(&site, &credential, &AtomicBool::new(true))).await;
    }
    // Whoever begins to read gets what was asked for.
    let mut socket = greedy.pop().expect("one of them");
    let said = socket.said().await;
    let items = &said["payload"]["data"]["listPosts"]["items"];
    assert_eq!(items.as_array().map(Vec::len), Some(20), "{:.200}", said.to_string());
}

#[tokio::test]
async fn an_operation_that_is_given_up_makes_room_for_the_next() {
    let site = Running::start().await;
    fill(&site, 20, 10).await;
    let key = site.public_key().await.key;
    let mut socket = Socket::transport(&site.browser(), json!({ "x-api-key": key })).await;
    // The first of a line and the last of it, and an id that is used again.
    let given_up = (0..90).filter(|id| id % 3 != 0);
    let complete = |id: usize| json!({ "type": "complete", "id": id.to_string() });
    let messages = (0..90).map(|id| query(id, LIST)).chain(given_up.map(complete)).chain([
        complete(0),
        query(0, "{ me { id } }"),
        query(100, LIST),
    ]);
    socket.say_all(messages).await;
    let mut kept: Vec<usize> = (0..90).filter(|id| id % 3 == 0).chain([100]).collect();
    while !kept.is_empty() {
        let said = socket.said().await;
        assert_ne!(said["type"], "error", "{said}");
        if said["type"] == "complete" {
            let id = said["id"].as_str().expect("an id");
            kept.retain(|other| other.to_string() != id);
        }
    }
    socket.say(json!({ "type": "ping" })).await;
    while socket.said().await != json!({ "type": "pong" }) {}
}

#[tokio::test]
async fn searches_through_long_posts_leave_lists_and_readiness_alone() {
    let site = Running::start().await;
    fill(&site, 300, 100_000).await;
    let credential = Credential::api_key(&site.public_key().await.key);
    let tests: String = (0..90).map(|number| format!("{{content:{{contains:\"y{number}\"}}}}")).collect();
    let search = format!("{{ listPosts(limit: 1, filter: {{ or: [{tests}] }}) {{ items {{ id }} }} }}");
    let is_over = AtomicBool::new(false);
    let searches = async {
        let answers = join_all((0..8).map(|_| site.graphql(&credential, &search))).await;
        is_over.store(true, Ordering::Relaxed);
        answers
    };
    let (answers, served) = futures::join!(searches, neighbour(&site, &credential, &is_over));
    assert!(served > 1, "the searches took some time");
    for answer in answers {
        let errors = &answer.json()["errors"];
        let kind = errors[0]["errorType"].as_str();
        assert!(
            [None, Some("ServiceUnavailableException"), Some("ExecutionTimeout")].contains(&kind),
            "{}",
            answer.text()
        );
        if kind == Some("ServiceUnavailableException") {
            assert_eq!(answer.header("retry-after"), "2");
        }
    }
}

#[tokio::test]
async fn a_client_that_finds_the_lane_of_searches_full_gets_busy_and_can_read_lists() {
    let site = Running::start().await;
    fill(&site, 3, 10).await;
    let credential = Credential::api_key(&site.public_key().await.key);
    let turns = site.site.turns();
    let searchers: Vec<Client> = (1..=16).map(|last| turns.client(Some([192, 0, 2, last].into()))).collect();
    let mut taken = Vec::new();
    for searcher in &searchers {
        match turns.next(searcher, ReadCost::Many).await {
            Ok(turn) => taken.push(turn),
            Err(_) => break,
        }
    }
    for search in [
        "{ allPosts(first: 1, search: \"x\") { nodes { id } } }",
        "{ listPosts(limit: 1, filter: { title: { contains: \"x\" } }) { items { id } } }",
    ] {
        let answer = site.graphql(&credential, search).await;
        assert_eq!(
            answer.json()["errors"][0]["errorType"],
            "ServiceUnavailableException",
            "{}",
            answer.text()
        );
        assert_eq!((answer.status, answer.header("retry-after")), (200, "2"));
    }
    neighbour(&site, &credential, &AtomicBool::new(true)).await;
    drop(taken);
    let answer = site.graphql(&credential, "{ allPosts(first: 1, search: \"x\") { nodes { id } } }").await;
    assert_eq!(answer.json()["errors"], Value::Null, "{}", answer.text());
}

#[tokio::test]
async fn readiness_is_answered_while_every_reader_is_taken() {
    let site = Running::start().await;
    let database = &site.site.database;
    let mut taken = Vec::new();
    for _ in 0..database.readers() {
        taken.push(database.read().await.expect("a connection"));
    }
    assert!(database.read().await.is_err(), "there are no more");
    for path in ["/readyz", "/healthz", "/livez"] {
        assert_eq!(site.browser().get(path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn one_address_has_a_tenth_of_the_subscriptions() {
    let site = Running::start_with(|config| {
        config.trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")];
        config.max_listeners = 10;
    })
    .await;
    let key = site.public_key().await.key;
    let open = async |address: &str| {
        let headers = [("x-forwarded-for", address)];
        let opened = Socket::try_open(&site.browser(), "/graphql", "graphql-transport-ws", &headers).await;
        let mut socket = opened.expect("it opens");
        socket.say(json!({ "type": "connection_init", "payload": { "x-api-key": key } })).await;
        assert_eq!(socket.said().await, json!({ "type": "connection_ack" }));
        socket
    };
    let subscription = "subscription { onCreatePost { id } }";
    let mut one = open("192.0.2.1").await;
    for id in 0..10 {
        one.subscribe(&id.to_string(), subscription).await;
    }
    one.say(query(10, subscription)).await;
    let said = one.said().await;
    let kind = &said["payload"][0]["extensions"]["errorType"];
    assert_eq!((said["type"].as_str(), kind.as_str()), (Some("error"), Some("ServiceUnavailableException")));
    open("192.0.2.2").await.subscribe("1", subscription).await;
    one.say(json!({ "type": "complete", "id": "0" })).await;
    one.subscribe("10", subscription).await;
}

#[tokio::test]
async fn each_subscriber_gets_the_same_event_in_its_own_selection() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let key = site.public_key().await.key;
    let mut socket = Socket::transport(&site.browser(), json!({ "x-api-key": key })).await;
    let documents = [
        "subscription { onCreatePost { title id } }",
        "subscription { onCreatePost { title id } }",
        "subscription { a: onCreatePost { title } }",
        "subscription { onCreatePost(filter: { title: { eq: \"Other\" } }) { title } }",
        "subscription { onCreatePost(filter: { title: { eq: \"Other\" } }) { title } }",
        "subscription { onUpdatePost { title } }",
    ];
    for (id, document) in documents.iter().enumerate() {
        socket.subscribe(&id.to_string(), document).await;
    }
    let id = ada.publish("PostEvent", "").await;
    let mut told = Vec::new();
    for _ in 0..3 {
        let Heard::Said(said) = socket.hear().await else { panic!("it closed") };
        told.push((said["id"].as_str().expect("an id").to_owned(), said["payload"]["data"].clone()));
    }
    told.sort_by(|one, other| one.0.cmp(&other.0));
    let same = json!({ "onCreatePost": { "title": "PostEvent", "id": id } });
    let expected = [("0", same.clone()), ("1", same), ("2", json!({ "a": { "title": "PostEvent" } }))];
    assert_eq!(told, expected.map(|(id, data)| (id.to_owned(), data)));
    ada.publish("Other", "").await;
    for _ in 0..5 {
        assert_eq!(socket.said().await["type"], "next");
    }
    socket.say(json!({ "type": "ping" })).await;
    assert_eq!(socket.said().await, json!({ "type": "pong" }), "nobody hears what they did not ask for");
}
