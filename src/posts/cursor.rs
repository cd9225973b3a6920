//! Keyset pagination: a page begins where another ended, even if posts were added.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::PostId;
use crate::{error::AppError, timestamp::Timestamp};

/// A place in a list, between two posts. Lists are ordered by creation time and then
/// by id. The cursor has both, so posts of the same microsecond are neither skipped
/// nor repeated.
///
/// As text: `{microseconds}_{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cursor {
    /// The creation time of the post at the edge.
    pub created_at: Timestamp,
    pub id: PostId,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.created_at.micros(), self.id)
    }
}

/// The text is no cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the address names no place in this list")]
pub struct CursorError;

impl From<CursorError> for AppError {
    fn from(error: CursorError) -> Self {
        Self::BadRequest { reason: error.to_string() }
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(raw: &str) -> Result<Self, CursorError> {
        let (micros, id) = raw.split_once('_').ok_or(CursorError)?;
        let created_at = micros.parse().map(Timestamp::from_micros).map_err(|_| CursorError)?;
        let id = PostId::parse(id).ok_or(CursorError)?;
        let cursor = Self { created_at, id };
        // One text per cursor (no "+5", no "007"), so that one page has one URL.
        if cursor.to_string() == raw { Ok(cursor) } else { Err(CursorError) }
    }
}

impl TryFrom<String> for Cursor {
    type Error = CursorError;

    fn try_from(raw: String) -> Result<Self, CursorError> {
        raw.parse()
    }
}

impl From<Cursor> for String {
    fn from(cursor: Cursor) -> Self {
        cursor.to_string()
    }
}

/// Which page of a list is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PageRequest {
    #[default]
    First,
    OlderThan(Cursor),
    NewerThan(Cursor),
}

impl PageRequest {
    /// Parses the query parameters `older` and `newer`; at most one may be given.
    ///
    /// # Errors
    ///
    /// [`CursorError`] if one does not parse, or both are given.
    pub fn parse(older: Option<&str>, newer: Option<&str>) -> Result<Self, CursorError> {
        match (older, newer) {
            (None, None) => Ok(Self::First),
            (Some(cursor), None) => cursor.parse().map(Self::OlderThan),
            (None, Some(cursor)) => cursor.parse().map(Self::NewerThan),
            (Some(_), Some(_)) => Err(CursorError),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_cursor_survives_its_text(micros: i64, id in "[A-Za-z0-9_-]{1,64}") {
            let cursor = Cursor { created_at: Timestamp::from_micros(micros), id: PostId::parse(&id).unwrap() };
            prop_assert_eq!(cursor.to_string().parse::<Cursor>(), Ok(cursor));
        }

        #[test]
        fn any_text_is_one_cursor_or_none(raw in ".{0,90}|[0-9+-]{1,21}_[a-z0-9]{1,5}") {
            if let Ok(cursor) = raw.parse::<Cursor>() {
                prop_assert_eq!(cursor.to_string(), raw);
            }
        }
    }
}
