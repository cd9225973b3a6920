//! Speculation rules (<https://html.spec.whatwg.org/multipage/speculative-loading.html>):
//! a browser that knows them fetches a post while its reader points at the link to it.
//! Others ignore the header. As a header, the rules need no inline script.

use axum::{
    http::{
        HeaderMap, HeaderName, HeaderValue,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};

use super::answers::Shared;

pub const PATH: &str = "/speculation-rules.json";

/// Names the file of rules. Its value is a list of strings.
const SPECULATION_RULES: HeaderName = HeaderName::from_static("speculation-rules");
const NAMED: HeaderValue = HeaderValue::from_static("\"/speculation-rules.json\"");

/// Posts alone: reading one changes nothing. Pages of a person's own are never fetched
/// before they are asked for. `moderate` means 200 ms of pointing, or a press.
const RULES: &str = r#"{"prefetch":[{"where":{"and":[{"href_matches":"/@*/*"},{"not":{"href_matches":"/@*/feed.*"}}]},"eagerness":"moderate"}]}"#;

/// Names the rules in the head of a page.
pub fn announce(headers: &mut HeaderMap) {
    let is_page = headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if is_page {
        headers.insert(SPECULATION_RULES, NAMED);
    }
}

/// `GET /speculation-rules.json`: for a day, because its name never changes.
pub async fn rules() -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/speculationrules+json")),
        (CACHE_CONTROL, HeaderValue::from_static("public, max-age=86400")),
    ];
    let mut response = (headers, RULES).into_response();
    response.extensions_mut().insert(Shared);
    response
}
