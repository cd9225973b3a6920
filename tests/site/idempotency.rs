//! A repeated idempotency key: with the same content it gets the first result, with
//! other content a refusal that keeps what was typed (security row D5).

use futures::future::join_all;
use serde_json::json;

use crate::support::{Answer, Client, PASSWORD, Running};

const NEW: &str = "/my-posts/new";
const NEW_DRAFT: &str = "/my-posts/new/draft";
const POSTS: &str = "SELECT COUNT(*) FROM posts";

async fn send(client: &mut Client, title: &str, content: &str, key: &str) -> Answer {
    client.submit(NEW, &[("title", title), ("content", content), ("idempotency_key", key)]).await
}

#[tokio::test]
async fn another_text_with_a_used_key_comes_back_and_can_be_published() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let key = ada.page(NEW).await.value("idempotency_key");
    let first = send(&mut ada, "Monday", "Text", &key).await.location().to_owned();

    let before = site.dump().await;
    let answer = send(&mut ada, "Tuesday", "A </textarea> text", &key).await;
    assert_eq!(answer.status, 422);
    assert_eq!(site.dump().await, before, "nothing is overwritten");
    let page = answer.page();
    page.assert_harmless("the form that came back");
    assert_eq!(
        (page.value("title").as_str(), page.text("#content").as_str()),
        ("Tuesday", "A </textarea> text")
    );
    assert!(page.texts(".error-summary li")[0].contains("sent before with other text"));
    assert_eq!(page.link("Monday").as_deref(), Some("/@ada/monday"), "it says what the first became");

    let again = page.value("idempotency_key");
    assert_ne!(again, key);
    let second = send(&mut ada, "Tuesday", "A text", &again).await;
    assert_eq!(second.status, 303);
    assert_ne!(second.location(), first);
    assert_eq!(site.count(POSTS).await, 2);
}

#[tokio::test]
async fn another_text_with_a_used_key_can_replace_the_first() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let first = send(&mut ada, "Monday", "Text", "k1").await.location().to_owned();
    let page = send(&mut ada, "Monday", "More text", "k1").await.page();
    let action = page.attributes("button[name=version]", "formaction").remove(0);
    let fields = [
        ("title", "Monday"),
        ("content", "More text"),
        ("idempotency_key", "k1"),
        ("author", "ada"),
        ("version", &page.value_of("button[name=version]")),
    ];
    let answer = ada.submit(&action, &fields).await;
    assert_eq!((answer.status, answer.location()), (303, first.as_str()));
    let stored = site.stored_post(first.strip_prefix("/posts/").expect("a post")).await.expect("the post");
    assert_eq!((stored.content.as_str(), stored.version), ("More text", 2));
    assert_eq!(site.count(POSTS).await, 1);
}

#[tokio::test]
async fn a_form_that_has_published_a_post_begins_no_draft_of_it() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let first = send(&mut ada, "Monday", "Text", "k1").await.location().to_owned();
    let before = site.dump().await;
    for content in ["Text", "More text"] {
        let fields = [("title", "Monday"), ("content", content), ("idempotency_key", "k1")];
        let refused = ada.as_script().submit("/api/save_draft", &fields).await;
        assert_eq!((refused.status, refused.code().as_str()), (422, "key_reused"), "{content}");
        assert_eq!(format!("/posts/{}", refused.json()["made"].as_str().expect("an id")), first);
        let refused = ada.submit(NEW_DRAFT, &fields).await;
        assert_eq!(refused.status, 422, "{content}");
        let page = refused.page();
        assert_eq!(page.text("#content"), content, "it is still in the form");
        assert_eq!(page.link("Monday").as_deref(), Some("/@ada/monday"));
    }
    assert_eq!(site.dump().await, before);
}

#[tokio::test]
async fn another_text_with_a_key_that_made_a_draft_can_replace_the_first() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let first = [("title", "Monday"), ("content", "Text"), ("idempotency_key", "k1")];
    let edit = ada.submit(NEW_DRAFT, &first).await.location().to_owned();
    let other = [("title", "Monday"), ("content", "More text"), ("idempotency_key", "k1")];
    let refused = ada.submit(NEW_DRAFT, &other).await;
    assert_eq!(refused.status, 422);
    let page = refused.page();
    assert_eq!(page.text("#content"), "More text", "it is still in the form");
    assert_eq!(page.link("Monday"), Some(edit.clone()), "it says what the first became");
    let action = page.attributes("button[name=version]", "formaction").remove(0);
    let version = page.value_of("button[name=version]");
    let fields = [("title", "Monday"), ("content", "More text"), ("author", "ada"), ("version", &version)];
    let answer = ada.submit(&action, &fields).await;
    assert_eq!((answer.status, answer.location()), (303, edit.as_str()));
    assert_eq!(site.text("SELECT content FROM drafts").await, "More text");
    assert_eq!(site.count("SELECT COUNT(*) FROM drafts").await, 1);
}

