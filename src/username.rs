//! The name of an author, shown under each post.

use std::fmt;

use serde::{Deserialize, Serialize};

/// 3 to 30 of `a-z 0-9 _ -`, lower case (security row P6): names that look
/// alike cannot both exist, and a name stands in a URL as it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Username(String);

/// Why a text is no username. The words are the ones a form shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UsernameError {
    #[error("Enter a username")]
    Empty,
    /// Shorter than 3 or longer than 30 characters.
    #[error("Username must be 3 to 30 characters long")]
    Length,
    /// Something other than `a-z 0-9 _ -`.
    #[error("Username can have the letters a to z, numbers, hyphens and underscores only")]
    Character,
    /// Reserved for the site itself.
    #[error("That username is reserved. Choose another")]
    Reserved,
}

/// Names that could be taken for the site or for one of its paths. The list may
/// grow: it is only for new accounts, and nobody loses a name.
const RESERVED: &[&str] = &[
    "about",
    "abuse",
    "account",
    "accounts",
    "admin",
    "administrator",
    "anonymous",
    "api",
    "assets",
    "author",
    "byline",
    "cognito",
    "contact",
    "dashboard",
    "deleted-author",
    "edit",
    "events",
    "everyone",
    "feed",
    "forgot-password",
    "graphiql",
    "graphql",
    "healthz",
    "help",
    "hostmaster",
    "info",
    "livez",
    "login",
    "logout",
    "mail",
    "media",
    "moderator",
    "my-posts",
    "new",
    "noreply",
    "no-reply",
    "nobody",
    "null",
    "owner",
    "pkg",
    "postmaster",
    "posts",
    "previews",
    "privacy",
    "readyz",
    "reset-password",
    "root",
    "search",
    "security",
    "settings",
    "signup",
    "site",
    "staff",
    "static",
    "support",
    "system",
    "tags",
    "terms",
    "test",
    "undefined",
    "user",
    "username",
    "users",
    "verify-email",
    "webmaster",
    "www",
];

impl Username {
    /// A name that may be chosen: one of the right form ([`Self::parse_known`])
    /// that is not reserved.
    pub fn parse(raw: &str) -> Result<Self, UsernameError> {
        let name = Self::parse_known(raw)?;
        if RESERVED.contains(&name.as_str()) { Err(UsernameError::Reserved) } else { Ok(name) }
    }

    /// A name that an account may have: trims and lowercases ASCII, then checks
    /// the format. Letters of other scripts are refused, not converted: `а`
    /// (Cyrillic) is not `a`.
    pub fn parse_known(raw: &str) -> Result<Self, UsernameError> {
        let name = raw.trim().to_ascii_lowercase();
        if name.is_empty() {
            return Err(UsernameError::Empty);
        }
        if !name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-')) {
            return Err(UsernameError::Character);
        }
        if !(3..=30).contains(&name.len()) {
            return Err(UsernameError::Length);
        }
        Ok(Self(name))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// From a row of the database, or from a session.
impl TryFrom<String> for Username {
    type Error = UsernameError;

    fn try_from(raw: String) -> Result<Self, UsernameError> {
        Self::parse_known(&raw)
    }
}

impl From<Username> for String {
    fn from(username: Username) -> Self {
        username.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_canonical() {
        assert_eq!(Username::parse(" Alice ").unwrap().as_str(), "alice");
        assert_eq!(Username::parse("ALICE"), Username::parse("alice"));
    }

    #[test]
    fn look_alikes_short_long_and_reserved_names_are_refused() {
        assert_eq!(Username::parse("аlice"), Err(UsernameError::Character), "Cyrillic а");
        assert_eq!(Username::parse("a b"), Err(UsernameError::Character));
        assert_eq!(Username::parse(""), Err(UsernameError::Empty));
        assert_eq!(Username::parse("ab"), Err(UsernameError::Length));
        assert!(Username::parse("abc").is_ok());
        assert!(Username::parse(&"a".repeat(30)).is_ok());
        assert_eq!(Username::parse(&"a".repeat(31)), Err(UsernameError::Length));
        assert_eq!(Username::parse("Admin"), Err(UsernameError::Reserved));
        assert!(Username::parse_known("Admin").is_ok(), "somebody may have it from before");
    }

    proptest! {
        #[test]
        fn every_name_that_parses_is_canonical(raw in "[A-Za-z0-9_-]{0,32}|.{0,32}") {
            if let Ok(name) = Username::parse(&raw) {
                prop_assert!((3..=30).contains(&name.as_str().len()));
                prop_assert!(name.as_str().bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-'));
                prop_assert_eq!(Username::parse(&name.as_str().to_ascii_uppercase()).unwrap(), name);
            }
        }
    }
}
