//! The page `/graphiql`, as the site sends it. The browser tests try its functions.

use axum::{
    body::Body,
    http::{Method, header::ACCEPT},
};
use byline::config::{ConflictDetection, SiteSetting};

use crate::support::{Credential, Running};

/// Whether this build has the bundle: without Node there is none.
fn is_built() -> bool {
    byline::assets::built("graphiql.js").is_some()
}

#[tokio::test]
async fn everyone_may_open_graphiql_and_it_says_who_asks() {
    let site = Running::start().await;
    let mut nobody = site.browser();
    let answer = nobody.get("/graphiql").await;
    if !is_built() {
        assert_eq!(answer.status, 404);
        return;
    }
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("cache-control"), "no-store");
    let policy = answer.header("content-security-policy").to_owned();
    assert_eq!(policy, nobody.get("/login").await.header("content-security-policy"), "no exception");
    let page = answer.page();
    page.assert_harmless("GraphiQL");
    assert_eq!(page.title(), "GraphiQL");
    assert_eq!(page.link("Byline").as_deref(), Some("/"));
    assert_eq!(page.link("Log in").as_deref(), Some("/login?next=/graphiql"));
    assert_eq!(page.count("main[data-signed-in]"), 0);

    let named = Running::start_with(|config| config.site.set(SiteSetting::Name, "Marsh <notes>")).await;
    let page = named.browser().page("/graphiql").await;
    page.assert_harmless("a name with markup");
    assert_eq!(page.text("head > title"), "GraphiQL – Marsh <notes>");
    assert_eq!(page.link("Marsh <notes>").as_deref(), Some("/"));

    let page = site.author("ada").await.page("/graphiql").await;
    assert_eq!(page.text(".bar strong"), "ada");
    assert_eq!(page.count("main[data-signed-in]"), 1);
    assert_eq!(page.link("Log in"), None);
}

#[tokio::test]
async fn the_schema_is_for_everyone_as_it_is_in_force() {
    let site = Running::start().await;
    let plain = site.browser().get("/graphiql/schema.graphql").await;
    assert_eq!((plain.status, plain.header("content-type")), (200, "text/plain; charset=utf-8"));
    assert!(plain.text().contains("type Post {") && !plain.text().contains("_version"));
    let site = Running::start_with(|config| config.conflict_detection = ConflictDetection::On).await;
    assert!(site.browser().get("/graphiql/schema.graphql").await.text().contains("_version: Int!"));
}

#[tokio::test]
async fn graphiql_says_who_asks_by_a_token_and_refuses_one_that_does_not_hold() {
    let site = Running::start().await;
    let ada = site.author("ada").await;
    let (key, _) = site.api_key_of(&ada).await;
    let ask = async |by: &Credential| {
        let request = by.request(&site, Method::GET, "/graphiql").header(ACCEPT, "text/html");
        site.exchange(request.body(Body::empty()).expect("a request")).await
    };
    for bad in [Credential::token("a.b.c"), Credential::api_key("byl_wrong"), Credential::token("")] {
        for bad in [bad.clone(), bad.beside(&Credential::session(&ada))] {
            let answer = ask(&bad).await;
            assert_eq!(answer.status, 401, "{}: {}", bad.name, answer.text());
        }
    }
    if is_built() {
        assert_eq!(ask(&site.token_of("ada").await).await.page().text(".bar strong"), "ada");
        assert_eq!(ask(&key).await.page().link("Log in").as_deref(), Some("/login?next=/graphiql"));
    }
}
