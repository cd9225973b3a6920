//! Pages of posts: the text rendered once per version and stored, the page around
//! it rendered once, posts read together.

use axum::{
    body::{Body, to_bytes},
    http::{Method, Uri},
};
use byline::{
    accounts::profile::Punctuation,
    credentials::{Actor, Caller},
    error::AppError,
    http::pages::{self, PageInput},
    posts::{
        Content, PostId, PostOrDraft, Title,
        domain::{PostText, markdown, rendered, service},
    },
};
use futures::future::join_all;

use crate::support::{Client, PAYLOADS, Running, in_time};

/// The page as it is rendered whole, for a reader without a session.
async fn whole_page(site: &Running, path: &str) -> String {
    let uri: Uri = path.parse().expect("a path");
    let response = pages::render(&site.site, PageInput::of(uri, Caller::anonymous())).await;
    let body = to_bytes(response.into_body(), usize::MAX).await.expect("a page");
    String::from_utf8(body.into()).expect("text")
}

#[tokio::test]
async fn a_reader_gets_the_page_that_is_rendered_whole_whatever_the_post_says() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let long = "&<\u{202E}é".repeat(25_000);
    let mut texts: Vec<(String, &str)> = [
        "placeholder-of-title",
        "placeholder-of-html placeholder-of-excerpt placeholder-of-owner",
        "1970-01-01T00:00:01.000001Z 1 January 1970",
        "\u{202E}שלום\u{202C} مرحبا",
        "👩🏽‍🚀 🇨🇭 e\u{301}",
        "&amp; &lt;script&gt; &#60; &",
        "\" content=\"x\" ' > <",
        "–",
    ]
    .into_iter()
    .map(|title| (title.to_owned(), title))
    .collect();
    texts.extend(PAYLOADS.iter().map(|payload| ((*payload).to_owned(), *payload)));
    texts.push(("&".repeat(Title::MAX_CHARS), &long));
    texts.push(("No text".to_owned(), ""));
    let reader = site.browser();
    for (title, content) in texts {
        let post = ada.publish(&title, content).await;
        let path = site.path_of(&post).await;
        for version in ["1", "2"] {
            let answer = reader.clone().get(&path).await;
            assert_eq!((answer.status, answer.header("cache-control")), (200, "public, no-cache"), "{title}");
            assert_eq!(answer.header("content-type"), "text/html; charset=utf-8", "{title}");
            assert!(answer.header("content-security-policy").contains("default-src 'none'"), "{title}");
            assert!(answer.text() == whole_page(&site, &path).await, "{title}: {}", answer.text());
            let head = reader.request(Method::HEAD, &path).body(Body::empty()).expect("a request");
            let head = reader.clone().send(head).await;
            assert_eq!((head.status, head.header("etag")), (200, answer.header("etag")), "{title}");
            assert_eq!(answer.text().contains(" · edited "), version == "2", "{title}");
            if version == "1" {
                let content = format!("{content} more");
                let content = if content.chars().count() > Content::MAX_CHARS { "Less" } else { &content };
                let edit = [("version", version), ("title", title.as_str()), ("content", content)];
                assert_eq!(ada.submit(&format!("/my-posts/{post}/edit"), &edit).await.status, 303, "{title}");
            }
        }
    }
    for missing in ["/posts/missing", "/posts/placeholder"] {
        let answer = reader.clone().get(missing).await;
        assert_eq!((answer.status, answer.header("cache-control")), (404, "public, no-cache"));
        assert!(answer.text() == whole_page(&site, missing).await, "{}", answer.text());
    }
}

/// How the text of a post stands on its page, for somebody with a session, whose pages are not kept.
async fn shown(author: &mut Client, post: &str) -> String {
    author.page(&format!("/posts/{post}")).await.text(".prose").trim().to_owned()
}

async fn stored(site: &Running, post: &str) -> String {
    let stored = format!(
        "SELECT CAST(renderer AS TEXT) || ' ' || COALESCE(html, 'none') FROM rendered_posts WHERE post_id = '{post}'"
    );
    site.probe().await.texts(&stored).await.join("|")
}

