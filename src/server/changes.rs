//! What changed. Whoever keeps something ready asks here whether it still holds.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::atomic::{AtomicU64, Ordering},
};

use crate::posts::PostId;

const SLOTS: usize = 1024;

/// Counters that only rise: one for all lists, and one for each slot of
/// posts. A cache puts the counter it read *before* reading the database into
/// its key; a change raises it, and the old entry is never found again. So
/// nothing has to be removed, and a slow reader cannot store what is stale.
#[derive(Debug)]
pub struct Changes {
    lists: AtomicU64,
    posts: Box<[AtomicU64]>,
}

impl Default for Changes {
    fn default() -> Self {
        Self { lists: AtomicU64::new(0), posts: (0..SLOTS).map(|_| AtomicU64::new(0)).collect() }
    }
}

impl Changes {
    /// A post was made, edited or deleted, and the change is in the database.
    pub fn post_changed(&self, id: &PostId) {
        self.slot(id.as_str()).fetch_add(1, Ordering::AcqRel);
        self.lists.fetch_add(1, Ordering::AcqRel);
    }

    /// The counter of everything that lists posts.
    #[must_use]
    pub fn lists(&self) -> u64 {
        self.lists.load(Ordering::Acquire)
    }

    /// The counter of one post (shared with others of its slot: a change too
    /// many costs a rendering, never a stale page).
    #[must_use]
    pub fn post(&self, id: &PostId) -> u64 {
        self.slot(id.as_str()).load(Ordering::Acquire)
    }

    fn slot(&self, id: &str) -> &AtomicU64 {
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        &self.posts[hasher.finish() as usize % SLOTS]
    }
}
