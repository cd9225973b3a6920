//! The GraphQL API: answers, errors, paging, limits. Permissions are in
//! `authorization`, filters in `filters`, introspection in `schema`, and invalid input
//! in `noise`.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::{body::Body, http::Method};
use byline::config::ConflictDetection;
use serde_json::{Value, json};

use crate::support::{Answer, Credential, Running, slow_request};

const F: &str = "id title content owner createdAt updatedAt __typename";

/// A site, ada's token, bob's token and an API key.
async fn site_with(conflict_detection: ConflictDetection) -> (Running, Credential, Credential, Credential) {
    let site = Running::start_with(|config| config.conflict_detection = conflict_detection).await;
    let in_browser = site.author("ada").await;
    site.author("bob").await;
    let (key, _) = site.api_key_of(&in_browser).await;
    let (ada, bob) = (site.token_of("ada").await, site.token_of("bob").await);
    (site, ada, bob, key)
}

async fn site() -> (Running, Credential, Credential, Credential) {
    site_with(ConflictDetection::Off).await
}

const CREATE: &str = "mutation CreatePost($input: CreatePostInput!, $condition: ModelPostConditionInput) {
  createPost(input: $input, condition: $condition) { id title content owner createdAt updatedAt __typename }
}";
const UPDATE: &str = "mutation UpdatePost($input: UpdatePostInput!, $condition: ModelPostConditionInput) {
  updatePost(input: $input, condition: $condition) { id title content owner createdAt updatedAt __typename }
}";
const DELETE: &str = "mutation DeletePost($input: DeletePostInput!, $condition: ModelPostConditionInput) {
  deletePost(input: $input, condition: $condition) { id title content owner createdAt updatedAt __typename }
}";

async fn create(site: &Running, by: &Credential, id: &str, title: &str) {
    let input = json!({ "input": { "id": id, "title": title, "content": "Text" } });
    let answer = site.graphql_with(by, CREATE, input).await.json();
    assert_eq!(answer["data"]["createPost"]["id"], id, "{answer}");
}

/// An error of one field, as AppSync writes it.
fn refused(field: &str, error_type: &str, message: &str) -> Value {
    json!({
        "data": { field: null },
        "errors": [{
            "path": [field],
            "data": null,
            "errorType": error_type,
            "errorInfo": null,
            "locations": [{ "line": 2, "column": 3, "sourceName": null }],
            "message": message,
        }],
    })
}

fn denied(field: &str, object: &str) -> Value {
    refused(field, "Unauthorized", &format!("Not Authorized to access {field} on type {object}"))
}

fn condition_failed(field: &str) -> Value {
    refused(field, "DynamoDB:ConditionalCheckFailedException", "The conditional request failed")
}

fn invalid(field: &str, message: &str) -> Value {
    refused(field, "ValidationException", message)
}

#[tokio::test]
async fn errors_of_fields_are_written_as_appsync_writes_them() {
    let (site, ada, bob, key) = site().await;
    create(&site, &ada, "adas", "Title").await;
    let before = site.dump().await;
    let get = "query GetPost($id: ID!) {\n  getPost(id: $id) { id }\n}";
    let input = |input: Value| json!({ "input": input });
    let condition = json!({ "input": { "id": "adas" }, "condition": { "title": { "eq": "Other" } } });
    for (by, document, variables, expected) in [
        (&key, CREATE, input(json!({ "title": "x" })), denied("createPost", "Mutation")),
        (&bob, UPDATE, input(json!({ "id": "adas", "title": "x" })), denied("updatePost", "Mutation")),
        (&bob, DELETE, input(json!({ "id": "adas" })), denied("deletePost", "Mutation")),
        (&ada, DELETE, input(json!({ "id": "not an id" })), denied("deletePost", "Mutation")),
        (&bob, get, json!({ "id": "adas" }), denied("getPost", "Query")),
        (&ada, CREATE, input(json!({ "id": "adas", "title": "x" })), condition_failed("createPost")),
        (&bob, CREATE, input(json!({ "id": "adas", "title": "x" })), condition_failed("createPost")),
        (&ada, UPDATE, condition.clone(), condition_failed("updatePost")),
        (&ada, DELETE, condition, condition_failed("deletePost")),
        (
            &ada,
            CREATE,
            json!({ "input": { "title": "x" }, "condition": { "title": { "attributeExists": true } } }),
            condition_failed("createPost"),
        ),
        (&ada, CREATE, input(json!({ "title": " " })), invalid("createPost", "Enter a title.")),
        (
            &ada,
            CREATE,
            input(json!({ "title": "a\nb", "content": "\0" })),
            invalid(
                "createPost",
                "Title must be a single line without control characters. \
                 Content contains a NUL character (U+0000); remove it.",
            ),
        ),
        (
            &ada,
            UPDATE,
            input(json!({ "id": "adas", "title": null })),
            invalid("updatePost", "Enter a title."),
        ),
        (
            &ada,
            UPDATE,
            input(json!({ "id": "adas", "owner": "nadia" })),
            invalid("updatePost", "There is no account of that name."),
        ),
    ] {
        let answer = site.graphql_with(by, document, variables.clone()).await;
        assert_eq!((answer.status, answer.json()), (200, expected), "{variables}");
        assert_eq!(answer.header("content-type"), "application/json; charset=utf-8");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(!answer.header("x-amzn-requestid").is_empty());
    }
    let aliased =
        site.graphql(&bob, "mutation {\n  gone: deletePost(input: { id: \"adas\" }) { id }\n}").await;
    let mut expected = denied("deletePost", "Mutation");
    expected["data"] = json!({ "gone": null });
    expected["errors"][0]["path"] = json!(["gone"]);
    assert_eq!(aliased.json(), expected);
    assert_eq!(site.dump().await, before);
}

#[tokio::test]
async fn a_refused_request_is_written_as_appsync_writes_it() {
    let (site, ..) = site().await;
    let expired = site.token_of("ada").await;
    site.tamper("DELETE FROM token_families").await;
    for (by, message) in [
        (Credential::none(), "Valid authorization header not provided."),
        (Credential::api_key("byl_wrong"), "You are not authorized to make this call."),
        (Credential::token("a.b.c"), "Unable to parse JWT token."),
        (expired, "Token has expired."),
    ] {
        let answer = site.graphql(&by, "{ __typename }").await;
        let expected = json!({ "errors": [{ "errorType": "UnauthorizedException", "message": message }] });
        assert_eq!((answer.status, answer.json()), (401, expected));
        assert_eq!(answer.header("x-amzn-errortype"), "UnauthorizedException");
        assert_eq!(answer.header("www-authenticate"), "Bearer error=\"invalid_token\"");
        assert_eq!(answer.header("access-control-allow-origin"), "*");
    }
}

