//! Drafts on a device: what was typed into an editor and not saved yet.
//!
//! Every opened page is an editor and writes its own draft. No typed text is ever
//! overwritten by another. A draft is removed when its text has been saved or its
//! author discards it.

use std::hash::Hasher;

use serde::{Deserialize, Serialize};
use web_sys::{Storage, js_sys};

use super::{Content, Title};

/// The page of the editor of a new post.
pub const NEW_POST: &str = "/my-posts/new";

/// The two fields of an editor, and the version the edit started from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// 0 for a new post.
    pub version: i64,
    /// As typed.
    pub title: String,
    /// As typed.
    pub content: String,
}

/// A draft as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredDraft {
    /// Distinguishes the drafts of one person and one page.
    #[serde(skip)]
    pub id: String,
    pub draft: Draft,
    /// When it was written, in milliseconds since 1970 UTC.
    pub at: i64,
    /// The editor that wrote it last.
    editor: String,
}

/// The result of storing a draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Saved {
    /// It is stored under this id.
    Under(String),
    /// It is empty, so there is nothing to lose.
    Empty,
    /// The browser has no room for it, or keeps nothing.
    Failed,
}

/// The stored drafts that an editor finds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Those with another text, latest first; the editor offers them.
    pub offered: Vec<StoredDraft>,
    /// Those with exactly the text of the form.
    pub same: Vec<StoredDraft>,
}

/// The old format of drafts, from before each editor had its own.
#[derive(Deserialize)]
struct OldFormat {
    current: Option<Draft>,
    earlier: Vec<Draft>,
}

impl Draft {
    /// Whether title and content are equal.
    #[must_use]
    pub fn same_text(&self, other: &Self) -> bool {
        (&self.title, &self.content) == (&other.title, &other.content)
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.title.is_empty() && self.content.is_empty()
    }

    /// The hash of a post with this text, the same on the server and in the browser;
    /// `None` if the text breaks a rule. It needs no secret, because it is compared
    /// only with the person's own drafts.
    #[must_use]
    pub fn hash(title: &str, content: &str) -> Option<String> {
        let (title, content) = (Title::parse(title).ok()?, Content::parse(content).ok()?);
        let mut hash = std::hash::DefaultHasher::new();
        hash.write(title.as_str().as_bytes());
        hash.write_u8(0xFF);
        hash.write(content.as_str().as_bytes());
        Some(format!("{:016x}", hash.finish()))
    }
}

impl Found {
    /// The stored drafts that are not `open` in a tab, for an editor with the text
    /// `form`.
    #[must_use]
    pub fn among(stored: Vec<StoredDraft>, open: &[String], form: &Draft) -> Self {
        let mut found = Self::default();
        for kept in stored.into_iter().filter(|kept| !open.contains(&kept.id)) {
            let part = if kept.draft.same_text(form) { &mut found.same } else { &mut found.offered };
            // There are few, and the standard sorts would add much to a small module.
            let place = part.iter().take_while(|other| other.at > kept.at).count();
            part.insert(place, kept);
        }
        found
    }
}

/// The drafts of one person and one page. On a shared computer, nobody sees the drafts
/// of another person.
#[derive(Clone, Debug)]
pub struct DraftStore {
    prefix: String,
    older: String,
    editor: String,
}

impl DraftStore {
    /// `page` is the path of the editor.
    #[must_use]
    pub fn of(username: &str, page: &str) -> Self {
        Self {
            prefix: format!("byline-draft:{username}:{page}:"),
            older: format!("byline-drafts:{username}:{page}"),
            editor: String::new(),
        }
    }

    /// The same store for another editor.
    #[must_use]
    pub fn with_editor(self) -> Self {
        Self { editor: fresh_id(), ..self }
    }

    /// The storage key of a draft, which is also the name of its editor's lock.
    #[must_use]
    pub fn key(&self, id: &str) -> String {
        format!("{}{id}", self.prefix)
    }

