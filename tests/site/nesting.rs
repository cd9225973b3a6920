//! Deeply nested documents and values, and those that would cost much more than their
//! length (security row G1).

use serde_json::{Value, json};

use crate::support::{Credential, Heard, Running, Socket, in_time};

/// `open` and `close` so many times around `middle`.
fn nested(before: &str, open: &str, times: usize, middle: &str, close: &str, after: &str) -> String {
    format!("{before}{}{middle}{}{after}", open.repeat(times), close.repeat(times))
}

/// Every place of the grammar that can hold itself: as deep as 16 KiB allow, and
/// less deep, where a parser that guards its own stack goes on.
fn deep_documents() -> Vec<(&'static str, String)> {
    let of_depth = |times: usize| {
        [
            ("filters", nested("{listPosts(filter:", "{not:", times, "{}", "}", "){items{id}}}")),
            ("lists of filters", nested("{listPosts(filter:", "{and:[", times, "{}", "]}", "){items{id}}}")),
            ("lists", nested("{listPosts(filter:{and:", "[", times, "", "]", "}){items{id}}}")),
            (
                "the default of a variable",
                nested(
                    "query($f:ModelPostFilterInput=",
                    "{not:",
                    times,
                    "{}",
                    "}",
                    "){listPosts(filter:$f){items{id}}}",
                ),
            ),
            ("the type of a variable", nested("query($a:", "[", times, "Int", "]", "){me{id}}")),
            ("the argument of a directive", nested("{me@include(if:", "[", times, "1", "]", "){id}}")),
            ("fields", nested("", "{me", times, "", "}", "")),
            ("fragments", nested("{", "...{", times, "me{id}", "}", "}")),
            ("brackets that nothing closes", "{a(b:".to_owned() + &"[".repeat(times)),
        ]
    };
    [70, 120, 350, 2_000].into_iter().flat_map(of_depth).collect()
}

/// Fragments that spread each other, one inside the other.
fn chain(links: usize) -> String {
    let links: String =
        (0..links).map(|link| format!("fragment F{link} on Query{{...F{}}}", link + 1)).collect();
    format!("{{...F0}}{links}")
}

fn array(depth: usize) -> String {
    nested("", "[", depth, "", "]", "")
}

