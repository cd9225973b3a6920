//! Text that wants to be more than text (security row X1).

use byline::{
    accounts::profile::Punctuation,
    posts::{Content, domain::markdown},
};
use url::form_urlencoded::byte_serialize;

use crate::support::{Client, PASSWORD, PAYLOADS, Page, Running};

/// A page that came with any status, and is harmless.
async fn harmless(client: &mut Client, path: &str, payload: &str) -> Page {
    let page = client.get(path).await.page();
    page.assert_harmless(&format!("{payload:?} on {path}"));
    page
}

#[tokio::test]
async fn a_payload_in_a_post_is_text_wherever_it_is_shown() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    for payload in PAYLOADS {
        // The line break before it is one that a careless text area swallows.
        let content = format!("\n{payload}\n\n{payload}");
        let post = ada.publish(payload, &content).await;
        let stored = site.stored_post(&post).await.expect("it is stored as it was typed");
        assert_eq!((stored.title.as_str(), stored.content.as_str()), (*payload, content.as_str()));
        let excerpt =
            markdown::render(&Content::parse(&content).expect("a content"), Punctuation::default()).excerpt;

        let (path, address) = (format!("/posts/{post}"), site.path_of(&post).await);
        for reader in [&mut site.browser(), &mut ada] {
            let page = harmless(reader, &path, payload).await;
            assert_eq!((page.title().as_str(), page.text("h1").as_str()), (*payload, *payload));
            let meta = |selector| page.attribute(selector, "content").unwrap_or_default();
            assert_eq!(meta("meta[property='og:title']"), *payload);
            assert_eq!(meta("meta[name=description]"), excerpt, "{payload:?}");
            assert_eq!(page.count("main article"), 1, "{payload:?} did not break out of its place");
            for link in page.attributes(".prose a[href]", "rel") {
                assert_eq!(link, "nofollow ugc noopener", "{payload:?}");
            }
        }
        for list in ["/", "/my-posts"] {
            let page = harmless(&mut ada, list, payload).await;
            assert_eq!(page.text(&format!("h2 a[href='{address}']")), *payload, "on {list}");
        }
        let page = harmless(&mut ada, &format!("/my-posts/{post}/edit"), payload).await;
        assert_eq!(page.value("title"), *payload);
        assert_eq!(page.text("textarea[name=content]"), content, "the editor holds exactly what was typed");
        let page = harmless(&mut ada, &format!("{path}/delete"), payload).await;
        assert_eq!(page.text("main bdi"), *payload);
    }
}

#[tokio::test]
async fn a_payload_in_a_form_that_comes_back_is_text() {
    let site = Running::start_behind_a_proxy().await;
    let mut ada = site.author("ada").await;
    let post = ada.publish("Title", "").await;
    for (number, payload) in PAYLOADS.iter().enumerate() {
        let long = format!("{payload}{}", "x".repeat(200));
        let content = format!("\n\n{payload}");
        for path in ["/my-posts/new".to_owned(), format!("/my-posts/{post}/edit")] {
            let fields = [
                ("title", long.as_str()),
                ("content", content.as_str()),
                ("version", "1"),
                ("idempotency_key", *payload),
                (*payload, *payload),
            ];
            let answer = ada.submit(&path, &fields).await;
            assert_eq!(answer.status, 422, "{payload:?} at {path}");
            let page = answer.page();
            page.assert_harmless(&format!("{payload:?} from {path}"));
            assert_eq!(
                (page.value("title").as_str(), page.text("#content").as_str()),
                (long.as_str(), content.as_str())
            );
        }

        let fields =
            [("username", *payload), ("email", *payload), ("password", *payload), ("next", *payload)];
        let answer = site.browser().submit("/signup", &fields).await;
        assert_eq!(answer.status, 422, "{payload:?} at sign-up");
        let page = answer.page();
        page.assert_harmless(&format!("{payload:?} at sign-up"));
        assert_eq!((page.value("username").as_str(), page.value("email").as_str()), (*payload, *payload));

        let fields = [("identifier", *payload), ("password", "wrong"), ("next", &format!("/{payload}"))];
        // Somebody else each time, or the limit on guesses would answer.
        let mut browser = site.browser().coming_from(&format!("192.0.2.{number}"));
        let answer = browser.submit("/login", &fields).await;
        assert_eq!(answer.status, 422, "{payload:?} at login");
        let page = answer.page();
        page.assert_harmless(&format!("{payload:?} at login"));
        assert_eq!(page.value("identifier"), *payload);
    }
    assert_eq!(site.count("SELECT COUNT(*) FROM users").await, 1);
}

