//! Drafts on a device: what was typed into an editor and not yet saved.
//!
//! Nothing typed is ever written over by something else that was typed: an
//! earlier draft waits until its author restores or discards it.

use serde::{Deserialize, Serialize};
use web_sys::Storage;

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

/// The drafts of one editor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drafts {
    /// What is being typed.
    current: Option<Draft>,
    /// What was typed before and left, oldest first.
    earlier: Vec<Draft>,
}

impl Draft {
    /// Whether nothing would be lost if one took the other's place.
    #[must_use]
    pub fn same_text(&self, other: &Self) -> bool {
        (&self.title, &self.content) == (&other.title, &other.content)
    }

    fn is_empty(&self) -> bool {
        self.title.is_empty() && self.content.is_empty()
    }
}

impl Drafts {
    /// Earlier drafts that wait at most; the oldest goes first.
    const EARLIER: usize = 5;

    /// Opens an editor whose form holds `form`: what was typed there last time
    /// becomes an earlier draft, unless the form holds it already.
    #[must_use]
    pub fn opened(mut self, form: &Draft) -> Self {
        if let Some(left) = self.current.take() {
            self.set_aside(left);
        }
        self.earlier.retain(|draft| !draft.same_text(form));
        self
    }

    /// The draft to offer: the latest of the earlier ones.
    #[must_use]
    pub fn offered(&self) -> Option<&Draft> {
        self.earlier.last()
    }

    /// Something was typed.
    pub fn type_in(&mut self, draft: Draft) {
        self.current = Some(draft);
    }

    /// Takes the offered draft; what the form held waits in its place, unless
    /// it is what the form `started` with.
    pub fn restore(&mut self, form: Draft, started: &Draft) -> Option<Draft> {
        let restored = self.earlier.pop()?;
        if !form.same_text(started) {
            self.set_aside(form);
        }
        self.current = Some(restored.clone());
        Some(restored)
    }

    /// Lets go of the offered draft.
    pub fn discard(&mut self) {
        self.earlier.pop();
    }

    fn set_aside(&mut self, draft: Draft) {
        if draft.is_empty() {
            return;
        }
        self.earlier.retain(|other| !other.same_text(&draft));
        self.earlier.push(draft);
        if self.earlier.len() > Self::EARLIER {
            self.earlier.remove(0);
        }
    }
}

/// Where the drafts of one person and one editor are kept: a shared computer
/// shows nobody another's text under their own name.
#[derive(Clone, Debug)]
pub struct Shelf(String);

impl Shelf {
    /// `page` is the path of the editor.
    #[must_use]
    pub fn of(username: &str, page: &str) -> Self {
        Self(format!("byline-drafts:{username}:{page}"))
    }

    /// What is kept; nothing where the browser keeps nothing.
    #[must_use]
    pub fn load(&self) -> Drafts {
        storage()
            .and_then(|storage| storage.get_item(&self.0).ok().flatten())
            .and_then(|text| leptos::serde_json::from_str(&text).ok())
            .unwrap_or_default()
    }

    /// Whether it could be kept.
    #[must_use]
    pub fn save(&self, drafts: &Drafts) -> bool {
        let Ok(text) = leptos::serde_json::to_string(drafts) else { return false };
        storage().is_some_and(|storage| storage.set_item(&self.0, &text).is_ok())
    }

    /// Forgets everything: it has been saved.
    pub fn clear(&self) {
        if let Some(storage) = storage() {
            // A browser that keeps nothing has nothing to remove.
            let _ = storage.remove_item(&self.0);
        }
    }
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

    fn left_behind(text: &str) -> Drafts {
        let mut drafts = Drafts::default();
        drafts.type_in(draft(text));
        drafts
    }

    #[test]
    fn what_was_left_is_offered_and_what_is_saved_is_not() {
        assert_eq!(left_behind("mine").opened(&draft("saved")).offered(), Some(&draft("mine")));
        assert_eq!(left_behind("saved").opened(&draft("saved")).offered(), None);
        assert_eq!(left_behind("").opened(&draft("saved")).offered(), None);
    }

    #[test]
    fn an_offered_draft_outlives_new_typing() {
        let mut drafts = left_behind("old").opened(&draft(""));
        drafts.type_in(draft("new"));
        let again = drafts.opened(&draft(""));
        assert_eq!(again.earlier, [draft("old"), draft("new")]);
    }

    #[test]
    fn restoring_loses_nothing_that_was_typed_meanwhile() {
        let mut drafts = left_behind("old").opened(&draft(""));
        drafts.type_in(draft("new"));
        assert_eq!(drafts.restore(draft("new"), &draft("")), Some(draft("old")));
        assert_eq!(drafts.offered(), Some(&draft("new")));
        let mut untouched = left_behind("old").opened(&draft("saved"));
        assert_eq!(untouched.restore(draft("saved"), &draft("saved")), Some(draft("old")));
        assert_eq!(untouched.offered(), None);
    }

    #[test]
    fn a_discarded_draft_is_gone_and_the_shelf_has_an_end() {
        let mut drafts = left_behind("old").opened(&draft(""));
        drafts.discard();
        assert_eq!(drafts.offered(), None);
        for number in 0..9 {
            drafts.type_in(draft(&number.to_string()));
            drafts = drafts.opened(&draft(""));
        }
        assert_eq!(drafts.earlier.len(), Drafts::EARLIER);
        assert_eq!(drafts.offered(), Some(&draft("8")));
    }
}