#[tokio::test]
async fn the_first_text_of_a_form_does_not_replace_what_its_draft_has_become() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let first = [("title", "Monday"), ("content", "A"), ("idempotency_key", "k1")];
    let edit = ada.submit(NEW_DRAFT, &first).await.location().to_owned();
    assert_eq!(ada.submit(NEW_DRAFT, &first).await.location(), edit, "sent twice");
    let id = site.text("SELECT id FROM drafts").await;
    let later = [("version", "1"), ("title", "Monday"), ("content", "A B C")];
    assert_eq!(ada.submit(&format!("/my-posts/{id}/draft"), &later).await.status, 303);

    // Back to the form, where the first text still is.
    let refused = ada.submit(NEW_DRAFT, &first).await;
    assert_eq!(refused.status, 422);
    assert_eq!(refused.page().text("#content"), "A");
    assert_eq!(site.text("SELECT content FROM drafts").await, "A B C");
    assert_eq!(site.count("SELECT COUNT(*) FROM drafts").await, 1);
}

#[tokio::test]
async fn what_is_stored_alike_is_the_same_content() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let first = send(&mut ada, "Title", "One\nTwo", "k1").await.location().to_owned();
    assert_eq!(send(&mut ada, "  Title ", "One\r\nTwo", "k1").await.location(), first);
    assert_eq!(site.count(POSTS).await, 1);
}

#[tokio::test]
async fn a_program_is_told_that_its_key_was_used_for_something_else() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await.as_script();
    let mut id_of_new = async |title: &str| {
        let made = ada.submit_json("/api/create_post", &json!({ "title": title })).await.json();
        made["id"].as_str().expect("an id").to_owned()
    };
    let (one, other) = (id_of_new("One").await, id_of_new("Other").await);
    let calls = [
        ("create_post", json!({ "title": "Monday" }), json!({ "title": "Tuesday" })),
        ("create_post", json!({ "title": "Monday" }), json!({ "title": "Monday", "content": "More" })),
        ("create_api_key", json!({ "name": "Reader", "days": 7 }), json!({ "name": "Writer", "days": 7 })),
        ("create_api_key", json!({ "name": "Reader", "days": 7 }), json!({ "name": "Reader", "days": 8 })),
        ("delete_post", json!({ "id": one }), json!({ "id": other })),
    ];
    for (number, (name, mut first, mut then)) in calls.into_iter().enumerate() {
        first["idempotency_key"] = json!(format!("wish-{number}"));
        then["idempotency_key"] = first["idempotency_key"].clone();
        let path = format!("/api/{name}");
        let done = ada.submit_json(&path, &first).await;
        assert_eq!(done.status, 200, "{path}: {}", done.text());
        let before = site.dump().await;
        let refused = ada.submit_json(&path, &then).await;
        assert_eq!((refused.status, refused.code().as_str()), (422, "key_reused"), "{path}");
        assert_eq!(site.dump().await, before, "{path}");
        let again = ada.submit_json(&path, &first).await;
        assert_eq!((again.status, again.json()), (200, done.json()), "{path}: the first is answered again");
        if let Some(id) = done.json()["id"].as_str() {
            assert_eq!(refused.json()["made"], id, "{path} says what the first made");
        }
    }

    let keys = ada.get("/api/my_api_keys").await.json();
    let [one, other] = [0, 1].map(|at| keys[at]["id"].as_str().expect("an id").to_owned());
    let revoke = |id: &str| json!({ "id": id, "idempotency_key": "wish" });
    for _ in 0..2 {
        assert_eq!(ada.submit_json("/api/revoke_api_key", &revoke(&one)).await.status, 200);
    }
    let refused = ada.submit_json("/api/revoke_api_key", &revoke(&other)).await;
    assert_eq!((refused.status, refused.code().as_str()), (422, "key_reused"));
    assert_eq!(site.count("SELECT COUNT(*) FROM api_keys").await, 1);
}

