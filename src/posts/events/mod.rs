//! Events of posts, for caches and for listeners.
//!
//! An event is a row, written in the transaction of the change ([`store`]). After
//! the commit, the bus invalidates the caches of this process and notifies its
//! listeners. Other processes on one PostgreSQL get events by LISTEN/NOTIFY
//! ([`follow`]), browsers by server-sent events ([`stream`]).

pub mod broadcast;
pub mod changes;
pub mod follow;
pub mod store;
pub mod stream;

use std::{
    collections::VecDeque,
    fmt,
    net::IpAddr,
    str::FromStr,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicI64, Ordering},
    },
};

use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, broadcast as channel, watch};

use crate::{
    database::Engine,
    http::listener_slots::{ListenerSlot, ListenerSlots},
    posts::PostId,
    site::Site,
    username::Username,
};
use changes::Changes;

/// The most events that a listener may be behind before it is dropped.
const BACKLOG: usize = 256;

/// The last counted events that are remembered, to recognise a repetition. A later
/// repetition is counted twice, which costs a rendering.
const COUNTED_EVENTS: usize = 512;

/// Subscriptions on WebSockets for each place of a listener. A single connection may
/// have more, so not all connections can have their maximum.
const SUBSCRIPTIONS: usize = 10;

/// A change to a post. It has the author and the id, never a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Rises with every event of the site, on whichever process.
    pub id: i64,
    pub kind: EventKind,
    pub post: PostId,
    /// The username of its author.
    pub owner: Username,
}

/// What can happen to a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// It is published.
    Created,
    /// Its title or text changed.
    Changed,
    /// It is gone.
    Deleted,
}

impl EventKind {
    /// The name of the event on the wire and in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Changed => "changed",
            Self::Deleted => "deleted",
        }
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for EventKind {
    type Err = String;

    fn from_str(raw: &str) -> Result<Self, String> {
        [Self::Created, Self::Changed, Self::Deleted]
            .into_iter()
            .find(|kind| kind.name() == raw)
            .ok_or_else(|| format!("\"{raw}\" is no kind of event"))
    }
}

/// Passes events on inside this process.
#[derive(Debug)]
pub struct Bus {
    /// Whether the database also notifies this process of its own events.
    receives_own_events: bool,
    /// Counters of changes, for the keys of caches.
    pub changes: Changes,
    newest: AtomicI64,
    /// The events that were counted last. A change of this process comes twice, from
    /// the write and from the database ([`follow`]), in either order. It is counted once.
    counted: Mutex<VecDeque<i64>>,
    /// The newest event of the database, and the counter of [`Changes::lists`] from
    /// before that query.
    cached_newest: Mutex<Option<(u64, i64)>>,
    listeners: RwLock<Option<channel::Sender<Event>>>,
    listener_slots: Arc<ListenerSlots>,
    subscription_slots: Arc<ListenerSlots>,
    stopping: watch::Sender<bool>,
    own_change: Notify,
}

impl Site {
    /// The events of a site, for caches and listeners.
    #[must_use]
    pub fn bus(&self) -> &Arc<Bus> {
        self.part()
    }
}

impl Bus {
    /// A bus for at most this many listeners at a time.
    #[must_use]
    pub fn new(engine: Engine, max_listeners: usize) -> Self {
        let alone = engine == Engine::Sqlite;
        Self {
            receives_own_events: !alone,
            changes: Changes::new(alone),
            newest: AtomicI64::new(0),
            counted: Mutex::default(),
            cached_newest: Mutex::new(None),
            listeners: RwLock::new(Some(channel::Sender::new(BACKLOG))),
            listener_slots: Arc::new(ListenerSlots::new(max_listeners)),
            subscription_slots: Arc::new(ListenerSlots::new(max_listeners.saturating_mul(SUBSCRIPTIONS))),
            stopping: watch::Sender::new(false),
            own_change: Notify::new(),
        }
    }

    /// Must be called after each commit of this process, with its event if it has one.
    pub fn committed(&self, event: Option<&Event>) {
        let Some(event) = event else { return };
        self.own_change.notify_one();
        let is_new = self.count_change(event);
        if is_new && !self.receives_own_events {
            self.deliver(event.clone());
        }
    }

    /// Handles an event that was found in the database, where that does not notify. It may
    /// be one of this process, which is handled once.
    fn found(&self, event: Event) {
        if self.count_change(&event) {
            self.deliver(event);
        }
    }