#[tokio::test]
async fn a_text_is_rendered_when_it_is_saved_and_its_page_shows_what_is_stored() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let post = ada.publish("Title", "First *text*").await;
    let now = markdown::renderer(Punctuation::default());
    assert_eq!(stored(&site, &post).await, format!("{now} <p dir=\"auto\">First <em>text</em></p>\n"));
    site.tamper("UPDATE rendered_posts SET html = '<p>As stored</p>'").await;
    assert_eq!(shown(&mut ada, &post).await, "As stored");
    assert_eq!(site.browser().page(&format!("/posts/{post}")).await.text(".prose").trim(), "As stored");

    let edit = format!("/my-posts/{post}/edit");
    ada.submit(&edit, &[("version", "1"), ("title", "Another"), ("content", "First *text*")]).await;
    assert_eq!(shown(&mut ada, &post).await, "First text", "an edit renders what it saves");
    ada.submit(&edit, &[("version", "2"), ("title", "Another"), ("content", "Second")]).await;
    assert_eq!(stored(&site, &post).await, format!("{now} <p dir=\"auto\">Second</p>\n"));
    assert_eq!(shown(&mut ada, &post).await, "Second");

    ada.submit(&format!("/posts/{post}/delete"), &[]).await;
    assert_eq!(stored(&site, &post).await, "", "what was deleted is nowhere");
}

#[tokio::test]
async fn html_of_another_renderer_or_another_text_is_shown_to_nobody() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let (old, new, by_hand) = (
        ada.publish("Old", "*old*").await,
        ada.publish("New", "*new*").await,
        ada.publish("By hand", "*by hand*").await,
    );
    let now = markdown::renderer(Punctuation::default());
    let set = |renderer: i64, post: &str| {
        format!("UPDATE rendered_posts SET renderer = {renderer}, html = 'another' WHERE post_id = '{post}'")
    };
    site.tamper(&set(now - 1, &old)).await;
    site.tamper(&set(now + 2, &new)).await;
    site.tamper(&format!("UPDATE posts SET content = '*changed*' WHERE id = '{by_hand}'")).await;
    assert_eq!(stored(&site, &by_hand).await, "0 none", "whoever changes a text forgets its HTML");
    for (post, text) in [(&old, "old"), (&new, "new"), (&by_hand, "changed")] {
        assert_eq!(shown(&mut ada, post).await, text);
        assert_eq!(site.browser().page(&format!("/posts/{post}")).await.text(".prose").trim(), text);
    }

    in_time("housekeeping", rendered::backfill(&site.site)).await.expect("it is stored");
    assert_eq!(stored(&site, &old).await, format!("{now} <p dir=\"auto\"><em>old</em></p>\n"));
    assert_eq!(stored(&site, &by_hand).await, format!("{now} <p dir=\"auto\"><em>changed</em></p>\n"));
    assert_eq!(stored(&site, &new).await, format!("{} another", now + 2), "a newer renderer's stays");
}

#[tokio::test]
async fn a_reader_finds_a_post_by_the_words_that_are_stored_with_its_html() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let post = ada.publish("Title", "First *text* with `code`\n\n# Heading").await;
    let words = "SELECT COALESCE(words, 'none') FROM rendered_posts";
    assert_eq!(site.text(words).await, "First text with code Heading");
    let found = async || site.browser().page("/search?q=text").await.texts("main p.excerpt").concat();
    assert_eq!(found().await, "First text with code Heading");
    site.tamper("UPDATE rendered_posts SET words = 'As stored, a text'").await;
    assert_eq!(found().await, "As stored, a text");

    let edit = [("version", "1"), ("title", "Title"), ("content", "Second text")];
    assert_eq!(ada.submit(&format!("/my-posts/{post}/edit"), &edit).await.status, 303);
    assert_eq!(site.text(words).await, "Second text");
    // By a hand: nothing is shown that is not in the text any more.
    site.tamper("UPDATE posts SET content = 'Third *text*'").await;
    assert_eq!(site.text(words).await, "none");
    assert_eq!(found().await, "Third text");
    in_time("housekeeping", rendered::backfill(&site.site)).await.expect("it is stored");
    assert_eq!(site.text(words).await, "Third text");
    assert_eq!(found().await, "Third text");
}

#[tokio::test]
async fn html_that_is_too_long_to_be_stored_is_shown_all_the_same() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let post = ada.publish("Long", &"`x` ".repeat(22_000)).await;
    assert!(
        stored(&site, &post).await == format!("{} none", markdown::renderer(Punctuation::default())),
        "it is stored"
    );
    assert!(shown(&mut ada, &post).await.starts_with("x x x"));
    in_time("housekeeping", rendered::backfill(&site.site)).await.expect("there is nothing to do");
}

