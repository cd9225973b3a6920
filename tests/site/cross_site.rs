//! Requests that another site makes a browser send (security rows C1, C2).

use axum::{
    body::Body,
    http::{
        HeaderValue, Method, Request,
        header::{CONTENT_TYPE, HOST},
        request::Builder,
    },
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{Answer, Byline, Client, PASSWORD, Running, in_time};

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
        "/admin/settings/logo",
        "/admin/settings/icon/remove",
        "/api/sign_up",
        "/forgot-password",
        "/reset-password",
        "/verify-email",
        "/account/email",
        "/account/email/undo",
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
        "/feed.atom",
        "/feed.json",
        "/@ada/feed.atom",
        "/@nobody-at-all/feed.json",
        "/sitemap.xml",
        "/favicon.ico",
        "/speculation-rules.json",
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
        let name = ada.session_cookie();
        for cookies in [vec![first.to_owned(), second.to_owned()], vec![format!("{first}; {name}={second}")]]
        {
            let request = ada.without_cookies().request(Method::GET, "/api/my_posts");
            let request = cookies
                .iter()
                .fold(request, |request, sid| request.header("cookie", format!("{name}={sid}")));
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

/// A form as sent by `client`, with these header fields besides.
fn form_from(client: &Client, host: Option<&str>, fields: &[(&'static str, &str)]) -> Request<Body> {
    let request = client
        .request_of_unknown_origin(Method::POST, "/my-posts/new")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    let request = fields.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let mut request = request.body("title=Title".into()).expect("a request");
    if let Some(host) = host {
        request.headers_mut().insert(HOST, HeaderValue::from_str(host).expect("a host"));
    }
    request
}

const OWN: (&str, &str) = ("origin", "https://byline.example");
const EVIL: (&str, &str) = ("origin", "https://evil.example");
const SAME_ORIGIN: (&str, &str) = ("sec-fetch-site", "same-origin");

#[tokio::test]
async fn another_scheme_or_port_is_another_site_and_so_is_what_contradicts_itself() {
    let site = Running::start_behind_https().await;
    let ada = site.author("ada").await;
    for fields in [
        &[("origin", "http://byline.example")][..],
        &[("origin", "http://byline.example"), SAME_ORIGIN],
        &[("origin", "https://byline.example:444")],
        &[("origin", "https://byline.example/")],
        &[OWN, EVIL],
        &[EVIL, OWN],
        &[OWN, OWN],
        &[EVIL, SAME_ORIGIN],
        &[("origin", "null"), SAME_ORIGIN],
        &[OWN, ("sec-fetch-site", "cross-site")],
        &[SAME_ORIGIN, ("sec-fetch-site", "cross-site")],
    ] {
        let answer = ada.clone().send(form_from(&ada, None, fields)).await;
        assert_eq!(answer.status, 403, "{fields:?}");
    }
    assert_eq!(site.count("SELECT COUNT(*) FROM posts").await, 0);
}

#[tokio::test]
async fn a_page_of_the_public_url_may_send_its_forms_whatever_host_a_proxy_names() {
    let site = Running::start_behind_https().await;
    let ada = site.author("ada").await;
    let hosts = ["byline.example", "byline.example:443", "BYLINE.Example", "10.0.0.7:3000", "backend"];
    for host in hosts {
        for fields in [&[OWN][..], &[OWN, SAME_ORIGIN], &[("origin", "https://BYLINE.example:443")]] {
            let answer = ada.clone().send(form_from(&ada, Some(host), fields)).await;
            assert_eq!(answer.status, 303, "{fields:?} at {host}: {}", answer.text());
        }
    }
    assert_eq!(site.count("SELECT COUNT(*) FROM posts").await, hosts.len() as i64 * 3);
}

#[tokio::test]
async fn a_foreign_host_name_of_the_site_allows_reading_and_no_writing() {
    let site =
        Running::start_with(|config| config.public_url = "http://byline.example".parse().expect("a URL"))
            .await;
    let ada = site.browser().by_address("http://byline.example");
    let mut signed_in = ada.clone();
    assert_eq!(signed_in.sign_up("ada").await.status, 303);
    for path in ["/", "/healthz", "/livez", "/my-posts"] {
        let mut request = signed_in.request(Method::GET, path).body(Body::empty()).expect("a request");
        request.headers_mut().insert(HOST, HeaderValue::from_static("evil.example"));
        assert_eq!(signed_in.clone().send(request).await.status, 200, "{path}");
    }
    // A name of somebody else's that was made to lead here: for a browser, its pages are of one origin.
    for fields in [
        &[SAME_ORIGIN][..],
        &[("origin", "http://evil.example")],
        &[("origin", "http://evil.example"), SAME_ORIGIN],
    ] {
        let answer = signed_in.clone().send(form_from(&signed_in, Some("evil.example"), fields)).await;
        assert_eq!(answer.status, 403, "{fields:?}");
    }
    assert_eq!(site.count("SELECT COUNT(*) FROM posts").await, 0);
    assert_eq!(signed_in.clone().send(form_from(&signed_in, None, &[SAME_ORIGIN])).await.status, 303);
}

#[tokio::test]
async fn without_a_public_url_the_site_is_whatever_its_browser_calls_it() {
    let byline = Byline::in_an_empty_folder();
    let served = byline.serve(&[]).await;
    let port = served.address.port();
    let browser = Client::browser(served.address, false);
    let mut ada = browser.clone().by_address(&format!("http://localhost:{port}"));
    assert_eq!(ada.sign_up("ada").await.status, 303);
    assert_eq!(ada.signed_in_as().await.as_deref(), Some("ada"));
    for origin in [
        format!("https://localhost:{port}"),
        format!("http://127.0.0.1:{port}"),
        "https://posts.example".to_owned(),
    ] {
        let answer = ada.clone().send(form_from(&ada, None, &[("origin", &origin), SAME_ORIGIN])).await;
        assert_eq!(answer.status, 403, "{origin}");
    }
    let log = served.terminate().await;
    assert!(
        log.contains("https://posts.example") && log.contains("public-url"),
        "the log says what to set: {log}"
    );
}

/// What comes back for a request as it is written here.
async fn raw(site: &Running, request: &str) -> String {
    let mut stream = TcpStream::connect(site.address).await.expect("a connection");
    stream.write_all(request.as_bytes()).await.expect("it is sent");
    let mut answer = String::new();
    in_time("an answer and the end of the connection", stream.read_to_string(&mut answer))
        .await
        .expect("UTF-8");
    answer
}

#[tokio::test]
async fn a_request_names_one_host_and_that_is_one() {
    let site = Running::start().await;
    for (request, status) in [
        ("GET / HTTP/1.1\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a.example\r\nHost: a.example\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\n", 400),
        ("GET / HTTP/1.0\r\nHost: a.example\r\nHost: b.example\r\n", 400),
        ("GET / HTTP/1.1\r\nHost:\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a.example, b.example\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a.example/path\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: ada@a.example\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: http://a.example\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a.example:port\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a.example:65536\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a b\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: é.example\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: [::1\r\n", 400),
        ("GET /livez HTTP/1.1\r\n", 400),
        ("GET / HTTP/1.0\r\n", 200),
        ("GET / HTTP/1.1\r\nHost: a.example\r\n", 200),
        ("GET / HTTP/1.1\r\nHost: a.example:\r\n", 200),
        ("GET / HTTP/1.1\r\nHost: 192.0.2.1:3000\r\n", 200),
        ("GET / HTTP/1.1\r\nHost: [::1]:3000\r\n", 200),
        ("GET / HTTP/1.1\r\nHost: my_backend\r\n", 200),
    ] {
        let answer = raw(&site, &format!("{request}Connection: close\r\n\r\n")).await;
        assert_eq!(answer.split(' ').nth(1), Some(status.to_string().as_str()), "{request:?}: {answer}");
        assert!(answer.contains("x-content-type-options: nosniff"), "{request:?}: {answer}");
    }
}

#[tokio::test]
async fn a_login_at_another_address_is_told_the_right_one() {
    let site = Running::start_behind_https().await;
    site.author("ada").await;
    let address = format!("http://{}", site.address);
    for origin in [address.as_str(), "http://byline.example"] {
        let mut browser = site.browser().by_address(origin);
        let fields = [("identifier", "ada"), ("password", PASSWORD)];
        let answer = browser.submit("/login", &fields).await;
        assert_eq!(answer.status, 403, "by {origin}");
        let said = answer.page().text("main");
        for word in ["https://byline.example", "cookie"] {
            assert!(said.contains(word), "by {origin}: {said}");
        }
        assert_eq!(answer.page().link("https://byline.example").as_deref(), Some("https://byline.example"));
    }
}
