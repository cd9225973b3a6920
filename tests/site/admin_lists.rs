//! What whoever is in charge finds in the long lists of `/admin`.

use byline::{
    accounts::domain::{
        Login,
        running::{self, InCharge},
    },
    username::Username,
};

use crate::{
    admin::put_in_charge,
    support::{Running, until},
};

#[tokio::test]
async fn whoever_is_in_charge_reads_every_reported_post_page_by_page() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    put_in_charge(&site, "ada").await;
    let mut bob = site.author("bob").await;
    for number in 0..52 {
        bob.publish(&format!("Post {number}"), "Text").await;
    }
    // All at the same time, so that the place in the list is more than a time.
    for network in ["192.0.2.1", "192.0.2.2"] {
        site.tamper(&format!(
            "INSERT INTO reports (id, post_id, reason, detail, network, created_at)
             SELECT '{network}' || id, id, 'spam', '', '{network}', 5 FROM posts"
        ))
        .await;
    }
    let first = ada.page("/admin/reports").await;
    let mut titles = first.texts("article h2");
    assert_eq!(titles.len(), 50);
    assert_eq!(first.count("article .activity li"), 100, "every report of each");
    let more = first.link("More reported posts").expect("a way to the rest");
    let second = ada.page(&more).await;
    assert_eq!(second.count("article h2"), 2);
    assert_eq!(second.link("More reported posts"), None);
    titles.extend(second.texts("article h2"));
    titles.sort_unstable();
    titles.dedup();
    assert_eq!(titles.len(), 52, "none is left out, and none comes twice");

    // What stands on the second page is settled by the same link.
    let settle = second.link("Nothing to do").expect("a way to settle it");
    assert_eq!(ada.get(&settle).await.status, 200);
    assert_eq!(ada.submit(&settle, &[]).await.status, 303);
    assert_eq!(ada.page(&more).await.count("article h2"), 1);
    assert_eq!(site.count("SELECT COUNT(*) FROM reports WHERE settled_at IS NOT NULL").await, 2);
    assert_eq!(ada.get(&settle).await.status, 404, "nothing of it is open any more");
    // A place that was not written by this site begins at the top.
    assert_eq!(ada.page("/admin/reports?before=x&post=%27").await.count("article h2"), 50);
}

#[tokio::test]
async fn whoever_is_in_charge_reads_every_hidden_post_page_by_page() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    put_in_charge(&site, "ada").await;
    let mut bob = site.author("bob").await;
    for number in 0..52 {
        bob.publish(&format!("Post {number}"), "Text").await;
    }
    // All at the same time, so that the place in the list is more than a time.
    site.tamper(
        "INSERT INTO trashed_posts (id, owner_id, version, created_at, trashed_at, title, content, slug, tags, language, hidden_reason)
         SELECT id, owner_id, version, created_at, 5, title, content, slug, tags, language, 'Spam' FROM posts",
    )
    .await;
    site.tamper("DELETE FROM posts").await;
    let first = ada.page("/admin/posts/hidden").await;
    let mut titles = first.texts("article h2");
    assert_eq!(titles.len(), 50);
    let more = first.link("More hidden posts").expect("a way to the rest");
    let second = ada.page(&more).await;
    assert_eq!(second.link("More hidden posts"), None);
    titles.extend(second.texts("article h2"));
    titles.sort_unstable();
    titles.dedup();
    assert_eq!(titles.len(), 52, "none is left out, and none comes twice");

    let restore = second.link("Restore").expect("a way to restore it");
    assert!(ada.page(&restore).await.text("main").contains("Spam"));
    assert_eq!(ada.submit(&restore, &[]).await.status, 303);
    assert_eq!(ada.page(&more).await.count("article h2"), 1);
    assert_eq!(site.count("SELECT COUNT(*) FROM posts").await, 1);
    assert_eq!(ada.get(&restore).await.status, 404, "it is hidden no more");
    // A place that was not written by this site begins at the top.
    assert_eq!(ada.page("/admin/posts/hidden?before=x&post=%27").await.count("article h2"), 50);
}

