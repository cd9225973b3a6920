//! What the GraphQL specification says and async-graphql does not do: by HTTP, and by
//! both protocols over WebSockets.

use serde_json::{Value, json};

use crate::support::{Client, Credential, Running, Socket};

/// A site, ada's browser, an API key and ada's token.
async fn site() -> (Running, Client, [Credential; 2]) {
    let site = Running::start().await;
    let ada = site.author("ada").await;
    let (key, _) = site.api_key_of(&ada).await;
    let token = site.token_of("ada").await;
    (site, ada, [key, token])
}

/// The document gets this data: by either credential, for the first time and again, and
/// over an open connection.
async fn assert_answered(
    site: &Running,
    by: &[Credential; 2],
    socket: &mut Socket,
    (document, variables): (&str, Value),
    data: Value,
) {
    let payload = json!({ "data": data });
    for by in by {
        for time in ["first", "second"] {
            let answer = site.graphql_with(by, document, variables.clone()).await;
            assert_eq!(answer.json(), payload, "{document} by {} for the {time} time", by.name);
        }
    }
    let parameters = json!({ "query": document, "variables": variables });
    socket.say(json!({ "id": "1", "type": "subscribe", "payload": parameters })).await;
    assert_eq!(socket.said().await, json!({ "type": "next", "id": "1", "payload": payload }), "{document}");
    assert_eq!(socket.said().await, json!({ "type": "complete", "id": "1" }), "{document}");
}

#[tokio::test]
async fn an_object_of_which_no_field_is_left_is_empty_and_one_that_is_not_there_is_null() {
    let (site, mut ada, by) = site().await;
    let post = ada.publish("Title", "Text").await;
    let one = format!("getPost(id: \"{post}\")");
    let mut socket = Socket::transport(&ada, by[0].as_appsync()).await;
    for (document, data) in [
        (
            format!("query ($yes: Boolean!) {{ {one} {{ id @skip(if: $yes) title @include(if: false) }} }}"),
            json!({ "getPost": {} }),
        ),
        (
            "query ($yes: Boolean!) { __typename gone: listPosts @skip(if: $yes) { nextToken } }".to_owned(),
            json!({ "__typename": "Query" }),
        ),
        (
            "{ listPosts { items { title @skip(if: true) } nextToken } }".to_owned(),
            json!({ "listPosts": { "items": [{}], "nextToken": null } }),
        ),
        (
            "{ listPosts { ...Page } }
             fragment Page on ModelPostConnection { items @include(if: false) { id } }"
                .to_owned(),
            json!({ "listPosts": {} }),
        ),
        (
            format!(
                "{{ {one} {{ ... @include(if: false) {{ id }} ... on Post {{ id @skip(if: true) }} }} }}"
            ),
            json!({ "getPost": {} }),
        ),
        (format!("{{ {one} @skip(if: true) {{ id }} }}"), json!({})),
        (
            format!("{{ {one} {{ id @skip(if: true) }} {one} {{ title }} }}"),
            json!({ "getPost": { "title": "Title" } }),
        ),
        (
            format!("{{ {one} {{ title @skip(if: false) __typename @include(if: true) }} }}"),
            json!({ "getPost": { "title": "Title", "__typename": "Post" } }),
        ),
        ("{ __type(name: \"Post\") { name @skip(if: true) } }".to_owned(), json!({ "__type": {} })),
    ] {
        assert_answered(&site, &by, &mut socket, (document.as_str(), json!({ "yes": true })), data).await;
    }
    let missing = "{ getPost(id: \"none\") { id @skip(if: true) } }";
    let answer = site.graphql(&by[0], missing).await;
    assert_eq!(answer.json(), json!({ "data": { "getPost": null } }));

    let update = format!(
        "mutation {{ updatePost(input: {{ id: \"{post}\", title: \"New\" }}) {{ id @skip(if: true) }} }}"
    );
    let answer = site.graphql(&by[1], &update).await;
    assert_eq!(answer.json(), json!({ "data": { "updatePost": {} } }));
    assert_eq!(site.stored_post(&post).await.map(|post| post.title).as_deref(), Some("New"));

    let credential = by[0].as_appsync();
    let mut appsync = Socket::appsync(&ada, &credential).await;
    let document = "subscription { onCreatePost { id @skip(if: true) } }";
    assert_eq!(appsync.start("2", document, &credential).await["type"], "start_ack");
    socket.subscribe("2", document).await;
    ada.publish("More", "").await;
    for socket in [&mut appsync, &mut socket] {
        assert_eq!(socket.said().await["payload"], json!({ "data": { "onCreatePost": {} } }));
    }
}

#[tokio::test]
async fn a_flag_that_is_not_sent_has_its_default() {
    let (site, mut ada, by) = site().await;
    let post = ada.publish("Title", "Text").await;
    let mut socket = Socket::transport(&ada, by[0].as_appsync()).await;
    let document = format!(
        "query ($with: Boolean = true, $without: Boolean! = true) {{
            getPost(id: \"{post}\") {{ title @include(if: $with) content @skip(if: $without) }} }}"
    );
    for (variables, post) in [
        (json!({}), json!({ "title": "Title" })),
        (json!({ "with": false }), json!({})),
        (json!({ "without": false }), json!({ "title": "Title", "content": "Text" })),
        (json!({ "with": false, "without": false }), json!({ "content": "Text" })),
    ] {
        let data = json!({ "getPost": post });
        assert_answered(&site, &by, &mut socket, (document.as_str(), variables), data).await;
    }
}
