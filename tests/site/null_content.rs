//! Posts without a content: null for programs, as Amplify's contract says, and an
//! empty text for people.

use byline::{config::ConflictDetection, ops::housekeeping};
use serde_json::{Value, json};

use crate::support::{Credential, Running, Socket, until};

const CREATE: &str = "mutation ($input: CreatePostInput!, $condition: ModelPostConditionInput) {
  createPost(input: $input, condition: $condition) { id content }
}";
const UPDATE: &str = "mutation ($input: UpdatePostInput!, $condition: ModelPostConditionInput) {
  updatePost(input: $input, condition: $condition) { id content }
}";
const DELETE: &str = "mutation ($input: DeletePostInput!, $condition: ModelPostConditionInput) {
  deletePost(input: $input, condition: $condition) { id content }
}";

/// Three posts of ada's: one whose content is left out, one where it is null,
/// one where it is empty, and one that has some.
async fn posts(site: &Running, ada: &Credential) {
    for (input, content) in [
        (json!({ "id": "absent", "title": "x" }), Value::Null),
        (json!({ "id": "null", "title": "x", "content": null }), Value::Null),
        (json!({ "id": "empty", "title": "x", "content": "" }), json!("")),
        (json!({ "id": "some", "title": "x", "content": "some" }), json!("some")),
    ] {
        let answer = site.graphql_with(ada, CREATE, json!({ "input": input })).await.json();
        let post = json!({ "id": input["id"], "content": content });
        assert_eq!(answer, json!({ "data": { "createPost": post } }), "{input}");
    }
}

async fn site_with(conflict_detection: ConflictDetection) -> (Running, Credential) {
    let site = Running::start_with(|config| config.conflict_detection = conflict_detection).await;
    site.author("ada").await;
    let ada = site.token_of("ada").await;
    posts(&site, &ada).await;
    (site, ada)
}

/// Those of the posts whose ids a list has, in the order of [`posts`].
fn found(items: &Value) -> Vec<&str> {
    let items = items.as_array().unwrap_or_else(|| panic!("{items}"));
    let has = |id: &&str| items.iter().any(|item| item["id"] == **id);
    ["absent", "null", "empty", "some"].into_iter().filter(has).collect()
}

