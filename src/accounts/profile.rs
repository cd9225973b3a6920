//! What a person tells about themselves.

use serde::{Deserialize, Serialize};

use crate::text::is_blank;

/// A name that is shown in place of the username: one visible line, 60 characters at
/// most; empty for none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisplayName(String);

/// One line about a person, 160 characters at most; empty for none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct About(String);

/// Addresses of a person's other pages, five at most.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Links(Vec<String>);

/// What everyone may know of a person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    pub display_name: DisplayName,
    pub about: About,
    pub links: Links,
}

/// How quotation marks, dashes and dots of a person's posts are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Punctuation {
    /// As printers set them: “so” – it’s…
    #[default]
    Typographic,
    /// As they were typed.
    Plain,
}

impl Punctuation {
    pub const ALL: [Self; 2] = [Self::Typographic, Self::Plain];

    /// The name in forms.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Typographic => "typographic",
            Self::Plain => "plain",
        }
    }

    /// # Errors
    /// [`ProfileError::UnknownPunctuation`].
    pub fn parse(raw: &str) -> Result<Self, ProfileError> {
        Self::ALL.into_iter().find(|known| known.name() == raw).ok_or(ProfileError::UnknownPunctuation)
    }

    /// 1 for plain punctuation, otherwise 0.
    #[must_use]
    pub const fn stored(self) -> i64 {
        self as i64
    }

    #[must_use]
    pub const fn from_stored(stored: i64) -> Self {
        if stored == 0 { Self::Typographic } else { Self::Plain }
    }
}

/// Why a text is none of these. The words are the ones a form shows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    #[error("{what} must be {max} characters or fewer; this one has {chars}")]
    TooLong { what: &'static str, max: usize, chars: usize },
    /// A line break, a NUL or the like.
    #[error("{what} must be a single line without control characters")]
    ControlCharacter { what: &'static str },
    #[error("Choose “typographic” or “plain”")]
    UnknownPunctuation,
    #[error("There can be {max} links at most, one on each line", max = Links::MOST)]
    TooManyLinks,
    /// Not an address of a page.
    #[error("“{link}” is not a link. Write it with https:// in front")]
    NotALink {
        /// Shortened.
        link: String,
    },
}

fn line(raw: &str, what: &'static str, max: usize) -> Result<String, ProfileError> {
    let line = raw.trim();
    if line.chars().any(char::is_control) {
        return Err(ProfileError::ControlCharacter { what });
    }
    match line.chars().count() {
        chars if chars > max => Err(ProfileError::TooLong { what, max, chars }),
        _ if is_blank(line) => Ok(String::new()),
        _ => Ok(line.to_owned()),
    }
}

impl DisplayName {
    /// In characters (Unicode scalar values), after trimming.
    pub const MAX_CHARS: usize = 60;

    /// Trims, then checks.
    ///
    /// # Errors
    /// [`ProfileError`]
    pub fn parse(raw: &str) -> Result<Self, ProfileError> {
        line(raw, "Display name", Self::MAX_CHARS).map(Self)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name that people see: this one, or the username where there is none.
    #[must_use]
    pub fn or<'a>(&'a self, username: &'a str) -> &'a str {
        if self.0.is_empty() { username } else { &self.0 }
    }
}

impl About {
    /// In characters (Unicode scalar values), after trimming.
    pub const MAX_CHARS: usize = 160;

    /// Trims, then checks.
    ///
    /// # Errors
    /// [`ProfileError`]
    pub fn parse(raw: &str) -> Result<Self, ProfileError> {
        line(raw, "The line about you", Self::MAX_CHARS).map(Self)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Links {
    /// More are refused.
    pub const MOST: usize = 5;
    const MAX_CHARS: usize = 200;

    /// One link a line; empty lines are ignored. Only `http` and `https`: a link is
    /// shown to everyone.
    ///
    /// # Errors
    /// [`ProfileError`]
    pub fn parse(raw: &str) -> Result<Self, ProfileError> {
        let mut links = Vec::new();
        for link in raw.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let link = line(link, "A link", Self::MAX_CHARS)?;
            let rest = link.strip_prefix("https://").or_else(|| link.strip_prefix("http://"));
            let is_link = rest.is_some_and(|rest| {
                rest.starts_with(|c: char| c.is_alphanumeric() || c == '[')
                    && !rest.contains(|c: char| c.is_whitespace() || "\"<>\\^`{|}".contains(c))
            });
            if !is_link {
                return Err(ProfileError::NotALink { link: link.chars().take(60).collect() });
            }
            links.push(link);
        }
        if links.len() > Self::MOST { Err(ProfileError::TooManyLinks) } else { Ok(Self(links)) }
    }

    /// One a line.
    #[must_use]
    pub fn lines(&self) -> String {
        self.0.join("\n")
    }

    /// As they were stored.
    #[must_use]
    pub fn from_stored(lines: &str) -> Self {
        Self(lines.lines().map(str::to_owned).collect())
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_a_line_may_be_empty_but_not_long() {
        assert_eq!(DisplayName::parse("  Ada Lovelace ").unwrap().as_str(), "Ada Lovelace");
        assert_eq!(DisplayName::parse("\u{200B}").unwrap().as_str(), "");
        assert!(DisplayName::parse(&"é".repeat(60)).is_ok() && DisplayName::parse(&"é".repeat(61)).is_err());
        assert!(About::parse(&"é".repeat(160)).is_ok() && About::parse(&"é".repeat(161)).is_err());
        assert!(About::parse("a\nb").is_err());
    }

    #[test]
    fn a_link_leads_to_a_page_and_nowhere_else() {
        let links = Links::parse("https://example.org/ada\n\n http://ada.example \n").unwrap();
        assert_eq!(links.iter().collect::<Vec<_>>(), ["https://example.org/ada", "http://ada.example"]);
        assert_eq!(Links::from_stored(&links.lines()), links);
        for bad in ["javascript:alert(1)", "https://", "https://a b", "example.org", "https://\"x", "data:x"]
        {
            assert!(Links::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(Links::parse(&"https://a.example\n".repeat(6)), Err(ProfileError::TooManyLinks));
    }
}
