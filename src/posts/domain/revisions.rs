//! The versions of a post since it was published, for its author: what each change has
//! replaced is kept, 50 a post, the old ones further apart than the new ones.

use sqlx::FromRow;

use super::{policy, rows::broken, store};
use crate::{
    credentials::{Actor, UserId},
    database::{Db, execute, on_engine},
    error::AppError,
    posts::{PostId, Revision, Tags},
    site::Site,
    timestamp::Timestamp,
};

/// Versions that are kept of a post, besides the present one.
pub const KEPT: usize = 50;
/// The newest of these stay, however close together they are.
const RECENT: usize = 10;

/// Keeps what a post is now, in the transaction that changes it.
pub(super) async fn keep(db: &mut Db, id: &PostId) -> Result<(), AppError> {
    execute!(db => sqlx::query(
            "INSERT INTO revisions (post_id, version, owner_id, saved_at, tags, title, content)
             SELECT id, version, owner_id, updated_at, tags, title, content FROM posts WHERE id = $1
             ON CONFLICT (post_id, version) DO NOTHING",
        )
        .bind(id.as_str()))?;
    let times: Vec<(i64, i64)> = on_engine!(db => sqlx::query_as(
            "SELECT version, saved_at FROM revisions WHERE post_id = $1 ORDER BY version",
        )
        .bind(id.as_str())
        .fetch_all(db)
        .await?);
    for version in superfluous(times) {
        execute!(db => sqlx::query("DELETE FROM revisions WHERE post_id = $1 AND version = $2")
            .bind(id.as_str())
            .bind(version))?;
    }
    Ok(())
}

/// Which versions to remove until [`KEPT`] are left: each time the one whose neighbours are
/// closest together for their age, but neither the first nor one of the newest.
fn superfluous(mut versions: Vec<(i64, i64)>) -> Vec<i64> {
    let mut removed = Vec::new();
    while versions.len() > KEPT {
        let newest = versions.last().map_or(0, |(_, at)| *at);
        let density = |place: usize| {
            let (before, at, after) = (versions[place - 1].1, versions[place].1, versions[place + 1].1);
            // An hour between neighbours counts little after a year, and much after a day.
            (after - before) as f64 / (newest - at + 60_000_000) as f64
        };
        let candidates = 1..versions.len() - RECENT;
        let Some(place) = candidates.min_by(|a, b| density(*a).total_cmp(&density(*b))) else { break };
        removed.push(versions.remove(place).0);
    }
    removed
}

/// The versions of a post belong to whoever has the post.
pub(super) async fn hand_on(db: &mut Db, id: &PostId, to: &UserId) -> Result<(), AppError> {
    execute!(db => sqlx::query("UPDATE revisions SET owner_id = $2 WHERE post_id = $1")
        .bind(id.as_str())
        .bind(to.as_str()))?;
    Ok(())
}

#[derive(FromRow)]
struct Row {
    version: i64,
    saved_at: i64,
    title: String,
    tags: String,
    chars: i64,
}

impl Row {
    fn revision(self, post: &PostId, is_current: bool) -> Result<Revision, AppError> {
        Ok(Revision {
            post: post.clone(),
            version: self.version,
            saved_at: Timestamp::from_micros(self.saved_at),
            title: self.title,
            tags: broken(Tags::from_stored(&self.tags))?,
            chars: self.chars,
            is_current,
        })
    }
}

/// The versions of one of the actor's own posts or drafts, the newest first.
///
/// # Errors
/// [`AppError::NotSignedIn`]; [`AppError::NotFound`], also for another's draft;
/// [`AppError::Forbidden`] for another's post.
pub async fn list(site: &Site, actor: &Actor, id: &PostId) -> Result<Vec<Revision>, AppError> {
    let owner = &actor.user()?.id;
    let db = &mut site.reader_for(actor).await?;
    let current: Option<Row> = on_engine!(db => sqlx::query_as(
            "SELECT version, updated_at AS saved_at, title, tags, CAST(COALESCE(length(content), 0) AS BIGINT) AS chars
             FROM (SELECT id, owner_id, version, updated_at, title, tags, content FROM posts
                   UNION ALL SELECT id, owner_id, version, updated_at, title, tags, content FROM drafts) AS present
             WHERE id = $1 AND owner_id = $2",
        )
        .bind(id.as_str())
        .bind(owner.as_str())
        .fetch_optional(db)
        .await?);
    let Some(current) = current else {
        let post = store::find(db, id).await?.ok_or(AppError::NotFound)?;
        policy::may_change(actor, &post.owner)?;
        return Err(AppError::NotFound);
    };
    let rows: Vec<Row> = on_engine!(db => sqlx::query_as(
            "SELECT version, saved_at, title, tags, CAST(COALESCE(length(content), 0) AS BIGINT) AS chars
             FROM revisions WHERE post_id = $1 AND owner_id = $2 AND version < $3 ORDER BY version DESC",
        )
        .bind(id.as_str())
        .bind(owner.as_str())
        .bind(current.version)
        .fetch_all(db)
        .await?);
    let earlier = rows.into_iter().map(|row| row.revision(id, false));
    std::iter::once(current.revision(id, true)).chain(earlier).collect()
}

/// The text and the tags of a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevisionText {
    pub version: i64,
    pub saved_at: Timestamp,
    /// Empty only for a draft.
    pub title: String,
    pub content: String,
    pub tags: Tags,
}

/// A version of one of the actor's own posts or drafts, the present one included.
///
/// # Errors
/// As [`list`].
pub async fn text(
    site: &Site,
    actor: &Actor,
    id: &PostId,
    version: i64,
) -> Result<Option<RevisionText>, AppError> {
    let owner = &actor.user()?.id;
    let db = &mut site.reader_for(actor).await?;
    let row: Option<(i64, i64, String, Option<String>, String)> = on_engine!(db => sqlx::query_as(
            "SELECT version, saved_at, title, content, tags FROM revisions
             WHERE post_id = $1 AND owner_id = $2 AND version = $3
             UNION ALL SELECT version, updated_at, title, content, tags FROM posts
             WHERE id = $1 AND owner_id = $2 AND version = $3
             UNION ALL SELECT version, updated_at, title, content, tags FROM drafts
             WHERE id = $1 AND owner_id = $2 AND version = $3
             LIMIT 1",
        )
        .bind(id.as_str())
        .bind(owner.as_str())
        .bind(version)
        .fetch_optional(db)
        .await?);
    row.map(|(version, saved_at, title, content, tags)| {
        Ok(RevisionText {
            version,
            saved_at: Timestamp::from_micros(saved_at),
            title,
            content: content.unwrap_or_default(),
            tags: broken(Tags::from_stored(&tags))?,
        })
    })
    .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60 * 1_000_000;

    #[test]
    fn fifty_versions_stay_the_first_and_the_newest_among_them() {
        let versions: Vec<(i64, i64)> = (1..=50).map(|version| (version, version * MINUTE)).collect();
        assert_eq!(superfluous(versions.clone()), [] as [i64; 0]);
        let mut versions = versions;
        for version in 51..=300 {
            versions.push((version, version * MINUTE));
            for removed in superfluous(versions.clone()) {
                assert!(removed != 1 && removed <= version - RECENT as i64, "{removed} of {version}");
                versions.retain(|(kept, _)| *kept != removed);
            }
        }
        assert_eq!(versions.len(), KEPT);
        // The old ones are further apart.
        let gap = |place: usize| versions[place + 1].1 - versions[place].1;
        assert!(gap(1) > gap(45), "{versions:?}");
        assert!((40..49).all(|place| gap(place) == MINUTE), "{versions:?}");
    }
}
