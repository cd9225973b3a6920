//! The lists that programs ask for, by filter and by words.

use futures::TryStreamExt;
use sqlx::{AssertSqlSafe, FromRow, postgres::PgRow, sqlite::SqliteRow};

use super::{
    filter::Filter,
    narrowing::{self, Narrowing},
    rows::{PostRow, columns, post_columns},
    search_index,
    sql::{Sql, Value},
};
use crate::{
    credentials::UserId,
    database::{Db, Engine, on_engine},
    error::AppError,
    posts::{Cursor, Post, Slug, Tag},
};

/// Which posts a program asks for, newest first.
#[derive(Clone, Debug)]
pub struct Selection {
    /// Only this person's posts.
    pub owner: Option<UserId>,
    /// Only those with this tag.
    pub tag: Option<Tag>,
    /// Only those at this slug of their author.
    pub slug: Option<Slug>,
    /// Only those that match.
    pub filter: Filter,
    /// Only those older than this place in the list.
    pub after: Option<Cursor>,
    /// The most posts to return.
    pub limit: usize,
    /// Whether their content is read; if not, it is empty.
    pub content: bool,
}

/// Posts in order, and where the next ones begin.
#[derive(Clone, Debug)]
pub struct Listing<T> {
    pub posts: Vec<T>,
    /// The place after the last of them; absent where nothing follows.
    pub next: Option<Cursor>,
}

/// A listing ends early at this many bytes of text, as a page of DynamoDB does.
const LISTING_BYTES: usize = 1 << 20;

/// Posts that a search looks at before it asks the index. A word that many posts have is
/// found there.
const NEWEST_LOOKED_AT: usize = 128;
/// It looks a second time, at up to so many, if it can expect a full page among them. The
/// index would have to name all posts with such a word.
const MOST_LOOKED_AT: usize = 1024;

