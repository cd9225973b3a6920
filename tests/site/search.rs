//! Searches: a word is found in every spelling of its letters, on either engine.

use byline::posts::domain::fold;
use serde_json::{Value, json};

use crate::support::{Credential, Running};

const CREATE: &str = "mutation ($input: CreatePostInput!) { createPost(input: $input) { id } }";
const UPDATE: &str = "mutation ($input: UpdatePostInput!) { updatePost(input: $input) { id } }";

async fn site() -> (Running, Credential) {
    let site = Running::start().await;
    site.author("ada").await;
    let ada = site.token_of("ada").await;
    (site, ada)
}

async fn publish(site: &Running, by: &Credential, id: &str, title: &str, content: Option<&str>) {
    let input = json!({ "id": id, "title": title, "content": content });
    let answer = site.graphql_with(by, CREATE, json!({ "input": input })).await.json();
    assert_eq!(answer["data"]["createPost"]["id"], id, "{answer}");
}

/// The ids of what a search finds, sorted.
async fn found(site: &Running, by: &Credential, search: &str) -> Vec<String> {
    let document = "query ($search: String) { allPosts(first: 100, search: $search) { nodes { id } } }";
    let answer = site.graphql_with(by, document, json!({ "search": search })).await.json();
    let nodes = answer["data"]["allPosts"]["nodes"].as_array().unwrap_or_else(|| panic!("{answer}"));
    let mut ids: Vec<_> = nodes.iter().filter_map(|post| post["id"].as_str().map(str::to_owned)).collect();
    ids.sort();
    ids
}

/// Titles, and searches that find them.
const FOUND: &[(&str, &[&str])] = &[
    ("Привет, мир", &["привет", "ПРИВЕТ", "Мир привет"]),
    ("Un café crème", &["café", "cafe\u{301}", "CAFÉ", "cafe", "creme"]),
    ("Jose\u{301} y Nin\u{303}o", &["José", "niño", "JOSE NINO"]),
    ("Lange Straße", &["strasse", "STRASSE", "STRAẞE", "straße"]),
    ("GROSSE MASSE", &["große", "maße"]),
    ("ΟΔΟΣ ΑΘΗΝΑ", &["οδος", "οδοσ", "Αθήνα"]),
    ("İstanbul ve DİYARBAKIR", &["istanbul", "ISTANBUL", "İSTANBUL", "diyarbakır", "diyarbakir"]),
    ("ｆｕｌｌｗｉｄｔｈ　ＡＢＣ", &["fullwidth", "abc", "ＡＢＣ"]),
    ("eﬃcient ﬁsh", &["efficient", "FISH", "ﬁsh"]),
    ("Vie\u{302}\u{323}t", &["Viê\u{323}t", "Vi\u{1EC7}t", "viet"]),
    ("ｶﾞｲﾄﾞ", &["ガイド", "カ\u{3099}イト\u{3099}"]),
    ("한국어", &["\u{1112}\u{1161}\u{11AB}국", "한국"]),
    ("हिन्दी क़लम", &["हिन्दी", "क\u{93C}लम"]),
    ("Donau\u{AD}dampf\u{200B}schiff", &["donaudampfschiff"]),
    ("“Don’t stop” п’ять", &["don't", "don’t", "\"DON'T", "stop\"", "п'ять", "пʼять"]),
    ("10 \u{212A}elvin ÅNGSTRÖM", &["kelvin", "ångström"]),
];

#[tokio::test]
async fn a_word_is_found_however_it_was_typed_in_titles_and_texts() {
    let (site, ada) = site().await;
    for (number, (text, _)) in FOUND.iter().enumerate() {
        publish(&site, &ada, &format!("title{number}"), text, None).await;
        publish(&site, &ada, &format!("text{number}"), "Title", Some(&format!("before\n{text}\nafter")))
            .await;
    }
    for (number, (text, searches)) in FOUND.iter().enumerate() {
        let expected = [format!("text{number}"), format!("title{number}")];
        for search in *searches {
            assert_eq!(found(&site, &ada, search).await, expected, "{search:?} in {text:?}");
        }
    }
    for other in ["カ", "하", "कलम", "zzz", "привет кафе"] {
        assert_eq!(found(&site, &ada, other).await, [""; 0], "{other:?} is none of the words");
    }
    // Filters are Amplify's, and compare bytes.
    for (filter, posts) in
        [("contains: \"привет\"", 0), ("contains: \"Привет\"", 1), ("contains: \"cafe\"", 0)]
    {
        let document = format!("{{ listPosts(filter: {{ title: {{ {filter} }} }}) {{ items {{ id }} }} }}");
        let answer = site.graphql(&ada, &document).await.json();
        assert_eq!(answer["data"]["listPosts"]["items"].as_array().map(Vec::len), Some(posts), "{answer}");
    }
}

