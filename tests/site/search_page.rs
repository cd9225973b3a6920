//! `/search` and `search_posts`: what everyone finds, in which order, and how it is shown.

use std::ops::Range;

use byline::{
    database::Engine,
    posts::domain::{
        filter::{Attribute, Filter, Test},
        narrowing::Narrowing,
        rendered, search_index,
        select::{self, Selection},
        sql,
    },
};
use serde_json::Value;
use sqlx::AssertSqlSafe;
use url::form_urlencoded;

use crate::support::{Client, Probe, Running};

/// Titles and texts, oldest first.
const CORPUS: &[(&str, &str)] = &[
    ("Η θάλασσα", "Ο ουρανός είναι γαλάζιος. Η ΑΘΗΝΑ μακριά."),
    ("Αθήνα", "Η πόλη και η θάλασσα, ξανά."),
    ("我的文字", "今天天气很好，我们去北京。"),
    ("北京", "这里写一些文章。"),
    ("مرحبا بالعالم", "النص العربي هنا عن البحر."),
    ("البحر", "قصة قصيرة."),
    ("İstanbul'da bir gün", "DİYARBAKIR ve ışık. Deniz kenarında."),
    ("Deniz", "İstanbul'un denizi ılık."),
    ("שלום עולם", "הים כחול מאוד."),
    ("הים", "סיפור קצר על שלום."),
    ("Lange Straße", "Ein Donaudampfschiff fährt durch Österreich."),
    ("Schiff", "In der STRASSE steht ein Maß."),
    ("🦉 at night", "The owl sees us. zq"),
    ("Birds", "One 🦉, and a 🧑‍🚀."),
    ("C++ in a day", "Some code: `a + b`"),
];

/// Searches, and the titles of what they find in order.
const FOUND: &[(&str, &[&str])] = &[
    ("θαλασσα", &["Η θάλασσα", "Αθήνα"]),
    ("ΑΘΗΝΑ θάλασσα", &["Αθήνα", "Η θάλασσα"]),
    ("αθην", &["Αθήνα", "Η θάλασσα"]),
    ("北京", &["北京", "我的文字"]),
    ("文", &["我的文字", "北京"]),
    ("天气很好", &["我的文字"]),
    ("京北", &[]),
    ("البحر", &["البحر", "مرحبا بالعالم"]),
    ("بحر مرحبا", &["مرحبا بالعالم"]),
    ("ISTANBUL", &["İstanbul'da bir gün", "Deniz"]),
    ("deniz", &["Deniz", "İstanbul'da bir gün"]),
    ("isik diyarbakır", &["İstanbul'da bir gün"]),
    ("שלום", &["שלום עולם", "הים"]),
    ("ים", &["הים", "שלום עולם"]),
    ("strasse", &["Lange Straße", "Schiff"]),
    ("schiff", &["Schiff", "Lange Straße"]),
    ("ß ö", &["Lange Straße"]),
    ("🦉", &["🦉 at night", "Birds"]),
    ("zq", &["🦉 at night"]),
    ("++", &["C++ in a day"]),
    ("nobody wrote this", &[]),
];

fn address(path: &str, words: &str) -> String {
    format!("{path}?{}", form_urlencoded::Serializer::new(String::new()).append_pair("q", words).finish())
}

