//! The first posts of new authors, which wait until whoever runs the site approves one.

use std::time::Duration;

use byline::{clock, config::SiteSetting, posts::domain::scheduled};
use serde_json::json;

use crate::support::{Byline, Client, Credential, PASSWORD, Running, until};

/// Where everyone would find a published post of ada about a heron.
const PLACES: [&str; 13] = [
    "/",
    "/@ada",
    "/tags/marsh",
    "/search?q=stood",
    "/feed.atom",
    "/feed.json",
    "/@ada/feed.atom",
    "/tags/marsh/feed.atom",
    "/api/list_posts",
    "/api/list_posts?author=ada",
    "/api/list_posts?tag=marsh",
    "/api/search_posts?q=heron",
    "/@ada/feed.json",
];

async fn in_charge(site: &Running) -> Client {
    let client = site.author("eve").await;
    site.tamper("UPDATE users SET is_admin = 1 WHERE username = 'eve'").await;
    client
}

async fn first_posts_wait(site: &Running) {
    site.set(SiteSetting::Approval, "first-posts").await;
}

/// Which of the places have the words.
async fn shown(client: &mut Client, words: &str) -> Vec<&'static str> {
    let mut shown = Vec::new();
    for place in PLACES {
        if client.get(place).await.text().contains(words) {
            shown.push(place);
        }
    }
    shown
}

#[tokio::test]
async fn nobody_else_sees_the_first_post_of_a_new_author_until_it_is_approved() {
    let site = Running::start().await;
    let mut eve = in_charge(&site).await;
    first_posts_wait(&site).await;
    let (mut ada, mut bob, mut reader) = (site.author("ada").await, site.author("bob").await, site.browser());
    let key = Credential::api_key(&site.public_key().await.key);
    let before = site.count("SELECT COUNT(*) FROM events").await;
    let text = [
        ("title", "The heron"),
        ("content", "A *heron* <script>alert(1)</script> stood."),
        ("tags", "marsh"),
    ];
    let sent = ada.submit("/my-posts/new", &text).await;
    assert_eq!(sent.location(), "/my-posts");
    let mine = ada.page("/my-posts").await;
    assert!(mine.text("[role=status]").contains("waits for approval"), "{}", mine.text("main"));
    assert_eq!(mine.text("#waiting"), "Waiting for approval");
    assert!(
        mine.text("section[aria-labelledby=waiting]")
            .contains("Nobody else sees this until whoever runs the site approves it")
    );
    let id = site.text("SELECT id FROM drafts").await;
    assert_eq!(mine.link("The heron"), Some(format!("/my-posts/{id}/edit")));
    assert!(ada.page("/my-posts/drafts").await.text("article").contains("waiting for approval"));
    assert!(ada.page(&format!("/my-posts/{id}/edit")).await.has_button("Do not publish"));

    for client in [&mut reader, &mut bob, &mut eve] {
        assert_eq!(shown(client, "The heron").await, [""; 0]);
        for path in [
            format!("/posts/{id}"),
            "/@ada/the-heron".to_owned(),
            format!("/api/get_post?id={id}"),
            format!("/posts/{id}/report"),
            format!("/my-posts/{id}/edit"),
        ] {
            let answer = client.get(&path).await;
            let sign_in = answer.status == 303 && answer.location().starts_with("/login");
            assert!(answer.status == 404 || sign_in, "{path}: {}", answer.status);
            assert!(!answer.text().contains("The heron"), "{path}");
        }
    }
    for query in ["{ listPosts { items { title } } }", "{ allPosts { nodes { title } } }"] {
        assert!(!site.graphql(&key, query).await.text().contains("The heron"), "{query}");
    }
    assert_eq!(site.count("SELECT COUNT(*) FROM events").await, before, "nobody hears of it");
    assert_eq!(bob.submit(&format!("/admin/posts/{id}/approve"), &[("version", "1")]).await.status, 404);

    assert!(eve.page("/admin").await.text("main").contains("1 waiting for approval"));
    let list = eve.page("/admin/posts/waiting").await;
    assert_eq!(list.texts("article h2"), ["The heron"]);
    let approve = list.link("Read and approve").expect("a way to it");
    let page = eve.page(&approve).await;
    page.assert_harmless("a post that waits");
    assert_eq!(page.text(".prose em"), "heron");
    let version = page.value("version");
    assert_eq!(eve.submit(&approve, &[("version", &version)]).await.location(), "/admin/posts/waiting");
    assert_eq!(eve.page("/admin/posts/waiting").await.count("article"), 0);
    assert_eq!(eve.get(&approve).await.status, 404);

    assert_eq!(shown(&mut reader, "The heron").await, PLACES);
    let page = reader.page("/@ada/the-heron").await;
    assert_eq!(page.text("h1"), "The heron");
    assert_eq!(reader.get(&format!("/posts/{id}")).await.status, 200);
    assert_eq!(ada.page("/my-posts").await.count("#waiting"), 0);
    ada.publish("The second", "At once.").await;
    assert!(reader.get("/").await.text().contains("The second"), "later posts do not wait");
    let audit = eve.page("/admin/audit").await;
    assert!(
        audit.text("main").contains("A post approved by whoever runs the site"),
        "{}",
        audit.text("main")
    );
}

