//! Headers that every answer has (security rows X2, X3, S6).

use std::collections::BTreeMap;

use axum::{body::Body, http::Method};

use crate::support::{Answer, Running};

/// One answer of every kind.
async fn every_kind_of_answer(site: &Running) -> Vec<(&'static str, u16, Answer)> {
    let mut ada = site.author("ada").await;
    let post = ada.publish("Title", "Text").await;
    let bob = site.author("bob").await;
    let large = "x".repeat(65 * 1024);
    let delete = |client: &crate::support::Client, path: &str| {
        client.request(Method::DELETE, path).body(Body::empty()).expect("a request")
    };
    let foreign =
        ada.request_of_unknown_origin(Method::POST, "/logout").header("origin", "https://evil.example");
    let foreign = foreign.body(Body::empty()).expect("a request");
    let reader = site.browser();
    let etag = reader.clone().get("/").await.header("etag").to_owned();
    let unchanged = reader.request(Method::GET, "/").header("if-none-match", etag);
    let unchanged = unchanged.body(Body::empty()).expect("a request");
    vec![
        ("a page", 200, reader.clone().get("/").await),
        ("a page that is not kept", 200, reader.clone().get("/login").await),
        ("a page that did not change", 304, reader.clone().send(unchanged).await),
        ("a post", 200, reader.clone().get(&format!("/posts/{post}")).await),
        ("a feed", 200, reader.clone().get("/feed.atom").await),
        ("a feed of nobody", 404, reader.clone().get("/@nobody-at-all/feed.json").await),
        ("a private page", 200, ada.get("/my-posts").await),
        ("a redirect of a page", 303, reader.clone().get("/my-posts").await),
        ("a redirect after a form", 303, reader.clone().log_in("ada").await),
        (
            "a form that came back",
            422,
            reader.clone().submit("/login", &[("identifier", ""), ("password", "")]).await,
        ),
        ("a missing page", 404, reader.clone().get("/nope").await),
        ("a missing asset", 404, reader.clone().get("/assets/nope.js").await),
        ("an asset", 200, reader.clone().get("/pkg/boot.js").await),
        ("another's post", 403, bob.clone().submit(&format!("/posts/{post}/delete"), &[]).await),
        ("another site's request", 403, ada.clone().send(foreign).await),
        ("a wrong method", 405, reader.clone().send(delete(&reader, "/")).await),
        ("a wrong method of a call", 405, reader.as_script().get("/api/create_post").await),
        ("too large a form", 413, reader.clone().submit("/login", &[("identifier", &large)]).await),
        ("too large a call", 413, reader.as_script().submit("/api/log_in", &[("identifier", &large)]).await),
        ("a call", 200, ada.as_script().get("/api/list_posts").await),
        ("a refused call", 401, reader.as_script().get("/api/my_posts").await),
        ("an unreadable call", 400, ada.as_script().post("/api/create_post", "text/plain", "x").await),
        ("the state of health", 200, reader.clone().get("/healthz").await),
    ]
}

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    for (site, https) in [(Running::start().await, false), (Running::start_behind_https().await, true)] {
        for (kind, status, answer) in every_kind_of_answer(&site).await {
            assert_eq!(answer.status, status, "{kind}: {}", answer.text());
            for (name, value) in [
                ("x-content-type-options", "nosniff"),
                ("referrer-policy", "same-origin"),
                ("cross-origin-opener-policy", "same-origin"),
                ("cross-origin-resource-policy", "same-origin"),
            ] {
                assert_eq!(answer.header(name), value, "{kind}: {name}");
            }
            for feature in ["camera=()", "geolocation=()", "microphone=()"] {
                assert!(answer.header("permissions-policy").contains(feature), "{kind}: {feature}");
            }
            let hsts = answer.header("strict-transport-security");
            assert_eq!(hsts.starts_with("max-age="), https, "{kind}: {hsts:?}");
            assert_eq!(answer.header("x-request-id").len(), 16, "{kind} is named");
            assert_policy(kind, answer.header("content-security-policy"));
        }
    }
}

/// Checks that the policy allows only what the site's own files need.
fn assert_policy(kind: &str, policy: &str) {
    let directives: BTreeMap<_, _> =
        policy.split(';').map(str::trim).map(|part| part.split_once(' ').unwrap_or((part, ""))).collect();
    for (name, value) in [
        ("default-src", "'none'"),
        ("base-uri", "'none'"),
        ("frame-ancestors", "'none'"),
        ("form-action", "'self'"),
        ("connect-src", "'self'"),
    ] {
        assert_eq!(directives.get(name), Some(&value), "{kind}: {policy}");
    }
    for name in ["script-src", "style-src"] {
        let sources: Vec<_> = directives.get(name).expect("a directive").split(' ').collect();
        assert!(sources.contains(&"'self'"), "{kind}: {policy}");
        for source in sources {
            let fine = ["'self'", "'wasm-unsafe-eval'"].contains(&source) || source.starts_with("'sha256-");
            assert!(fine, "{kind}: {source} in {policy}");
        }
    }
}

#[tokio::test]
async fn a_file_of_the_site_lets_nothing_be_loaded() {
    let site = Running::start().await;
    let mut reader = site.browser();
    let page = reader.page("/").await;
    for selector in ["link[rel=icon]", "link[rel=stylesheet]", "link[rel=preload]"] {
        let file = reader.get(&page.attribute(selector, "href").expect("an address")).await;
        assert_eq!(file.status, 200, "{selector}");
        assert_eq!(file.header("content-security-policy"), "default-src 'none'", "{selector}");
        assert_eq!(file.header("x-content-type-options"), "nosniff", "{selector}");
    }
}

#[tokio::test]
async fn answers_for_one_person_are_stored_by_no_cache() {
    let site = Running::start().await;
    for (kind, _, answer) in every_kind_of_answer(&site).await {
        let kept_by_all =
            ["a page", "a page that did not change", "a post", "a missing page", "a feed"].contains(&kind);
        let a_file =
            ["an asset", "a missing asset", "the state of health", "a page that is not kept"].contains(&kind);
        if !kept_by_all && !a_file {
            assert_eq!(answer.header("cache-control"), "no-store", "{kind}");
        }
    }
    let mut ada = site.browser();
    ada.log_in("ada").await;
    for path in ["/", "/my-posts", "/my-posts/new", "/nope", "/login"] {
        let answer = ada.get(path).await;
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert_eq!(answer.header("etag"), "", "{path}");
    }
}

#[tokio::test]
async fn a_browser_of_a_reader_is_told_that_it_may_fetch_posts_before_they_are_asked_for() {
    let site = Running::start().await;
    let mut reader = site.browser();
    for page in ["/", "/", "/login"] {
        assert_eq!(
            reader.get(page).await.header("speculation-rules"),
            "\"/speculation-rules.json\"",
            "{page}"
        );
    }
    assert_eq!(reader.get("/feed.atom").await.header("speculation-rules"), "");
    let rules = reader.get("/speculation-rules.json").await;
    assert_eq!((rules.status, rules.header("content-type")), (200, "application/speculationrules+json"));
    let rules = rules.json();
    assert_eq!(rules["prefetch"][0]["where"]["and"][0]["href_matches"], "/@*/*");
}