async fn found(client: &mut Client, words: &str) -> Value {
    let answer = client.get(&address("/api/search_posts", words)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

fn titles(page: &Value) -> Vec<&str> {
    page["posts"]
        .as_array()
        .expect("posts")
        .iter()
        .map(|post| post["title"].as_str().expect("a title"))
        .collect()
}

/// With brackets around what is marked.
fn marked(pieces: &Value) -> String {
    let pieces = pieces.as_array().expect("pieces").iter();
    let shown = pieces.map(|piece| match (piece["marked"].as_bool(), piece["text"].as_str()) {
        (Some(true), Some(text)) => format!("[{text}]"),
        (_, text) => text.expect("a text").to_owned(),
    });
    shown.collect()
}

async fn index(site: &Running) {
    search_index::backfill(&site.site.database).await.expect("an index");
    assert_eq!(site.count(unindexed(site)).await, 0);
}

fn unindexed(site: &Running) -> &'static str {
    match site.site.database.engine() {
        Engine::Sqlite => "SELECT COUNT(*) FROM searched_posts WHERE indexed = 0",
        Engine::Postgres => "SELECT COUNT(*) FROM searched_posts WHERE grams IS NULL",
    }
}

#[tokio::test]
async fn a_reader_finds_the_same_posts_in_the_same_order_on_both_engines() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    for (title, content) in CORPUS {
        ada.publish(title, content).await;
    }
    assert_eq!(site.count(unindexed(&site)).await, CORPUS.len() as i64);
    for is_indexed in [false, true] {
        if is_indexed {
            index(&site).await;
        }
        for (words, expected) in FOUND {
            let page = found(&mut site.script(), words).await;
            assert_eq!(titles(&page), *expected, "{words:?}, indexed: {is_indexed}");
            let page = site.browser().page(&address("/search", words)).await;
            assert_eq!(page.texts(".entry h2"), *expected, "{words:?}");
            assert_eq!(page.text("main").contains("No post has"), expected.is_empty(), "{words:?}");
        }
    }
}

#[tokio::test]
async fn a_reader_finds_signs_that_mean_something_to_a_database_as_they_are() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    for (title, content) in [
        ("Percent", "It grew by 100% in a year"),
        ("Number", "It has 1000 leaves"),
        ("Underlined", "The variable max_size counts"),
        ("Hyphen", "The variable max-size counts"),
        ("Path", r"Look into C:\marsh and below"),
        ("Slash", "Look into C:/marsh and below"),
    ] {
        ada.publish(title, content).await;
    }
    for is_indexed in [false, true] {
        if is_indexed {
            index(&site).await;
        }
        for (words, expected) in [
            ("100%", "Percent"),
            ("MAX_size", "Underlined"),
            (r"C:\Marsh", "Path"),
            ("%", "Percent"),
            ("_", "Underlined"),
        ] {
            let page = found(&mut site.script(), words).await;
            assert_eq!(titles(&page), [expected], "{words:?}, indexed: {is_indexed}");
        }
    }
}

#[tokio::test]
async fn a_reader_finds_words_as_the_page_shows_them_and_as_they_were_typed() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    for (title, content) in [
        ("Entity", "The mill of M&uuml;ller"),
        ("Escape", r"Call `first_name` and last\_name"),
        ("Part", "Water is H<sub>2</sub>O, un*believ*able"),
        ("Link", "Read [the book](https://example.org/tome), then sleep"),
        ("Plain", "Nothing to see"),
    ] {
        ada.publish(title, content).await;
    }
    assert_eq!(site.count("SELECT COUNT(*) FROM posts WHERE read_folded IS NULL").await, 1, "of Plain");
    for is_indexed in [false, true] {
        if is_indexed {
            index(&site).await;
        }
        for (words, title, excerpt) in [
            ("müller", "Entity", "The mill of [Müller]"),
            ("M&uuml;ller", "Entity", "The mill of Müller"),
            ("last_name", "Escape", "Call first_name and [last_name]"),
            ("h2o unbelievable", "Part", "Water is [H2O], [unbelievable]"),
            ("book, then", "Link", "Read the [book,] [then] sleep"),
            ("/tome", "Link", "Read the book, then sleep"),
        ] {
            let page = found(&mut site.script(), words).await;
            assert_eq!(titles(&page), [title], "{words:?}, indexed: {is_indexed}");
            assert_eq!(marked(&page["posts"][0]["marked_excerpt"]), excerpt, "{words:?}");
        }
    }
}

