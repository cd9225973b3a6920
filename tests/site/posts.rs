//! Who may publish, change and delete, by every entry point.

use axum::http::Method;
use byline::{
    clock,
    credentials::UserId,
    database::Db,
    posts::{
        Content, PostId, Tags, Title,
        domain::{
            PostText,
            store::{self, Edit},
        },
    },
};
use futures::future::join_all;
use serde_json::{Value, json};
use sqlx::{PgPool, SqlitePool};

use crate::support::{Answer, Client, Running};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum IdempotentOperation {
    Create,
    Update,
    Delete,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// A form to the path of its page.
    Form,
    /// A form to the endpoint.
    FormToEndpoint,
    /// A script's call with a form for a body.
    Call,
    /// A script's call with JSON for a body.
    JsonCall,
}

const WISHES: [IdempotentOperation; 3] =
    [IdempotentOperation::Create, IdempotentOperation::Update, IdempotentOperation::Delete];
const WAYS: [Way; 4] = [Way::Form, Way::FormToEndpoint, Way::Call, Way::JsonCall];

impl IdempotentOperation {
    fn endpoint(self) -> &'static str {
        match self {
            Self::Create => "/api/create_post",
            Self::Update => "/api/update_post",
            Self::Delete => "/api/delete_post",
        }
    }

    /// The path of the page with the form.
    fn page(self, id: &str) -> String {
        match self {
            Self::Create => "/my-posts/new".to_owned(),
            Self::Update => format!("/my-posts/{id}/edit"),
            Self::Delete => format!("/posts/{id}/delete"),
        }
    }

    /// The arguments, for a post in its first version.
    fn arguments(self, id: &str) -> Vec<(&'static str, String)> {
        let text = [("title", "New title".to_owned()), ("content", "New text".to_owned())];
        match self {
            Self::Create => text.to_vec(),
            Self::Update => {
                [("id", id.to_owned()), ("version", "1".to_owned())].into_iter().chain(text).collect()
            }
            Self::Delete => vec![("id", id.to_owned())],
        }
    }
}

impl Way {
    fn is_form(self) -> bool {
        matches!(self, Self::Form | Self::FormToEndpoint)
    }

    async fn send(self, person: &Client, wish: IdempotentOperation, id: &str) -> Answer {
        let arguments = wish.arguments(id);
        let fields: Vec<_> = arguments.iter().map(|(name, value)| (*name, value.as_str())).collect();
        match self {
            Self::Form => {
                let typed: Vec<_> = fields.into_iter().filter(|(name, _)| *name != "id").collect();
                person.clone().submit(&wish.page(id), &typed).await
            }
            Self::FormToEndpoint => person.clone().submit(wish.endpoint(), &fields).await,
            Self::Call => person.as_script().submit(wish.endpoint(), &fields).await,
            Self::JsonCall => {
                let mut object: serde_json::Map<_, _> =
                    fields.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
                if object.contains_key("version") {
                    object.insert("version".to_owned(), json!(1));
                }
                person.as_script().submit_json(wish.endpoint(), &Value::Object(object)).await
            }
        }
    }
}

#[tokio::test]
async fn nobody_publishes_changes_or_deletes_anything() {
    let site = Running::start().await;
    let post = site.author("ada").await.publish("Title", "Text").await;
    let before = site.dump().await;
    for wish in WISHES {
        for way in WAYS {
            let answer = way.send(&site.browser(), wish, &post).await;
            if way.is_form() {
                assert_eq!(answer.status, 303, "{wish:?} by {way:?}: {}", answer.text());
                assert_eq!(answer.location(), format!("/login?next={}", wish.page(&post)));
            } else {
                assert_eq!(
                    (answer.status, answer.code().as_str()),
                    (401, "not_signed_in"),
                    "{wish:?} by {way:?}"
                );
            }
            assert_eq!(site.dump().await, before, "{wish:?} by {way:?} stored something");
        }
    }
}

