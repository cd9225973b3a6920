//! The types of a post. Values are parsed when they arrive and when a row is read;
//! after that, nothing is checked again.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Language, Slug, Tags};
use crate::{text::is_blank, timestamp::Timestamp};

/// A post as programs and pages read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Post {
    /// It never changes: `/posts/{id}` leads to the post for ever.
    pub id: PostId,
    /// The last part of its address, `/@{owner}/{slug}`. A post that an older Byline has
    /// stored gets one within minutes.
    pub slug: Option<Slug>,
    pub tags: Tags,
    /// The language that its author chose; absent where it is found from the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// Plain text.
    pub title: Title,
    /// Markdown as its author wrote it. For programs a missing text differs from an empty
    /// one, for people it does not ([`Post::text`]).
    pub content: Option<Content>,
    /// The username of the author, the only one who may change it.
    pub owner: String,
    /// Raised by every edit; an edit names the version it started from.
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Post {
    /// The text as people see it: empty if there is none.
    #[must_use]
    pub fn text(&self) -> &Content {
        Content::or_empty(self.content.as_ref())
    }
}

/// The id of a post: a UUIDv7, or the id that an importing program chose.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PostId(String);

impl PostId {
    const MAX_CHARS: usize = 64;

    /// 1 to 64 of `A-Z a-z 0-9 _ -`, so that it needs no encoding in a URL.
    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        Self::fits(raw).then(|| Self(raw.to_owned()))
    }

    fn fits(raw: &str) -> bool {
        (1..=Self::MAX_CHARS).contains(&raw.len())
            && raw.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for PostId {
    type Error = &'static str;

    fn try_from(raw: String) -> Result<Self, Self::Error> {
        if Self::fits(&raw) { Ok(Self(raw)) } else { Err("not a post id") }
    }
}

/// Some systems write it at the start of a file; it has no meaning in a text.
pub const BYTE_ORDER_MARK: char = '\u{FEFF}';

/// The title of a post: trimmed, 1 to 200 characters, one visible line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Title(String);

/// Why a text is no title. The words are the ones a form shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TitleError {
    /// It has no visible character.
    #[error("Enter a title")]
    Empty,
    /// Longer than [`Title::MAX_CHARS`].
    #[error("Title must be {max} characters or fewer; this one has {chars}", max = Title::MAX_CHARS)]
    TooLong {
        /// After trimming.
        chars: usize,
    },
    /// A line break, a NUL or the like.
    #[error("Title must be a single line without control characters")]
    ControlCharacter,
}

impl Title {
    /// In characters (Unicode scalar values), after trimming.
    pub const MAX_CHARS: usize = 200;

