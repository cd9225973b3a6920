//! What happened to posts, with the posts themselves: read once a process for
//! all who subscribed, from the rows that every process shares.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::broadcast::{self, error::RecvError};

use crate::{
    error::AppError,
    posts::server::store::{self, Changed},
    server::{
        Site,
        database::Database,
        events::{Event, EventKind},
    },
};

/// What a subscriber may be behind; one more, and it is dropped.
const BACKLOG: usize = 256;

/// Something happened, and to what.
#[derive(Clone, Debug)]
pub struct News {
    /// What happened.
    pub kind: EventKind,
    /// The post as it is now, or was.
    pub post: Arc<Changed>,
}

/// Passes news on to subscribers. Reads nothing while there are none.
#[derive(Debug, Default)]
pub struct Feed(Mutex<Option<broadcast::WeakSender<News>>>);

impl Feed {
    /// News from now on; `None` when the site is about to stop. The receiver
    /// ends when the site does, and when more happened than could be passed on.
    #[must_use]
    pub fn subscribe(&self, site: &Site) -> Option<broadcast::Receiver<News>> {
        let mut feed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = feed.as_ref().and_then(broadcast::WeakSender::upgrade) {
            return Some(running.subscribe());
        }
        let events = site.bus.subscribe()?;
        let sender = broadcast::Sender::new(BACKLOG);
        *feed = Some(sender.downgrade());
        let receiver = sender.subscribe();
        tokio::spawn(pass_on(site.database.clone(), events, sender));
        Some(receiver)
    }
}

/// Ends with the bus, or when it is too slow for it: then every receiver ends,
/// so that nobody misses a thing without knowing.
async fn pass_on(
    database: Database,
    mut events: broadcast::Receiver<Event>,
    subscribers: broadcast::Sender<News>,
) {
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
        match news(&database, &event).await {
            Ok(Some(post)) => {
                // An error says that nobody listens any more.
                let _ = subscribers.send(News { kind: event.kind, post: Arc::new(post) });
            }
            // Nothing of it is left: it was long ago, or its owner, whose program brings its
            // ids, has made it anew and is about to be heard of.
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(%error, "an event could not be read; subscriptions start over");
                return;
            }
        }
    }
}

async fn news(database: &Database, event: &Event) -> Result<Option<Changed>, AppError> {
    let db = &mut database.read().await?;
    if event.kind != EventKind::Deleted
        && let Some(post) = store::find(db, &event.post).await?
    {
        return Ok(Some(Changed::Post(post)));
    }
    Ok(store::find_deleted(db, &event.post).await?.map(Changed::Deleted))
}
