//! How much an author may publish in an hour (security row R3).

use std::time::Duration;

use super::PostText;
use crate::{
    clock,
    config::AuthorLimits,
    credentials::User,
    database::{Db, on_engine},
    error::AppError,
};

const WINDOW: Duration = Duration::from_secs(60 * 60);

/// Checks a new post against the settings, in the transaction that stores it. Without
/// a limit no query is made.
///
/// # Errors
/// [`AppError::TooMany`], until the oldest post of the hour is an hour old.
pub(super) async fn refuse_too_much(
    db: &mut Db,
    author: &User,
    new: &PostText,
    limits: AuthorLimits,
) -> Result<(), AppError> {
    let AuthorLimits { posts: most_posts, bytes: most_bytes } = limits;
    if most_posts.is_none() && most_bytes.is_none() {
        return Ok(());
    }
    let since = clock::before(WINDOW);
    let (posts, bytes, oldest): (i64, i64, i64) = on_engine!(db => sqlx::query_as(
            "SELECT COUNT(*), CAST(COALESCE(SUM(octet_length(content)), 0) AS BIGINT), COALESCE(MIN(created_at), 0)
             FROM posts WHERE owner_id = $1 AND created_at > $2",
        )
        .bind(author.id.as_str())
        .bind(since.micros())
        .fetch_one(db)
        .await?);
    let is_beyond = |used: i64, most: Option<u32>| most.is_some_and(|most| used > i64::from(most));
    let new_bytes = i64::try_from(new.text().as_str().len()).unwrap_or(i64::MAX);
    if is_beyond(posts + 1, most_posts) || is_beyond(bytes.saturating_add(new_bytes), most_bytes) {
        let wait = oldest.saturating_sub(since.micros());
        let seconds = u32::try_from(wait / 1_000_000 + 1).unwrap_or(1);
        return Err(AppError::TooMany { retry_after: if posts == 0 { 3600 } else { seconds } });
    }
    Ok(())
}
