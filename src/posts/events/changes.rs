//! Counters of changes, by which caches know whether an entry is still current.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

use crate::posts::PostId;

const SLOTS: usize = 1024;

/// Counters that only rise: one for all lists, one for each slot of posts, and one for each
/// slot of authors. The key
/// of a cache entry contains the counter from *before* the database was read. A change
/// raises the counter, so the old entry is not found any more. Nothing has to be
/// removed, and a slow reader cannot store a stale entry.
#[derive(Debug)]
pub struct Changes {
    misses_nothing: AtomicBool,
    everything: AtomicU64,
    lists: AtomicU64,
    posts: Box<[AtomicU64]>,
    authors: Box<[AtomicU64]>,
}

impl Changes {
    /// `alone`: no other process serves the site. What commands change is looked for
    /// ([`super::follow`]).
    #[must_use]
    pub fn new(alone: bool) -> Self {
        Self {
            misses_nothing: AtomicBool::new(alone),
            everything: AtomicU64::new(0),
            lists: AtomicU64::new(0),
            posts: counters(),
            authors: counters(),
        }
    }

    /// A post of `owner` was made, edited or deleted, and the change is in the database.
    pub fn post_changed(&self, id: &PostId, owner: &str) {
        self.posts[slot(id.as_str())].fetch_add(1, Ordering::AcqRel);
        self.authors[slot(owner)].fetch_add(1, Ordering::AcqRel);
        self.lists.fetch_add(1, Ordering::AcqRel);
    }

    /// Something that many pages show has changed, such as the name of an author.
    pub fn everything_changed(&self) {
        self.everything.fetch_add(1, Ordering::AcqRel);
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
        self.counter(&self.posts[slot(id.as_str())])
    }

    /// Names the state of the page of a post at an address of `owner`'s: it shows the post and
    /// names those before and after it by the same author. `None` while changes may be missed.
    #[must_use]
    pub fn page_of_post(&self, id: &PostId, owner: &str) -> Option<u64> {
        let (post, author) = (self.post(id)?, self.counter(&self.authors[slot(owner)])?);
        // Not a sum: an address may lead to another post by now, with a lower counter.
        let mut hasher = DefaultHasher::new();
        (id, post, author).hash(&mut hasher);
        Some(hasher.finish())
    }

    /// The parts only rise, so their sum names no two states.
    fn counter(&self, part: &AtomicU64) -> Option<u64> {
        let misses_nothing = self.misses_nothing.load(Ordering::Acquire);
        misses_nothing.then(|| self.everything.load(Ordering::Acquire) + part.load(Ordering::Acquire))
    }
}

fn counters() -> Box<[AtomicU64]> {
    (0..SLOTS).map(|_| AtomicU64::new(0)).collect()
}

fn slot(name: &str) -> usize {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish() as usize % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_rises_with_its_post_and_is_silent_while_changes_may_be_missed() {
        let id = PostId::parse("one").unwrap();
        let changes = Changes::new(true);
        let before = (changes.lists(), changes.post(&id));
        changes.post_changed(&id, "ada");
        assert!(changes.lists() > before.0 && changes.post(&id) > before.1);

        let before = (changes.lists(), changes.post(&id));
        changes.lose();
        assert_eq!((changes.lists(), changes.post(&id)), (None, None));
        changes.follow();
        assert!(changes.lists() > before.0 && changes.post(&id) > before.1);
    }

    #[test]
    fn a_page_of_a_post_changes_with_every_post_of_its_author() {
        let [one, two] = ["one", "two"].map(|id| PostId::parse(id).unwrap());
        let changes = Changes::new(true);
        let page = || changes.page_of_post(&one, "ada");
        let before = page();
        changes.post_changed(&two, "bob");
        assert_eq!(page(), before, "another's");
        changes.post_changed(&two, "ada");
        assert_ne!(page(), before);
        assert_ne!(changes.page_of_post(&two, "ada"), page(), "another post at the same address");
        changes.lose();
        assert_eq!(page(), None);
    }
}