#[tokio::test]
async fn a_program_reads_a_post_from_memory_until_it_changes() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let post = ada.publish("First", "Text").await;
    let id = PostId::parse(&post).expect("an id");
    let title = async || {
        let post = service::get(&site.site, &Actor::ApiKey, &id).await;
        post.map(|post| post.title.to_string())
    };
    assert_eq!(title().await.as_deref(), Ok("First"));
    site.tamper("UPDATE posts SET title = 'Behind our back'").await;
    assert_eq!(title().await.as_deref(), Ok("First"), "it is not read again");
    let edit = [("id", post.as_str()), ("version", "1"), ("title", "Second"), ("content", "Text")];
    assert_eq!(ada.as_script().submit("/api/update_post", &edit).await.status, 200);
    assert_eq!(title().await.as_deref(), Ok("Second"));
    assert_eq!(ada.as_script().submit("/api/delete_post", &edit[..1]).await.status, 200);
    assert_eq!(title().await, Err(AppError::NotFound));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_of_many_requests_at_once_gets_its_own_post() {
    let site = Running::start().await;
    site.author("ada").await;
    let ada = Actor::User(site.user("ada").await);
    let mut posts = Vec::new();
    for number in 0..40 {
        let text = PostText::parse(&format!("Post {number}"), &format!("*Text* {number}")).expect("a post");
        let made = service::create::<AppError>(&site.site, &ada, Ok(text.into()), Ok(None)).await;
        let PostOrDraft::Published(post) = made.expect("a post") else { panic!("it waits") };
        posts.push(post);
    }
    let missing = PostId::parse("missing").expect("an id");
    let crowd = (0..400).map(|number| {
        let (site, ada, post, missing) = (&site.site, &ada, &posts[number * 7 % posts.len()], &missing);
        async move {
            let actor = if number % 3 == 0 { ada } else { &Actor::Anonymous };
            match number % 4 {
                0 => assert!(service::get(site, actor, missing).await == Err(AppError::NotFound)),
                1 => {
                    let shown = service::rendered(site, actor, &post.id).await.expect("a page");
                    assert_eq!((shown.post.id, shown.post.title), (post.id.clone(), post.title.clone()));
                    assert!(shown.html.contains("<em>Text</em>"), "{}", shown.html);
                }
                2 => {
                    // Whoever hangs up takes no answer from the others.
                    let mut reading = Box::pin(service::get(site, actor, &post.id));
                    let _ = futures::poll!(reading.as_mut());
                }
                _ => assert_eq!(service::get(site, actor, &post.id).await.as_ref(), Ok(post)),
            }
        }
    });
    in_time("the crowd", join_all(crowd)).await;
}

#[tokio::test]
async fn an_author_who_wants_punctuation_as_typed_has_it_in_every_post_and_can_go_back() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let mut bob = site.author("bob").await;
    let (ada_s, bob_s) = (ada.publish("Ada", "\"so\" -- it's...").await, bob.publish("Bob", "\"so\"").await);
    let path = site.path_of(&ada_s).await;
    let reader = site.browser();
    let (set, typed) = ("“so” – it’s…", "\"so\" -- it's...");
    assert_eq!(reader.clone().page(&path).await.text(".prose").trim(), set);

    for (choice, shown_so) in [("plain", typed), ("typographic", set)] {
        let saved = ada.submit("/account/profile", &[("punctuation", choice)]).await;
        assert_eq!(saved.status, 303, "{}", saved.text());
        let form = ada.page("/account/profile").await;
        assert_eq!(form.attribute("#punctuation option[selected]", "value").as_deref(), Some(choice));
        assert_eq!(reader.clone().page(&path).await.text(".prose").trim(), shown_so, "before it is stored");
        assert_eq!(
            bob.page(&format!("/posts/{bob_s}")).await.text(".prose").trim(),
            "“so”",
            "another's stays"
        );

        in_time("housekeeping", rendered::backfill(&site.site)).await.expect("it is stored");
        let number = markdown::renderer(Punctuation::parse(choice).expect("a choice"));
        assert_eq!(stored(&site, &ada_s).await, format!("{number} <p dir=\"auto\">{shown_so}</p>\n"));
        assert_eq!(reader.clone().page(&path).await.text(".prose").trim(), shown_so);
        let excerpt = format!("SELECT excerpt FROM posts WHERE id = '{ada_s}'");
        assert_eq!(site.probe().await.texts(&excerpt).await, [shown_so]);

        let preview = ada.clone().as_script().submit("/api/preview_post", &[("content", typed)]).await;
        assert!(preview.json().as_str().expect("HTML").contains(shown_so), "{}", preview.text());
        let newer = ada.publish("Newer", typed).await;
        assert_eq!(stored(&site, &newer).await, format!("{number} <p dir=\"auto\">{shown_so}</p>\n"));
    }

    let kept = ada.submit("/account/profile", &[("punctuation", "plain")]).await;
    assert_eq!(kept.status, 303);
    assert_eq!(ada.submit("/account/profile", &[("display_name", "Ada L.")]).await.status, 303);
    assert_eq!(
        site.probe().await.texts("SELECT username FROM users WHERE plain_punctuation = 1").await,
        ["ada"]
    );
    let refused = ada.submit("/account/profile", &[("punctuation", "curly")]).await;
    assert_eq!(refused.status, 422, "{}", refused.text());
    assert!(refused.text().contains("Choose “typographic” or “plain”"));
}
