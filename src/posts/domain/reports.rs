//! What readers report about posts to whoever runs the site. Everyone may, also without a
//! session, so each network has a limit.

use std::time::Duration;

use sqlx::FromRow;
use uuid::Uuid;

use crate::{
    clock,
    credentials::RequestSource,
    database::{Db, execute, on_engine},
    error::AppError,
    http::fair_pool,
    posts::PostId,
    site::Site,
    timestamp::Timestamp,
};

/// Reports that one network may send in [`WINDOW`].
const OF_NETWORK: i64 = 10;
const WINDOW: Duration = Duration::from_secs(60 * 60);
/// Open reports of one post, and of the whole site; more say nothing new.
const OF_POST: i64 = 50;
const OF_SITE: i64 = 10_000;
/// How long a settled report is kept, and one of a post that is gone.
const KEPT: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// What is wrong with a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportReason {
    Spam,
    Abuse,
    Unlawful,
    Other,
}

/// The reason is none of those that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Choose what is wrong with the post")]
pub struct ReportReasonError;

impl ReportReason {
    pub const ALL: [Self; 4] = [Self::Spam, Self::Abuse, Self::Unlawful, Self::Other];

    /// As forms send it, and as it is stored.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Spam => "spam",
            Self::Abuse => "abuse",
            Self::Unlawful => "unlawful",
            Self::Other => "other",
        }
    }

    /// As people read it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Spam => "It is spam or a fraud",
            Self::Abuse => "It attacks or threatens somebody",
            Self::Unlawful => "It is against the law",
            Self::Other => "Something else",
        }
    }

    /// By its name.
    ///
    /// # Errors
    /// [`ReportReasonError`].
    pub fn parse(raw: &str) -> Result<Self, ReportReasonError> {
        Self::ALL.into_iter().find(|reason| reason.name() == raw).ok_or(ReportReasonError)
    }
}

/// What a reader adds in their own words: 1,000 characters at most, may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReportDetail(String);

/// Too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Write {} characters at most", ReportDetail::MAX_CHARS)]
pub struct ReportDetailError;

impl ReportDetail {
    pub const MAX_CHARS: usize = 1000;

    /// Trims, then checks.
    ///
    /// # Errors
    /// [`ReportDetailError`].
    pub fn parse(raw: &str) -> Result<Self, ReportDetailError> {
        let detail = raw.trim().replace('\0', "");
        if detail.chars().count() > Self::MAX_CHARS { Err(ReportDetailError) } else { Ok(Self(detail)) }
    }
}

/// Stores a report of a published post. A second one from the same network, while the first
/// is open, says nothing new and changes nothing.
///
/// # Errors
/// [`AppError::NotFound`] where no such post is published; [`AppError::TooMany`] after ten
/// in an hour from one network; [`AppError::Busy`].
pub async fn report(
    site: &Site,
    post: &PostId,
    reason: ReportReason,
    detail: ReportDetail,
    source: &RequestSource,
) -> Result<(), AppError> {
    let network = source.address.map(|address| fair_pool::network(address).to_string()).unwrap_or_default();
    site.database
        .write((post.clone(), detail, network), move |db, (post, ReportDetail(detail), network)| {
            Box::pin(async move {
                let now = clock::now();
                let since = clock::before(WINDOW);
                let (is_there, of_network, oldest, of_post, of_site): (bool, i64, i64, i64, i64) =
                    on_engine!(db => sqlx::query_as(
                            "SELECT EXISTS (SELECT 1 FROM posts WHERE id = $1),
                                 (SELECT COUNT(*) FROM reports WHERE network = $2 AND created_at > $3),
                                 (SELECT COALESCE(MIN(created_at), 0) FROM reports
                                  WHERE network = $2 AND created_at > $3),
                                 (SELECT COUNT(*) FROM reports WHERE post_id = $1 AND settled_at IS NULL),
                                 (SELECT COUNT(*) FROM reports WHERE settled_at IS NULL)",
                        )
                        .bind(post.as_str())
                        .bind(&network)
                        .bind(since.micros())
                        .fetch_one(db)
                        .await?);
                if !is_there {
                    return Err(AppError::NotFound);
                }
                if of_network >= OF_NETWORK {
                    let seconds = oldest.saturating_sub(since.micros()) / 1_000_000 + 1;
                    return Err(AppError::TooMany { retry_after: u32::try_from(seconds).unwrap_or(1) });
                }
                if of_post >= OF_POST || of_site >= OF_SITE {
                    return Ok(());
                }
                execute!(db => sqlx::query(
                        "INSERT INTO reports (id, post_id, reason, detail, network, created_at)
                         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
                    )
                    .bind(Uuid::now_v7().to_string())
                    .bind(post.as_str())
                    .bind(reason.name())
                    .bind(detail)
                    .bind(network)
                    .bind(now.micros()))?;
                Ok(())
            })
        })
        .await
}

