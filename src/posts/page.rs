//! A page of a list of posts.

use serde::{Deserialize, Serialize};

use super::{Cursor, Language, PostId, Slug, Tags, Title};
use crate::timestamp::Timestamp;

/// A post in a list: everything but the text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
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
    /// The beginning of the text, without markup.
    pub excerpt: String,
    /// The username of the author.
    pub owner: String,
    /// The author's name as people see it: their display name, or else the username.
    pub author: String,
    /// Raised by every edit.
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Summary {
    /// Whether it was changed since it was published here. A post that was published
    /// elsewhere before has come here later than that.
    #[must_use]
    pub fn is_edited(&self) -> bool {
        self.version > 1 && self.updated_at > self.created_at
    }
}

/// One page of a list, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// At most [`Page::SIZE`].
    pub posts: Vec<Summary>,
    /// Where the next older page begins; absent on the last one.
    pub older: Option<Cursor>,
    /// Where the next newer page begins; absent on the first one.
    pub newer: Option<Cursor>,
    /// The newest event that the page includes; `/events?after=` continues from
    /// there.
    pub as_of: i64,
}

impl Page {
    /// Posts on a page.
    pub const SIZE: usize = 20;
}
