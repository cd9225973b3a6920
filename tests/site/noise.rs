//! Wrong, old or hostile requests to the GraphQL API, from bytes that are no document
//! to one wrong argument. Each is answered, and none is an internal error.

use std::{cell::RefCell, collections::BTreeMap};

use byline::config::ConflictDetection;
use proptest::{prelude::*, sample::select};
use serde_json::{Value, json};
use tokio::{runtime::Handle, task::block_in_place};

use crate::support::{Credential, Running, runner};

/// Pieces of documents, so that some of the noise is nearly right.
fn document() -> impl Strategy<Value = String> {
    const WORDS: [&str; 44] = [
        "query",
        "mutation",
        "subscription",
        "fragment",
        "on",
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        ":",
        "!",
        "$",
        "...",
        "@skip",
        "@include",
        "if",
        "true",
        "null",
        "1",
        "-1e9",
        "\"x\"",
        "\"\"\"",
        "\"",
        "#",
        "getPost",
        "listPosts",
        "allPosts",
        "createPost",
        "updatePost",
        "me",
        "id",
        "items",
        "nodes",
        "title",
        "input",
        "filter",
        "limit",
        "first",
        "Post",
        "Query",
        "__schema",
        "é😀\u{0}",
    ];
    let words =
        prop::collection::vec(prop::sample::select(&WORDS[..]), 0..40).prop_map(|words| words.join(" "));
    prop_oneof![3 => words, 1 => any::<String>(), 1 => "\\{ ?[a-z]{1,9} ?(\\{ [a-z]{1,5} \\} )?\\}"]
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "adas|[a-z]{0,3}|\\u{0}".prop_map(Value::from),
    ];
    const NAMES: [&str; 16] = [
        "id",
        "title",
        "content",
        "owner",
        "createdAt",
        "and",
        "or",
        "not",
        "eq",
        "ne",
        "between",
        "size",
        "contains",
        "attributeType",
        "attributeExists",
        "beginsWith",
    ];
    leaf.prop_recursive(5, 24, 4, |inner| {
        let name = prop::sample::select(&NAMES[..]).prop_map(str::to_owned);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name, inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Right most of the time: an argument of another type ends the request before
/// anything is done, so what is wrong must be rare to be reached.
fn mostly(right: impl Strategy<Value = Value> + 'static) -> BoxedStrategy<Value> {
    prop_oneof![85 => right, 15 => json_value()].boxed()
}

fn or_null(value: impl Strategy<Value = Value> + 'static) -> BoxedStrategy<Value> {
    prop_oneof![9 => value, 1 => Just(Value::Null)].boxed()
}

/// An object of some of these fields, each there as often as the number says.
fn object(fields: Vec<(&'static str, f64, BoxedStrategy<Value>)>) -> BoxedStrategy<Value> {
    let fields: Vec<_> = fields
        .into_iter()
        .map(|(name, often, value)| {
            prop::option::weighted(often, value)
                .prop_map(move |value| value.map(|value| (name.to_owned(), value)))
        })
        .collect();
    fields.prop_map(|fields| Value::Object(fields.into_iter().flatten().collect())).boxed()
}

/// What the site has in it, and what no text may hold.
fn text() -> BoxedStrategy<Value> {
    prop_oneof![
        3 => select(&["ada", "bob", "Title", "one", "2026-11", "T00:", "", "%", "\u{D7FF}", "\u{10FFFF}"][..])
            .prop_map(Value::from),
        1 => Just(json!("a\u{0}b")),
        2 => any::<String>().prop_map(Value::from),
    ]
    .boxed()
}

/// The ids of posts that are there, and what cannot be an id.
fn id() -> BoxedStrategy<Value> {
    prop_oneof![
        8 => select(&OF_ADA[..]).prop_map(Value::from),
        1 => Just(json!(OF_BOB)),
        1 => "[A-Za-z0-9_-]{1,64}".prop_map(Value::from),
        1 => any::<i32>().prop_map(Value::from),
        1 => Just(json!("a".repeat(65))),
        1 => any::<String>().prop_map(Value::from),
    ]
    .boxed()
}

/// Two ends, mostly.
fn ends(end: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    prop_oneof![
        3 => prop::collection::vec(end.clone(), 2),
        2 => prop::collection::vec(or_null(end), 0..4),
    ]
    .prop_map(Value::from)
    .boxed()
}

/// A `ModelStringInput`, or of ids a `ModelIDInput`.
fn tests_of(text: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    let number = prop_oneof![-1..30_i32, any::<i32>()].prop_map(Value::from).boxed();
    let size = prop_oneof![
        3 => (select(&ORDERS[..]), or_null(number.clone())).prop_map(|(name, number)| json!({ name: number })),
        1 => ends(number).prop_map(|ends| json!({ "between": ends })),
    ];
    let types = select(&["string", "bool", "_null"][..]).prop_map(Value::from);
    prop_oneof![
        5 => (select(&ORDERS[..]), or_null(text.clone())).prop_map(|(name, text)| json!({ name: text })),
        3 => (select(&["contains", "notContains", "beginsWith"][..]), or_null(text.clone()))
            .prop_map(|(name, text)| json!({ name: text })),
        3 => ends(text).prop_map(|ends| json!({ "between": ends })),
        2 => size.prop_map(|size| json!({ "size": size })),
        1 => object(vec![
            ("attributeExists", 0.5, or_null(any::<bool>().prop_map(Value::from))),
            ("attributeType", 0.5, or_null(types)),
        ]),
    ]
    .boxed()
}

/// A `ModelPostConditionInput`, or with what it alone has a `ModelPostFilterInput`.
fn filter(whole: bool) -> BoxedStrategy<Value> {
    let attributes = select(&["title", "content", "owner", "createdAt", "updatedAt"][..]);
    let test = (attributes, tests_of(text())).prop_map(|(name, tests)| json!({ name: tests })).boxed();
    let deleted = object(vec![
        ("eq", 0.5, or_null(any::<bool>().prop_map(Value::from))),
        ("ne", 0.5, or_null(any::<bool>().prop_map(Value::from))),
        ("attributeExists", 0.3, or_null(any::<bool>().prop_map(Value::from))),
    ]);
    let own = prop_oneof![
        2 => tests_of(id()).prop_map(|tests| json!({ "id": tests })),
        1 => deleted.prop_map(|tests| json!({ "_deleted": tests })),
    ]
    .boxed();
    let leaf = if whole { prop_oneof![3 => test, 1 => own].boxed() } else { test };
    leaf.prop_recursive(4, 16, 3, |inner| {
        let list = prop::collection::vec(or_null(inner.clone()), 0..4).prop_map(Value::from);
        prop_oneof![
            (select(&["and", "or"][..]), list).prop_map(|(name, list)| json!({ name: list })),
            inner.clone().prop_map(|filter| json!({ "not": filter })),
            (inner.clone(), inner).prop_map(|(mut one, other)| {
                one["or"] = other;
                one
            }),
        ]
    })
    .boxed()
}

const ORDERS: [&str; 6] = ["eq", "ne", "lt", "le", "gt", "ge"];

/// A place in a list: one that was given, one that was damaged on its way, one that never was.
fn place(given: &[String]) -> BoxedStrategy<Value> {
    let given = select(given.to_vec());
    let damaged = (given.clone(), any::<prop::sample::Index>(), "[A-Za-z0-9_=é\u{0}-]?").prop_map(
        |(place, at, letter)| {
            let mut letters: Vec<String> = place.chars().map(String::from).collect();
            let at = at.index(letters.len());
            letters[at] = letter;
            letters.concat()
        },
    );
    prop_oneof![
        4 => given.prop_map(Value::from),
        2 => damaged.prop_map(Value::from),
        1 => "[A-Za-z0-9_-]{0,80}".prop_map(Value::from),
        1 => any::<String>().prop_map(Value::from),
    ]
    .boxed()
}

fn whole_number() -> BoxedStrategy<Value> {
    or_null(
        prop_oneof![1..5_i32, any::<i32>(), select(&[0, -1, i32::MIN, i32::MAX][..])].prop_map(Value::from),
    )
}

/// The version of a post, which changes now and then.
fn version() -> BoxedStrategy<Value> {
    prop_oneof![5 => 1..4_i32, 1 => any::<i32>()].prop_map(Value::from).boxed()
}

/// The input of a mutation, with everything that it may have.
fn input(id_often: f64, title_often: f64) -> BoxedStrategy<Value> {
    let title = prop_oneof![
        3 => Just(json!("Title")),
        1 => text(),
        1 => select(&["", " ", "a\nb", "a\u{0}b", "\u{202E}"][..]).prop_map(Value::from),
        1 => Just(json!("a".repeat(10_000))),
    ];
    let owner = select(&["ada", "ADA", "bob", "nobody", "no name!", ""][..]).prop_map(Value::from);
    object(vec![
        ("id", id_often, id()),
        ("title", title_often, title.boxed()),
        ("content", 0.7, or_null(text())),
        ("owner", 0.25, or_null(prop_oneof![4 => owner, 1 => any::<String>().prop_map(Value::from)])),
        ("_version", 0.9, or_null(version())),
    ])
}

/// Values that the site gave before, to be sent again.
struct Given {
    tokens: Vec<String>,
    cursors: Vec<String>,
}

impl Given {
    async fn by(site: &Running, credentials: [&Credential; 2]) -> Self {
        const LISTS: &str = "{ listPosts(limit: 1) { nextToken } syncPosts(limit: 1) { nextToken }
            allPosts(first: 1) { pageInfo { endCursor } } }";
        let mut given = Self { tokens: Vec::new(), cursors: Vec::new() };
        for by in credentials {
            let answer = site.graphql(by, LISTS).await.json();
            let text = |at: &str| answer.pointer(at).and_then(Value::as_str).expect(at).to_owned();
            given.tokens.extend(["/data/listPosts/nextToken", "/data/syncPosts/nextToken"].map(text));
            given.cursors.push(text("/data/allPosts/pageInfo/endCursor"));
        }
        given
    }
}

/// A request's body, and which field it asks for, if it is one that is known.
#[derive(Clone, Debug)]
struct Sent {
    field: Option<&'static str>,
    body: Vec<u8>,
}

/// A document that is right, with variables that mostly are.
fn request(given: &Given) -> impl Strategy<Value = Sent> + use<> {
    const FIELDS: &str = "id title content owner createdAt updatedAt _version _deleted";
    let token = || place(&given.tokens);
    let cursor = || place(&given.cursors);
    let whole = || or_null(filter(true));
    let condition = || ("condition", 0.3, mostly(or_null(filter(false))));
    let number = |name| (name, 0.6, mostly(whole_number()));
    let moment = or_null(any::<i64>().prop_map(Value::from));
    let edit = |title_often| ("input", 0.97, mostly(input(0.9, title_often)));
    let of_id = object(vec![("id", 0.95, id()), ("_version", 0.9, version())]);
    let page = format!("items {{ {FIELDS} }} nextToken startedAt");
    let connection =
        format!("edges {{ cursor node {{ {FIELDS} }} }} nodes {{ id }} pageInfo {{ hasNextPage endCursor }}");
    // A token goes on with the list it was given for, which had no filter: so either is there more than both.
    let start = |name| (name, 0.6, mostly(whole()));
    let list = "$filter: ModelPostFilterInput, $limit: Int, $nextToken: String";
    let listed = "filter: $filter, limit: $limit, nextToken: $nextToken";
    let own = "$first: Int, $after: String, $search: String, $filter: ModelPostFilterInput";
    let owned = "first: $first, after: $after, search: $search, filter: $filter";
    let sought = || ("search", 0.4, mostly(or_null(text())));
    let mutation = |name: &str, kind: &str| {
        format!(
            "mutation ($input: {kind}!, $condition: ModelPostConditionInput) {{
                {name}(input: $input, condition: $condition) {{ {FIELDS} }} }}"
        )
    };
    let known: [(&'static str, String, BoxedStrategy<Value>); 11] = [
        (
            "getPost",
            format!("query ($id: ID!) {{ getPost(id: $id) {{ {FIELDS} }} }}"),
            object(vec![("id", 0.97, mostly(id()))]),
        ),
        (
            "listPosts",
            format!("query ({list}) {{ listPosts({listed}) {{ {page} }} }}"),
            object(vec![start("filter"), number("limit"), ("nextToken", 0.2, mostly(or_null(token())))]),
        ),
        (
            "listPosts",
            format!("query ({list}) {{ listPosts({listed}) {{ {page} }} }}"),
            object(vec![number("limit"), ("nextToken", 0.98, mostly(token()))]),
        ),
        (
            "syncPosts",
            format!(
                "query ({list}, $lastSync: AWSTimestamp) {{ syncPosts({listed}, lastSync: $lastSync) {{ {page} }} }}"
            ),
            object(vec![
                start("filter"),
                number("limit"),
                ("nextToken", 0.2, mostly(or_null(token()))),
                ("lastSync", 0.5, mostly(moment)),
            ]),
        ),
        (
            "syncPosts",
            format!("query ({list}) {{ syncPosts({listed}) {{ {page} }} }}"),
            object(vec![number("limit"), ("nextToken", 0.98, mostly(token()))]),
        ),
        (
            "allPosts",
            format!(
                "query ({own}, $owner: String) {{ allPosts({owned}, owner: $owner) {{ {connection} }} }}"
            ),
            object(vec![
                start("filter"),
                number("first"),
                sought(),
                ("after", 0.4, mostly(or_null(cursor()))),
                ("owner", 0.3, mostly(or_null(text()))),
            ]),
        ),
        (
            "myPosts",
            format!("query ({own}) {{ myPosts({owned}) {{ {connection} }} }}"),
            object(vec![
                start("filter"),
                number("first"),
                sought(),
                ("after", 0.4, mostly(or_null(cursor()))),
            ]),
        ),
        ("createPost", mutation("createPost", "CreatePostInput"), {
            object(vec![("input", 0.97, mostly(input(0.5, 0.95))), condition()])
        }),
        ("updatePost", mutation("updatePost", "UpdatePostInput"), object(vec![edit(0.7), condition()])),
        ("updatePost", mutation("updatePost", "UpdatePostInput"), object(vec![edit(0.7)])),
        (
            "deletePost",
            mutation("deletePost", "DeletePostInput"),
            object(vec![("input", 0.97, mostly(of_id)), condition()]),
        ),
    ];
    let known = known.map(|(field, query, variables)| {
        variables.prop_map(move |variables| Sent {
            field: Some(field),
            body: json!({ "query": query, "variables": variables }).to_string().into_bytes(),
        })
    });
    prop::strategy::Union::new(known)
}

/// Whatever there is to send.
fn noise(given: &Given) -> impl Strategy<Value = Sent> + use<> {
    let unknown = |body| Sent { field: None, body };
    prop_oneof![
        1 => prop::collection::vec(any::<u8>(), 0..200).prop_map(unknown),
        1 => json_value().prop_map(move |value| unknown(value.to_string().into_bytes())),
        4 => document()
            .prop_map(move |query| unknown(json!({ "query": query }).to_string().into_bytes())),
        1 => (document(), json_value(), json_value()).prop_map(move |(query, variables, name)| {
            let body = json!({ "query": query, "variables": variables, "operationName": name });
            unknown(body.to_string().into_bytes())
        }),
        16 => request(given),
    ]
}

const OF_ADA: [&str; 8] = ["ada-1", "ada-2", "ada-3", "ada-4", "ada-5", "ada-6", "ada-7", "ada-8"];
const OF_BOB: &str = "bob-1";

/// Whether something was done for the field, beyond asking who may.
fn reached(answer: &Value, field: &str) -> bool {
    let errors = answer["errors"].as_array().into_iter().flatten();
    let mut of_field = errors.filter(|error| error["path"][0] == field);
    !answer["data"][field].is_null() || of_field.any(|error| error["errorType"] != "Unauthorized")
}

#[tokio::test(flavor = "multi_thread")]
async fn no_random_request_causes_an_internal_error() {
    let site = Running::start_with(|config| config.conflict_detection = ConflictDetection::On).await;
    let in_browser = site.author("ada").await;
    site.author("bob").await;
    let (key, _) = site.api_key_of(&in_browser).await;
    let (ada, bob) = (site.token_of("ada").await, site.token_of("bob").await);
    for (by, id) in OF_ADA.map(|id| (&ada, id)).into_iter().chain([(&bob, OF_BOB)]) {
        let document =
            format!("mutation {{ createPost(input: {{ id: \"{id}\", title: \"Title\" }}) {{ id }} }}");
        assert_eq!(site.graphql(by, &document).await.json()["data"]["createPost"]["id"], id);
    }
    let given = Given::by(&site, [&ada, &key]).await;
    let mut runner = runner(1000);
    let counted = RefCell::new(BTreeMap::<&str, [u32; 2]>::new());
    let outcome =
        runner.run(&(noise(&given), prop::bool::weighted(0.25)), |(Sent { field, body }, by_key)| {
            let by = if by_key { &key } else { &ada };
            let answer = block_in_place(|| {
                Handle::current().block_on(site.graphql_body(by, "application/json", body.clone()))
            });
            let text = String::from_utf8_lossy(&body);
            prop_assert!(
                [200, 400].contains(&answer.status),
                "{} {}: {}",
                answer.status,
                text,
                answer.text()
            );
            prop_assert!(!answer.text().contains("InternalFailure"), "{}: {}", text, answer.text());
            if let Some(field) = field {
                let answer = answer.json();
                let mut counted = counted.borrow_mut();
                let [times_reached, times_done] = counted.entry(field).or_default();
                *times_reached += u32::from(reached(&answer, field));
                *times_done += u32::from(!answer["data"][field].is_null());
            }
            Ok(())
        });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    // Noise that is turned away at the door proves nothing of what lies behind it.
    let cases = runner.config().cases;
    for (field, least) in LEAST {
        let times = counted.borrow().get(field).copied().unwrap_or_default();
        let enough =
            times.iter().zip(least).all(|(times, of_a_thousand)| *times >= cases * of_a_thousand / 1000);
        assert!(enough, "{field} was reached and done so many times: {counted:?}");
    }
    assert_eq!(site.graphql(&ada, "{ __typename }").await.status, 200);
}

/// Of a thousand cases, how many reach a field at least, and how many have it done.
const LEAST: [(&str, [u32; 2]); 8] = [
    ("getPost", [8, 8]),
    ("listPosts", [45, 20]),
    ("syncPosts", [40, 17]),
    ("allPosts", [20, 10]),
    ("myPosts", [14, 10]),
    ("createPost", [13, 2]),
    ("updatePost", [12, 1]),
    ("deletePost", [7, 1]),
];