#[tokio::test]
async fn a_document_that_does_not_fit_the_schema_is_answered_with_what_is_wrong() {
    let (site, ada, ..) = site().await;
    let before = site.dump().await;
    let expected = [
        ("{\n  nope\n}", "FieldUndefined", 2, 3),
        ("{ getPost(id: \"a\") { id nope } }", "FieldUndefined", 1, 25),
        ("{ getPost { id } }", "MissingFieldArgument", 1, 3),
        ("{ getPost(id: \"a\", nope: 1) { id } }", "UnknownArgument", 1, 20),
        ("{ getPost(id: \"a\") }", "SubSelectionRequired", 1, 3),
        ("{ listPosts(limit: \"x\") { nextToken } }", "WrongType", 1, 13),
        ("mutation { createPost(input: { title: \"x\", owner_id: \"1\" }) { id } }", "WrongType", 1, 23),
        ("mutation { createPost(input: { title: \"x\", role: \"admin\" }) { id } }", "WrongType", 1, 23),
        ("mutation { createPost(input: { title: \"x\", _version: 1 }) { id } }", "WrongType", 1, 23),
        ("{ getPost(id: $other) { id } }", "UndefinedVariable", 1, 11),
        ("{ ...Nope }", "UndefinedFragment", 1, 3),
        ("{ me", "InvalidSyntax", 1, 5),
    ];
    let mut found = Vec::new();
    for (document, ..) in expected {
        let answer = site.graphql(&ada, document).await;
        assert_eq!(answer.status, 200, "{document}");
        let body = answer.json();
        assert_eq!((&body["data"], &body["errors"][0]["path"]), (&Value::Null, &Value::Null), "{document}");
        let error = &body["errors"][0];
        let message =
            error["message"].as_str().and_then(|text| text.strip_prefix("Validation error of type "));
        let kind = message.and_then(|text| text.split(':').next()).unwrap_or_else(|| panic!("{body}"));
        let place = &error["locations"][0];
        assert_eq!(place["sourceName"], Value::Null);
        found.push((document, kind.to_owned(), place["line"].clone(), place["column"].clone()));
    }
    let expected = expected
        .map(|(document, kind, line, column)| (document, kind.to_owned(), json!(line), json!(column)));
    assert_eq!(found, expected);
    assert_eq!(site.dump().await, before);
}

#[tokio::test]
async fn a_client_that_asks_for_the_specification_gets_its_shapes() {
    let (site, ada, _, key) = site().await;
    let accept = "application/graphql-response+json";
    let asking = |by: &Credential| by.clone().with("accept", accept);
    let shape = "application/graphql-response+json; charset=utf-8";
    let document = "mutation {\n  createPost(input: { title: \"x\" }) { id }\n}";
    for (by, document, status, body) in [
        (asking(&ada), "{ me { username } }", 200, json!({ "data": { "me": { "username": "ada" } } })),
        (
            asking(&key),
            document,
            200,
            json!({
                "data": { "createPost": null },
                "errors": [{
                    "message": "Not Authorized to access createPost on type Mutation",
                    "path": ["createPost"],
                    "locations": [{ "line": 2, "column": 3 }],
                    "extensions": { "errorType": "Unauthorized", "errorInfo": null, "data": null },
                }],
            }),
        ),
        (
            asking(&Credential::none()),
            "{ __typename }",
            401,
            json!({ "errors": [{
                "message": "Valid authorization header not provided.",
                "extensions": { "errorType": "UnauthorizedException", "errorInfo": null, "data": null },
            }] }),
        ),
    ] {
        let answer = site.graphql(&by, document).await;
        assert_eq!((answer.status, answer.json(), answer.header("content-type")), (status, body, shape));
    }
    let wrong = site.graphql(&asking(&ada), "{ nope }").await;
    assert_eq!((wrong.status, wrong.header("content-type")), (400, shape), "no field was reached");
    let body = wrong.json();
    assert!(body.get("data").is_none() && body["errors"][0]["locations"][0]["column"] == 3, "{body}");

    for (accept, content_type) in [
        ("application/json", "application/json; charset=utf-8"),
        ("*/*", "application/json; charset=utf-8"),
        ("application/graphql-response+json, application/json;q=0.9", shape),
        ("application/json, application/graphql-response+json", "application/json; charset=utf-8"),
        ("text/html", "application/json; charset=utf-8"),
    ] {
        let answer = site.graphql(&ada.clone().with("accept", accept), "{ nope }").await;
        assert_eq!(answer.header("content-type"), content_type, "{accept}");
    }
}

#[tokio::test]
async fn a_post_is_created_changed_and_deleted_and_every_answer_shows_it_whole() {
    let (site, ada, ..) = site().await;
    let answer = site.graphql_with(&ada, CREATE, json!({ "input": { "title": " New " } })).await;
    let made = answer.json()["data"]["createPost"].clone();
    let id = made["id"].as_str().expect("an id").to_owned();
    assert_eq!(
        (&made["title"], &made["content"], &made["owner"], &made["__typename"]),
        (&json!("New"), &json!(null), &json!("ada"), &json!("Post"))
    );
    assert_eq!(made["createdAt"], made["updatedAt"]);
    assert_eq!(made["createdAt"].as_str().map(str::len), Some("2026-01-31T08:15:00.000Z".len()));

    for (input, title, content, version) in [
        (json!({ "id": id, "content": "Text" }), "New", Some("Text"), 2),
        (json!({ "id": id, "title": "Newer" }), "Newer", Some("Text"), 3),
        (json!({ "id": id, "content": null }), "Newer", None, 4),
        (json!({ "id": id }), "Newer", None, 4),
        (json!({ "id": id, "title": "Last", "content": "Words", "owner": "ada" }), "Last", Some("Words"), 5),
    ] {
        let answer = site.graphql_with(&ada, UPDATE, json!({ "input": input })).await.json();
        let post = &answer["data"]["updatePost"];
        assert_eq!((&post["title"], &post["content"]), (&json!(title), &json!(content)), "{answer}");
        assert_eq!((&post["id"], &post["createdAt"]), (&made["id"], &made["createdAt"]));
        let stored = site.stored_post(&id).await.expect("it is stored");
        let stored = (stored.title.as_str(), stored.content(), stored.version);
        assert_eq!(stored, (title, content, version), "{input}");
    }
    let deleted = site.graphql_with(&ada, DELETE, json!({ "input": { "id": id } })).await.json();
    let post = &deleted["data"]["deletePost"];
    assert_eq!(
        (&post["title"], &post["content"], &post["id"]),
        (&json!("Last"), &json!("Words"), &made["id"])
    );
    assert_eq!(site.stored_post(&id).await, None);
    let gone = site.graphql(&ada, &format!("{{ getPost(id: \"{id}\") {{ id }} }}")).await;
    assert_eq!(gone.json(), json!({ "data": { "getPost": null } }));
}

#[tokio::test]
async fn a_post_that_was_given_away_belongs_to_the_new_owner() {
    let (site, ada, bob, _) = site().await;
    create(&site, &ada, "gift", "Title").await;
    let hand = json!({ "input": { "id": "gift", "owner": "bob" } });
    let given = site.graphql_with(&ada, UPDATE, hand.clone()).await.json();
    assert_eq!(given["data"]["updatePost"]["owner"], "bob");
    for document in [UPDATE, DELETE] {
        let answer = site.graphql_with(&ada, document, json!({ "input": { "id": "gift" } })).await.json();
        assert_eq!(answer["errors"][0]["errorType"], "Unauthorized", "{answer}");
    }
    let get = "{ getPost(id: \"gift\") { owner } }";
    assert_eq!(site.graphql(&ada, get).await.json()["errors"][0]["errorType"], "Unauthorized");
    assert_eq!(site.graphql(&bob, get).await.json(), json!({ "data": { "getPost": { "owner": "bob" } } }));
    let back = json!({ "input": { "id": "gift", "title": "Changed", "owner": "ada" } });
    site.graphql_with(&bob, UPDATE, back).await;
    let stored = site.stored_post("gift").await.expect("it is stored");
    assert_eq!((stored.owner.as_str(), stored.title.as_str(), stored.version), ("ada", "Changed", 3));
}