#[tokio::test]
async fn what_a_program_leaves_out_is_null_wherever_it_looks() {
    let (site, ada) = site_with(ConflictDetection::On).await;
    for (id, content) in [("absent", None), ("null", None), ("empty", Some("")), ("some", Some("some"))] {
        let document = format!(
            "{{ getPost(id: \"{id}\") {{ content }}
               listPosts(filter: {{ id: {{ eq: \"{id}\" }} }}, limit: 1) {{ items {{ content }} }}
               syncPosts(filter: {{ id: {{ eq: \"{id}\" }} }}, limit: 1) {{ items {{ content }} }} }}"
        );
        let answer = site.graphql(&ada, &document).await.json();
        let post = json!({ "content": content });
        let expected = json!({
            "getPost": post,
            "listPosts": { "items": [post] },
            "syncPosts": { "items": [post] },
        });
        assert_eq!(answer["data"], expected, "{answer}");
        let document = format!(
            "{{ myPosts(filter: {{ id: {{ eq: \"{id}\" }} }}, first: 1) {{ nodes {{ content }} edges {{ node {{ content }} }} }} }}"
        );
        let answer = site.graphql(&ada, &document).await.json();
        let expected = json!({ "myPosts": { "nodes": [post], "edges": [{ "node": post }] } });
        assert_eq!(answer["data"], expected, "{answer}");
        assert_eq!(site.stored_post(id).await.expect("it is stored").content(), content);

        // What a program did not see is told it as it is, and what is deleted as it was.
        let stale = json!({ "input": { "id": id, "title": "y", "_version": 7 } });
        let conflict = site.graphql_with(&ada, UPDATE, stale).await.json();
        assert_eq!(conflict["errors"][0]["errorType"], "ConflictUnhandled", "{conflict}");
        assert_eq!(conflict["errors"][0]["data"]["content"], json!(content), "{conflict}");
        let delete = json!({ "input": { "id": id, "_version": 1 } });
        let deleted = site.graphql_with(&ada, DELETE, delete).await.json();
        assert_eq!(deleted["data"]["deletePost"], json!({ "id": id, "content": content }), "{deleted}");
        let document = "{ syncPosts(filter: { _deleted: { eq: true } }) { items { id content } } }";
        let synchronized = site.graphql(&ada, document).await.json();
        let items = synchronized["data"]["syncPosts"]["items"].as_array().expect("a list");
        assert!(items.contains(&json!({ "id": id, "content": content })), "{synchronized}");
    }
}

#[tokio::test]
async fn null_in_an_update_clears_and_what_it_leaves_out_stays() {
    let (site, ada) = site_with(ConflictDetection::Off).await;
    for (input, content, version) in [
        (json!({ "content": "" }), Some(""), 2),
        (json!({ "content": null }), None, 3),
        (json!({ "content": null }), None, 3),
        (json!({ "title": "y" }), None, 4),
        (json!({ "content": "text" }), Some("text"), 5),
        (json!({ "title": "z" }), Some("text"), 6),
        (json!({ "title": "a", "content": null }), None, 7),
    ] {
        let mut sent = input.clone();
        sent["id"] = json!("null");
        let answer = site.graphql_with(&ada, UPDATE, json!({ "input": sent })).await.json();
        assert_eq!(answer["data"]["updatePost"], json!({ "id": "null", "content": content }), "{answer}");
        let stored = site.stored_post("null").await.expect("it is stored");
        assert_eq!((stored.content(), stored.version), (content, version), "{input}");
    }
}

/// Filters, and what they find among [`posts`].
const FILTERS: &[(&str, &[&str])] = &[
    ("{ content: { attributeExists: false } }", &["absent", "null"]),
    ("{ content: { attributeExists: true } }", &["empty", "some"]),
    ("{ content: { attributeType: _null } }", &["absent", "null"]),
    ("{ content: { attributeType: string } }", &["empty", "some"]),
    ("{ content: { attributeType: number } }", &[]),
    ("{ content: { eq: null } }", &["absent", "null"]),
    ("{ content: { ne: null } }", &["empty", "some"]),
    ("{ content: { eq: \"\" } }", &["empty"]),
    ("{ content: { ne: \"\" } }", &["absent", "null", "some"]),
    ("{ content: { lt: \"z\" } }", &["empty", "some"]),
    ("{ content: { le: \"\" } }", &["empty"]),
    ("{ content: { ge: \"\" } }", &["empty", "some"]),
    ("{ content: { gt: \"\" } }", &["some"]),
    ("{ content: { between: [\"\", \"z\"] } }", &["empty", "some"]),
    ("{ content: { contains: \"\" } }", &["empty", "some"]),
    ("{ content: { contains: \"om\" } }", &["some"]),
    ("{ content: { notContains: \"om\" } }", &["absent", "null", "empty"]),
    ("{ content: { beginsWith: \"\" } }", &["empty", "some"]),
    ("{ content: { size: { eq: 0 } } }", &["empty"]),
    ("{ content: { size: { ge: 0 } } }", &["empty", "some"]),
    ("{ content: { size: { lt: 9 } } }", &["empty", "some"]),
    ("{ not: { content: { eq: \"some\" } } }", &["absent", "null", "empty"]),
    ("{ not: { content: { contains: \"\" } } }", &["absent", "null"]),
    ("{ not: { content: { ne: \"some\" } } }", &["some"]),
    ("{ not: { content: { size: { ge: 0 } } } }", &["absent", "null"]),
    ("{ not: { not: { content: { attributeExists: false } } } }", &["absent", "null"]),
    (
        "{ or: [{ content: { eq: \"some\" } }, { content: { attributeExists: false } }] }",
        &["absent", "null", "some"],
    ),
    ("{ and: [{ content: { ne: \"some\" } }, { content: { attributeExists: true } }] }", &["empty"]),
    ("{ content: { ne: \"some\", attributeType: string } }", &["empty"]),
    ("{ title: { attributeExists: true } }", &["absent", "null", "empty", "some"]),
    ("{ title: { eq: null } }", &[]),
    ("{ owner: { attributeType: _null } }", &[]),
];

#[tokio::test]
async fn filters_and_conditions_tell_null_from_an_empty_text() {
    let (site, ada) = site_with(ConflictDetection::On).await;
    for (filter, expected) in FILTERS {
        let document = format!(
            "{{ listPosts(filter: {filter}, limit: 5) {{ items {{ id }} }}
               syncPosts(filter: {filter}, limit: 5) {{ items {{ id }} }}
               myPosts(filter: {filter}, first: 5) {{ nodes {{ id }} }} }}"
        );
        let answer = site.graphql(&ada, &document).await.json();
        let data = &answer["data"];
        assert_eq!(found(&data["listPosts"]["items"]), *expected, "{filter}: {answer}");
        assert_eq!(found(&data["syncPosts"]["items"]), *expected, "{filter}: {answer}");
        assert_eq!(found(&data["myPosts"]["nodes"]), *expected, "{filter}: {answer}");
        for id in ["absent", "null", "empty", "some"] {
            // Without a change: only the condition is asked.
            let document = format!(
                "mutation {{ updatePost(input: {{ id: \"{id}\", _version: 1 }}, condition: {filter}) {{ id }} }}"
            );
            let answer = site.graphql(&ada, &document).await.json();
            assert_eq!(answer["errors"].is_null(), expected.contains(&id), "{filter} of {id}: {answer}");
        }
    }
    let failed = "DynamoDB:ConditionalCheckFailedException";
    for (condition, outcome) in
        [(json!({ "attributeExists": true }), Some(failed)), (json!({ "attributeExists": false }), None)]
    {
        let sent = json!({ "input": { "id": "null", "_version": 1 }, "condition": { "content": condition } });
        let answer = site.graphql_with(&ada, DELETE, sent).await.json();
        assert_eq!(answer["errors"][0]["errorType"].as_str(), outcome, "{answer}");
    }
    // What is not there has no attribute, not even one that is null.
    for (id, condition, is_made) in [
        ("a", json!({ "attributeExists": false }), true),
        ("b", json!({ "attributeExists": true }), false),
        ("c", json!({ "attributeType": "_null" }), false),
        ("d", json!({ "attributeType": "string" }), false),
        ("e", json!({ "ne": null }), true),
        ("f", json!({ "eq": null }), false),
    ] {
        let sent = json!({ "input": { "id": id, "title": "x" }, "condition": { "content": condition } });
        site.graphql_with(&ada, CREATE, sent).await;
        assert_eq!(site.stored_post(id).await.is_some(), is_made, "{condition}");
    }
}

#[tokio::test]
async fn a_subscriber_gets_null_and_filters_match_it() {
    let site = Running::start().await;
    site.author("ada").await;
    let ada = site.token_of("ada").await;
    let key = site.public_key().await.key;
    let mut socket = Socket::transport(&site.browser(), json!({ "x-api-key": key })).await;
    let filters = [
        ("{ content: { eq: null } }", &["absent", "null"][..]),
        ("{ content: { ne: null } }", &["empty", "some"]),
        ("{ content: { ne: \"some\" } }", &["absent", "null", "empty"]),
        ("{ content: { notContains: \"om\" } }", &["absent", "null", "empty"]),
        ("{ content: { in: [null, \"\"] } }", &["absent", "null", "empty"]),
        ("{ content: { notIn: [null, \"\"] } }", &["some"]),
        ("{ content: { notIn: [\"some\"] } }", &["absent", "null", "empty"]),
        ("{ content: { beginsWith: \"\" } }", &["empty", "some"]),
    ];
    for (filter, _) in filters {
        let document = format!("subscription {{ onCreatePost(filter: {filter}) {{ id content }} }}");
        socket.subscribe(filter, &document).await;
    }
    socket.subscribe("all", "subscription { onCreatePost { id content } }").await;
    posts(&site, &ada).await;
    let mut heard = Vec::new();
    let mut told = Vec::new();
    // The order of what is said at once is not promised; the last post is the end of it.
    while told.len() < 4 || heard.len() < filters.iter().map(|(_, posts)| posts.len()).sum() {
        let said = socket.said().await;
        let post = &said["payload"]["data"]["onCreatePost"];
        let by = said["id"].as_str().expect("an id").to_owned();
        let id = post["id"].as_str().unwrap_or_else(|| panic!("{said}")).to_owned();
        if by == "all" {
            told.push(post.clone());
        } else {
            heard.push((by, id));
        }
    }
    let post = |id: &str, content: Value| json!({ "id": id, "content": content });
    let expected = [
        post("absent", Value::Null),
        post("null", Value::Null),
        post("empty", json!("")),
        post("some", json!("some")),
    ];
    assert_eq!(told, expected);
    heard.sort();
    let mut expected: Vec<_> = filters
        .iter()
        .flat_map(|(filter, posts)| posts.iter().map(|id| ((*filter).to_owned(), (*id).to_owned())))
        .collect();
    expected.sort();
    assert_eq!(heard, expected);
}

#[tokio::test]
async fn a_person_sees_an_empty_text_and_changes_nothing_by_saving_it() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    posts(&site, &site.token_of("ada").await).await;
    assert_eq!(ada.page("/").await.link("x").as_deref(), Some("/@ada/x-4"));
    assert_eq!(ada.page("/posts/null").await.text(".prose"), "");
    assert_eq!(ada.page("/my-posts/null/edit").await.text("#content"), "");

    let mut save = async |title: &str, content: &str, version: &str| {
        let fields = [("id", "null"), ("version", version), ("title", title), ("content", content)];
        let answer = ada.submit("/my-posts/null/edit", &fields).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        let stored = site.stored_post("null").await.expect("it is stored");
        (stored.has_content.then_some(stored.content), stored.version)
    };
    assert_eq!(save("x", "", "1").await, (None, 1), "nothing was changed");
    assert_eq!(save("y", "", "1").await, (None, 2), "the title was");
    assert_eq!(save("y", "text", "2").await, (Some("text".to_owned()), 3));
    assert_eq!(save("y", "", "3").await, (Some(String::new()), 4), "an empty text is an empty text");

    // Somebody who was overtaken is shown both texts.
    let fields = [("id", "absent"), ("version", "7"), ("title", "Mine"), ("content", "mine")];
    let conflict = ada.submit("/my-posts/absent/edit", &fields).await;
    assert_eq!(conflict.status, 409, "{}", conflict.text());
    let page = conflict.page();
    assert_eq!((page.text("#saved-content"), page.text("#content")), (String::new(), "mine".to_owned()));
    let published = ada.publish("Without words", "").await;
    let stored = site.stored_post(&published).await.expect("it is stored");
    assert_eq!(stored.content(), Some(""), "what a person publishes has a text");
}

#[tokio::test]
async fn what_is_forgotten_of_a_deleted_post_is_null() {
    let (site, ada) = site_with(ConflictDetection::On).await;
    for id in ["null", "some"] {
        let answer =
            site.graphql_with(&ada, DELETE, json!({ "input": { "id": id, "_version": 1 } })).await.json();
        assert!(answer["errors"].is_null(), "{answer}");
    }
    site.tamper("UPDATE deleted_posts SET updated_at = updated_at - 3600000000").await;
    let cleaning = tokio::spawn(housekeeping::run(site.site.clone()));
    until("the texts to be forgotten", async || {
        site.count("SELECT COUNT(*) FROM deleted_posts WHERE title <> '' OR content IS NOT NULL").await == 0
    })
    .await;
    cleaning.abort();
    let document = "{ syncPosts(filter: { _deleted: { eq: true } }) { items { title content } } }";
    let items = site.graphql(&ada, document).await.json()["data"]["syncPosts"]["items"].clone();
    assert_eq!(items, json!([{ "title": "", "content": null }, { "title": "", "content": null }]));
}
