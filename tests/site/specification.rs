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

#[tokio::test]
async fn an_escape_in_a_document_is_the_character_that_it_stands_for() {
    let (site, ada, [key, token]) = site().await;
    let credential = key.as_appsync();
    let mut sockets =
        [Socket::appsync(&ada, &credential).await, Socket::transport(&ada, credential.clone()).await];
    let of_smiles = r#"subscription { onCreatePost(filter: { title: { beginsWith: "\uD83D\uDE00 \u{1F600}" } })
        { title } }"#;
    assert_eq!(sockets[0].start("1", of_smiles, &credential).await["type"], "start_ack");
    sockets[1].subscribe("1", of_smiles).await;
    let document = r##"mutation { createPost(input: {
        id: "one", title: "\uD83D\uDE00 \u{1F600} \u0041 \u{22}\u{5c}\u{5C}u{41} \\u{1F600}"
        content: """\u{1F600} \uD83D"""
    }) { title content } } # "\uD83D"##;
    let (title, content) = ("😀 😀 A \"\\\\u{41} \\u{1F600}", "\\u{1F600} \\uD83D");
    let answer = site.graphql(&token, document).await;
    assert_eq!(answer.json(), json!({ "data": { "createPost": { "title": title, "content": content } } }));
    let stored = site.stored_post("one").await.expect("it is there");
    assert_eq!((stored.title.as_str(), stored.content.as_str()), (title, content));
    for socket in &mut sockets {
        assert_eq!(socket.said().await["payload"]["data"]["onCreatePost"]["title"], title);
    }

    let document = r#"{ a: getPost(id: "\uD83D\uDE00 \u{41}") { id } nope }"#;
    let answer = site.graphql(&key, document).await.json();
    let column = document.find("nope").expect("a field") + 1;
    let place = json!([{ "line": 1, "column": column, "sourceName": null }]);
    assert_eq!(answer["errors"][0]["locations"], place, "in the document as it was sent: {answer}");
}

