//! Feeds, the map of the site, `/robots.txt`, and what previews and programs read of a page.

use axum::{body::Body, http::Method};
use byline::config::{PublicUrl, SiteSetting};
use feed_rs::model::{Entry, Feed};
use quick_xml::{Reader, events::Event};
use serde_json::Value;

use crate::support::{Answer, Client, PAYLOADS, Page, Running, until};

const FEEDS: [&str; 4] = ["/feed.atom", "/feed.json", "/@ada/feed.atom", "/@ada/feed.json"];

async fn get_with(client: &Client, path: &str, name: &str, value: &str) -> Answer {
    let request = client.request(Method::GET, path).header(name, value).body(Body::empty());
    client.clone().send(request.expect("a request")).await
}

/// A feed as a program for feeds reads it.
fn read(answer: &Answer) -> Feed {
    assert_eq!(answer.status, 200, "{}", answer.text());
    feed_rs::parser::parse(&answer.body[..]).unwrap_or_else(|error| panic!("{error}: {}", answer.text()))
}

async fn feed(site: &Running, path: &str) -> Feed {
    read(&site.browser().get(path).await)
}

fn titles(feed: &Feed) -> Vec<String> {
    feed.entries.iter().map(|entry| entry.title.clone().expect("a title").content).collect()
}

fn text(entry: &Entry) -> &str {
    entry.content.as_ref().and_then(|content| content.body.as_deref()).expect("a text")
}

fn links(links: &[feed_rs::model::Link], relation: Option<&str>) -> Vec<String> {
    links.iter().filter(|link| link.rel.as_deref() == relation).map(|link| link.href.clone()).collect()
}

/// The texts of the elements of that name, in a document that is XML.
fn texts(xml: &str, name: &str) -> Vec<String> {
    let mut reader = Reader::from_str(xml);
    loop {
        match reader.read_event() {
            Ok(Event::Eof) => break,
            Ok(_) => {}
            Err(error) => panic!("{error}: {xml}"),
        }
    }
    Page::parse(xml).texts(name)
}

/// That somebody has published so many posts, and more than one in each microsecond.
async fn insert_posts(site: &Running, posts: usize) {
    let digits = "SELECT 0 AS n UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4
        UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9";
    site.tamper(&format!(
        "WITH digits AS ({digits}),
         numbers AS (SELECT a.n + 10 * b.n + 100 * c.n + 1000 * d.n + 10000 * e.n AS n
             FROM digits a, digits b, digits c, digits d, digits e)
         INSERT INTO posts (id, owner_id, version, created_at, updated_at, title, excerpt, content, title_folded)
         SELECT 'many-' || n, (SELECT MIN(id) FROM users), 1, n / 2, 1000000, 'Title', '', 'Text', NULL
         FROM numbers WHERE n < {posts}"
    ))
    .await;
}

#[tokio::test]
async fn a_program_gets_the_newest_posts_of_all_and_of_an_author_with_their_whole_texts() {
    let site = Running::start().await;
    let (mut ada, mut bob) = (site.author("ada").await, site.author("bob").await);
    let first =
        ada.publish("First", "See [my page](/posts/x?a=1&b=2), [there](#end) and ![it](p.png).").await;
    bob.publish("Second", "By **bob**").await;
    let edit = [("version", "1"), ("title", "First, again"), ("content", "See [my page](/posts/x?a=1&b=2).")];
    assert_eq!(ada.submit(&format!("/my-posts/{first}/edit"), &edit).await.status, 303);
    let origin = format!("http://{}", site.address);

    for (path, media_type, home, shown) in [
        ("/feed.atom", "application/atom+xml; charset=utf-8", "/", &["Second", "First, again"][..]),
        ("/feed.json", "application/feed+json", "/", &["Second", "First, again"]),
        ("/@ada/feed.atom", "application/atom+xml; charset=utf-8", "/@ada", &["First, again"]),
        ("/@ada/feed.json", "application/feed+json", "/@ada", &["First, again"]),
    ] {
        let answer = site.browser().get(path).await;
        assert_eq!(answer.header("content-type"), media_type, "{path}");
        let feed = read(&answer);
        assert_eq!(titles(&feed), shown, "{path}");
        let expected = if home == "/" { "Byline" } else { "ada – Byline" };
        assert_eq!(feed.title.expect("a title").content, expected, "{path}");
        let entry = feed.entries.last().expect("the first post");
        assert_eq!(entry.id, format!("urn:uuid:{first}"), "{path}");
        assert_eq!(entry.authors[0].name.as_deref(), Some("ada"), "{path}");
        assert_eq!(entry.links[0].href, format!("{origin}{}", site.path_of(&first).await), "{path}");
        assert!(entry.updated.expect("a time") > entry.published.expect("a time"), "{path}");
        let absolute = format!("<a href=\"{origin}/posts/x?a=1&amp;b=2\"");
        assert!(text(entry).contains(&absolute), "{path}: {}", text(entry));
        if path.ends_with(".atom") {
            assert_eq!(feed.updated, feed.entries.iter().filter_map(|entry| entry.updated).max(), "{path}");
            assert_eq!(links(&feed.links, Some("self")), [format!("{origin}{path}")], "{path}");
            assert_eq!(links(&feed.links, Some("alternate")), [format!("{origin}{home}")], "{path}");
            assert!(feed.id.starts_with("urn:uuid:"), "{path}: {}", feed.id);
        } else {
            let json = answer.json();
            assert_eq!(json["version"], "https://jsonfeed.org/version/1.1", "{path}");
            assert_eq!(json["feed_url"], format!("{origin}{path}"), "{path}");
            assert_eq!(json["home_page_url"], format!("{origin}{home}"), "{path}");
        }
    }
}

