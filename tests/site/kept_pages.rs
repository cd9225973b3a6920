//! Cached pages of readers without a session.

use std::{future::poll_fn, io::Read, pin::pin, task::Poll};

use axum::{body::Body, http::Method};
use byline::{
    credentials::{Actor, User, UserId},
    error::AppError,
    posts::{
        Content, Title,
        domain::{PostText, service},
    },
    username::Username,
};
use futures::future::join_all;

use crate::support::{Answer, Client, Running, in_time};

async fn get_with(client: &Client, path: &str, name: &str, value: &str) -> Answer {
    let request = client.request(Method::GET, path).header(name, value).body(Body::empty());
    client.clone().send(request.expect("a request")).await
}

#[tokio::test]
async fn browsers_may_store_a_readers_page_and_have_to_revalidate_it() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let post = ada.publish("Title", "Text").await;
    let reader = site.browser();
    for (path, version) in [("/".to_owned(), "1"), (site.path_of(&post).await, "2")] {
        let first = reader.clone().get(&path).await;
        assert_eq!((first.status, first.header("cache-control")), (200, "public, no-cache"), "{path}");
        for name in ["cookie", "accept-encoding"] {
            assert!(first.header("vary").contains(name), "{path} varies by {name}");
        }
        let etag = first.header("etag");
        assert!(etag.len() > 4, "{path}: {etag}");
        for known in [etag.to_owned(), format!("\"other\", {etag}")] {
            let second = get_with(&reader, &path, "if-none-match", &known).await;
            assert_eq!((second.status, second.body.len()), (304, 0), "{path} {known}");
            assert_eq!(second.header("etag"), etag, "{path}");
        }
        assert_eq!(get_with(&reader, &path, "if-none-match", "\"other\"").await.status, 200, "{path}");
        let edit = [("version", version), ("title", "New"), ("content", path.as_str())];
        assert_eq!(ada.submit(&format!("/my-posts/{post}/edit"), &edit).await.status, 303);
        let third = get_with(&reader, &path, "if-none-match", etag).await;
        assert_ne!(third.header("etag"), etag, "{path} has changed");
        assert_eq!(third.status, 200, "{path} has changed");
    }
}

#[tokio::test]
async fn a_compressed_page_is_the_same_page() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    for number in 0..20 {
        ada.publish(&format!("Post {number}"), "A text that is long enough to be worth it").await;
    }
    let reader = site.browser();
    let plain = reader.clone().get("/").await;
    assert_eq!(plain.header("content-encoding"), "");
    for (accepted, used) in
        [("br", "br"), ("gzip", "gzip"), ("gzip, deflate, br, zstd", "br"), ("br;q=0, gzip", "gzip")]
    {
        let packed = get_with(&reader, "/", "accept-encoding", accepted).await;
        assert_eq!(packed.header("content-encoding"), used, "{accepted}");
        assert_eq!(packed.header("etag"), plain.header("etag"), "{accepted}");
        assert!(packed.body.len() * 2 < plain.body.len(), "{accepted}: {} bytes", packed.body.len());
        let mut unpacked = String::new();
        let read = if used == "br" {
            brotli::Decompressor::new(&packed.body[..], 4096).read_to_string(&mut unpacked)
        } else {
            flate2::read::GzDecoder::new(&packed.body[..]).read_to_string(&mut unpacked)
        };
        read.expect("it unpacks");
        assert_eq!(unpacked, plain.text(), "{accepted}");
    }
    for refused in ["identity", "br;q=0", ""] {
        let answer = get_with(&reader, "/", "accept-encoding", refused).await;
        assert_eq!((answer.header("content-encoding"), answer.text()), ("", plain.text()), "{refused:?}");
    }
}

