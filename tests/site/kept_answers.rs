//! Cached answers to queries by API key. The tests change the database without the
//! site's knowledge to see which answers come from memory.

use axum::{body::Body, http::Method};
use byline::config::ConflictDetection;
use futures::future::join_all;
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::support::{Answer, Client, Credential, Running, until};

const LIST: &str = "query List($limit: Int) { listPosts(limit: $limit) { items { title owner } nextToken } }";
const GET: &str = "query Get($id: ID!) { getPost(id: $id) { id title content owner } }";

async fn site() -> (Running, Client, Credential) {
    let site = Running::start_with(|config| config.conflict_detection = ConflictDetection::Off).await;
    let ada = site.author("ada").await;
    let (key, _) = site.api_key_of(&ada).await;
    (site, ada, key)
}

async fn by_get(site: &Running, by: &Credential, query: &str, variables: &Value) -> Answer {
    let variables = variables.to_string();
    let parameters = [("query", query), ("variables", variables.as_str())];
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    let request = by.request(site, Method::GET, &format!("/graphql?{query}"));
    site.exchange(request.body(Body::empty()).expect("a request")).await
}

/// By `POST` and by `GET`.
async fn ask(site: &Running, by: &Credential, query: &str, variables: Value) -> [Answer; 2] {
    let posted = site.graphql_with(by, query, variables.clone()).await;
    [posted, by_get(site, by, query, &variables).await]
}

async fn data(site: &Running, by: &Credential, query: &str, variables: Value) -> Value {
    let [posted, got] = ask(site, by, query, variables).await;
    assert_eq!((posted.status, posted.text()), (got.status, got.text()), "{query}");
    assert_eq!(posted.json()["errors"], Value::Null, "{}", posted.text());
    posted.json()["data"].clone()
}

async fn titles(site: &Running, by: &Credential) -> Vec<String> {
    let listed = data(site, by, LIST, json!({ "limit": 10 })).await;
    let items = listed["listPosts"]["items"].as_array().expect("posts").clone();
    items.iter().map(|post| post["title"].as_str().expect("a title").to_owned()).collect()
}