#[tokio::test]
async fn a_search_knows_a_post_as_it_was_last_changed() {
    let (site, ada) = site().await;
    let long = |word: &str| format!("{}{word}", "Ж ".repeat(20_000));
    publish(&site, &ada, "one", "Один", Some(&long("Слово"))).await;
    assert_eq!(found(&site, &ada, "слово один").await, ["one"]);
    for (change, is_found, is_not) in [
        (json!({ "title": "Два" }), "ДВА СЛОВО", "один"),
        (json!({ "title": "Plain" }), "plain слово", "два"),
        (json!({ "content": "Текст" }), "PLAIN ТЕКСТ", "слово"),
        (json!({ "content": "Ascii" }), "plain ASCII", "текст"),
        (json!({ "content": long("Ещё") }), "plain еще", "ascii"),
        (json!({ "content": null }), "plain", "еще"),
        (json!({ "content": "" }), "PLAIN", "еще"),
    ] {
        let mut input = change.clone();
        input["id"] = json!("one");
        let answer = site.graphql_with(&ada, UPDATE, json!({ "input": input })).await.json();
        assert_eq!(answer["data"]["updatePost"]["id"], "one", "{answer}");
        assert_eq!(found(&site, &ada, is_found).await, ["one"], "{is_found}");
        assert_eq!(found(&site, &ada, is_not).await, [""; 0], "{is_not}");
    }
    let folds = site.count("SELECT COUNT(title_folded) + COUNT(content_folded) FROM posts").await;
    assert_eq!(folds, 0, "what is plain is not stored twice");
}

#[tokio::test]
async fn posts_of_an_older_site_are_found_at_once_as_before_and_soon_by_all_forms() {
    let (site, ada) = site().await;
    for number in 0..250 {
        publish(&site, &ada, &format!("p{number}"), &format!("Überschrift {number}"), Some("Größe, ПРИВЕТ"))
            .await;
    }
    publish(&site, &ada, "plain", "Plain", None).await;
    // As if it had been stored before there were folds.
    site.tamper("UPDATE posts SET title_folded = NULL, content_folded = NULL").await;
    let versions = "SELECT CAST(SUM(version * 1000 + updated_at % 1000) AS BIGINT) FROM posts";
    let before = site.count(versions).await;
    assert_eq!(found(&site, &ada, "GRÖSSE").await.len(), 0);
    assert_eq!(found(&site, &ada, "Überschrift ПРИВЕТ").await.len(), 100);
    assert_eq!(found(&site, &ada, "PLAIN").await, ["plain"]);

    fold::backfill(&site.site.database).await.expect("it is done");
    assert_eq!(found(&site, &ada, "überschrift 249 GRÖSSE привет").await, ["p249"]);
    assert_eq!(found(&site, &ada, "PLAIN").await, ["plain"]);
    // Some of the newest 128 posts match, and a page needs older ones as well.
    for digit in ["2", "7"] {
        let with_digit = (0..250).rev().filter(|number| number.to_string().contains(digit));
        let mut ids: Vec<_> = with_digit.map(|number| format!("p{number}")).take(100).collect();
        ids.sort();
        assert_eq!(found(&site, &ada, &format!("Überschrift {digit}")).await, ids, "{digit}");
    }
    assert_eq!(site.count("SELECT COUNT(*) FROM posts WHERE content_folded IS NULL").await, 1);
    assert_eq!(site.count(versions).await, before, "no post was changed by that");
    let sync: Value = site.graphql(&ada, "{ getPost(id: \"p7\") { title content } }").await.json();
    assert_eq!(sync["data"]["getPost"], json!({ "title": "Überschrift 7", "content": "Größe, ПРИВЕТ" }));
}
