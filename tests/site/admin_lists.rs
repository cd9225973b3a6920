//! What whoever is in charge finds in the long lists of `/admin`.

use crate::{admin::put_in_charge, support::Running};

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
