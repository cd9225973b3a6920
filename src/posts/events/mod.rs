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
use tokio::sync::{broadcast as channel, watch};

use crate::{
    database::Engine,
    http::listener_slots::{ListenerSlot, ListenerSlots},
    posts::PostId,
    site::Site,
    username::Username,
};
use changes::Changes;

/// Events a listener may be behind; one more, and it is dropped.
const BACKLOG: usize = 256;

/// Events that are recognised when they come a second time. A repetition after
/// more others than this is counted twice, which costs a rendering.
const NOTED: usize = 64;

/// Subscriptions on WebSockets, for each listener that there is a place for: not
/// every connection can have as many as one may have.
const SUBSCRIPTIONS: usize = 10;

/// Something happened to a post. Carries who and which, never what was written.
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
    /// Whether events of this process come back from the database, too.
    echoes: bool,
    /// Counters of changes, for the keys of caches.
    pub changes: Changes,
    newest: AtomicI64,
    /// Changes that were counted last. A change of this process comes twice,
    /// from the write and from the database, in either order; the second one
    /// invalidates nothing.
    noted: Mutex<VecDeque<i64>>,
    /// The newest event of the database, and the counter of [`Changes::lists`]
    /// that was read before it was asked.
    kept_newest: Mutex<Option<(u64, i64)>>,
    listeners: RwLock<Option<channel::Sender<Event>>>,
    places: Arc<ListenerSlots>,
    subscriptions: Arc<ListenerSlots>,
    stopping: watch::Sender<bool>,
}

impl Site {
    /// The events of a site, for caches and listeners.
    #[must_use]
    pub fn bus(&self) -> &Arc<Bus> {
        self.part()
    }
}

impl Bus {
    /// For at most so many listeners at a time.
    #[must_use]
    pub fn new(engine: Engine, max_listeners: usize) -> Self {
        let alone = engine == Engine::Sqlite;
        Self {
            echoes: !alone,
            changes: Changes::new(alone),
            newest: AtomicI64::new(0),
            noted: Mutex::default(),
            kept_newest: Mutex::new(None),
            listeners: RwLock::new(Some(channel::Sender::new(BACKLOG))),
            places: Arc::new(ListenerSlots::new(max_listeners)),
            subscriptions: Arc::new(ListenerSlots::new(max_listeners.saturating_mul(SUBSCRIPTIONS))),
            stopping: watch::Sender::new(false),
        }
    }

    /// A write of this process is on the disk; the event says what it changed, if anything.
    pub fn committed(&self, event: Option<&Event>) {
        let Some(event) = event else { return };
        self.note(event);
        if !self.echoes {
            self.deliver(event.clone());
        }
    }

    /// The database notified a change. It may be one of this process, whose
    /// commit is known only from here if the connection broke on its answer.
    fn heard(&self, event: Event) {
        self.note(&event);
        self.deliver(event);
    }

    fn note(&self, event: &Event) {
        // Held until it is counted: the second of the two must not go on before.
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        if self.echoes {
            if noted.contains(&event.id) {
                return;
            }
            if noted.len() == NOTED {
                noted.pop_front();
            }
            noted.push_back(event.id);
        }
        // In this order: a page for the new counter must not come from a
        // replica that lacks the event.
        self.has_come_to(event.id);
        self.changes.post_changed(&event.post);
    }

    /// The database has the event `id`, and this process may have shown it.
    fn has_come_to(&self, id: i64) {
        self.newest.fetch_max(id, Ordering::AcqRel);
    }

    /// From now on no change is missed. Ids of events may repeat, because the
    /// database may have been set back to an earlier state.
    fn follow(&self) {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.changes.follow();
    }

    /// The database is not in the expected state: more happened than can be
    /// passed on, or it was set back to an earlier state. Ends every listening;
    /// clients that come back are told.
    fn start_over(&self, newest: i64) {
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

    /// The newest event that this process knows of. A replica that has it is
    /// not behind what was shown here.
    #[must_use]
    pub fn newest(&self) -> i64 {
        self.newest.load(Ordering::Acquire)
    }

    /// The newest event of the database, if it was asked since the last change.
    #[must_use]
    fn newest_at(&self, generation: Option<u64>) -> Option<i64> {
        let kept = *self.kept_newest.lock().unwrap_or_else(PoisonError::into_inner);
        kept.filter(|(asked, _)| generation == Some(*asked)).map(|(_, newest)| newest)
    }

    /// The database has said which event is the newest.
    fn keep_newest(&self, generation: Option<u64>, newest: i64) {
        let kept = generation.map(|generation| (generation, newest));
        *self.kept_newest.lock().unwrap_or_else(PoisonError::into_inner) = kept;
    }

    /// Events from now on; `None` when the site is about to stop.
    #[must_use]
    pub fn subscribe(&self) -> Option<channel::Receiver<Event>> {
        let listeners = self.listeners.read().unwrap_or_else(PoisonError::into_inner);
        listeners.as_ref().map(channel::Sender::subscribe)
    }

    /// A place for one more listener from there, if there is one.
    #[must_use]
    pub fn place(&self, client: Option<IpAddr>) -> Option<ListenerSlot> {
        ListenerSlots::take(&self.places, client)
    }

    /// A place for one more subscription on a WebSocket from there, if there
    /// is one.
    #[must_use]
    pub fn subscription(&self, client: Option<IpAddr>) -> Option<ListenerSlot> {
        ListenerSlots::take(&self.subscriptions, client)
    }

    /// Ends every listening for good, so that the site can stop.
    pub fn close(&self) {
        self.listeners.write().unwrap_or_else(PoisonError::into_inner).take();
        self.stopping.send_replace(true);
    }

    /// Returns once the site is about to stop.
    pub async fn closed(&self) {
        // An error would say that the bus itself is gone.
        let _ = self.stopping.subscribe().wait_for(|stopping| *stopping).await;
    }
}
