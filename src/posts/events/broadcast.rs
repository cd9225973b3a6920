//! Events with their posts, for subscriptions. Each process reads a post once for all
//! of its subscribers.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::value::RawValue;
use tokio::sync::broadcast::{self, error::RecvError};

use crate::{
    database::Database,
    error::AppError,
    posts::{
        domain::{
            Changed,
            store::{self},
        },
        events::{Event, EventKind},
    },
    site::Site,
};

/// The most events that a subscriber may be behind before it is dropped.
const BACKLOG: usize = 256;
/// Events whose renderings are kept. A subscriber that is further behind
/// renders for itself.
const RENDERED: usize = 4;
/// Bytes of the renderings of one event that are kept. Beyond that, each
/// subscriber renders for itself.
const RENDERINGS_BYTES: usize = 4 << 20;

/// An event, and the post that it is about.
#[derive(Clone, Debug)]
pub struct PostEvent {
    /// The kind of the change.
    pub kind: EventKind,
    /// The post, or what is known of a deleted one.
    pub post: Arc<Changed>,
    /// The messages that other subscribers got.
    pub renderings: Arc<Renderings>,
}

/// Identifies all subscribers with the same selection.
pub type ShapeKey = [u8; 32];

/// The messages to subscribers, by selection. Each is made once for all subscribers.
#[derive(Debug)]
pub struct Renderings(Mutex<Rendered>);

#[derive(Debug)]
struct Rendered {
    told: HashMap<ShapeKey, Option<Arc<RawValue>>>,
    /// Free bytes.
    left: usize,
}

impl Default for Renderings {
    fn default() -> Self {
        Self(Mutex::new(Rendered { told: HashMap::new(), left: RENDERINGS_BYTES }))
    }
}

impl Renderings {
    /// The message for that selection; `Some(None)` if there is none to send, `None` if
    /// it is not made yet or not kept.
    #[must_use]
    pub fn get(&self, shape: &ShapeKey) -> Option<Option<Arc<RawValue>>> {
        self.rendered().told.get(shape).cloned()
    }

    /// Keeps it for other subscribers.
    pub fn keep(&self, shape: ShapeKey, told: Option<Arc<RawValue>>) {
        let mut rendered = self.rendered();
        let bytes = size_of::<(ShapeKey, Arc<RawValue>)>() + told.as_ref().map_or(0, |told| told.get().len());
        if let Some(left) = rendered.left.checked_sub(bytes) {
            rendered.left = left;
            rendered.told.insert(shape, told);
        }
    }

    /// Forgets all, and keeps nothing more.
    fn close(&self) {
        *self.rendered() = Rendered { told: HashMap::new(), left: 0 };
    }

    fn rendered(&self) -> std::sync::MutexGuard<'_, Rendered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Passes events on to subscribers. Reads nothing while there are none.
#[derive(Debug, Default)]
pub struct Broadcast(Mutex<Option<broadcast::WeakSender<PostEvent>>>);

impl Site {
    #[must_use]
    pub fn broadcast(&self) -> &Broadcast {
        self.part()
    }
}

impl Broadcast {
    /// Events from now on; `None` when the site is about to stop. The receiver ends with
    /// the site, or when events may be missing.
    #[must_use]
    pub fn subscribe(&self, site: &Site) -> Option<broadcast::Receiver<PostEvent>> {
        let mut running_sender = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = running_sender.as_ref().and_then(broadcast::WeakSender::upgrade) {
            return Some(running.subscribe());
        }
        let events = site.bus().subscribe()?;
        let sender = broadcast::Sender::new(BACKLOG);
        *running_sender = Some(sender.downgrade());
        let receiver = sender.subscribe();
        tokio::spawn(pass_on(site.database.clone(), events, sender));
        Some(receiver)
    }
}

/// Passes events on. It ends with the bus, or when it falls behind. Then every receiver
/// ends, so nobody misses an event without noticing.
async fn pass_on(
    database: Database,
    mut events: broadcast::Receiver<Event>,
    subscribers: broadcast::Sender<PostEvent>,
) {
    let mut rendered = VecDeque::<Arc<Renderings>>::with_capacity(RENDERED);
    loop {
        let event = match events.recv().await {
            Ok(event) => event,
            Err(RecvError::Closed) => return,
            Err(RecvError::Lagged(behind)) => {
                tracing::warn!(behind, "subscriptions fell behind and start over");
                return;
            }
        };
        if subscribers.receiver_count() == 0 {
            continue;
        }
        match changed_post(&database, &event).await {
            Ok(Some(post)) => {
                if rendered.len() == RENDERED
                    && let Some(oldest) = rendered.pop_front()
                {
                    oldest.close();
                }
                let renderings = Arc::new(Renderings::default());
                rendered.push_back(Arc::clone(&renderings));
                // An error means that nobody listens any more.
                let _ = subscribers.send(PostEvent { kind: event.kind, post: Arc::new(post), renderings });
            }
            // Nothing is known of the post: it was deleted long ago, or its owner has
            // created it again with the same id, and that event follows.
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(%error, "an event could not be read; subscriptions start over");
                return;
            }
        }
    }
}

async fn changed_post(database: &Database, event: &Event) -> Result<Option<Changed>, AppError> {
    let db = &mut database.read().await?;
    if event.kind != EventKind::Deleted
        && let Some(post) = store::find(db, &event.post).await?
    {
        return Ok(Some(Changed::Post(post)));
    }
    Ok(store::find_deleted(db, &event.post).await?.map(Changed::Deleted))
}

#[cfg(test)]
mod tests {
    use serde_json::value::to_raw_value;

    use super::*;

    #[test]
    fn renderings_are_kept_within_their_bytes_and_until_they_are_closed() {
        let renderings = Renderings::default();
        let long: Arc<RawValue> = to_raw_value(&"x".repeat(RENDERINGS_BYTES / 2)).expect("JSON").into();
        assert!(renderings.get(&[0; 32]).is_none());
        renderings.keep([0; 32], Some(Arc::clone(&long)));
        renderings.keep([1; 32], Some(long));
        renderings.keep([2; 32], None);
        assert!(renderings.get(&[0; 32]).is_some_and(|told| told.is_some()));
        assert!(renderings.get(&[1; 32]).is_none(), "there is no room for it");
        assert!(
            renderings.get(&[2; 32]).is_some_and(|told| told.is_none()),
            "nothing is told, which is known"
        );
        renderings.close();
        renderings.keep([2; 32], None);
        assert!(renderings.get(&[2; 32]).is_none());
    }
}
