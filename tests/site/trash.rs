//! Deleted posts, which their authors can restore for 30 days.

use futures::future::join;
use serde_json::{Value, json};

use byline::posts::domain::trash;

use crate::support::{Answer, Client, Running};

async fn delete(client: &mut Client, id: &str) -> Answer {
    client.submit(&format!("/posts/{id}/delete"), &[]).await
}

async fn restore(client: &mut Client, id: &str) -> Answer {
    client.submit(&format!("/my-posts/trash/{id}"), &[]).await
}

async fn titles(client: &mut Client, path: &str) -> Vec<String> {
    client.page(path).await.texts(".entry h2")
}

#[tokio::test]
async fn an_author_restores_a_deleted_post_with_its_address_and_its_place() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let id = ada.publish("First", "Some *words*.").await;
    ada.publish("Second", "").await;
    let path = format!("/posts/{id}");
    let before = site.stored_post(&id).await.expect("a post");
    let answer = delete(&mut ada, &id).await;
    assert_eq!(answer.location(), "/my-posts");
    let page = ada.page("/my-posts").await;
    assert!(
        page.text(".notice[role=status]").contains("The post is deleted."),
        "{}",
        page.text(".notice[role=status]")
    );
    assert!(page.text(".undo").contains("First") && page.has_button("Undo"));
    assert_eq!(site.browser().get(&path).await.status, 404);
    assert_eq!(titles(&mut ada, "/my-posts").await, ["Second"]);
    assert!(!ada.page("/my-posts").await.has_button("Undo"), "once, with the notice");
    let page = ada.page("/my-posts/trash").await;
    assert_eq!(page.texts(".entry h2"), ["First"]);
    assert!(page.has_button("Restore"));

    let answer = restore(&mut ada, &id).await;
    assert_eq!((answer.status, answer.location()), (303, path.as_str()));
    assert_eq!(ada.page(&path).await.text(".notice[role=status]"), "The post is published again.");
    let page = site.browser().page(&path).await;
    assert_eq!((page.text("h1").as_str(), page.text(".prose em").as_str()), ("First", "words"));
    assert_eq!(titles(&mut site.browser(), "/").await, ["Second", "First"]);
    assert_eq!(titles(&mut ada, "/my-posts/trash").await, [] as [&str; 0]);
    let after = site.stored_post(&id).await.expect("a post");
    // The deletion raised it, too.
    assert_eq!(after.version, before.version + 2);
    assert_eq!(site.count("SELECT COUNT(*) FROM posts WHERE created_at < updated_at").await, 1);
    assert_eq!(site.count("SELECT COUNT(*) FROM deleted_posts").await, 0);
    assert_eq!(restore(&mut ada, &id).await.location(), path, "sent twice");
    assert_eq!(site.count("SELECT COUNT(*) FROM posts").await, 2);
}

#[tokio::test]
async fn nobody_sees_or_restores_what_another_has_deleted() {
    let site = Running::start().await;
    let (mut ada, mut eve) = (site.author("ada").await, site.author("eve").await);
    let id = ada.publish("Mine", "").await;
    delete(&mut ada, &id).await;
    let before = site.dump().await;
    assert!(eve.page("/my-posts/trash").await.text("main").contains("Your trash is empty."));
    assert_eq!(restore(&mut eve, &id).await.status, 404);
    let log_in = format!("/login?next=/my-posts/trash/{id}");
    assert_eq!(restore(&mut site.browser(), &id).await.location(), log_in);
    assert_eq!(site.browser().get("/my-posts/trash").await.location(), "/login?next=/my-posts/trash");
    assert_eq!(site.script().submit("/api/restore_post", &[("id", &id)]).await.status, 401);
    assert_eq!(site.dump().await, before);
}

#[tokio::test]
async fn after_thirty_days_a_deleted_post_is_gone() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let id = ada.publish("Old", "").await;
    delete(&mut ada, &id).await;
    let days = |days: i64| format!("UPDATE trashed_posts SET trashed_at = trashed_at - {days} * 86400000000");
    site.tamper(&days(29)).await;
    assert_eq!(titles(&mut ada, "/my-posts/trash").await, ["Old"]);
    site.tamper(&days(1)).await;
    assert_eq!(titles(&mut ada, "/my-posts/trash").await, [] as [&str; 0]);
    assert_eq!(restore(&mut ada, &id).await.status, 404);
    assert_eq!(site.count("SELECT COUNT(*) FROM trashed_posts").await, 1);
    site.site
        .database
        .write((), |db, ()| Box::pin(async move { trash::forget_old(db).await }))
        .await
        .expect("it is forgotten");
    assert_eq!(site.count("SELECT COUNT(*) FROM trashed_posts").await, 0);
}

#[tokio::test]
async fn a_restored_post_gets_another_address_if_its_own_was_taken() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let id = ada.publish("Mine", "First words").await;
    delete(&mut ada, &id).await;
    let program = site.token_of("ada").await;
    let query = "mutation M($input: CreatePostInput!) { createPost(input: $input) { id } }";
    let input = json!({ "input": { "id": id, "title": "By a program" } });
    let made: Value = site.graphql_with(&program, query, input).await.json();
    assert_eq!(made["data"]["createPost"]["id"], Value::String(id.clone()), "{made}");
    let answer = restore(&mut ada, &id).await;
    assert_eq!(answer.status, 303);
    assert_ne!(answer.location(), format!("/posts/{id}"));
    assert_eq!(site.browser().page(answer.location()).await.text("h1"), "Mine");
    assert_eq!(site.browser().page(&format!("/posts/{id}")).await.text("h1"), "By a program");
    assert_eq!(site.count("SELECT COUNT(*) FROM trashed_posts").await, 0);
}

#[tokio::test]
async fn a_post_that_is_restored_twice_at_once_is_there_once() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let id = ada.publish("Mine", "Words").await;
    delete(&mut ada, &id).await;
    let (mut one, mut other) = (ada.clone(), ada.clone());
    let (one, other) = join(restore(&mut one, &id), restore(&mut other, &id)).await;
    for answer in [&one, &other] {
        assert_eq!((answer.status, answer.location()), (303, format!("/posts/{id}").as_str()));
    }
    assert_eq!(site.count("SELECT COUNT(*) FROM posts").await, 1);
    assert_eq!(site.count("SELECT COUNT(*) FROM trashed_posts").await, 0);
}
