//! Headers that every answer has, and answers without a page.

use axum::{
    body::Body,
    extract::Request,
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{
            ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
            RETRY_AFTER, STRICT_TRANSPORT_SECURITY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
        },
    },
    response::Response,
};

use crate::{assets, error::AppError};

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

/// The answer to an invalid access token or API key (RFC 6750 3.1).
pub const BAD_TOKEN: HeaderValue = HeaderValue::from_static("Bearer error=\"invalid_token\"");

/// Adds the security headers. Existing ones stay, because some answers are for
/// other origins (`cors`). `hsts` is what is said where the site is reached by https.
pub fn secure(headers: &mut HeaderMap, hsts: Option<HeaderValue>) {
    for (name, value) in FIXED {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if let Some(hsts) = hsts {
        headers.insert(STRICT_TRANSPORT_SECURITY, hsts);
    }
}

/// An answer that may not be cached (security row S6).
#[must_use]
pub fn uncached(status: StatusCode, content_type: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// An error that needs neither database nor renderer: JSON for a script, a plain
/// page for a browser.
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

/// What a path answers to every other method that is only read.
pub async fn only_get(request: Request) -> Response {
    wrong_method(request.headers(), "GET, HEAD")
}

/// When to retry, if the error has such a time.
#[must_use]
pub fn retry_after(error: &AppError) -> Option<HeaderValue> {
    error.retry_after().map(HeaderValue::from)
}

/// Heading and sentence are constant texts and contain no input. The name of the site is not
/// known here.
fn refusal_page(error: &AppError) -> String {
    // With these errors the body may not have been read.
    let unread = match error {
        AppError::Busy { .. }
        | AppError::CrossSite { .. }
        | AppError::Internal
        | AppError::Timeout
        | AppError::TooLarge { .. } => {
            "<p>If you were sending a form, go back in your browser: what you typed is still there.</p>"
        }
        _ => "",
    };
    let link = match error {
        AppError::CrossSite { at: Some(at) } => format!("<p><a href=\"{at}\">{at}</a></p>"),
        _ => String::new(),
    };
    format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{heading}</title><link rel=\"stylesheet\" href=\"{css}\"></head>\
         <body><header class=\"site-header\"><a class=\"site-name\" href=\"/\">All posts</a></header>\
         <main class=\"page\"><section class=\"message\"><h1>{heading}</h1><p>{error}</p>{unread}{link}</section></main></body></html>",
        heading = error.heading(),
        css = assets::url("byline.css"),
    )
}

/// Whether the client is a browser that wants to show a page.
#[must_use]
pub fn wants_html(headers: &HeaderMap) -> bool {
    headers
        .get(ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}
