//! `/@{username}`: an author, and what they have published.

use crate::support::Running;

#[tokio::test]
async fn a_reader_finds_what_an_author_has_published_and_nothing_else() {
    let site = Running::start().await;
    let (mut ada, mut eve) = (site.author("ada").await, site.author("eve").await);
    for number in 1..=25 {
        ada.publish(&format!("Ada {number}"), "Some words.").await;
        eve.publish(&format!("Eve {number}"), "Other words.").await;
    }
    let mut reader = site.browser();
    let page = reader.page("/@ada").await;
    assert_eq!((page.title().as_str(), page.text("h1").as_str()), ("ada", "ada"));
    let newest: Vec<String> = (6..=25).rev().map(|number| format!("Ada {number}")).collect();
    assert_eq!(page.texts(".entry h2"), newest);
    let older = page.link("Older posts").expect("a link");
    assert!(older.starts_with("/@ada?older="), "{older}");
    let page = reader.page(&older).await;
    assert_eq!(page.texts(".entry h2"), ["Ada 5", "Ada 4", "Ada 3", "Ada 2", "Ada 1"]);
    let newer = page.link("Newer posts").expect("a link");
    assert_eq!(reader.page(&newer).await.texts(".entry h2"), newest);
    let titles = |answer: serde_json::Value| -> Vec<String> {
        let posts = answer["posts"].as_array().expect("posts").clone();
        posts.iter().map(|post| post["title"].as_str().expect("a title").to_owned()).collect()
    };
    let answer = site.script().get("/api/list_posts?author=ada").await;
    assert_eq!(titles(answer.json()), newest);
    assert_eq!(site.script().get("/api/list_posts?author=nobody-here").await.status, 404);
    assert_eq!(reader.get("/@ada?older=x").await.status, 400);
}

#[tokio::test]
async fn the_name_of_an_author_leads_to_their_page() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let id = ada.publish("Hello", "World").await;
    for path in ["/", &format!("/posts/{id}"), "/my-posts", "/@ada"] {
        let page = ada.page(path).await;
        assert_eq!(page.attribute(".meta a.author", "href").as_deref(), Some("/@ada"), "{path}");
    }
    // As people type it.
    assert_eq!(site.browser().get("/@Ada").await.location(), "/@ada");
    assert_eq!(site.browser().get("/posts").await.location(), "/");
}

#[tokio::test]
async fn readers_see_what_an_author_tells_about_themselves() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let page = site.browser().page("/@ada").await;
    assert!(page.text("main").contains("ada has not published anything yet."), "{}", page.text("main"));
    let hostile = "</h1><script>alert(1)</script>";
    let typed = [
        ("display_name", hostile),
        ("about", "</p><img src=x onerror=alert(1)>"),
        ("links", "https://example.org/ada/\nhttp://example.com/?a=%22%3E"),
    ];
    assert_eq!(ada.submit("/account/profile", &typed).await.location(), "/account");
    let page = site.browser().page("/@ada").await;
    page.assert_harmless("a profile");
    assert_eq!(page.text("h1"), hostile);
    assert_eq!(page.text(".handle"), "@ada");
    assert_eq!(page.text(".about"), "</p><img src=x onerror=alert(1)>");
    assert_eq!(page.texts(".author-links a")[0], "example.org/ada");
    let rels = page.attributes(".author-links a", "rel");
    assert!(rels.iter().all(|rel| rel == "me nofollow ugc"), "{rels:?}");
    assert!(page.text("main").contains(&format!("{hostile} has not published anything yet.")));
}

#[tokio::test]
async fn a_name_that_nobody_has_is_not_found() {
    let site = Running::start().await;
    site.author("ada").await;
    for path in ["/@nobody-here", "/@", "/@a", "/@ada@", "/ada", "/@ada%2F", "/@%E2%98%83", "/@ada/posts"] {
        let answer = site.browser().get(path).await;
        assert_eq!((answer.status, answer.page().text("h1").as_str()), (404, "Page not found"), "{path}");
    }
    assert_eq!(site.browser().submit("/@ada", &[("a", "b")]).await.status, 405);
}
