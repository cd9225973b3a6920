//! Completes the answers of tower-sessions.

use axum::{
    extract::{Request, State},
    http::{
        HeaderName, HeaderValue, StatusCode,
        header::{CONTENT_TYPE, SET_COOKIE},
    },
    middleware::Next,
    response::Response,
};

use crate::{
    error::AppError,
    http::{
        cookies,
        headers::{refusal, wants_html},
    },
};

/// W3C Clear Site Data 3.1.
const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

/// Repairs two answers of tower-sessions 0.15. When it cannot save a session it
/// answers with a bare 500, although the database may only be away
/// (<https://github.com/maxcountryman/tower-sessions/issues/203>). And it removes a
/// cookie without `Secure` (<https://github.com/maxcountryman/tower-sessions/pull/268>).
/// Where it does, the browser is told to forget its cache as well.
pub async fn repair_session_response(State(https): State<bool>, request: Request, next: Next) -> Response {
    let html = wants_html(request.headers());
    let response = next.run(request).await;
    // Every other answer has a content type.
    if response.status() == StatusCode::INTERNAL_SERVER_ERROR
        && !response.headers().contains_key(CONTENT_TYPE)
    {
        return refusal(&AppError::Busy { retry_after: 2 }, html);
    }
    complete_removal(tell_to_clear(response), https)
}

/// A browser that is logged out forgets what it has stored of pages (security row
/// S6). Not `"storage"`, which has texts that were not sent yet, and not `"cookies"`,
/// by one of which the browser is known at the next login.
fn tell_to_clear(mut response: Response) -> Response {
    let is_removal = |cookie: &HeaderValue| {
        cookie.to_str().is_ok_and(|text| is_session(text) && text.contains("Max-Age=0"))
    };
    if response.headers().get_all(SET_COOKIE).iter().any(is_removal) {
        response.headers_mut().insert(CLEAR_SITE_DATA, HeaderValue::from_static("\"cache\""));
    }
    response
}

/// A browser obeys the removal of a `__Host-` cookie only if it carries
/// `Secure` as well, and a cookie that is removed should look like the one that
/// was set (S1).
fn complete_removal(mut response: Response, https: bool) -> Response {
    let headers = response.headers_mut();
    let cookies: Vec<_> = headers.get_all(SET_COOKIE).iter().cloned().collect();
    headers.remove(SET_COOKIE);
    for cookie in cookies {
        headers.append(SET_COOKIE, with_attributes(cookie, https));
    }
    response
}

fn is_session(cookie: &str) -> bool {
    cookie.strip_prefix(cookies::SESSION).is_some_and(|rest| rest.starts_with('='))
}

fn with_attributes(cookie: HeaderValue, https: bool) -> HeaderValue {
    let Ok(text) = cookie.to_str() else { return cookie };
    let attributes: &[&str] = match (is_session(text), https) {
        (false, _) => &[],
        (true, false) => &["HttpOnly", "SameSite=Lax"],
        (true, true) => &["HttpOnly", "SameSite=Lax", "Secure"],
    };
    let mut whole = text.to_owned();
    for attribute in attributes {
        if !text.split(';').any(|part| part.trim().eq_ignore_ascii_case(attribute)) {
            whole.push_str("; ");
            whole.push_str(attribute);
        }
    }
    HeaderValue::from_str(&whole).unwrap_or(cookie)
}
