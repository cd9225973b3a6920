//! The cookies of this site, by their names inside of
//! [`own_cookies`](super::layers::own_cookies).

use axum::http::{HeaderMap, header::COOKIE};

pub const SESSION: &str = "sid";
/// The browser itself, after it has logged in once; see [`super::layers::device_cookie`].
pub const DEVICE: &str = "device";
/// What just happened; see [`super::forms::Notice`].
pub const NOTICE: &str = "notice";

/// The value of a cookie, by its name without prefix.
#[must_use]
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

/// Whether the cookie of a session came along.
#[must_use]
pub fn has_session(headers: &HeaderMap) -> bool {
    cookie(headers, SESSION).is_some()
}