#[tokio::test]
async fn an_escape_of_no_character_is_a_mistake_with_its_place() {
    let (site, ada, [key, _]) = site().await;
    let credential = key.as_appsync();
    let mut appsync = Socket::appsync(&ada, &credential).await;
    let place = json!([{ "line": 2, "column": 10, "sourceName": null }]);
    for (string, words) in [
        (r#""\uD83D""#, Some("half of a surrogate pair")),
        (r#""\uDE00\uD83D""#, Some("half of a surrogate pair")),
        (r#""\uD83D\u{DE00}""#, Some("half of a surrogate pair")),
        (r#""\u{D83D}""#, Some("is no character")),
        (r#""\u{110000}""#, Some("is no character")),
        // What is no escape at all, the parser finds.
        (r#""\u{}""#, None),
        (r#""\uD83""#, None),
    ] {
        let answer = site.graphql(&key, &format!("{{ getPost(\n    id: {string}) {{ id }} }}")).await;
        let document = format!("subscription {{ onCreatePost(\n owner: {string}) {{ id }} }}");
        let said = appsync.start("1", &document, &credential).await;
        assert_eq!((answer.status, &said["type"]), (200, &json!("error")), "{string}: {said}");
        let posted = answer.json();
        assert_eq!(posted["data"], Value::Null, "{string}");
        for error in [&posted["errors"][0], &said["payload"]["errors"][0]] {
            let message = error["message"].as_str().unwrap_or_default();
            assert!(message.starts_with("Validation error of type InvalidSyntax: "), "{string}: {error}");
            if let Some(words) = words {
                assert!(message.contains(words), "{string}: {error}");
                assert_eq!(error["locations"], place, "{string}: {error}");
            }
        }
    }
}

#[tokio::test]
async fn a_subscription_has_one_root_field_whatever_its_variables_are() {
    let (site, mut ada, [key, _]) = site().await;
    let credential = key.as_appsync();
    let mut appsync = Socket::appsync(&ada, &credential).await;
    let mut transport = Socket::transport(&ada, credential.clone()).await;
    let conditional = (
        "ForbidSkipAndIncludeOnSubscriptionRoot",
        "The root field of a subscription cannot have @skip or @include",
    );
    let several = ("SubscriptionMultipleRootFields", "A subscription can have one root field only");
    for (document, place, (kind, words)) in [
        ("subscription { onCreatePost @skip(if: true) { id } }", "onCreatePost", conditional),
        ("subscription { onCreatePost @include(if: false) { id } }", "onCreatePost", conditional),
        (
            "subscription ($no: Boolean = false) { onCreatePost @include(if: $no) { id } }",
            "onCreatePost",
            conditional,
        ),
        ("subscription { ... @include(if: true) { onCreatePost { id } } }", "...", conditional),
        (
            "subscription { ...F @skip(if: false) } fragment F on Subscription { onCreatePost { id } }",
            "...",
            conditional,
        ),
        (
            "subscription { ...F } fragment F on Subscription { onCreatePost @skip(if: false) { id } }",
            "onCreatePost",
            conditional,
        ),
        ("subscription { onCreatePost { id } onDeletePost { id } }", "subscription", several),
        (
            "subscription { onCreatePost { id } ...F } fragment F on Subscription { b: onCreatePost { id } }",
            "subscription",
            several,
        ),
    ] {
        let column = document.find(place).expect("a place") + 1;
        let error = json!({
            "path": null,
            "locations": [{ "line": 1, "column": column, "sourceName": null }],
            "message": format!("Validation error of type {kind}: {words}"),
        });
        let answer = site.graphql(&key, document).await;
        assert_eq!(answer.json(), json!({ "data": null, "errors": [error] }), "{document}");
        assert_eq!(
            appsync.start("1", document, &credential).await,
            json!({ "type": "error", "id": "1", "payload": { "errors": [error] } }),
            "{document}"
        );
        transport.say(json!({ "id": "1", "type": "subscribe", "payload": { "query": document } })).await;
        let error = json!({ "message": words, "locations": [{ "line": 1, "column": column }] });
        assert_eq!(
            transport.said().await,
            json!({ "type": "error", "id": "1", "payload": [error] }),
            "{document}"
        );
    }
    // Below it, both directives are allowed; and the mistakes have ended nothing else.
    let right = "subscription { onCreatePost { title @include(if: true) id @skip(if: true) } }";
    assert_eq!(appsync.start("1", right, &credential).await["type"], "start_ack");
    transport.subscribe("1", right).await;
    ada.publish("Title", "").await;
    for socket in [&mut appsync, &mut transport] {
        assert_eq!(
            socket.said().await["payload"],
            json!({ "data": { "onCreatePost": { "title": "Title" } } })
        );
    }
}

#[tokio::test]
async fn the_root_field_of_a_subscription_may_be_in_a_fragment_and_be_named_twice() {
    let (_site, mut ada, [key, _]) = site().await;
    let credential = key.as_appsync();
    let mut sockets =
        [Socket::appsync(&ada, &credential).await, Socket::transport(&ada, credential.clone()).await];
    for (id, document) in [
        (
            "fragments",
            "subscription { ...F }
             fragment F on Subscription { onCreatePost { title } ... { onCreatePost { owner } } }",
        ),
        (
            "twice",
            "subscription ($owner: String) { onCreatePost(owner: $owner) { ...G } ... on Subscription
             { onCreatePost(owner: $owner) { owner } } } fragment G on Post { title }",
        ),
    ] {
        assert_eq!(sockets[0].start(id, document, &credential).await["type"], "start_ack", "{document}");
        sockets[1].subscribe(id, document).await;
    }
    // If something were told twice, the second post would not be the next.
    for title in ["First", "Second"] {
        ada.publish(title, "").await;
        for socket in &mut sockets {
            let mut told = Vec::new();
            for _ in 0..2 {
                let said = socket.said().await;
                let data = json!({ "data": { "onCreatePost": { "title": title, "owner": "ada" } } });
                assert_eq!(said["payload"], data, "{said}");
                told.push(said["id"].as_str().expect("an id").to_owned());
            }
            told.sort_unstable();
            assert_eq!(told, ["fragments", "twice"]);
        }
    }
    for (document, words) in [
        (
            "subscription { ...F } fragment F on Subscription { onCreatePost { nope } }",
            "Unknown field \"nope\" on type \"Post\"",
        ),
        ("subscription { ...F } fragment F on Post { id }", "cannot be spread here"),
        ("subscription { ...F }", "Unknown fragment"),
    ] {
        let said = sockets[0].start("wrong", document, &credential).await;
        let errors = said["payload"]["errors"].as_array().expect("errors");
        assert_eq!(errors.len(), 1, "{document}: {said}");
        assert!(errors[0]["message"].as_str().expect("words").contains(words), "{document}: {said}");
    }
}
