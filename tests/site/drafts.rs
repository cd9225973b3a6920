//! Texts that are not published: nobody but their author learns of them, and none is lost.

use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};

use byline::{
    clock,
    config::{ConflictDetection, Cost},
    posts::domain::{scheduled, trash},
};

use crate::support::{Answer, Client, Running, until};

/// Saves by script; the answer.
async fn save(client: &mut Client, fields: &[(&str, &str)]) -> Answer {
    client.as_script().submit("/api/save_draft", fields).await
}

async fn saved(client: &mut Client, fields: &[(&str, &str)]) -> Value {
    let answer = save(client, fields).await;
    assert_eq!(answer.status, 200, "{fields:?}: {}", answer.text());
    answer.json()
}

fn id_of(draft: &Value) -> String {
    draft["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn an_author_saves_a_draft_on_one_device_and_publishes_it_on_another() {
    let site = Running::start().await;
    let mut laptop = site.author("ada").await;
    let page = laptop.page("/my-posts/new").await;
    let key = page.value("idempotency_key");
    let fields =
        [("title", ""), ("content", "Half a th"), ("tags", "Notes"), ("idempotency_key", key.as_str())];
    let answer = laptop.submit("/my-posts/new/draft", &fields).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    let edit = answer.location().to_owned();
    let page = laptop.page(&edit).await;
    assert!(
        page.text(".notice[role=status]").contains("Your draft is saved"),
        "{}",
        page.text(".notice[role=status]")
    );
    assert_eq!(laptop.submit("/my-posts/new/draft", &fields).await.location(), edit, "sent twice");
    assert_eq!(site.count("SELECT COUNT(*) FROM drafts").await, 1);
    assert_eq!(laptop.page("/my-posts/drafts").await.texts(".entry h2"), ["Untitled"]);
    assert_eq!(site.count("SELECT COUNT(*) FROM events").await, 0, "nobody hears of it");

    let mut phone = site.browser();
    phone.log_in("ada").await;
    let page = phone.page(&edit).await;
    assert_eq!((page.text("#content").as_str(), page.value("tags").as_str()), ("Half a th", "notes"));
    let id = edit.trim_start_matches("/my-posts/").trim_end_matches("/edit").to_owned();
    let publish = format!("/my-posts/{id}/publish");
    let without_title = [("version", "1"), ("title", ""), ("content", "Half a thought.")];
    let answer = phone.submit(&publish, &without_title).await;
    assert_eq!(answer.status, 422);
    assert!(answer.page().texts(".error-summary li")[0].contains("Enter a title"));
    // Nor is what was saved before published in its place.
    let old = [("id", id.as_str()), ("version", "1"), ("title", "Old"), ("content", "Half a th")];
    saved(&mut phone, &old).await;
    let without_title = [("version", "2"), ("title", ""), ("content", "Half a thought.")];
    assert_eq!(phone.submit(&publish, &without_title).await.status, 422);
    assert_eq!(site.count("SELECT COUNT(*) FROM posts").await, 0);
    let whole =
        [("version", "2"), ("title", "A thought"), ("content", "A whole thought."), ("tags", "notes")];
    let answer = phone.submit(&publish, &whole).await;
    assert_eq!((answer.status, answer.location()), (303, format!("/posts/{id}").as_str()));
    let page = site.browser().page("/@ada/a-thought").await;
    assert_eq!((page.text("h1").as_str(), page.text(".prose").trim()), ("A thought", "A whole thought."));
    assert_eq!(site.count("SELECT COUNT(*) FROM drafts").await, 0);
    assert_eq!(phone.submit(&publish, &whole).await.status, 303, "sent twice");
    let other_tags =
        [("version", "2"), ("title", "A thought"), ("content", "A whole thought."), ("tags", "slow")];
    assert_eq!(phone.submit(&publish, &other_tags).await.status, 409, "it is another text by its tags, too");
    // The laptop goes on with the draft, which is a post by now.
    let answer = save(&mut laptop, &[("id", &id), ("version", "1"), ("content", "Half a thoughtful")]).await;
    assert_eq!(answer.status, 409);
    let answer =
        laptop.submit(&format!("/my-posts/{id}/draft"), &[("version", "1"), ("content", "Mine")]).await;
    assert_eq!(answer.status, 409);
    let page = answer.page();
    assert_eq!(page.text("#content"), "Mine", "its text is still in the form");
    assert_eq!(page.value_of("#saved-title"), "A thought");
    assert!(page.has_button("Save changes"));
    assert_eq!(site.stored_post(&id).await.expect("a post").content, "A whole thought.");
}

#[tokio::test]
async fn a_draft_is_nobody_elses() {
    let site = Running::start().await;
    let (mut ada, mut bob) = (site.author("ada").await, site.author("bob").await);
    ada.publish("Public", "").await;
    let draft = saved(
        &mut ada,
        &[("title", "Secret"), ("content", "Zebra"), ("tags", "hush"), ("address", "secret")],
    )
    .await;
    let id = id_of(&draft);
    let token = site.token_of("ada").await;
    // The secret of the site is made at the first use.
    site.browser().get("/feed.atom").await;
    let before = site.dump().await;
    for reader in [&mut site.browser(), &mut bob] {
        for path in [
            format!("/posts/{id}"),
            "/@ada/secret".to_owned(),
            "/tags/hush".to_owned(),
            format!("/my-posts/{id}/edit"),
            format!("/my-posts/{id}/revisions"),
            format!("/posts/{id}/delete"),
        ] {
            let answer = reader.get(&path).await;
            assert!(
                answer.status == 404 || answer.location().starts_with("/login"),
                "{path}: {}",
                answer.status
            );
        }
        for path in ["/", "/@ada", "/feed.atom", "/feed.json", "/sitemap.xml?from=pages", "/api/list_posts"] {
            let answer = reader.get(path).await;
            let text = answer.text();
            assert!(!text.contains("Secret") && !text.contains(&id), "{path}: {text}");
        }
    }
    for (name, fields) in [
        ("save_draft", vec![("id", id.as_str()), ("title", "Bob's")]),
        ("publish_post", vec![("id", id.as_str())]),
        ("unpublish_post", vec![("id", id.as_str())]),
        ("delete_post", vec![("id", id.as_str())]),
        ("restore_revision", vec![("id", id.as_str()), ("version", "1")]),
    ] {
        let answer = bob.as_script().submit(&format!("/api/{name}"), &fields).await;
        assert_eq!(answer.status, 404, "{name}: {}", answer.text());
    }
    for path in ["get_post", "list_revisions"] {
        assert_eq!(bob.as_script().get(&format!("/api/{path}?id={id}")).await.status, 404, "{path}");
    }
    // The operations of Amplify show published posts alone, also to its author.
    let all = "query ($id: ID!) { getPost(id: $id) { id } listPosts { items { title } } syncPosts { items { title } }
        allPosts { nodes { title } } myPosts { nodes { title } } }";
    let answer = site.graphql_with(&token, all, json!({ "id": id })).await.json();
    assert_eq!(answer["data"]["getPost"], Value::Null, "{answer}");
    assert!(!answer.to_string().contains("Secret"), "{answer}");
    let mine = ada.as_script().get("/api/my_posts?status=draft").await.json();
    assert_eq!(
        (&mine["posts"][0]["title"], mine["posts"].as_array().map(Vec::len)),
        (&json!("Secret"), Some(1))
    );
    let drafts = "{ myPosts(status: DRAFT, tag: \"hush\", search: \"zebra\") { nodes { title } } allPosts(status: DRAFT) { nodes { title } }
        none: myPosts(status: DRAFT, slug: \"x\") { nodes { title } } }";
    let answer = site.graphql(&token, drafts).await.json();
    assert_eq!(answer["data"]["myPosts"]["nodes"], json!([{ "title": "Secret" }]), "{answer}");
    assert_eq!(
        (&answer["data"]["allPosts"]["nodes"], &answer["data"]["none"]["nodes"]),
        (&json!([]), &json!([]))
    );
    assert_eq!(site.dump().await, before);
}

#[tokio::test]
async fn an_open_editor_saves_nothing_as_somebody_else_who_has_logged_in_since() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    site.author("bob").await;
    saved(&mut ada, &[("title", "Hers"), ("author", "ada")]).await;
    ada.as_script().submit("/api/log_out", &[]).await;
    ada.log_in("bob").await;
    assert_eq!(save(&mut ada, &[("title", "Hers, too"), ("author", "ada")]).await.status, 401);
    assert_eq!(site.count("SELECT COUNT(*) FROM drafts").await, 1);
}

