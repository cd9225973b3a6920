//! Requests that another site makes a browser send (security rows C1, C2).

use axum::{
    body::Body,
    http::{Method, Request, header::CONTENT_TYPE, request::Builder},
};

use serde_json::json;

use crate::support::{Answer, Client, Running};

/// A request's headers `origin` and `sec-fetch-site`, where it has them.
type Origin<'a> = (Option<&'a str>, Option<&'a str>);

fn from(request: Builder, (origin, fetch_site): Origin) -> Builder {
    let request = match origin {
        Some(origin) => request.header("origin", origin),
        None => request,
    };
    match fetch_site {
        Some(fetch_site) => request.header("sec-fetch-site", fetch_site),
        None => request,
    }
}

/// Every way to change something, sent by `client` as from `origin`.
fn every_change(client: &Client, post: &str, origin: Origin) -> Vec<(String, Request<Body>)> {
    let form = format!(
        "id={post}&version=1&title=Forged&content=Forged&username=eve&email=eve@example.org\
        &identifier=ada&password=correct+horse+battery+staple"
    );
    [
        "/signup",
        "/login",
        "/logout",
        "/my-posts/new",
        &format!("/my-posts/{post}/edit"),
        &format!("/posts/{post}/delete"),
        "/api/sign_up",
        "/api/log_in",
        "/api/log_out",
        "/api/create_post",
        "/api/update_post",
        "/api/delete_post",
    ]
    .into_iter()
    .flat_map(|path| {
        [client.clone(), client.as_script()].map(|client| {
            let request = from(client.request_of_unknown_origin(Method::POST, path), origin)
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
            (path.to_owned(), request.body(Body::from(form.clone())).expect("a request"))
        })
    })
    .collect()
}

#[tokio::test]
async fn another_site_changes_nothing_with_somebodys_cookie() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let post = ada.publish("Title", "Text").await;
    let (host, port) = (site.address.ip(), site.address.port());
    let other_port = format!("http://{host}:{}", port ^ 1);
    let below = format!("http://evil.{host}:{port}");
    let before = site.dump().await;
    for origin in [
        (Some("https://evil.example"), Some("cross-site")),
        (Some("https://evil.example"), None),
        (Some("null"), Some("cross-site")),
        (Some("null"), None),
        (Some(other_port.as_str()), Some("same-site")),
        (Some(other_port.as_str()), None),
        (Some(below.as_str()), Some("same-site")),
        (Some(below.as_str()), None),
        (None, Some("cross-site")),
        (None, Some("same-site")),
        (None, Some("something-new")),
        (None, None),
        (Some(""), None),
        (None, Some("")),
        (Some("file://"), None),
    ] {
        for (path, request) in every_change(&ada, &post, origin) {
            let answer = ada.clone().send(request).await;
            assert_eq!(answer.status, 403, "POST {path} from {origin:?}: {}", answer.text());
            assert_eq!(answer.cookies().count(), 0, "POST {path} from {origin:?}");
        }
        assert_eq!(site.dump().await, before, "something changed from {origin:?}");
    }
}

#[tokio::test]
async fn another_site_logs_nobody_in() {
    let site = Running::start().await;
    site.author("ada").await;
    let before = site.dump().await;
    for origin in [(Some("https://evil.example"), Some("cross-site")), (Some("null"), None)] {
        for (path, request) in every_change(&site.browser(), "x", origin) {
            assert_eq!(site.browser().send(request).await.status, 403, "POST {path} from {origin:?}");
        }
    }
    assert_eq!(site.dump().await, before);
}

#[tokio::test]
async fn a_page_of_the_site_itself_may_send_its_forms() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let own = format!("http://{}", site.address);
    let of_the_site = [
        (Some(own.as_str()), Some("same-origin")),
        (Some(own.as_str()), None),
        (None, Some("same-origin")),
        (None, Some("none")), // typed by hand, or from a bookmark
    ];
    for origin in of_the_site {
        let request = from(ada.request_of_unknown_origin(Method::POST, "/my-posts/new"), origin)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let answer = ada.send(request.body("title=Title".into()).expect("a request")).await;
        assert_eq!(answer.status, 303, "{origin:?}");
    }
    assert_eq!(site.count("SELECT COUNT(*) FROM posts").await, of_the_site.len() as i64);
}

#[tokio::test]
async fn a_program_without_a_cookie_needs_no_origin() {
    let site = Running::start().await;
    site.author("ada").await;
    let request = site.script().request_of_unknown_origin(Method::POST, "/api/log_in");
    let body = r#"{"identifier": "ada", "password": "correct horse battery staple"}"#;
    let request = request.header(CONTENT_TYPE, "application/json").body(body.into()).expect("a request");
    assert_eq!(site.script().send(request).await.status, 200);
}

#[tokio::test]
async fn a_refused_call_is_told_so_in_json() {
    let site = Running::start().await;
    let ada = site.author("ada").await.as_script();
    for origin in [(None, None), (Some("https://evil.example"), Some("cross-site"))] {
        let request = from(ada.request_of_unknown_origin(Method::POST, "/api/create_post"), origin);
        let answer = ada.clone().send(request.body("title=x".into()).expect("a request")).await;
        assert_eq!((answer.status, answer.header("content-type")), (403, "application/json"), "{origin:?}");
        assert_eq!(answer.code(), "cross_site", "{origin:?}");
    }
}

