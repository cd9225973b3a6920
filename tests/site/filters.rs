//! Filters: the database returns exactly the posts that match, by an index where
//! there is one.

use std::{cmp::Ordering, collections::BTreeSet, fmt::Debug};

use byline::{
    database::{Database, DatabaseConfig, Engine},
    posts::{
        Content, Cursor, Post, PostId, Tags, Title,
        domain::{
            Filing, PostText,
            filter::{Attribute, Comparison, Filter, Test},
            search_index,
            select::{self, Selection},
            sql,
            store::{self, Edit, Insertion},
        },
    },
    timestamp::Timestamp,
};
use proptest::{prelude::*, sample::select, strategy::ValueTree, test_runner::TestRunner};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use tokio::{runtime::Handle, task::block_in_place};

use crate::support::{Credential, Probe, Running, TestDatabase, runner};

fn one<S: Strategy>(runner: &mut TestRunner, strategy: S) -> S::Value {
    strategy.new_tree(runner).expect("a value").current()
}

const OWNERS: [&str; 3] = ["ada", "ada-2", "bob"];

/// Of letters that lie where filters could go wrong: wildcards of SQL, cases
/// that only some programs know, the ends of ranges of Unicode.
fn text() -> impl Strategy<Value = String> {
    const LETTERS: [char; 38] = [
        'a',
        'A',
        'b',
        'é',
        'É',
        'ß',
        'İ',
        'ı',
        'ẞ',
        'Σ',
        'ς',
        'ﬁ',
        'Ａ',
        'か',
        '\u{3099}',
        'Я',
        '\u{212A}',
        'k',
        'z',
        'Z',
        '_',
        '-',
        '%',
        '*',
        '\\',
        '\'',
        '"',
        '$',
        '1',
        '0',
        ' ',
        '\u{301}',
        '\u{7F}',
        '\u{D7FF}',
        '\u{E000}',
        '\u{FFFF}',
        '😀',
        '\u{10FFFF}',
    ];
    prop::collection::vec(select(&LETTERS[..]), 0..6).prop_map(|letters| letters.into_iter().collect())
}

/// Microseconds. Some within one millisecond, in one second, in one day, and at the edges.
fn time() -> impl Strategy<Value = i64> {
    const DAY: i64 = 1_700_006_400_000_000;
    prop_oneof![
        3 => DAY..DAY + 3_000,
        3 => DAY - 2_000_000..DAY + 2_000_000,
        2 => (0..2000_i64).prop_map(|minutes| DAY + minutes * 60_000_000),
        1 => select(&[0, 1, 999, 1000, 951_782_399_999_999, 253_402_300_799_999_999][..]),
    ]
}

#[derive(Clone, Debug)]
struct Sketch {
    owner: &'static str,
    id: Option<String>,
    title: String,
    content: Option<String>,
    created_at: i64,
    changed_at: Option<i64>,
}

fn sketch() -> impl Strategy<Value = Sketch> {
    let title = text().prop_filter("a title", |text| Title::parse(text).is_ok());
    let content = prop::option::weighted(0.8, text());
    (select(&OWNERS[..]), prop::option::of("[aAb_0-]{1,4}"), title, content, time(), prop::option::of(time()))
        .prop_map(|(owner, id, title, content, created_at, changed_at)| Sketch {
            owner,
            id,
            title,
            content,
            created_at,
            changed_at,
        })
}

