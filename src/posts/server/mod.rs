//! The server's half of posts: use cases, the policy that decides, the SQL.

pub mod feed;
pub mod filter;
pub mod markdown;
pub mod policy;
pub mod service;
pub mod sql;
pub mod store;

use self::{
    filter::Filter,
    store::{Changed, DeletedPost},
};
use super::{Content, Post, PostId, Title};
use crate::{
    accounts::Username,
    error::{Field, FieldErrors},
    timestamp::Timestamp,
};

/// What an author hands in: a title and a text, both parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Plain text.
    pub title: Title,
    /// Markdown.
    pub content: Content,
}

impl Draft {
    /// Both parts, as typed.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn parse(title: &str, content: &str) -> Result<Self, FieldErrors> {
        let mut errors = FieldErrors::default();
        let title = errors.take(Field::Title, Title::parse(title));
        let content = errors.take(Field::Content, Content::parse(content));
        match (title, content) {
            (Some(title), Some(content)) => Ok(Self { title, content }),
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
    pub draft: Draft,
}

impl From<Draft> for NewPost {
    fn from(draft: Draft) -> Self {
        Self { id: None, owner: None, draft }
    }
}

/// What an edit changes; the rest stays.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// The new title.
    pub title: Option<Title>,
    /// The new text.
    pub content: Option<Content>,
    /// Whose it is from now on.
    pub owner: Option<Username>,
}

impl From<Draft> for Change {
    fn from(draft: Draft) -> Self {
        Self { title: Some(draft.title), content: Some(draft.content), owner: None }
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
pub struct Facts<'a> {
    /// Its id.
    pub id: &'a PostId,
    /// Its title; empty once it is deleted and that is forgotten.
    pub title: &'a str,
    /// Its Markdown; the same.
    pub content: &'a str,
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

impl<'a> From<&'a Post> for Facts<'a> {
    fn from(post: &'a Post) -> Self {
        Self {
            id: &post.id,
            title: post.title.as_str(),
            content: post.content.as_str(),
            owner: &post.owner,
            version: post.version,
            created_at: post.created_at,
            changed_at: post.updated_at,
            deleted: false,
        }
    }
}

impl<'a> From<&'a DeletedPost> for Facts<'a> {
    fn from(post: &'a DeletedPost) -> Self {
        Self {
            id: &post.id,
            title: &post.title,
            content: &post.content,
            owner: &post.owner,
            version: post.version,
            created_at: post.created_at,
            changed_at: post.deleted_at,
            deleted: true,
        }
    }
}

impl<'a> From<&'a Changed> for Facts<'a> {
    fn from(post: &'a Changed) -> Self {
        match post {
            Changed::Post(post) => post.into(),
            Changed::Deleted(post) => post.into(),
        }
    }
}
