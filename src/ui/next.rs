//! Where to continue after a login.

use url::Url;

/// A path of this site to go on to, from `?next=`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Next(String);

impl Next {
    const MAX_BYTES: usize = 1024;

    /// Only a path of this site: one slash, then neither a slash nor a
    /// backslash (browsers read both as the start of a host, WHATWG URL 4.4),
    /// visible ASCII throughout, since it becomes a header.
    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        let rest = raw.strip_prefix('/')?;
        let visible = raw.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
        // What a browser would make of it has the last word.
        let stays = Url::parse("https://byline.invalid/").ok()?.join(raw).is_ok_and(|url| {
            url.host_str() == Some("byline.invalid") && url.scheme() == "https" && url.port().is_none()
        });
        let fits = !rest.starts_with('/') && visible && stays && raw.len() <= Self::MAX_BYTES;
        fits.then(|| Self(raw.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `/login?next=…` for a person who wanted to see `path`.
#[must_use]
pub fn log_in_first(path: &str) -> String {
    with_next("/login", path)
}

/// `/account/confirm?next=…` for a person who has to show once more that it is them.
#[must_use]
pub fn confirm_first(path: &str) -> String {
    with_next("/account/confirm", path)
}

/// The URL of a page that accepts `?next=`, with that target.
#[must_use]
pub fn with_next(page: &str, next: &str) -> String {
    let next: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
    // A path stays readable in the address bar; "/" means nothing in a query (RFC 3986 3.4).
    format!("{page}?next={}", next.replace("%2F", "/"))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_next_target_is_a_path_of_this_site() {
        for good in ["/", "/my-posts", "/my-posts/new?x=1&y=%20", "/posts/1#end"] {
            assert!(Next::parse(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "my-posts",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/\t/evil.example",
            "/a\r\nSet-Cookie: x",
            "javascript:alert(1)",
            "/\u{a0}",
            "/a\\b",
            " /",
        ] {
            assert_eq!(Next::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn the_way_back_after_login_is_readable_and_whole() {
        assert_eq!(log_in_first("/my-posts"), "/login?next=/my-posts");
        assert_eq!(log_in_first("/a?b=c&d"), "/login?next=/a%3Fb%3Dc%26d");
    }

    proptest! {
        #[test]
        fn no_next_target_leaves_the_site(raw in "[/\\\\a-z.:@?#%\\t ]{0,20}|.{0,30}") {
            if let Some(next) = Next::parse(&raw) {
                let base = Url::parse("https://site.example:8443/login").unwrap();
                let target = base.join(next.as_str()).unwrap();
                prop_assert_eq!(target.origin(), base.origin());
                prop_assert!(HeaderValue::from_str(next.as_str()).is_ok());
            }
        }
    }
}
