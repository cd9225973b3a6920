//! Missing pages, and requests that are not allowed.

use axum::{body::Body, http::Method};

use crate::support::Running;

#[tokio::test]
async fn what_is_not_there_gets_a_page_that_says_so() {
    let site = Running::start().await;
    let ada = site.author("ada").await;
    for path in [
        "/nope",
        "/posts/",
        "/posts/nope",
        "/posts/nope/delete/x",
        "/posts/%3Cscript%3E",
        "/posts/%00",
        "/my-posts/nope/x",
        "/api",
        "/api/x/y",
        "/.env",
        "/index.html",
        "/wp-login.php",
    ] {
        for mut reader in [site.browser(), ada.clone()] {
            let answer = reader.get(path).await;
            assert_eq!(answer.status, 404, "{path}");
            assert!(answer.header("content-type").starts_with("text/html"), "{path}");
            let page = answer.page();
            assert_eq!(page.texts("main h1"), ["Page not found"], "{path}");
            assert_eq!(page.link("All posts").as_deref(), Some("/"), "{path} says where to go on");
            page.assert_harmless(path);
        }
    }
    for path in ["/my-posts/nope/edit", "/posts/nope/delete"] {
        assert_eq!(ada.clone().get(path).await.status, 404, "{path}");
    }
    for path in ["/api/nope", "/api/create_post/", "/api/get_post?id=nope"] {
        let answer = site.script().get(path).await;
        assert_eq!(answer.status, 404, "{path}");
    }
    for path in ["/assets/nope.js", "/pkg/nope.js"] {
        assert_eq!(site.browser().get(path).await.status, 404, "{path}");
    }
    // No path of any site, or one that leads elsewhere: refused at the door (security row L8).
    for path in ["/posts/%ff", "/assets/..%2f..%2fCargo.toml", "/pkg/../Cargo.toml"] {
        assert_eq!(site.browser().get(path).await.status, 400, "{path}");
    }
}

#[tokio::test]
async fn a_wrong_method_is_told_which_ones_go() {
    let site = Running::start().await;
    let ada = site.author("ada").await;
    let (read, write, form) = (&["GET", "HEAD"][..], &["POST"][..], &["GET", "HEAD", "POST"][..]);
    for (method, path, allowed) in [
        (Method::POST, "/", read),
        (Method::DELETE, "/posts/nope", read),
        (Method::PUT, "/my-posts", read),
        (Method::POST, "/healthz", read),
        (Method::POST, "/pkg/boot.js", read),
        (Method::POST, "/api/list_posts", read),
        (Method::POST, "/api/get_post", read),
        (Method::GET, "/api/create_post", write),
        (Method::GET, "/api/log_out", write),
        (Method::PUT, "/api/update_post", write),
        (Method::DELETE, "/api/delete_post", write),
        (Method::PUT, "/login", form),
        (Method::DELETE, "/signup", form),
        (Method::PATCH, "/my-posts/new", form),
        (Method::PUT, "/my-posts/nope/edit", form),
        (Method::DELETE, "/posts/nope/delete", form),
    ] {
        for client in [ada.clone(), ada.as_script()] {
            let request = client.request(method.clone(), path).body(Body::empty()).expect("a request");
            let answer = client.clone().send(request).await;
            assert_eq!(answer.status, 405, "{method} {path}");
            let mut allow: Vec<_> = answer.header("allow").split(',').map(str::trim).collect();
            allow.sort_unstable();
            assert_eq!(allow, allowed, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn asking_for_the_head_alone_brings_no_body() {
    let site = Running::start().await;
    site.author("ada").await.publish("Title", "Text").await;
    for path in ["/", "/login", "/nope", "/healthz", "/api/list_posts"] {
        for client in [site.browser(), site.script()] {
            let whole = client.clone().get(path).await;
            let request = client.request(Method::HEAD, path).body(Body::empty()).expect("a request");
            let head = client.clone().send(request).await;
            assert_eq!((head.status, head.body.len()), (whole.status, 0), "{path}");
            assert_eq!(head.header("content-type"), whole.header("content-type"), "{path}");
        }
    }
}

#[tokio::test]
async fn healthz_says_whether_the_database_can_be_read() {
    let site = Running::start().await;
    let answer = site.browser().get("/healthz").await;
    assert_eq!((answer.status, answer.text()), (200, "ok\n"));
    site.site.database.close().await;
    assert_eq!(site.browser().get("/healthz").await.status, 503);
}