#[tokio::test]
async fn whoever_is_in_charge_reads_what_was_done_to_an_account_before_it_was_renamed() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    put_in_charge(&site, "ada").await;
    site.author("bob").await;
    site.author("carla").await;
    assert_eq!(ada.submit("/admin/accounts/bob/lock", &[]).await.status, 303);
    assert_eq!(ada.submit("/admin/accounts/carla/lock", &[]).await.status, 303);
    let by = InCharge::at_the_command_line();
    let bob = Login::parse("bob").expect("a login");
    running::rename(&site.site, &by, &bob, Username::parse("robert").expect("a name"))
        .await
        .expect("renamed");
    assert_eq!(ada.submit("/admin/accounts/robert/unlock", &[]).await.status, 303);
    let rows = "SELECT COUNT(*) FROM audit WHERE kind IN ('locked', 'unlocked', 'renamed') AND username =";
    assert_eq!(site.count(&format!("{rows} 'bob'")).await, 1, "a row keeps the name of then");
    assert_eq!(site.count(&format!("{rows} 'robert'")).await, 2);

    let activity = ada.page("/admin/accounts/robert").await.text("main");
    for words in ["Account made", "Locked by", "Unlocked by", "Username changed by"] {
        assert!(activity.contains(words), "{words}: {activity}");
    }
    // Either name finds all of it, and leads to the account of now.
    for name in ["bob", "robert"] {
        let log = ada.page(&format!("/admin/audit?q={name}")).await;
        let said = log.text(".activity");
        for words in ["bob: Locked by", "robert: Unlocked by", "robert: Username changed by"] {
            assert!(said.contains(words), "{name}, {words}: {said}");
        }
        assert!(!said.contains("carla"), "nobody else's: {said}");
        for link in log.attributes(".activity a", "href") {
            assert_eq!(link, "/admin/accounts/robert", "{name}");
        }
    }
    assert_eq!(ada.page("/admin/audit").await.link("bob").as_deref(), Some("/admin/accounts/robert"));

    // Of an account that is gone there is the name, and no link that leads nowhere.
    let deleted = ada.submit("/admin/accounts/carla/delete", &[("posts", "delete")]).await;
    assert_eq!(deleted.status, 303, "{}", deleted.text());
    until("the account to be gone", async || {
        site.count("SELECT COUNT(*) FROM users WHERE username = 'carla'").await == 0
    })
    .await;
    let log = ada.page("/admin/audit?q=carla").await;
    assert!(log.text(".activity").contains("carla: Locked by"), "{}", log.text(".activity"));
    assert_eq!(log.link("carla"), None);
}

#[tokio::test]
async fn whoever_asks_for_a_wave_reads_what_is_wrong_at_the_field_where_it_is_wrong() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    put_in_charge(&site, "ada").await;
    let page = ada.page("/admin/sweeps").await;
    assert!(page.text("#minutes-hint").contains("which is a week"), "{}", page.text("#minutes-hint"));
    assert_eq!(page.count(".error-summary"), 0);
    for minutes in ["abc", "0", "10081"] {
        let page = ada.page(&format!("/admin/sweeps?network=192.0.2.7&minutes={minutes}")).await;
        page.assert_problem("minutes", "Enter a whole number of minutes from 1 to 10080, which is a week");
        assert_eq!(page.count("#network-error"), 0, "{minutes}");
        assert_eq!(page.value("minutes"), minutes, "what was typed is still there");
    }
    let page = ada.page("/admin/sweeps?network=%22%3E&minutes=0").await;
    assert_eq!(page.count("#network-error"), 1);
    assert_eq!(page.count("#minutes-error"), 1, "both are told at once");
    page.assert_harmless("a network that is none");
    let page = ada.page("/admin/sweeps?network=10.0.0.0%2F8&minutes=60").await;
    assert_eq!(page.count("#network-error"), 1);
    assert_eq!(page.count("#minutes-error"), 0);
}

#[tokio::test]
async fn whoever_sweeps_a_large_wave_reads_how_many_accounts_are_left_for_the_next_sweep() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    put_in_charge(&site, "ada").await;
    site.tamper(
        "INSERT INTO users (id, username, email, password_hash, created_at)
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 502)
         SELECT 'wave' || n.i, 'wave' || n.i, 'wave' || n.i || '@example.org', '', a.created_at
         FROM n CROSS JOIN (SELECT created_at FROM users WHERE username = 'ada') a",
    )
    .await;
    site.tamper(
        "INSERT INTO audit (at, kind, user_id, username, credential, address, user_agent, request_id, detail)
         SELECT created_at, 'signed_up', id, username, '', '192.0.2.7', '', '', ''
         FROM users WHERE username LIKE 'wave%'",
    )
    .await;
    let asked = "/admin/sweeps?network=192.0.2.7&minutes=60";
    let page = ada.page(asked).await;
    assert_eq!(page.text("#preview"), "The newest 500 of 502 accounts, with 0 posts");
    assert_eq!(page.count("input[name='names[]']"), 500);
    assert!(page.text("main").contains("ask again for the next"), "{}", page.text("main"));

    // When the first 500 are locked, the other two are listed.
    site.tamper(
        "UPDATE users SET locked_at = created_at
         WHERE username LIKE 'wave%' AND username NOT IN ('wave1', 'wave2')",
    )
    .await;
    let page = ada.page(asked).await;
    assert_eq!(page.text("#preview"), "2 accounts with 0 posts");
    assert!(!page.text("main").contains("ask again for the next"), "{}", page.text("main"));

    site.tamper("UPDATE users SET locked_at = created_at WHERE username LIKE 'wave%'").await;
    let page = ada.page(asked).await;
    assert_eq!(page.count("#preview"), 0);
    assert!(page.text(".empty").contains("Accounts that are locked already"), "{}", page.text(".empty"));
}
