//! What a post was before.

use serde::{Deserialize, Serialize};

use super::{PostId, Tags};
use crate::timestamp::Timestamp;

/// A version of a post, as a list has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    pub post: PostId,
    pub version: i64,
    pub saved_at: Timestamp,
    pub title: String,
    pub tags: Tags,
    /// Characters of its text.
    pub chars: i64,
    /// Whether the post is as this version now.
    pub is_current: bool,
}
