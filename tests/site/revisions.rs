//! The versions of a post, for its author.

use serde_json::json;

use byline::posts::domain::revisions;

use crate::support::{Client, Running};

async fn edit(client: &mut Client, id: &str, version: usize, title: &str, content: &str) {
    let version = version.to_string();
    let fields = [("version", version.as_str()), ("title", title), ("content", content)];
    assert_eq!(client.submit(&format!("/my-posts/{id}/edit"), &fields).await.status, 303);
}

#[tokio::test]
async fn an_author_sees_what_changed_and_takes_an_earlier_version_back() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let id = ada.publish("Title", "The quick brown fox.").await;
    let page = format!("/my-posts/{id}/revisions");
    assert_eq!(ada.page(&page).await.count(".versions li"), 1);
    edit(&mut ada, &id, 1, "Title", "The quick red fox.").await;
    edit(&mut ada, &id, 2, "New title", "The quick red fox.\n\nMore.").await;
    let list = ada.page(&page).await;
    assert_eq!(list.count(".versions li"), 3);
    assert!(list.has_button("Restore this version"));
    let compared = ada.page(&format!("{page}?version=1")).await;
    assert_eq!(compared.texts(".difference mark"), ["brown", "red", "More."]);
    assert!(compared.text(".difference").contains("Title: Title New title"));
    assert_eq!(ada.page(&format!("{page}?version=3")).await.count(".difference mark"), 0);
    for nothing in ["?version=9", "?version=x"] {
        assert_eq!(ada.get(&format!("{page}{nothing}")).await.status, 404, "{nothing}");
    }

    let answer = ada.submit(&page, &[("version", "1")]).await;
    assert_eq!((answer.status, answer.location()), (303, format!("/posts/{id}").as_str()));
    let stored = site.stored_post(&id).await.expect("a post");
    assert_eq!(
        (stored.title.as_str(), stored.content.as_str(), stored.version),
        ("Title", "The quick brown fox.", 4)
    );
    assert_eq!(site.browser().page("/@ada/title").await.text(".prose p"), "The quick brown fox.");
    assert_eq!(ada.page(&page).await.count(".versions li"), 4, "what it replaced is kept too");
    // Sent twice, it is the same version.
    ada.submit(&page, &[("version", "1")]).await;
    assert_eq!(site.stored_post(&id).await.expect("a post").version, 4);
}

#[tokio::test]
async fn nobody_else_sees_or_restores_a_version() {
    let site = Running::start().await;
    let (mut ada, bob) = (site.author("ada").await, site.author("bob").await);
    let id = ada.publish("Title", "Regretted").await;
    edit(&mut ada, &id, 1, "Title", "Text").await;
    let page = format!("/my-posts/{id}/revisions");
    let before = site.dump().await;
    assert_eq!(bob.clone().get(&page).await.status, 403);
    assert_eq!(bob.clone().get(&format!("{page}?version=1")).await.status, 403);
    assert_eq!(bob.clone().submit(&page, &[("version", "1")]).await.status, 403);
    assert!(site.browser().get(&page).await.location().starts_with("/login"));
    assert_eq!(site.dump().await, before);
    // Whoever gets the post gets its versions.
    let token = site.token_of("ada").await;
    let give = "mutation ($id: ID!) { updatePost(input: { id: $id, owner: \"bob\" }) { owner } }";
    site.graphql_with(&token, give, json!({ "id": id })).await;
    assert_eq!(
        bob.clone().page(&format!("{page}?version=1")).await.texts(".difference del"),
        ["Removed: Regretted"]
    );
    assert_eq!(ada.get(&page).await.status, 403);
}

#[tokio::test]
async fn fifty_versions_of_a_post_are_kept_also_while_it_is_a_draft_or_in_the_trash() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let id = ada.publish("Title", "0").await;
    for version in 1..=60 {
        edit(&mut ada, &id, version, "Title", &version.to_string()).await;
    }
    let kept = i64::try_from(revisions::KEPT).expect("a number");
    assert_eq!(site.count("SELECT COUNT(*) FROM revisions").await, kept);
    assert_eq!(site.count("SELECT COUNT(*) FROM revisions WHERE version IN (1, 60, 59, 51)").await, 4);
    ada.as_script().submit("/api/unpublish_post", &[("id", &id)]).await;
    let page = format!("/my-posts/{id}/revisions");
    assert_eq!(ada.page(&page).await.count(".versions li"), revisions::KEPT + 1);
    let answer = ada.submit(&page, &[("version", "1")]).await;
    assert_eq!(answer.location(), format!("/my-posts/{id}/edit"));
    assert_eq!(ada.page(&format!("/my-posts/{id}/edit")).await.text("#content"), "0");
    assert_eq!(site.count("SELECT COUNT(*) FROM posts").await, 0, "a draft stays a draft");
    ada.submit(&format!("/posts/{id}/delete"), &[]).await;
    ada.submit(&format!("/my-posts/trash/{id}"), &[]).await;
    assert_eq!(ada.page(&page).await.count(".versions li"), revisions::KEPT + 1);
    let answer = ada.as_script().submit("/api/publish_post", &[("id", &id)]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(ada.page(&page).await.count(".versions li"), revisions::KEPT + 1);
}
