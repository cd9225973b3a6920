//! The SQL of events.

use sqlx::FromRow;

use super::{Event, EventKind};
use crate::{
    database::{COMMIT_ORDER_LOCK, Db, execute, internal, on_engine},
    error::AppError,
    posts::PostId,
    username::Username,
};

/// The channel of PostgreSQL's NOTIFY.
pub const CHANNEL: &str = "byline_events";
/// How many events are kept.
const KEPT: i64 = 10_000;
/// The most events that are repeated; a listener that missed more starts over.
const RESUMED: usize = 500;

#[derive(FromRow)]
struct Row {
    id: i64,
    kind: String,
    post_id: String,
    owner: String,
}

impl TryFrom<Row> for Event {
    type Error = AppError;

    fn try_from(row: Row) -> Result<Self, AppError> {
        Ok(Self {
            id: row.id,
            kind: row.kind.parse().map_err(internal)?,
            post: PostId::try_from(row.post_id).map_err(internal)?,
            owner: Username::try_from(row.owner).map_err(internal)?,
        })
    }
}

/// The statement that writes an event on SQLite. The caller chooses the parameters, so
/// other statements may come before it.
macro_rules! record_on_sqlite {
    ($kind:literal, $post:literal, $owner:literal) => {
        concat!(
            "INSERT INTO events (kind, post_id, owner) VALUES (",
            $kind,
            ", ",
            $post,
            ", ",
            $owner,
            ") RETURNING id"
        )
    };
}
pub(crate) use record_on_sqlite;

/// The end of a `WITH` that writes an event, on PostgreSQL, and notifies the other processes
/// with the commit. The last two parameters are [`COMMIT_ORDER_LOCK`] and [`CHANNEL`].
macro_rules! record_on_postgres {
    ($kind:literal, $post:literal, $owner:literal, $in_order:literal, $channel:literal) => {
        concat!(
            "event AS (
                 INSERT INTO events (kind, post_id, owner)
                 SELECT CAST(",
            $kind,
            " AS TEXT), ",
            $post,
            ", ",
            $owner,
            " FROM pg_advisory_xact_lock(",
            $in_order,
            ")
                 RETURNING id, kind, post_id AS post, owner)
             SELECT id FROM event, pg_notify(",
            $channel,
            ", to_jsonb(event)::text)"
        )
    };
}
pub(crate) use record_on_postgres;

/// Writes an event in the transaction of the change. Ids rise in the order of commits,
/// so a client that has read one id has missed no smaller one. The event of a new post is
/// written by the statement that adds the post.
pub async fn record(
    db: &mut Db,
    kind: EventKind,
    post: &PostId,
    owner: &Username,
) -> Result<Event, AppError> {
    let id: i64 = match db {
        Db::Sqlite(db) => {
            sqlx::query_scalar(record_on_sqlite!("$1", "$2", "$3"))
                .bind(kind.name())
                .bind(post.as_str())
                .bind(owner.as_str())
                .fetch_one(&mut **db)
                .await?
        }
        Db::Postgres(db) => {
            sqlx::query_scalar(concat!("WITH ", record_on_postgres!("$1", "$2", "$3", "$4", "$5")))
                .bind(kind.name())
                .bind(post.as_str())
                .bind(owner.as_str())
                .bind(COMMIT_ORDER_LOCK)
                .bind(CHANNEL)
                .fetch_one(db.statements())
                .await?
        }
    };
    Ok(Event { id, kind, post: post.clone(), owner: owner.clone() })
}

/// The id of the newest event; 0 before the first.
pub async fn newest(db: &mut Db) -> Result<i64, AppError> {
    Ok(on_engine!(db => sqlx::query_scalar("SELECT COALESCE(MAX(id), 0) FROM events").fetch_one(db).await?))
}

/// Whether this database has the event `id`.
pub async fn has_event(db: &mut Db, id: i64) -> Result<bool, AppError> {
    Ok(id == 0 || newest(db).await? >= id)
}

/// The events after `id`, oldest first; `None` if they are too many or too old, if `id` is
/// of another site, or if a newer Byline wrote an event that this one cannot read.
pub async fn after(db: &mut Db, id: i64) -> Result<Option<Vec<Event>>, AppError> {
    let rows: Vec<Row> = on_engine!(db => sqlx::query_as(
            "SELECT id, kind, post_id, owner FROM events WHERE id > $1 ORDER BY id LIMIT $2",
        )
        .bind(id)
        .bind(RESUMED as i64 + 1)
        .fetch_all(db)
        .await?);
    if rows.len() > RESUMED || (rows.is_empty() && id > newest(db).await?) {
        return Ok(None);
    }
    let oldest: i64 = on_engine!(db => sqlx::query_scalar("SELECT COALESCE(MIN(id), 0) FROM events")
        .fetch_one(db)
        .await?);
    // Numbers have gaps: only a full table may have forgotten what came before it.
    let forgotten = id + 1 < oldest && count(db).await? >= KEPT;
    Ok(if forgotten { None } else { rows.into_iter().map(Event::try_from).collect::<Result<_, _>>().ok() })
}

async fn count(db: &mut Db) -> Result<i64, AppError> {
    Ok(on_engine!(db => sqlx::query_scalar("SELECT COUNT(*) FROM events").fetch_one(db).await?))
}

/// Removes all but the newest.
pub async fn forget_old(db: &mut Db) -> Result<(), AppError> {
    execute!(db => sqlx::query(
            "DELETE FROM events WHERE id <= (SELECT id FROM events ORDER BY id DESC LIMIT 1 OFFSET $1)",
        )
        .bind(KEPT))?;
    Ok(())
}
