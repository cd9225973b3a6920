//! The island of the list of all posts. It shows changes since the page was made,
//! without moving the text that somebody reads.
//!
//! It offers new posts as a link, and marks posts on the page that were edited or
//! deleted. Without script the list stays as it was, and a reload shows the rest.

use std::{cell::RefCell, rc::Rc, time::Duration};

use leptos::{prelude::*, serde_json};
use serde::Deserialize;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Element, Event, EventSource, MessageEvent, VisibilityState};

/// After the server had no place for one more listener.
const RETRY_DELAY: Duration = Duration::from_secs(60);

/// The changes to posts since the page was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct ListUpdates {
    /// Ids of posts that are not on the page.
    fresh: Vec<String>,
    /// Whether more happened than the server could tell.
    lost: bool,
}

impl ListUpdates {
    fn created(&mut self, post: String) {
        if !self.fresh.contains(&post) {
            self.fresh.push(post);
        }
    }

    fn deleted(&mut self, post: &str) {
        self.fresh.retain(|fresh| fresh != post);
    }

    /// The text of the link, if there are new posts.
    fn text(&self) -> Option<String> {
        match (self.fresh.len(), self.lost) {
            (_, true) => Some("See changes".to_owned()),
            (0, false) => None,
            (1, false) => Some("1 new post".to_owned()),
            (many, false) => Some(format!("{many} new posts")),
        }
    }
}

/// The data of an event; who did it does not matter here.
#[derive(Deserialize)]
struct EventData {
    post: String,
}

/// Listens while the page is visible.
struct EventListener {
    updates: RwSignal<ListUpdates>,
    /// The id of the last event that this page knows.
    last: String,
    source: Option<EventSource>,
}

impl EventListener {
    /// Disconnects while the page is hidden, so that a hidden tab uses no place of the
    /// server.
    fn follow_visibility(this: &Rc<RefCell<Self>>) {
        let visible = document().visibility_state() == VisibilityState::Visible;
        let mut listener = this.borrow_mut();
        match (&listener.source, visible) {
            (None, true) => listener.source = Self::open(this, &listener.last),
            (Some(source), false) => {
                source.close();
                listener.source = None;
            }
            _ => {}
        }
    }

    fn open(this: &Rc<RefCell<Self>>, last: &str) -> Option<EventSource> {
        let source = EventSource::new(&format!("/events?after={last}")).ok()?;
        let receive = Closure::<dyn FnMut(MessageEvent)>::new({
            let this = Rc::clone(this);
            move |event: MessageEvent| this.borrow_mut().receive(&event)
        });
        for kind in ["created", "changed", "deleted", "reset"] {
            let _ = source.add_event_listener_with_callback(kind, receive.as_ref().unchecked_ref());
        }
        // Without a place the server refuses, and a browser takes that as final.
        let refused = Closure::<dyn FnMut(Event)>::new({
            let this = Rc::clone(this);
            move |_| {
                let closed = |source: &EventSource| source.ready_state() == EventSource::CLOSED;
                if this.borrow().source.as_ref().is_some_and(closed) {
                    this.borrow_mut().source = None;
                    let this = Rc::clone(&this);
                    set_timeout(move || Self::follow_visibility(&this), RETRY_DELAY);
                }
            }
        });
        source.set_onerror(Some(refused.as_ref().unchecked_ref()));
        // Leaks two closures each time the tab becomes visible.
        receive.forget();
        refused.forget();
        Some(source)
    }

    fn receive(&mut self, event: &MessageEvent) {
        self.last = event.last_event_id();
        if event.type_() == "reset" {
            self.updates.update(|updates| updates.lost = true);
            return;
        }
        let Some(EventData { post }) =
            event.data().as_string().and_then(|data| serde_json::from_str(&data).ok())
        else {
            return;
        };
        let entry = document()
            .get_element_by_id(&format!("post-{post}"))
            .and_then(|heading| heading.closest("article").ok().flatten());
        match (event.type_().as_str(), entry) {
            ("created", None) => self.updates.update(|updates| updates.created(post)),
            ("changed", Some(entry)) => mark(&entry, "Edited since you opened this page"),
            ("deleted", Some(entry)) => mark(&entry, "Deleted by its author"),
            ("deleted", None) => self.updates.update(|updates| updates.deleted(&post)),
            _ => {}
        }
    }
}

/// Puts a word at an entry, in place of an earlier one.
fn mark(entry: &Element, words: &str) {
    if let Ok(Some(earlier)) = entry.query_selector(".live-mark") {
        earlier.set_text_content(Some(words));
    } else if let Ok(mark) = document().create_element("p") {
        mark.set_class_name("live-mark");
        mark.set_text_content(Some(words));
        let _ = entry.append_child(&mark);
    }
}

/// Says "3 new posts" while somebody reads.
#[island]
pub fn LiveList(
    /// The id of the newest event that the list includes.
    as_of: i64,
) -> impl IntoView {
    let updates = RwSignal::new(ListUpdates::default());
    Effect::new(move |_| {
        let listener =
            Rc::new(RefCell::new(EventListener { updates, last: as_of.to_string(), source: None }));
        EventListener::follow_visibility(&listener);
        let follow_visibility =
            Closure::<dyn FnMut()>::new(move || EventListener::follow_visibility(&listener));
        let _ = document()
            .add_event_listener_with_callback("visibilitychange", follow_visibility.as_ref().unchecked_ref());
        // Lives as long as the page.
        follow_visibility.forget();
    });
    view! {
        <div class="live" role="status">
            {move || updates.with(ListUpdates::text).map(|text| view! { <a class="button" href="/">{text}</a> })}
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(tell: impl FnOnce(&mut ListUpdates)) -> Option<String> {
        let mut updates = ListUpdates::default();
        tell(&mut updates);
        updates.text()
    }

    #[test]
    fn each_new_post_counts_once_and_no_more_when_it_is_gone() {
        assert_eq!(after(|_| ()), None);
        assert_eq!(after(|updates| updates.created("a".into())).as_deref(), Some("1 new post"));
        let twice = after(|updates| {
            ["a", "b", "a", "c"].map(|post| updates.created(post.into())).into_iter().collect()
        });
        assert_eq!(twice.as_deref(), Some("3 new posts"));
        let gone = after(|updates| {
            updates.created("a".into());
            updates.deleted("a");
            updates.deleted("never heard of");
        });
        assert_eq!(gone, None);
        assert_eq!(after(|updates| updates.lost = true).as_deref(), Some("See changes"));
    }
}
