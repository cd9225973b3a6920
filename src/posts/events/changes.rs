//! Counters of changes, by which caches know whether an entry is still current.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

use crate::posts::PostId;

const SLOTS: usize = 1024;

/// Counters that only rise: one for all lists, and one for each slot of posts. The key
/// of a cache entry contains the counter from *before* the database was read. A change
/// raises the counter, so the old entry is not found any more. Nothing has to be
/// removed, and a slow reader cannot store a stale entry.
#[derive(Debug)]
pub struct Changes {
    misses_nothing: AtomicBool,
    everything: AtomicU64,
    lists: AtomicU64,
    posts: Box<[AtomicU64]>,
}

impl Changes {
    /// `alone`: no other process can change anything.
    #[must_use]
    pub fn new(alone: bool) -> Self {
        Self {
            misses_nothing: AtomicBool::new(alone),
            everything: AtomicU64::new(0),
            lists: AtomicU64::new(0),
            posts: (0..SLOTS).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// A post was made, edited or deleted, and the change is in the database.
    pub fn post_changed(&self, id: &PostId) {
        self.slot(id.as_str()).fetch_add(1, Ordering::AcqRel);
        self.lists.fetch_add(1, Ordering::AcqRel);
    }

    /// From now on no change is missed. Some may have been missed before.
    pub fn follow(&self) {
        self.everything.fetch_add(1, Ordering::AcqRel);
        self.misses_nothing.store(true, Ordering::Release);
    }

    /// From now on changes may be missed, so no cache entry is valid.
    pub fn lose(&self) {
        self.misses_nothing.store(false, Ordering::Release);
    }

    /// The counter of everything that lists posts; `None` while changes may be missed.
    #[must_use]
    pub fn lists(&self) -> Option<u64> {
        self.counter(&self.lists)
    }

    /// The counter of one post; `None` while changes may be missed. Posts of one slot
    /// share a counter, which costs some renderings but never shows a stale page.
    #[must_use]
    pub fn post(&self, id: &PostId) -> Option<u64> {
        self.counter(self.slot(id.as_str()))
    }

    /// Both parts only rise, so their sum names no two states.
    fn counter(&self, part: &AtomicU64) -> Option<u64> {
        let misses_nothing = self.misses_nothing.load(Ordering::Acquire);
        misses_nothing.then(|| self.everything.load(Ordering::Acquire) + part.load(Ordering::Acquire))
    }

    fn slot(&self, id: &str) -> &AtomicU64 {
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        &self.posts[hasher.finish() as usize % SLOTS]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_rises_with_its_post_and_is_silent_while_changes_may_be_missed() {
        let id = PostId::parse("one").unwrap();
        let changes = Changes::new(true);
        let before = (changes.lists(), changes.post(&id));
        changes.post_changed(&id);
        assert!(changes.lists() > before.0 && changes.post(&id) > before.1);

        let before = (changes.lists(), changes.post(&id));
        changes.lose();
        assert_eq!((changes.lists(), changes.post(&id)), (None, None));
        changes.follow();
        assert!(changes.lists() > before.0 && changes.post(&id) > before.1);
    }
}