#[tokio::test]
async fn saves_from_two_editors_lose_nothing() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let draft = saved(&mut ada, &[("title", "T"), ("content", "one")]).await;
    let id = id_of(&draft);
    let next = saved(&mut ada, &[("id", &id), ("version", "1"), ("title", "T"), ("content", "two")]).await;
    assert_eq!(next["version"], 2);
    // The same again changes nothing, whatever version it names: its answer was lost.
    let again = saved(&mut ada, &[("id", &id), ("version", "1"), ("title", "T"), ("content", "two")]).await;
    assert_eq!(again["version"], 2);
    let answer = save(&mut ada, &[("id", &id), ("version", "1"), ("title", "T"), ("content", "three")]).await;
    assert_eq!(answer.status, 409);
    let current = &answer.json()["current"];
    assert_eq!((&current["status"], &current["content"]), (&json!("draft"), &json!("two")), "{current}");
    let answer = ada
        .submit(&format!("/my-posts/{id}/draft"), &[("version", "1"), ("title", "T"), ("content", "three")])
        .await;
    assert_eq!(answer.status, 409);
    let page = answer.page();
    assert_eq!((page.text("#content").as_str(), page.text("#saved-content").as_str()), ("three", "two"));
    assert_eq!(page.value("version"), "2", "the next save is a decision");
    assert_eq!(site.text("SELECT content FROM drafts").await, "two");
    // Without a key, many at once are many; with one, one.
    let clients: Vec<_> = (0..8).map(|_| ada.clone()).collect();
    let fields = [("title", "New"), ("content", "x"), ("idempotency_key", "k")];
    let made =
        join_all(clients.into_iter().map(|mut client| async move { saved(&mut client, &fields).await }))
            .await;
    let ids: std::collections::BTreeSet<_> = made.iter().map(id_of).collect();
    assert_eq!(ids.len(), 1);
    let answer = save(&mut ada, &[("title", "Other"), ("idempotency_key", "k")]).await;
    assert_eq!(answer.status, 422);
    for field in [("address", "elsewhere"), ("language", "fr"), ("publish_at", "2100-01-01T00:00")] {
        let [title, content, key] = fields;
        assert_eq!(save(&mut ada, &[title, content, key, field]).await.status, 422, "{field:?} is no less");
    }
}