#[tokio::test]
async fn a_condition_is_checked_on_the_current_post() {
    let (site, ada, ..) = site().await;
    create(&site, &ada, "one", "Title").await;
    let update = async |title: &str, condition: Value| {
        let variables = json!({ "input": { "id": "one", "title": title }, "condition": condition });
        let answer = site.graphql_with(&ada, UPDATE, variables).await.json();
        answer["errors"][0]["errorType"].as_str().unwrap_or("done").to_owned()
    };
    let failed = "DynamoDB:ConditionalCheckFailedException";
    for (title, condition, outcome) in [
        ("A", json!({ "title": { "eq": "Title" } }), "done"),
        ("B", json!({ "title": { "eq": "Title" } }), failed),
        ("B", json!({ "not": { "title": { "eq": "A" } } }), failed),
        ("B", json!({ "owner": { "eq": "ada" }, "content": { "beginsWith": "Te" } }), "done"),
        ("C", json!({ "or": [{ "title": { "eq": "A" } }, { "title": { "eq": "B" } }] }), "done"),
        ("D", json!({ "content": { "size": { "gt": 4 } } }), failed),
        ("D", json!({ "title": { "attributeExists": false } }), failed),
        ("D", json!({}), "done"),
        ("E", Value::Null, "done"),
    ] {
        assert_eq!(update(title, condition.clone()).await, outcome, "{condition}");
        let stored = site.stored_post("one").await.expect("it is stored").title;
        assert_eq!(stored == title, outcome == "done", "{condition}");
    }
    for (condition, outcome) in
        [(json!({ "title": { "eq": "A" } }), failed), (json!({ "title": { "eq": "E" } }), "done")]
    {
        let variables = json!({ "input": { "id": "one" }, "condition": condition });
        let answer = site.graphql_with(&ada, DELETE, variables).await.json();
        assert_eq!(answer["errors"][0]["errorType"].as_str().unwrap_or("done"), outcome);
        assert_eq!(site.stored_post("one").await.is_none(), outcome == "done");
    }
    // Of a post that is not there yet, nothing exists and nothing equals anything.
    for (id, condition, is_made) in [
        ("a", json!({ "title": { "attributeExists": false } }), true),
        ("b", json!({ "title": { "attributeExists": true } }), false),
        ("c", json!({ "title": { "ne": "x" } }), true),
        ("d", json!({ "title": { "eq": "x" } }), false),
        ("e", json!({ "owner": { "eq": "ada" } }), false),
    ] {
        let variables = json!({ "input": { "id": id, "title": "x" }, "condition": condition });
        site.graphql_with(&ada, CREATE, variables).await;
        assert_eq!(site.stored_post(id).await.is_some(), is_made, "{condition}");
    }
}

const LIST: &str = "query ListPosts($filter: ModelPostFilterInput, $limit: Int, $nextToken: String) {
  listPosts(filter: $filter, limit: $limit, nextToken: $nextToken) { items { id } nextToken __typename }
}";

fn ids(items: &Value) -> Vec<String> {
    let items = items.as_array().unwrap_or_else(|| panic!("{items}"));
    items.iter().map(|post| post["id"].as_str().expect("an id").to_owned()).collect()
}

/// One page: its ids, and the token of the next.
async fn page(site: &Running, by: &Credential, variables: Value) -> (Vec<String>, Value) {
    let answer = site.graphql_with(by, LIST, variables).await.json();
    let page = &answer["data"]["listPosts"];
    assert_eq!(page["__typename"], "ModelPostConnection", "{answer}");
    (ids(&page["items"]), page["nextToken"].clone())
}

#[tokio::test]
async fn pages_neither_skip_nor_repeat_while_posts_are_added() {
    let (site, ada, bob, key) = site().await;
    for number in 0..7 {
        create(&site, &ada, &format!("ada-{number}"), "Title").await;
        create(&site, &bob, &format!("bob-{number}"), "Title").await;
    }
    for (by, names) in [(&ada, &["ada"][..]), (&key, &["bob", "ada"])] {
        let (mut seen, mut next, mut pages) = (Vec::new(), Value::Null, 0);
        loop {
            let (items, token) = page(&site, by, json!({ "limit": 3, "nextToken": next })).await;
            assert_eq!(
                items.len() == 3,
                !token.is_null() || seen.len() + items.len() == 14 / 2 * names.len() && items.len() == 3
            );
            seen.extend(items);
            pages += 1;
            create(&site, &ada, &format!("{}-new-{pages}", names[0]), "Newer").await;
            next = token;
            if next.is_null() {
                break;
            }
        }
        let old = (0..7).rev().flat_map(|number| names.iter().map(move |name| format!("{name}-{number}")));
        let mut seen_old = seen.clone();
        seen_old.retain(|id| !id.contains("new"));
        assert_eq!(seen_old, old.collect::<Vec<_>>());
        assert!(
            seen.iter().all(|id| !id.starts_with(&format!("{}-new", names[0]))),
            "newer than the first page"
        );
        // The next credential counts anew.
        site.tamper("DELETE FROM posts WHERE title = 'Newer'").await;
    }
    let (all, next) = page(&site, &key, json!({})).await;
    assert_eq!((all.len(), next), (14, Value::Null));
    for (limit, expected) in [(0, 1), (-5, 1), (1, 1), (14, 14), (1_000_000, 14)] {
        let (items, _) = page(&site, &key, json!({ "limit": limit })).await;
        assert_eq!(items.len(), expected, "{limit}");
    }
}

