//! What pages of other origins may do at the endpoints that ignore cookies (security
//! row C4): preflights, and every answer.

use axum::{
    body::Body,
    http::{Method, Request},
    middleware::from_fn_with_state,
};
use byline::{
    config::{Config, Origins},
    http::layers::cors,
};

use crate::support::{Answer, Client, Credential, Running, serve_a_panic};

/// With the method of each.
const ENDPOINTS: [(&str, &str); 9] = [
    ("/graphql", "POST"),
    ("/graphql", "GET"),
    ("/cognito", "POST"),
    ("/cognito/", "POST"),
    ("/api/token", "POST"),
    ("/api/token/revoke", "POST"),
    ("/.well-known/jwks.json", "GET"),
    ("/.well-known/openid-configuration", "GET"),
    ("/.well-known/oauth-authorization-server", "GET"),
];

/// What the AWS SDK for JavaScript, version 3, sends to Cognito from a browser.
const OF_THE_SDK: &str = "amz-sdk-invocation-id,amz-sdk-request,content-type,x-amz-target,x-amz-user-agent";

fn listing(origins: &[&str]) -> impl FnOnce(&mut Config) {
    let origins = Origins::parse(&origins.iter().map(ToString::to_string).collect::<Vec<_>>());
    |config| config.cors_origins = origins.expect("origins")
}

async fn preflight(site: &Running, path: &str, headers: &[(&str, &str)]) -> Answer {
    let request = Request::builder().method(Method::OPTIONS).uri(path);
    let request = request.header("host", site.address.to_string());
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    site.exchange(request.body(Body::empty()).expect("a request")).await
}

fn names(answer: &Answer, header: &str) -> Vec<String> {
    answer.header(header).split(',').map(|name| name.trim().to_ascii_lowercase()).collect()
}

#[tokio::test]
async fn a_page_of_another_origin_may_send_whatever_header_it_asks_for() {
    let site = Running::start().await;
    for (path, method) in ENDPOINTS {
        for asked in [OF_THE_SDK, "authorization,x-my-own-header", "x-apollo-operation-name"] {
            let headers = [
                ("origin", "https://app.example"),
                ("access-control-request-method", method),
                ("access-control-request-headers", asked),
            ];
            let answer = preflight(&site, path, &headers).await;
            assert_eq!((answer.status, answer.body.len()), (204, 0), "{path}");
            assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
            assert!(answer.headers.get("access-control-allow-credentials").is_none());
            assert!(answer.headers.get("access-control-allow-private-network").is_none());
            let allowed = names(&answer, "access-control-allow-headers");
            for name in asked.split(',').chain(["authorization", "x-api-key"]) {
                assert!(allowed.contains(&name.to_owned()), "{path}: {name}: {allowed:?}");
            }
            let methods = names(&answer, "access-control-allow-methods");
            assert!(methods.contains(&method.to_ascii_lowercase()), "{path}: {methods:?}");
            let varies = names(&answer, "vary");
            for name in ["origin", "access-control-request-headers"] {
                assert!(varies.contains(&name.to_owned()), "{path}: {varies:?}");
            }
            assert_eq!(answer.header("x-request-id").len(), 16, "it is in the log");
            assert_eq!(answer.header("x-content-type-options"), "nosniff");
        }
    }
    let headers = [
        ("origin", "https://app.example"),
        ("access-control-request-method", "POST"),
        ("access-control-request-private-network", "true"),
    ];
    let answer = preflight(&site, "/graphql", &headers).await;
    assert_eq!(answer.header("access-control-allow-private-network"), "true");
}

#[tokio::test]
async fn what_a_cookie_opens_is_open_to_no_other_origin() {
    let site = Running::start().await;
    for path in ["/", "/login", "/api/create_post", "/account/api/aws-exports.js", "/events", "/nope"] {
        let headers = [
            ("origin", "https://app.example"),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "x-my-own-header"),
        ];
        let answer = preflight(&site, path, &headers).await;
        assert_ne!(answer.status, 204, "{path}");
        for name in ["access-control-allow-origin", "access-control-allow-headers"] {
            assert!(answer.headers.get(name).is_none(), "{path}: {name}");
        }
    }
}

