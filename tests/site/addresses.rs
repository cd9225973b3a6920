//! Where posts are found: below their author, by their tags, and under every address that
//! they ever had.

use serde_json::json;

use byline::posts::domain::slugs;

use crate::support::{Client, Running};

/// Publishes with tags and an address; the id of the post.
async fn publish(client: &mut Client, fields: &[(&str, &str)]) -> String {
    let answer = client.submit("/my-posts/new", fields).await;
    assert_eq!(answer.status, 303, "{fields:?}: {}", answer.text());
    answer.location().strip_prefix("/posts/").expect("on to the post").to_owned()
}

async fn moved_to(client: &mut Client, path: &str) -> String {
    let answer = client.get_once(path).await;
    assert_eq!(answer.status, 308, "{path}");
    answer.location().to_owned()
}

#[tokio::test]
async fn a_reader_finds_a_post_below_its_author_and_by_its_id() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let post = ada.publish("Hello, Wörld!", "Text").await;
    for mut reader in [site.browser(), ada.clone()] {
        let page = reader.page("/@ada/hello-world").await;
        assert_eq!(page.text("h1"), "Hello, Wörld!");
        for _ in 0..2 {
            assert_eq!(moved_to(&mut reader, &format!("/posts/{post}")).await, "/@ada/hello-world");
        }
        for nothing in ["/@ada/hello", "/@bob/hello-world", "/@ada/Hello-World", "/@ada/hello-world/x"] {
            assert_eq!(reader.get(nothing).await.status, 404, "{nothing}");
        }
    }
    assert_eq!(site.browser().page("/").await.link("Hello, Wörld!").as_deref(), Some("/@ada/hello-world"));
    // From memory too, at the first request and at the next.
    for _ in 0..2 {
        assert_eq!(site.browser().get("/@ada/hello-world").await.header("cache-control"), "public, no-cache");
    }
}

#[tokio::test]
async fn an_author_changes_an_address_and_the_old_one_leads_to_the_new_one_for_ever() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let post = ada.publish("First title", "").await;
    let mut reader = site.browser();
    assert_eq!(reader.page("/@ada/first-title").await.text("h1"), "First title");
    let edit = |version: &str, title: &str, address: &str| {
        [("version", version.to_owned()), ("title", title.to_owned()), ("address", address.to_owned())]
    };
    let save = async |ada: &mut Client, version: &str, title: &str, address: &str| {
        let fields = edit(version, title, address);
        let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
        ada.submit(&format!("/my-posts/{post}/edit"), &fields).await
    };
    // Another title alone moves nothing.
    assert_eq!(save(&mut ada, "1", "Second title", "").await.status, 303);
    assert_eq!(reader.page("/@ada/first-title").await.text("h1"), "Second title");
    for (version, address, slug) in
        [("2", "second", "second"), ("3", "https://byline.example/@ada/Third One/", "third-one")]
    {
        assert_eq!(save(&mut ada, version, "Second title", address).await.status, 303);
        assert_eq!(reader.page(&format!("/@ada/{slug}")).await.text("h1"), "Second title");
    }
    for old in ["first-title", "second"] {
        for reader in [&mut site.browser(), &mut ada] {
            assert_eq!(moved_to(reader, &format!("/@ada/{old}")).await, "/@ada/third-one");
        }
    }
    // An old address stays with its post.
    let another = ada.publish("First title", "").await;
    assert_eq!(site.path_of(&another).await, "/@ada/first-title-2");
    let answer = save(&mut ada, "4", "Second title", "first-title-2").await;
    assert_eq!(answer.status, 422);
    let page = answer.page();
    assert!(page.texts(".error-summary li")[0].contains("Another post of yours"), "{}", page.text("main"));
    assert_eq!(page.value("address"), "first-title-2");
    assert_eq!(site.stored_post(&post).await.expect("a post").version, 4);
    // Its own old one it can have again.
    assert_eq!(save(&mut ada, "4", "Second title", "second").await.status, 303);
    assert_eq!(moved_to(&mut reader, "/@ada/third-one").await, "/@ada/second");
}