#[tokio::test]
async fn a_page_token_continues_only_the_list_that_it_was_made_for() {
    let (site, ada, bob, key) = site_with(ConflictDetection::On).await;
    let other = Running::start().await;
    other.author("ada").await;
    for number in 0..5 {
        create(&site, &ada, &format!("a{number}"), "Title").await;
        create(&site, &bob, &format!("b{number}"), "Title").await;
        create(&other, &other.token_of("ada").await, &format!("a{number}"), "Title").await;
    }
    let filter = json!({ "title": { "eq": "Title" } });
    let (_, token) = page(&site, &ada, json!({ "limit": 2, "filter": filter })).await;
    let token = token.as_str().expect("a token").to_owned();
    let (items, _) = page(&site, &ada, json!({ "limit": 1, "filter": filter, "nextToken": token })).await;
    assert_eq!(items, ["a2"], "with another limit");
    let (_, foreign) =
        page(&other, &other.token_of("ada").await, json!({ "limit": 2, "filter": filter })).await;
    let foreign = foreign.as_str().expect("a token").to_owned();
    let flipped = token.chars().enumerate().map(|(at, c)| match (at, c) {
        (9, 'A') => 'B',
        (9, _) => 'A',
        _ => c,
    });
    let flipped: String = flipped.collect();
    let wrong = refused("listPosts", "ValidationException", "Invalid pagination token given.");
    let with = |token: &str| json!({ "limit": 2, "filter": filter, "nextToken": token });
    for (by, variables) in [
        (&bob, with(&token)),
        (&key, with(&token)),
        (&ada, json!({ "nextToken": token })),
        (&ada, json!({ "nextToken": token, "filter": { "title": { "eq": "title" } } })),
        (&ada, with(&foreign)),
        (&ada, with(&flipped)),
        (&ada, with(&token[1..])),
        (&ada, with(&format!("{token}A"))),
        (&ada, with("")),
        (&ada, with("!")),
        (&ada, with("é\0")),
        (&ada, with(&"A".repeat(5000))),
    ] {
        let answer = site.graphql_with(by, LIST, variables.clone()).await;
        assert_eq!((answer.status, answer.json()), (200, wrong.clone()), "{variables}");
    }
    let sync = "query ($filter: ModelPostFilterInput, $nextToken: String) {
  syncPosts(filter: $filter, nextToken: $nextToken) { nextToken }
}";
    let answer = site.graphql_with(&ada, sync, with(&token)).await.json();
    assert_eq!(answer["errors"][0]["message"], "Invalid pagination token given.", "{answer}");
}

const CONNECTION: &str = "query ($first: Int, $after: String, $search: String, $owner: String) {
  allPosts(first: $first, after: $after, search: $search, owner: $owner) {
    edges { cursor node { id } } nodes { id }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}";

#[tokio::test]
async fn bylines_own_lists_are_connections() {
    let (site, ada, bob, key) = site().await;
    for number in 0..3 {
        create(&site, &ada, &format!("a{number}"), "Title").await;
        create(&site, &bob, &format!("b{number}"), "Title").await;
    }
    for by in [&ada, &bob, &key] {
        let (mut seen, mut after) = (Vec::new(), Value::Null);
        for number in 0..3 {
            let variables = json!({ "first": 2, "after": after });
            let answer = site.graphql_with(by, CONNECTION, variables).await.json();
            let list = &answer["data"]["allPosts"];
            let edges = list["edges"].as_array().expect("edges");
            assert_eq!(
                list["pageInfo"],
                json!({
                    "hasNextPage": number < 2,
                    "hasPreviousPage": number > 0,
                    "startCursor": edges[0]["cursor"],
                    "endCursor": edges[1]["cursor"],
                })
            );
            let nodes: Vec<_> = edges.iter().map(|edge| edge["node"].clone()).collect();
            assert_eq!(list["nodes"], json!(nodes));
            seen.extend(ids(&list["nodes"]));
            after = list["pageInfo"]["endCursor"].clone();
        }
        assert_eq!(seen, ["b2", "a2", "b1", "a1", "b0", "a0"]);
        let end = site.graphql_with(by, CONNECTION, json!({ "after": after })).await.json();
        let end = &end["data"]["allPosts"];
        assert_eq!((&end["edges"], &end["nodes"]), (&json!([]), &json!([])));
        let none =
            json!({ "hasNextPage": false, "hasPreviousPage": true, "startCursor": null, "endCursor": null });
        assert_eq!(end["pageInfo"], none);
    }
    for after in ["", "x", "1_", "_a", "007_a", "1_é", "99999999999999999999_a"] {
        let answer = site.graphql_with(&key, CONNECTION, json!({ "after": after })).await.json();
        assert_eq!(answer, invalid("allPosts", "after is not a cursor of this list."), "{after}");
    }
}

#[tokio::test]
async fn a_search_finds_posts_that_have_all_its_words() {
    let (site, ada, bob, key) = site().await;
    for (by, id, title, content) in [
        (&ada, "one", "Red Apples", "grow on trees"),
        (&ada, "two", "Green apples", "100% sour"),
        (&bob, "three", "Trees", "bear Äpfel\nand a_b"),
    ] {
        let input = json!({ "input": { "id": id, "title": title, "content": content } });
        site.graphql_with(by, CREATE, input).await;
    }
    for (search, found) in [
        ("apples", &["two", "one"][..]),
        ("APPLES tree", &["one"]),
        ("  trees \n", &["three", "one"]),
        ("red green", &[]),
        ("%", &["two"]),
        ("a_b", &["three"]),
        ("a%b", &[]),
        ("'; DROP TABLE posts; --", &[]),
        ("Äpfel", &["three"]),
        ("", &["three", "two", "one"]),
    ] {
        let answer = site.graphql_with(&key, CONNECTION, json!({ "search": search })).await.json();
        assert_eq!(ids(&answer["data"]["allPosts"]["nodes"]), found, "{search:?}");
    }
    let of_ada = json!({ "search": "trees", "owner": "ada" });
    let answer = site.graphql_with(&bob, CONNECTION, of_ada).await.json();
    assert_eq!(ids(&answer["data"]["allPosts"]["nodes"]), ["one"]);
    let mine = site.graphql(&bob, "{ myPosts(search: \"trees\") { nodes { id } } }").await.json();
    assert_eq!(ids(&mine["data"]["myPosts"]["nodes"]), ["three"]);
    let message = "Search for 200 characters at most, without U+0000.";
    for wrong in [json!({ "search": "x".repeat(201) }), json!({ "search": "\0" }), json!({ "owner": "\0" })] {
        let answer = site.graphql_with(&key, CONNECTION, wrong).await.json();
        assert_eq!(answer, invalid("allPosts", message));
    }
}

#[tokio::test]
async fn fields_are_answered_in_the_order_of_the_document() {
    let (site, ada, ..) = site().await;
    create(&site, &ada, "one", "Title").await;
    let document =
        "query ($yes: Boolean!) { z: me { username } getPost(id: \"one\") { title ...Rest a: id } \
        __typename a: me @skip(if: $yes) { id } missing: getPost(id: \"two\") { id } }
        fragment Rest on Post { owner ... on Post { content } id title }";
    let answer = site.graphql_with(&ada, document, json!({ "yes": true })).await;
    assert_eq!(
        answer.text(),
        "{\"data\":{\"z\":{\"username\":\"ada\"},\"getPost\":{\"title\":\"Title\",\"owner\":\"ada\",\
         \"content\":\"Text\",\"id\":\"one\",\"a\":\"one\"},\"__typename\":\"Query\",\"missing\":null}}"
    );
    let several = "query A { me { username } } query B { __typename }";
    let body = json!({ "query": several, "operationName": "B" }).to_string();
    let answer = site.graphql_body(&ada, "application/json", body).await;
    assert_eq!(answer.text(), "{\"data\":{\"__typename\":\"Query\"}}");
}

