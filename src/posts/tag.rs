//! The tags of a post.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::text::is_default_ignorable;

/// A word by which posts are found: 1 to 40 characters, in lower case, without spaces.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Tag(String);

/// Why a text is no tag. The words are the ones a form shows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TagError {
    #[error("A tag must be {max} characters or fewer", max = Tag::MAX_CHARS)]
    TooLong,
    /// With the text.
    #[error(
        "“{0}” is no tag: a tag has letters or digits, and no signs but “-”, “_”, “+”, “#” and “.”. Separate tags by commas"
    )]
    Character(String),
    #[error("Enter {max} tags or fewer", max = Tags::MAX)]
    TooMany,
}

impl Tag {
    pub const MAX_CHARS: usize = 40;

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Tag {
    type Error = TagError;

    fn try_from(raw: String) -> Result<Self, TagError> {
        let is_allowed = |c: char| {
            if c.is_ascii() {
                c.is_ascii_lowercase() || c.is_ascii_digit() || "-_+#.".contains(c)
            } else {
                !c.is_control() && !c.is_whitespace() && !is_default_ignorable(c)
            }
        };
        if !raw.chars().all(is_allowed) || !raw.contains(char::is_alphanumeric) {
            return Err(TagError::Character(raw.chars().take(Self::MAX_CHARS).collect()));
        }
        if raw.chars().count() > Self::MAX_CHARS {
            return Err(TagError::TooLong);
        }
        Ok(Self(raw))
    }
}

impl From<Tag> for String {
    fn from(tag: Tag) -> Self {
        tag.0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The tags of a post, each once, in the order of its author.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Tag>", into = "Vec<Tag>")]
pub struct Tags(Vec<Tag>);

impl Tags {
    /// Tags of a post at most.
    pub const MAX: usize = 10;

    pub fn iter(&self) -> impl Iterator<Item = &Tag> {
        self.0.iter()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As they are stored: with a comma between them.
    #[must_use]
    pub fn stored(&self) -> String {
        self.joined(",")
    }

    /// As an author types them.
    #[must_use]
    pub fn typed(&self) -> String {
        self.joined(", ")
    }

    fn joined(&self, separator: &str) -> String {
        self.0.iter().map(Tag::as_str).collect::<Vec<_>>().join(separator)
    }

    /// Reads [`Self::stored`].
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn from_stored(stored: &str) -> Result<Self, TagError> {
        stored.split(',').filter(|tag| !tag.is_empty()).map(|tag| Tag::try_from(tag.to_owned())).collect()
    }
}

/// Removes repetitions, and does not count.
impl FromIterator<Tag> for Tags {
    fn from_iter<I: IntoIterator<Item = Tag>>(tags: I) -> Self {
        let mut unique = Vec::new();
        for tag in tags {
            if !unique.contains(&tag) {
                unique.push(tag);
            }
        }
        Self(unique)
    }
}

impl TryFrom<Vec<Tag>> for Tags {
    type Error = TagError;

    fn try_from(tags: Vec<Tag>) -> Result<Self, TagError> {
        let tags: Self = tags.into_iter().collect();
        if tags.0.len() > Self::MAX { Err(TagError::TooMany) } else { Ok(tags) }
    }
}

impl From<Tags> for Vec<Tag> {
    fn from(tags: Tags) -> Self {
        tags.0
    }
}