#[tokio::test]
async fn programs_are_answered_as_if_it_were_published_and_a_key_makes_one_post() {
    let site = Running::start().await;
    first_posts_wait(&site).await;
    let ada_in_browser = site.author("ada").await;
    let ada = site.token_of("ada").await;
    let create = r#"mutation { createPost(input: { id: "mine", title: "The heron", content: "Stood." }) { id title content owner createdAt updatedAt } }"#;
    let made = site.graphql(&ada, create).await.json();
    let post = &made["data"]["createPost"];
    assert_eq!(
        (&post["id"], &post["title"], &post["content"], &post["owner"]),
        (&json!("mine"), &json!("The heron"), &json!("Stood."), &json!("ada")),
        "{made}"
    );
    assert!(post["createdAt"].is_string() && made["errors"].is_null(), "{made}");
    let again = site.graphql(&ada, create).await.json();
    assert_eq!(again["errors"][0]["errorType"], "DynamoDB:ConditionalCheckFailedException", "{again}");
    assert_eq!(site.count("SELECT COUNT(*) FROM posts").await, 0);

    let mut script = ada_in_browser.as_script();
    let text = [("title", "The tide"), ("content", "Turns."), ("idempotency_key", "key")];
    let first = script.submit("/api/create_post", &text).await.json();
    assert_eq!(first["status"], "draft");
    assert!(first["waits_since"].is_string(), "{first}");
    assert_eq!(script.submit("/api/create_post", &text).await.json()["id"], first["id"]);
    let other = script.submit("/api/create_post", &[("title", "Other"), ("idempotency_key", "key")]).await;
    assert_eq!(other.status, 422);
    assert_eq!(site.count("SELECT COUNT(*) FROM drafts WHERE waits_since IS NOT NULL").await, 2);
    let gone = site.graphql(&ada, r#"mutation { deletePost(input: { id: "mine" }) { id } }"#).await.json();
    assert!(gone["errors"].is_null(), "{gone}");
    assert_eq!(site.count("SELECT COUNT(*) FROM drafts").await, 1);
}

#[tokio::test]
async fn what_is_published_is_what_was_read() {
    let site = Running::start().await;
    let mut eve = in_charge(&site).await;
    first_posts_wait(&site).await;
    let mut ada = site.author("ada").await;
    ada.submit("/my-posts/new", &[("title", "Harmless"), ("content", "A heron.")]).await;
    let id = site.text("SELECT id FROM drafts").await;
    let approve = format!("/admin/posts/{id}/approve");
    let version = eve.page(&approve).await.value("version");
    let edit = format!("/my-posts/{id}/publish");
    let changed = [("version", "1"), ("title", "Buy cheap tides"), ("content", "Now.")];
    assert_eq!(ada.submit(&edit, &changed).await.location(), "/my-posts", "it goes on waiting");
    let refused = eve.submit(&approve, &[("version", &version)]).await;
    assert_eq!(refused.status, 422);
    assert_eq!(
        refused.page().text("[role=alert] li"),
        "Its author has changed it since you opened it: read it again"
    );
    assert_eq!(refused.page().text("#waiting-title"), "Buy cheap tides");
    assert_eq!(site.count("SELECT COUNT(*) FROM posts").await, 0);

    // Its author takes it back, and it is on no list any more.
    let typed = [("version", "2"), ("title", "Not yet"), ("content", "Typed.")];
    let back = ada.submit(&format!("/my-posts/{id}/unpublish"), &typed).await;
    assert_eq!(back.location(), format!("/my-posts/{id}/edit"));
    assert_eq!(site.text("SELECT title FROM drafts").await, "Not yet", "what was typed is kept");
    assert_eq!(eve.page("/admin/posts/waiting").await.count("article"), 0);
    assert_eq!(eve.submit(&approve, &[("version", "3")]).await.status, 404);
    // Deleted and restored, it is a draft that nobody is asked about.
    ada.submit(&edit, &[]).await;
    assert_eq!(eve.page("/admin/posts/waiting").await.count("article"), 1);
    ada.submit(&format!("/posts/{id}/delete"), &[]).await;
    assert_eq!(eve.page("/admin/posts/waiting").await.count("article"), 0);
    ada.submit(&format!("/my-posts/trash/{id}"), &[]).await;
    assert_eq!(site.count("SELECT COUNT(*) FROM drafts WHERE waits_since IS NULL").await, 1);
    assert_eq!(site.count("SELECT COUNT(*) FROM posts").await, 0);
}

#[tokio::test]
async fn a_post_that_waits_is_hidden_with_a_reason_and_waits_again_when_it_is_restored() {
    let site = Running::start().await;
    let mut eve = in_charge(&site).await;
    first_posts_wait(&site).await;
    let mut ada = site.author("ada").await;
    ada.submit("/my-posts/new", &[("title", "Buy cheap tides"), ("content", "Now.")]).await;
    let id = site.text("SELECT id FROM drafts").await;
    let hide = format!("/admin/posts/{id}/hide");
    assert!(eve.page(&hide).await.text("main").contains("Buy cheap tides"));
    assert_eq!(eve.submit(&hide, &[("reason", "It sells")]).await.location(), "/admin/posts/hidden");
    assert!(ada.page("/my-posts/trash").await.text("main").contains("It sells"));
    assert_eq!(ada.submit(&format!("/my-posts/trash/{id}"), &[]).await.status, 404);
    ada.submit("/my-posts/new", &[("title", "Another"), ("content", "Now.")]).await;
    assert_eq!(site.count("SELECT COUNT(*) FROM posts").await, 0, "who has a hidden post alone is new");
    assert_eq!(eve.submit(&format!("/admin/posts/{id}/restore"), &[]).await.status, 303);
    assert_eq!(eve.page("/admin/posts/waiting").await.count("article"), 2);
    site.tamper("UPDATE users SET locked_at = 1 WHERE username = 'ada'").await;
    assert_eq!(
        eve.page("/admin/posts/waiting").await.count("article"),
        0,
        "nobody asks for who is locked out"
    );
}

#[tokio::test]
async fn who_is_known_or_in_charge_does_not_wait_and_no_switch_publishes_anything() {
    let site = Running::start().await;
    let mut eve = in_charge(&site).await;
    let mut known = site.author("bob").await;
    let early = known.publish("Before", "Text").await;
    first_posts_wait(&site).await;
    let mut reader = site.browser();
    for (client, title) in [(&mut eve, "Of eve"), (&mut known, "Of bob")] {
        client.publish(title, "Text").await;
        assert!(reader.get("/").await.text().contains(title));
    }
    // Taken back and deleted, they still were published.
    known.submit(&format!("/my-posts/{early}/unpublish"), &[]).await;
    assert_eq!(
        known.submit(&format!("/my-posts/{early}/publish"), &[]).await.location(),
        format!("/posts/{early}")
    );

    let mut ada = site.author("ada").await;
    ada.submit("/my-posts/new", &[("title", "Of ada"), ("content", "Text")]).await;
    site.set(SiteSetting::Approval, "none").await;
    assert!(!reader.get("/").await.text().contains("Of ada"), "it goes on waiting");
    assert_eq!(eve.page("/admin/posts/waiting").await.count("article"), 1);
    let id = site.text("SELECT id FROM drafts").await;
    assert_eq!(ada.submit(&format!("/my-posts/{id}/publish"), &[]).await.location(), format!("/posts/{id}"));
    assert!(reader.get("/").await.text().contains("Of ada"), "its author publishes it");
}

#[tokio::test]
async fn a_scheduled_first_post_waits_when_its_time_has_come() {
    let site = Running::start().await;
    let mut eve = in_charge(&site).await;
    first_posts_wait(&site).await;
    let mut ada = site.author("ada").await.as_script();
    let at = clock::now().after(Duration::from_secs(3600)).rfc3339();
    let made =
        ada.submit("/api/create_post", &[("title", "Later"), ("content", "x"), ("publish_at", &at)]).await;
    let id = made.json()["id"].as_str().expect("an id").to_owned();
    assert!(made.json()["waits_since"].is_null());
    assert_eq!(eve.page("/admin/posts/waiting").await.count("article"), 0);
    site.tamper("UPDATE drafts SET publish_at = 1").await;
    scheduled::publish_due(&site.site).await.expect("a look at what is due");
    assert_eq!(site.count("SELECT COUNT(*) FROM posts").await, 0);
    let page = eve.page(&format!("/admin/posts/{id}/approve")).await;
    let version = page.value("version");
    eve.submit(&format!("/admin/posts/{id}/approve"), &[("version", &version)]).await;
    assert_eq!(site.browser().get("/@ada/later").await.status, 200);
}

#[tokio::test]
async fn the_operator_approves_from_the_command_line_while_the_site_runs() {
    let byline = Byline::in_an_empty_folder();
    let served = byline.serve(&["--site-approval", "first-posts"]).await;
    let mut ada = Client::browser(served.address, false);
    ada.sign_up("ada").await;
    let mut script = ada.as_script();
    let made =
        script.submit("/api/create_post", &[("title", "The heron"), ("content", "Stood.")]).await.json();
    let id = made["id"].as_str().expect("an id").to_owned();
    let mut reader = Client::browser(served.address, false);
    assert_eq!(reader.get("/@ada/the-heron").await.status, 404);
    let said = byline.run(&["post", "approve", &id], "").await.succeeded();
    assert!(said.contains("/@ada/the-heron"), "{said}");
    until("readers to see it", async || reader.get("/").await.text().contains("The heron")).await;
    assert_eq!(reader.get("/@ada/the-heron").await.status, 200);
    byline.run(&["post", "approve", &id], "").await.failed_with(&["no post with that id waits for approval"]);
    byline.run(&["user", "create", "bob", "bob@example.org"], PASSWORD).await.succeeded();
    let shown = byline.run(&["site", "show", "approval"], "").await.succeeded();
    assert_eq!(shown, "none\n", "of this command's own settings");
    served.terminate().await;
}