#[tokio::test]
async fn reading_changes_nothing() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let post = ada.publish("Title", "Text").await;
    let before = site.dump().await;
    let arguments = format!(
        "id={post}&version=1&title=Forged&content=Forged&username=eve&email=eve@example.org\
        &identifier=ada&password=correct+horse+battery+staple"
    );
    let paths = [
        "/",
        "/signup",
        "/login",
        "/logout",
        "/my-posts",
        "/my-posts/new",
        &format!("/my-posts/{post}/edit"),
        &format!("/posts/{post}"),
        &format!("/posts/{post}/delete"),
        "/api/sign_up",
        "/api/log_in",
        "/api/log_out",
        "/api/create_post",
        "/api/update_post",
        "/api/delete_post",
        "/api/list_posts",
        "/api/my_posts",
        "/api/get_post",
        "/api/preview_post",
        "/api/nope",
        "/healthz",
        "/robots.txt",
        "/favicon.ico",
        "/pkg/boot.js",
        "/assets/nope",
        "/nope",
    ];
    for path in paths {
        for client in [ada.clone(), ada.as_script(), site.browser(), site.script()] {
            for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
                let path = format!("{path}?{arguments}");
                let request = client.request(method.clone(), &path).body(Body::empty()).expect("a request");
                let answer = client.clone().send(request).await;
                assert!(answer.status < 500, "{method} {path}: {}", answer.status);
            }
        }
        assert_eq!(site.dump().await, before, "reading {path} changed something");
    }
}

/// Asks the API who asks, with the cookies of a browser.
async fn me(client: &Client, origin: Origin<'_>) -> Answer {
    let request = from(client.request_of_unknown_origin(Method::POST, "/graphql"), origin)
        .header(CONTENT_TYPE, "application/json");
    let body = json!({ "query": "{ me { username } }" }).to_string();
    client.clone().send(request.body(body.into()).expect("a request")).await
}

const OWN_PAGE: Origin<'static> = (None, Some("same-origin"));

#[tokio::test]
async fn a_sibling_host_imposes_no_session_by_a_name_that_is_only_written_like_ours() {
    let site = Running::start_behind_https().await;
    let (ada, mallory) = (site.author("ada").await, site.author("mallory").await);
    let imposed = mallory.cookie("__Host-sid").expect("a session");
    for name in ["__%48ost-sid", "%5F%5FHost-sid", "__Host-si%64", "__HOST-SID", "\u{a0}__Host-sid"] {
        let mut victim = site.browser().with_cookie(name, imposed);
        assert_eq!(victim.signed_in_as().await, None, "{name}");
        assert_eq!(me(&victim, OWN_PAGE).await.status, 401, "{name}");
        let answer = victim.submit("/my-posts/new", &[("title", "Secret")]).await;
        assert_eq!((answer.status, answer.location()), (303, "/login?next=/my-posts/new"), "{name}");

        let mut ada = ada.clone().with_cookie(name, imposed);
        assert_eq!(ada.signed_in_as().await.as_deref(), Some("ada"), "{name}");
        assert_eq!(me(&ada, OWN_PAGE).await.json()["data"]["me"]["username"], "ada", "{name}");
        ada.publish("Title", "").await;
    }
    let owners =
        "SELECT COUNT(*) FROM posts p JOIN users u ON u.id = p.owner_id WHERE u.username = 'mallory'";
    assert_eq!(site.count(owners).await, 0);
}

#[tokio::test]
async fn a_session_cookie_that_is_there_twice_is_none() {
    let site = Running::start().await;
    let (ada, mallory) = (site.author("ada").await, site.author("mallory").await);
    let (sid, imposed) = (ada.sid().expect("a session"), mallory.sid().expect("a session"));
    for (first, second) in [(sid, imposed), (imposed, sid)] {
        // A header of its own, or one more pair of the same header.
        for cookies in [vec![first.to_owned(), second.to_owned()], vec![format!("{first}; sid={second}")]] {
            let request = ada.without_cookies().request(Method::GET, "/api/my_posts");
            let request =
                cookies.iter().fold(request, |request, sid| request.header("cookie", format!("sid={sid}")));
            let answer = site.browser().send(request.body(Body::empty()).expect("a request")).await;
            assert_eq!(answer.status, 401, "{cookies:?}");
        }
    }
}

#[tokio::test]
async fn another_cookie_does_not_hide_the_session_from_the_check_of_the_origin() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let post = ada.publish("Title", "Text").await;
    let before = site.dump().await;
    for value in ["é", "日本", "\u{a0}", "a b", "\"", "%", ""] {
        let ada = ada.clone().with_cookie("x", value);
        for origin in [(Some("https://evil.example"), Some("cross-site")), (None, None), (Some(""), None)] {
            assert_eq!(me(&ada, origin).await.status, 403, "x={value} from {origin:?}");
            for (path, request) in every_change(&ada, &post, origin) {
                let answer = ada.clone().send(request).await;
                assert_eq!(answer.status, 403, "POST {path} with x={value} from {origin:?}");
            }
        }
        assert_eq!(site.dump().await, before, "x={value}");
        assert_eq!(me(&ada, OWN_PAGE).await.json()["data"]["me"]["username"], "ada", "x={value}");
    }
}
