//! The known data of a post that exists or is deleted.

use std::time::Duration;

use crate::{
    posts::{Content, Post, PostId},
    timestamp::Timestamp,
};

/// A post after its last change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    Post(Post),
    Deleted(DeletedPost),
}

/// A deleted post. It is not a [`Post`], because its texts may be gone, and it
/// cannot be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeletedPost {
    /// Its id, which a new post can have again only if a program chooses it.
    pub id: PostId,
    /// Empty once the texts are removed.
    pub title: String,
    /// Its Markdown, if it had any; `None` once the text is removed.
    pub content: Option<String>,
    /// The username of its author.
    pub owner: String,
    /// One more than the post had.
    pub version: i64,
    /// When it was published.
    pub created_at: Timestamp,
    pub deleted_at: Timestamp,
}

impl DeletedPost {
    /// How long subscribers can still get the texts.
    pub const TEXT_KEPT: Duration = Duration::from_secs(10 * 60);
    /// How long programs that synchronize can learn of the deletion; Amplify's own
    /// tables keep it as long.
    pub const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);
}

/// The known data of a post that exists or is deleted.
#[derive(Clone, Copy, Debug)]
pub struct PostSnapshot<'a> {
    pub id: &'a PostId,
    /// Its title; empty once the texts of a deleted post are removed.
    pub title: &'a str,
    /// Its Markdown, if it has any; `None` once the texts of a deleted post are removed.
    pub content: Option<&'a str>,
    /// The username of its author.
    pub owner: &'a str,
    /// Raised by every change, and by the deletion.
    pub version: i64,
    /// When it was published.
    pub created_at: Timestamp,
    pub changed_at: Timestamp,
    /// Whether it is deleted.
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
