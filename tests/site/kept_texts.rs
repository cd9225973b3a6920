//! Texts that cannot be saved where they were sent: they are kept until a login, or
//! are on the page that gives the reason.

use futures::future::join_all;

use crate::support::{Answer, Client, PASSWORD, Page, Running};

const NEW: &str = "/my-posts/new";
const KEPT: &str = "SELECT COUNT(*) FROM kept_forms";

/// A browser whose session has ended while its author was writing.
async fn logged_out(site: &Running, name: &str) -> Client {
    let mut browser = site.author(name).await;
    assert_eq!(browser.submit("/logout", &[]).await.status, 303);
    browser
}

async fn send(browser: &mut Client, page: &str, title: &str, content: &str) -> Answer {
    let fields = [("author", "ada"), ("title", title), ("content", content), ("version", "1")];
    browser.submit(page, &fields).await
}

async fn log_in(browser: &mut Client, name: &str) {
    let fields = [("identifier", name), ("password", PASSWORD)];
    assert_eq!(browser.submit("/login", &fields).await.status, 303, "{name}");
}

fn in_editor(page: &Page) -> (String, String) {
    (page.value("title"), page.text("#content"))
}

fn text(title: &str, content: &str) -> (String, String) {
    (title.to_owned(), content.to_owned())
}

#[tokio::test]
async fn every_text_sent_after_the_session_ended_comes_back() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let post = ada.publish("Old", "Old").await;
    let edit = format!("/my-posts/{post}/edit");
    ada.submit("/logout", &[]).await;
    for (page, title) in [(NEW, "One"), (NEW, "Two"), (edit.as_str(), "Three")] {
        let answer = send(&mut ada, page, title, "A <b>text</b>").await;
        assert_eq!((answer.status, answer.location()), (303, format!("/login?next={page}").as_str()));
    }
    send(&mut ada, NEW, "Two", "A <b>text</b>").await;
    assert_eq!(site.count(KEPT).await, 3, "the same text pressed twice waits once");
    let why = "You are logged out. Your text is kept: log in, and it is back in the editor.";
    assert_eq!(ada.page("/login").await.texts(".notice"), [why]);

    log_in(&mut ada, "ada").await;
    let listed = ada.page("/my-posts").await;
    assert_eq!(listed.texts(".kept-texts a"), ["One", "Two", "Three"]);
    listed.assert_harmless("the list");
    let editor = ada.page(NEW).await;
    assert_eq!(in_editor(&editor), text("One", "A <b>text</b>"));
    assert_eq!(editor.texts(".kept-texts a"), ["Two", "Three"], "the others are named");
    let three = editor.link("Three").expect("a link");
    assert_eq!(in_editor(&ada.page(&three).await), text("Three", "A <b>text</b>"));

    let saved = [
        ("title", "One"),
        ("content", "A text"),
        ("kept", &editor.value("kept")),
        ("idempotency_key", &editor.value("idempotency_key")),
    ];
    assert_eq!(ada.submit(NEW, &saved).await.status, 303);
    assert_eq!(ada.page("/my-posts").await.texts(".kept-texts a"), ["Two", "Three"]);
    assert_eq!(in_editor(&ada.page(NEW).await), text("Two", "A <b>text</b>"));
}

#[tokio::test]
async fn a_text_whose_page_got_lost_can_be_opened_again() {
    let site = Running::start().await;
    let mut ada = logged_out(&site, "ada").await;
    send(&mut ada, NEW, "Kept", "Text").await;
    log_in(&mut ada, "ada").await;
    assert_eq!(in_editor(&ada.page(NEW).await), text("Kept", "Text"));
    // That page may never have arrived.
    let next = ada.page(NEW).await;
    assert_eq!(in_editor(&next), text("", ""), "whoever has seen it can write something else");
    let link = next.link("Kept").expect("it is still named");
    for _ in 0..2 {
        assert_eq!(in_editor(&ada.page(&link).await), text("Kept", "Text"));
    }

    let discard = next.attributes(".kept-texts form", "action").remove(0);
    assert_eq!(ada.get(&discard).await.status, 405);
    let mut bob = site.author("bob").await;
    assert_eq!(bob.submit(&discard, &[]).await.status, 303);
    assert_eq!(site.count(KEPT).await, 1, "nobody else discards it");
    assert_eq!(ada.submit(&discard, &[]).await.status, 303);
    assert_eq!(site.count(KEPT).await, 0);
    assert_eq!(ada.page(NEW).await.count(".kept-texts"), 0);
}

#[tokio::test]
async fn texts_that_arrive_at_once_all_wait() {
    let site = Running::start().await;
    let mut ada = logged_out(&site, "ada").await;
    send(&mut ada, NEW, "First", "").await;
    let sent = join_all(["A", "B", "C", "D"].map(|title| {
        let mut ada = ada.clone();
        async move { send(&mut ada, NEW, title, "").await.status }
    }));
    assert_eq!(sent.await, [303; 4]);
    log_in(&mut ada, "ada").await;
    let mut listed = ada.page("/my-posts").await.texts(".kept-texts a");
    listed.sort();
    assert_eq!(listed, ["A", "B", "C", "D", "First"]);
}