#[tokio::test]
async fn a_reader_finds_words_as_the_page_shows_them_after_an_edit_and_in_posts_of_an_older_renderer() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let id = ada.publish("Mill", "Of M&uuml;ller").await;
    let edit = format!("/my-posts/{id}/edit");
    let edited = [("version", "1"), ("title", "Mill"), ("content", "Of Sm&iacute;th")];
    assert_eq!(ada.submit(&edit, &edited).await.status, 303);
    index(&site).await;
    let count = async |words: &str| titles(&found(&mut site.script(), words).await).len();
    assert_eq!((count("müller").await, count("smith").await), (0, 1));
    let edited = [("version", "2"), ("title", "The mill"), ("content", "Of Sm&iacute;th")];
    assert_eq!(ada.submit(&edit, &edited).await.status, 303);
    assert_eq!(count("smith").await, 1, "with another title");

    site.tamper("UPDATE posts SET read_folded = NULL").await;
    site.tamper("UPDATE rendered_posts SET renderer = 0, html = NULL, words = NULL").await;
    assert_eq!(count("smith").await, 0);
    rendered::backfill(&site.site).await.expect("a rendering");
    assert_eq!(count("smith").await, 1, "before it is indexed");
    index(&site).await;
    assert_eq!(count("smith").await, 1);
}

#[tokio::test]
async fn a_reader_finds_the_same_after_the_parts_of_the_index_became_one() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let parts = async || search_index::parts(&mut site.site.database.read().await.expect("a reader")).await;
    let is_sqlite = site.site.database.engine() == Engine::Sqlite;
    let mut written: usize = 0;
    // Each commit adds a part, and SQLite merges some of them itself.
    while written < 200 && (written < 30 || is_sqlite && parts().await.expect("a count") < 8) {
        ada.publish(&format!("Note {written}"), "The heron stands in the reeds").await;
        search_index::backfill(&site.site.database).await.expect("an index");
        written += 1;
    }
    let all = ["heron", "heron note 7", "note 2"];
    let mut before = Vec::new();
    for words in all {
        before.push(found(&mut site.script(), words).await);
    }
    assert_eq!(before[0]["posts"].as_array().map(Vec::len), Some(20));
    search_index::merge(&site.site.database).await.expect("a merged index");
    assert_eq!(parts().await.expect("a count"), i64::from(is_sqlite));
    for (words, before) in all.iter().zip(before) {
        assert_eq!(found(&mut site.script(), words).await, before, "{words}");
    }
    ada.publish("Note of the end", "A bittern").await;
    index(&site).await;
    assert_eq!(titles(&found(&mut site.script(), "bittern").await), ["Note of the end"]);
}

#[tokio::test]
async fn a_reader_sees_where_the_words_stand_and_nothing_of_it_runs() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let filling = "Other words. ".repeat(100);
    ada.publish("<b>Tide</b> & moon", &format!("{filling} The **ti**de <i>turns</i> at [noon](https://example.org/hidden) &lt;script>alert(1)&lt;/script> {filling}")).await;
    let page = found(&mut site.script(), "tide SCRIPT").await;
    assert_eq!(marked(&page["posts"][0]["marked_title"]), "<b>[Tide]</b> & moon");
    let excerpt = marked(&page["posts"][0]["marked_excerpt"]);
    assert!(excerpt.contains("The [tide] turns at noon <[script]>alert(1)</[script]> Other"), "{excerpt}");
    assert!(excerpt.starts_with("…") && excerpt.ends_with("…"), "{excerpt}");

    let page = site.browser().page(&address("/search", "tide SCRIPT")).await;
    page.assert_harmless("what a search finds");
    assert_eq!(page.texts(".entry mark"), ["Tide", "tide", "script", "script"]);
    assert_eq!(page.text(".entry h2"), "<b>Tide</b> & moon");
    assert_eq!(page.attribute("#q", "value").as_deref(), Some("tide SCRIPT"));
    let hostile = "\"><script>alert(1)</script>";
    site.browser().page(&address("/search", hostile)).await.assert_harmless("a search");

    // What only Markdown has is found, and the excerpt is the beginning.
    let page = found(&mut site.script(), "hidden").await;
    assert!(marked(&page["posts"][0]["marked_excerpt"]).starts_with("Other words."));
}