/// Stores posts; those whose id is taken are left out.
async fn posts(site: &Running, sketches: Vec<Sketch>) -> Vec<Post> {
    let mut all: Vec<Post> = Vec::new();
    for sketch in sketches {
        if all.iter().any(|post| Some(post.id.as_str()) == sketch.id.as_deref()) {
            continue;
        }
        let owner = site.user(sketch.owner).await;
        let stored = site.site.database.write((owner, sketch), |db, (owner, sketch)| {
            Box::pin(async move {
                let post_text = PostText {
                    title: Title::parse(&sketch.title).expect("a title"),
                    content: sketch.content.map(|text| Content::parse(&text).expect("a content")),
                };
                let id = sketch.id.as_deref().and_then(PostId::parse);
                let created_at = Timestamp::from_micros(sketch.created_at);
                let (post, _) =
                    store::insert(db, &owner, Insertion::new(id, &post_text, &Filing::default(), created_at))
                        .await?;
                match sketch.changed_at.map(Timestamp::from_micros) {
                    Some(time) => {
                        let tags = Tags::default();
                        let edit = Edit {
                            text: (&post_text).into(),
                            slug: post.slug.as_ref(),
                            tags: &tags,
                            language: None,
                            new_owner: None,
                            now: time,
                        };
                        let changed = store::update(db, &post.id, &owner.id, 1, edit).await?;
                        Ok(changed.expect("it is there"))
                    }
                    None => Ok(post),
                }
            })
        });
        all.push(stored.await.expect("it is stored"));
    }
    all.sort_by(|a, b| (b.created_at, &b.id).cmp(&(a.created_at, &a.id)));
    all
}

/// A site with random posts, newest first.
async fn site_with_posts(runner: &mut TestRunner) -> (Running, Vec<Post>) {
    let site = Running::start().await;
    for owner in OWNERS {
        site.author(owner).await;
    }
    let sketches = one(runner, prop::collection::vec(sketch(), 70));
    let posts = posts(&site, sketches).await;
    assert!(posts.len() > 40, "most of them");
    assert!(posts.iter().any(|post| post.content.is_none()), "some without a content");
    (site, posts)
}

/// Everything that some post has, and pieces of it.
fn words(posts: &[Post]) -> Vec<String> {
    let mut words: Vec<String> = posts
        .iter()
        .flat_map(|post| {
            let times = [post.created_at, post.updated_at].map(Timestamp::rfc3339_millis);
            let texts = [post.id.as_str(), post.title.as_str(), post.text().as_str(), post.owner.as_str()];
            texts.map(str::to_owned).into_iter().chain(times)
        })
        .collect();
    words.sort();
    words.dedup();
    words
}

/// A text that a filter may name.
fn operand(words: Vec<String>) -> impl Strategy<Value = String> + Clone {
    let piece = (select(words.clone()), 0..20_usize, 1..25_usize)
        .prop_map(|(word, from, length)| word.chars().skip(from).take(length).collect::<String>());
    let head =
        (select(words.clone()), 0..24_usize).prop_map(|(word, length)| word.chars().take(length).collect());
    let near = (select(words.clone()), text()).prop_map(|(word, rest)| word + &rest);
    let case = select(words.clone()).prop_map(|word| word.to_uppercase());
    let times = select(
        &[
            "",
            "2023",
            "2023-11-15T",
            "T00:00",
            "t00:00:00.00",
            "9999-12-31T23:59:59.999Z",
            ":",
            "Z",
            "z",
            "10000",
        ][..],
    );
    prop_oneof![
        4 => select(words),
        3 => piece,
        3 => head,
        1 => near,
        1 => case,
        1 => text(),
        2 => times.prop_map(str::to_owned),
    ]
    .boxed()
}

const COMPARISONS: [Comparison; 6] =
    [Comparison::Eq, Comparison::Ne, Comparison::Lt, Comparison::Le, Comparison::Gt, Comparison::Ge];
const ATTRIBUTES: [Attribute; 6] = [
    Attribute::Id,
    Attribute::Title,
    Attribute::Content,
    Attribute::Owner,
    Attribute::CreatedAt,
    Attribute::UpdatedAt,
];

