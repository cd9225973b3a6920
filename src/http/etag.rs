//! Entity tags: whether a client already has what it asks for (RFC 9110, 8.8.3 and
//! 13.1.2).

use axum::http::{HeaderMap, HeaderValue, header::IF_NONE_MATCH};
use sha2::{Digest, Sha256};

use crate::text::hex;

/// The tag of an answer with these bytes. It is weak: the same answer in another
/// content coding has the same tag (RFC 9110, 8.8.1).
#[must_use]
pub fn of(body: &[u8]) -> HeaderValue {
    let hash = Sha256::digest(body);
    HeaderValue::from_str(&format!("W/\"{}\"", hex(&hash[..12])))
        .unwrap_or(HeaderValue::from_static("W/\"\""))
}

/// Whether the client has the answer with this tag already (`If-None-Match`).
#[must_use]
pub fn is_known(request: &HeaderMap, etag: &HeaderValue) -> bool {
    let weak = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let Ok(etag) = etag.to_str().map(weak) else { return false };
    let named = request.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    named.flat_map(|value| value.split(',')).any(|tag| tag.trim() == "*" || weak(tag) == etag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_has_what_it_names_among_others_weak_or_strong() {
        let etag = of(b"an answer");
        let strong = etag.to_str().unwrap().trim_start_matches("W/").to_owned();
        assert_ne!(etag, of(b"another answer"));
        for (named, known) in [
            (vec![format!("W/{strong}")], true),
            (vec![strong.clone()], true),
            (vec![format!("\"a\", W/\"b\" ,{strong}")], true),
            (vec!["\"a\"".to_owned(), strong.clone()], true),
            (vec!["*".to_owned()], true),
            (vec!["\"a\"".to_owned()], false),
            (vec![strong.trim_matches('"').to_owned()], false),
            (vec![], false),
        ] {
            let mut request = HeaderMap::new();
            for value in &named {
                request.append(IF_NONE_MATCH, value.parse().unwrap());
            }
            assert_eq!(is_known(&request, &etag), known, "{named:?}");
        }
    }
}