#[tokio::test]
async fn a_reader_sees_every_change_at_once() {
    let site = Running::start().await;
    let mut reader = site.browser();
    assert_eq!(reader.page("/").await.count("article"), 0);
    let mut ada = site.author("ada").await;
    let post = ada.publish("First", "Text").await;
    let path = format!("/posts/{post}");
    assert_eq!(reader.page("/").await.texts("article h2"), ["First"]);
    assert_eq!(reader.page(&path).await.texts("h1"), ["First"]);
    ada.submit(&format!("/my-posts/{post}/edit"), &[("version", "1"), ("title", "Second")]).await;
    assert_eq!(reader.page("/").await.texts("article h2"), ["Second"]);
    assert_eq!(reader.page(&path).await.texts("h1"), ["Second"]);
    ada.submit(&format!("/posts/{post}/delete"), &[]).await;
    assert_eq!(reader.page("/").await.count("article"), 0);
    assert_eq!(reader.get(&path).await.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_sees_every_change_at_once_in_a_crowd() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let post = ada.publish("Edit 1", "").await;
    let path = format!("/posts/{post}");
    for version in 1..20 {
        // These render while the edit is on its way: what they leave behind must not be kept.
        let crowd = join_all(["/", path.as_str()].repeat(4).into_iter().map(|path| {
            let mut reader = site.browser();
            async move { reader.get(path).await.status }
        }));
        let title = format!("Edit {}", version + 1);
        let edit = ada.as_script();
        let saved = async {
            let version = version.to_string();
            let fields = [("id", post.as_str()), ("version", version.as_str()), ("title", title.as_str())];
            edit.clone().submit("/api/update_post", &fields).await.status
        };
        let (crowd, saved) = futures::join!(crowd, saved);
        assert_eq!((crowd, saved), (vec![200; 8], 200));
        assert_eq!(site.browser().page("/").await.texts("article h2"), [title.as_str()]);
        assert_eq!(site.browser().page(&path).await.texts("h1"), [title.as_str()]);
    }
}

#[tokio::test]
async fn a_reader_never_gets_a_page_of_somebody_else() {
    let site = Running::start().await;
    let mut ada = site.author("adelaide").await;
    let post = ada.publish("Title", "Text").await;
    let path = format!("/posts/{post}");
    for path in ["/", path.as_str(), "/nope"] {
        // The author first: what is rendered for her is not for others.
        assert_eq!(ada.get(path).await.page().signed_in_as().as_deref(), Some("adelaide"), "{path}");
        let for_reader = site.browser().get(path).await.page();
        assert_eq!(for_reader.signed_in_as(), None, "{path}");
        assert!(!for_reader.has_button("Log out") && for_reader.link("Edit").is_none(), "{path}");
        assert_eq!(for_reader.link("Log in").as_deref(), Some("/login"), "{path}");
        // And the other way round.
        assert_eq!(ada.get(path).await.page().signed_in_as().as_deref(), Some("adelaide"), "{path}");
    }
    let etag = site.browser().get("/").await.header("etag").to_owned();
    let for_author = get_with(&ada, "/", "if-none-match", &etag).await;
    assert_eq!((for_author.status, for_author.header("cache-control")), (200, "no-store"));
}

#[tokio::test]
async fn a_notice_is_shown_once_and_to_nobody_else() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    ada.submit("/logout", &[]).await;
    assert_eq!(ada.page("/").await.texts(".notice"), ["You are logged out."]);
    assert_eq!(ada.page("/").await.count(".notice"), 0);
    assert_eq!(site.browser().page("/").await.count(".notice"), 0);
}

/// Leptos finds a page's own data through a thread-local owner; a rendering
/// that loses its owner at an await finds another reader's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_rendered_at_the_same_time_do_not_mix() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let mut posts = Vec::new();
    for number in 0..60 {
        let title = format!("Post number {number} of many");
        posts.push((ada.publish(&title, &format!("Text {number}")).await, title));
    }
    let readers = posts.iter().cycle().take(posts.len() * 4).map(|(id, title)| {
        // Half of them signed in: those pages are rendered for every request.
        let mut reader =
            if id.ends_with(['0', '2', '4', '6', '8', 'a', 'c', 'e']) { ada.clone() } else { site.browser() };
        async move {
            let answer = reader.get(&format!("/posts/{id}")).await;
            let page = answer.text();
            assert_eq!(page.matches("og:title").count(), 1, "{page}");
            assert!(
                page.contains(&format!("content=\"{title}\"")),
                "{title} has another post's tags: {page}"
            );
            assert!(page.contains(&format!("<title>{title} – Byline</title>")), "{title}: {page}");
        }
    });
    join_all(readers).await;
}

