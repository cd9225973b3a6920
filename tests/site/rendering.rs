//! Rendering Markdown, separate from everything else (security row L9).

use futures::future::join_all;

use crate::support::{Client, Page, Running, in_time};

async fn preview(author: &Client, content: &str) -> (u16, String) {
    let script = author.as_script();
    let answer = script.clone().send(script.form("/api/preview_post", &[("content", content)])).await;
    let html = answer.json().as_str().unwrap_or_default().to_owned();
    (answer.status, html)
}

/// The text of the post, in one line.
fn words(page: &Page) -> String {
    page.text(".prose").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn a_text_that_nests_without_end_is_shown_and_stops_nobody() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let deep = [format!("{}word", ">".repeat(90_000)), format!("{}word", "<b>".repeat(33_000))];
    for content in &deep {
        let post = ada.publish("Deep", content).await;
        assert_eq!(site.stored_post(&post).await.expect("it is stored").content, *content);
        for reader in [&mut site.browser(), &mut ada.clone()] {
            let page = in_time("the page", reader.page(&format!("/posts/{post}"))).await;
            assert!(page.text(".prose").contains("word"));
        }
    }
    // Several authors preview while others read.
    let mut authors = Vec::new();
    for name in ["bob", "cleo", "dan"] {
        authors.push(site.author(name).await);
    }
    let previews = join_all(authors.iter().map(|author| preview(author, &deep[0])));
    let readings = async {
        for _ in 0..20 {
            assert_eq!(site.browser().get("/livez").await.status, 200);
            assert_eq!(ada.clone().get("/").await.status, 200);
        }
    };
    let (previews, ()) = in_time("previews and readings", futures::future::join(previews, readings)).await;
    for (status, html) in previews {
        assert_eq!(status, 200);
        assert!(html.contains("word"));
    }
}

#[tokio::test]
async fn readers_with_a_session_and_without_one_see_the_same_text() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let post = ada.publish("Title", "One *two*\n\n![A cat](http://example.org/cat.png)").await;
    let path = format!("/posts/{post}");
    let texts = [site.browser().page(&path).await, ada.page(&path).await].map(|page| words(&page));
    assert_eq!(texts[0], "One two Picture not shown: A cat");
    assert_eq!(texts[0], texts[1]);
    let (_, html) = preview(&ada, "![A cat](http://example.org/cat.png)").await;
    assert!(html.contains("A cat") && html.contains("begins with http:"), "{html}");
}

#[tokio::test]
async fn an_edit_shows_its_own_text_and_what_was_deleted_is_shown_to_nobody() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let post = ada.publish("Title", "First *text*").await;
    let (path, edit) = (format!("/posts/{post}"), format!("/my-posts/{post}/edit"));
    assert_eq!(words(&ada.page(&path).await), "First text");
    let fields = [("version", "1"), ("title", "Title"), ("content", "Second *text*")];
    assert_eq!(ada.submit(&edit, &fields).await.status, 303);
    assert_eq!(words(&ada.page(&path).await), "Second text");
    assert_eq!(ada.page("/").await.text(".excerpt"), "Second text");
    let fields = [("version", "2"), ("title", "Another title"), ("content", "Second *text*")];
    assert_eq!(ada.submit(&edit, &fields).await.status, 303);
    assert_eq!(ada.page("/").await.text(".excerpt"), "Second text");
    assert_eq!(ada.submit(&format!("/posts/{post}/delete"), &[]).await.status, 303);
    for reader in [&mut site.browser(), &mut ada] {
        let answer = reader.get(&path).await;
        assert_eq!(answer.status, 404);
        assert!(!answer.text().contains("text"), "{}", answer.text());
    }
}

#[tokio::test]
async fn a_list_says_how_a_post_begins_whatever_it_is_written_in() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    for (content, begins) in [
        ("<p>text</p>".to_owned(), "text".to_owned()),
        ("```\nfn main() {}\n```".to_owned(), "fn main() {}".to_owned()),
        (format!("Rust {}", "文".repeat(400)), format!("Rust {}…", "文".repeat(235))),
        ("\u{FEFF}# Heading\n\nWords".to_owned(), "Words".to_owned()),
    ] {
        let post = ada.publish("Title", &content).await;
        assert_eq!(ada.page("/").await.texts(".excerpt")[0], begins, "{content}");
        let path = format!("/posts/{post}");
        let page = ada.page(&path).await;
        assert_eq!(page.attribute("meta[name=description]", "content"), Some(begins), "{content}");
    }
}

#[tokio::test]
async fn a_byte_order_mark_before_a_text_is_not_stored() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let post = ada.publish("\u{FEFF}Title", "\u{FEFF}# Heading").await;
    let stored = site.stored_post(&post).await.expect("it is stored");
    assert_eq!((stored.title.as_str(), stored.content.as_str()), ("Title", "# Heading"));
    assert_eq!(ada.page(&format!("/posts/{post}")).await.text(".prose h2"), "Heading");
}

/// In one line, three classes of words.
const CODE: &str = "fn main() { greet(\"all\"); } // so & so";

#[tokio::test]
async fn a_reader_sees_code_in_colours_and_no_author_types_them() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let typed = format!("<span class=\"hl-k\">a</span>\n\n```rust\n{CODE}\n```\n\n```\n{CODE}\n```\n");
    let post = ada.publish("Code", &typed).await;
    let page = site.browser().page(&format!("/posts/{post}")).await;
    assert_eq!(page.texts(".prose .hl-k"), ["fn"]);
    assert_eq!(page.texts(".prose .hl-f"), ["main", "greet"]);
    assert_eq!(page.texts(".prose .hl-s"), ["\"all\""]);
    assert_eq!(page.texts(".prose .hl-c"), ["// so & so"]);
    let code = page.texts(".prose pre code");
    assert_eq!(code, [CODE, CODE], "the text of code is what was typed");
    let (_, shown) = preview(&ada, &typed).await;
    assert!(shown.contains("<span class=\"hl-k\">fn</span>"), "{shown}");
}

#[tokio::test]
async fn a_feed_a_search_and_the_beginning_of_a_post_have_the_words_of_code_alone() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let post = ada.publish("Code", &format!("```rust\n{CODE}\n```\n")).await;
    let feed = site.browser().get("/feed.json").await.json();
    let html = feed["items"][0]["content_html"].as_str().expect("a text").to_owned();
    assert!(html.contains("fn main() { greet(\"all\"); } // so &amp; so\n</code>"), "{html}");
    let found = site.browser().get("/api/search_posts?q=main%28%29").await.json().to_string();
    assert!(found.contains("main()") && found.contains("greet("), "{found}");
    let list = site.browser().get("/api/list_posts").await.json();
    assert_eq!(
        (list["posts"][0]["id"].as_str(), list["posts"][0]["excerpt"].as_str()),
        (Some(&*post), Some(CODE))
    );
}