async fn everything_deep_is_refused() {
    let site = Running::start().await;
    let key = site.public_key().await.key;
    let credential = Credential::api_key(&key);
    let json_type = "application/json";

    let documents = deep_documents().into_iter().chain([("a chain of fragments", chain(400))]);
    for (what, document) in documents {
        let answer = site.graphql(&credential, &document).await;
        assert_eq!(answer.status, 400, "{what}: {}", answer.text());
        assert_eq!(answer.json()["errors"][0]["errorType"], "QueryTooLarge", "{what}");

        let mut socket = Socket::transport(&site.browser(), json!({ "x-api-key": key })).await;
        socket.say(json!({ "type": "subscribe", "id": "1", "payload": { "query": document } })).await;
        let said = socket.said().await;
        let kind = said["payload"][0]["extensions"]["errorType"].as_str();
        assert_eq!((said["type"].as_str(), kind), (Some("error"), Some("QueryTooLarge")), "{what}: {said}");

        let by_key = json!({ "host": "h", "x-api-key": key });
        let mut socket = Socket::appsync(&site.browser(), &by_key).await;
        let said = socket.start("1", &document, &by_key).await;
        assert_eq!(said["payload"]["errors"][0]["errorType"], "QueryTooLarge", "{what}: {said}");
    }

    for depth in [200, 20_000] {
        let deep = array(depth);
        for body in [
            deep.clone(),
            format!(r#"{{"query":"{{me{{id}}}}","variables":{{"a":{deep}}}}}"#),
            format!(r#"{{"query":"{{me{{id}}}}","variables":{deep}}}"#),
            format!(r#"{{"query":"{{me{{id}}}}","extensions":{{"a":{deep}}}}}"#),
            format!(r#"{{"query":{deep}}}"#),
        ] {
            let answer = site.graphql_body(&credential, json_type, body.clone()).await;
            assert_eq!(answer.status, 400, "{body:.80}: {}", answer.text());
            assert_eq!(
                answer.json()["errors"][0]["errorType"],
                "MalformedHttpRequestException",
                "{body:.80}"
            );
        }
        let mut socket = Socket::transport(&site.browser(), json!({ "x-api-key": key })).await;
        socket.say_text(format!(r#"{{"type":"subscribe","id":"1","payload":{deep}}}"#)).await;
        assert_eq!(socket.hear().await, Heard::Closed(Some(4400)));
        let by_key = json!({ "host": "h", "x-api-key": key });
        let mut socket = Socket::appsync(&site.browser(), &by_key).await;
        let data = format!(r#"{{"query":"{{me{{id}}}}","variables":{deep}}}"#);
        let payload = json!({ "data": data, "extensions": { "authorization": by_key } });
        socket.say(json!({ "type": "start", "id": "1", "payload": payload })).await;
        let said = socket.said().await;
        assert_eq!(said["payload"]["errors"][0]["errorType"], "MalformedHttpRequestException", "{said}");
    }

    // As deep as JSON may be, inside as much of a document as there may be.
    let filter: Value = (0..110).fold(json!({}), |inner, _| json!({ "not": inner }));
    let document = "query($f:ModelPostFilterInput!){listPosts(filter:{and:[{or:[{not:$f}]}]}){items{id}}}";
    let answer = site.graphql_with(&credential, document, json!({ "f": filter })).await;
    assert_eq!(answer.json()["errors"][0]["errorType"], "QueryTooLarge", "{}", answer.text());
    let answer = site.graphql(&credential, "{ listPosts(limit: 1) { items { id } } }").await;
    assert_eq!(answer.json(), json!({ "data": { "listPosts": { "items": [] } } }));
}

#[test]
fn what_is_deep_is_refused_on_threads_with_a_small_stack() {
    // Half of what the threads of a server have, in a build whose frames are large.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_stack_size(1024 * 1024)
        .enable_all()
        .build()
        .expect("a runtime");
    // What is spawned, as every connection is, runs on these threads; an overflow ends the process.
    runtime.block_on(in_time("everything to be refused", everything_deep_is_refused()));
}

#[tokio::test]
async fn a_short_document_makes_no_long_answer() {
    let site = Running::start().await;
    let credential = Credential::api_key(&site.public_key().await.key);
    let many = |times: usize, one: &dyn Fn(usize) -> String| (0..times).map(one).collect::<String>();
    let arguments = many(300, &|number| format!("a{number}:1 "));
    let uses = many(700, &|number| format!("a:$v{number} "));
    let unknown = "x".repeat(200_000);
    for (what, document, variables) in [
        (
            "arguments of fields that are there twice",
            format!("{{...F}}fragment F on Query{{x:getPost({arguments}){}}}", "x:me ".repeat(600)),
            json!({}),
        ),
        (
            "variables that no operation defines",
            format!(
                "{}fragment F on Query{{me@a({uses}){{id}}}}",
                many(200, &|number| format!("query A{number}{{...F}}"))
            ),
            json!({}),
        ),
        (
            "an operation with a long name",
            format!("query {}{{me@a({uses}){{id}}}}", "n".repeat(6_000)),
            json!({}),
        ),
        ("directives", format!("{{me{}{{id}}}}", "@a".repeat(3_000)), json!({})),
        ("arguments of directives", format!("{{me@include({arguments}){{id}}}}"), json!({})),
        (
            "variables",
            format!("query({}){{me{{id}}}}", many(1_000, &|number| format!("$a{number}:A "))),
            json!({}),
        ),
        (
            "fragments",
            format!("{{me{{id}}}}{}", many(500, &|number| format!("fragment F{number} on A{{b}}"))),
            json!({}),
        ),
        (
            "a long value that is wrong, time and again",
            format!(
                "query($v:ModelAttributeTypes){{...F}}fragment F on Query{{{}}}",
                many(100, &|number| format!(
                    "a{number}:listPosts(limit:1 filter:{{id:{{attributeType:$v}}}}){{nextToken}}"
                ))
            ),
            json!({ "v": unknown }),
        ),
    ] {
        let answer = site.graphql_with(&credential, &document, variables).await;
        assert!([200, 400].contains(&answer.status), "{what}: {}", answer.status);
        assert_ne!(answer.json()["errors"], Value::Null, "{what}");
        let length = answer.text().len();
        assert!(length < 64 * 1024, "{what}: {length} bytes");
    }
}

#[tokio::test]
async fn a_large_value_is_not_copied_to_a_thousand_places() {
    let site = Running::start().await;
    let credential = Credential::api_key(&site.public_key().await.key);
    let document = |times: usize| {
        let fields: String = (0..times).map(|number| format!("a{number}:getPost(id:$v){{id}}")).collect();
        format!("query($v:ID!){{{fields}}}")
    };
    let large = "x".repeat(1_000_000);
    let few = site.graphql_with(&credential, &document(2), json!({ "v": large })).await;
    assert_eq!(few.json(), json!({ "data": { "a0": null, "a1": null } }));
    let many = site.graphql_with(&credential, &document(90), json!({ "v": large })).await;
    assert_eq!(many.json()["errors"][0]["errorType"], "QueryTooLarge", "{:.200}", many.text());
    let parts = json!({ "v": vec![0; 400_000] });
    let many = site.graphql_with(&credential, &document(1), parts).await;
    assert_eq!(many.json()["errors"][0]["errorType"], "QueryTooLarge", "{:.200}", many.text());
}

#[tokio::test]
async fn a_variable_of_an_unknown_type_is_a_mistake_and_no_internal_error() {
    let site = Running::start().await;
    let credential = Credential::api_key(&site.public_key().await.key);
    for document in
        ["query($a:[Nope]=[1]){me{id}}", "query($a:[[Nope!]!]!=[[1]]){me{id}}", "query($a:Nope=1){me{id}}"]
    {
        let answer = site.graphql(&credential, document).await;
        assert_eq!(answer.status, 200, "{document}: {}", answer.text());
        let message = answer.json()["errors"][0]["message"].as_str().unwrap_or_default().to_owned();
        assert!(message.contains("Unknown type \"Nope\""), "{document}: {message}");
    }
}