#[tokio::test]
async fn an_author_takes_a_post_back_and_publishes_it_again_with_its_address_and_its_place() {
    let site = Running::start_with(|config| config.conflict_detection = ConflictDetection::On).await;
    let mut ada = site.author("ada").await;
    let first = ada.publish("First", "Text").await;
    ada.publish("Second", "").await;
    let mut reader = site.browser();
    assert_eq!(reader.page("/@ada/first").await.text("h1"), "First");
    let created =
        site.text(&format!("SELECT CAST(created_at AS TEXT) FROM posts WHERE id = '{first}'")).await;
    assert!(ada.page(&format!("/my-posts/{first}/edit")).await.has_button("Unpublish"));
    let fields = [("version", "1"), ("title", "First"), ("content", "Text that goes on")];
    let answer = ada.submit(&format!("/my-posts/{first}/unpublish"), &fields).await;
    assert_eq!((answer.status, answer.location()), (303, format!("/my-posts/{first}/edit").as_str()));
    assert_eq!(reader.get("/@ada/first").await.status, 404);
    assert_eq!(reader.get(&format!("/posts/{first}")).await.status, 404);
    assert_eq!(reader.page("/").await.texts(".entry h2"), ["Second"]);
    let page = ada.page(&format!("/my-posts/{first}/edit")).await;
    assert_eq!(
        (page.text("#content").as_str(), page.value("address").as_str()),
        ("Text that goes on", "first")
    );
    // Programs that synchronize see a deletion.
    let token = site.token_of("ada").await;
    let sync = "{ syncPosts { items { id _deleted _version } } }";
    let answer = site.graphql(&token, sync).await.json();
    let row = |answer: &Value| {
        let items = answer["data"]["syncPosts"]["items"].as_array().expect("items").clone();
        items.into_iter().find(|item| item["id"] == first.as_str()).expect("the post")
    };
    assert_eq!((&row(&answer)["_deleted"], &row(&answer)["_version"]), (&json!(true), &json!(2)));
    let again = ada.as_script().submit("/api/unpublish_post", &[("id", &first)]).await;
    assert_eq!(again.status, 200, "sent twice");

    let answer = ada.as_script().submit("/api/publish_post", &[("id", &first)]).await.json();
    assert_eq!((&answer["status"], &answer["slug"]), (&json!("published"), &json!("first")), "{answer}");
    assert_eq!(
        site.text(&format!("SELECT CAST(created_at AS TEXT) FROM posts WHERE id = '{first}'")).await,
        created
    );
    assert_eq!(reader.page("/@ada/first").await.text(".prose p"), "Text that goes on");
    assert_eq!(reader.page("/").await.texts(".entry h2"), ["Second", "First"]);
    let answer = site.graphql(&token, sync).await.json();
    assert_eq!(row(&answer)["_deleted"], Value::Null);
    assert!(row(&answer)["_version"].as_i64() > Some(2));
}

