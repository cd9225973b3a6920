//! Origins, and the public URL of the site.

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    str::FromStr,
};

use url::{Host, Url};

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
    /// Parses a header `Origin`: scheme and authority, nothing else (RFC 6454
    /// 7.1). `None` for `null`, and for schemes that are not http or https.
    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        let (scheme, authority) = raw.split_once("://")?;
        let scheme = scheme.to_ascii_lowercase();
        if matches!(scheme.as_str(), "http" | "https") { Self::at(&scheme, authority) } else { None }
    }

    /// What is reached by `scheme` at an authority, the value of a header
    /// `Host`: a host and perhaps a port (RFC 9110 7.2).
    #[must_use]
    pub fn at(scheme: &str, authority: &str) -> Option<Self> {
        // A parser of whole addresses would take these and pass over them.
        let foreign = |byte: u8| !byte.is_ascii_graphic() || b"/\\?#@".contains(&byte);
        if authority.bytes().any(foreign) {
            return None;
        }
        Self::of_url(&Url::parse(&format!("{scheme}://{authority}")).ok()?)
    }

    /// Whether [`Self::at`] finds a host. Every request is asked this, so what
    /// needs no parser of addresses is decided without one.
    #[must_use]
    pub fn is_authority(authority: &str) -> bool {
        is_plain_authority(authority) || Self::at("http", authority).is_some()
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
    /// For a site without a public URL: the address that it listens on, and
    /// every other name that a request uses for it.
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

    /// Notes the real address of the listener, whose port the system may have
    /// chosen. A configured public URL stays.
    pub fn listens_to(&mut self, address: SocketAddr) {
        if !self.is_set {
            *self = Self::of_listener(self.is_https(), address);
        }
    }

    /// Whether other machines can reach the site at the address that it
    /// assumes.
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

    /// The origin that the operator has set, if any.
    #[must_use]
    pub fn set(&self) -> Option<&Origin> {
        self.is_set.then_some(&self.origin)
    }

    /// The name by which the site greets a mail server: its host, an address in
    /// brackets (RFC 5321 4.1.3).
    #[must_use]
    pub fn mail_name(&self) -> String {
        match &self.origin.host {
            Host::Domain(name) => name.clone(),
            Host::Ipv4(ip) => format!("[{ip}]"),
            Host::Ipv6(ip) => format!("[IPv6:{ip}]"),
        }
    }

    /// The site's origin for a request whose `Host` is `authority`.
    #[must_use]
    pub fn origin(&self, authority: Option<&str>) -> Origin {
        let called = || authority.and_then(|authority| Origin::at(&self.origin.scheme, authority));
        if self.is_set { None } else { called() }.unwrap_or_else(|| self.origin.clone())
    }

    /// Whether `authority` is the site's own address.
    #[must_use]
    pub fn is_called(&self, authority: Option<&str>) -> bool {
        let called = authority.and_then(|authority| Origin::at(&self.origin.scheme, authority));
        called.is_some_and(|called| !self.is_set || called == self.origin)
    }
}

/// Whether this is an IPv4 address or a name in plain ASCII, and maybe a port: of
/// the names no part may be Punycode, and the last begins with a letter, so that
/// it is no number (WHATWG URL 3.5).
fn is_plain_authority(authority: &str) -> bool {
    let (host, port) = authority.split_once(':').map_or((authority, "0"), |(host, port)| (host, port));
    let is_label = |label: &str| {
        let (first, last) = (label.bytes().next(), label.bytes().next_back());
        first.is_some_and(|byte| byte.is_ascii_alphanumeric())
            && last.is_some_and(|byte| byte.is_ascii_alphanumeric())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.contains("--")
    };
    let is_name = || {
        let ends_in_name =
            host.rsplit('.').next().is_some_and(|label| label.starts_with(char::is_alphabetic));
        ends_in_name && host.len() < 254 && host.split('.').all(|label| label.len() < 64 && is_label(label))
    };
    let is_port =
        !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok();
    is_port && (is_name() || host.parse::<Ipv4Addr>().is_ok())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn set(raw: &str) -> PublicUrl {
        raw.parse().unwrap()
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
    /// What is decided without a parser of addresses, that parser takes as well.
    #[test]
    fn an_authority_in_plain_letters_is_one() {
        let hosts = [
            "posts.example",
            "POSTS.example",
            "localhost",
            "a",
            "1.example",
            "a-b.c1",
            "127.0.0.1",
            "255.255.255.255",
            "256.1.1.1",
            "1.2.3",
            "1.2.3.4.5",
            "0x7f.1",
            "a.0x7f",
            "a.1",
            "01.2.3.4",
            "a..b",
            ".a",
            "a.",
            "-a",
            "a-",
            "xn--a",
            "a.xn--p1ai",
            "a_b",
            "a b",
            "a*",
            "ä",
            "[::1]",
            "",
            "a%41",
            "a/b",
            "ada@posts.example",
        ];
        let mut plain = 0;
        for host in hosts {
            for port in ["", ":", ":80", ":65535", ":65536", ":080", ":-1", ":+1", ":8a", ":1:2"] {
                let authority = format!("{host}{port}");
                let is_plain = is_plain_authority(&authority);
                assert!(!is_plain || Origin::at("http", &authority).is_some(), "{authority}");
                plain += usize::from(is_plain);
            }
        }
        assert_eq!(plain, 8 * 4, "the first eight, with each port and without");
    }
}
