//! The server side of posts: use cases, the policy that decides, the SQL.

pub mod approval;
pub mod approving;
pub mod by_id;
pub mod difference;
pub mod draft_lists;
pub mod draft_posts;
mod draft_store;
pub mod ending;
mod filing;
pub mod filter;
pub mod fold;
mod folded;
pub mod front_matter;
mod grams;
pub mod hidden;
mod highlight;
pub mod importing;
mod joints;
pub mod language;
mod limits;
pub mod lists;
pub mod markdown;
pub mod narrowing;
pub mod pictures;
pub mod policy;
mod post_text;
pub mod preview;
pub mod reader;
pub mod reading;
pub mod reading_time;
pub mod redirects;
pub mod rendered;
pub mod rendering;
pub mod reports;
pub mod restoring;
pub mod revisions;
mod rows;
pub mod schedule;
pub mod scheduled;
pub mod search;
pub mod search_index;
pub mod select;
pub mod service;
pub mod slugs;
mod snapshot;
pub mod sql;
pub mod store;
pub mod sweeps;
pub mod trash;

use super::{Content, Post, PostId, Title};
use crate::{database::internal, error::AppError, timestamp::Timestamp, username::Username};
use serde::Deserialize;

pub use filing::{Filing, FilingChange, parse_tags};
use filter::Filter;
pub use post_text::{DraftText, PostText, Written};
pub use snapshot::{Changed, DeletedPost, PostSnapshot};

#[derive(Clone, Debug)]
pub struct NewPost {
    /// The id that a program brings, if any.
    pub id: Option<PostId>,
    /// The owner that the program names; refused unless it is the author.
    pub owner: Option<String>,
    pub post_text: PostText,
    pub filing: Filing,
    /// The time of its first publication elsewhere, if it had one.
    pub date: Option<Timestamp>,
}

impl From<PostText> for NewPost {
    fn from(post_text: PostText) -> Self {
        Self { id: None, owner: None, post_text, filing: Filing::default(), date: None }
    }
}

impl From<Written> for NewPost {
    fn from(Written { text, filing, date }: Written) -> Self {
        Self { filing: filing.into_new(), date, ..text.into() }
    }
}

/// An edit; absent fields are unchanged.
#[derive(Clone, Debug, Default)]
pub struct Change {
    pub title: Option<Title>,
    pub content: ContentChange,
    /// The new owner.
    pub owner: Option<Username>,
    pub filing: FilingChange,
}

/// How an edit changes the text of a post.
#[derive(Clone, Debug, Default)]
pub enum ContentChange {
    #[default]
    Keep,
    /// The new text, or none, from a program.
    Set(Option<Content>),
    /// The text from an editor. The editor shows a missing text as an empty one, so
    /// an empty text does not change a missing one.
    Save(Content),
}

impl ContentChange {
    /// The new text, if there is one.
    #[must_use]
    pub const fn new_content(&self) -> Option<Option<&Content>> {
        match self {
            Self::Keep => None,
            Self::Set(content) => Some(content.as_ref()),
            Self::Save(content) => Some(Some(content)),
        }
    }

    /// The text from now on, as people see it; `None` where it stays.
    #[must_use]
    pub fn text(&self) -> Option<&Content> {
        match self {
            Self::Keep => None,
            Self::Set(content) => Some(Content::or_empty(content.as_ref())),
            Self::Save(content) => Some(content),
        }
    }

    /// The text after the edit.
    #[must_use]
    pub fn of(self, current: Option<&Content>) -> Option<Content> {
        match self {
            Self::Keep => current.cloned(),
            Self::Set(content) => content,
            Self::Save(content) if current.is_none() && content.as_str().is_empty() => None,
            Self::Save(content) => Some(content),
        }
    }
}

/// An edit by somebody who saw title and text in an editor.
impl From<PostText> for Change {
    fn from(PostText { title, content }: PostText) -> Self {
        let content = content.map_or(ContentChange::Keep, ContentChange::Save);
        Self { title: Some(title), content, owner: None, filing: FilingChange::default() }
    }
}

impl From<Written> for Change {
    fn from(Written { text, filing, .. }: Written) -> Self {
        Self { filing, ..text.into() }
    }
}

/// Somebody else changed the post first; it is as `current` now.
#[must_use]
pub fn conflict(current: &Post) -> AppError {
    serde_json::to_value(current)
        .map_or_else(internal, |current| AppError::Conflict { current: Box::new(current) })
}

/// The post as it is now, where `error` is a [`conflict`].
#[must_use]
pub fn conflicting(error: &AppError) -> Option<Post> {
    match error {
        AppError::Conflict { current } => Post::deserialize(current.as_ref()).ok(),
        _ => None,
    }
}

/// The condition under which a change happens.
#[derive(Clone, Debug)]
pub struct Guard {
    /// The post still has this version (security row D4).
    pub version: Option<i64>,
    /// The condition that has to be true for it.
    pub condition: Filter,
}

impl Guard {
    /// No condition.
    pub const NONE: Self = Self { version: None, condition: Filter::EVERYTHING };

    /// The post still has that version.
    #[must_use]
    pub fn version(version: i64) -> Self {
        Self { version: Some(version), ..Self::NONE }
    }
}
