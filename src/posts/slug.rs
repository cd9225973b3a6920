//! The last part of a post's address.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The last part of a post's address, `/@{username}/{slug}`: 1 to 80 of `a-z 0-9 -`, with no
/// hyphen at either end and no two in a row.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Slug(String);

impl Slug {
    pub const MAX_CHARS: usize = 80;

    /// A text that is a slug already.
    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        Self::try_from(raw.to_owned()).ok()
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Slug {
    type Error = &'static str;

    fn try_from(raw: String) -> Result<Self, Self::Error> {
        let fits = raw.len() <= Self::MAX_CHARS
            && raw.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && raw.split('-').all(|word| !word.is_empty());
        if fits { Ok(Self(raw)) } else { Err("not a slug") }
    }
}

impl From<Slug> for String {
    fn from(slug: Slug) -> Self {
        slug.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_words_between_single_hyphens() {
        for good in ["a", "7", "hello-world", "2026-11-28", &"x".repeat(80)] {
            assert!(Slug::parse(good).is_some(), "{good:?}");
        }
        for bad in ["", "-", "-a", "a-", "a--b", "A", "é", "a b", "a/b", "feed.atom", &"x".repeat(81)] {
            assert!(Slug::parse(bad).is_none(), "{bad:?}");
        }
    }
}
