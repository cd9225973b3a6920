//! Where a request comes from: from the site itself or from elsewhere (security
//! rows C1, C2, C6). Everything that needs to know calls [`source`] and compares
//! nothing itself.

use axum::{
    extract::Request,
    http::{
        HeaderMap, HeaderName, Version,
        header::{HOST, ORIGIN},
    },
};

use crate::{
    config::{Origin, PublicUrl},
    error::AppError,
};

/// The header in which a browser says where a request comes from (W3C Fetch
/// Metadata).
pub const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Where a request comes from, by what browsers say about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A page of this site, or the person at the browser: by a bookmark, or typed.
    Own,
    /// Somewhere else; or what was said cannot be believed.
    Foreign,
    /// Neither header is present: a program. Browsers send `Origin` with every
    /// unsafe request and every WebSocket (WHATWG Fetch 3.1).
    NotStated,
}

/// The one decision about where a request comes from.
///
/// `Sec-Fetch-Site` must be `same-origin` or `none`, and `Origin` the origin of
/// the site ([`PublicUrl::origin`]); scripts can set neither. At least one must
/// be present, and all that are present must agree, so that one mistake of a
/// proxy or browser is not enough. Without `Origin` the request must name the
/// site's own address: with "DNS rebinding", a page under another name that
/// leads to the same machine is of the same origin as well.
#[must_use]
pub fn source(public_url: &PublicUrl, request: &Request) -> Source {
    let fetched = match single_header(request.headers(), &SEC_FETCH_SITE) {
        SingleHeader::Absent => None,
        SingleHeader::Once(site) => Some(matches!(site, "same-origin" | "none")),
        SingleHeader::Invalid => Some(false),
    };
    let origin = match single_header(request.headers(), &ORIGIN) {
        SingleHeader::Absent => None,
        SingleHeader::Once(origin) => {
            Some(Origin::parse(origin) == Some(public_url.origin(authority(request))))
        }
        SingleHeader::Invalid => Some(false),
    };
    match (fetched, origin) {
        (None, None) => Source::NotStated,
        (Some(false), _) | (_, Some(false)) => Source::Foreign,
        (_, Some(true)) => Source::Own,
        (Some(true), None) if public_url.is_called(authority(request)) => Source::Own,
        (Some(true), None) => Source::Foreign,
    }
}

/// A header field that may occur once.
pub(super) enum SingleHeader<'a> {
    Absent,
    Once(&'a str),
    /// It is there twice, or its bytes are no text.
    Invalid,
}

pub(super) fn single_header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> SingleHeader<'a> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => SingleHeader::Absent,
        (Some(value), None) => value.to_str().map_or(SingleHeader::Invalid, SingleHeader::Once),
        (Some(_), Some(_)) => SingleHeader::Invalid,
    }
}

/// The host and port that a request is sent to. An absolute target takes
/// precedence over `Host` (RFC 9112 3.2.2).
#[must_use]
pub fn authority(request: &Request) -> Option<&str> {
    match (request.uri().authority(), single_header(request.headers(), &HOST)) {
        (Some(authority), _) => Some(authority.as_str()),
        (None, SingleHeader::Once(host)) => Some(host),
        (None, SingleHeader::Absent | SingleHeader::Invalid) => None,
    }
}