/// An open report, as whoever is in charge of the site sees it.
#[derive(Clone, Debug, FromRow)]
pub struct OpenReport {
    pub post_id: String,
    pub title: String,
    /// The username of the post's author.
    pub owner: String,
    /// [`ReportReason::name`].
    pub reason: String,
    pub detail: String,
    /// Microseconds since 1970 UTC.
    pub created_at: i64,
    /// When the post was last reported, in microseconds since 1970 UTC.
    pub last_at: i64,
}

impl OpenReport {
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        Timestamp::from_micros(self.created_at)
    }

    /// The reason in words.
    #[must_use]
    pub fn reason(&self) -> &str {
        match ReportReason::parse(&self.reason) {
            Ok(reason) => reason.words(),
            Err(_) => &self.reason,
        }
    }
}

/// The open reports of so many posts that are published, those of one post together, the post
/// that was reported last first; those after a place, if there is one: [`OpenReport::last_at`] and
/// the id of a post.
///
/// # Errors
/// [`AppError::Busy`].
pub async fn page(
    site: &Site,
    after: Option<(i64, String)>,
    posts: i64,
) -> Result<Vec<OpenReport>, AppError> {
    let (last_at, post_id) = after.unwrap_or((i64::MAX, String::new()));
    let db = &mut site.database.read().await?;
    Ok(on_engine!(db => sqlx::query_as(
            "SELECT r.post_id, p.title, u.username AS owner, r.reason, r.detail, r.created_at, l.last_at
             FROM (SELECT o.post_id, MAX(o.created_at) AS last_at
                   FROM reports o JOIN posts q ON q.id = o.post_id
                   WHERE o.settled_at IS NULL
                   GROUP BY o.post_id
                   HAVING MAX(o.created_at) < $1 OR (MAX(o.created_at) = $1 AND o.post_id > $2)
                   ORDER BY MAX(o.created_at) DESC, o.post_id
                   LIMIT $3) l
             JOIN reports r ON r.post_id = l.post_id AND r.settled_at IS NULL
             JOIN posts p ON p.id = r.post_id JOIN users u ON u.id = p.owner_id
             ORDER BY l.last_at DESC, l.post_id, r.created_at DESC",
        )
        .bind(last_at)
        .bind(&post_id)
        .bind(posts)
        .fetch_all(db)
        .await?))
}

/// The title of a published post that has open reports.
///
/// # Errors
/// [`AppError::NotFound`] where there is no such post; [`AppError::Busy`].
pub async fn title(site: &Site, post: &PostId) -> Result<String, AppError> {
    let db = &mut site.database.read().await?;
    let title: Option<String> = on_engine!(db => sqlx::query_scalar(
            "SELECT title FROM posts WHERE id = $1 AND EXISTS
                 (SELECT 1 FROM reports r WHERE r.post_id = posts.id AND r.settled_at IS NULL)",
        )
        .bind(post.as_str())
        .fetch_optional(db)
        .await?);
    title.ok_or(AppError::NotFound)
}

/// How many posts have open reports.
///
/// # Errors
/// [`AppError::Busy`].
pub async fn count_of_posts(db: &mut Db) -> Result<i64, AppError> {
    Ok(on_engine!(db => sqlx::query_scalar(
            "SELECT COUNT(DISTINCT r.post_id) FROM reports r JOIN posts p ON p.id = r.post_id
             WHERE r.settled_at IS NULL",
        )
        .fetch_one(db)
        .await?))
}

/// Settles the open reports of a post, in a transaction of its own.
///
/// # Errors
/// [`AppError::Busy`].
pub async fn dismiss(site: &Site, post: &PostId) -> Result<(), AppError> {
    site.database.write(post.clone(), |db, post| Box::pin(async move { settle(db, &post).await })).await
}

/// Settles the open reports of a post.
pub(super) async fn settle(db: &mut Db, post: &PostId) -> Result<(), AppError> {
    execute!(db => sqlx::query("UPDATE reports SET settled_at = $1 WHERE post_id = $2 AND settled_at IS NULL")
        .bind(clock::now().micros())
        .bind(post.as_str()))?;
    Ok(())
}

/// Removes what was settled long ago, and reports of posts that are gone.
///
/// # Errors
/// [`AppError::Busy`].
pub async fn forget_old(db: &mut Db) -> Result<(), AppError> {
    execute!(db => sqlx::query(
            "DELETE FROM reports WHERE settled_at <= $1
                 OR (created_at <= $1 AND NOT EXISTS (SELECT 1 FROM posts p WHERE p.id = reports.post_id))",
        )
        .bind(clock::before(KEPT).micros()))?;
    Ok(())
}
