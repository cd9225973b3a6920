//! The index of searches: the grams of every post ([`super::grams`]).
//!
//! Triggers mark a post whose text changes, in the same transaction. A marked post may
//! match every search, so it is found at once; [`keep`] stores its grams a moment later,
//! many posts in one transaction. An older site begins with every post marked.

use std::time::{Duration, Instant};

use futures::TryStreamExt;
use sqlx::FromRow;

use super::{
    fold, grams,
    narrowing::{Choice, Narrowing},
};
use crate::{
    database::{Database, Db, Engine, execute, internal, on_engine},
    error::AppError,
    site::Site,
};

/// How often marked posts are looked for that another process has not indexed.
const EVERY: Duration = Duration::from_secs(10 * 60);

/// After a change, so that the posts of many authors are indexed together.
const PAUSE: Duration = Duration::from_secs(1);

/// Bytes of texts in one step; a single post may have more.
const STEP: usize = 1 << 18;

/// How often the parts of SQLite's index become one at most.
const MERGED_EVERY: Duration = Duration::from_secs(24 * 60 * 60);
/// From so many on.
const PARTS: i64 = 8;
/// Pages that are written in one step, so that writers wait for some milliseconds.
const PAGES: i64 = 16;

/// Keeps the index up to date until the process ends. Marked posts are indexed when this
/// process has changed one, and now and then. A failure is logged, and the work is tried
/// again the next time.
pub async fn keep(site: Site) {
    // When the parts of the index were counted, and when they became one.
    let (mut counted_at, mut merged_at): (Option<Instant>, Option<Instant>) = (None, None);
    loop {
        if let Err(error) = backfill(&site.database).await {
            tracing::warn!(%error, "searches look at some posts without an index; it is tried again");
        }
        let is_time = |at: Option<Instant>, every| at.is_none_or(|at| at.elapsed() >= every);
        if is_time(counted_at, EVERY) && is_time(merged_at, MERGED_EVERY) {
            counted_at = Some(Instant::now());
            match merge(&site.database).await {
                Ok(true) => merged_at = counted_at,
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(%error, "searches take longer than they could; it is tried again")
                }
            }
        }
        // A timeout is a reason to look, too.
        if tokio::time::timeout(EVERY, site.bus().own_change()).await.is_ok() {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

#[derive(Clone, FromRow)]
struct Marked {
    post_id: String,
    revision: i64,
    title: String,
    content: Option<String>,
    title_folded: Option<String>,
    content_folded: Option<String>,
    read_folded: Option<String>,
}

/// A post whose folds are missing is not indexed before it has them, because a search
/// compares it in another way ([`fold::backfill`]).
macro_rules! marked {
    ($condition:literal, $order:literal) => {
        concat!(
            "SELECT s.post_id, s.revision, p.title, p.content, p.title_folded, p.content_folded, p.read_folded
             FROM searched_posts s JOIN posts p ON p.id = s.post_id WHERE ",
            $condition,
            " AND NOT COALESCE(",
            fold::is_unfolded!(),
            ", FALSE) ORDER BY ",
            $order,
            " LIMIT 256"
        )
    };
}

/// Stores the grams of all marked posts, in steps, so that others can write in between.
///
/// # Errors
///
/// After an error, the steps before it stay.
pub async fn backfill(database: &Database) -> Result<(), AppError> {
    fold::backfill(database).await?;
    loop {
        let posts = marked(&mut database.read().await?).await?;
        if posts.is_empty() {
            return Ok(());
        }
        let engine = database.engine();
        let indexing = tokio::task::spawn_blocking(move || {
            posts.into_iter().map(|post| Indexed::of(post, engine)).collect::<Vec<_>>()
        });
        let indexed = indexing.await.map_err(|error| internal(format_args!("indexing failed: {error}")))?;
        let written = database.write(indexed, |db, indexed| Box::pin(write(db, indexed)));
        match written.await {
            // Another process may have been faster.
            Ok(()) | Err(AppError::WriteConflict) => {}
            Err(error) => return Err(error),
        }
    }
}

/// Makes one of the parts of SQLite's index, if there are many. Each commit adds a part, and a
/// search looks into all of them; SQLite itself merges them only as far as writes stay cheap.
/// PostgreSQL has one. Whether it did.
///
/// # Errors
///
/// After an error, the steps before it stay.
pub async fn merge(database: &Database) -> Result<bool, AppError> {
    if parts(&mut database.read().await?).await? < PARTS {
        return Ok(false);
    }
    // With a number below zero it begins with all parts, and above it goes on.
    let mut pages = -PAGES;
    while database.write(pages, |db, pages| Box::pin(merge_some(db, pages))).await? {
        pages = PAGES;
    }
    Ok(true)
}

/// Of how many parts SQLite's index is; 0 on PostgreSQL.
///
/// # Errors
/// [`AppError::Busy`].
pub async fn parts(db: &mut Db) -> Result<i64, AppError> {
    let Db::Sqlite(connection) = db else { return Ok(0) };
    let parts = sqlx::query_scalar("SELECT COUNT(DISTINCT segid) FROM post_grams_idx");
    Ok(parts.fetch_one(&mut **connection).await?)
}

/// Whether there was something to merge: SQLite tells it by the number of its changes
/// ("The 'merge' Command" of its page on FTS5).
async fn merge_some(db: &mut Db, pages: i64) -> Result<bool, AppError> {
    const CHANGES: &str = "SELECT total_changes()";
    let Db::Sqlite(connection) = db else { return Ok(false) };
    let before: i64 = sqlx::query_scalar(CHANGES).fetch_one(&mut **connection).await?;
    sqlx::query("INSERT INTO post_grams (post_grams, rank) VALUES ('merge', $1)")
        .bind(pages)
        .execute(&mut **connection)
        .await?;
    let after: i64 = sqlx::query_scalar(CHANGES).fetch_one(&mut **connection).await?;
    Ok(after - before >= 2)
}

async fn marked(db: &mut Db) -> Result<Vec<Marked>, AppError> {
    let statement = match db.engine() {
        Engine::Sqlite => marked!("s.indexed = 0", "s.number"),
        Engine::Postgres => marked!("s.grams IS NULL", "s.created_at, s.post_id"),
    };
    let (mut posts, mut size) = (Vec::new(), 0);
    on_engine!(db => {
        let mut found = sqlx::query_as::<_, Marked>(statement).fetch(db);
        while size < STEP && let Some(post) = found.try_next().await? {
            size += post.title.len() + post.content.as_ref().map_or(0, String::len);
            posts.push(post);
        }
    });
    Ok(posts)
}

/// How many marked posts are counted at most, so that counting them costs little.
const COUNTED: i64 = 10_000;

/// How many posts are marked, [`COUNTED`] at most.
pub async fn count_marked(db: &mut Db) -> Result<i64, AppError> {
    let statement = match db.engine() {
        Engine::Sqlite => {
            "SELECT COUNT(*) FROM (SELECT 1 FROM searched_posts WHERE indexed = 0 LIMIT $1) AS marked"
        }
        Engine::Postgres => {
            "SELECT COUNT(*) FROM (SELECT 1 FROM searched_posts WHERE grams IS NULL LIMIT $1) AS marked"
        }
    };
    Ok(on_engine!(db => sqlx::query_scalar(statement).bind(COUNTED).fetch_one(db).await?))
}

/// How many of the newest posts with a gram are passed to see how rare it is.
const PASSED: usize = 16;
/// Where they are among so many of the newest of all, the gram is common: in about every second
/// post. To read where it is takes longer than to look at the posts that it would exclude.
const COMMON: i64 = 2 * PASSED as i64;

/// What the index is asked for: fewer grams than there are, where the engine reads the whole list of each. PostgreSQL
/// begins with the rarest itself.
pub async fn rarest(db: &mut Db, narrowing: Narrowing) -> Result<Narrowing, AppError> {
    let (Db::Sqlite(connection), Some(choices)) = (db, narrowing.choices()) else {
        return Ok(narrowing);
    };
    let mut probes =
        sqlx::QueryBuilder::<sqlx::Sqlite>::new("SELECT -1, (SELECT MAX(number) FROM searched_posts)");
    for (index, Choice { gram, .. }) in choices.iter().enumerate() {
        probes
            .push(" UNION ALL SELECT ")
            .push_bind(index as i64)
            .push(", (SELECT rowid FROM post_grams WHERE post_grams MATCH ")
            .push_bind(format!("{gram:08x}"))
            .push(" ORDER BY rowid DESC LIMIT 1 OFFSET ")
            .push_bind(PASSED as i64)
            .push(")");
    }
    // The older the last post that is passed, the rarer the gram; there is none for the rarest.
    let mut passed: Vec<(i64, Option<i64>)> = probes.build_query_as().fetch_all(&mut **connection).await?;
    let newest = passed.remove(0).1.unwrap_or_default();
    let is_rare = |place: &Option<i64>| place.is_none_or(|place| newest - place >= COMMON);
    if passed.iter().any(|(_, place)| is_rare(place)) {
        passed.retain(|(_, place)| is_rare(place));
    }
    passed.sort_by_key(|(_, place)| *place);
    let rarest = passed.iter().filter_map(|(index, _)| choices.get(usize::try_from(*index).ok()?).copied());
    Ok(Narrowing::keep_rarest(rarest.collect()))
}

/// How many posts SQLite's index names at first.
pub const NAMED: usize = 256;

/// The numbers of the newest posts in SQLite's index that may match, [`NAMED`] at most, the
/// highest first; `None` on PostgreSQL. Numbers are given when posts are added. The index is
/// read from its end, and no further than that.
pub async fn newest(db: &mut Db, narrowing: &Narrowing) -> Result<Option<Vec<i64>>, AppError> {
    let Db::Sqlite(connection) = db else { return Ok(None) };
    let numbers = sqlx::query_scalar(
        "SELECT rowid FROM post_grams WHERE post_grams MATCH $1 ORDER BY rowid DESC LIMIT $2",
    );
    let numbers = numbers.bind(narrowing.expression()).bind(NAMED as i64);
    Ok(Some(numbers.fetch_all(&mut **connection).await?))
}

/// Whether every indexed post of that time (microseconds) or later has this number or a higher one. It
/// is so but for posts that were added with times of before, as an import does.
pub async fn rises_since(db: &mut Db, time: i64, number: i64) -> Result<bool, AppError> {
    let Db::Sqlite(connection) = db else { return Ok(false) };
    let rises = sqlx::query_scalar(
        "SELECT NOT EXISTS (SELECT 1 FROM searched_posts WHERE indexed = 1 AND created_at >= $1 AND number < $2)",
    );
    Ok(rises.bind(time).bind(number).fetch_one(&mut **connection).await?)
}

/// The grams of a post, as its engine stores them.
#[derive(Clone)]
struct Indexed {
    post_id: String,
    revision: i64,
    grams: String,
}

impl Indexed {
    fn of(post: Marked, engine: Engine) -> Self {
        let folded = |stored: Option<String>, text: &str| stored.unwrap_or_else(|| text.to_ascii_lowercase());
        let title = folded(post.title_folded, &post.title);
        let content = folded(post.content_folded, post.content.as_deref().unwrap_or_default());
        let grams = grams::of_post(&title, &content, post.read_folded.as_deref().unwrap_or_default());
        let grams = match engine {
            Engine::Sqlite => grams.iter().map(|gram| format!("{gram:08x}")).collect::<Vec<_>>().join(" "),
            Engine::Postgres => {
                let grams: Vec<_> = grams.iter().map(|gram| gram.cast_signed().to_string()).collect();
                format!("{{{}}}", grams.join(","))
            }
        };
        Self { post_id: post.post_id, revision: post.revision, grams }
    }
}

/// Stores the grams. A post that was changed meanwhile is marked again, and is done in
/// the next step.
async fn write(db: &mut Db, indexed: Vec<Indexed>) -> Result<(), AppError> {
    for Indexed { post_id, revision, grams } in indexed {
        let statements: &[&str] = match db.engine() {
            Engine::Sqlite => &[
                "INSERT INTO post_grams (rowid, grams) SELECT number, $3 FROM searched_posts
                 WHERE post_id = $1 AND revision = $2 AND indexed = 0",
                "UPDATE searched_posts SET indexed = 1 WHERE post_id = $1 AND revision = $2 AND $3 IS NOT NULL",
            ],
            Engine::Postgres => &["UPDATE searched_posts SET grams = CAST($3 AS INTEGER[])
                 WHERE post_id = $1 AND revision = $2 AND grams IS NULL"],
        };
        for statement in statements {
            execute!(db => sqlx::query(*statement)
                .bind(post_id.as_str())
                .bind(revision)
                .bind(grams.as_str()))?;
        }
    }
    Ok(())
}