fn filter(words: Vec<String>) -> impl Strategy<Value = Filter> {
    let text = operand(words);
    let test = prop_oneof![
        1 => select(&[Test::Exists, Test::Null][..]),
        4 => (select(&COMPARISONS[..]), text.clone()).prop_map(|(comparison, text)| Test::Is(comparison, text)),
        2 => text.clone().prop_map(Test::BeginsWith),
        2 => text.clone().prop_map(Test::Contains),
        1 => (select(&COMPARISONS[..]), -1..26_i64).prop_map(|(comparison, length)| Test::Length(comparison, length)),
    ];
    let leaf = prop_oneof![
        20 => (select(&ATTRIBUTES[..]), test.clone()).prop_map(|(attribute, test)| Filter::Where(attribute, test)),
        // It alone may be null.
        6 => test.prop_map(|test| Filter::Where(Attribute::Content, test)),
        1 => Just(Filter::Deleted),
        1 => Just(Filter::EVERYTHING),
        1 => Just(Filter::NOTHING),
        1 => text.clone().prop_map(|words| Filter::search(&words)),
        2 => text.clone().prop_map(Filter::Mentions),
        1 => text.prop_map(Filter::Titled),
    ];
    leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Filter::All),
            prop::collection::vec(inner.clone(), 0..4).prop_map(Filter::Any),
            inner.prop_map(|filter| Filter::Not(Box::new(filter))),
        ]
    })
}

fn ids(posts: &[Post]) -> Vec<&str> {
    posts.iter().map(|post| post.id.as_str()).collect()
}

/// Runs a future inside a property.
fn wait<T>(future: impl Future<Output = T>) -> T {
    block_in_place(|| Handle::current().block_on(future))
}

