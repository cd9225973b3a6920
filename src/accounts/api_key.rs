//! The parts of an API key that people enter and see. The key itself is in
//! `credentials::api_key`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{text::is_blank, timestamp::Timestamp};

/// What its owner calls a key: trimmed, 1 to 60 characters, one visible line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ApiKeyName(String);

/// Why a text is no name of a key. The words are the ones a form shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiKeyNameError {
    #[error("Enter a name for the key")]
    Empty,
    /// Longer than [`ApiKeyName::MAX_CHARS`].
    #[error("Name must be {max} characters or fewer; this one has {chars}", max = ApiKeyName::MAX_CHARS)]
    TooLong {
        /// After trimming.
        chars: usize,
    },
    /// A line break, a NUL or the like.
    #[error("Name must be a single line without control characters")]
    ControlCharacter,
}

/// How long a key lives: 1 to 365 days (security row K1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApiKeyDays(u16);

/// The text is no number of days that a key may live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Enter a whole number of days from 1 to {max}", max = ApiKeyDays::MAX)]
pub struct ApiKeyDaysError;

/// A key as its owner finds it in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedApiKey {
    pub id: String,
    pub name: String,
    /// The first characters, to tell the key from others.
    pub hint: String,
    pub created_at: Timestamp,
    /// It is refused from then on.
    pub expires_at: Timestamp,
    /// When a program last came with it, to the minute; absent if none has.
    pub last_used_at: Option<Timestamp>,
}

/// A key that was just made, with its text, which is shown this once. A plain
/// text, because it is copied into an answer; but it is not printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewApiKey {
    /// The key itself. Nobody can look it up later.
    pub key: String,
    #[serde(flatten)]
    pub listed: ListedApiKey,
}

impl ApiKeyName {
    /// In characters (Unicode scalar values), after trimming.
    pub const MAX_CHARS: usize = 60;

    /// Trims, then checks.
    pub fn parse(raw: &str) -> Result<Self, ApiKeyNameError> {
        let name = raw.trim();
        if is_blank(name) {
            return Err(ApiKeyNameError::Empty);
        }
        if name.chars().any(char::is_control) {
            return Err(ApiKeyNameError::ControlCharacter);
        }
        match name.chars().count() {
            chars if chars > Self::MAX_CHARS => Err(ApiKeyNameError::TooLong { chars }),
            _ => Ok(Self(name.to_owned())),
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ApiKeyName {
    type Error = ApiKeyNameError;

    fn try_from(raw: String) -> Result<Self, ApiKeyNameError> {
        Self::parse(&raw)
    }
}

impl From<ApiKeyName> for String {
    fn from(name: ApiKeyName) -> Self {
        name.0
    }
}

impl ApiKeyDays {
    /// In days.
    pub const MAX: u16 = 365;
    /// Unless its owner wants another: a quarter of a year.
    pub const DEFAULT: Self = Self(90);

    /// A whole number of days, as typed.
    ///
    /// # Errors
    /// [`ApiKeyDaysError`] for anything but 1 to 365.
    pub fn parse(raw: &str) -> Result<Self, ApiKeyDaysError> {
        match raw.trim().parse() {
            Ok(days @ 1..=Self::MAX) => Ok(Self(days)),
            _ => Err(ApiKeyDaysError),
        }
    }

    /// The end of a key that begins at `start`.
    #[must_use]
    pub fn after(self, start: Timestamp) -> Timestamp {
        start.after(std::time::Duration::from_secs(u64::from(self.0) * 24 * 60 * 60))
    }
}

impl fmt::Display for ApiKeyDays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for NewApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewApiKey").field("listed", &self.listed).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_visible_line_of_sixty_characters_at_most() {
        assert_eq!(ApiKeyName::parse(" Reader ").unwrap().as_str(), "Reader");
        assert!(ApiKeyName::parse(&"é".repeat(60)).is_ok());
        assert_eq!(ApiKeyName::parse(&"é".repeat(61)), Err(ApiKeyNameError::TooLong { chars: 61 }));
        for blank in ["", "  ", "\u{200B}\u{2060}"] {
            assert_eq!(ApiKeyName::parse(blank), Err(ApiKeyNameError::Empty), "{blank:?}");
        }
        assert_eq!(ApiKeyName::parse("a\nb"), Err(ApiKeyNameError::ControlCharacter));
        assert_eq!(ApiKeyName::parse("a\0b"), Err(ApiKeyNameError::ControlCharacter));
    }

    #[test]
    fn a_key_lives_1_to_365_days() {
        for good in ["1", " 90 ", "365"] {
            assert!(ApiKeyDays::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "0", "366", "-1", "1.5", "a year", "65537", "99999999999999999999"] {
            assert_eq!(ApiKeyDays::parse(bad), Err(ApiKeyDaysError), "{bad}");
        }
        let start = Timestamp::from_micros(0);
        assert_eq!(ApiKeyDays::parse("2").unwrap().after(start).micros(), 172_800_000_000);
    }

    #[test]
    fn a_new_key_is_not_printed() {
        let start = Timestamp::from_micros(0);
        let listed = ListedApiKey {
            id: "1".into(),
            name: "Reader".into(),
            hint: "byl_abcd".into(),
            created_at: start,
            expires_at: start,
            last_used_at: None,
        };
        let key = NewApiKey { key: "byl_abcdefgh".into(), listed };
        assert!(!format!("{key:?}").contains("efgh"), "{key:?}");
    }
}
