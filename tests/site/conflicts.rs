//! Two edits of one post at the same time (security row D4).

use futures::future::join_all;
use serde_json::json;

use crate::support::{Client, Running};

/// An author with two open tabs on a post, of which the other has just saved.
async fn overtaken(site: &Running) -> (Client, String) {
    let mut ada = site.author("ada").await;
    let post = ada.publish("First", "First text").await;
    let edit = format!("/my-posts/{post}/edit");
    assert_eq!(ada.page(&edit).await.value("version"), "1");
    let saved = [
        ("version", "1"),
        ("title", "Theirs"),
        ("content", "\nTheir <b>text</b>"),
        ("tags", "tides, herons"),
        ("language", "fr"),
    ];
    assert_eq!(ada.submit(&edit, &saved).await.status, 303);
    (ada, post)
}

#[tokio::test]
async fn an_edit_that_was_overtaken_overwrites_nothing_and_shows_both_texts() {
    let site = Running::start().await;
    let (mut ada, post) = overtaken(&site).await;
    let before = site.dump().await;
    let edit = format!("/my-posts/{post}/edit");
    let mine = [("version", "1"), ("title", "Mine"), ("content", "\nMy </textarea> text")];
    let answer = ada.submit(&edit, &mine).await;
    assert_eq!(answer.status, 409);
    assert_eq!(site.dump().await, before, "nothing is overwritten");

    let page = answer.page();
    assert_eq!(page.texts(".error-summary h2"), ["There is a problem"]);
    assert_eq!(page.texts(".error-summary li"), ["This post was changed after you opened it."]);
    assert_eq!(
        (page.value("title").as_str(), page.text("#content").as_str()),
        ("Mine", "\nMy </textarea> text")
    );
    assert_eq!(page.attribute("#saved-title", "value").as_deref(), Some("Theirs"));
    assert_eq!(page.text("#saved-content"), "\nTheir <b>text</b>");
    assert_eq!(page.value_of("#saved-tags"), "tides, herons");
    assert_eq!(page.value_of("#saved-language"), "Français");

    // With both texts in sight, saving again is a decision.
    let version = page.value("version");
    assert_eq!(version, "2");
    let decided = [("version", version.as_str()), ("title", "Mine"), ("content", "Both texts")];
    assert_eq!(ada.submit(&edit, &decided).await.status, 303);
    let stored = site.stored_post(&post).await.expect("the post");
    assert_eq!((stored.title.as_str(), stored.content.as_str(), stored.version), ("Mine", "Both texts", 3));
}

#[tokio::test]
async fn a_call_that_was_overtaken_gets_the_post_as_it_stands() {
    let site = Running::start().await;
    let (ada, post) = overtaken(&site).await;
    let before = site.dump().await;
    for version in [1, 0, -1, 3, i64::MAX] {
        let edit = json!({ "id": post, "version": version, "title": "Mine", "content": "My text" });
        let answer = ada.as_script().submit_json("/api/update_post", &edit).await;
        assert_eq!((answer.status, answer.code().as_str()), (409, "conflict"), "version {version}");
        let current = &answer.json()["current"];
        assert_eq!((&current["title"], &current["version"]), (&json!("Theirs"), &json!(2)));
        assert_eq!(site.dump().await, before, "version {version}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_edits_at_once_one_wins_and_every_other_learns_of_it() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let post = ada.publish("Title", "Text").await;
    let edits = (0..20).map(|number| {
        let mut script = ada.as_script();
        let edit = json!({ "id": post, "version": 1, "title": format!("Edit {number}"), "content": "" });
        async move { (edit["title"].clone(), script.submit_json("/api/update_post", &edit).await) }
    });
    let answers = join_all(edits).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|(_, answer)| answer.status == 200);
    assert_eq!(won.len(), 1);
    let stored = site.stored_post(&post).await.expect("the post");
    assert_eq!((json!(stored.title), stored.version), (won[0].0.clone(), 2));
    for (title, answer) in lost {
        assert_eq!(answer.status, 409, "{title}");
        assert_eq!(answer.json()["current"]["title"], won[0].0, "{title} learns what is published");
    }
}

#[tokio::test]
async fn the_same_edit_sent_twice_is_one_edit() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let post = ada.publish("Title", "Text").await;
    for _ in 0..2 {
        let edit = [("version", "1"), ("title", " Edited "), ("content", "Line\r\nline")];
        let answer = ada.submit(&format!("/my-posts/{post}/edit"), &edit).await;
        assert_eq!((answer.status, answer.location()), (303, format!("/posts/{post}").as_str()));
    }
    let stored = site.stored_post(&post).await.expect("the post");
    assert_eq!((stored.title.as_str(), stored.content.as_str(), stored.version), ("Edited", "Line\nline", 2));
}

#[tokio::test]
async fn an_edit_without_its_version_changes_nothing() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let post = ada.publish("Title", "Text").await;
    let before = site.dump().await;
    for version in [&[][..], &[("version", "")], &[("version", "one")]] {
        let fields: Vec<_> =
            [("title", "Mine"), ("id", post.as_str())].iter().chain(version).copied().collect();
        let answer = ada.submit(&format!("/my-posts/{post}/edit"), &fields).await;
        assert_eq!(answer.status, 400, "{version:?}");
        assert_eq!(ada.as_script().submit("/api/update_post", &fields).await.status, 400, "{version:?}");
    }
    assert_eq!(site.dump().await, before);
}
