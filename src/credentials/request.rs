//! The credential of a request. The outermost layer finds it once and stores it
//! as an extension of the request. [`super::Caller`] verifies it later, when it
//! is needed.

use axum::http::{Extensions, HeaderMap, HeaderName, header::AUTHORIZATION};
use secrecy::SecretString;

pub const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The one credential of a request that counts.
#[derive(Clone, Debug)]
pub enum RequestCredential {
    /// A token or a key; it makes cookies count for nothing.
    Header(HeaderCredential),
    /// The cookie of a session, and nothing else.
    Session,
    Nothing,
}

/// A credential that was sent on purpose.
#[derive(Clone, Debug)]
pub enum HeaderCredential {
    /// An access token, or an id token for the GraphQL API.
    Token(SecretString),
    ApiKey(SecretString),
}

impl RequestCredential {
    /// Finds the credential in these headers; `has_session` says whether they
    /// have a session cookie.
    #[must_use]
    pub fn of(headers: &HeaderMap, has_session: bool) -> Self {
        match HeaderCredential::of_headers(headers) {
            Some(header) => Self::Header(header),
            None if has_session => Self::Session,
            None => Self::Nothing,
        }
    }

    /// The one of the request that has these extensions.
    ///
    /// # Panics
    /// Where the request did not pass the layer that finds it out, which no
    /// request survives and so the first test notices.
    #[must_use]
    pub fn in_extensions(extensions: &Extensions) -> &Self {
        extensions.get().unwrap_or_else(|| panic!("a request passed no layer for credentials"))
    }

    #[must_use]
    pub const fn header(&self) -> Option<&HeaderCredential> {
        match self {
            Self::Header(header) => Some(header),
            Self::Session | Self::Nothing => None,
        }
    }

    /// Whether the cookie of a session counts.
    #[must_use]
    pub const fn is_session(&self) -> bool {
        matches!(self, Self::Session)
    }

    #[must_use]
    pub const fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }
}

impl HeaderCredential {
    /// Reads the headers `authorization` and `x-api-key`. With both, the token
    /// counts, because it may do more. `Basic` is ignored: it belongs to a
    /// proxy in front of the site.
    #[must_use]
    pub fn of(authorization: Option<&str>, api_key: Option<&str>) -> Option<Self> {
        let token = authorization.filter(|value| !is_basic(value));
        match (token, api_key) {
            (Some(raw), _) => {
                let bare = match raw.trim_start().split_once(' ') {
                    Some((scheme, bare)) if scheme.eq_ignore_ascii_case("bearer") => bare,
                    _ => raw,
                };
                Some(Self::Token(bare.trim().into()))
            }
            (None, Some(key)) => Some(Self::ApiKey(key.trim().into())),
            (None, None) => None,
        }
    }

    /// [`Self::of`] the headers of a request. Bytes that are no text are an
    /// invalid credential. So is a repeated header: whichever of the two
    /// counted, the other would be ignored. The headers keep their copy, which is
    /// not zeroed: the HTTP server has others.
    #[must_use]
    pub fn of_headers(headers: &HeaderMap) -> Option<Self> {
        let texts = |name| headers.get_all(name).into_iter().map(|value| value.to_str().unwrap_or_default());
        Self::of(only(texts(AUTHORIZATION).filter(|value| !is_basic(value))), only(texts(X_API_KEY)))
    }
}

/// The one value of a header; an empty one where there are several.
fn only<'a>(mut values: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let first = values.next()?;
    Some(if values.next().is_none() { first } else { "" })
}

/// Whether it has that scheme (RFC 7617), and nothing behind it: two fields may
/// have been joined by a comma on the way. Clients of AppSync send a token
/// without any scheme.
fn is_basic(authorization: &str) -> bool {
    authorization
        .trim_start()
        .split_once(' ')
        .is_some_and(|(scheme, rest)| scheme.eq_ignore_ascii_case("basic") && !rest.contains(','))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use secrecy::ExposeSecret;

    use super::*;

    /// The kind and the text, for a comparison.
    fn shown(found: Option<HeaderCredential>) -> Option<(&'static str, String)> {
        found.map(|found| match found {
            HeaderCredential::Token(raw) => ("token", raw.expose_secret().to_owned()),
            HeaderCredential::ApiKey(raw) => ("key", raw.expose_secret().to_owned()),
        })
    }

    fn of(authorization: Option<&str>, api_key: Option<&str>) -> Option<(&'static str, String)> {
        shown(HeaderCredential::of(authorization, api_key))
    }

    fn token(raw: &str) -> Option<(&'static str, String)> {
        Some(("token", raw.to_owned()))
    }

    fn key(raw: &str) -> Option<(&'static str, String)> {
        Some(("key", raw.to_owned()))
    }

    #[test]
    fn a_token_comes_with_a_scheme_or_without_and_counts_more_than_a_key() {
        for raw in ["a.b.c", "Bearer a.b.c", "bearer a.b.c", " BEARER  a.b.c "] {
            assert_eq!(of(Some(raw), Some("byl_x")), token("a.b.c"), "{raw:?}");
        }
        assert_eq!(of(None, Some("byl_x")), key("byl_x"));
        assert_eq!(of(None, None), None);
    }

    #[test]
    fn an_empty_or_unreadable_credential_is_one_all_the_same() {
        assert_eq!(of(Some(""), None), token(""));
        let mut headers = HeaderMap::new();
        headers.insert(X_API_KEY, HeaderValue::from_bytes(b"\xff").unwrap());
        assert_eq!(shown(HeaderCredential::of_headers(&headers)), key(""));
    }

    #[test]
    fn what_a_proxy_asked_for_is_not_taken_for_ours() {
        assert_eq!(of(Some("Basic YTpi"), None), None);
        assert_eq!(of(Some("Basic YTpi"), Some("byl_x")), key("byl_x"));
    }

    #[test]
    fn one_credential_of_two_in_a_header_does_not_hide_the_other() {
        let of = |name: HeaderName, values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(name.clone(), HeaderValue::from_str(value).unwrap());
            }
            shown(HeaderCredential::of_headers(&headers))
        };
        assert_eq!(of(AUTHORIZATION, &["Basic YTpi", "Bearer a.b.c"]), token("a.b.c"));
        assert_eq!(of(AUTHORIZATION, &["a.b.c", "Basic YTpi"]), token("a.b.c"));
        assert_eq!(of(AUTHORIZATION, &["Basic YTpi", "basic YTpi"]), None);
        assert_eq!(of(AUTHORIZATION, &["a.b.c", "Basic YTpi", "Bearer a.b.c"]), token(""));
        assert_ne!(of(AUTHORIZATION, &["Basic YTpi, Bearer a.b.c"]), None);
        assert_eq!(of(X_API_KEY, &["byl_x", "byl_y"]), key(""));
    }

    #[test]
    fn a_cookie_counts_where_nothing_was_sent_on_purpose() {
        let mut headers = HeaderMap::new();
        assert!(RequestCredential::of(&headers, true).is_session());
        assert!(RequestCredential::of(&headers, false).is_nothing());
        headers.insert(X_API_KEY, HeaderValue::from_static("byl_x"));
        let found = RequestCredential::of(&headers, true);
        assert!(!found.is_session() && found.header().is_some());
    }
}