#[tokio::test]
async fn a_reader_goes_through_all_that_is_found_titles_first() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    for number in 0..25 {
        ada.publish(&format!("Tide {number}"), "Water.").await;
        ada.publish(&format!("Water {number}"), "The tide.").await;
    }
    index(&site).await;
    let in_order = |word: &str| (0..25).rev().map(|number| format!("{word} {number}")).collect::<Vec<_>>();
    let expected = [in_order("Tide"), in_order("Water")].concat();
    let mut path = address("/search", "tide");
    let (mut seen, mut pages) = (Vec::new(), 0);
    loop {
        let page = site.browser().page(&path).await;
        seen.extend(page.texts(".entry h2"));
        pages += 1;
        match page.link("More posts") {
            Some(next) => path = next,
            None => break,
        }
    }
    assert_eq!((seen, pages), (expected, 3));

    // Twenty titles, and nothing else: the page is full, and it is the last.
    for number in 0..20 {
        ada.publish(&format!("Only {number}"), "").await;
    }
    let page = found(&mut site.script(), "only").await;
    assert_eq!((titles(&page).len(), &page["more"]), (20, &Value::Null));
    ada.publish("Another", "only in the text").await;
    let page = found(&mut site.script(), "only").await;
    assert_eq!((titles(&page).len(), page["more"].as_str()), (20, Some("text")));
    let next = format!("{}&after=text", address("/api/search_posts", "only"));
    assert_eq!(titles(&site.script().get(&next).await.json()), ["Another"]);
    for wrong in ["x", "text_", "title"] {
        for path in ["/search", "/api/search_posts"] {
            let answer = site.browser().get(&format!("{}&after={wrong}", address(path, "only"))).await;
            assert_eq!(answer.status, 400, "{path} {wrong}");
        }
    }
}

#[tokio::test]
async fn a_reader_is_told_what_to_do_next_without_words_without_posts_and_with_too_many_words() {
    let site = Running::start().await;
    let mut reader = site.browser();
    let new = reader.page("/search").await;
    assert_eq!((new.text("h1").as_str(), new.texts(".field-error").len()), ("Search", 0));
    assert_eq!(new.text("label[for=q]"), "Search");
    let description = new.attribute("meta[name=description]", "content");
    assert_eq!(description.as_deref(), Some("Search the titles and texts of everything on Byline."));
    assert_eq!(reader.page("/").await.link("Search").as_deref(), Some("/search"));
    let too_long = "x".repeat(101);
    for (words, message) in [
        (" ", "Enter a word to search for"),
        ("\u{200B}", "Enter a word to search for"),
        (&too_long, "Search for at most 100 characters. Leave out some words"),
    ] {
        let page = reader.page(&address("/search", words)).await;
        assert_eq!(page.texts(".field-error"), [message], "{words:?}");
        assert_eq!(page.attribute("#q", "aria-invalid").as_deref(), Some("true"));
        let answer = site.script().get(&address("/api/search_posts", words)).await;
        assert_eq!(answer.status, 422);
        assert_eq!(answer.json()["errors"][0]["message"], message, "{}", answer.text());
    }
    let none = reader.page(&address("/search", "nothing")).await;
    assert!(none.text("main").contains("No post has “nothing”.Try fewer words"), "{}", none.text("main"));
    // Anybody can invent searches, so none is kept.
    let answer = reader.get(&address("/search", "nothing")).await;
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[tokio::test]
async fn whatever_changes_a_post_the_index_follows() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let id = ada.publish("First", "Some words").await;
    let other = ada.publish("Second", "Others").await;
    index(&site).await;
    let grams = async || match site.site.database.engine() {
        Engine::Sqlite => site.count("SELECT COUNT(*) FROM post_grams").await,
        Engine::Postgres => site.count("SELECT COUNT(grams) FROM searched_posts").await,
    };
    assert_eq!(grams().await, 2);
    let first = async |words: &str| titles(&found(&mut site.script(), words).await).concat();

    // An author, by the site.
    let edit = format!("/my-posts/{id}/edit");
    assert_eq!(
        ada.submit(&edit, &[("version", "1"), ("title", "Prima"), ("content", "Some words")]).await.status,
        303
    );
    assert_eq!(
        (grams().await, first("prima").await, first("first").await),
        (1, "Prima".to_owned(), String::new())
    );
    index(&site).await;
    assert_eq!(
        (grams().await, first("prima").await, first("first").await),
        (2, "Prima".to_owned(), String::new())
    );

    // An older program, which knows nothing of the index.
    site.tamper(&format!("UPDATE posts SET content = 'Unheard', content_folded = NULL WHERE id = '{id}'"))
        .await;
    assert_eq!(
        (grams().await, first("unheard").await, first("words").await),
        (1, "Prima".to_owned(), String::new())
    );
    index(&site).await;
    assert_eq!((first("unheard").await, first("words").await), ("Prima".to_owned(), String::new()));

    // What changes no text leaves the index alone.
    site.tamper(&format!(
        "UPDATE posts SET version = version + 1, updated_at = updated_at + 1 WHERE id = '{id}'"
    ))
    .await;
    assert_eq!(grams().await, 2);

    // A deletion, which an author takes back.
    assert_eq!(ada.submit(&format!("/posts/{other}/delete"), &[]).await.status, 303);
    assert_eq!((grams().await, first("others").await), (1, String::new()));
    assert_eq!(ada.submit(&format!("/my-posts/trash/{other}"), &[]).await.status, 303);
    assert_eq!(first("others").await, "Second");
    index(&site).await;
    assert_eq!((grams().await, first("others").await), (2, "Second".to_owned()));

    // The end of an account.
    site.tamper("DELETE FROM users WHERE username = 'ada'").await;
    assert_eq!((grams().await, site.count("SELECT COUNT(*) FROM searched_posts").await), (0, 0));
}

