//! Where the site is, and where a request comes from: from the site itself or
//! from anywhere else (security rows C1, C2, C6). Whoever has to know asks
//! [`source`] and compares nothing by itself.

use std::{fmt, net::SocketAddr, str::FromStr};

use axum::{
    extract::{Request, State},
    http::{
        HeaderMap, HeaderName, Method, Version,
        header::{HOST, ORIGIN},
    },
    middleware::Next,
    response::Response,
};
use url::{Host, Url};

use super::{cookies, headers::refusal, pages::wants_html};
use crate::{error::AppError, site::Site};

/// What a browser says about where a request comes from (W3C Fetch Metadata).
pub const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Scheme, host and port, in the one form in which two of them are compared
/// (RFC 6454 4 and 5, RFC 9110 4.2.3): the host in lower case and in ASCII
/// (UTS #46), the scheme's own port where none is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    scheme: String,
    host: Host,
    port: u16,
}

impl Origin {
    /// What stands in a header `Origin`: scheme and authority, nothing else
    /// (RFC 6454 7.1). `None` for `null`, and for schemes by which nobody
    /// reaches a site.
    fn parse(raw: &str) -> Option<Self> {
        let (scheme, authority) = raw.split_once("://")?;
        let scheme = scheme.to_ascii_lowercase();
        if matches!(scheme.as_str(), "http" | "https") { Self::at(&scheme, authority) } else { None }
    }

    /// What is reached by `scheme` at an authority, the value of a header
    /// `Host`: a host and perhaps a port (RFC 9110 7.2).
    fn at(scheme: &str, authority: &str) -> Option<Self> {
        // A parser of whole addresses would take these and pass over them.
        let foreign = |byte: u8| !byte.is_ascii_graphic() || b"/\\?#@".contains(&byte);
        if authority.bytes().any(foreign) {
            return None;
        }
        Self::of_url(&Url::parse(&format!("{scheme}://{authority}")).ok()?)
    }

    fn of_url(url: &Url) -> Option<Self> {
        Some(Self {
            scheme: url.scheme().to_owned(),
            host: url.host()?.to_owned(),
            port: url.port_or_known_default()?,
        })
    }

    /// Whether browsers get there by https.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.scheme == "https"
    }

    /// Whether a browser can go there: to one host, and not all addresses of a
    /// machine (RFC 1122 3.2.1.3, RFC 4291 2.5.2) or whichever port is free.
    fn can_be_reached(&self) -> bool {
        let is_one_host = match &self.host {
            Host::Domain(name) => !name.contains('*'),
            Host::Ipv4(address) => !address.is_unspecified(),
            Host::Ipv6(address) => !address.to_canonical().is_unspecified(),
        };
        is_one_host && self.port != 0
    }

    /// The port, where it is not the scheme's own.
    #[must_use]
    pub fn unusual_port(&self) -> Option<u16> {
        let usual = if self.is_https() { 443 } else { 80 };
        Some(self.port).filter(|port| *port != usual)
    }
}

/// As browsers write it in `Origin` (RFC 6454 6.2).
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        self.unusual_port().map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// The site's own origin, as it was set, or else as a request says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    origin: Origin,
    is_set: bool,
}

impl PublicUrl {
    /// For a site that was not told how it is reached: at the address that it
    /// listens to, and by whatever other name a request calls that.
    #[must_use]
    pub fn of_listener(https: bool, address: SocketAddr) -> Self {
        let scheme = if https { "https" } else { "http" };
        let host = match address {
            SocketAddr::V4(address) => Host::Ipv4(*address.ip()),
            SocketAddr::V6(address) => Host::Ipv6(*address.ip()),
        };
        let origin = Origin { scheme: scheme.to_owned(), host, port: address.port() };
        Self { origin, is_set: false }
    }

    /// The listener has another address than it was wished for: a port that the
    /// system has chosen. Where the site was told how it is reached, that holds.
    pub fn listens_to(&mut self, address: SocketAddr) {
        if !self.is_set {
            *self = Self::of_listener(self.is_https(), address);
        }
    }

    /// Whether others reach the site by what it knows of its address.
    #[must_use]
    pub fn can_be_reached(&self) -> bool {
        self.origin.can_be_reached()
    }

    /// Whether browsers reach the site by https; decides the cookie's name,
    /// its `Secure`, and HSTS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.origin.is_https()
    }

    /// The origin that whoever runs the site has set, if they have.
    #[must_use]
    pub fn set(&self) -> Option<&Origin> {
        self.is_set.then_some(&self.origin)
    }

    /// The site's origin, for whoever has sent `request`.
    #[must_use]
    pub fn origin(&self, request: &Request) -> Origin {
        let called = || authority(request).and_then(|authority| Origin::at(&self.origin.scheme, authority));
        if self.is_set { None } else { called() }.unwrap_or_else(|| self.origin.clone())
    }

    /// Whether `request` was sent to the site's own address.
    fn is_called(&self, request: &Request) -> bool {
        let called = authority(request).and_then(|authority| Origin::at(&self.origin.scheme, authority));
        called.is_some_and(|called| !self.is_set || called == self.origin)
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.origin.fmt(f)
    }
}

impl FromStr for PublicUrl {
    type Err = String;

    fn from_str(raw: &str) -> Result<Self, String> {
        let url = Url::parse(raw).map_err(|error| format!("\"{raw}\" is no address: {error}"))?;
        let bare = url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        let web = matches!(url.scheme(), "http" | "https");
        let Some(origin) = Origin::of_url(&url).filter(|_| bare && web) else {
            return Err(format!("\"{raw}\" must be http:// or https://, a host, and nothing behind it"));
        };
        if origin.can_be_reached() {
            Ok(Self { origin, is_set: true })
        } else {
            Err(format!("\"{raw}\" is no address that a browser can go to"))
        }
    }
}