#[tokio::test]
async fn a_feed_has_fifty_posts_and_of_very_long_texts_the_beginning() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    insert_posts(&site, 60).await;
    let long = "A word. ".repeat(12_000);
    for number in 0..20 {
        ada.publish(&format!("Long {number}"), &long).await;
    }
    for path in FEEDS {
        let answer = site.browser().get(path).await;
        let feed = read(&answer);
        assert_eq!(feed.entries.len(), 50, "{path}");
        assert!(text(&feed.entries[0]).len() > 90_000, "{path}");
        assert!(answer.body.len() < 1_300_000, "{path}: {} bytes", answer.body.len());
        let of_last = &feed.entries[19];
        let beginning = of_last.summary.as_ref().expect("a summary").content.clone();
        assert!(beginning.starts_with("A word. A word.") && beginning.len() < 500, "{path}: {beginning}");
    }
}

#[tokio::test]
async fn whatever_a_post_says_is_a_text_in_its_feed() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let others = [
        "\u{202E}שלום\u{202C} مرحبا",
        "👩🏽‍🚀 🇨🇭 e\u{301}",
        "]]> &amp; <!-- <?xml",
        "\u{FEFF}a\u{FEFF}",
        "a\u{FFFD}\u{10FFFD}",
    ];
    let mut wanted = Vec::new();
    for title in PAYLOADS.iter().chain(&others) {
        ada.publish(title, "Text").await;
        wanted.push(title.trim_start_matches('\u{FEFF}').to_owned());
    }
    wanted.reverse();
    for path in FEEDS {
        assert_eq!(titles(&feed(&site, path).await), wanted, "{path}");
    }
    ada.publish("a\u{FFFE}b\u{FFFF}c", "1\u{1}2\u{8}3\u{B}4\u{1F}5\tTab \u{7F}\u{85} \u{202E}ע 👩‍🚀").await;
    for path in ["/feed.atom", "/@ada/feed.atom"] {
        let answer = site.browser().get(path).await;
        let newest = read(&answer).entries.remove(0);
        assert_eq!(newest.title.as_ref().expect("a title").content, "abc", "{path}");
        assert!(text(&newest).contains("12345\tTab"), "{path}: {:?}", text(&newest));
        assert!(text(&newest).contains("\u{202E}ע 👩‍🚀"), "{path}: {:?}", text(&newest));
        let refused = |c: char| c < ' ' && !"\t\n\r".contains(c) || matches!(c, '\u{FFFE}' | '\u{FFFF}');
        assert!(!answer.text().contains(refused), "{path}");
    }
}

