//! The server's half of posts: use cases, the policy that decides, the SQL.

pub mod markdown;
pub mod policy;
pub mod service;
pub mod store;

use super::{Content, Title};

/// What an author hands in: a title and a text, both parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Plain text.
    pub title: Title,
    /// Markdown.
    pub content: Content,
}