#[tokio::test]
async fn a_text_that_finds_no_room_is_refused_in_words_and_shown() {
    let site = Running::start().await;
    let mut ada = logged_out(&site, "ada").await;
    for number in 0..8 {
        assert_eq!(send(&mut ada, NEW, &format!("Text {number}"), "").await.status, 303);
    }
    let before = site.dump().await;
    let refused = send(&mut ada, NEW, "One more", "A </textarea> text").await;
    assert_eq!(refused.status, 401);
    let page = refused.page();
    page.assert_harmless("the refusal");
    assert_eq!(page.value_of("#saved-title"), "One more");
    assert_eq!(page.text("#saved-content"), "A </textarea> text");
    assert!(page.texts(".conflict p").concat().contains("no room to keep it"));
    assert_eq!(site.dump().await, before, "nothing makes way for it");
    log_in(&mut ada, "ada").await;
    assert_eq!(ada.page("/my-posts").await.count(".kept-texts li"), 8);

    let mut bob = logged_out(&site, "bob").await;
    let longest = "\u{1F389}".repeat(100_000);
    let statuses = [
        send(&mut bob, NEW, "One", &longest).await.status,
        send(&mut bob, NEW, "Two", &longest).await.status,
        send(&mut bob, NEW, "Three", &longest).await.status,
    ];
    assert_eq!(statuses, [303, 303, 401], "two of the longest fit");
}

#[tokio::test]
async fn strangers_displace_no_kept_text() {
    let site = Running::start().await;
    let mut ada = logged_out(&site, "ada").await;
    send(&mut ada, NEW, "Kept", "").await;
    for number in 0..210 {
        send(&mut site.browser(), NEW, &format!("Spam {number}"), "").await;
    }
    log_in(&mut ada, "ada").await;
    assert_eq!(ada.page(NEW).await.value("title"), "Kept");
}

#[tokio::test]
async fn a_text_waits_for_its_author_while_somebody_else_logs_in_and_out_of_the_same_browser() {
    let site = Running::start().await;
    site.author("bob").await;
    let mut browser = logged_out(&site, "ada").await;
    assert_eq!(browser.sid(), None, "nothing waits, so nothing is known of this browser");
    send(&mut browser, NEW, "Kept", "Text").await;
    log_in(&mut browser, "bob").await;
    assert_eq!(browser.page(NEW).await.value("title"), "", "it is not bob's");
    assert_eq!(browser.submit("/logout", &[]).await.status, 303);
    assert_eq!(browser.signed_in_as().await, None);
    log_in(&mut browser, "ada").await;
    assert_eq!(in_editor(&browser.page(NEW).await), text("Kept", "Text"));
}

#[tokio::test]
async fn a_kept_text_is_forgotten_after_a_day() {
    let site = Running::start().await;
    let mut ada = logged_out(&site, "ada").await;
    send(&mut ada, NEW, "Kept", "").await;
    log_in(&mut ada, "ada").await;
    site.tamper("UPDATE kept_forms SET created_at = created_at - 86400000000").await;
    assert_eq!(ada.page(NEW).await.value("title"), "");
}

#[tokio::test]
async fn a_text_that_an_older_session_holds_still_comes_back() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let kept = r#"{"page":"/my-posts/new","author":"ada","values":{"title":"Kept"}}"#;
    let user = site.user("ada").await;
    let user = format!(r#"{{"id":"{}","username":"ada"}}"#, user.id.as_str());
    site.tamper(&format!(r#"UPDATE sessions SET data = '{{"user":{user},"kept":{kept}}}'"#)).await;
    assert_eq!(ada.page(NEW).await.value("title"), "Kept");
    assert_eq!(ada.page("/my-posts").await.texts(".kept-texts a"), ["Kept"]);
}

#[tokio::test]
async fn a_text_that_cannot_be_saved_any_more_stands_on_the_page_that_says_so() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let post = ada.publish("Title", "Text").await;
    let edit = format!("/my-posts/{post}/edit");
    assert_eq!(ada.submit(&format!("/posts/{post}/delete"), &[]).await.status, 303);
    let anothers = site.author("bob").await.publish("Of Bob", "").await;
    for (page, status) in [(edit, 404), (format!("/my-posts/{anothers}/edit"), 403)] {
        for title in ["Mine", ""] {
            let answer = send(&mut ada, &page, title, "A </textarea> text").await;
            assert_eq!(answer.status, status, "{page}");
            assert_eq!(answer.page().text("#saved-content"), "A </textarea> text", "{page} {title:?}");
            answer.page().assert_harmless(&page);
            assert_eq!(answer.page().link("Look into your trash").is_some(), status == 404, "{page}");
        }
    }
}

#[tokio::test]
async fn a_form_that_is_not_read_is_still_behind_its_refusal() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let answer = send(&mut ada, NEW, "Too large", &"x".repeat(1280 * 1024)).await;
    assert_eq!(answer.status, 413);
    let said = answer.page().texts(".message p").concat();
    assert!(said.contains("Go back in your browser: what you typed is still there"), "{said}");
}