#[tokio::test]
async fn a_program_that_asks_again_is_told_that_nothing_has_changed_until_something_has() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let post = ada.publish("Title", "Text").await;
    let reader = site.browser();
    for (number, path) in FEEDS.into_iter().enumerate() {
        let first = reader.clone().get(path).await;
        assert_eq!((first.status, first.header("cache-control")), (200, "public, no-cache"), "{path}");
        assert_eq!(first.header("vary"), "accept-encoding", "{path}");
        let etag = first.header("etag").to_owned();
        let again = get_with(&reader, path, "if-none-match", &etag).await;
        assert_eq!((again.status, again.body.len(), again.header("etag")), (304, 0, etag.as_str()), "{path}");

        until("the second to be over", async || {
            !reader.clone().get(path).await.header("last-modified").is_empty()
        })
        .await;
        let date = reader.clone().get(path).await.header("last-modified").to_owned();
        let since = |date: &str| {
            let date = date.to_owned();
            let reader = reader.clone();
            async move { get_with(&reader, path, "if-modified-since", &date).await.status }
        };
        assert_eq!(since(&date).await, 304, "{path}: {date}");
        assert_eq!(since("Thu, 01 Jan 1970 00:00:00 GMT").await, 200, "{path}");
        // A tag that is another counts alone.
        let both = reader.request(Method::GET, path).header("if-none-match", "\"other\"");
        let both = both.header("if-modified-since", &date).body(Body::empty()).expect("a request");
        assert_eq!(reader.clone().send(both).await.status, 200, "{path}");
        let head = reader.request(Method::HEAD, path).body(Body::empty()).expect("a request");
        let head = reader.clone().send(head).await;
        assert_eq!((head.status, head.body.len(), head.header("etag")), (200, 0, etag.as_str()), "{path}");

        // Signed in, one gets the same; with a key that is none, nothing.
        assert_eq!(ada.get(path).await.text(), first.text(), "{path}");
        let key = get_with(&reader, path, "x-api-key", "byl_none").await;
        assert_eq!(key.status, 401, "{path}");

        let version = (number + 1).to_string();
        let edit = [("version", version.as_str()), ("title", path), ("content", "Text")];
        assert_eq!(ada.submit(&format!("/my-posts/{post}/edit"), &edit).await.status, 303);
        let changed = get_with(&reader, path, "if-none-match", &etag).await;
        assert_eq!(titles(&read(&changed)), [path]);
        assert_eq!(since(&date).await, 200, "{path}");
    }
}

#[tokio::test]
async fn a_feed_has_nothing_of_what_was_deleted_and_nobody_has_none() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let (kept, gone) = (ada.publish("Kept", "").await, ada.publish("Gone", "A secret").await);
    for path in FEEDS {
        assert_eq!(titles(&feed(&site, path).await), ["Gone", "Kept"], "{path}");
    }
    assert_eq!(ada.submit(&format!("/posts/{gone}/delete"), &[]).await.status, 303);
    assert_eq!(site.stored_post(&gone).await, None);
    for path in FEEDS.into_iter().chain(["/sitemap.xml?from=0_a"]) {
        let answer = site.browser().get(path).await;
        for word in ["Gone", "secret", &gone, "@ada/gone"] {
            assert!(!answer.text().contains(word), "{path} has {word}");
        }
        assert!(answer.text().contains(&kept) || answer.text().contains("/@ada/kept<"), "{path}");
    }

    for nobody in ["/@bob/feed.atom", "/@bob/feed.json", "/@no%20name/feed.atom", "/@/feed.atom"] {
        assert_eq!(site.browser().get(nobody).await.status, 404, "{nobody}");
    }
    // He is somebody from now on, and has written nothing yet.
    let bob = site.author("bob").await;
    for path in ["/@bob/feed.atom", "/@bob/feed.json"] {
        assert_eq!(feed(&site, path).await.entries.len(), 0, "{path}");
        assert_eq!(titles(&feed(&site, &path.replace("bob", "Ada")).await), ["Kept"]);
    }
    drop(bob);
    let wrong = ada.submit("/feed.atom", &[]).await;
    assert_eq!((wrong.status, wrong.header("allow")), (405, "GET, HEAD"));
}

#[tokio::test]
async fn what_is_in_a_feed_has_one_name_wherever_the_site_is_and_whatever_is_edited() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let post = ada.publish("Title", "Text").await;
    site.tamper("INSERT INTO posts (id, owner_id, version, created_at, updated_at, title, excerpt, content, title_folded)
        SELECT 'of_a_program', id, 1, 5, 5, 'Imported', '', 'Text', NULL FROM users").await;
    let names = |feed: Feed| {
        let mut names: Vec<_> = feed.entries.into_iter().map(|entry| entry.id).collect();
        names.push(feed.id);
        names
    };
    let mut seen = Vec::new();
    for path in ["/feed.atom", "/@ada/feed.atom"] {
        seen.push(names(feed(&site, path).await));
    }
    assert_eq!(seen[0][..2], seen[1][..2], "a post has one name");
    assert_ne!(seen[0][2], seen[1][2], "two feeds have two");
    assert!(seen.iter().flatten().all(|name| name.len() == 45 && name.starts_with("urn:uuid:")), "{seen:?}");
    let json = site.browser().get("/feed.json").await.json();
    assert_eq!(json["items"][0]["id"], seen[0][0]);
    assert_eq!(json["items"][1]["id"], seen[0][1]);

    let edit = [("version", "1"), ("title", "Another"), ("content", "Text")];
    assert_eq!(ada.submit(&format!("/my-posts/{post}/edit"), &edit).await.status, 303);
    let moved =
        site.another(|config| config.public_url = "http://elsewhere.example".parse().expect("a URL")).await;
    for (path, seen) in ["/feed.atom", "/@ada/feed.atom"].into_iter().zip(seen) {
        assert_eq!(names(feed(&site, path).await), seen, "{path}");
        let mut browser = moved.browser().by_address("http://elsewhere.example");
        let elsewhere = read(&browser.get(path).await);
        assert_eq!(
            elsewhere.entries[0].links[0].href,
            format!("http://elsewhere.example{}", site.path_of(&post).await)
        );
        assert_eq!(names(elsewhere), seen, "{path}");
    }
}

