//! Documents that are known to be valid get the same answer as at a site that sees
//! them for the first time.

use serde_json::{Value, json};

use crate::support::{Credential, Running};

const LIST: &str = "query List($filter: ModelPostFilterInput, $limit: Int = 2) {
    listPosts(filter: $filter, limit: $limit) { items { title } } }";
const GET: &str =
    "query Get($id: ID!, $with: Boolean!) { getPost(id: $id) { title content @include(if: $with) } }";
const CREATE: &str =
    "mutation Create($input: CreatePostInput!) { createPost(input: $input) { title content } }";
const SIZES: &str = "query($between: [Int], $type: ModelAttributeTypes) {
    listPosts(filter: { title: { size: { between: $between }, attributeType: $type } }) { items { title } } }";

/// What is wrong with the answer, or that nothing is.
async fn answer(site: &Running, by: &Credential, text: &str, variables: &Value) -> Value {
    let mut answer = site.graphql_with(by, text, variables.clone()).await.json();
    // Each tells another request's.
    if let Some(errors) = answer["errors"].as_array_mut() {
        errors.iter_mut().for_each(|error| error["errorInfo"] = Value::Null);
    }
    answer
}

#[tokio::test]
async fn a_known_document_with_wrong_variables_is_validated_again() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    ada.publish("Title", "Text").await;
    let token = site.token_of("ada").await;
    let (key, _) = site.api_key_of(&ada).await;
    let filter = |filter: Value| json!({ "filter": filter, "limit": 1 });
    for (text, right, others) in [
        (
            LIST,
            filter(json!({ "title": { "eq": "Title" } })),
            vec![
                filter(Value::Null),
                filter(json!({})),
                filter(json!({ "and": { "title": { "eq": "Title" } } })),
                filter(json!({ "and": [{ "title": { "eq": "Title" } }, null] })),
                filter(json!({ "nope": 1 })),
                filter(json!({ "title": { "eq": 1 } })),
                filter(json!({ "title": { "attributeType": "nope" } })),
                filter(json!({ "title": { "size": { "eq": "1" } } })),
                filter(json!("Title")),
                json!({ "filter": {}, "limit": null }),
                json!({ "filter": {}, "limit": "1" }),
                json!({ "filter": {}, "limit": 1.5 }),
                json!({ "filter": {}, "limit": [1] }),
                json!({ "filter": {} }),
                json!({}),
            ],
        ),
        (
            GET,
            json!({ "id": "x", "with": true }),
            vec![
                json!({ "id": 1, "with": true }),
                json!({ "id": null, "with": true }),
                json!({ "id": {}, "with": true }),
                json!({ "id": "x", "with": "true" }),
                json!({ "id": "x", "with": null }),
                json!({ "id": "x" }),
                json!({ "with": false }),
            ],
        ),
        (
            CREATE,
            json!({ "input": { "title": "Other", "content": "Text" } }),
            vec![
                json!({ "input": { "content": "Text" } }),
                json!({ "input": { "title": null } }),
                json!({ "input": { "title": ["Other"] } }),
                json!({ "input": { "title": "Other", "nope": 1 } }),
                json!({ "input": null }),
                json!({ "input": [] }),
                json!({}),
            ],
        ),
        (
            SIZES,
            json!({ "between": [1, 9], "type": "string" }),
            vec![
                json!({ "between": 1, "type": "string" }),
                json!({ "between": [1, null], "type": "string" }),
                json!({ "between": [1, "9"], "type": "string" }),
                json!({ "between": [1, 9], "type": "nope" }),
                json!({ "between": [1, 9], "type": 1 }),
            ],
        ),
    ] {
        let by = if text == LIST { &key } else { &token };
        for (number, other) in others.iter().enumerate() {
            // Known, and known with the names of these variables, if there is a way to.
            for known in [&right, other] {
                let seen = answer(&site, by, text, known).await;
                assert!(known != &right || seen["errors"].is_null(), "{text}: {seen}");
            }
            let fresh = format!("{text} # {number}");
            assert_eq!(
                answer(&site, by, text, other).await,
                answer(&site, by, &fresh, other).await,
                "{text} {other}"
            );
        }
    }
}

#[tokio::test]
async fn a_known_document_runs_the_named_operation_for_each_caller() {
    let site = Running::start().await;
    let ada = site.author("ada").await;
    let (key, _) = site.api_key_of(&ada).await;
    let token = site.token_of("ada").await;
    let several = "query A { a: __typename } query B { b: me { username } } mutation C { c: __typename }";
    for _ in 0..2 {
        for (by, name, right) in [
            (&key, json!("A"), json!({ "a": "Query" })),
            (&token, json!("A"), json!({ "a": "Query" })),
            (&key, json!("B"), json!({ "b": null })),
            (&token, json!("B"), json!({ "b": { "username": "ada" } })),
            (&token, json!("C"), json!({ "c": "Mutation" })),
            (&token, json!("D"), Value::Null),
            (&token, Value::Null, Value::Null),
        ] {
            let body = json!({ "query": several, "operationName": name }).to_string();
            let answer = site.graphql_body(by, "application/json", body).await;
            assert_eq!(answer.json()["data"], right, "{name}: {}", answer.text());
        }
    }
}