#[tokio::test]
async fn an_answer_by_key_is_as_new_as_the_last_change() {
    let (site, mut ada, key) = site().await;
    assert!(titles(&site, &key).await.is_empty());
    let post = ada.publish("First", "Text").await;
    let other = ada.publish("Other", "Text").await;
    assert_eq!(titles(&site, &key).await, ["Other", "First"]);
    let read = async || data(&site, &key, GET, json!({ "id": post })).await["getPost"]["title"].clone();
    assert_eq!(read().await, "First");
    // What is kept asks nothing of the database.
    site.tamper("UPDATE posts SET title = 'Tampered'").await;
    assert_eq!(
        (titles(&site, &key).await, read().await),
        (vec!["Other".into(), "First".into()], json!("First"))
    );

    let edit = [("version", "1"), ("title", "Second"), ("content", "Text")];
    assert_eq!(ada.submit(&format!("/my-posts/{post}/edit"), &edit).await.status, 303);
    assert_eq!(titles(&site, &key).await, ["Tampered", "Second"], "the list is made anew");
    assert_eq!(read().await, "Second");
    // A change of one post leaves the others where they are.
    site.tamper("UPDATE posts SET title = 'Again'").await;
    assert_eq!(ada.submit(&format!("/posts/{other}/delete"), &[]).await.status, 303);
    assert_eq!((titles(&site, &key).await, read().await), (vec!["Again".into()], json!("Second")));
    assert_eq!(data(&site, &key, GET, json!({ "id": other })).await, json!({ "getPost": null }));
    assert_eq!(ada.submit(&format!("/posts/{post}/delete"), &[]).await.status, 303);
    assert!(titles(&site, &key).await.is_empty());
    assert_eq!(read().await, Value::Null, "and what is gone is gone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_sees_every_change_at_once_in_a_crowd() {
    let (site, mut ada, key) = site().await;
    let post = ada.publish("Edit 1", "").await;
    for version in 1..20 {
        // These are answered while the edit is on its way: what they leave behind must not be kept.
        let crowd = join_all((0..8).map(async |_| site.graphql_with(&key, LIST, json!({})).await.status));
        let title = format!("Edit {}", version + 1);
        let version = version.to_string();
        let fields = [("id", post.as_str()), ("version", version.as_str()), ("title", title.as_str())];
        let mut edit = ada.as_script();
        let (crowd, saved) = futures::join!(crowd, edit.submit("/api/update_post", &fields));
        assert_eq!((crowd, saved.status), (vec![200; 8], 200));
        assert_eq!(titles(&site, &key).await, [title.as_str()]);
        let answer = site.graphql_with(&key, LIST, json!({})).await;
        assert_eq!(answer.json()["data"]["listPosts"]["items"][0]["title"], title.as_str());
    }
}

#[tokio::test]
async fn nobody_gets_an_answer_that_was_made_for_another() {
    let (site, mut ada, key) = site().await;
    let mut bob = site.author("bob").await;
    let (key_of_bob, _) = site.api_key_of(&bob).await;
    let of_ada = ada.publish("Of ada", "Text").await;
    bob.publish("Of bob", "Text").await;
    let (tokens, sessions) = (
        [site.token_of("ada").await, site.token_of("bob").await],
        [Credential::session(&ada), Credential::session(&bob)],
    );
    let everyones = ["Of bob", "Of ada"];
    // In every order: each of them may find what another has left.
    for _ in 0..2 {
        for key in [&key, &key_of_bob] {
            assert_eq!(titles(&site, key).await, everyones, "a key reads everyone's");
            assert_eq!(data(&site, key, GET, json!({ "id": of_ada })).await["getPost"]["owner"], "ada");
        }
        for (token, own) in tokens.iter().zip(["Of ada", "Of bob"]) {
            assert_eq!(titles(&site, token).await, [own], "a person reads their own");
        }
        for (session, own) in sessions.iter().zip(["Of ada", "Of bob"]) {
            let answer = site.graphql_with(session, LIST, json!({ "limit": 10 })).await;
            let items = answer.json()["data"]["listPosts"]["items"].clone();
            assert_eq!((&items[0]["title"], items.as_array().map(Vec::len)), (&json!(own), Some(1)));
        }
        let [posted, got] = ask(&site, &tokens[1], GET, json!({ "id": of_ada })).await;
        for answer in [posted, got] {
            assert_eq!(answer.json()["errors"][0]["errorType"], "Unauthorized", "{}", answer.text());
        }
        for query in ["{ me { username } }", "{ getPost(id: \"none\") { id } me { username } }"] {
            assert_eq!(data(&site, &key, query, json!({})).await["me"], Value::Null);
            assert_eq!(data(&site, &tokens[0], query, json!({})).await["me"]["username"], "ada");
            assert_eq!(data(&site, &tokens[1], query, json!({})).await["me"]["username"], "bob");
        }
        for nobody in [Credential::none(), Credential::api_key("byl_wrong"), Credential::token("a.b.c")] {
            for answer in ask(&site, &nobody, LIST, json!({ "limit": 10 })).await {
                assert_eq!(answer.status, 401, "{}: {}", nobody.name, answer.text());
            }
        }
    }
}

#[tokio::test]
async fn a_revoked_key_gets_no_kept_answer() {
    let (site, mut ada, key) = site().await;
    let (other, id) = site.api_key_of(&ada).await;
    ada.publish("Title", "Text").await;
    assert_eq!(titles(&site, &key).await, ["Title"]);
    assert_eq!(titles(&site, &other).await, ["Title"]);
    assert_eq!(ada.submit(&format!("/account/api-keys/{id}/revoke"), &[]).await.status, 303);
    for answer in ask(&site, &other, LIST, json!({ "limit": 10 })).await {
        assert_eq!((answer.status, answer.header("cache-control")), (401, "no-store"));
        assert!(!answer.text().contains("Title"));
    }
    assert_eq!(titles(&site, &key).await, ["Title"]);
}

/// By what the answer says after a change behind the site's back. It asks for lists,
/// because a post by id is kept for whoever asks for it.
#[tokio::test]
async fn what_is_the_same_for_every_key_is_kept_and_nothing_else() {
    let site = Running::start_with(|config| config.conflict_detection = ConflictDetection::On).await;
    let mut ada = site.author("ada").await;
    let (key, _) = site.api_key_of(&ada).await;
    ada.publish("Before", "Text").await;
    let one = "listPosts(limit: 5) { items { title } }";
    for (query, kept) in [
        ("{ listPosts { items { title } } }".to_owned(), true),
        ("{ allPosts { nodes { title } } }".to_owned(), true),
        (format!("{{ {one} __typename }}"), true),
        (format!("{{ a: {one} b: {one} }}"), true),
        (format!("{{ ... on Query {{ {one} }} ...F }} fragment F on Query {{ {one} }}"), true),
        ("{ syncPosts { items { title } startedAt } }".to_owned(), false),
        (format!("{{ {one} me {{ username }} }}"), false),
        (format!("{{ {one} ...F }} fragment F on Query {{ me {{ id }} }}"), false),
        (format!("{{ {one} me @skip(if: true) {{ id }} }}"), false),
        (format!("{{ {one} __schema {{ queryType {{ name }} }} }}"), false),
        // Something in it failed.
        (format!("{{ {one} myPosts {{ nodes {{ id }} }} }}"), false),
        (format!("{{ {one} other: listPosts(limit: 5, nextToken: \"x\") {{ items {{ id }} }} }}"), false),
    ] {
        site.tamper("UPDATE posts SET title = 'Before'").await;
        let first = site.graphql(&key, &query).await.text().to_owned();
        assert!(first.contains("Before"), "{query}: {first}");
        site.tamper("UPDATE posts SET title = 'After'").await;
        let second = site.graphql(&key, &query).await.text().to_owned();
        assert_eq!(second.contains("Before"), kept, "{query}: {second}");
        assert!(by_get(&site, &key, &query, &json!({})).await.text().contains("After"), "{query}");
    }
}

#[tokio::test]
async fn a_kept_answer_is_told_apart_by_everything_that_was_asked() {
    let (site, mut ada, key) = site().await;
    for number in 0..3 {
        ada.publish(&format!("Post {number}"), "Text").await;
    }
    let several = "query A { listPosts(limit: 1) { items { title } } }
        query B { listPosts(limit: 2) { items { title } } }";
    let count = |answer: &Answer| answer.json()["data"]["listPosts"]["items"].as_array().map(Vec::len);
    for _ in 0..2 {
        for (name, posts) in [("A", 1), ("B", 2)] {
            let body = json!({ "query": several, "operationName": name }).to_string();
            let answer = site.graphql_body(&key, "application/json", body).await;
            assert_eq!(count(&answer), Some(posts), "{name}");
        }
        for limit in [1, 2, 3] {
            for answer in ask(&site, &key, LIST, json!({ "limit": limit })).await {
                assert_eq!(count(&answer), Some(limit));
            }
        }
        for (accept, content_type) in [
            ("*/*", "application/json; charset=utf-8"),
            ("application/graphql-response+json", "application/graphql-response+json; charset=utf-8"),
        ] {
            for answer in ask(&site, &key.clone().with("accept", accept), LIST, json!({ "limit": 1 })).await {
                assert_eq!((count(&answer), answer.header("content-type")), (Some(1), content_type));
                assert_eq!(answer.header("x-amzn-requestid"), answer.header("x-request-id"));
            }
        }
    }
    // A page that was kept goes on where it ends.
    let first = data(&site, &key, LIST, json!({ "limit": 1 })).await;
    let next = first["listPosts"]["nextToken"].as_str().expect("a second page");
    let query = "query($token: String) { listPosts(limit: 1, nextToken: $token) { items { title } } }";
    let second = data(&site, &key, query, json!({ "token": next })).await;
    assert_eq!(second["listPosts"]["items"][0]["title"], "Post 1");
}

#[tokio::test]
async fn made_up_queries_push_no_page_out_of_memory() {
    let (site, mut ada, key) = site().await;
    let post = ada.publish("Before", &"x".repeat(90_000)).await;
    // A page that is made before the event is heard of holds until then.
    let newest = site.count("SELECT MAX(id) FROM events").await;
    until("the event to be heard of", async || site.site.bus().newest() >= newest).await;
    let mut reader = site.browser();
    let path = format!("/posts/{post}");
    for path in ["/", path.as_str()] {
        assert!(reader.get(path).await.text().contains("Before"));
    }
    site.tamper("UPDATE posts SET title = 'After'").await;
    let mut bytes = 0;
    for number in 0..300 {
        let query = format!("{{ a{number}: getPost(id: \"{post}\") {{ content }} }}");
        let answer = site.graphql(&key, &query).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        bytes += answer.body.len();
    }
    assert!(bytes > 24 << 20, "more than there is room for");
    for path in ["/", path.as_str()] {
        assert!(reader.get(path).await.text().contains("Before"), "{path} is in memory still");
    }
}

#[tokio::test]
async fn a_kept_answer_by_get_has_the_tag_of_one_that_was_just_made_and_is_compressed_when_repeated() {
    let (site, mut ada, key) = site().await;
    for number in 0..20 {
        ada.publish(&format!("Post {number} with a title that is long enough"), "Text").await;
    }
    let made = by_get(&site, &key, LIST, &json!({})).await;
    let kept = by_get(&site, &key, LIST, &json!({})).await;
    let told =
        |answer: &Answer| (answer.header("etag").to_owned(), answer.header("cache-control").to_owned());
    assert_eq!((told(&made), made.text()), (told(&kept), kept.text()));
    assert!(made.header("etag").len() > 20 && kept.header("cache-control") == "private, no-cache");
    let packed = by_get(&site, &key.clone().with("accept-encoding", "gzip"), LIST, &json!({})).await;
    assert_eq!((packed.header("content-encoding"), told(&packed)), ("gzip", told(&kept)));
    assert!(packed.body.len() * 2 < kept.body.len());
    let varies: Vec<_> =
        packed.headers.get_all("vary").iter().map(|value| value.to_str().expect("text")).collect();
    assert!(varies.join(", ").contains("accept-encoding"), "{varies:?}");
    let known = key.clone().with("if-none-match", packed.header("etag"));
    let answer = by_get(&site, &known, LIST, &json!({})).await;
    assert_eq!((answer.status, answer.body.len()), (304, 0));
    // What is posted nobody keeps, and nobody is told a tag.
    for _ in 0..2 {
        let posted = site.graphql_with(&key.clone().with("accept-encoding", "br"), LIST, json!({})).await;
        assert_eq!((posted.header("cache-control"), posted.header("etag")), ("no-store", ""));
    }
}

#[tokio::test]
async fn a_process_that_may_miss_changes_keeps_no_answer() {
    let (site, mut ada, key) = site().await;
    ada.publish("Before", "Text").await;
    assert_eq!(titles(&site, &key).await, ["Before"]);
    let changes = &site.site.bus().changes;
    changes.lose();
    for title in ["While", "Deaf"] {
        site.tamper(&format!("UPDATE posts SET title = '{title}'")).await;
        assert_eq!(titles(&site, &key).await, [title]);
    }
    changes.follow();
    assert_eq!(titles(&site, &key).await, ["Deaf"]);
    site.tamper("UPDATE posts SET title = 'Later'").await;
    assert_eq!(titles(&site, &key).await, ["Deaf"], "it is kept again");
}
