//! The target of a request (RFC 9112 3.2): the text between method and version.

use crate::error::AppError;
use axum::{
    extract::Request,
    http::{HeaderValue, Method, Uri, header::HOST, uri::Parts},
};

/// Bytes of the longest path; every address of the site is far shorter.
const PATH_BYTES: usize = 8 * 1024;

/// Brings the target into the one form that all other code expects: a path that
/// begins with a slash, and a query. A client may write scheme and host before
/// it, as for a proxy; that host then replaces the `Host` field (RFC 9112
/// 3.2.2).
///
/// # Errors
///
/// [`AppError::BadRequest`] for everything else: a host without a path
/// (`CONNECT`), the `*` of `OPTIONS`, another scheme, a path that is too long,
/// has broken percent-encoding or no UTF-8, or contains `..`. Clients resolve
/// `..` before they ask (RFC 3986 5.2.4), and Leptos would find another page
/// for it than all others.
pub fn normalize(request: &mut Request) -> Result<(), AppError> {
    let bad = |reason: &str| AppError::BadRequest { reason: reason.to_owned() };
    let uri = request.uri();
    let is_about_http = matches!(uri.scheme_str(), None | Some("http" | "https"));
    if request.method() == Method::CONNECT || !is_about_http || !uri.path().starts_with('/') {
        return Err(bad("the target is no path of this site"));
    }
    if uri.path().len() > PATH_BYTES {
        return Err(bad("the path is too long"));
    }
    let path = decoded(uri.path()).ok_or_else(|| bad("the path is not percent-encoded UTF-8"))?;
    if path.split(['/', '\\']).any(|segment| matches!(segment, "." | "..")) {
        return Err(bad("the path has segments that stand for others"));
    }
    if let Some(authority) = uri.authority() {
        if authority.as_str().contains('@') {
            return Err(bad("the target names a user"));
        }
        let host = HeaderValue::from_str(authority.as_str());
        let mut parts = Parts::default();
        parts.path_and_query = uri.path_and_query().cloned();
        let path = Uri::from_parts(parts).map_err(|_| bad("the target is no path of this site"))?;
        if let Ok(host) = host {
            request.headers_mut().insert(HOST, host);
        }
        *request.uri_mut() = path;
    }
    Ok(())
}

/// A path without its percent-encoding, if every `%` has two hexadecimal digits
/// behind it and all together are UTF-8.
fn decoded(path: &str) -> Option<String> {
    let hex = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut decoded = Vec::with_capacity(path.len());
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        let byte = match byte {
            b'%' => match (bytes.next().and_then(hex), bytes.next().and_then(hex)) {
                (Some(high), Some(low)) => high * 16 + low,
                _ => return None,
            },
            other => other,
        };
        decoded.push(byte);
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn normalized(method: &str, target: &str) -> Option<(String, String)> {
        let request = Request::builder().method(method).uri(target).header(HOST, "byline.example");
        let mut request = request.body(Body::empty()).expect("a request");
        normalize(&mut request).ok()?;
        let host = request.headers()[HOST].to_str().expect("a host").to_owned();
        Some((request.uri().to_string(), host))
    }

    #[test]
    fn a_target_is_a_path_or_names_the_host_before_it() {
        let is = |method, target, path: &str, host: &str| {
            assert_eq!(normalized(method, target), Some((path.to_owned(), host.to_owned())), "{target}");
        };
        is("GET", "/", "/", "byline.example");
        is("GET", "/a%20b?c=%zz", "/a%20b?c=%zz", "byline.example");
        is("GET", "http://other.example:81/a?b", "/a?b", "other.example:81");
        is("GET", "https://other.example", "/", "other.example");
        is("OPTIONS", "//evil.example/x", "//evil.example/x", "byline.example");
    }

    #[test]
    fn what_is_no_path_of_a_site_is_refused() {
        let long = format!("/{}", "x".repeat(PATH_BYTES));
        for (method, target) in [
            ("GET", "evil.example:80"),
            ("CONNECT", "evil.example:80"),
            ("CONNECT", "/"),
            ("OPTIONS", "*"),
            ("GET", "*"),
            ("GET", "ftp://evil.example/x"),
            ("GET", "http://user@evil.example/x"),
            ("GET", "/%"),
            ("GET", "/%4"),
            ("GET", "/%zz"),
            ("GET", "/%ff"),
            ("GET", "/a%C3%28"),
            ("GET", "/%ED%A0%80"),
            ("GET", "/.."),
            ("GET", "/posts/%2E%2e/"),
            ("GET", "/posts/./x"),
            ("GET", &long),
        ] {
            assert_eq!(normalized(method, target), None, "{method} {target:.60}");
        }
    }
}