#[tokio::test]
async fn a_reader_cannot_edit_or_delete_anothers_post() {
    let site = Running::start().await;
    let post = site.author("ada").await.publish("Title", "Text").await;
    let bob = site.author("bob").await;
    let before = site.dump().await;
    for wish in [IdempotentOperation::Update, IdempotentOperation::Delete] {
        for way in WAYS {
            let answer = way.send(&bob, wish, &post).await;
            assert_eq!(answer.status, 403, "{wish:?} by {way:?}: {}", answer.text());
            if way.is_form() {
                assert_eq!(answer.page().texts("h1"), ["This is not yours to change"]);
            } else {
                assert_eq!(answer.code(), "forbidden");
            }
            assert_eq!(site.dump().await, before, "{wish:?} by {way:?} changed something");
        }
    }
}

#[tokio::test]
async fn whoever_is_signed_in_publishes_under_their_own_name() {
    let site = Running::start().await;
    for username in ["ada", "bob"] {
        let author = site.author(username).await;
        for way in WAYS {
            let answer = way.send(&author, IdempotentOperation::Create, "").await;
            let id = new_post(way, &answer);
            let stored = site.stored_post(&id).await.expect("the post is stored");
            assert_eq!((stored.owner.as_str(), stored.version), (username, 1), "by {way:?}");
            assert_eq!(
                (stored.title.as_str(), stored.content.as_str()),
                ("New title", "New text"),
                "by {way:?}"
            );
        }
    }
    assert_eq!(site.count("SELECT COUNT(*) FROM posts").await, 8);
}

#[tokio::test]
async fn an_author_changes_and_deletes_their_own_post() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    for way in WAYS {
        let post = ada.publish("Title", "Text").await;
        let answer = way.send(&ada, IdempotentOperation::Update, &post).await;
        if way.is_form() {
            assert_eq!(
                (answer.status, answer.location()),
                (303, format!("/posts/{post}").as_str()),
                "by {way:?}"
            );
        } else {
            assert_eq!((answer.status, &answer.json()["version"]), (200, &json!(2)), "by {way:?}");
        }
        let stored = site.stored_post(&post).await.expect("the post is stored");
        assert_eq!((stored.title.as_str(), stored.content.as_str()), ("New title", "New text"), "by {way:?}");
        assert_eq!((stored.owner.as_str(), stored.version), ("ada", 2), "by {way:?}");

        let answer = way.send(&ada, IdempotentOperation::Delete, &post).await;
        if way.is_form() {
            assert_eq!((answer.status, answer.location()), (303, "/my-posts"), "by {way:?}");
        } else {
            assert_eq!((answer.status, answer.json()), (200, Value::Null), "by {way:?}");
        }
        assert_eq!(site.stored_post(&post).await, None, "by {way:?}");
        assert_eq!(ada.get(&format!("/posts/{post}")).await.status, 404, "by {way:?}");
    }
}

#[tokio::test]
async fn a_post_that_is_missing_is_not_found() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let gone = ada.publish("Title", "Text").await;
    assert_eq!(Way::Form.send(&ada, IdempotentOperation::Delete, &gone).await.status, 303);
    let before = site.dump().await;
    for id in [gone.as_str(), "never-was", "..", "%2e%2e", "a b"] {
        for wish in [IdempotentOperation::Update, IdempotentOperation::Delete] {
            for way in WAYS {
                if way == Way::Form && id == "a b" {
                    continue; // stands in no path
                }
                let answer = way.send(&ada, wish, id).await;
                // A path that goes up is refused at the door (security row L8).
                let goes_up = way == Way::Form && ["..", "%2e%2e"].contains(&id);
                let status = if goes_up { 400 } else { 404 };
                assert_eq!(answer.status, status, "{wish:?} of {id:?} by {way:?}: {}", answer.text());
                assert!(way.is_form() || answer.code() == "not_found", "{wish:?} of {id:?} by {way:?}");
            }
        }
    }
    assert_eq!(site.dump().await, before);
}