#[tokio::test]
async fn posts_with_one_title_have_different_addresses_of_each_author() {
    let site = Running::start().await;
    let (mut ada, mut bob) = (site.author("ada").await, site.author("bob").await);
    let mut paths = Vec::new();
    for _ in 0..12 {
        let post = ada.publish("Weeknotes", "").await;
        paths.push(site.path_of(&post).await);
    }
    assert_eq!(paths[..3], ["/@ada/weeknotes", "/@ada/weeknotes-2", "/@ada/weeknotes-3"]);
    let unique: std::collections::BTreeSet<_> = paths.iter().collect();
    assert_eq!(unique.len(), 12);
    let post = bob.publish("Weeknotes", "").await;
    assert_eq!(site.path_of(&post).await, "/@bob/weeknotes");
    // The address of a deleted post is free for nobody else until it is gone for good.
    ada.submit(
        &format!(
            "/posts/{}/delete",
            site.text("SELECT post_id FROM post_addresses WHERE slug = 'weeknotes-2'").await
        ),
        &[],
    )
    .await;
    let post = ada.publish("Weeknotes 2", "").await;
    assert_eq!(site.path_of(&post).await, "/@ada/weeknotes-2-2");
}

#[tokio::test]
async fn a_post_that_is_handed_on_is_found_below_its_new_owner() {
    let site = Running::start().await;
    let (mut ada, mut bob) = (site.author("ada").await, site.author("bob").await);
    let (post, _) = (ada.publish("Shared", "").await, bob.publish("Shared", "").await);
    let token = site.token_of("ada").await;
    let give = "mutation ($id: ID!) { updatePost(input: { id: $id, owner: \"bob\" }) { owner } }";
    let answer = site.graphql_with(&token, give, json!({ "id": post })).await.json();
    assert_eq!(answer["data"]["updatePost"]["owner"], "bob", "{answer}");
    assert_eq!(site.path_of(&post).await, "/@bob/shared-2");
    for old in ["/@ada/shared".to_owned(), format!("/posts/{post}")] {
        assert_eq!(moved_to(&mut site.browser(), &old).await, "/@bob/shared-2");
    }
}

#[tokio::test]
async fn posts_of_an_older_byline_are_read_by_their_id_until_they_have_an_address() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let posts =
        [ada.publish("Same", "").await, ada.publish("Same", "").await, ada.publish("Привет", "").await];
    site.tamper("UPDATE posts SET slug = ''").await;
    site.tamper("DELETE FROM post_addresses").await;
    let mut reader = site.browser();
    let path = format!("/posts/{}", posts[0]);
    let answer = reader.get_once(&path).await;
    assert_eq!((answer.status, answer.page().text("h1").as_str()), (200, "Same"));
    slugs::backfill(&site.site.database).await.expect("addresses");
    slugs::backfill(&site.site.database).await.expect("nothing to do");
    let mut paths = Vec::new();
    for post in &posts {
        paths.push(site.path_of(post).await);
    }
    paths.sort();
    assert_eq!(paths, ["/@ada/privet", "/@ada/same", "/@ada/same-2"]);
    assert_eq!(reader.page("/@ada/privet").await.text("h1"), "Привет");
}

#[tokio::test]
async fn a_reader_finds_posts_by_their_tags() {
    let site = Running::start().await;
    let (mut ada, mut bob) = (site.author("ada").await, site.author("bob").await);
    let one = publish(&mut ada, &[("title", "One"), ("tags", "#Rust, web Development, C#")]).await;
    publish(&mut bob, &[("title", "Two"), ("tags", "rust")]).await;
    ada.publish("Three", "").await;
    let mut reader = site.browser();
    let titles = async |path: &str| site.browser().page(path).await.texts(".entry h2");
    assert_eq!(titles("/tags/rust").await, ["Two", "One"]);
    assert_eq!(titles("/tags/c%23").await, ["One"]);
    assert_eq!(moved_to(&mut reader, "/tags/Rust").await, "/tags/rust");
    for nothing in ["/tags/none", "/tags/a%2Fb", "/tags/rust,c", "/tags/"] {
        assert_eq!(reader.get(nothing).await.status, 404, "{nothing}");
    }
    let page = reader.page("/@ada/one").await;
    assert_eq!(page.texts(".tag-list a"), ["rust", "web-development", "c#"]);
    assert_eq!(page.attributes(".tag-list a", "href"), ["/tags/rust", "/tags/web-development", "/tags/c%23"]);
    // The feeds of a tag.
    let links = reader.page("/tags/rust").await.attributes("link[rel=alternate]", "href");
    assert_eq!(links, ["/tags/rust/feed.atom", "/tags/rust/feed.json"]);
    for feed in links {
        let answer = reader.get(&feed).await;
        let text = answer.text();
        assert!(text.contains("One") && text.contains("Two") && !text.contains("Three"), "{text}");
    }
    assert_eq!(reader.get("/tags/none/feed.atom").await.status, 404);

    // An edit changes them; without the field they stay.
    let edit = async |ada: &mut Client, fields: &[(&str, &str)]| {
        assert_eq!(ada.submit(&format!("/my-posts/{one}/edit"), fields).await.status, 303, "{fields:?}");
    };
    edit(&mut ada, &[("version", "1"), ("title", "One, again")]).await;
    assert_eq!(titles("/tags/rust").await, ["Two", "One, again"]);
    edit(&mut ada, &[("version", "2"), ("title", "One, again"), ("tags", "go")]).await;
    assert_eq!(titles("/tags/rust").await, ["Two"]);
    assert_eq!(titles("/tags/go").await, ["One, again"]);
    // What is deleted is in no list, and is there again with its tags.
    ada.submit(&format!("/posts/{one}/delete"), &[]).await;
    assert_eq!(reader.get("/tags/go").await.status, 404);
    ada.submit(&format!("/my-posts/trash/{one}"), &[]).await;
    assert_eq!(titles("/tags/go").await, ["One, again"]);

    let answer = ada.submit("/my-posts/new", &[("title", "Bad"), ("tags", "a/b")]).await;
    assert_eq!(answer.status, 422);
    assert_eq!(answer.page().value("tags"), "a/b");
}

