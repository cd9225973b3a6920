//! The readers of posts by id.

use super::{by_id::ById, rendered::Stored};
use crate::{posts::Post, site::Site};

/// The readers of posts by id.
#[derive(Debug, Default)]
pub struct PostReaders {
    /// With their texts, as programs and editors read them.
    pub posts: ById<Post>,
    /// With their HTML, for pages.
    pub rendered: ById<Stored>,
}

impl Site {
    /// Reads posts by their ids, together for all who ask.
    #[must_use]
    pub fn posts(&self) -> &PostReaders {
        self.part()
    }
}
