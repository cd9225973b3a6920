//! Lists of many posts.

use std::collections::BTreeSet;

use crate::support::{Client, Running};

/// A thousand posts of one microsecond, by two authors in turn.
const POSTS: &str = "
    WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < 999)
    INSERT INTO posts (id, owner_id, version, created_at, updated_at, title, excerpt, content)
    SELECT 'post-' || (1000 + (n * 7919) % 1000),
           (SELECT id FROM users WHERE username = CASE n % 2 WHEN 0 THEN 'ada' ELSE 'bob' END),
           1, 1700000000000000, 1700000000000000, 'Post ' || n, '', '' FROM numbers";

/// Follows the links of that text to the end; what each page lists.
async fn walk(reader: &mut Client, start: &str, link: &str) -> (Vec<Vec<String>>, String) {
    let mut path = start.to_owned();
    let mut pages = Vec::new();
    loop {
        let page = reader.page(&path).await;
        pages.push(page.attributes("article h2 a", "href"));
        assert!(pages.len() <= 60, "the links {link:?} go in a circle");
        match page.link(link) {
            Some(next) => path = next,
            None => return (pages, path),
        }
    }
}

#[tokio::test]
async fn a_thousand_posts_of_one_moment_are_each_seen_once_there_and_back() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    site.author("bob").await;
    site.tamper(POSTS).await;
    for (mut reader, path, expected) in
        [(site.browser(), "/", 1000), (ada.clone(), "/", 1000), (ada.with_session_only(), "/my-posts", 500)]
    {
        let (pages, last) = walk(&mut reader, path, "Older posts").await;
        assert_eq!(pages.len(), expected / 20, "{path}");
        let seen: Vec<_> = pages.concat();
        assert_eq!(seen.len(), expected, "{path}");
        assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), expected, "{path} shows each once");
        assert!(seen.is_sorted_by(|one, next| one > next), "{path} has one order");

        let (mut back, first) = walk(&mut reader, &last, "Newer posts").await;
        back.reverse();
        assert_eq!(back, pages, "{path} is the same on the way back");
        let first = reader.page(&first).await;
        assert!(first.link("Older posts").is_some(), "{path} ends where it began");
    }
    ada = site.browser();
    ada.log_in("ada").await;
    let page = ada.page("/my-posts").await;
    let authors: BTreeSet<_> = page.texts("article .author").into_iter().collect();
    assert_eq!(authors, BTreeSet::from(["ada".to_owned()]));
    assert_eq!((page.count("article"), page.attributes("article .actions a", "href").len()), (20, 40));
}

#[tokio::test]
async fn programs_page_by_the_same_cursors() {
    let site = Running::start().await;
    site.author("ada").await;
    site.author("bob").await;
    site.tamper(POSTS).await;
    let mut script = site.script();
    let mut seen = BTreeSet::new();
    let mut path = "/api/list_posts".to_owned();
    loop {
        let page = script.get(&path).await.json();
        for post in page["posts"].as_array().expect("posts") {
            assert!(seen.insert(post["id"].as_str().expect("an id").to_owned()), "{post} came twice");
        }
        match page["older"].as_str() {
            Some(cursor) => path = format!("/api/list_posts?older={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 1000);
}

#[tokio::test]
async fn posts_that_come_and_go_do_not_shift_the_pages_after_them() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    for number in 0..45 {
        ada.publish(&format!("Post {number}"), "").await;
    }
    let mut reader = site.browser();
    let first = reader.page("/").await;
    let second_link = first.link("Older posts").expect("a second page");
    let second = reader.page(&second_link).await.texts("article h2");
    assert_eq!((second[0].as_str(), second[19].as_str()), ("Post 24", "Post 5"));
    ada.publish("New on top", "").await;
    let last_of_first = first.attributes("article h2 a", "href").pop().expect("a post");
    ada.submit(&format!("{last_of_first}/delete"), &[]).await;
    assert_eq!(reader.page(&second_link).await.texts("article h2"), second);
}

#[tokio::test]
async fn a_page_that_is_exactly_full_is_the_last() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    for number in 0..20 {
        ada.publish(&format!("Post {number}"), "").await;
    }
    let page = site.browser().page("/").await;
    assert_eq!((page.count("article"), page.link("Older posts"), page.link("Newer posts")), (20, None, None));
    ada.publish("One more", "").await;
    let older = site.browser().page("/").await.link("Older posts").expect("a second page");
    let page = site.browser().page(&older).await;
    assert_eq!((page.texts("article h2"), page.link("Older posts")), (vec!["Post 0".to_owned()], None));
    let newer = page.link("Newer posts").expect("the way back");
    assert_eq!(site.browser().page(&newer).await.texts("article h2")[0], "One more");
}

#[tokio::test]
async fn a_cursor_that_is_none_is_refused_with_a_page() {
    let site = Running::start().await;
    site.author("ada").await.publish("Title", "").await;
    for query in
        ["older=x", "older=1_", "newer=%3Cscript%3E", "older=1_a&newer=1_a", "older=99999999999999999999_a"]
    {
        let answer = site.browser().get(&format!("/?{query}")).await;
        assert_eq!(answer.status, 400, "{query}");
        answer.page().assert_harmless(query);
    }
    let beyond = site.browser().page("/?older=1_a").await;
    assert_eq!(beyond.link("Go to the newest posts").as_deref(), Some("/"), "an empty page says where to go");
}
