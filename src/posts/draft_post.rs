//! A post that is not published.

use serde::{Deserialize, Serialize};

use super::{Content, Language, Post, PostId, Slug, Tags};
use crate::timestamp::Timestamp;

/// A post that is not published: nobody but its author knows of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DraftPost {
    /// The post keeps it when it is published.
    pub id: PostId,
    /// The last part of its future address; absent until its author chooses one.
    pub slug: Option<Slug>,
    pub tags: Tags,
    /// The language that its author chose; absent where it is found from the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// One line of 200 characters at most; empty until its author has typed one.
    pub title: String,
    /// Markdown.
    pub content: Content,
    /// Raised by every save; a save names the version it started from.
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// The time that its author has typed.
    pub publish_at: Option<Timestamp>,
    /// How many minutes the clock of its author was before UTC when they typed it.
    pub utc_offset: i64,
    /// Whether it is published then.
    pub is_scheduled: bool,
    /// Since when it waits until whoever runs the site approves it; absent where its author
    /// has not asked to publish it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_since: Option<Timestamp>,
}

impl PostOrDraft {
    #[must_use]
    pub const fn id(&self) -> &PostId {
        match self {
            Self::Published(post) => &post.id,
            Self::Draft(draft) => &draft.id,
        }
    }
}

impl DraftPost {
    /// One of which nothing is written yet.
    #[must_use]
    pub fn empty(id: PostId, now: Timestamp) -> Self {
        Self {
            id,
            slug: None,
            tags: Tags::default(),
            language: None,
            title: String::new(),
            content: Content::or_empty(None).clone(),
            version: 1,
            created_at: now,
            updated_at: now,
            publish_at: None,
            utc_offset: 0,
            is_scheduled: false,
            waits_since: None,
        }
    }

    /// Its title, as lists show it.
    #[must_use]
    pub fn shown_title(&self) -> &str {
        if self.title.is_empty() { "Untitled" } else { &self.title }
    }
}

/// A post, and whether it is published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum PostOrDraft {
    Published(Post),
    Draft(DraftPost),
}