#[tokio::test]
async fn a_deleted_draft_lies_in_the_trash_and_is_a_draft_again() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let draft = saved(&mut ada, &[("title", ""), ("content", "Words"), ("tags", "a")]).await;
    let id = id_of(&draft);
    let page = ada.page(&format!("/posts/{id}/delete")).await;
    assert_eq!(page.text("h1"), "Delete this draft?");
    assert_eq!(ada.submit(&format!("/posts/{id}/delete"), &[]).await.location(), "/my-posts");
    assert_eq!(ada.page("/my-posts").await.text(".undo bdi"), "Untitled");
    assert_eq!(ada.get(&format!("/my-posts/{id}/edit")).await.status, 404);
    assert_eq!(ada.page("/my-posts/trash").await.texts(".entry h2"), ["Untitled"]);
    for _ in 0..2 {
        let answer = ada.submit(&format!("/my-posts/trash/{id}"), &[]).await;
        assert_eq!((answer.status, answer.location()), (303, format!("/my-posts/{id}/edit").as_str()));
    }
    let page = ada.page(&format!("/my-posts/{id}/edit")).await;
    assert_eq!((page.text("#content").as_str(), page.value("tags").as_str()), ("Words", "a"));
    assert_eq!(site.count("SELECT COUNT(*) FROM posts").await, 0);
    assert_eq!(site.count("SELECT COUNT(*) FROM trashed_posts").await, 0);
    // After 30 days it is gone with all that belongs to it.
    ada.submit(&format!("/posts/{id}/delete"), &[]).await;
    let long_ago = clock::before(trash::KEPT + Duration::from_secs(1)).micros();
    site.tamper(&format!("UPDATE trashed_posts SET trashed_at = {long_ago}")).await;
    site.site.database.write((), |db, ()| Box::pin(trash::forget_old(db))).await.expect("it is forgotten");
    assert_eq!(site.count("SELECT COUNT(*) FROM trashed_posts").await, 0);
    assert_eq!(ada.submit(&format!("/my-posts/trash/{id}"), &[]).await.status, 404);
}

#[tokio::test]
async fn a_post_is_published_at_the_time_that_its_author_chose() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let form = |time: &'static str| {
        [("title", "Later"), ("content", "Text"), ("publish_at", time), ("utc_offset", "-03:30")]
    };
    for wrong in ["2001-01-01T10:00", "soon"] {
        let answer = ada.submit("/my-posts/new", &form(wrong)).await;
        assert_eq!(answer.status, 422, "{wrong}");
        let page = answer.page();
        assert_eq!(page.value("publish_at"), wrong);
        assert_eq!(page.attribute("#utc_offset option[selected]", "value").as_deref(), Some("-03:30"));
    }
    let in_a_year = clock::now().after(Duration::from_secs(365 * 24 * 60 * 60)).rfc3339()[..16].to_owned();
    let fields = [
        ("title", "Later"),
        ("content", "Text"),
        ("publish_at", in_a_year.as_str()),
        ("utc_offset", "-03:30"),
    ];
    let answer = ada.submit("/my-posts/new", &fields).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    let edit = answer.location().to_owned();
    assert!(ada.page(&edit).await.text(".notice[role=status]").contains("scheduled"));
    assert_eq!(ada.page(&edit).await.value("publish_at"), in_a_year, "on the clock of its author");
    assert!(ada.page("/my-posts/drafts").await.text(".entry .meta").contains("(UTC-03:30)"));
    let id = site.text("SELECT id FROM drafts").await;
    assert_eq!(site.count("SELECT COUNT(*) FROM posts").await, 0);

    // Several processes look at once, one of them publishes.
    let publish = || async { scheduled::publish_due(&site.site).await.expect("a look") };
    assert!(publish().await.is_some_and(|at| at > clock::now()), "not yet");
    site.tamper("UPDATE drafts SET publish_at = 1").await;
    let looks = join_all((0..4).map(|_| publish())).await;
    assert!(looks.into_iter().all(|next| next.is_none()));
    assert_eq!(site.browser().page("/@ada/later").await.text("h1"), "Later");
    assert_eq!(site.count("SELECT COUNT(*) FROM posts").await, 1);
    assert_eq!(site.count("SELECT COUNT(*) FROM drafts").await, 0);
    assert_eq!(site.count("SELECT COUNT(*) FROM events WHERE kind = 'created'").await, 1);
    let today = site.count("SELECT COUNT(*) FROM posts WHERE created_at > 1000000").await;
    assert_eq!(today, 1, "its time is that of the publication");
    assert_eq!(site.stored_post(&id).await.expect("a post").version, 1);
}

