//! Receives the changes of other processes: on PostgreSQL as it tells them, on SQLite by
//! looking, because commands such as `byline import` write beside the one that serves.

use std::time::Duration;

use sqlx::postgres::PgListener;
use tokio::{task::JoinHandle, time::timeout};

use super::{Event, store};
use crate::{accounts::domain::account::NAMES_CHANNEL, credentials::trust, error::AppError, site::Site};

/// After this silence the connection is tested; without an answer in the same time it counts as lost.
const MAX_SILENCE: Duration = Duration::from_secs(5);
/// The wait between two tries to connect.
const RETRY: Duration = Duration::from_millis(250);

/// How often a process that serves a file looks for what commands have changed beside it.
const LOOK: Duration = Duration::from_millis(300);

/// Follows until this is dropped.
#[derive(Debug)]
pub struct Following(JoinHandle<()>);

impl Drop for Following {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Follows the events of the database. Returns once it is connected, or after the first
/// failure, and retries in the background.
pub async fn start(site: &Site) -> Following {
    let mut follower = Follower { site: site.clone(), last: None };
    let first = follower.connect().await;
    Following(tokio::spawn(async move {
        let mut connected = first;
        loop {
            match connected {
                Ok(None) => return follower.look().await,
                Ok(Some(listener)) => {
                    let lost = follower.receive(listener).await;
                    follower.site.bus().changes.lose();
                    follower.site.trust().lose();
                    tracing::warn!(%lost, "the connection that hears of changes is lost; until it is back pages are rendered anew, and every key and token is asked about");
                }
                Err(error) => {
                    tracing::warn!(%error, "no connection to hear of changes; it is tried again");
                    tokio::time::sleep(RETRY).await;
                }
            }
            connected = follower.connect().await;
        }
    }))
}

struct Follower {
    site: Site,
    /// The last event that was passed on; `None` before the first connection.
    last: Option<i64>,
}

impl Follower {
    /// Subscribes first and then reads what was missed, so that no event is lost in
    /// between.
    async fn connect(&mut self) -> Result<Option<PgListener>, AppError> {
        let channels = [store::CHANNEL, trust::CHANNEL, NAMES_CHANNEL];
        let Some((listener, mut db)) = self.site.database.listen(&channels).await? else {
            return Ok(None);
        };
        let newest = store::newest(&mut db).await?;
        let missed = match self.last {
            Some(last) => store::after(&mut db, last).await?,
            None => None,
        };
        let bus = self.site.bus();
        match missed {
            Some(missed) => {
                bus.follow();
                missed.into_iter().for_each(|event| self.pass_on(event));
            }
            None => {
                self.last = Some(newest);
                bus.reset(newest);
                bus.follow();
            }
        }
        // Missed changes of credentials are not repeated, so all are verified again.
        self.site.trust().follow();
        Ok(Some(listener))
    }

    /// On SQLite: looks for events that this process has not written. An event is looked at
    /// when it was there a look ago: until then this process has counted what it wrote.
    async fn look(self) {
        let bus = self.site.bus();
        let (mut last, mut seen) = (None, 0);
        loop {
            if let Ok(mut db) = self.site.database.read().await
                && let Ok(newest) = store::newest(&mut db).await
            {
                match last {
                    Some(last) if newest < last => bus.changes.everything_changed(),
                    Some(last) if seen > last => {
                        let foreign = bus.uncounted(last, seen);
                        let found = if foreign.is_empty() {
                            Ok(Some(Vec::new()))
                        } else {
                            store::after(&mut db, last).await
                        };
                        match found {
                            Ok(Some(events)) => {
                                events
                                    .into_iter()
                                    .filter(|event| foreign.contains(&event.id))
                                    .for_each(|event| bus.received(event));
                            }
                            Ok(None) | Err(_) => bus.changes.everything_changed(),
                        }
                    }
                    _ => {}
                }
                last = Some(if last.is_none() || newest < seen { newest } else { seen });
                seen = newest;
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Passes on notifications; returns the reason when they end.
    async fn receive(&mut self, mut listener: PgListener) -> String {
        loop {
            match timeout(MAX_SILENCE, listener.try_recv()).await {
                Ok(Ok(Some(notification))) if notification.channel() == trust::CHANNEL => {
                    self.site.trust().forget();
                }
                Ok(Ok(Some(notification))) if notification.channel() == NAMES_CHANNEL => {
                    self.site.bus().changes.everything_changed();
                }
                // A newer Byline may send a format that this one cannot read. Then it
                // reconnects and reads the table.
                Ok(Ok(Some(notification))) => match serde_json::from_str(notification.payload()) {
                    Ok(event) => self.pass_on(event),
                    Err(error) => return format!("unreadable: {error}"),
                },
                Ok(Ok(None)) => return "closed".to_owned(),
                Ok(Err(error)) => return error.to_string(),
                Err(_) => {
                    let answer = sqlx::query("SELECT 1").execute(&mut listener);
                    match timeout(MAX_SILENCE, answer).await {
                        Ok(Ok(_)) => {}
                        Ok(Err(error)) => return error.to_string(),
                        Err(_) => return "silent".to_owned(),
                    }
                }
            }
        }
    }

    fn pass_on(&mut self, event: Event) {
        // After a reconnection an event may come from the table and as a notification.
        if self.last.is_none_or(|last| event.id > last) {
            self.last = Some(event.id);
            self.site.bus().received(event);
        }
    }
}