/// What the engine says it does for a search.
async fn plan(site: &Running, filter: Filter) -> String {
    let engine = site.site.database.engine();
    let selection =
        Selection { owner: None, tag: None, slug: None, filter, after: None, limit: 20, content: true };
    let narrowing = selection.filter.narrowing().expect("words");
    let (text, values) = select::search_statement(engine, &selection, &narrowing).finish();
    macro_rules! explain {
        ($db:expr, $explain:literal) => {{
            let mut query = sqlx::query(AssertSqlSafe(format!("{} {text}", $explain)));
            for value in values {
                query = match value {
                    sql::Value::Text(text) => query.bind(text),
                    sql::Value::Integer(number) => query.bind(number),
                };
            }
            query.fetch_all($db).await.unwrap_or_else(|error| panic!("{text}: {error}"))
        }};
    }
    let steps: Vec<String> = match &mut site.probe().await {
        Probe::Sqlite(db) => {
            explain!(db, "EXPLAIN QUERY PLAN").iter().map(|row| sqlx::Row::get(row, 3)).collect()
        }
        Probe::Postgres(db) => explain!(db, "EXPLAIN").iter().map(|row| sqlx::Row::get(row, 0)).collect(),
    };
    steps.join("\n")
}

#[tokio::test]
async fn a_search_and_a_filter_ask_the_index_and_read_no_other_posts() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    for number in 0..200 {
        let (title, content) =
            if number % 10 == 0 { ("Number", "Some words.") } else { ("Title", "Other texts.") };
        ada.publish(title, content).await;
    }
    index(&site).await;
    if site.site.database.engine() == Engine::Postgres {
        site.probe().await.execute("ANALYZE").await;
    }
    let contains = |attribute, part: &str| Filter::Where(attribute, Test::Contains(part.to_owned()));
    for filter in [
        Filter::search("some words"),
        Filter::search_titles("number"),
        Filter::Any(vec![Filter::search("字"), contains(Attribute::Title, "Num")]),
        contains(Attribute::Content, "words"),
        Filter::Where(Attribute::Title, Test::BeginsWith("Numb".to_owned())),
    ] {
        let plan = plan(&site, filter.clone()).await;
        let (index, posts) = match site.site.database.engine() {
            Engine::Sqlite => (
                "SCAN post_grams VIRTUAL TABLE INDEX",
                "SEARCH p USING INDEX sqlite_autoindex_posts_1 (id=?)",
            ),
            Engine::Postgres => ("Bitmap Index Scan on searched_posts_grams", "posts"),
        };
        assert!(plan.contains(index) && plan.contains(posts), "{filter:?}:\n{plan}");
        // Those that are not indexed yet are found by an index of theirs, not among all.
        let by_time = plan.contains("searched_posts_by_time");
        let is_sqlite = site.site.database.engine() == Engine::Sqlite;
        assert!(!by_time && (!is_sqlite || plan.contains("searched_posts_to_index")), "{filter:?}:\n{plan}");
        assert!(
            !plan.contains("SCAN p USING") && !plan.contains("Seq Scan on searched_posts"),
            "{filter:?}:\n{plan}"
        );
    }
}