/// Where a selection is made.
#[derive(Clone, Copy)]
enum From<'a> {
    AllPosts,
    /// So many of the newest.
    Newest(usize),
    /// Those that the index names.
    Index(&'a Narrowing),
    /// Those that SQLite's index has named, by their numbers.
    Numbered(&'a [i64]),
}

/// The statement of [`select`] without an index of words. It begins inside an index of
/// times, however deep.
#[must_use]
pub fn select_statement(engine: Engine, selection: &Selection) -> Sql {
    select_from(engine, selection, From::AllPosts)
}

/// The statement of [`select`] that asks the index of words.
#[must_use]
pub fn search_statement(engine: Engine, selection: &Selection, narrowing: &Narrowing) -> Sql {
    select_from(engine, selection, From::Index(narrowing))
}

/// What the index is asked for, where the filter has words. Few posts have one slug, so there
/// is nothing to narrow.
fn narrowing(selection: &Selection) -> Option<Narrowing> {
    selection.filter.narrowing().filter(|_| selection.slug.is_none())
}

fn select_from(engine: Engine, selection: &Selection, from: From<'_>) -> Sql {
    let mut sql = Sql::new(engine);
    match (from, engine) {
        (From::Index(narrowing), Engine::Sqlite) => {
            sql.push("WITH found AS MATERIALIZED (");
            narrowing.write(&mut sql, selection.after.as_ref());
            sql.push(") ");
        }
        (From::Numbered(numbers), _) => {
            sql.push("WITH found AS MATERIALIZED (");
            narrowing::write_numbered(&mut sql, numbers, selection.after.as_ref());
            sql.push(") ");
        }
        _ => {}
    }
    sql.push("SELECT ").push(if selection.content {
        post_columns!()
    } else {
        columns!("CAST(NULL AS TEXT) AS content")
    });
    // By whichever index has the order and the most of the conditions.
    let (place, order) = match (from, engine, &selection.tag) {
        (From::AllPosts, _, Some(tag)) => {
            sql.push(" FROM post_tags t JOIN posts p ON p.id = t.post_id JOIN users u ON u.id = p.owner_id WHERE t.tag = ")
                .bind(tag.as_str())
                .push(" AND ");
            ("(t.created_at, t.post_id)", " ORDER BY t.created_at DESC, t.post_id DESC LIMIT ")
        }
        (From::AllPosts, _, None) => {
            sql.push(" FROM posts p JOIN users u ON u.id = p.owner_id WHERE ");
            ("(p.created_at, p.id)", " ORDER BY p.created_at DESC, p.id DESC LIMIT ")
        }
        (From::Newest(looked_at), ..) => {
            sql.push(" FROM (SELECT p.* FROM posts p WHERE TRUE");
            write_owner_and_place(&mut sql, selection, "(p.created_at, p.id)");
            sql.push(" ORDER BY p.created_at DESC, p.id DESC LIMIT ")
                .bind(looked_at as i64)
                .push(") p JOIN users u ON u.id = p.owner_id WHERE ");
            ("(p.created_at, p.id)", " ORDER BY p.created_at DESC, p.id DESC LIMIT ")
        }
        // In this order: a post is read only if those before it were too few. The rows come
        // in the order of `found`; to sort them here, SQLite would read all.
        (From::Index(_), Engine::Sqlite, _) | (From::Numbered(_), ..) => {
            sql.push(
                " FROM found CROSS JOIN posts p ON p.id = found.post_id CROSS JOIN users u ON u.id = p.owner_id WHERE ",
            );
            ("(p.created_at, p.id)", " LIMIT ")
        }
        (From::Index(narrowing), Engine::Postgres, _) => {
            sql.push(" FROM (");
            narrowing.write(&mut sql, selection.after.as_ref());
            sql.push(
                " OFFSET 0) found JOIN posts p ON p.id = found.post_id JOIN users u ON u.id = p.owner_id WHERE ",
            );
            ("(p.created_at, p.id)", " ORDER BY found.created_at DESC, found.post_id DESC LIMIT ")
        }
    };
    selection.filter.write(&mut sql);
    if let (From::Index(_) | From::Numbered(_), Some(tag)) = (from, &selection.tag) {
        sql.push(" AND p.id IN (SELECT post_id FROM post_tags WHERE tag = ").bind(tag.as_str()).push(")");
    }
    if let Some(slug) = &selection.slug {
        sql.push(" AND p.id IN (SELECT post_id FROM post_addresses WHERE slug = ")
            .bind(slug.as_str())
            .push(") AND p.slug = ")
            .bind(slug.as_str());
    }
    write_owner_and_place(&mut sql, selection, place);
    sql.push(order).bind(selection.limit as i64 + 1);
    sql
}

/// `place` is the time and the id of a post.
fn write_owner_and_place(sql: &mut Sql, selection: &Selection, place: &'static str) {
    if let Some(owner) = &selection.owner {
        sql.push(" AND p.owner_id = ").bind(owner.as_str());
    }
    if let Some(cursor) = &selection.after {
        sql.push(" AND ")
            .push(place)
            .push(" < (")
            .bind(cursor.created_at.micros())
            .push(", ")
            .bind(cursor.id.as_str())
            .push(")");
    }
}

/// The posts of a selection. Where its filter has words, the newest posts are looked at
/// first, and then those that the index names.
pub async fn select(db: &mut Db, selection: &Selection) -> Result<Listing<Post>, AppError> {
    let engine = db.engine();
    let (rows, more) = match narrowing(selection) {
        None => {
            let sql = select_statement(engine, selection);
            fetch(db, sql, &selection.filter, selection.limit, PostRow::text_len).await?
        }
        Some(narrowing) => {
            db.in_time(async |db| {
                let mut looked_at = NEWEST_LOOKED_AT;
                for _ in 0..2 {
                    // Posts with one tag are fewer, and lie apart.
                    if selection.tag.is_some() || looked_at > MOST_LOOKED_AT {
                        break;
                    }
                    let newest = select_from(engine, selection, From::Newest(looked_at));
                    let (rows, more) = fetch_untimed(db, newest, selection.limit, PostRow::text_len).await?;
                    if more {
                        return Ok((rows, more));
                    }
                    looked_at = enough(looked_at, rows.len(), selection.limit);
                }
                let narrowing = search_index::rarest(db, narrowing).await?;
                if let Some(found) = among_newest_named(db, selection, &narrowing).await? {
                    return Ok(found);
                }
                let search = search_statement(engine, selection, &narrowing);
                fetch_untimed(db, search, selection.limit, PostRow::text_len).await
            })
            .await?
        }
    };
    let posts = rows.into_iter().map(Post::try_from).collect::<Result<Vec<_>, _>>()?;
    let last = posts.last().map(|post| Cursor { created_at: post.created_at, id: post.id.clone() });
    Ok(Listing { next: last.filter(|_| more), posts })
}

/// The rows of a selection and whether there are more, if it is sure that they are among the
/// newest posts that SQLite's index names. Of a common word it names thousands, and to sort
/// those by time takes far longer than to look at the newest.
async fn among_newest_named(
    db: &mut Db,
    selection: &Selection,
    narrowing: &Narrowing,
) -> Result<Option<(Vec<PostRow>, bool)>, AppError> {
    let Some(numbers) = search_index::newest(db, narrowing).await? else { return Ok(None) };
    let statement = select_from(db.engine(), selection, From::Numbered(&numbers));
    let (rows, more) = fetch_untimed(db, statement, selection.limit, PostRow::text_len).await?;
    let are_all_named = numbers.len() < search_index::NAMED;
    let is_sure = match (rows.last(), numbers.last()) {
        _ if are_all_named => true,
        // None of those that are not named is newer than the last of these.
        (Some(row), Some(number)) if more => search_index::rises_since(db, row.created_at, *number).await?,
        _ => false,
    };
    Ok(is_sure.then_some((rows, more)))
}

/// How many posts have a page and one more among them, if as many match among the others
/// as among these; a quarter more, because chance is uneven. More than `looked_at`.
fn enough(looked_at: usize, matching: usize, limit: usize) -> usize {
    if matching == 0 { usize::MAX } else { looked_at * (limit + 1) * 5 / (matching * 4) }
}

/// Runs a statement that selects one row more than `limit`. Returns the rows, and
/// whether there are more. A `filter` may have to scan many posts, so its time is
/// limited.
pub(super) async fn fetch<R>(
    db: &mut Db,
    sql: Sql,
    filter: &Filter,
    limit: usize,
    bytes: fn(&R) -> usize,
) -> Result<(Vec<R>, bool), AppError>
where
    R: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    if filter.is_everything() {
        fetch_untimed(db, sql, limit, bytes).await
    } else {
        db.in_time(async |db| fetch_untimed(db, sql, limit, bytes).await).await
    }
}

async fn fetch_untimed<R>(
    db: &mut Db,
    sql: Sql,
    limit: usize,
    bytes: fn(&R) -> usize,
) -> Result<(Vec<R>, bool), AppError>
where
    R: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    let (text, values) = sql.finish();
    let (mut rows, mut size) = (Vec::new(), 0);
    on_engine!(db => {
        let mut query = sqlx::query_as::<_, R>(AssertSqlSafe(text));
        for value in values {
            query = match value {
                Value::Text(text) => query.bind(text),
                Value::Integer(number) => query.bind(number),
            };
        }
        let mut found = query.fetch(db);
        while let Some(row) = found.try_next().await? {
            if rows.len() == limit || size >= LISTING_BYTES {
                return Ok((rows, true));
            }
            size += bytes(&row);
            rows.push(row);
        }
    });
    Ok((rows, false))
}