fn assert_holds<T: Debug>(outcome: Result<(), proptest::test_runner::TestError<T>>) {
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_returns_the_posts_that_match_a_filter() {
    let mut runner = runner(400);
    let (site, posts) = site_with_posts(&mut runner).await;
    assert_posts_that_match_are_returned(&mut runner, &site, &posts);
    search_index::backfill(&site.site.database).await.expect("an index");
    assert_posts_that_match_are_returned(&mut runner, &site, &posts);
}

fn assert_posts_that_match_are_returned(runner: &mut TestRunner, site: &Running, posts: &[Post]) {
    let owner = prop::option::weighted(0.3, select(&OWNERS[..]));
    let place = prop::option::weighted(0.3, (0..posts.len()).prop_map(|at| at));
    let wanted = (filter(words(posts)), owner, place, 1..100_usize, any::<bool>());
    let outcome = runner.run(&wanted, |(filter, owner, place, limit, content)| {
        let after = place.map(|at| &posts[at]);
        let expected: Vec<_> = posts
            .iter()
            .skip(place.map_or(0, |at| at + 1))
            .filter(|post| owner.is_none_or(|owner| post.owner == owner))
            .filter(|post| filter.matches((*post).into()))
            .map(|post| if content { post.clone() } else { Post { content: None, ..post.clone() } })
            .collect();
        let listing = wait(async {
            let owner = match owner {
                Some(owner) => Some(site.user(owner).await.id),
                None => None,
            };
            let after = after.map(|post| Cursor { created_at: post.created_at, id: post.id.clone() });
            let selection = Selection { owner, tag: None, slug: None, filter, after, limit, content };
            let db = &mut site.site.database.read().await.expect("a connection");
            select::select(db, &selection).await.expect("a listing")
        });
        let shown = &expected[..limit.min(expected.len())];
        prop_assert_eq!(ids(&listing.posts), ids(shown));
        prop_assert_eq!(&listing.posts, shown);
        let next = listing.next.map(|cursor| cursor.id.to_string());
        let last = shown.last().filter(|_| expected.len() > limit).map(|post| post.id.to_string());
        prop_assert_eq!(next, last);
        Ok(())
    });
    assert_holds(outcome);
}

/// What a filter means, read from its JSON alone: the contract in few lines.
mod meaning {
    use super::{Ordering, Post, Value};

    pub fn holds(filter: &Value, post: &Post) -> bool {
        let list = |value: &Value| match value {
            Value::Array(filters) => filters.clone(),
            one => vec![one.clone()],
        };
        filter.as_object().expect("an object").iter().all(|(name, value)| match name.as_str() {
            _ if value.is_null() => true,
            "and" => list(value).iter().all(|filter| filter.is_null() || holds(filter, post)),
            "or" => {
                let any: Vec<_> = list(value).into_iter().filter(|filter| !filter.is_null()).collect();
                any.is_empty() || any.iter().any(|filter| holds(filter, post))
            }
            "not" => !holds(value, post),
            attribute => match seen(post, attribute) {
                Some(text) => tests(value, &text),
                None => tests_of_null(value),
            },
        })
    }

    fn seen(post: &Post, attribute: &str) -> Option<String> {
        Some(match attribute {
            "id" => post.id.to_string(),
            "title" => post.title.to_string(),
            "content" => post.content.as_ref()?.to_string(),
            "owner" => post.owner.clone(),
            "createdAt" => post.created_at.rfc3339_millis(),
            "updatedAt" => post.updated_at.rfc3339_millis(),
            _ => panic!("{attribute}"),
        })
    }

    fn tests_of_null(tests: &Value) -> bool {
        tests.as_object().expect("tests").iter().all(|(operator, operand)| {
            match (operator.as_str(), operand) {
                ("attributeExists" | "attributeType" | "size", Value::Null) => true,
                ("attributeExists", exists) => *exists == false,
                ("attributeType", name) => name == "_null",
                // Nothing has no length, unless nothing is asked of it.
                ("size", sizes) => sizes
                    .as_object()
                    .expect("sizes")
                    .iter()
                    .all(|(operator, operand)| operator == "ne" && operand.is_null()),
                ("eq", operand) => operand.is_null(),
                ("ne", operand) => !operand.is_null(),
                (operator, _) => operator == "notContains",
            }
        })
    }

    fn tests(tests: &Value, text: &str) -> bool {
        tests.as_object().expect("tests").iter().all(|(operator, operand)| {
            match (operator.as_str(), operand) {
                ("attributeExists" | "attributeType" | "size", Value::Null) => true,
                ("attributeExists", exists) => *exists == true,
                ("attributeType", name) => name == "string",
                ("size", sizes) => {
                    let length = i64::try_from(text.chars().count()).expect("a length");
                    sizes.as_object().expect("sizes").iter().all(|(operator, operand)| {
                        compares(operator, operand, |other| Some(length.cmp(&other.as_i64()?)))
                    })
                }
                ("notContains", Value::Null) => true,
                (_, Value::Null) => operator == "ne",
                ("contains", part) => text.contains(part.as_str().expect("a text")),
                ("notContains", part) => !text.contains(part.as_str().expect("a text")),
                ("beginsWith", prefix) => text.starts_with(prefix.as_str().expect("a text")),
                (operator, operand) => compares(operator, operand, |other| Some(text.cmp(other.as_str()?))),
            }
        })
    }

    fn compares(operator: &str, operand: &Value, with: impl Fn(&Value) -> Option<Ordering>) -> bool {
        if operand.is_null() {
            return operator == "ne";
        }
        let order = |value: &Value| with(value).expect("a value of the type");
        match operator {
            "eq" => order(operand).is_eq(),
            "ne" => order(operand).is_ne(),
            "lt" => order(operand).is_lt(),
            "le" => order(operand).is_le(),
            "gt" => order(operand).is_gt(),
            "ge" => order(operand).is_ge(),
            "between" => order(&operand[0]).is_ge() && order(&operand[1]).is_le(),
            _ => panic!("{operator}"),
        }
    }
}

fn model_filter(words: Vec<String>) -> impl Strategy<Value = Value> {
    let text = operand(words);
    let texts = prop::option::weighted(0.97, text.clone()).prop_map(|text| json!(text));
    const OPERATORS: [&str; 9] =
        ["eq", "ne", "lt", "le", "gt", "ge", "contains", "notContains", "beginsWith"];
    let size = prop_oneof![
        (select(&["eq", "ne", "lt", "le", "gt", "ge"][..]), prop::option::weighted(0.95, -1..26))
            .prop_map(|(operator, size)| json!({ operator: size })),
        (0..26, 0..26).prop_map(|(least, most)| json!({ "between": [least, most], "ge": 1 })),
    ];
    let tests = prop_oneof![
        12 => (select(&OPERATORS[..]), texts).prop_map(|(operator, text)| json!({ operator: text })),
        3 => (text.clone(), text.clone()).prop_map(|(least, most)| json!({ "between": [least, most] })),
        3 => size.prop_map(|size| json!({ "size": size })),
        2 => any::<bool>().prop_map(|exists| json!({ "attributeExists": exists })),
        2 => select(&["string", "number", "_null", "map"][..]).prop_map(|name| json!({ "attributeType": name })),
        1 => Just(json!({ "attributeExists": null, "attributeType": null, "size": null })),
        1 => Just(json!({})),
        2 => (text.clone(), text).prop_map(|(prefix, part)| json!({ "beginsWith": prefix, "notContains": part })),
    ];
    // What may be null comes twice.
    const NAMES: [&str; 7] = ["id", "title", "content", "content", "owner", "createdAt", "updatedAt"];
    let leaf = prop_oneof![
        20 => (select(&NAMES[..]), tests.clone()).prop_map(|(attribute, tests)| json!({ attribute: tests })),
        4 => (tests.clone(), tests).prop_map(|(title, owner)| json!({ "title": title, "owner": owner })),
        1 => Just(json!({})),
        1 => Just(json!({ "id": null, "and": null, "or": null, "not": null })),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let list = prop_oneof![
            9 => prop::collection::vec(prop::option::weighted(0.95, inner.clone()), 0..4)
                .prop_map(|filters| json!(filters)),
            1 => inner.clone(),
        ];
        prop_oneof![
            (select(&["and", "or"][..]), list.clone()).prop_map(|(name, list)| json!({ name: list })),
            inner.clone().prop_map(|filter| json!({ "not": filter })),
            (inner, list).prop_map(|(filter, list)| {
                let mut both = filter;
                both["or"] = list;
                both
            }),
        ]
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_gets_the_posts_that_its_filter_describes() {
    let mut runner = runner(250);
    let (site, posts) = site_with_posts(&mut runner).await;
    let (key, _) = site.api_key_of(&site.author("carol").await).await;
    let wanted = (model_filter(words(&posts)), 1..100_usize);
    let outcome = runner.run(&wanted, |(filter, limit)| {
        let expected: Vec<_> = posts.iter().filter(|post| meaning::holds(&filter, post)).cloned().collect();
        let (listed, pages) = wait(listed(&site, &key, &filter, limit));
        prop_assert_eq!(listed, ids(&expected));
        prop_assert_eq!(
            pages,
            expected.len().div_ceil(limit).max(1),
            "full pages, and no empty one at the end"
        );
        Ok(())
    });
    assert_holds(outcome);
}

/// The ids of all pages, and how many pages there are.
async fn listed(site: &Running, by: &Credential, filter: &Value, limit: usize) -> (Vec<String>, usize) {
    const LIST: &str = "query ($filter: ModelPostFilterInput, $limit: Int, $nextToken: String) {
        listPosts(filter: $filter, limit: $limit, nextToken: $nextToken) { items { id } nextToken }
    }";
    let (mut ids, mut pages, mut next) = (Vec::new(), 0, Value::Null);
    loop {
        let variables = json!({ "filter": filter, "limit": limit, "nextToken": next });
        let answer = site.graphql_with(by, LIST, variables).await.json();
        let page = &answer["data"]["listPosts"];
        let items = page["items"].as_array().unwrap_or_else(|| panic!("{answer}"));
        ids.extend(items.iter().map(|post| post["id"].as_str().expect("an id").to_owned()));
        pages += 1;
        next = page["nextToken"].clone();
        if next.is_null() {
            return (ids, pages);
        }
    }
}

/// Posts that lie next to one another: at the same time, a microsecond before,
/// the last of a millisecond, the first of the next; the ends of time; titles
/// that begin alike, before and behind the surrogates, which no text holds.
fn neighbours() -> Vec<Sketch> {
    const T: i64 = 1_700_006_400_000_000;
    const LAST: i64 = 253_402_300_799_999_000;
    [
        ("ada", "a", "a", Some(""), T, None),
        ("ada", "A", "A", Some("é"), T - 1, Some(T)),
        ("ada-2", "a-", "a\u{D7FF}", Some("a"), T + 999, Some(T + 1000)),
        ("ada-2", "a_", "a\u{E000}", Some("a\u{10FFFF}"), T + 1000, Some(T + 2000)),
        ("bob", "a0", "ab", Some("ab"), T - 1000, Some(T - 1)),
        ("bob", "b", "b", Some("%_"), T, Some(T + 999)),
        ("ada", "0", "é", Some("\u{10FFFF}"), 0, Some(0)),
        ("bob", "aa", "😀 a", Some("a longer one"), LAST, Some(LAST)),
        ("bob", "none", "nothing", None, T - 2000, None),
    ]
    .map(|(owner, id, title, content, created_at, changed_at)| Sketch {
        owner,
        id: Some(id.to_owned()),
        title: title.to_owned(),
        content: content.map(str::to_owned),
        created_at,
        changed_at,
    })
    .into()
}

/// A test of one attribute, in three ways: as the site keeps it, as programs
/// write it, and what it means of the text that an attribute is.
struct Question {
    test: Vec<Test>,
    json: Value,
    holds: Box<dyn Fn(&str) -> bool>,
}

impl Question {
    fn new(test: impl Into<Vec<Test>>, json: Value, holds: impl Fn(&str) -> bool + 'static) -> Self {
        Self { test: test.into(), json, holds: Box::new(holds) }
    }
}

type Comparisons<T> = [(&'static str, Comparison, fn(&T, &T) -> bool); 6];

/// Rust's own, so that nothing of the site says what is right.
fn comparisons<T: PartialOrd>() -> Comparisons<T> {
    [
        ("eq", Comparison::Eq, |one, other| one == other),
        ("ne", Comparison::Ne, |one, other| one != other),
        ("lt", Comparison::Lt, |one, other| one < other),
        ("le", Comparison::Le, |one, other| one <= other),
        ("gt", Comparison::Gt, |one, other| one > other),
        ("ge", Comparison::Ge, |one, other| one >= other),
    ]
}

/// Everything that can be asked at the edge which a text is.
fn questions_at(edge: &str) -> Vec<Question> {
    // Behind every text of these posts but one, which it equals.
    const END: &str = "\u{10FFFF}";
    let is = |comparison, text: &str| Test::Is(comparison, text.to_owned());
    let mut all = Vec::new();
    for (name, comparison, holds) in comparisons::<String>() {
        let own = edge.to_owned();
        all.push(Question::new([is(comparison, edge)], json!({ name: edge }), move |text| {
            holds(&text.to_owned(), &own)
        }));
    }
    for (least, most) in [("", edge), (edge, edge), (edge, END)] {
        let ends = [least, most].map(str::to_owned);
        all.push(Question::new(
            [is(Comparison::Ge, least), is(Comparison::Le, most)],
            json!({ "between": ends }),
            move |text| ends[0].as_str() <= text && text <= ends[1].as_str(),
        ));
    }
    let own = edge.to_owned();
    all.push(Question::new(
        [Test::BeginsWith(edge.to_owned())],
        json!({ "beginsWith": edge }),
        move |text| text.as_bytes().starts_with(own.as_bytes()),
    ));
    all
}

/// Everything that can be asked at the edge which a length is.
fn questions_of_length(edge: i64) -> Vec<Question> {
    fn length(text: &str) -> i64 {
        text.chars().map(|_| 1).sum()
    }
    let mut all = Vec::new();
    for (name, comparison, holds) in comparisons::<i64>() {
        let json = json!({ "size": { name: edge } });
        all.push(Question::new([Test::Length(comparison, edge)], json, move |text| {
            holds(&length(text), &edge)
        }));
    }
    for (least, most) in [(0, edge), (edge, edge), (edge, 1000)] {
        all.push(Question::new(
            [Test::Length(Comparison::Ge, least), Test::Length(Comparison::Le, most)],
            json!({ "size": { "between": [least, most] } }),
            move |text| least <= length(text) && length(text) <= most,
        ));
    }
    all
}

/// Chance hardly ever names the very text, time or length that a post has,
/// and only there do `lt` and `le` differ.
#[tokio::test]
async fn comparisons_are_right_at_exactly_the_value_of_a_post() {
    type Seen = fn(&Post) -> Option<String>;
    const ATTRIBUTES: [(&str, Attribute, Seen); 6] = [
        ("id", Attribute::Id, |post| Some(post.id.to_string())),
        ("title", Attribute::Title, |post| Some(post.title.to_string())),
        ("content", Attribute::Content, |post| post.content.as_ref().map(Content::to_string)),
        ("owner", Attribute::Owner, |post| Some(post.owner.clone())),
        ("createdAt", Attribute::CreatedAt, |post| Some(post.created_at.rfc3339_millis())),
        ("updatedAt", Attribute::UpdatedAt, |post| Some(post.updated_at.rfc3339_millis())),
    ];
    let site = Running::start().await;
    for owner in OWNERS {
        site.author(owner).await;
    }
    let posts = posts(&site, neighbours()).await;
    assert_eq!(posts.len(), neighbours().len());
    let (key, _) = site.api_key_of(&site.author("carol").await).await;
    // All that is wrong is told at once: which comparison it is shows in what they have in common.
    let mut wrong = Vec::new();
    for (name, attribute, seen) in ATTRIBUTES {
        let values: BTreeSet<String> = posts.iter().filter_map(seen).collect();
        let mut edges = values.clone();
        for post in &posts {
            let time = match attribute {
                Attribute::CreatedAt => post.created_at,
                Attribute::UpdatedAt => post.updated_at,
                _ => continue,
            };
            let beside = [time.micros() - 1000, time.micros() + 1000].map(Timestamp::from_micros);
            edges.extend(beside.map(Timestamp::rfc3339_millis));
        }
        let lengths: BTreeSet<usize> = values.iter().map(|value| value.chars().count()).collect();
        let lengths = lengths.into_iter().map(|length| i64::try_from(length).expect("a length"));
        let questions =
            edges.iter().flat_map(|edge| questions_at(edge)).chain(lengths.flat_map(questions_of_length));
        for Question { test, json, holds } in questions {
            let expected: Vec<_> = posts
                .iter()
                .filter(|post| seen(post).map_or_else(|| is_unequal(&json), |text| holds(&text)))
                .cloned()
                .collect();
            let filter = Filter::All(test.into_iter().map(|test| Filter::Where(attribute, test)).collect());
            let in_hand: Vec<_> =
                posts.iter().filter(|post| filter.matches((*post).into())).cloned().collect();
            let selection = Selection {
                owner: None,
                tag: None,
                slug: None,
                filter,
                after: None,
                limit: 100,
                content: true,
            };
            let in_database = {
                let db = &mut site.site.database.read().await.expect("a connection");
                select::select(db, &selection).await.expect("a listing").posts
            };
            let (by_program, _) = listed(&site, &key, &json!({ name: json }), 100).await;
            for (where_, found) in
                [("in hand", ids(&in_hand)), ("database", ids(&in_database)), ("API", texts(&by_program))]
            {
                if found != ids(&expected) {
                    wrong.push(format!("{where_}: {name} {json}: {found:?}, not {:?}", ids(&expected)));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// What alone holds of nothing, of which there is no text and no length.
fn is_unequal(question: &Value) -> bool {
    question.get("ne").is_some()
}

fn texts(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

/// What SQLite says it does for a selection.
async fn plan(database: &TestDatabase, selection: &Selection) -> String {
    let Probe::Sqlite(db) = &mut database.probe().await else { panic!("a file") };
    let (text, values) = select::select_statement(Engine::Sqlite, selection).finish();
    let mut query =
        sqlx::query_as::<_, (i64, i64, i64, String)>(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {text}")));
    for value in values {
        query = match value {
            sql::Value::Text(text) => query.bind(text),
            sql::Value::Integer(number) => query.bind(number),
        };
    }
    let steps = query.fetch_all(db).await.unwrap_or_else(|error| panic!("{text}: {error}"));
    steps.into_iter().map(|step| step.3).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn sqlite_uses_an_index_for_queries_of_programs_and_sorts_nothing() {
    let database = TestDatabase::in_a_file();
    let opened = Database::open(&DatabaseConfig::of(database.url())).await.expect("it opens");
    opened.close().await;
    let is =
        |attribute, comparison, text: &str| Filter::Where(attribute, Test::Is(comparison, text.to_owned()));
    let begins = |attribute, text: &str| Filter::Where(attribute, Test::BeginsWith(text.to_owned()));
    let since = is(Attribute::CreatedAt, Comparison::Ge, "2026-01-01T00:00:00.000Z");
    let until = is(Attribute::CreatedAt, Comparison::Le, "2026-02-01T00:00:00.000Z");
    let of_ada = is(Attribute::Owner, Comparison::Eq, "ada");
    let long = Filter::Where(Attribute::Title, Test::Length(Comparison::Gt, 10));
    let place = Cursor { created_at: Timestamp::from_micros(1), id: PostId::parse("a").expect("an id") };
    let newest = "USING INDEX posts_newest";
    let of_owner = "USING INDEX posts_newest_of_owner (owner_id=?";
    let by_id = "USING INDEX sqlite_autoindex_posts_1 (id";
    for (what, filter, index, sorts) in [
        ("everything", Filter::EVERYTHING, newest, false),
        ("an owner", of_ada.clone(), of_owner, false),
        ("an owner and more", Filter::All(vec![of_ada.clone(), long.clone()]), of_owner, false),
        ("since", since.clone(), "USING INDEX posts_newest (created_at>?", false),
        ("until", until.clone(), "USING INDEX posts_newest (created_at<?", false),
        (
            "a range of time",
            Filter::All(vec![since.clone(), until.clone()]),
            "USING INDEX posts_newest (created_at>? AND created_at<?)",
            false,
        ),
        (
            "an owner in a range of time",
            Filter::All(vec![of_ada.clone(), since, until]),
            "USING INDEX posts_newest_of_owner (owner_id=? AND created_at>? AND created_at<?)",
            false,
        ),
        ("a day", begins(Attribute::CreatedAt, "2026-01-31"), "created_at>? AND created_at<?)", false),
        ("a title", long, newest, false),
        ("a search", Filter::search("two words"), newest, false),
        ("not an owner", Filter::Not(Box::new(of_ada)), newest, false),
        // Few enough to be sorted.
        ("an id", is(Attribute::Id, Comparison::Eq, "a"), by_id, true),
    ] {
        for after in [None, Some(place.clone())] {
            let selection = Selection {
                owner: None,
                tag: None,
                slug: None,
                filter: filter.clone(),
                after,
                limit: 20,
                content: true,
            };
            let plan = plan(&database, &selection).await;
            let posts = plan.lines().find(|line| line.contains(" p ")).unwrap_or_else(|| panic!("{plan}"));
            assert!(posts.contains(index), "{what}: {plan}");
            assert!(sorts || !plan.contains("TEMP B-TREE"), "{what}: {plan}");
            if index != newest {
                assert!(posts.starts_with("SEARCH"), "{what}: {plan}");
            }
        }
    }
}