    /// The id in a key of this store.
    #[must_use]
    pub fn id<'a>(&self, key: &'a str) -> Option<&'a str> {
        key.strip_prefix(&self.prefix)
    }

    /// All drafts; none if the browser stores nothing.
    #[must_use]
    pub fn all(&self) -> Vec<StoredDraft> {
        let Some(storage) = storage() else { return Vec::new() };
        self.migrate_old_format(&storage);
        let keys = (0..storage.length().unwrap_or(0)).filter_map(|at| storage.key(at).ok().flatten());
        keys.filter_map(|key| self.get(self.id(&key)?)).collect()
    }

    #[must_use]
    pub fn get(&self, id: &str) -> Option<StoredDraft> {
        let text = storage()?.get_item(&self.key(id)).ok().flatten()?;
        let kept: StoredDraft = leptos::serde_json::from_str(&text).ok()?;
        Some(StoredDraft { id: id.to_owned(), ..kept })
    }

    /// Stores the text of this editor. If another editor has taken over the draft
    /// meanwhile, the text is stored under a new id.
    #[must_use]
    pub fn save(&self, id: &str, draft: &Draft) -> Saved {
        let anothers = self.get(id).is_some_and(|kept| kept.editor != self.editor);
        if draft.is_empty() {
            if !anothers {
                self.discard(id);
            }
            return Saved::Empty;
        }
        let id = if anothers { fresh_id() } else { id.to_owned() };
        if self.put(&id, draft, now()) { Saved::Under(id) } else { Saved::Failed }
    }

    /// Makes a draft this editor's own.
    pub fn take_over(&self, kept: &StoredDraft) {
        self.put(&kept.id, &kept.draft, kept.at);
    }

    pub fn discard(&self, id: &str) {
        if let Some(storage) = storage() {
            // A browser that keeps nothing has nothing to remove.
            let _ = storage.remove_item(&self.key(id));
        }
    }

    /// Forgets every draft of a text that has been saved, by its [`Draft::hash`].
    pub fn forget_saved(&self, hash: &str) {
        for kept in self.all() {
            if Draft::hash(&kept.draft.title, &kept.draft.content).as_deref() == Some(hash) {
                self.discard(&kept.id);
            }
        }
    }

    /// Forgets every draft of exactly this text.
    pub fn forget_text(&self, text: &Draft) {
        for kept in self.all().iter().filter(|kept| kept.draft.same_text(text)) {
            self.discard(&kept.id);
        }
    }

    /// Stores each draft of the old format under its own key.
    fn migrate_old_format(&self, storage: &Storage) {
        let Some(text) = storage.get_item(&self.older).ok().flatten() else { return };
        let all = match leptos::serde_json::from_str(&text) {
            Ok(OldFormat { current, earlier }) => earlier.into_iter().chain(current),
            Err(_) => return,
        };
        let since = now();
        let mut drafts = all.filter(|draft| !draft.is_empty()).enumerate();
        // In their order, the latest last.
        let moved = drafts.all(|(at, draft)| self.put(&fresh_id(), &draft, since + at as i64));
        if moved {
            let _ = storage.remove_item(&self.older);
        }
    }

    fn put(&self, id: &str, draft: &Draft, at: i64) -> bool {
        let kept = StoredDraft { id: String::new(), draft: draft.clone(), at, editor: self.editor.clone() };
        let Ok(text) = leptos::serde_json::to_string(&kept) else { return false };
        storage().is_some_and(|storage| storage.set_item(&self.key(id), &text).is_ok())
    }
}

/// An id that no other editor has.
#[must_use]
pub fn fresh_id() -> String {
    // 52 random bits and the time: unique among the drafts of a device.
    format!("{:x}-{:x}", now(), (js_sys::Math::random() * (1_u64 << 52) as f64) as u64)
}

/// In milliseconds since 1970 UTC.
fn now() -> i64 {
    js_sys::Date::now() as i64
}

/// Absent where the browser forbids it (private windows, blocked site data).
fn storage() -> Option<Storage> {
    leptos::prelude::window().local_storage().ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(text: &str) -> Draft {
        Draft { version: 1, title: text.to_owned(), content: text.to_owned() }
    }

    fn kept(text: &str, at: i64) -> StoredDraft {
        StoredDraft { id: text.to_owned(), draft: draft(text), at, editor: "another".to_owned() }
    }

    fn ids(kept: &[StoredDraft]) -> Vec<&str> {
        kept.iter().map(|kept| kept.id.as_str()).collect()
    }

    #[test]
    fn every_draft_that_nobody_has_open_is_offered_the_latest_first() {
        let stored = vec![kept("old", 1), kept("open", 3), kept("new", 2)];
        let found = Found::among(stored, &["open".to_owned(), "gone".to_owned()], &draft(""));
        assert_eq!((ids(&found.offered), ids(&found.same)), (vec!["new", "old"], vec![]));
    }

    #[test]
    fn what_the_form_holds_already_is_not_offered() {
        let found = Found::among(vec![kept("mine", 1), kept("other", 2)], &[], &draft("mine"));
        assert_eq!((ids(&found.offered), ids(&found.same)), (vec!["other"], vec!["mine"]));
    }

    #[test]
    fn a_draft_has_the_hash_of_the_post_that_it_became() {
        let saved = Draft::hash("Title", "One\nTwo");
        assert_eq!(Draft::hash(" Title ", "One\r\nTwo"), saved);
        assert_ne!(Draft::hash("Title", "One\nTwo and more"), saved);
        assert_ne!(Draft::hash("TitleOne", "\nTwo"), saved);
        assert_eq!(Draft::hash("", "One"), None);
    }
}
