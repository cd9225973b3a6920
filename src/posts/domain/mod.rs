//! The server's half of posts: use cases, the policy that decides, the SQL.

pub mod filter;
pub mod fold;
pub mod markdown;
pub mod policy;
pub mod reader;
pub mod rendering;
pub mod service;
pub mod sql;
pub mod store;

use super::{Content, Post, PostId, Title};
use crate::{
    database::internal,
    error::{AppError, Field, FieldErrors},
    timestamp::Timestamp,
    username::Username,
};
use serde::Deserialize;

use filter::Filter;
use store::{Changed, DeletedPost};

/// What an author hands in: a title and a text, both parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostText {
    /// Plain text.
    pub title: Title,
    /// Markdown, if a program has not left it out.
    pub content: Option<Content>,
}

impl PostText {
    /// The text as people see it: an empty one where there is none.
    #[must_use]
    pub fn text(&self) -> &Content {
        Content::or_empty(self.content.as_ref())
    }

    /// Both parts, as typed: an empty text is an empty text.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn parse(title: &str, content: &str) -> Result<Self, FieldErrors> {
        let mut errors = FieldErrors::default();
        let title = errors.take(Field::Title, Title::parse(title));
        let content = errors.take(Field::Content, Content::parse(content));
        match (title, content) {
            (Some(title), Some(content)) => Ok(Self { title, content: Some(content) }),
            _ => Err(errors),
        }
    }
}

/// A post that is about to be.
#[derive(Clone, Debug)]
pub struct NewPost {
    /// Its id, if the program brings one.
    pub id: Option<PostId>,
    /// Whose it is to be, if the program says so: the author's own, or nobody's.
    pub owner: Option<String>,
    /// What it says.
    pub post_text: PostText,
}

impl From<PostText> for NewPost {
    fn from(post_text: PostText) -> Self {
        Self { id: None, owner: None, post_text }
    }
}

/// What an edit changes; the rest stays.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// The new title.
    pub title: Option<Title>,
    /// What becomes of the text.
    pub content: ContentChange,
    /// Whose it is from now on.
    pub owner: Option<Username>,
}

/// What an edit does with the text of a post.
#[derive(Clone, Debug, Default)]
pub enum ContentChange {
    /// It stays as it is.
    #[default]
    Keep,
    /// It is this from now on, or none: what programs say.
    Set(Option<Content>),
    /// It is what stands in an editor. That shows no text as an empty one, so
    /// an empty one that comes back is no change.
    Save(Content),
}

impl ContentChange {
    /// What it brings, if anything.
    #[must_use]
    pub const fn brought(&self) -> Option<Option<&Content>> {
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

    /// What `current` becomes.
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
        Self { title: Some(title), content, owner: None }
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

/// What must be so for a change to happen.
#[derive(Clone, Debug)]
pub struct Guard {
    /// The post still has this version (security row D4).
    pub version: Option<i64>,
    /// This holds of it.
    pub condition: Filter,
}

impl Guard {
    /// Nothing in particular.
    pub const NONE: Self = Self { version: None, condition: Filter::EVERYTHING };

    /// The post still has that version.
    #[must_use]
    pub fn version(version: i64) -> Self {
        Self { version: Some(version), ..Self::NONE }
    }
}

/// What is known of a post, there or deleted.
#[derive(Clone, Copy, Debug)]
pub struct PostSnapshot<'a> {
    /// Its id.
    pub id: &'a PostId,
    /// Its title; empty once it is deleted and that is forgotten.
    pub title: &'a str,
    /// Its Markdown, if it has any; none once it is deleted and that is forgotten.
    pub content: Option<&'a str>,
    /// The username of its author.
    pub owner: &'a str,
    /// Raised by every change, and by the deletion.
    pub version: i64,
    /// When it was published.
    pub created_at: Timestamp,
    /// When it was last changed, or deleted.
    pub changed_at: Timestamp,
    /// Whether it is gone.
    pub deleted: bool,
}

impl<'a> From<&'a Post> for PostSnapshot<'a> {
    fn from(post: &'a Post) -> Self {
        Self {
            id: &post.id,
            title: post.title.as_str(),
            content: post.content.as_ref().map(Content::as_str),
            owner: &post.owner,
            version: post.version,
            created_at: post.created_at,
            changed_at: post.updated_at,
            deleted: false,
        }
    }
}

impl<'a> From<&'a DeletedPost> for PostSnapshot<'a> {
    fn from(post: &'a DeletedPost) -> Self {
        Self {
            id: &post.id,
            title: &post.title,
            content: post.content.as_deref(),
            owner: &post.owner,
            version: post.version,
            created_at: post.created_at,
            changed_at: post.deleted_at,
            deleted: true,
        }
    }
}

impl<'a> From<&'a Changed> for PostSnapshot<'a> {
    fn from(post: &'a Changed) -> Self {
        match post {
            Changed::Post(post) => post.into(),
            Changed::Deleted(post) => post.into(),
        }
    }
}
