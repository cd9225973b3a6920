//! Hears of the changes of other processes: on PostgreSQL of those that serve the same site,
//! by notifications; on SQLite of commands, by a look at two numbers now and then.

use std::time::Duration;

use sqlx::postgres::PgListener;
use tokio::{
    task::JoinHandle,
    time::{MissedTickBehavior, timeout},
};

use super::{Event, store};
use crate::{
    accounts::domain::account::{self, NAMES_CHANNEL},
    credentials::trust,
    error::AppError,
    site::Site,
    site_settings::{self, StoredState},
};

/// After this silence the connection is tested; without an answer in the same time it counts as lost.
const MAX_SILENCE: Duration = Duration::from_secs(5);
/// On SQLite, the wait between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// The wait between two tries to connect.
const RETRY: Duration = Duration::from_millis(250);

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
                Ok(None) => return look(&follower.site).await,
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

/// Looks for what commands have changed in a file of SQLite.
async fn look(site: &Site) {
    let mut last = None;
    let mut turns = tokio::time::interval(LOOK_EVERY);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        turns.tick().await;
        match look_once(site, last).await {
            Ok(seen) => last = Some(seen),
            // The database is busy, or cannot be read: so say the requests as well.
            Err(error) => tracing::debug!(%error, "changes of commands are not seen yet"),
        }
    }
}

/// What was there at a look: the newest event, the settings, and when a name was changed last.
type Seen = (i64, StoredState, i64);

async fn look_once(site: &Site, last: Option<Seen>) -> Result<Seen, AppError> {
    let (newest, settings, names) = {
        let db = &mut site.database.read().await?;
        (store::newest(db).await?, site_settings::state(db).await?, account::names_changed_at(db).await?)
    };
    if last.is_none_or(|(_, known, _)| known != settings) {
        site_settings::reload(site).await?;
    }
    let bus = site.bus();
    if last.is_some_and(|(.., known)| known != names) {
        bus.changes.everything_changed();
    }
    if let Some((known, ..)) = last
        && known != newest
    {
        let missed = store::after(&mut site.database.read().await?, known).await?;
        match missed {
            Some(missed) => missed.into_iter().for_each(|event| bus.found(event)),
            None => {
                bus.reset(newest);
                bus.changes.everything_changed();
            }
        }
    }
    Ok((newest, settings, names))
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
        let channels = [store::CHANNEL, trust::CHANNEL, NAMES_CHANNEL, site_settings::CHANNEL];
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
        site_settings::reload(&self.site).await?;
        // Missed changes of credentials are not repeated, so all are verified again.
        self.site.trust().follow();
        Ok(Some(listener))
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
                Ok(Ok(Some(notification))) if notification.channel() == site_settings::CHANNEL => {
                    if let Err(error) = site_settings::reload(&self.site).await {
                        return format!("the settings of the site could not be read: {error}");
                    }
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