    /// Handles a notification of the database. It may be about a change of this process:
    /// if the connection broke during the commit, the success is known only from here.
    fn received(&self, event: Event) {
        self.count_change(&event);
        self.deliver(event);
    }

    /// Whether it was not counted before.
    fn count_change(&self, event: &Event) -> bool {
        // Held until the change is counted, so that the repetition waits for that.
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.contains(&event.id) {
            return false;
        }
        if counted.len() == COUNTED_EVENTS {
            counted.pop_front();
        }
        counted.push_back(event.id);
        // In this order, because a page for the new counter must not come from a replica
        // without the event.
        self.record_newest(event.id);
        self.changes.post_changed(&event.post, event.owner.as_str());
        true
    }

    /// The database has the event `id`, and this process may have shown it.
    fn record_newest(&self, id: i64) {
        self.newest.fetch_max(id, Ordering::AcqRel);
    }

    /// From now on no change is missed. Ids of events may repeat, because the database may
    /// have been reset to an earlier state.
    fn follow(&self) {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.changes.follow();
    }

    /// Ends all listeners, because too many events were missed, or the database was reset
    /// to an earlier state. Clients that reconnect get a `reset`.
    fn reset(&self, newest: i64) {
        self.newest.store(newest, Ordering::Release);
        if let Some(listeners) = &mut *self.listeners.write().unwrap_or_else(PoisonError::into_inner) {
            *listeners = channel::Sender::new(BACKLOG);
        }
    }

    fn deliver(&self, event: Event) {
        if let Some(listeners) = &*self.listeners.read().unwrap_or_else(PoisonError::into_inner) {
            // An error means that nobody listens.
            let _ = listeners.send(event);
        }
    }

    /// The newest event that this process knows. A replica with this event is not behind
    /// what was shown here.
    #[must_use]
    pub fn newest(&self) -> i64 {
        self.newest.load(Ordering::Acquire)
    }

    /// The newest event of the database, if it was read since the last change.
    #[must_use]
    fn cached_newest_at(&self, generation: Option<u64>) -> Option<i64> {
        let kept = *self.cached_newest.lock().unwrap_or_else(PoisonError::into_inner);
        kept.filter(|(asked, _)| generation == Some(*asked)).map(|(_, newest)| newest)
    }

    /// Stores the newest event of the database.
    fn cache_newest(&self, generation: Option<u64>, newest: i64) {
        let kept = generation.map(|generation| (generation, newest));
        *self.cached_newest.lock().unwrap_or_else(PoisonError::into_inner) = kept;
    }

    /// Events from now on; `None` when the site is about to stop.
    #[must_use]
    pub fn subscribe(&self) -> Option<channel::Receiver<Event>> {
        let listeners = self.listeners.read().unwrap_or_else(PoisonError::into_inner);
        listeners.as_ref().map(channel::Sender::subscribe)
    }

    /// A place for one more listener of this client, if there is one.
    #[must_use]
    pub fn listener_slot(&self, client: Option<IpAddr>) -> Option<ListenerSlot> {
        ListenerSlots::take(&self.listener_slots, client)
    }

    /// A place for one more subscription of this client on a WebSocket, if there is one.
    #[must_use]
    pub fn subscription_slot(&self, client: Option<IpAddr>) -> Option<ListenerSlot> {
        ListenerSlots::take(&self.subscription_slots, client)
    }

    /// Listeners to `/events` and on WebSockets: how many there are, and may be.
    #[must_use]
    pub fn listeners(&self) -> (usize, usize) {
        self.listener_slots.count()
    }

    /// Subscriptions on WebSockets: how many there are, and may be.
    #[must_use]
    pub fn subscriptions(&self) -> (usize, usize) {
        self.subscription_slots.count()
    }

    /// Returns once this process has changed a post since the last call. For one listener,
    /// who keeps the index of searches.
    pub async fn own_change(&self) {
        self.own_change.notified().await;
    }

    /// Ends all listeners for good, so that the site can stop.
    pub fn close(&self) {
        self.listeners.write().unwrap_or_else(PoisonError::into_inner).take();
        self.stopping.send_replace(true);
    }

    /// Returns once the site is about to stop.
    pub async fn closed(&self) {
        // An error would mean that the bus is gone.
        let _ = self.stopping.subscribe().wait_for(|stopping| *stopping).await;
    }
}
