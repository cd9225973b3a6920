//! The cookies of this site among those of a request, and their names in browsers.
//!
//! Inside of [`own_cookies`] each cookie has one name. Outside, the name separates
//! sites on the same host: browsers send a cookie to every port of its host (RFC
//! 6265 8.5), so a port that is not the scheme's default is part of the name.

use std::cell::LazyCell;

use axum::{
    extract::{Request, State},
    http::{
        HeaderValue,
        header::{COOKIE, Entry, SET_COOKIE},
    },
    middleware::Next,
    response::Response,
};

use crate::{
    config::Origin,
    http::{cookies, origin::authority},
    site::Site,
};

/// The name by which browsers keep one of our cookies. Behind https it has the
/// prefix `__Host-`, which makes them insist on `Secure`, `Path=/` and no
/// `Domain` (RFC 6265bis 4.1.3.2).
fn outer_name(inner: &str, origin: &Origin) -> String {
    let prefix = if origin.is_https() { "__Host-" } else { "" };
    match origin.unusual_port() {
        Some(port) => format!("{prefix}{inner}-{port}"),
        None => format!("{prefix}{inner}"),
    }
}

/// The layer around everything that reads or sets a cookie.
///
/// Several parsers read cookies. tower-sessions decodes a name such as
/// `__%48ost-sid`, which any sibling host may set, into the name that browsers
/// protect; and [`cookies::cookie`] ignores a header with a byte that is no text. So a
/// request keeps only the cookies of this site, by their inner names, in a form
/// that all parsers read the same way.
pub async fn own_cookies(State(site): State<Site>, mut request: Request, next: Next) -> Response {
    let called = authority(&request).map(str::to_owned);
    // Programs send and are given none: they do not pay for the names.
    let names = LazyCell::new(|| {
        let origin = site.public_url.origin(called.as_deref());
        [cookies::SESSION, cookies::DEVICE, cookies::NOTICE].map(|inner| (inner, outer_name(inner, &origin)))
    });
    if let Entry::Occupied(mut sent) = request.headers_mut().entry(COOKIE) {
        let own = |(inner, outer): &(&str, String)| {
            Some([inner.as_bytes(), b"=", &only_value(sent.iter(), outer)?].concat())
        };
        let pairs: Vec<_> = names.iter().filter_map(own).collect();
        match HeaderValue::try_from(pairs.join(&b"; "[..])) {
            Ok(own) if !pairs.is_empty() => drop(sent.insert(own)),
            _ => drop(sent.remove_entry_mult()),
        }
    }
    let mut response = next.run(request).await;
    for set in response.headers_mut().iter_mut().filter(|(name, _)| *name == SET_COOKIE) {
        rename(set.1, &*names);
    }
    response
}

/// The value of the cookie with exactly that name, of visible ASCII. A repeated
/// cookie counts as none: one is the site's, the other was set by somebody for a
/// wider domain or a longer path, and the browser does not say which is which.
fn only_value<'a>(headers: impl Iterator<Item = &'a HeaderValue>, name: &str) -> Option<Vec<u8>> {
    let mut values = headers
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b';'))
        .map(<[u8]>::trim_ascii)
        .filter_map(|pair| pair.strip_prefix(name.as_bytes())?.strip_prefix(b"="));
    let value = values.next()?;
    (values.next().is_none() && value.iter().all(u8::is_ascii_graphic)).then(|| value.to_vec())
}

/// Gives a cookie that is set, or removed, the name by which browsers keep it.
fn rename(set: &mut HeaderValue, names: &[(&str, String)]) {
    let renamed = set.to_str().ok().and_then(|text| {
        let (name, rest) = text.split_once('=')?;
        let (_, outer) = names.iter().find(|(inner, _)| *inner == name)?;
        HeaderValue::try_from(format!("{outer}={rest}")).ok()
    });
    if let Some(renamed) = renamed {
        *set = renamed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::PublicUrl;

    #[test]
    fn the_name_of_a_cookie_tells_ports_apart() {
        let name = |inner, site: &str| {
            let request = Request::new(axum::body::Body::empty());
            outer_name(inner, &site.parse::<PublicUrl>().unwrap().origin(authority(&request)))
        };
        for (site, session, notice) in [
            ("http://posts.example", "sid", "notice"),
            ("http://posts.example:3000", "sid-3000", "notice-3000"),
            ("http://posts.example:443", "sid-443", "notice-443"),
            ("https://posts.example", "__Host-sid", "__Host-notice"),
            ("https://posts.example:8443", "__Host-sid-8443", "__Host-notice-8443"),
        ] {
            assert_eq!(
                (name(cookies::SESSION, site), name(cookies::NOTICE, site)),
                (session.to_owned(), notice.to_owned())
            );
        }
    }
}