    /// Trims, then checks.
    pub fn parse(raw: &str) -> Result<Self, TitleError> {
        let title = raw.trim_start_matches(|c: char| c == BYTE_ORDER_MARK || c.is_whitespace()).trim_end();
        if is_blank(title) {
            return Err(TitleError::Empty);
        }
        if title.chars().any(char::is_control) {
            return Err(TitleError::ControlCharacter);
        }
        let chars = title.chars().count();
        if chars > Self::MAX_CHARS {
            return Err(TitleError::TooLong { chars });
        }
        Ok(Self(title.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Title {
    type Error = TitleError;

    fn try_from(raw: String) -> Result<Self, Self::Error> {
        Self::parse(&raw)
    }
}

/// The text of a post: Markdown, 0 to 100,000 characters, lines ended by `\n`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Content(String);

/// Why a text is no content. The words are the ones a form shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContentError {
    /// Longer than [`Content::MAX_CHARS`].
    #[error("Content must be {max} characters or fewer; this one has {chars}", max = Content::MAX_CHARS)]
    TooLong {
        /// After line ends were made one character each.
        chars: usize,
    },
    /// U+0000, which PostgreSQL's text columns refuse.
    #[error("Content contains a NUL character (U+0000); remove it")]
    Nul,
}

impl Content {
    /// In characters (Unicode scalar values); a line end counts as one.
    pub const MAX_CHARS: usize = 100_000;

    /// Replaces the line ends of a form (CRLF, by the HTML standard) by `\n`, removes a
    /// byte order mark at the start, and checks the length.
    pub fn parse(raw: &str) -> Result<Self, ContentError> {
        Self::try_from(raw.to_owned())
    }

    /// The text as people see it: empty if there is none.
    #[must_use]
    pub fn or_empty(content: Option<&Self>) -> &Self {
        static EMPTY: Content = Content(String::new());
        content.unwrap_or(&EMPTY)
    }

    /// The Markdown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Content {
    type Error = ContentError;

    fn try_from(raw: String) -> Result<Self, Self::Error> {
        if raw.contains('\0') {
            return Err(ContentError::Nul);
        }
        // A stored text has no `\r`, so it is not copied.
        let content = if raw.contains('\r') { raw.replace("\r\n", "\n").replace('\r', "\n") } else { raw };
        let content = match content.strip_prefix(BYTE_ORDER_MARK) {
            Some(rest) => rest.trim_start_matches(BYTE_ORDER_MARK).to_owned(),
            None => content,
        };
        let chars = content.chars().count();
        if chars > Self::MAX_CHARS {
            return Err(ContentError::TooLong { chars });
        }
        Ok(Self(content))
    }
}

macro_rules! text_type {
    ($($name:ident)*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.0
            }
        }
    )*};
}
text_type! { PostId Title Content }

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_title_is_trimmed_and_1_to_200_characters() {
        assert_eq!(Title::parse("  Hello \n").unwrap().as_str(), "Hello");
        assert_eq!(Title::parse(" \t"), Err(TitleError::Empty));
        assert!(Title::parse(&"é".repeat(200)).is_ok());
        assert_eq!(Title::parse(&"é".repeat(201)), Err(TitleError::TooLong { chars: 201 }));
    }

    #[test]
    fn a_title_that_nobody_could_see_is_empty() {
        for raw in ["\u{200B}", "\u{FEFF} \u{2060}", "\u{3164}", "\u{202E}"] {
            assert_eq!(Title::parse(raw), Err(TitleError::Empty), "{raw:?}");
        }
    }

    #[test]
    fn a_title_is_one_line() {
        for raw in ["a\nb", "a\0b", "a\u{7f}b", "a\u{85}b"] {
            assert_eq!(Title::parse(raw), Err(TitleError::ControlCharacter), "{raw:?}");
        }
    }

    #[test]
    fn content_counts_a_line_end_once_and_may_be_empty() {
        assert_eq!(Content::parse("a\r\nb\rc").unwrap().as_str(), "a\nb\nc");
        assert!(Content::parse("").is_ok());
        assert!(Content::parse(&"\r\n".repeat(100_000)).is_ok());
        assert_eq!(Content::parse(&"x".repeat(100_001)), Err(ContentError::TooLong { chars: 100_001 }));
        assert_eq!(Content::parse("a\0"), Err(ContentError::Nul));
    }

    proptest! {
        #[test]
        fn every_title_that_parses_keeps_the_rules_and_parses_to_itself(raw in "\\PC{0,210}|.{0,30}") {
            if let Ok(title) = Title::parse(&raw) {
                prop_assert!((1..=200).contains(&title.as_str().chars().count()));
                prop_assert_eq!(title.as_str().trim(), title.as_str());
                prop_assert!(!title.as_str().chars().any(char::is_control));
                prop_assert_eq!(Title::parse(title.as_str()).unwrap(), title);
            }
        }

        #[test]
        fn every_id_that_parses_is_safe_in_a_path(raw in ".{0,70}") {
            if let Some(id) = PostId::parse(&raw) {
                prop_assert!(!id.as_str().is_empty());
                prop_assert!(!id.as_str().contains(['/', '?', '#', '%', '.', '&', '<', '"']));
            }
        }
    }
}
