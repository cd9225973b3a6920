//! Lists of posts as people page through them. The cost is the same at any depth: a query
//! starts inside an index.

use super::rows::{SummaryRow, broken, columns, summary_columns};
use crate::{
    credentials::UserId,
    database::{Db, on_engine},
    error::AppError,
    posts::{Cursor, Page, PageRequest, PostId, Summary, Tag, events::store as events},
    timestamp::Timestamp,
};

/// Defines a statement for a list of posts.
macro_rules! list_statement {
    ($name:ident, where: $condition:literal, order: $order:literal) => {
        const $name: &str = concat!(
            "SELECT ",
            summary_columns!(),
            " FROM posts p JOIN users u ON u.id = p.owner_id WHERE ",
            $condition,
            " ORDER BY p.created_at ",
            $order,
            ", p.id ",
            $order,
            " LIMIT $1"
        );
    };
    ($name:ident, tagged: $condition:literal, order: $order:literal) => {
        const $name: &str = concat!(
            "SELECT ",
            summary_columns!(),
            " FROM post_tags t JOIN posts p ON p.id = t.post_id JOIN users u ON u.id = p.owner_id WHERE ",
            $condition,
            " ORDER BY t.created_at ",
            $order,
            ", t.post_id ",
            $order,
            " LIMIT $1"
        );
    };
}
list_statement!(ALL_FIRST, where: "TRUE", order: "DESC");
list_statement!(ALL_OLDER, where: "(p.created_at, p.id) < ($2, $3)", order: "DESC");
list_statement!(ALL_NEWER, where: "(p.created_at, p.id) > ($2, $3)", order: "ASC");
list_statement!(ALL_FROM, where: "(p.created_at, p.id) >= ($2, $3)", order: "ASC");
list_statement!(OWN_FIRST, where: "p.owner_id = $2", order: "DESC");
list_statement!(OWN_OLDER, where: "p.owner_id = $4 AND (p.created_at, p.id) < ($2, $3)", order: "DESC");
list_statement!(OWN_NEWER, where: "p.owner_id = $4 AND (p.created_at, p.id) > ($2, $3)", order: "ASC");

list_statement!(TAGGED_FIRST, tagged: "t.tag = $2", order: "DESC");
list_statement!(TAGGED_OLDER, tagged: "t.tag = $4 AND (t.created_at, t.post_id) < ($2, $3)", order: "DESC");
list_statement!(TAGGED_NEWER, tagged: "t.tag = $4 AND (t.created_at, t.post_id) > ($2, $3)", order: "ASC");

/// Whose posts, or which, a list has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PostsOf<'a> {
    Everyone,
    Owner(&'a UserId),
    Tag(&'a Tag),
}

impl<'a> PostsOf<'a> {
    /// The value that statements of the list compare with.
    fn compared(self) -> Option<&'a str> {
        match self {
            Self::Everyone => None,
            Self::Owner(owner) => Some(owner.as_str()),
            Self::Tag(tag) => Some(tag.as_str()),
        }
    }
}

/// The newest posts of a list.
pub async fn newest(db: &mut Db, of: PostsOf<'_>, most: usize) -> Result<Vec<Summary>, AppError> {
    let statement = match of {
        PostsOf::Everyone => ALL_FIRST,
        PostsOf::Owner(_) => OWN_FIRST,
        PostsOf::Tag(_) => TAGGED_FIRST,
    };
    let rows = on_engine!(db => {
        let mut query = sqlx::query_as::<_, SummaryRow>(statement).bind(most as i64);
        if let Some(compared) = of.compared() {
            query = query.bind(compared.to_owned());
        }
        query.fetch_all(db).await?
    });
    rows.into_iter().map(Summary::try_from).collect()
}

/// The posts from a place on, oldest first.
pub async fn piece(db: &mut Db, from: &Cursor, size: usize) -> Result<Vec<Summary>, AppError> {
    let rows = on_engine!(db => sqlx::query_as::<_, SummaryRow>(ALL_FROM)
        .bind(size as i64)
        .bind(from.created_at.micros())
        .bind(from.id.as_str())
        .fetch_all(db)
        .await?);
    rows.into_iter().map(Summary::try_from).collect()
}

/// The place of each `size`th post, oldest first, from an index alone.
const PIECES: &str = "
    SELECT created_at, id FROM (
        SELECT created_at, id, ROW_NUMBER() OVER (ORDER BY created_at, id) AS place FROM posts) AS numbered
    WHERE (place - 1) % $1 = 0 ORDER BY place";

/// Where each piece of `size` posts begins.
pub async fn pieces(db: &mut Db, size: usize) -> Result<Vec<Cursor>, AppError> {
    let rows = on_engine!(db => sqlx::query_as::<_, (i64, String)>(PIECES)
        .bind(size as i64)
        .fetch_all(db)
        .await?);
    let cursor = |(micros, id): (i64, String)| {
        Ok(Cursor { created_at: Timestamp::from_micros(micros), id: broken(PostId::try_from(id))? })
    };
    rows.into_iter().map(cursor).collect()
}

/// One page of a list, newest first. The cost is the same at any
/// depth: the query starts inside an index and reads one row more than it shows.
pub async fn page(db: &mut Db, of: PostsOf<'_>, request: PageRequest) -> Result<Page, AppError> {
    // Read first, so that the list below is at least as new.
    let as_of = events::newest(db).await?;
    let limit = Page::SIZE as i64 + 1;
    let [first, older, newer] = match of {
        PostsOf::Everyone => [ALL_FIRST, ALL_OLDER, ALL_NEWER],
        PostsOf::Owner(_) => [OWN_FIRST, OWN_OLDER, OWN_NEWER],
        PostsOf::Tag(_) => [TAGGED_FIRST, TAGGED_OLDER, TAGGED_NEWER],
    };
    let (statement, cursor) = match &request {
        PageRequest::First => (first, None),
        PageRequest::OlderThan(cursor) => (older, Some(cursor)),
        PageRequest::NewerThan(cursor) => (newer, Some(cursor)),
    };
    let rows = on_engine!(db => {
        let mut query = sqlx::query_as::<_, SummaryRow>(statement).bind(limit);
        if let Some(cursor) = cursor {
            query = query.bind(cursor.created_at.micros()).bind(cursor.id.as_str());
        }
        if let Some(compared) = of.compared() {
            query = query.bind(compared.to_owned());
        }
        query.fetch_all(db).await?
    });
    let more = rows.len() > Page::SIZE;
    let mut posts =
        rows.into_iter().take(Page::SIZE).map(Summary::try_from).collect::<Result<Vec<_>, _>>()?;

    let edge =
        |post: Option<&Summary>| post.map(|post| Cursor { created_at: post.created_at, id: post.id.clone() });
    Ok(match request {
        // Having reached the top, show the whole first page, not its lower part.
        PageRequest::NewerThan(_) if !more => Box::pin(page(db, of, PageRequest::First)).await?,
        PageRequest::NewerThan(_) => {
            posts.reverse();
            Page { older: edge(posts.last()), newer: edge(posts.first()), posts, as_of }
        }
        PageRequest::First => Page { older: edge(posts.last()).filter(|_| more), newer: None, posts, as_of },
        PageRequest::OlderThan(_) => {
            Page { older: edge(posts.last()).filter(|_| more), newer: edge(posts.first()), posts, as_of }
        }
    })
}