#[tokio::test]
async fn a_crawler_finds_every_post_by_the_map_of_the_site() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let origin = format!("http://{}", site.address);
    let map = |path: String| {
        let mut reader = site.browser();
        async move {
            let answer = reader.get(&path).await;
            assert_eq!(
                (answer.status, answer.header("content-type")),
                (200, "application/xml; charset=utf-8")
            );
            answer.text().to_owned()
        }
    };
    assert_eq!(
        texts(&map("/sitemap.xml".to_owned()).await, "loc"),
        [format!("{origin}/sitemap.xml?from=pages")]
    );

    insert_posts(&site, 20_001).await;
    let newest = ada.publish("Newest", "").await;
    let index = map("/sitemap.xml".to_owned()).await;
    assert!(
        index.contains("<sitemapindex xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">"),
        "{index}"
    );
    let mut found = Vec::new();
    for (file, expected) in texts(&index, "loc").into_iter().zip([1, 10_000, 10_000, 2]) {
        let path = file.strip_prefix(&origin).expect("an address of this site");
        let urls = map(path.to_owned()).await;
        assert!(urls.contains("<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">"), "{path}");
        let addresses = texts(&urls, "loc");
        assert_eq!(addresses.len(), expected, "{path}");
        assert_eq!(
            texts(&urls, "lastmod").len(),
            if path.ends_with("pages") { 0 } else { expected },
            "{path}"
        );
        found.extend(addresses);
    }
    assert_eq!(texts(&index, "loc").len(), 4);
    assert_eq!(found[0], format!("{origin}/"));
    assert_eq!(found.last(), Some(&format!("{origin}{}", site.path_of(&newest).await)));
    found.sort();
    found.dedup();
    assert_eq!(found.len(), 20_003, "each is there once");
    for nothing in ["/sitemap.xml?from=x", "/sitemap.xml?from=9223372036854775807_a"] {
        assert_eq!(site.browser().get(nothing).await.status, 404, "{nothing}");
    }
    let etag = site.browser().get("/sitemap.xml").await.header("etag").to_owned();
    let again = get_with(&site.browser(), "/sitemap.xml", "if-none-match", &etag).await;
    assert_eq!(again.status, 304);
}

#[tokio::test]
async fn crawlers_are_told_their_rules_and_those_for_ai_that_they_are_refused() {
    for (setting, refused) in [("allow", false), ("refuse", true)] {
        let site = Running::start_with(|config| config.site.set(SiteSetting::AiCrawlers, setting)).await;
        let answer = site.browser().get("/robots.txt").await;
        assert_eq!((answer.status, answer.header("content-type")), (200, "text/plain; charset=utf-8"));
        let rules = answer.text();
        assert!(rules.starts_with("User-agent: *\nDisallow: /api/\nDisallow: /my-posts\n"), "{rules}");
        assert!(rules.ends_with(&format!("\n\nSitemap: http://{}/sitemap.xml\n", site.address)), "{rules}");
        for name in ["GPTBot", "ClaudeBot", "CCBot", "Google-Extended", "PerplexityBot", "Bytespider"] {
            assert_eq!(rules.contains(&format!("\nUser-agent: {name}\n")), refused, "{name} in {rules}");
        }
        assert_eq!(rules.contains("\nDisallow: /\n"), refused, "{rules}");
    }
}

#[tokio::test]
async fn another_site_finds_what_it_shows_of_a_post() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let origin = format!("http://{}", site.address);
    let hostile = "</script><script>alert(1)</script><!-- </title> \u{202E}ע 👩‍🚀";
    let post = ada.publish(hostile, "The *text* itself").await;
    let address = format!("{origin}{}", site.path_of(&post).await);
    // The first time, it also forgets her draft, by a script.
    ada.page(&format!("/posts/{post}")).await;
    // For a reader from memory, for its author as it is rendered for her.
    for page in
        [site.browser().page(&format!("/posts/{post}")).await, ada.page(&format!("/posts/{post}")).await]
    {
        page.assert_harmless("a post");
        let meta = |name: &str| {
            let attribute =
                if name.contains(':') && !name.starts_with("twitter") { "property" } else { "name" };
            page.attribute(&format!("head > meta[{attribute}='{name}']"), "content").expect("a content")
        };
        for (name, content) in [
            ("description", "The text itself"),
            ("og:title", hostile),
            ("og:type", "article"),
            ("og:url", &address),
            ("og:site_name", "Byline"),
            ("og:description", "The text itself"),
            ("article:author", &format!("{origin}/@ada")),
            ("twitter:card", "summary_large_image"),
            ("og:image:alt", &format!("{hostile}, by ada")),
        ] {
            assert_eq!(meta(name), content, "{name}");
        }
        let published = page.attribute("time", "datetime").expect("a time");
        assert_eq!(meta("article:published_time"), published);
        assert_eq!(meta("article:modified_time"), published);
        assert_eq!(page.attribute("head > link[rel='canonical']", "href"), Some(address.clone()));
        let feeds = page.attributes("head > link[rel='alternate']", "href");
        assert_eq!(feeds, FEEDS);
        assert_eq!(page.link("Feed").as_deref(), Some("/feed.atom"));
        let data: Value =
            serde_json::from_str(&page.text("script[type='application/ld+json']")).expect("JSON");
        assert_eq!(data["@type"], "BlogPosting");
        assert_eq!(data["headline"], hostile);
        assert_eq!(data["url"], address);
        assert_eq!(data["author"]["name"], "ada");
        assert_eq!(data["datePublished"], published);
        assert_eq!(page.count("script:not([src])"), 1, "no other script on the page itself");
    }
    let edit = [("version", "1"), ("title", "Edited"), ("content", "")];
    assert_eq!(ada.submit(&format!("/my-posts/{post}/edit"), &edit).await.status, 303);
    let edited = site.browser().page(&format!("/posts/{post}")).await;
    let time = |name| edited.attribute(&format!("meta[property='article:{name}_time']"), "content");
    assert!(time("modified") > time("published"));

    let list = site.browser().page("/").await;
    assert_eq!(list.attribute("link[rel='canonical']", "href"), Some(format!("{origin}/")));
    assert_eq!(list.attribute("meta[property='og:type']", "content").as_deref(), Some("website"));
    assert_eq!(list.attributes("head > link[rel='alternate']", "href"), ["/feed.atom", "/feed.json"]);
    assert!(list.attribute("meta[name='description']", "content").is_some_and(|text| !text.is_empty()));

    let tagged = [("title", "Tagged"), ("content", ""), ("tags", "rust")];
    assert_eq!(ada.submit("/my-posts/new", &tagged).await.status, 303);
    for (path, address, title) in [
        ("/@ada", "/@ada", "ada"),
        ("/tags/rust", "/tags/rust", "Posts tagged rust"),
        ("/search", "/search", "Search"),
        ("/search?q=text", "/search", "Search"),
    ] {
        let page = site.browser().page(path).await;
        assert_eq!(
            page.attribute("link[rel='canonical']", "href"),
            Some(format!("{origin}{address}")),
            "{path}"
        );
        assert_eq!(page.attribute("meta[property='og:title']", "content").as_deref(), Some(title), "{path}");
        assert!(page.attribute("meta[name='description']", "content").is_some_and(|text| !text.is_empty()));
    }
}

#[tokio::test]
async fn where_nobody_has_said_how_the_site_is_reached_no_page_says_so() {
    let site =
        Running::start_with(|config| config.public_url = PublicUrl::of_listener(false, config.listen)).await;
    let mut ada = site.author("ada").await;
    let post = ada.publish("Title", "Text").await;
    for path in ["/".to_owned(), format!("/posts/{post}")] {
        let mut reader = site.browser();
        let answer = reader.get(&path).await;
        assert_eq!(answer.header("cache-control"), "public, no-cache", "{path}");
        let page = answer.page();
        assert_eq!(
            page.count("link[rel='canonical'], meta[property='og:url'], meta[property='article:author']"),
            0,
            "{path}"
        );
        assert_eq!(page.count("meta[property^='og:image']"), 0, "{path}");
        assert_eq!(page.attribute("meta[name='twitter:card']", "content").as_deref(), Some("summary"));
        assert_eq!(
            page.attributes("link[rel='alternate']", "href").first().map(String::as_str),
            Some("/feed.atom")
        );
        assert!(!answer.text().contains("placeholder"), "{path}");
        assert!(!answer.text().contains("http://127.0.0.1"), "{path}");
    }
}
