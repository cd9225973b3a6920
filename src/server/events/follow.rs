//! Hearing of what other processes on the same PostgreSQL do.

use std::time::Duration;

use serde::Deserialize;
use sqlx::postgres::PgListener;
use tokio::task::JoinHandle;

use super::{Event, store};
use crate::{
    error::AppError,
    server::{Site, database::on},
};

/// Silence after which the connection is tried; after as much again it is given up.
const SILENCE: Duration = Duration::from_secs(5);
/// Between two tries to connect.
const RETRY: Duration = Duration::from_millis(250);

/// The table does not say which process made an event.
const ELSEWHERE: &str = "";

/// What is sent over [`store::CHANNEL`]; no event in it: is anybody there?
#[derive(Deserialize)]
struct Message {
    process: String,
    event: Option<Event>,
}

/// Following, until this is dropped.
#[derive(Debug)]
pub struct Following(JoinHandle<()>);

impl Drop for Following {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Follows the events of the database from now on; returns once it does, or
/// has failed to for the first time and goes on trying. Where there are no
/// other processes, there is nothing to follow.
pub async fn start(site: &Site) -> Following {
    let mut follower = Follower { site: site.clone(), last: None };
    let first = follower.connect().await;
    Following(tokio::spawn(async move {
        let mut connected = first;
        loop {
            match connected {
                Ok(None) => return,
                Ok(Some(listener)) => {
                    let lost = follower.hear(listener).await;
                    follower.site.bus.changes.lose();
                    tracing::warn!(%lost, "the connection that hears of changes is lost; pages are rendered anew until it is back");
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
    /// Subscribes first and then looks what was missed, so that nothing falls
    /// between the two.
    async fn connect(&mut self) -> Result<Option<PgListener>, AppError> {
        let Some(listener) = self.site.database.listen(store::CHANNEL).await? else { return Ok(None) };
        let db = &mut self.site.database.read().await?;
        let newest = store::newest(db).await?;
        let missed = match self.last {
            Some(last) => store::after(db, last).await?,
            None => Some(Vec::new()),
        };
        let bus = &self.site.bus;
        bus.has_come_to(newest);
        bus.changes.follow();
        match missed {
            Some(events) => events.into_iter().for_each(|event| self.pass_on(event, ELSEWHERE)),
            None => bus.interrupt(),
        }
        self.last = self.last.max(Some(newest));
        Ok(Some(listener))
    }

    /// Passes on what is told; returns why it no longer is.
    async fn hear(&mut self, mut listener: PgListener) -> String {
        let mut asked = false;
        loop {
            match tokio::time::timeout(SILENCE, listener.try_recv()).await {
                Ok(Ok(Some(notification))) => {
                    asked = false;
                    match serde_json::from_str::<Message>(notification.payload()) {
                        Ok(Message { process, event: Some(event) }) => self.pass_on(event, &process),
                        Ok(Message { event: None, .. }) => {}
                        Err(error) => tracing::warn!(%error, "a message on {} is not ours", store::CHANNEL),
                    }
                }
                Ok(Ok(None)) => return "closed".to_owned(),
                Ok(Err(error)) => return error.to_string(),
                Err(_) if asked => return "silent".to_owned(),
                Err(_) => {
                    asked = true;
                    if let Err(error) = self.ask().await {
                        tracing::warn!(%error, "the database does not answer");
                    }
                }
            }
        }
    }

    fn pass_on(&mut self, event: Event, process: &str) {
        // Told twice: by the table after a reconnection and by the connection.
        if self.last.is_none_or(|last| event.id > last) {
            self.last = Some(event.id);
            self.site.bus.heard(event, process);
        }
    }

    /// Has the database say something to whoever listens.
    async fn ask(&self) -> Result<(), AppError> {
        let db = &mut self.site.database.read().await?;
        let message = serde_json::json!({ "process": self.site.bus.process, "event": null }).to_string();
        on!(db => sqlx::query("SELECT pg_notify($1, $2)")
            .bind(store::CHANNEL)
            .bind(message)
            .execute(db)
            .await
            .map(drop)?);
        Ok(())
    }
}