#[tokio::test]
async fn pages_that_change_a_post_open_for_its_owner_alone() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let post = ada.publish("Title", "Text").await;
    let mut bob = site.author("bob").await;
    for page in [format!("/my-posts/{post}/edit"), format!("/posts/{post}/delete")] {
        let answer = site.browser().get(&page).await;
        assert_eq!((answer.status, answer.location()), (303, format!("/login?next={page}").as_str()));
        assert_eq!(bob.get(&page).await.status, 403, "{page}");
        assert_eq!(ada.get(&page).await.status, 200, "{page}");
    }
    let shown = format!("/posts/{post}");
    let actions = [format!("/my-posts/{post}/edit"), format!("/posts/{post}/delete")];
    assert_eq!(ada.page(&shown).await.attributes("article .actions a", "href"), actions);
    for mut reader in [bob, site.browser()] {
        let page = reader.page(&shown).await;
        assert_eq!((page.link("Edit"), page.link("Delete post")), (None, None));
    }
}

#[tokio::test]
async fn my_posts_are_the_authors_own_alone() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    ada.publish("By Ada", "").await;
    let mut bob = site.author("bob").await;
    bob.publish("By Bob", "").await;
    assert_eq!(ada.page("/my-posts").await.texts("article h2"), ["By Ada"]);
    assert_eq!(bob.page("/my-posts").await.texts("article h2"), ["By Bob"]);
    assert_eq!(bob.as_script().get("/api/my_posts").await.json()["posts"][0]["title"], "By Bob");
    let answer = site.browser().get("/my-posts").await;
    assert_eq!((answer.status, answer.location()), (303, "/login?next=/my-posts"));
    let answer = site.script().get("/api/my_posts").await;
    assert_eq!((answer.status, answer.code().as_str()), (401, "not_signed_in"));
}

#[tokio::test]
async fn everyone_reads_posts_by_page_and_by_call() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let post = ada.publish("Title", "Some *Markdown*").await;
    let page = site.browser().page(&format!("/posts/{post}")).await;
    assert_eq!((page.title().as_str(), page.texts("h1")), ("Title", vec!["Title".to_owned()]));
    assert_eq!(
        (page.texts("article header .author"), page.texts(".prose em")),
        (vec!["ada".into()], vec!["Markdown".into()])
    );
    let front = site.browser().page("/").await;
    assert_eq!(front.texts("article h2"), ["Title"]);
    assert_eq!(front.link("Title").as_deref(), Some("/@ada/title"));
    let listed = site.script().get("/api/list_posts").await.json();
    assert_eq!((&listed["posts"][0]["id"], &listed["posts"][0]["owner"]), (&json!(post), &json!("ada")));
    let read = site.script().get(&format!("/api/get_post?id={post}")).await.json();
    assert_eq!((&read["content"], &read["version"]), (&json!("Some *Markdown*"), &json!(1)));
    let missing = site.script().get("/api/get_post?id=never-was").await;
    assert_eq!((missing.status, missing.code().as_str()), (404, "not_found"));
}

#[tokio::test]
async fn an_owner_is_never_taken_from_the_input() {
    let site = Running::start().await;
    let mut bob = site.author("bob").await;
    let bobs = bob.publish("By Bob", "").await;
    let bob_id = site.user("bob").await.id;
    let ada = site.author("ada").await;
    let forged =
        [("owner_id", bob_id.as_str()), ("owner", "bob"), ("role", "admin"), ("user_id", bob_id.as_str())];
    let create: Vec<_> = [("title", "Forged"), ("id", bobs.as_str())].into_iter().chain(forged).collect();
    let update: Vec<_> =
        [("id", bobs.as_str()), ("version", "1"), ("title", "Forged")].into_iter().chain(forged).collect();
    for mut client in [ada.clone(), ada.as_script()] {
        client.submit("/api/create_post", &create).await;
        assert_eq!(client.submit("/api/update_post", &update).await.status, 403);
    }
    assert_eq!(site.stored_post(&bobs).await.map(|post| post.title).as_deref(), Some("By Bob"));
    let not_adas = "SELECT COUNT(*) FROM posts p JOIN users u ON u.id = p.owner_id
                    WHERE p.title = 'Forged' AND u.username <> 'ada'";
    assert_eq!(site.count(not_adas).await, 0);
}

