//! Publishes drafts at the time that their authors chose. Every process that serves the
//! site looks; the transaction that publishes a draft sees to it that one of them does it.

use std::{sync::Arc, time::Duration};

use tokio::{sync::Notify, task::JoinHandle};

use super::{
    FilingChange, PostText, Written,
    draft_posts::{self, Occasion},
    rows::broken,
};
use crate::{
    clock,
    credentials::{User, UserId},
    database::{Db, execute, on_engine},
    error::AppError,
    posts::{PostId, PostOrDraft},
    site::Site,
    timestamp::Timestamp,
    username::Username,
};

/// How often it looks although nothing is due as far as it knows: another process may have
/// scheduled a post and ended.
const LOOK: Duration = Duration::from_secs(10);
/// Drafts that are published in one go.
const STEP: i64 = 20;

/// Wakes the task that publishes.
#[derive(Clone, Debug, Default)]
pub struct Publisher(Arc<Notify>);

impl Publisher {
    /// A draft was scheduled.
    pub fn wake(&self) {
        self.0.notify_one();
    }
}

impl Site {
    #[must_use]
    pub fn publisher(&self) -> &Publisher {
        self.part()
    }
}

/// Starts publishing, until the task is aborted. What is under way is a transaction, so
/// nothing is ever half published.
#[must_use]
pub fn start(site: &Site) -> JoinHandle<()> {
    tokio::spawn(run(site.clone()))
}

async fn run(site: Site) {
    let Publisher(wake) = site.publisher().clone();
    loop {
        let next = match publish_due(&site).await {
            Ok(next) => next,
            Err(error) => {
                tracing::warn!(%error, "posts that are due wait; it is tried again");
                None
            }
        };
        let until = next.map_or(LOOK, |at| until(at, clock::now()).min(LOOK));
        tokio::select! {
            () = wake.notified() => {}
            () = tokio::time::sleep(until) => {}
        }
    }
}

fn until(at: Timestamp, now: Timestamp) -> Duration {
    // A millisecond later rather than twice.
    Duration::from_micros(u64::try_from(at.micros() - now.micros()).unwrap_or(0)) + Duration::from_millis(1)
}

/// Publishes what is due. Returns when the next draft is, if one is scheduled.
///
/// # Errors
/// [`AppError::Busy`].
pub async fn publish_due(site: &Site) -> Result<Option<Timestamp>, AppError> {
    loop {
        let now = clock::now();
        let due = due(&mut site.database.read().await?, now).await?;
        if due.is_empty() {
            return next(&mut site.database.read().await?).await;
        }
        for Due { user, id, title, content } in due {
            // Its author may have emptied the title since.
            let Ok(text) = PostText::parse(&title, &content) else {
                cancel(site, &id).await?;
                continue;
            };
            let written = Written { text, filing: FilingChange::default(), date: None };
            let input = (user, id.clone(), None, written);
            match draft_posts::publish_now(site, input, Occasion::Due(now)).await {
                Ok(PostOrDraft::Published(_)) => {
                    tracing::info!(post = id.as_str(), "a post was published at its time");
                }
                Ok(PostOrDraft::Draft(_)) => {
                    tracing::info!(post = id.as_str(), "a post waits for approval since its time");
                }
                // Another process was faster, or its author.
                Err(AppError::NotFound | AppError::Conflict { .. }) => {}
                Err(error @ (AppError::Busy { .. } | AppError::WriteConflict)) => return Err(error),
                Err(error) => {
                    tracing::warn!(post = id.as_str(), %error, "a post cannot be published at its time and stays a draft");
                    cancel(site, &id).await?;
                }
            }
        }
    }
}

struct Due {
    user: User,
    id: PostId,
    title: String,
    content: String,
}

async fn due(db: &mut Db, now: Timestamp) -> Result<Vec<Due>, AppError> {
    let rows: Vec<(String, String, String, String, String)> = on_engine!(db => sqlx::query_as(
            "SELECT d.id, d.title, d.content, u.id, u.username FROM drafts d JOIN users u ON u.id = d.owner_id
             WHERE d.is_scheduled = 1 AND d.publish_at <= $1 AND u.locked_at IS NULL ORDER BY d.publish_at, d.id LIMIT $2",
        )
        .bind(now.micros())
        .bind(STEP)
        .fetch_all(db)
        .await?);
    rows.into_iter()
        .map(|(id, title, content, owner, username)| {
            Ok(Due {
                user: User {
                    id: UserId::from_stored(owner),
                    username: broken(Username::parse_known(&username))?,
                },
                id: broken(PostId::try_from(id))?,
                title,
                content,
            })
        })
        .collect()
}

async fn next(db: &mut Db) -> Result<Option<Timestamp>, AppError> {
    let at: Option<i64> = on_engine!(db => sqlx::query_scalar(
            "SELECT MIN(d.publish_at) FROM drafts d JOIN users u ON u.id = d.owner_id
             WHERE d.is_scheduled = 1 AND u.locked_at IS NULL",
        )
        .fetch_one(db)
        .await?);
    Ok(at.map(Timestamp::from_micros))
}

/// It stays a draft; its author sees that the time has passed.
async fn cancel(site: &Site, id: &PostId) -> Result<(), AppError> {
    let cancelled = site.database.write(id.clone(), |db, id| {
        Box::pin(async move {
            execute!(db => sqlx::query("UPDATE drafts SET is_scheduled = 0 WHERE id = $1").bind(id.as_str()))?;
            Ok(())
        })
    });
    cancelled.await
}
