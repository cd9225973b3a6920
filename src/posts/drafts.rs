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

const TITLE: &str = "title";
const CONTENT: &str = "content";
const PUBLISH_AT: &str = "publish_at";
const UTC_OFFSET: &str = "utc_offset";

/// The fields that an author fills in, by the names of their controls. What is published has
/// no time. The form hands the list to its scripts (`editor/autosave.js`).
pub const FIELDS: [&str; 7] = [TITLE, CONTENT, "tags", "address", "language", PUBLISH_AT, UTC_OFFSET];

/// The fields of an editor, and the version the edit started from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// 0 for a new post.
    pub version: i64,
    /// As typed.
    pub title: String,
    /// As typed.
    pub content: String,
    /// The other fields of the form, each with its name, as typed. There are none in drafts
    /// from before they were kept.
    #[serde(default)]
    pub details: Vec<(String, String)>,
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
    /// Those that differ from the form, latest first; the editor offers them.
    pub offered: Vec<StoredDraft>,
    /// Those with exactly what is in the form.
    pub same: Vec<StoredDraft>,
}

/// The old format of drafts, from before each editor had its own.
#[derive(Deserialize)]
struct OldFormat {
    current: Option<Draft>,
    earlier: Vec<Draft>,
}

impl Draft {
    /// A draft of what `read` finds in the fields, by their names; `None` in one that the
    /// form does not have.
    #[must_use]
    pub fn of(version: i64, read: &dyn Fn(&str) -> Option<String>) -> Self {
        let is_timed = read(PUBLISH_AT).is_some_and(|time| !time.is_empty());
        let details = FIELDS.iter().filter(|name| match **name {
            TITLE | CONTENT => false,
            // Without a time it is that of the device, and nobody chose it.
            UTC_OFFSET => is_timed,
            _ => true,
        });
        Self {
            version,
            title: read(TITLE).unwrap_or_default(),
            content: read(CONTENT).unwrap_or_default(),
            details: details.filter_map(|name| Some(((*name).to_owned(), read(name)?))).collect(),
        }
    }

    /// The fields that it knows: names and values.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        let text = [(TITLE, self.title.as_str()), (CONTENT, self.content.as_str())];
        text.into_iter().chain(self.details.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    }

    /// Whether title and content are equal.
    #[must_use]
    pub fn same_text(&self, other: &Self) -> bool {
        (&self.title, &self.content) == (&other.title, &other.content)
    }

    /// Whether all fields are equal that both know.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        let differs = |name, value| other.fields().any(|(known, others)| known == name && others != value);
        !self.fields().any(|(name, value)| differs(name, value))
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields().all(|(_, value)| value.is_empty())
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
    /// The stored drafts that are not `open` in a tab; `is_same` knows those that the form
    /// has already.
    #[must_use]
    pub fn among(stored: Vec<StoredDraft>, open: &[String], is_same: &dyn Fn(&Draft) -> bool) -> Self {
        let mut found = Self::default();
        for kept in stored.into_iter().filter(|kept| !open.contains(&kept.id)) {
            let part = if is_same(&kept.draft) { &mut found.same } else { &mut found.offered };
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

    /// Forgets every draft that has been saved, as `is_saved` knows.
    pub fn forget(&self, is_saved: &dyn Fn(&Draft) -> bool) {
        for kept in self.all().iter().filter(|kept| is_saved(&kept.draft)) {
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

    /// A form of a post that is not published.
    const FORM: [(&str, &str); 7] = [
        ("title", "Title"),
        ("content", "Text"),
        ("tags", "one, two"),
        ("address", "somewhere"),
        ("language", "fr"),
        ("publish_at", "2026-12-24T18:00"),
        ("utc_offset", "+01:00"),
    ];

    /// What is typed into the form, with `field` changed.
    fn typed(field: (&str, &str)) -> Draft {
        Draft::of(1, &|name: &str| {
            let (_, value) = FORM.iter().chain([&field]).rfind(|(known, _)| *known == name)?;
            Some((*value).to_owned())
        })
    }

    /// One that an editor stored before it kept the other fields.
    fn draft(text: &str) -> Draft {
        Draft { version: 1, title: text.to_owned(), content: text.to_owned(), details: Vec::new() }
    }

    fn kept(text: &str, at: i64) -> StoredDraft {
        StoredDraft { id: text.to_owned(), draft: draft(text), at, editor: "another".to_owned() }
    }

    fn ids(kept: &[StoredDraft]) -> Vec<&str> {
        kept.iter().map(|kept| kept.id.as_str()).collect()
    }

    fn among(stored: Vec<StoredDraft>, open: &[String], form: &Draft) -> Found {
        Found::among(stored, open, &|draft| draft.same(form))
    }

    #[test]
    fn every_draft_that_nobody_has_open_is_offered_the_latest_first() {
        let stored = vec![kept("old", 1), kept("open", 3), kept("new", 2)];
        let found = among(stored, &["open".to_owned(), "gone".to_owned()], &draft(""));
        assert_eq!((ids(&found.offered), ids(&found.same)), (vec!["new", "old"], vec![]));
    }

    #[test]
    fn what_the_form_holds_already_is_not_offered() {
        let found = among(vec![kept("mine", 1), kept("other", 2)], &[], &draft("mine"));
        assert_eq!((ids(&found.offered), ids(&found.same)), (vec!["other"], vec!["mine"]));
    }

    #[test]
    fn a_draft_keeps_every_field_and_differs_from_another_in_any_of_them() {
        let draft = typed(("title", "Title"));
        assert!(draft.fields().eq(FORM));
        for name in FIELDS {
            let other = typed((name, "another"));
            assert!(!draft.same(&other) && !other.same(&draft), "{name}");
            assert_eq!(draft.same_text(&other), !["title", "content"].contains(&name), "{name}");
        }
        assert!(draft.same(&typed(("title", "Title"))));
        let stored = leptos::serde_json::to_string(&draft).unwrap();
        assert_eq!(leptos::serde_json::from_str::<Draft>(&stored).unwrap(), draft);
    }

    #[test]
    fn a_field_that_a_form_does_not_have_makes_no_difference() {
        let draft = typed(("title", "Title"));
        let value = |name: &str| draft.fields().find(|(known, _)| *known == name).map(|(_, value)| value);
        let published = Draft::of(1, &|name: &str| {
            value(name).filter(|_| !["publish_at", "utc_offset"].contains(&name)).map(str::to_owned)
        });
        assert_eq!(published.fields().count(), 5);
        assert!(published.same(&draft) && draft.same(&published));
    }

    #[test]
    fn a_time_zone_without_a_time_is_nothing_that_somebody_typed() {
        let [here, there] = ["+01:00", "+02:00"].map(|zone| {
            Draft::of(0, &|name: &str| {
                Some(if name == "utc_offset" { zone.to_owned() } else { String::new() })
            })
        });
        assert!(here.is_empty() && here.same(&there));
        assert!(!typed(("title", "")).is_empty());
    }

    #[test]
    fn a_draft_from_before_the_other_fields_were_kept_is_that_of_its_text() {
        let stored = r#"{"draft":{"version":1,"title":"Title","content":"Text"},"at":1,"editor":"another"}"#;
        let kept: StoredDraft = leptos::serde_json::from_str(stored).unwrap();
        assert!(kept.draft.same(&typed(("tags", "whatever"))));
        assert!(!kept.draft.same(&typed(("content", "Another"))));
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