#[tokio::test]
async fn a_change_whose_sender_hangs_up_still_reaches_readers() {
    let site = Running::start().await;
    let mut author = site.author("ada").await;
    let mut reader = site.browser();
    assert!(!reader.get("/").await.text().contains("Hung up"), "the list is kept without it");

    let id = site.text("SELECT id FROM users").await;
    let ada =
        Actor::User(User { id: UserId::from_stored(id), username: Username::parse("ada").expect("a name") });
    // One hangs up at the first wait of its request, the next at the second, and so on: before
    // the write begins, and while it is under way. How often a request waits is never the same,
    // so this goes on until a write has ended without its sender.
    for round in 1..=50 {
        let mut hung_up = Vec::new();
        for waits in 1.. {
            let title = format!("Hung up at wait {waits} of round {round}.");
            let post_text = PostText {
                title: Title::parse(&title).expect("a title"),
                content: Some(Content::parse("").expect("a text")),
            };
            let creating = service::create::<AppError>(&site.site, &ada, Ok(post_text.into()), Ok(None));
            if dropped_at_wait(waits, creating).await.is_some() {
                break;
            }
            hung_up.push(title);
        }
        // Changes are committed in the order in which they begin, so all before it have ended.
        author.publish(&format!("End of round {round}"), "Text").await;
        for title in hung_up {
            if site.count(&format!("SELECT COUNT(*) FROM posts WHERE title = '{title}'")).await == 1 {
                in_time("the post to be on the list", async {
                    while !reader.get("/").await.text().contains(&title) {
                        tokio::task::yield_now().await;
                    }
                })
                .await;
                return;
            }
        }
    }
    panic!("nobody hung up while their post was written");
}

/// The output of `work`, unless it waits so many times: then it is dropped, as a request is
/// whose connection closes.
async fn dropped_at_wait<T>(mut waits: usize, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => {
            waits -= 1;
            if waits == 0 { Poll::Ready(None) } else { Poll::Pending }
        }
    })
    .await
}

#[tokio::test]
async fn parameters_appended_to_an_address_name_no_other_page() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let mut post = String::new();
    for number in 0..25 {
        post = ada.publish(&format!("Post {number}"), "Text").await;
    }
    let mut reader = site.browser();
    let older = reader.page("/").await.attribute("a.older", "href").expect("a second page");
    let long = format!("utm_zebra={}", "z".repeat(8_000));
    for path in ["/".to_owned(), site.path_of(&post).await, older] {
        let plain = reader.get(&path).await;
        assert_eq!(plain.header("cache-control"), "public, no-cache", "{path}");
        for appended in [
            "",
            "&",
            "utm_zebra=x",
            "fbclid=zebra&fbclid=zebra",
            "zebra",
            "=",
            "%zebra",
            "a=1&zebra=2&a=",
            &long,
        ] {
            let join = if path.contains('?') { '&' } else { '?' };
            let mut ways = vec![format!("{path}{join}{appended}")];
            if let Some((start, own)) = path.split_once('?') {
                ways.push(format!("{start}?{appended}&{own}"));
            }
            for way in ways {
                let shared = reader.get(&way).await;
                assert_eq!(
                    (shared.status, shared.header("cache-control")),
                    (200, "public, no-cache"),
                    "{way}"
                );
                assert_eq!(shared.header("etag"), plain.header("etag"), "{way}");
                assert!(shared.text() == plain.text() && !shared.text().contains("zebra"), "{way}");
                let head = reader.request(Method::HEAD, &way).body(Body::empty()).expect("a request");
                let head = reader.send(head).await;
                assert_eq!((head.status, head.header("etag")), (200, plain.header("etag")), "HEAD {way}");
            }
        }
    }
}