#[tokio::test]
async fn a_payload_in_an_address_is_text() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    for payload in PAYLOADS {
        let encoded: String = byte_serialize(payload.as_bytes()).collect();
        let in_path = encoded.replace('+', "%20");
        for reader in [&mut site.browser(), &mut ada] {
            for path in [
                format!("/login?next={encoded}"),
                format!("/login?next=/{encoded}"),
                format!("/signup?next=/{encoded}"),
                format!("/?older={encoded}"),
                format!("/?newer={encoded}&{encoded}={encoded}"),
                format!("/posts/{in_path}"),
                format!("/posts/{in_path}/delete"),
                format!("/my-posts/{in_path}/edit"),
                format!("/{in_path}"),
            ] {
                harmless(reader, &path, payload).await;
            }
        }
    }
}

#[tokio::test]
async fn a_payload_in_a_conflict_is_text() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    for payload in PAYLOADS {
        let post = ada.publish("Title", "").await;
        let edit = format!("/my-posts/{post}/edit");
        let theirs = format!("\n{payload} (theirs)");
        ada.submit(&edit, &[("version", "1"), ("title", payload), ("content", &theirs)]).await;
        let answer = ada.submit(&edit, &[("version", "1"), ("title", "Mine"), ("content", payload)]).await;
        assert_eq!(answer.status, 409, "{payload:?}");
        let page = answer.page();
        page.assert_harmless(&format!("{payload:?} in a conflict"));
        assert_eq!(page.attribute("#saved-title", "value").as_deref(), Some(*payload));
        assert_eq!((page.text("#saved-content"), page.text("#content").as_str()), (theirs, *payload));
    }
}

#[tokio::test]
async fn a_payload_is_no_username() {
    let site = Running::start().await;
    for payload in PAYLOADS {
        let fields = [("username", *payload), ("email", "eve@example.org"), ("password", PASSWORD)];
        assert_eq!(site.browser().submit("/signup", &fields).await.status, 422, "{payload:?}");
    }
    assert_eq!(site.count("SELECT COUNT(*) FROM users").await, 0);
}

/// The assertion that all of these rest on does find what it looks for.
#[test]
fn the_harmless_are_told_from_the_harmful() {
    let harmful = |body: &str| {
        let page = format!("<!DOCTYPE html><html><head><title>x</title></head><body>{body}</body></html>");
        std::panic::catch_unwind(|| Page::parse(&page).assert_harmless("here")).is_err()
    };
    for body in [
        "<script>alert(1)</script>",
        "<script src=https://evil.example/x.js></script>",
        "<script src=/assets/x.js>alert(1)</script>",
        "<script type=application/ld+json>alert(1)</script>",
        "<script type=application/ld+json>{\"a\":\"<!--\"}</script>",
        "<link rel=stylesheet href=https://evil.example/x.css>",
        "<p onclick=alert(1)>x</p>",
        "<a href=' java\nscript:alert(1)'>x</a>",
        "<img src='data:text/html,x'>",
        "<button formaction='JAVASCRIPT:alert(1)'>x</button>",
        "<form action=https://evil.example></form>",
        "<style>p {}</style>",
        "<p style='color: red'>x</p>",
        "<svg></svg>",
        "<iframe></iframe>",
        "<base href=/x>",
        "<meta http-equiv=refresh content=0>",
    ] {
        assert!(harmful(body), "{body}");
    }
    for body in [
        "<p>x</p>",
        "<a href=/posts/1>x</a>",
        "<a href=mailto:a@b.c>x</a>",
        "<script src=/pkg/x.js></script>",
        "<script type=application/ld+json>{\"a\":1}</script>",
        "<link rel=canonical href=https://byline.example/>",
    ] {
        assert!(!harmful(body), "{body}");
    }
}