#[tokio::test]
async fn the_path_of_a_form_counts_more_than_what_it_holds() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let one = ada.publish("One", "").await;
    let two = ada.publish("Two", "").await;
    ada.submit(&format!("/posts/{one}/delete"), &[("id", &two)]).await;
    assert_eq!(site.stored_post(&one).await, None);
    assert!(site.stored_post(&two).await.is_some());
}

#[tokio::test]
async fn the_sql_itself_refuses_a_wrong_owner() {
    let site = Running::start().await;
    let post = site.author("ada").await.publish("Title", "Text").await;
    site.author("bob").await;
    let before = site.dump().await;
    let id = PostId::parse(&post).expect("an id");
    let post_text = PostText {
        title: Title::parse("Forged").expect("a title"),
        content: Some(Content::parse("Forged").expect("a content")),
    };
    let tags = Tags::default();
    let edit = Edit {
        text: (&post_text).into(),
        slug: None,
        tags: &tags,
        language: None,
        new_owner: None,
        now: clock::now(),
    };
    let db = &mut writable(&site).await;
    let nobodys = ["", "%"].map(|id| UserId::from_stored(id.to_owned()));
    for other in [site.user("bob").await.id].into_iter().chain(nobodys) {
        let updated = store::update(db, &id, &other, 1, edit.clone()).await.expect("a statement");
        assert_eq!(updated, None, "{other:?}");
        store::delete(db, &id, &other, clock::now()).await.expect("a statement");
        assert_eq!(site.dump().await, before, "{other:?}");
    }
    let ada = site.user("ada").await.id;
    let updated = store::update(db, &id, &ada, 1, edit).await.expect("a statement");
    assert_eq!(updated.map(|post| post.version), Some(2), "the right owner may");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_forms_with_one_key_make_one_post() {
    let site = Running::start().await;
    let ada = site.author("ada").await;
    let key = ada.clone().page("/my-posts/new").await.value("idempotency_key");
    assert!(!key.is_empty(), "the editor names its wish");
    let form = [("title", "Once"), ("content", "Text"), ("idempotency_key", key.as_str())];
    let mut clients: Vec<_> = (0..50).map(|_| ada.clone()).collect();
    let answers = join_all(clients.iter_mut().map(|client| client.submit("/my-posts/new", &form))).await;
    let id = new_post(Way::Form, &answers[0]);
    for answer in &answers {
        assert_eq!((answer.status, answer.location()), (303, answers[0].location()));
    }
    assert!(site.stored_post(&id).await.is_some());
    assert_eq!(site.count("SELECT COUNT(*) FROM posts").await, 1);

    let mut bob = site.author("bob").await;
    let his = new_post(Way::Form, &bob.submit("/my-posts/new", &form).await);
    assert_eq!(
        site.stored_post(&his).await.map(|post| post.owner).as_deref(),
        Some("bob"),
        "a key is one author's"
    );
}

#[tokio::test]
async fn a_delete_that_is_sent_twice_deletes_once_and_succeeds_twice() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let (one, other) = (ada.publish("One", "").await, ada.publish("Other", "").await);
    let page = format!("/posts/{one}/delete");
    let key = ada.page(&page).await.value("idempotency_key");
    for _ in 0..2 {
        let answer = ada.submit(&page, &[("idempotency_key", &key)]).await;
        assert_eq!((answer.status, answer.location()), (303, "/my-posts"));
    }
    assert_eq!((site.stored_post(&one).await, site.stored_post(&other).await.is_some()), (None, true));
    assert_eq!(ada.submit(&page, &[]).await.status, 404, "without a key it is another wish");
}

#[tokio::test]
async fn a_key_used_for_one_thing_does_no_other() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await.as_script();
    let create = json!({ "title": "Title", "idempotency_key": "k" });
    let first = ada.submit_json("/api/create_post", &create).await.json();
    let id = first["id"].as_str().expect("an id").to_owned();
    // A program that names all its wishes alike must not be told that the post is deleted while it is not.
    let answer = ada.submit_json("/api/delete_post", &json!({ "id": id, "idempotency_key": "k" })).await;
    let stored = site.stored_post(&id).await;
    assert_eq!(answer.status == 200, stored.is_none(), "said {} while stored: {stored:?}", answer.status);
}