#[tokio::test]
async fn a_schedule_can_be_taken_back_and_a_draft_without_a_title_stays_one() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let soon = clock::now().after(Duration::from_secs(3600)).rfc3339();
    let draft = saved(&mut ada, &[("title", "T"), ("publish_at", &soon)]).await;
    assert_eq!(draft["is_scheduled"], false, "a time alone publishes nothing");
    let id = id_of(&draft);
    let publish = [("id", id.as_str()), ("publish_at", soon.as_str())];
    let answer = ada.as_script().submit("/api/publish_post", &publish).await.json();
    assert_eq!((&answer["status"], &answer["is_scheduled"]), (&json!("draft"), &json!(true)), "{answer}");
    let cancelled = saved(&mut ada, &[("id", &id), ("title", "T"), ("publish_at", "")]).await;
    assert_eq!((&cancelled["is_scheduled"], &cancelled["publish_at"]), (&json!(false), &Value::Null));
    ada.as_script().submit("/api/publish_post", &publish).await;
    // An autosave keeps the schedule, and may empty the title.
    let kept = saved(&mut ada, &[("id", &id), ("title", "")]).await;
    assert_eq!(kept["is_scheduled"], true);
    site.tamper("UPDATE drafts SET publish_at = 1").await;
    scheduled::publish_due(&site.site).await.expect("a look");
    assert_eq!(site.count("SELECT COUNT(*) FROM posts").await, 0);
    assert_eq!(site.count("SELECT COUNT(*) FROM drafts WHERE is_scheduled = 0").await, 1);
}

#[tokio::test]
async fn a_scheduled_post_of_a_locked_account_waits_until_the_account_is_opened() {
    let site = Running::start().await;
    let ada = site.author("ada").await;
    let soon = clock::now().after(Duration::from_secs(3600)).rfc3339();
    ada.as_script().submit("/api/create_post", &[("title", "Later"), ("publish_at", &soon)]).await;
    site.tamper("UPDATE drafts SET publish_at = 1").await;
    site.tamper("UPDATE users SET locked_at = 1").await;
    assert_eq!(scheduled::publish_due(&site.site).await.expect("a look"), None);
    assert_eq!(site.count("SELECT COUNT(*) FROM posts").await, 0);
    site.tamper("UPDATE users SET locked_at = NULL").await;
    scheduled::publish_due(&site.site).await.expect("a look");
    assert_eq!(site.count("SELECT COUNT(*) FROM posts").await, 1);
}

#[tokio::test]
async fn the_task_that_publishes_wakes_for_a_new_schedule() {
    let site = Running::start().await;
    let ada = site.author("ada").await;
    let task = scheduled::start(&site.site);
    let soon = clock::now().after(Duration::from_millis(1500)).rfc3339();
    let answer =
        ada.as_script().submit("/api/create_post", &[("title", "Soon"), ("publish_at", &soon)]).await;
    assert_eq!(answer.json()["status"], "draft");
    until("the post to be published", async || site.count("SELECT COUNT(*) FROM posts").await == 1).await;
    task.abort();
}

#[tokio::test]
async fn a_post_that_was_due_while_the_site_was_stopped_is_published_when_it_starts_again() {
    let site = Running::start().await;
    let ada = site.author("ada").await;
    let later = clock::now().after(Duration::from_secs(3600)).rfc3339();
    ada.as_script().submit("/api/create_post", &[("title", "Due"), ("publish_at", &later)]).await;
    site.tamper("UPDATE drafts SET publish_at = 1").await;
    let site = site.restart_with(Cost::FLOOR).await;
    let task = scheduled::start(&site.site);
    until("the post to be published", async || site.count("SELECT COUNT(*) FROM posts").await == 1).await;
    task.abort();
    assert_eq!(site.count("SELECT COUNT(*) FROM drafts").await, 0);
}
