//! What a post ends with: the posts before and after it by the same author.

use super::{
    rendered::RenderedPost,
    rows::{SummaryRow, columns, summary_columns},
    service,
};
use crate::{
    credentials::Actor,
    database::{Db, on_engine},
    error::AppError,
    posts::{PostId, Summary},
    site::Site,
};

/// A post as its page shows it, with the posts around it.
#[derive(Clone, Debug)]
pub struct PostInPlace {
    pub shown: RenderedPost,
    pub neighbours: Neighbours,
}

/// The posts next to one, by the same author.
#[derive(Clone, Debug, Default)]
pub struct Neighbours {
    pub newer: Option<Summary>,
    pub older: Option<Summary>,
}

/// Each neighbour is one step in the index of the author's posts.
const NEIGHBOURS: &str = concat!(
    "SELECT * FROM (SELECT ",
    summary_columns!(),
    " FROM posts p JOIN users u ON u.id = p.owner_id
      WHERE p.owner_id = (SELECT id FROM users WHERE username = $1) AND (p.created_at, p.id) > ($2, $3)
      ORDER BY p.created_at ASC, p.id ASC LIMIT 1) AS newer
     UNION ALL
     SELECT * FROM (SELECT ",
    summary_columns!(),
    " FROM posts p JOIN users u ON u.id = p.owner_id
      WHERE p.owner_id = (SELECT id FROM users WHERE username = $1) AND (p.created_at, p.id) < ($2, $3)
      ORDER BY p.created_at DESC, p.id DESC LIMIT 1) AS older"
);

/// One post with its place among the author's posts. Everyone may read it.
///
/// # Errors
/// As [`service::rendered`].
pub async fn read(site: &Site, actor: &Actor, id: &PostId) -> Result<PostInPlace, AppError> {
    let shown = service::rendered(site, actor, id).await?;
    let neighbours = neighbours(&mut site.reader_for(actor).await?, &shown.post).await?;
    Ok(PostInPlace { shown, neighbours })
}

async fn neighbours(db: &mut Db, post: &Summary) -> Result<Neighbours, AppError> {
    let rows = on_engine!(db => sqlx::query_as::<_, SummaryRow>(NEIGHBOURS)
        .bind(post.owner.as_str())
        .bind(post.created_at.micros())
        .bind(post.id.as_str())
        .fetch_all(db)
        .await?);
    let mut found = Neighbours::default();
    for neighbour in rows {
        let neighbour = Summary::try_from(neighbour)?;
        let is_newer = (neighbour.created_at, &neighbour.id) > (post.created_at, &post.id);
        *(if is_newer { &mut found.newer } else { &mut found.older }) = Some(neighbour);
    }
    Ok(found)
}
