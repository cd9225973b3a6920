//! Headers that every answer carries, and the refusal of foreign requests.

use axum::{
    body::Body,
    extract::{Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
        header::{
            ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, COOKIE, Entry, HOST, ORIGIN,
            REFERRER_POLICY, RETRY_AFTER, STRICT_TRANSPORT_SECURITY, WWW_AUTHENTICATE,
            X_CONTENT_TYPE_OPTIONS,
        },
    },
    middleware::Next,
    response::Response,
};
use tower_http::csrf::{CsrfLayer, ProtectionError};

use super::{Site, assets, forms::Notice, pages::wants_html};
use crate::{credentials::cookie_name, error::AppError};

/// Carries an API key.
pub const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
/// What a browser says about where a request comes from (W3C Fetch Metadata).
pub const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// The kind of an error, for clients of AWS.
pub const X_AMZN_ERRORTYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// Security row X2. Pages carry no inline script and no inline style, so no
/// nonce and no hash is needed, and one policy fits cached pages as well.
/// `wasm-unsafe-eval` lets the islands' module be compiled.
const CSP: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
    img-src 'self' data: https:; connect-src 'self'; font-src 'self'; manifest-src 'self'; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Security row X3. `same-origin` rather than `no-referrer`: servers that
/// check where a form came from keep working.
const FIXED: [(HeaderName, &str); 6] = [
    (CONTENT_SECURITY_POLICY, CSP),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

/// What a client learns whose access token or API key does not hold (RFC 6750 3.1).
pub const BAD_TOKEN: HeaderValue = HeaderValue::from_static("Bearer error=\"invalid_token\"");

/// Two years, the least that browsers' preload lists take.
const HSTS: &str = "max-age=63072000; includeSubDomains";

/// Adds the security headers. What is there already stays: some answers are
/// for other origins (`cors`).
pub fn secure(headers: &mut HeaderMap, https: bool) {
    for (name, value) in FIXED {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if https {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(HSTS));
    }
}

/// Refuses unsafe methods from other sites: by `Sec-Fetch-Site`, else by
/// `Origin` against `Host`. Goes inside [`refuse_foreign`], which words the refusal.
pub fn compare_origin() -> CsrfLayer {
    CsrfLayer::new()
}

/// Security row C1, for every unsafe method. [`compare_origin`] lets a request
/// pass that names no origin at all, since programs send none; with a session
/// cookie it must name one.
pub async fn refuse_foreign(State(site): State<Site>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let html = wants_html(headers);
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    // An empty value names nothing.
    let named =
        [ORIGIN, SEC_FETCH_SITE].iter().any(|name| headers.get(name).is_some_and(|value| !value.is_empty()));
    if !safe && !named && has_cookie(headers, cookie_name(site.public_url.is_https())) {
        return refusal(&AppError::CrossSite, html);
    }
    let response = next.run(request).await;
    match response.extensions().get::<ProtectionError>() {
        Some(_) => refusal(&AppError::CrossSite, html),
        None => response,
    }
}

/// Whether a request comes from a page of this site, by the browser's word:
/// `Sec-Fetch-Site`, else `Origin` against `Host`. For what [`compare_origin`]
/// lets pass because it is a GET: the opening of a WebSocket (security row C2).
#[must_use]
pub fn from_own_page(headers: &HeaderMap) -> bool {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    match text(&SEC_FETCH_SITE) {
        Some(site) => site == "same-origin",
        None => match (text(&ORIGIN), text(&HOST)) {
            (Some(origin), Some(host)) => {
                origin.split_once("://").is_some_and(|(_, origin)| origin.eq_ignore_ascii_case(host))
            }
            _ => false,
        },
    }
}

/// A layer around everything that reads a cookie. Several do, each by a parser
/// of its own: tower-sessions decodes a name such as `__%48ost-sid`, which any
/// sibling host may set, into the one that browsers protect, and [`cookie`]
/// passes over a header with a byte of another kind. So a request keeps only
/// the cookies of this site, written as all of them read it.
pub async fn own_cookies(State(https): State<bool>, mut request: Request, next: Next) -> Response {
    let names = [cookie_name(https), Notice::COOKIE];
    if let Entry::Occupied(mut cookies) = request.headers_mut().entry(COOKIE) {
        let pairs: Vec<_> = names.iter().filter_map(|name| only_pair(cookies.iter(), name)).collect();
        match HeaderValue::try_from(pairs.join(&b"; "[..])) {
            Ok(own) if !pairs.is_empty() => drop(cookies.insert(own)),
            _ => drop(cookies.remove_entry_mult()),
        }
    }
    next.run(request).await
}

/// The pair of that very name, of visible ASCII. One that is there twice is
/// none: a browser sends one that the site has set, and another that somebody
/// has set for a wider domain or a longer path, and does not say which is which.
fn only_pair<'a>(headers: impl Iterator<Item = &'a HeaderValue>, name: &str) -> Option<Vec<u8>> {
    let mut pairs = headers
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b';'))
        .map(<[u8]>::trim_ascii)
        .filter(|pair| pair.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.starts_with(b"=")));
    let pair = pairs.next()?;
    (pairs.next().is_none() && pair.iter().all(u8::is_ascii_graphic)).then(|| pair.to_vec())
}

/// The value of a cookie.
#[must_use]
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

/// Whether a cookie came along.
#[must_use]
pub fn has_cookie(headers: &HeaderMap, name: &str) -> bool {
    cookie(headers, name).is_some()
}

/// An answer that nobody may keep (security row S6).
#[must_use]
pub fn uncached(status: StatusCode, content_type: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// An answer that needs neither database nor renderer: JSON for a script, a
/// plain page for a browser.
#[must_use]
pub fn refusal(error: &AppError, html: bool) -> Response {
    let (content_type, body) = if html {
        ("text/html; charset=utf-8", refusal_page(error))
    } else {
        ("application/json", serde_json::to_string(error).unwrap_or_default())
    };
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = uncached(status, content_type, body);
    let headers = response.headers_mut();
    if let Some(seconds) = retry_after(error) {
        headers.insert(RETRY_AFTER, seconds);
    }
    if let AppError::BadCredential { .. } = error {
        headers.insert(WWW_AUTHENTICATE, BAD_TOKEN);
    }
    response
}

/// The path exists, but not for this method; `allow` is what it takes (RFC 9110 15.5.6).
#[must_use]
pub fn wrong_method(request: &HeaderMap, allow: &'static str) -> Response {
    let mut response = refusal(&AppError::MethodNotAllowed, wants_html(request));
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
    response
}

/// When to come back, if the error says so.
#[must_use]
pub fn retry_after(error: &AppError) -> Option<HeaderValue> {
    error.retry_after().map(HeaderValue::from)
}

/// Heading and sentence are our own words and hold no input.
fn refusal_page(error: &AppError) -> String {
    // What was sent has not been read, or not been looked at.
    let unread = match error {
        AppError::Busy { .. } | AppError::Internal | AppError::Timeout | AppError::TooLarge { .. } => {
            "<p>If you were sending a form, go back in your browser: what you typed is still there.</p>"
        }
        _ => "",
    };
    format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{heading} – Byline</title><link rel=\"stylesheet\" href=\"{css}\"></head>\
         <body><header class=\"site-header\"><a class=\"site-name\" href=\"/\">Byline</a></header>\
         <main class=\"page\"><section class=\"message\"><h1>{heading}</h1><p>{error}</p>{unread}<p><a href=\"/\">Go to all posts</a></p></section></main></body></html>",
        heading = error.heading(),
        css = assets::url("byline.css"),
    )
}