#[tokio::test]
async fn each_listed_origin_is_allowed_as_browsers_write_it() {
    let site = Running::start_with(listing(&[
        "https://*.Example.org",
        "capacitor://localhost",
        "https://app.test:443/",
    ]))
    .await;
    for (origin, is_let_in) in [
        ("https://app.test", true),
        ("https://a.b.example.org", true),
        ("capacitor://localhost", true),
        ("https://example.org", false),
        ("https://evilexample.org", false),
        ("http://localhost", false),
        ("null", false),
    ] {
        let headers = [("origin", origin), ("access-control-request-method", "POST")];
        let asked = preflight(&site, "/cognito", &headers).await;
        let answered = site.graphql(&Credential::none().with("origin", origin), "{ __typename }").await;
        for answer in [asked, answered] {
            let allowed = answer.headers.get("access-control-allow-origin");
            assert_eq!(allowed.map(|allowed| allowed == origin), is_let_in.then_some(true), "{origin}");
            assert!(names(&answer, "vary").contains(&"origin".to_owned()), "{origin}");
        }
    }
}

/// A script that may not read an answer is told of a network that is gone.
#[tokio::test]
async fn a_page_of_another_origin_reads_every_refusal() {
    let site = Running::start().await;
    let elsewhere = Credential::none().with("origin", "https://app.example");
    let post = |path: &str, content_type: &str, body: String| {
        let request = elsewhere.request(&site, Method::POST, path).header("content-type", content_type);
        request.body(Body::from(body)).expect("a request")
    };
    let large = "x".repeat(2 << 20);
    let form = "application/x-www-form-urlencoded";
    let amazon = "application/x-amz-json-1.1";
    let any = |method: Method, path: &str| {
        elsewhere.request(&site, method, path).body(Body::empty()).expect("a request")
    };
    let keyed = elsewhere.clone().with("x-api-key", &site.public_key().await.key);
    let too_large = keyed.request(&site, Method::POST, "/graphql").header("content-type", "application/json");
    for (request, status) in [
        (post("/graphql", "application/json", "{}".to_owned()), 401),
        (too_large.body(Body::from(large.clone())).expect("a request"), 413),
        (any(Method::GET, "/graphql"), 401),
        (any(Method::DELETE, "/graphql"), 405),
        (any(Method::GET, "/graphql/realtime"), 426),
        (post("/cognito", amazon, "{}".to_owned()), 400),
        (any(Method::GET, "/cognito"), 405),
        (post("/api/token", form, String::new()), 400),
        (post("/api/token", form, large), 413),
        (any(Method::GET, "/api/token/revoke"), 405),
        (post("/.well-known/jwks.json", form, String::new()), 405),
    ] {
        let shown = format!("{} {}", request.method(), request.uri());
        let answer = site.exchange(request).await;
        assert_eq!(answer.status, status, "{shown}: {}", answer.text());
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{shown}");
        assert_eq!(answer.header("cross-origin-resource-policy"), "cross-origin", "{shown}");
        let exposed = names(&answer, "access-control-expose-headers");
        for name in ["x-amzn-errortype", "x-amzn-requestid", "etag", "retry-after", "date"] {
            assert!(exposed.contains(&name.to_owned()), "{shown}: {exposed:?}");
        }
    }
    site.site.database.close().await;
    for request in [
        post("/api/token", form, "grant_type=password&username=ada&password=x".to_owned()),
        keyed
            .request(&site, Method::GET, "/graphql?query={__typename}")
            .body(Body::empty())
            .expect("a request"),
    ] {
        // What is believed from memory asks nothing of a database that is away.
        site.site.trust().forget();
        let answer = site.exchange(request).await;
        assert!(answer.status >= 500, "{}", answer.text());
        assert_eq!(answer.header("access-control-allow-origin"), "*");
    }
}

#[tokio::test]
async fn pages_of_other_origins_can_read_answers_of_outer_layers() {
    let site = Running::start().await;
    let share = from_fn_with_state(site.site.clone(), cors::share);
    let (address, _stop) = serve_a_panic(&site, |router| router.layer(share)).await;
    let mut script = Client::browser(address, false).as_script();
    let answer = script.get("/breaks").await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (500, "*"));
}