/// Adds a post with that text for each of these seconds, the oldest first.
async fn imported(site: &Running, name: &str, content: &str, seconds: Range<i64>) {
    let Range { start, end } = seconds;
    site.tamper(&format!(
        "WITH RECURSIVE numbers (n) AS (SELECT {start} UNION ALL SELECT n + 1 FROM numbers WHERE n < {end} - 1)
         INSERT INTO posts (id, owner_id, title, excerpt, content, version, created_at, updated_at)
         SELECT '{name}-' || n, (SELECT id FROM users), '{name} ' || n, '', '{content}', 1, at, at
         FROM (SELECT n, CAST(n AS BIGINT) * 1000000 AS at FROM numbers) AS times ORDER BY n"
    ))
    .await;
}

#[tokio::test]
async fn a_reader_finds_the_newest_first_in_whatever_order_posts_were_added() {
    let site = Running::start().await;
    site.author("ada").await;
    // Of a word that so many have, the index names those first that were added last.
    imported(&site, "Late", "The heron", 1000..1003).await;
    imported(&site, "Early", "The heron", 100..700).await;
    imported(&site, "Other", "Nothing", 2000..2200).await;
    index(&site).await;
    let expected = |late: i64| {
        let late = (0..late).map(|number| format!("Late {}", 1002 - number));
        let early = (0..).map(|number| format!("Early {}", 699 - number));
        late.chain(early).take(20).collect::<Vec<_>>()
    };
    assert_eq!(titles(&found(&mut site.script(), "heron").await), expected(3));
    // Not indexed yet, of any number.
    site.tamper("UPDATE posts SET content = 'A heron' WHERE id IN ('Late-1002', 'Early-100')").await;
    assert_eq!(titles(&found(&mut site.script(), "heron").await), expected(3));
    site.tamper("DELETE FROM posts WHERE id LIKE 'Late-%'").await;
    assert_eq!(titles(&found(&mut site.script(), "heron").await), expected(0), "added in order");

    let mut db = site.site.database.read().await.expect("a reader");
    let heron = Filter::search("heron").narrowing().expect("a word");
    let named = search_index::newest(&mut db, &heron).await.expect("numbers");
    match site.site.database.engine() {
        Engine::Sqlite => assert_eq!(named.map(|numbers| numbers.len()), Some(search_index::NAMED)),
        Engine::Postgres => assert_eq!(named, None, "it sorts what it finds itself"),
    }
}

#[tokio::test]
async fn a_search_of_many_letters_asks_for_the_rarest_of_them_and_finds_what_has_all() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    // Each half of the words is everywhere, or nearly nowhere.
    for number in 0..40 {
        ada.publish("Title", &format!("abcdefghijk, number {number}")).await;
    }
    ada.publish("Both", "zyxwvutsrq abcdefghijk").await;
    ada.publish("One", "zyxwvutsrq").await;
    index(&site).await;
    let (common, rare) = (Filter::search("abcdefghijk"), Filter::search("zyxwvutsrq"));
    let both = Filter::All(vec![common, rare.clone()]).narrowing().expect("words");
    let mut db = site.site.database.read().await.expect("a reader");
    let rarest = search_index::rarest(&mut db, both.clone()).await.expect("an answer");
    drop(db);
    match site.site.database.engine() {
        // None of the word that is everywhere, and not all of the other.
        Engine::Sqlite => {
            let (Narrowing::Grams(asked), Some(Narrowing::Grams(all))) = (&rarest, rare.narrowing()) else {
                panic!("{rarest:?}")
            };
            assert!(asked.len() == 6 && asked.iter().all(|gram| all.contains(gram)), "{asked:?} of {all:?}");
        }
        Engine::Postgres => assert_eq!(rarest, both, "it finds the rarest itself"),
    }
    let page = found(&mut site.script(), "abcdefghijk zyxwvutsrq").await;
    assert_eq!(titles(&page), ["Both"]);
}