#[tokio::test]
async fn lists_of_a_tag_and_of_the_api_go_on_at_a_cursor() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    for number in 0..25 {
        publish(&mut ada, &[("title", &format!("Post {number}")), ("tags", "many")]).await;
    }
    let page = site.browser().page("/tags/many").await;
    assert_eq!(page.count(".entry"), 20);
    let older = page.attribute("a.older", "href").expect("a second page");
    let page = site.browser().page(&older).await;
    assert_eq!(page.texts(".entry h2")[4], "Post 0");
    let newer = page.attribute("a[rel=prev]", "href").expect("a way back");
    assert_eq!(site.browser().page(&newer).await.texts(".entry h2")[0], "Post 24");

    let answer = site.script().get("/api/list_posts?tag=Many").await.json();
    assert_eq!(answer["posts"].as_array().map(Vec::len), Some(20));
    assert_eq!(answer["posts"][0]["tags"], json!(["many"]));
    assert_eq!(answer["posts"][0]["slug"], "post-24");
    let token = site.token_of("ada").await;
    let mut after = serde_json::Value::Null;
    let mut seen = Vec::new();
    loop {
        let query =
            "query ($after: String) { allPosts(first: 10, after: $after, tag: \"many\", author: \"ada\")
            { nodes { title } pageInfo { endCursor hasNextPage } } }";
        let answer = site.graphql_with(&token, query, json!({ "after": after })).await.json();
        let list = &answer["data"]["allPosts"];
        seen.extend(list["nodes"].as_array().expect("posts").iter().map(|post| post["title"].to_string()));
        if list["pageInfo"]["hasNextPage"] != true {
            break;
        }
        after = list["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(seen.len(), 25);
    let query = "{ myPosts(slug: \"post-7\") { nodes { title } } allPosts(slug: \"post-7\", author: \"bob\") { nodes { title } } }";
    let answer = site.graphql(&token, query).await.json();
    assert_eq!(answer["data"]["myPosts"]["nodes"], json!([{ "title": "Post 7" }]));
    assert_eq!(answer["data"]["allPosts"]["nodes"], json!([]));
}

#[tokio::test]
async fn a_text_from_elsewhere_brings_its_title_its_tags_and_its_date() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    ada.publish("Today", "").await;
    let content =
        "---\r\ntitle: \"From: elsewhere\"\r\ntags: [Rust, web]\r\ndate: 2019-05-04\r\n---\r\n\r\nText.";
    let answer = ada.submit("/my-posts/new", &[("title", ""), ("content", content), ("tags", "")]).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    let page = site.browser().page("/@ada/from-elsewhere").await;
    assert_eq!((page.text("h1").as_str(), page.text(".prose").trim()), ("From: elsewhere", "Text."));
    assert_eq!(page.texts(".tag-list a"), ["rust", "web"]);
    assert!(page.text(".meta").contains("4 May 2019"), "{}", page.text(".meta"));
    assert_eq!(site.browser().page("/").await.texts(".entry h2"), ["Today", "From: elsewhere"]);
    // What is typed counts before it, and a program of Amplify sends a text as it is.
    ada.submit("/my-posts/new", &[("title", "Typed"), ("content", content), ("tags", "own")]).await;
    assert_eq!(site.browser().page("/@ada/typed").await.texts(".tag-list a"), ["own"]);
    let token = site.token_of("ada").await;
    let create = "mutation ($content: String) { createPost(input: { title: \"As it is\", content: $content }) { content } }";
    let sent = content.replace("\r\n", "\n");
    let answer = site.graphql_with(&token, create, json!({ "content": sent })).await.json();
    assert_eq!(answer["data"]["createPost"]["content"], sent);
}
