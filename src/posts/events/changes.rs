//! Counters of changes, by which caches know whether an entry is still current.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use crate::posts::PostId;

const SLOTS: usize = 1024;
/// The most posts whose authors are remembered.
const KNOWN_AUTHORS: usize = 16 * 1024;

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
    /// The slots of the authors of posts that were read, with the counter of the post from
    /// before that.
    authors_of: RwLock<HashMap<PostId, (u64, usize)>>,
}

/// The counter of a page that names its neighbours, and whether the author is known: before,
/// every change counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageCounter {
    pub generation: u64,
    pub author_is_known: bool,
}

impl Changes {
    /// `alone`: no other process can change anything.
    #[must_use]
    pub fn new(alone: bool) -> Self {
        Self {
            misses_nothing: AtomicBool::new(alone),
            everything: AtomicU64::new(0),
            lists: AtomicU64::new(0),
            posts: counters(),
            authors: counters(),
            authors_of: RwLock::default(),
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

    /// The counter of the page of a post, which names the posts before and after it by the
    /// same author; `None` while changes may be missed. It rises with each change of a post of
    /// that author. Until the author is known ([`Self::author_read`]) it rises with every change.
    #[must_use]
    pub fn page_of_post(&self, id: &PostId) -> Option<PageCounter> {
        let post = self.post(id)?;
        let authors_of = self.authors_of.read().unwrap_or_else(PoisonError::into_inner);
        let author = authors_of.get(id).filter(|(read_at, _)| *read_at == post).map(|(_, slot)| *slot);
        let others = author.map_or(&self.lists, |slot| &self.authors[slot]);
        // Sums of different counters are kept apart by the upper bits.
        let kind = author.map_or(0, |slot| slot as u64 + 1) << 48;
        Some(PageCounter {
            generation: kind | (post + others.load(Ordering::Acquire)),
            author_is_known: author.is_some(),
        })
    }

    /// A post was read and is by `owner`; `counter` is that of [`Self::post`] from before.
    pub fn author_read(&self, id: &PostId, counter: Option<u64>, owner: &str) {
        let Some(counter) = counter else { return };
        let mut authors_of = self.authors_of.write().unwrap_or_else(PoisonError::into_inner);
        if authors_of.len() >= KNOWN_AUTHORS && !authors_of.contains_key(id) {
            // They are learnt again.
            authors_of.clear();
        }
        authors_of.insert(id.clone(), (counter, slot(owner)));
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
    fn a_page_of_a_post_changes_with_every_post_until_its_author_is_known() {
        let ids = ["one", "two"].map(|id| PostId::parse(id).unwrap());
        let changes = Changes::new(true);
        let counter = || changes.page_of_post(&ids[0]).unwrap();
        let unknown = counter();
        changes.post_changed(&ids[1], "bob");
        assert!(!counter().author_is_known && counter().generation > unknown.generation);

        changes.author_read(&ids[0], changes.post(&ids[0]), "ada");
        let known = counter();
        assert!(known.author_is_known);
        changes.post_changed(&ids[1], "bob");
        assert_eq!(counter(), known);
        changes.post_changed(&ids[1], "ada");
        assert!(counter().author_is_known && counter().generation > known.generation);

        // It may have another owner now.
        changes.post_changed(&ids[0], "bob");
        assert!(!counter().author_is_known);
    }
}
