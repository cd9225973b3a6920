//! Serves the style sheet, the script and the icons.

use std::borrow::Cow;

use axum::{
    body::{Body, Bytes},
    extract::{Path, Request},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{
            ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY,
        },
    },
    response::{IntoResponse, Response},
};

use super::answers::Shared;
use crate::assets;

/// `/assets/…`: the name has the hash of the content, so it never changes.
pub async fn hashed(Path(path): Path<String>, request: Request) -> Response {
    file(&format!("assets/{path}"), request.headers(), "public, max-age=31536000, immutable")
}

/// `/pkg/…`: the files of `cargo leptos watch`, which change and keep their names.
/// It puts the files of `public/` one folder higher.
pub async fn unhashed(Path(path): Path<String>, request: Request) -> Response {
    let script = match path.as_str() {
        "boot.js" => Some(include_str!("../app/boot.js")),
        "theme.js" => Some(include_str!("../app/theme.js")),
        "passkeys.js" => Some(include_str!("../accounts/passkeys.js")),
        "room.js" => Some(include_str!("../posts/editor/room.js")),
        "text_edits.js" => Some(include_str!("../posts/editor/text_edits.js")),
        "rich_text.js" => Some(include_str!("../posts/editor/rich_text.js")),
        "pictures.js" => Some(include_str!("../posts/editor/pictures.js")),
        "local_drafts.js" => Some(include_str!("../posts/editor/local_drafts.js")),
        "autosave.js" => Some(include_str!("../posts/editor/autosave.js")),
        _ => None,
    };
    if let Some(script) = script {
        return ([(CONTENT_TYPE, "text/javascript")], script).into_response();
    }
    let made = format!("pkg/{path}");
    let path = if assets::file(&made).is_some() { made } else { path };
    file(&path, request.headers(), "no-cache")
}

/// Files that crawlers and browsers ask for by a fixed name.
pub async fn root(request: Request) -> Response {
    let path = format!("root{}", request.uri().path());
    file(&path, request.headers(), "public, max-age=86400")
}

/// The policy of a file that needs nothing beside itself, also if somebody opens it alone. It
/// is shorter than that of pages, and a first visit has several files.
const NOTHING: &str = "default-src 'none'";

fn file(path: &str, headers: &HeaderMap, cache: &'static str) -> Response {
    let Some(plain) = assets::file(path) else {
        return (StatusCode::NOT_FOUND, [(CACHE_CONTROL, "no-store")], "not found\n").into_response();
    };
    let twin = Encoding::accepted(headers)
        .into_iter()
        .find_map(|encoding| Some((encoding, assets::file(&format!("{path}.{}", encoding.extension()))?)));
    let content_type = HeaderValue::from_str(plain.metadata.mimetype())
        .unwrap_or(HeaderValue::from_static("application/octet-stream"));
    let (encoding, data) = match twin {
        Some((encoding, twin)) => (Some(encoding), twin.data),
        None => (None, plain.data),
    };
    let mut response = match data {
        Cow::Borrowed(embedded) => Response::new(Body::from(Bytes::from_static(embedded))),
        Cow::Owned(read) => Response::new(Body::from(read)),
    };
    response.extensions_mut().insert(Shared);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, content_type);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(NOTHING));
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(encoding) = encoding {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding.name()));
    }
    response
}

/// A content coding that Byline keeps ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// RFC 7932.
    Brotli,
    /// RFC 1952.
    Gzip,
}

impl Encoding {
    /// The codings that the client accepts, best first. `q=0` excludes a coding
    /// (RFC 9110 12.5.3); other weights are ignored, because brotli is the
    /// smallest.
    #[must_use]
    pub fn accepted(headers: &HeaderMap) -> Vec<Self> {
        let text = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
        [Self::Brotli, Self::Gzip]
            .into_iter()
            .filter(|encoding| {
                text.split(',').any(|part| {
                    let (name, weight) = part.split_once(';').unwrap_or((part, "q=1"));
                    let refused = weight.trim().strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0));
                    name.trim().eq_ignore_ascii_case(encoding.name()) && !refused
                })
            })
            .collect()
    }

    /// As in `Content-Encoding`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    const fn extension(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gz",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coding_is_used_only_where_the_client_takes_it() {
        let accepted = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, text.parse().unwrap());
            Encoding::accepted(&headers)
        };
        assert_eq!(accepted("gzip, deflate, br"), [Encoding::Brotli, Encoding::Gzip]);
        assert_eq!(accepted("br;q=0, GZIP;q=0.5"), [Encoding::Gzip]);
        assert_eq!(accepted("identity, brotli"), []);
        assert_eq!(Encoding::accepted(&HeaderMap::new()), []);
    }
}