#[tokio::test]
async fn a_sign_up_with_another_name_or_address_is_another() {
    let site = Running::start().await;
    let form = |username: &'static str, email: &'static str| {
        [("username", username), ("email", email), ("password", PASSWORD), ("idempotency_key", "one")]
    };
    assert_eq!(site.browser().submit("/signup", &form("ada", "ada@example.org")).await.status, 303);
    let before = site.dump().await;
    for (username, email) in
        [("ada", "ada@example.com"), ("ada2", "ada@example.org"), ("bob", "bob@example.org")]
    {
        let mut browser = site.browser();
        let answer = browser.submit("/signup", &form(username, email)).await;
        assert_eq!((answer.status, answer.cookies().count()), (422, 0), "{username} {email}");
        let page = answer.page();
        assert_eq!((page.value("username"), page.value("email")), (username.into(), email.into()));
        assert_ne!(page.value("idempotency_key"), "one");
        assert!(page.texts(".error-summary li")[0].contains("sent before"), "{username} {email}");
        assert_eq!(site.dump().await, before, "{username} {email}");
        let refused = site.script().submit("/api/sign_up", &form(username, email)).await;
        let nothing_more = json!({ "code": "key_reused" });
        assert_eq!((refused.status, refused.json()), (422, nothing_more), "says nothing of who used it");
    }
    let mut ada = site.browser();
    let alike = form("Ada", "ADA@example.org");
    assert_eq!(ada.submit("/signup", &alike).await.status, 303, "stored alike, it is the same");
    assert_eq!(ada.signed_in_as().await.as_deref(), Some("ada"));
    assert_eq!(site.count("SELECT COUNT(*) FROM users").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_two_contents_with_one_key_at_once_is_done() {
    let site = Running::start().await;
    let ada = site.author("ada").await;
    for round in 0..10 {
        let key = format!("round-{round}");
        let answers = join_all(["Monday", "Tuesday"].map(|title| {
            let (mut ada, key) = (ada.clone(), key.clone());
            async move { send(&mut ada, title, "", &key).await }
        }));
        let mut statuses: Vec<_> = answers.await.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [303, 422], "round {round}");
        assert_eq!(site.count(POSTS).await, round + 1);
    }

    let names = join_all(["bob", "eve"].map(|name| {
        let (mut browser, email) = (site.browser(), format!("{name}@example.org"));
        async move {
            let form =
                [("username", name), ("email", &email), ("password", PASSWORD), ("idempotency_key", "one")];
            browser.submit("/signup", &form).await.status
        }
    }));
    let mut statuses = names.await;
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 422]);
    assert_eq!(site.count("SELECT COUNT(*) FROM users").await, 2);
}

#[tokio::test]
async fn a_text_comes_back_when_what_its_key_made_is_deleted() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let first = send(&mut ada, "Title", "Text", "k1").await.location().to_owned();
    assert_eq!(ada.submit(&format!("{first}/delete"), &[]).await.status, 303);
    let page = send(&mut ada, "Title", "Text", "k1").await;
    assert_eq!(page.status, 422);
    let page = page.page();
    assert_eq!((page.value("title").as_str(), page.text("#content").as_str()), ("Title", "Text"));
    assert!(page.texts(".notice").concat().contains("has been deleted since"));
    let anew = send(&mut ada, "Title", "Text", &page.value("idempotency_key")).await;
    assert_eq!(anew.status, 303);
    assert_eq!(site.count(POSTS).await, 1);
}

#[tokio::test]
async fn an_operation_stored_without_a_fingerprint_is_answered_as_before() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let first = send(&mut ada, "Monday", "", "k1").await.location().to_owned();
    site.tamper("UPDATE idempotency_keys SET fingerprint = NULL").await;
    assert_eq!(send(&mut ada, "Tuesday", "", "k1").await.location(), first);
}

#[tokio::test]
async fn a_key_of_other_content_is_made_by_the_form_that_came_back() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let form = |name: &str, key: &str| {
        [("name", name.to_owned()), ("days", "7".to_owned()), ("idempotency_key", key.to_owned())]
    };
    let mut make = async |name: &str, key: &str| {
        let form = form(name, key);
        let fields: Vec<_> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        ada.submit("/account/api-keys", &fields).await
    };
    assert_eq!(make("Reader", "k1").await.status, 200);
    let refused = make("Writer", "k1").await;
    assert_eq!(refused.status, 422);
    let page = refused.page();
    assert_eq!(page.value("name"), "Writer");
    assert_eq!(make("Writer", &page.value("idempotency_key")).await.status, 200);
    assert_eq!(site.count("SELECT COUNT(*) FROM api_keys").await, 2);
}
