//! A picture as its author sees it.

use serde::{Deserialize, Serialize};

use crate::timestamp::Timestamp;

/// Words for people who do not see a picture: one line, 500 characters at most; empty
/// where it says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alt(String);

/// Why a text is no [`Alt`]. The words are the ones a form shows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AltError {
    #[error("The description must be {max} characters or fewer; this one has {chars}", max = Alt::MAX_CHARS)]
    TooLong { chars: usize },
    #[error("The description must be a single line without control characters")]
    ControlCharacter,
}

impl Alt {
    /// In characters (Unicode scalar values), after trimming.
    pub const MAX_CHARS: usize = 500;

    /// Trims, then checks.
    ///
    /// # Errors
    /// [`AltError`]
    pub fn parse(raw: &str) -> Result<Self, AltError> {
        let line = raw.trim();
        if line.chars().any(char::is_control) {
            return Err(AltError::ControlCharacter);
        }
        match line.chars().count() {
            chars if chars > Self::MAX_CHARS => Err(AltError::TooLong { chars }),
            _ => Ok(Self(line.to_owned())),
        }
    }

    /// From a row of the database.
    #[must_use]
    pub const fn from_stored(text: String) -> Self {
        Self(text)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// From what stands between the brackets of Markdown, with the backslashes of
    /// [`Picture::markdown`]. `None` where that describes nothing, or breaks the rules.
    #[must_use]
    pub fn from_markdown(text: &str) -> Option<Self> {
        let mut words = String::with_capacity(text.len());
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            let escaped = chars.next_if(|next| c == '\\' && next.is_ascii_punctuation());
            words.push(escaped.unwrap_or(if c.is_whitespace() { ' ' } else { c }));
        }
        Self::parse(&words).ok().filter(|alt| !alt.is_empty())
    }

    /// As it stands between the brackets of Markdown.
    fn in_markdown(&self) -> String {
        let mut text = String::with_capacity(self.0.len());
        for c in self.0.chars() {
            if c.is_ascii_punctuation()
                && matches!(c, '\\' | '[' | ']' | '*' | '_' | '`' | '<' | '&' | '!' | '$')
            {
                text.push('\\');
            }
            text.push(c);
        }
        text
    }
}

/// An uploaded picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    pub id: String,
    /// A path of the site.
    pub url: String,
    /// Of a small form of it, for lists; a path of the site.
    pub thumbnail: String,
    pub width: u32,
    pub height: u32,
    pub alt: Alt,
    /// Of all its files.
    pub bytes: i64,
    pub created_at: Timestamp,
    /// What shows it in a text.
    pub markdown: String,
}

impl Picture {
    /// What shows a picture in a text.
    #[must_use]
    pub fn markdown(alt: &Alt, url: &str) -> String {
        format!("![{}]({url})", alt.in_markdown())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_is_one_line_and_stays_as_it_is_in_markdown() {
        assert_eq!(Alt::parse("  A cat ").unwrap().as_str(), "A cat");
        assert!(Alt::parse("a\nb").is_err());
        assert!(Alt::parse(&"é".repeat(500)).is_ok() && Alt::parse(&"é".repeat(501)).is_err());
        let alt = Alt::parse("a [b](c) *d* \\").unwrap();
        assert_eq!(Picture::markdown(&alt, "/x"), "![a \\[b\\](c) \\*d\\* \\\\](/x)");
        assert_eq!(Alt::from_markdown(&alt.in_markdown()), Some(alt));
        assert_eq!(Alt::from_markdown(" A\n\\cat "), Alt::parse("A \\cat").ok());
        assert_eq!(Alt::from_markdown(" "), None);
    }
}
