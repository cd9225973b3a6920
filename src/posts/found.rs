//! What a search finds.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{Cursor, Summary, cursor::CursorError};

/// A part of a plain text, with or without a mark.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    pub text: String,
    /// Whether it is what was searched for.
    pub marked: bool,
}

/// A post that has every word of a search.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    #[serde(flatten)]
    pub post: Summary,
    /// The whole title, in pieces.
    pub marked_title: Vec<Piece>,
    /// A part of the text around the words, in pieces; its beginning if no word stands in
    /// what readers see.
    pub marked_excerpt: Vec<Piece>,
}

/// One page of what a search finds. Posts with all words in the title come first, and then
/// all others; both newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchPage {
    /// At most [`SearchPage::SIZE`].
    pub posts: Vec<Found>,
    /// Where the next page begins; absent on the last one.
    pub more: Option<SearchPlace>,
}

impl SearchPage {
    /// Posts on a page.
    pub const SIZE: usize = 20;
}

/// A place in what a search finds.
///
/// As text: `title_{cursor}`, `text` or `text_{cursor}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum SearchPlace {
    /// Among the posts with all words in the title.
    Titles(Cursor),
    /// Among the others, or before all of them.
    Texts(Option<Cursor>),
}

impl fmt::Display for SearchPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Titles(cursor) => write!(f, "title_{cursor}"),
            Self::Texts(None) => f.write_str("text"),
            Self::Texts(Some(cursor)) => write!(f, "text_{cursor}"),
        }
    }
}

impl FromStr for SearchPlace {
    type Err = CursorError;

    fn from_str(raw: &str) -> Result<Self, CursorError> {
        match raw.split_once('_') {
            Some(("title", cursor)) => cursor.parse().map(Self::Titles),
            Some(("text", cursor)) => cursor.parse().map(|cursor| Self::Texts(Some(cursor))),
            None if raw == "text" => Ok(Self::Texts(None)),
            _ => Err(CursorError),
        }
    }
}

impl TryFrom<String> for SearchPlace {
    type Error = CursorError;

    fn try_from(raw: String) -> Result<Self, CursorError> {
        raw.parse()
    }
}

impl From<SearchPlace> for String {
    fn from(place: SearchPlace) -> Self {
        place.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_survives_its_text_and_nothing_else_is_one() {
        for text in ["title_1_a", "text", "text_1_a", "text_-5_a_b"] {
            assert_eq!(text.parse::<SearchPlace>().map(|place| place.to_string()).as_deref(), Ok(text));
        }
        for text in ["", "title", "title_", "text_", "texts", "1_a", "text_01_a", "Text"] {
            assert_eq!(text.parse::<SearchPlace>(), Err(CursorError), "{text}");
        }
    }
}