/// Checks that a request names exactly one valid host (RFC 9112 3.2, security row
/// C6). Only HTTP/1.0, which did not have `Host`, may leave it out.
pub fn check_host(request: &Request) -> Result<(), AppError> {
    let wrong = |reason: &str| Err(AppError::BadRequest { reason: reason.to_owned() });
    match single_header(request.headers(), &HOST) {
        SingleHeader::Absent if request.version() >= Version::HTTP_11 => wrong("the header Host is missing"),
        SingleHeader::Invalid => wrong("the header Host is there twice, or is no host"),
        SingleHeader::Once(host) if !Origin::is_authority(host) => wrong("the header Host is no host"),
        SingleHeader::Absent | SingleHeader::Once(_) => match request.uri().authority() {
            Some(authority) if !Origin::is_authority(authority.as_str()) => wrong("the target has no host"),
            _ => Ok(()),
        },
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn request(host: Option<&str>, headers: &[(&str, &str)]) -> Request {
        let mut request = axum::http::Request::builder().method("POST").uri("/");
        if let Some(host) = host {
            request = request.header(HOST, host);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Body::empty()).unwrap()
    }

    fn set(raw: &str) -> PublicUrl {
        raw.parse().unwrap()
    }

    #[test]
    fn origins_are_compared_whole_and_however_they_are_written() {
        let same = |public: &str, origin: &str| {
            source(&set(public), &request(Some("10.0.0.7:3000"), &[("origin", origin)])) == Source::Own
        };
        for (public, origin) in [
            ("https://posts.example", "https://posts.example"),
            ("https://Posts.Example:443/", "https://posts.example"),
            ("https://posts.example", "HTTPS://POSTS.EXAMPLE:443"),
            ("http://posts.example:80", "http://posts.example"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
            ("https://[0:0::1]:8443", "https://[::1]:8443"),
        ] {
            assert!(same(public, origin), "{origin} at {public}");
        }
        for origin in [
            "http://posts.example",
            "http://posts.example:443",
            "https://posts.example:444",
            "https://posts.example.evil.example",
            "https://evil.example/https://posts.example",
            "https://evil.example#@posts.example",
            "https://ada@posts.example",
            "https://posts.example/",
            "https:posts.example",
            "https:\\\\posts.example",
            "posts.example",
            "https://posts.example https://evil.example",
            "capacitor://posts.example",
            "null",
            "",
        ] {
            assert!(!same("https://posts.example", origin), "{origin}");
        }
    }

    #[test]
    fn without_a_public_url_the_host_and_the_listeners_scheme_are_the_site() {
        let site = PublicUrl::of_listener(false, ([127, 0, 0, 1], 3000).into());
        let from = |host, origin| source(&site, &request(Some(host), &[("origin", origin)]));
        for (host, origin) in [
            ("localhost:3000", "http://localhost:3000"),
            ("Posts.Example:80", "http://posts.example"),
            ("posts.example", "http://posts.example:80"),
            ("posts.example:", "http://posts.example"),
        ] {
            assert_eq!(from(host, origin), Source::Own, "{origin} at {host}");
        }
        for (host, origin) in [
            ("posts.example", "https://posts.example"),
            ("localhost:3000", "http://127.0.0.1:3000"),
            ("localhost:3000", "http://localhost:3001"),
        ] {
            assert_eq!(from(host, origin), Source::Foreign, "{origin} at {host}");
        }
    }

    #[test]
    fn what_is_said_twice_or_against_each_other_is_foreign() {
        let own = ("origin", "https://posts.example");
        let public = set("https://posts.example");
        let from = |host, headers: &[(&str, &str)]| source(&public, &request(Some(host), headers));
        for headers in [
            &[own, ("origin", "https://evil.example")][..],
            &[("origin", "https://evil.example"), own],
            &[own, own],
            &[own, ("sec-fetch-site", "cross-site")],
            &[own, ("sec-fetch-site", "same-site")],
            &[("origin", "https://evil.example"), ("sec-fetch-site", "same-origin")],
            &[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "Same-Origin")],
        ] {
            assert_eq!(from("posts.example", headers), Source::Foreign, "{headers:?}");
        }
        let by_browser = [("sec-fetch-site", "same-origin")];
        assert_eq!(from("POSTS.example:443", &by_browser), Source::Own);
        assert_eq!(from("evil.example", &by_browser), Source::Foreign, "a name that leads here, too");
        assert_eq!(from("posts.example", &[]), Source::NotStated);
    }
}