#[tokio::test]
async fn mutations_of_one_document_run_one_after_the_other_and_fail_alone() {
    let (site, ada, ..) = site().await;
    let document = "mutation {
        a: createPost(input: { id: \"one\", title: \"A\" }) { title }
        b: createPost(input: { id: \"one\", title: \"B\" }) { title }
        c: updatePost(input: { id: \"one\", title: \"C\" }) { title }
    }";
    let answer = site.graphql(&ada, document).await.json();
    assert_eq!(answer["data"], json!({ "a": { "title": "A" }, "b": null, "c": { "title": "C" } }));
    assert_eq!(answer["errors"].as_array().map(Vec::len), Some(1));
    assert_eq!(site.stored_post("one").await.map(|post| post.title).as_deref(), Some("C"));
}

#[tokio::test]
async fn an_internal_error_shows_the_request_id_and_nothing_else() {
    let (site, ada, _, key) = site().await;
    create(&site, &ada, "one", "Title").await;
    let assert_masked = |answer: &Answer, field: &str, error_type: &str, message: &str| {
        let mut expected = refused(field, error_type, message);
        expected["errors"][0]["errorInfo"] = json!({ "requestId": answer.header("x-amzn-requestid") });
        assert_eq!((answer.status, answer.json()), (200, expected));
    };
    let wrong = "Something went wrong on our side.";
    site.tamper("UPDATE posts SET title = ''").await;
    let get = "{\n  getPost(id: \"one\") { id }\n}";
    assert_masked(&site.graphql(&ada, get).await, "getPost", "InternalFailure", wrong);
    site.probe().await.execute("ALTER TABLE posts RENAME TO hidden").await;
    for by in [&ada, &key] {
        assert_masked(&site.graphql(by, get).await, "getPost", "InternalFailure", wrong);
        let list = site.graphql(by, "{\n  listPosts { nextToken }\n}").await;
        assert_masked(&list, "listPosts", "InternalFailure", wrong);
    }
    let create = site.graphql(&ada, "mutation {\n  createPost(input: { title: \"x\" }) { id }\n}").await;
    assert_masked(&create, "createPost", "InternalFailure", wrong);
    site.probe().await.execute("ALTER TABLE hidden RENAME TO posts").await;

    site.site.database.close().await;
    for by in [&ada, &key] {
        // What is believed from memory asks nothing of a database that is away.
        site.site.trust().forget();
        let answer = site.graphql(by, get).await;
        assert_eq!(answer.status, 503);
        assert_eq!(answer.header("x-amzn-errortype"), "ServiceUnavailableException");
        assert!(!answer.header("retry-after").is_empty());
        let body = answer.json();
        assert_eq!(body["errors"][0]["errorInfo"]["requestId"], answer.header("x-amzn-requestid"), "{body}");
    }
}

#[tokio::test]
async fn a_mutation_is_accepted_only_as_json_by_post() {
    let (site, ada, ..) = site().await;
    let before = site.dump().await;
    let mutation = json!({ "query": "mutation { createPost(input: { title: \"x\" }) { id } }" }).to_string();
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/graphql",
        "application/json; charset=utf-16",
        "application/jsonp",
        "",
    ] {
        let answer = site.graphql_body(&ada, content_type, mutation.clone()).await;
        assert_eq!(answer.status, 415, "{content_type}");
        assert_eq!(answer.header("x-amzn-errortype"), "MalformedHttpRequestException");
    }
    for (method, allowed) in [
        ("GET", "POST"),
        ("HEAD", "POST"),
        ("PUT", "GET, HEAD, POST, OPTIONS"),
        ("PATCH", "GET, HEAD, POST, OPTIONS"),
        ("DELETE", "GET, HEAD, POST, OPTIONS"),
    ] {
        let path = "/graphql?query=mutation%7BcreatePost(input:%7Btitle:%22x%22%7D)%7Bid%7D%7D";
        let request = ada.request(&site, method.parse().expect("a method"), path);
        let request = request.header("content-type", "application/json");
        let answer = site.exchange(request.body(Body::from(mutation.clone())).expect("a request")).await;
        assert_eq!((answer.status, answer.header("allow")), (405, allowed), "{method}");
    }
    for body in [
        "",
        "{",
        "null",
        "1",
        "\"{ me { id } }\"",
        "[]",
        "[{\"query\":\"{ me { id } }\"}]",
        "{}",
        "{\"query\":null}",
        "{\"query\":1}",
        "{\"query\":[\"{ me { id } }\"]}",
        "{\"query\":\"{ me { id } }\",\"variables\":[]}",
        "{\"query\":\"{ me { id } }\",\"variables\":\"x\"}",
        "{\"query\":\"{ me { id } }\",\"operationName\":1}",
        "{\"query\":\"subscription { onCreatePost { id } }\"}",
    ] {
        let answer = site.graphql_body(&ada, "application/json", body).await;
        assert_eq!(answer.status, 400, "{body}: {}", answer.text());
        assert_eq!(answer.header("x-amzn-errortype"), "MalformedHttpRequestException", "{body}");
        assert_eq!(answer.json()["errors"].as_array().map(Vec::len), Some(1), "{body}");
    }
    assert_eq!(site.graphql_body(&ada, "application/json", vec![0xff, 0xfe]).await.status, 400);
    assert_eq!(site.graphql_body(&ada, "application/json", "x".repeat(2 << 20)).await.status, 413);
    for content_type in ["application/json", "Application/JSON;charset=\"utf-8\"", "application/json ; x=y"] {
        assert_eq!(site.graphql_body(&ada, content_type, "{\"query\":\"{__typename}\"}").await.status, 200);
    }
    assert_eq!(site.dump().await, before);
}

#[tokio::test]
async fn a_document_that_asks_for_too_much_is_refused_and_the_site_lives_on() {
    let (site, ada, ..) = site().await;
    create(&site, &ada, "one", "Title").await;
    let nested =
        |open: &str, close: &str, times: usize| format!("{}{}", open.repeat(times), close.repeat(times));
    let aliases: String = (0..1000).map(|number| format!("a{number}:me{{id}}")).collect();
    let aliased = |field: &str, times: usize| -> String {
        (0..times).map(|number| format!("a{number}:{field} ")).collect()
    };
    let pages = |arguments: &str, times| aliased(&format!("allPosts({arguments}){{nodes{{id}}}}"), times);
    // Spread wherever they are named, 3 to the power of 25 fields.
    let multiplied = |on: &str, document: &str| -> String {
        let fragments = (0..25).map(|number| {
            let next = format!("...F{} ", number + 1).repeat(3);
            format!("fragment F{number} on {on} {{ {next} }} ")
        });
        format!("{document} {} fragment F25 on {on} {{ __typename }}", fragments.collect::<String>())
    };
    let filters = |times: usize| {
        format!(
            "{{ listPosts(limit: 1, filter: {}{{}}{}) {{ nextToken }} }}",
            "{not:".repeat(times),
            "}".repeat(times)
        )
    };
    for (what, document) in [
        ("16 KiB", format!("{{ __typename }}{}", " ".repeat(16 * 1024))),
        ("5,000 aliases", format!("{{{}}}", "a:__typename ".repeat(5000))),
        ("aliases within 16 KiB", format!("{{{aliases}}}")),
        ("pages that sum up", "{ a: listPosts { nextToken } b: listPosts { nextToken } }".to_owned()),
        (
            "a page by a default",
            "{ listPosts { nextToken } c: allPosts(first: 100) { nodes { id } } }".to_owned(),
        ),
        (
            "pages by the default of a variable",
            format!("query ($n: Int = 100) {{ {} }}", pages("first: $n", 3)),
        ),
        (
            "pages by a variable that says nothing",
            format!("query ($n: Int) {{ {} }}", pages("first: $n", 10)),
        ),
        (
            "the same content time and again",
            format!("{{ getPost(id: \"one\") {{ {} }} }}", aliased("content", 20)),
        ),
        ("searches", format!("{{ {} }}", pages("first: 1, search: \"a b c\"", 10))),
        ("filters", format!("{{ {} }}", pages("first: 1, filter: { title: { contains: \"a\" } }", 10))),
        ("a schema time and again", format!("{{ __schema {{ types {{ {} }} }} }}", aliased("name", 900))),
        (
            "lists of the schema in each other",
            "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }".to_owned(),
        ),
        (
            "the schema too deep",
            format!(
                "{{ __schema {{ types {{ {} }} }} }}",
                nested("ofType { ", "name }", 20).replacen("name }", "name } ", 1)
            ),
        ),
        ("fragments of the schema that multiply", multiplied("__Schema", "{ __schema { ...F0 } }")),
        ("fragments that multiply and nothing spreads", multiplied("Query", "{ __typename }")),
        (
            "deep fields",
            format!("{{ allPosts {{ {} }} }}", nested("nodes { ", "id }", 9).replacen("id }", "id } ", 1)),
        ),
        ("deep fragments", format!("{{ {} }}", nested("... on Query { ", "__typename }", 20))),
        ("a fragment in itself", "{ ...A } fragment A on Query { me { id } ...A }".to_owned()),
        (
            "fragments in each other",
            "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }".to_owned(),
        ),
        (
            "fragments that multiply",
            format!(
                "{{ ...A }} fragment A on Query {{ {} }} fragment B on Query {{ {} }} fragment C on Query {{ __typename }}",
                "...B ".repeat(40),
                "...C ".repeat(40)
            ),
        ),
    ] {
        let answer = site.graphql(&ada, &document).await;
        assert_eq!(answer.status, 400, "{what}: {}", answer.text());
        assert_eq!(answer.header("x-amzn-errortype"), "QueryTooLarge", "{what}: {}", answer.text());
    }
    // Refused by whoever sees it first; never a fault of ours.
    for (what, document) in [
        ("selections", format!("{{{}", "a{".repeat(8000))),
        ("closed selections", nested("{a", "}", 5000)),
        ("lists", format!("{{ getPost(id: {}) {{ id }} }}", nested("[", "]", 8000))),
        ("open lists", format!("{{ getPost(id: {}", "[".repeat(16_000))),
        ("objects", format!("{{ getPost(id: {}", "{a:".repeat(5000))),
        ("filters", filters(2000)),
        ("types", format!("query ($a: {}ID{}) {{ me {{ id }} }}", "[".repeat(8000), "]".repeat(8000))),
        ("directives", format!("{{ me {} {{ id }} }}", "@include(if: true) ".repeat(800))),
        ("variables", format!("query ({}) {{ me {{ id }} }}", "$a: Int ".repeat(1500))),
        ("quotes", format!("{{ getPost(id: {}", "\"\"\"".repeat(5000))),
        ("exponents", "{ listPosts(limit: 1e999999999) { nextToken } }".to_owned()),
        ("digits", format!("{{ listPosts(limit: {}) {{ nextToken }} }}", "9".repeat(15_000))),
    ] {
        let answer = site.graphql(&ada, &document).await;
        assert!([200, 400].contains(&answer.status), "{what}: {}", answer.status);
        assert!(answer.json()["errors"].is_array(), "{what}: {}", answer.text());
    }
    let deep_json =
        format!("{{\"query\":\"{{me{{id}}}}\",\"variables\":{{\"a\":{}}}}}", nested("[", "]", 100_000));
    assert_eq!(site.graphql_body(&ada, "application/json", deep_json).await.status, 400);

    // Filters come as variables as well, where no document counts them.
    let deep = |times: usize| (0..times).fold(json!({}), |filter, _| json!({ "not": filter }));
    let wide = |times: usize| json!({ "or": vec![json!({ "id": { "eq": "a" } }); times] });
    let too_deep = "A filter can be nested 16 levels deep at most.";
    let too_many = "A filter can have 100 tests at most.";
    for (filter, refusal) in [
        (deep(16), None),
        (deep(17), Some(too_deep)),
        (deep(100), Some(too_deep)),
        (wide(100), None),
        (wide(101), Some(too_many)),
        (wide(20_000), Some(too_many)),
    ] {
        let answer = site.graphql_with(&ada, LIST, json!({ "limit": 1, "filter": filter })).await;
        assert_eq!(answer.status, 200);
        let expected = refusal.map(|message| refused("listPosts", "QueryTooLarge", message));
        let body = answer.json();
        assert_eq!(body.get("errors").map(|_| &body), expected.as_ref(), "{body}");
    }
    // Two tests of one attribute are two.
    let pairs = json!({ "or": vec![json!({ "title": { "ne": "a", "contains": "b" } }); 51] });
    let answer = site.graphql_with(&ada, LIST, json!({ "limit": 1, "filter": pairs })).await;
    assert_eq!(answer.json(), refused("listPosts", "QueryTooLarge", too_many));
    // What a variable is by default counts, not what it could be.
    let small = format!("query ($n: Int = 1) {{ {} }}", pages("first: $n", 8));
    assert!(site.graphql(&ada, &small).await.json()["errors"].is_null(), "eight posts");
    // Empty objects are no tests, and cost all the same.
    let hollow = json!({ "or": vec![json!({}); 100_000] });
    let answer = site.graphql_with(&ada, LIST, json!({ "limit": 1, "filter": hollow })).await;
    assert_eq!(answer.json(), refused("listPosts", "QueryTooLarge", too_many));
    let alive = site.graphql(&ada, "{ me { username } }").await;
    assert_eq!(alive.json(), json!({ "data": { "me": { "username": "ada" } } }));
}

#[tokio::test]
async fn a_variable_that_was_not_sent_counts_as_absent() {
    let (site, ada, ..) = site().await;
    let update = "mutation ($id: ID!, $title: String, $content: String, $owner: String) {
  updatePost(input: { id: $id, title: $title, content: $content, owner: $owner }) { title content owner }
}";
    let create = "mutation ($id: ID, $title: String!, $content: String, $owner: String) {
  createPost(input: { id: $id, title: $title, content: $content, owner: $owner }) { title content owner }
}";
    let sent = json!({ "id": "one", "title": "One", "content": "Text" });
    let answer = site.graphql_with(&ada, create, sent).await.json();
    let post = json!({ "title": "One", "content": "Text", "owner": "ada" });
    assert_eq!(answer, json!({ "data": { "createPost": post } }), "an owner that is not sent is the caller");

    for (sent, title, content) in [
        (json!({ "title": "Two" }), "Two", Some("Text")),
        (json!({ "content": "More" }), "Two", Some("More")),
        (json!({ "content": null }), "Two", None),
    ] {
        let mut variables = sent.clone();
        variables["id"] = json!("one");
        let answer = site.graphql_with(&ada, update, variables).await.json();
        let post = json!({ "title": title, "content": content, "owner": "ada" });
        assert_eq!(answer, json!({ "data": { "updatePost": post } }), "{sent}");
        let stored = site.stored_post("one").await.expect("it is there");
        assert_eq!((stored.title.as_str(), stored.content()), (title, content), "{sent}");
    }

    let list = "query ($title: String, $owner: String) {
  listPosts(filter: { title: { contains: $title, ne: \"Other\" }, owner: { eq: $owner } }) { ...Ids }
}
fragment Ids on ModelPostConnection { items { id } }";
    for (variables, found) in [
        (json!({}), &["one"][..]),
        (json!({ "title": "w" }), &["one"]),
        (json!({ "title": "x" }), &[]),
        (json!({ "owner": null }), &[]),
    ] {
        let answer = site.graphql_with(&ada, list, variables.clone()).await.json();
        assert_eq!(ids(&answer["data"]["listPosts"]["items"]), found, "{variables}: {answer}");
    }
    let unused = site.graphql(&ada, "query ($nothing: ID) { me { id } }").await.json();
    assert!(
        unused["errors"][0]["message"].as_str().is_some_and(|words| words.contains("UnusedVariable")),
        "{unused}"
    );
}

#[tokio::test]
async fn only_the_named_operation_of_a_document_is_run_in_its_order() {
    let (site, ada, ..) = site().await;
    create(&site, &ada, "one", "Title").await;
    let document = "query First { listPosts { items { id } } me { username } }
query Second { me { username } listPosts { items { id } } }";
    for (name, expected) in [
        ("First", r#"{"data":{"listPosts":{"items":[{"id":"one"}]},"me":{"username":"ada"}}}"#),
        ("Second", r#"{"data":{"me":{"username":"ada"},"listPosts":{"items":[{"id":"one"}]}}}"#),
    ] {
        let body = json!({ "query": document, "operationName": name }).to_string();
        assert_eq!(site.graphql_body(&ada, "application/json", body).await.text(), expected);
        // Alone, it needs no name.
        let alone = document.lines().find(|line| line.contains(name)).expect("a line");
        assert_eq!(site.graphql(&ada, alone).await.text(), expected);
    }
    let body = json!({ "query": document }).to_string();
    let answer = site.graphql_body(&ada, "application/json", body).await.json();
    assert!(answer["data"].is_null() && answer["errors"].is_array(), "which of them? {answer}");
}

#[tokio::test]
async fn a_credential_that_ends_before_the_document_arrives_changes_nothing() {
    let site = Running::start().await;
    let mut in_browser = site.author("ada").await;
    let document = r#"mutation { createPost(input: { title: "Slow" }) { id } }"#;
    let body = json!({ "query": document }).to_string();
    let (begin, end) = body.split_at(10);
    for kind in ["a session", "a token"] {
        in_browser.log_in("ada").await;
        let tokens = in_browser.tokens("ada").await;
        let credential = match kind {
            "a session" => Credential::session(&in_browser),
            _ => Credential::token(&tokens.access),
        };
        let slow = credential.request(&site, Method::POST, "/graphql");
        let slow = slow_request(site.address, slow.header("content-type", "application/json")).await;
        slow.write(begin);
        assert_eq!(in_browser.submit("/logout", &[]).await.status, 303);
        let family = [("token", tokens.refresh.as_str())];
        assert_eq!(site.script().submit("/api/token/revoke", &family).await.status, 200);
        slow.write(end);
        let answer = slow.finish().await;
        assert_eq!(answer.status, 401, "{kind}: {}", answer.text());
        assert_eq!(site.count("SELECT COUNT(*) FROM posts").await, 0, "{kind}");
    }
}

#[tokio::test]
async fn a_program_that_does_not_synchronize_leaves_deleted_posts_out_by_a_filter() {
    let (site, ada, ..) = site_with(ConflictDetection::On).await;
    create(&site, &ada, "gone", "Title").await;
    create(&site, &ada, "there", "Title").await;
    site.graphql_with(&ada, DELETE, json!({ "input": { "id": "gone", "_version": 1 } })).await;
    for (filter, listed, synchronized) in [
        ("{}", &["there"][..], &["there", "gone"][..]),
        ("{ _deleted: { ne: true } }", &["there"], &["there"]),
        ("{ _deleted: { eq: true } }", &[], &["gone"]),
        ("{ _deleted: { eq: false } }", &[], &[]),
        ("{ _deleted: { ne: false } }", &["there"], &["there", "gone"]),
        ("{ _deleted: { attributeExists: false } }", &["there"], &["there"]),
        ("{ _deleted: { attributeExists: true } }", &[], &["gone"]),
        ("{ _deleted: { attributeType: bool } }", &[], &["gone"]),
        ("{ _deleted: { attributeType: string } }", &[], &[]),
        ("{ not: { _deleted: { eq: true } }, title: { eq: \"Title\" } }", &["there"], &["there"]),
        ("{ or: [{ _deleted: { eq: true } }, { id: { eq: \"there\" } }] }", &["there"], &["there", "gone"]),
    ] {
        let document = format!(
            "{{ listPosts(filter: {filter}, limit: 5) {{ items {{ id }} }} syncPosts(filter: {filter}, limit: 5) {{ items {{ id }} }} }}"
        );
        let answer = site.graphql(&ada, &document).await.json();
        assert!(answer["errors"].is_null(), "{filter}: {answer}");
        assert_eq!(ids(&answer["data"]["listPosts"]["items"]), listed, "{filter}");
        assert_eq!(ids(&answer["data"]["syncPosts"]["items"]), synchronized, "{filter}");
    }
}

#[tokio::test]
async fn the_id_of_anothers_deleted_post_is_not_given_again() {
    let (site, ada, bob, _) = site_with(ConflictDetection::On).await;
    create(&site, &ada, "one", "Ada's").await;
    site.graphql_with(&ada, DELETE, json!({ "input": { "id": "one", "_version": 1 } })).await;
    let again = json!({ "input": { "id": "one", "title": "Bob's" } });
    let answer = site.graphql_with(&bob, CREATE, again).await.json();
    assert_eq!(answer, condition_failed("createPost"));
    assert_eq!(site.stored_post("one").await, None);
    assert_eq!(site.count("SELECT COUNT(*) FROM deleted_posts").await, 1, "programs may yet ask for it");
    create(&site, &ada, "one", "Ada's again").await;
    assert_eq!(site.stored_post("one").await.expect("it is there").owner, "ada");
    assert_eq!(site.count("SELECT COUNT(*) FROM deleted_posts").await, 0);
}

#[tokio::test]
async fn an_owner_is_named_by_username_in_any_case_or_by_email() {
    let (site, ada, ..) = site().await;
    for (owner, is_she) in [
        ("ada", true),
        ("Ada", true),
        (" ADA ", true),
        ("Ada@Example.org", true),
        ("bob", false),
        ("bob@example.org", false),
        ("ada@example.com", false),
        ("\u{430}da", false),
        ("", false),
    ] {
        let input = json!({ "input": { "title": "Title", "owner": owner } });
        let answer = site.graphql_with(&ada, CREATE, input.clone()).await.json();
        match is_she {
            true => assert_eq!(answer["data"]["createPost"]["owner"], "ada", "{owner:?}: {answer}"),
            false => assert_eq!(answer, denied("createPost", "Mutation"), "{owner:?}"),
        }
    }
    assert_eq!(site.count("SELECT COUNT(*) FROM posts").await, 4);
}

#[tokio::test]
async fn with_conflict_detection_a_change_of_an_old_version_gets_the_current_post() {
    let (site, ada, ..) = site_with(ConflictDetection::On).await;
    create(&site, &ada, "one", "Title").await;
    let update = "mutation ($input: UpdatePostInput!) {
  updatePost(input: $input) { id title _version _deleted _lastChangedAt updatedAt }
}";
    let change = |title: &str, version: Value| json!({ "input": { "id": "one", "title": title, "_version": version } });
    let answer = site.graphql_with(&ada, update, change("Second", json!(1))).await.json();
    let second = &answer["data"]["updatePost"];
    assert_eq!((&second["_version"], &second["_deleted"]), (&json!(2), &Value::Null), "{answer}");
    let changed_at = second["_lastChangedAt"].as_i64().expect("milliseconds");
    assert!(changed_at > 1_700_000_000_000);

    let get = format!("{{ getPost(id: \"one\") {{ {F} _version _lastChangedAt _deleted }} }}");
    let mut current = site.graphql(&ada, &get).await.json()["data"]["getPost"].clone();
    current.as_object_mut().expect("a post").remove("__typename");
    let before = site.dump().await;
    let delete = "mutation ($input: DeletePostInput!) {
  deletePost(input: $input) { id }
}";
    for (field, document, variables) in [
        ("updatePost", update, change("Third", json!(1))),
        ("updatePost", update, change("Third", json!(3))),
        ("updatePost", update, change("Third", Value::Null)),
        ("updatePost", update, json!({ "input": { "id": "one", "title": "Third" } })),
        ("deletePost", delete, json!({ "input": { "id": "one", "_version": 1 } })),
        ("deletePost", delete, json!({ "input": { "id": "one" } })),
    ] {
        let answer = site.graphql_with(&ada, document, variables.clone()).await.json();
        let mut expected = refused(field, "ConflictUnhandled", "Conflict resolver rejects mutation.");
        expected["errors"][0]["data"] = current.clone();
        assert_eq!(answer, expected, "{variables}");
    }
    assert_eq!(site.dump().await, before);
    let deleted =
        "mutation ($input: DeletePostInput!) { deletePost(input: $input) { id title _version _deleted } }";
    let answer =
        site.graphql_with(&ada, deleted, json!({ "input": { "id": "one", "_version": 2 } })).await.json();
    let expected = json!({ "id": "one", "title": "Second", "_version": 3, "_deleted": true });
    assert_eq!(answer, json!({ "data": { "deletePost": expected } }));
}

#[tokio::test]
async fn a_program_that_synchronizes_gets_everything_once_and_then_what_changed() {
    let (site, ada, bob, key) = site_with(ConflictDetection::On).await;
    for number in 0..5 {
        create(&site, &ada, &format!("a{number}"), "Title").await;
    }
    create(&site, &bob, "b", "Title").await;
    let sync = async |by: &Credential, last_sync: Value, limit: usize| {
        let document = "query ($lastSync: AWSTimestamp, $limit: Int, $nextToken: String) {
  syncPosts(lastSync: $lastSync, limit: $limit, nextToken: $nextToken) {
    items { id title _version _deleted _lastChangedAt } nextToken startedAt
  }
}";
        let (mut all, mut next, mut started_at) = (Vec::new(), Value::Null, Value::Null);
        for _ in 0..20 {
            let variables = json!({ "lastSync": last_sync, "limit": limit, "nextToken": next });
            let answer = site.graphql_with(by, document, variables).await.json();
            let page = &answer["data"]["syncPosts"];
            let items = page["items"].as_array().unwrap_or_else(|| panic!("{answer}"));
            assert!(items.len() <= limit);
            all.extend(items.iter().map(|post| {
                let deleted = if post["_deleted"] == true { "-" } else { "" };
                format!("{deleted}{} {}", post["id"].as_str().expect("an id"), post["_version"])
            }));
            if started_at.is_null() {
                started_at = page["startedAt"].clone();
            }
            next = page["nextToken"].clone();
            if next.is_null() {
                return (all, started_at);
            }
        }
        panic!("there is no end to it: {all:?}");
    };
    let base = ["a0 1", "a1 1", "a2 1", "a3 1", "a4 1"];
    for limit in [1, 2, 5, 100] {
        assert_eq!(sync(&ada, Value::Null, limit).await.0, base, "{limit}");
    }
    assert_eq!(sync(&key, Value::Null, 2).await.0, ["a0 1", "a1 1", "a2 1", "a3 1", "a4 1", "b 1"]);

    // All of that is long ago.
    site.tamper(
        "UPDATE posts SET created_at = created_at - 3600000000, updated_at = updated_at - 3600000000",
    )
    .await;
    let (_, started_at) = sync(&ada, Value::Null, 100).await;
    assert_eq!(sync(&ada, started_at.clone(), 100).await.0, [""; 0]);
    let update = json!({ "input": { "id": "a3", "title": "Changed", "_version": 1 } });
    site.graphql_with(&ada, UPDATE, update).await;
    site.graphql_with(&ada, DELETE, json!({ "input": { "id": "a1", "_version": 1 } })).await;
    create(&site, &ada, "a5", "Title").await;
    for limit in [1, 2, 100] {
        assert_eq!(sync(&ada, started_at.clone(), limit).await.0, ["a3 2", "-a1 2", "a5 1"], "{limit}");
    }
    assert_eq!(sync(&bob, started_at.clone(), 100).await.0, [""; 0]);
    assert_eq!(sync(&key, started_at, 2).await.0, ["a3 2", "-a1 2", "a5 1"]);
    // Whoever was away for long, and begins anew, hears of deletions as well.
    let all = ["a0 1", "a2 1", "a4 1", "a3 2", "-a1 2", "a5 1"];
    for last_sync in [Value::Null, json!(0), json!(1), json!(-1), json!(i64::MIN)] {
        for limit in [2, 100] {
            assert_eq!(sync(&ada, last_sync.clone(), limit).await.0, all, "{last_sync}");
        }
    }
    assert_eq!(sync(&ada, json!(i64::MAX), 100).await.0, [""; 0]);
    // Of one moment, none is left out and none comes twice.
    site.tamper("UPDATE posts SET updated_at = 1000000").await;
    let mut living: Vec<_> = all.iter().filter(|post| !post.starts_with('-')).collect();
    living.sort_unstable();
    let (found, started_at) = sync(&ada, Value::Null, 1).await;
    assert_eq!(found.iter().take(living.len()).collect::<Vec<_>>(), living);
    // Whoever asks again from there sees what was under way as well.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time").as_millis();
    assert!(u128::from(started_at.as_u64().expect("a time")) + 15_000 <= now);
}