/// Where a request comes from, by what browsers say about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A page of this site, or the person at the browser: by a bookmark, or typed.
    Own,
    /// Somewhere else; or what was said cannot be believed.
    Foreign,
    /// Nothing was said: a program. Browsers name the origin of whatever is not
    /// safe, and of every WebSocket (WHATWG Fetch 3.1).
    Unsaid,
}

/// The one decision about where a request comes from.
///
/// `Sec-Fetch-Site` must be `same-origin` or `none`, and `Origin` the origin of
/// the site as [`PublicUrl::origin`] has it; scripts can write neither. Of the
/// two at least one has to be there. Each must agree that is, so that no proxy
/// or browser that gets one of them wrong opens the door. Without `Origin` the
/// request must have been sent to the site's own address: a page of another
/// name that leads to the same machine ("DNS rebinding") is of its own origin
/// as well.
#[must_use]
pub fn source(public_url: &PublicUrl, request: &Request) -> Source {
    let fetched = match said(request.headers(), &SEC_FETCH_SITE) {
        Said::Nothing => None,
        Said::Once(site) => Some(matches!(site, "same-origin" | "none")),
        Said::Unclearly => Some(false),
    };
    let origin = match said(request.headers(), &ORIGIN) {
        Said::Nothing => None,
        Said::Once(origin) => Some(Origin::parse(origin) == Some(public_url.origin(request))),
        Said::Unclearly => Some(false),
    };
    match (fetched, origin) {
        (None, None) => Source::Unsaid,
        (Some(false), _) | (_, Some(false)) => Source::Foreign,
        (_, Some(true)) => Source::Own,
        (Some(true), None) if public_url.is_called(request) => Source::Own,
        (Some(true), None) => Source::Foreign,
    }
}

/// A header field that is to be there once, if at all.
enum Said<'a> {
    Nothing,
    Once(&'a str),
    /// Twice, or in bytes that are no text.
    Unclearly,
}

fn said<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Said<'a> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Said::Nothing,
        (Some(value), None) => value.to_str().map_or(Said::Unclearly, Said::Once),
        (Some(_), Some(_)) => Said::Unclearly,
    }
}

/// The host that a request is sent to, and its port. What an absolute target
/// says counts more than `Host` (RFC 9112 3.2.2).
fn authority(request: &Request) -> Option<&str> {
    match (request.uri().authority(), said(request.headers(), &HOST)) {
        (Some(authority), _) => Some(authority.as_str()),
        (None, Said::Once(host)) => Some(host),
        (None, Said::Nothing | Said::Unclearly) => None,
    }
}

/// Security row C6: a request names one host, and what it names is one
/// (RFC 9112 3.2). Only the programs of HTTP/1.0, which did not have `Host`,
/// may leave it out.
///
/// # Errors
/// [`AppError::BadRequest`].
pub fn check_host(request: &Request) -> Result<(), AppError> {
    let wrong = |reason: &str| Err(AppError::BadRequest { reason: reason.to_owned() });
    let is_host = |authority| Origin::at("http", authority).is_some();
    match said(request.headers(), &HOST) {
        Said::Nothing if request.version() >= Version::HTTP_11 => wrong("the header Host is missing"),
        Said::Unclearly => wrong("the header Host is there twice, or is no host"),
        Said::Once(host) if !is_host(host) => wrong("the header Host is no host"),
        Said::Nothing | Said::Once(_) => match request.uri().authority() {
            Some(authority) if !is_host(authority.as_str()) => wrong("the target has no host"),
            _ => Ok(()),
        },
    }
}

/// A layer that refuses what another site makes a browser send (security row
/// C1): every unsafe request of a foreign origin; and, with a session's cookie,
/// one that does not say where it comes from.
pub async fn refuse_foreign(State(site): State<Site>, request: Request, next: Next) -> Response {
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let refused = match source(&site.public_url, &request) {
        Source::Own => false,
        Source::Foreign => true,
        Source::Unsaid => cookies::has_session(request.headers()),
    };
    if is_safe || !refused {
        return next.run(request).await;
    }
    tell_of_missing_setting(&site.public_url, request.headers());
    let at = site.public_url.set().map(Origin::to_string);
    refusal(&AppError::CrossSite { at }, wants_html(request.headers()))
}

/// Behind a proxy the site cannot know by itself how browsers reach it. Whoever
/// forgot to say so is told here, since nobody can log in or write.
fn tell_of_missing_setting(public_url: &PublicUrl, headers: &HeaderMap) {
    if !public_url.is_set
        && let Said::Once(raw) = said(headers, &ORIGIN)
        && let Some(origin) = Origin::parse(raw)
    {
        tracing::warn!(%origin, "refused a request from there; if that is this site, set public-url to it");
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
        assert_eq!(from("posts.example", &[]), Source::Unsaid);
    }

    #[test]
    fn a_public_url_is_an_address_that_browsers_can_go_to() {
        assert_eq!(set("https://Posts.example:443/").to_string(), "https://posts.example");
        for wrong in [
            "posts.example",
            "https://posts.example/blog",
            "https://ada@posts.example",
            "https://:secret@posts.example",
            "http://0.0.0.0:3000",
            "http://[::]:3000",
            "https://*.example.org",
            "https://posts.example:0",
            "ftp://posts.example",
        ] {
            assert!(wrong.parse::<PublicUrl>().is_err(), "{wrong}");
        }
    }
}