#[tokio::test]
async fn a_post_that_breaks_a_rule_comes_back_with_its_text() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let post = ada.publish("Title", "Text").await;
    let before = site.dump().await;
    let (long_title, long_content) = ("x".repeat(201), "y".repeat(100_001));
    let edit = format!("/my-posts/{post}/edit");
    let title_too_long = "Title must be 200 characters or fewer; this one has 201";
    for path in ["/my-posts/new", edit.as_str(), "/api/create_post"] {
        for (title, content, field, message) in [
            ("", "Kept", "title", "Enter a title"),
            (" \u{200b} ", "Kept", "title", "Enter a title"),
            (long_title.as_str(), "Kept", "title", title_too_long),
            ("Kept", long_content.as_str(), "content", ""),
        ] {
            let answer = ada.submit(path, &[("title", title), ("content", content), ("version", "1")]).await;
            assert_eq!(answer.status, 422, "{path} {field}");
            let page = answer.page();
            let message = if message.is_empty() {
                page.texts(".error-summary li").remove(0)
            } else {
                message.to_owned()
            };
            page.assert_problem(field, &message);
            assert_eq!(
                (page.value("title").as_str(), page.text("textarea[name=content]").as_str()),
                (title, content)
            );
            assert!(page.title().starts_with("Error: "), "{}", page.title());
        }
    }
    let answer =
        ada.as_script().submit_json("/api/create_post", &json!({ "title": "", "content": "x" })).await;
    assert_eq!((answer.status, answer.code().as_str()), (422, "invalid"));
    assert_eq!(answer.json()["errors"], json!([{ "field": "title", "message": "Enter a title" }]));
    assert_eq!(site.dump().await, before);
}

#[tokio::test]
async fn the_limits_of_a_post_are_counted_in_characters() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let (title, content) = ("🖋".repeat(200), "🖋".repeat(100_000));
    let post = ada.publish(&format!("  {title} "), &content).await;
    let stored = site.stored_post(&post).await.expect("it is stored");
    assert!(stored.title == title && stored.content == content);
}

#[tokio::test]
async fn a_call_that_cannot_be_read_is_refused_and_named() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await.as_script();
    let before = site.dump().await;
    for (content_type, body) in [
        ("application/json", "[1]"),
        ("application/json", "{"),
        ("application/json", r#"{"title": {"a": 1}}"#),
        ("application/json", r#"{"content": "no title"}"#),
        ("application/x-www-form-urlencoded", "content=x"),
        ("text/plain", "title=x"),
        ("multipart/form-data; boundary=x", "--x--"),
    ] {
        let answer = ada.post("/api/create_post", content_type, body).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "bad_request"), "{content_type} {body}");
    }
    for cursor in ["x", "1_", "_a", "01_a", "1_a&newer=1_a"] {
        let answer = ada.get(&format!("/api/list_posts?older={cursor}")).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "bad_request"), "{cursor}");
    }
    let request = ada
        .request(Method::POST, "/api/create_post")
        .header("content-type", "application/x-www-form-urlencoded");
    let answer = ada.send(request.body("title=%ff%fe".into()).expect("a request")).await;
    assert!([200, 400].contains(&answer.status), "{}", answer.status);
    if answer.status == 400 {
        assert_eq!(site.dump().await, before);
    }
}

/// The id of the post that an answer says was made.
fn new_post(way: Way, answer: &Answer) -> String {
    if way.is_form() {
        assert_eq!(answer.status, 303, "by {way:?}: {}", answer.text());
        answer.location().strip_prefix("/posts/").expect("on to the post").to_owned()
    } else {
        assert_eq!(answer.status, 200, "by {way:?}: {}", answer.text());
        answer.json()["id"].as_str().expect("an id").to_owned()
    }
}

/// A connection for the statements of the store, without anything above them.
async fn writable(site: &Running) -> Db {
    let (url, pool) = (site.url_text(), "a pool");
    if url.starts_with("sqlite:") {
        Db::Sqlite(SqlitePool::connect(url).await.expect(pool).acquire().await.expect("a connection"))
    } else {
        Db::Postgres(PgPool::connect(url).await.expect(pool).acquire().await.expect("a connection").into())
    }
}
