//! Posts with their stored HTML, for pages, and with their words, for searches. A post is
//! rendered when it is saved, and again by housekeeping if another version of the renderer
//! made its HTML.

use sqlx::FromRow;

use super::{
    by_id::{ById, ReadById},
    markdown::{self, Rendering},
    rows::{SummaryRow, broken, columns, summary_columns},
};
use crate::{
    accounts::profile::Punctuation,
    database::{Db, execute, on_engine},
    error::AppError,
    posts::{Content, PostId, Summary},
    site::Site,
};

/// A post as its page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderedPost {
    /// All but its text.
    pub post: Summary,
    /// What the author says about themselves; may be empty.
    pub about: String,
    /// Its rendered text, safe to show.
    pub html: String,
}

/// A post as it is read for a page.
#[derive(Clone, Debug)]
pub enum Stored {
    /// Its HTML is stored.
    Rendered(RenderedPost),
    /// Its HTML is not stored; with what the author says about themselves, its text, and
    /// how its punctuation is shown.
    Unrendered(Summary, String, Content, Punctuation),
}

#[derive(FromRow)]
pub struct RenderedRow {
    #[sqlx(flatten)]
    post: SummaryRow,
    about: String,
    plain_punctuation: i64,
    html: Option<String>,
    content: Option<String>,
}

impl TryFrom<RenderedRow> for Stored {
    type Error = AppError;

    fn try_from(row: RenderedRow) -> Result<Self, AppError> {
        let post = row.post.try_into()?;
        Ok(match row.html {
            Some(html) => Self::Rendered(RenderedPost { post, about: row.about, html }),
            None => {
                let content = broken(Content::try_from(row.content.unwrap_or_default()))?;
                Self::Unrendered(post, row.about, content, Punctuation::from_stored(row.plain_punctuation))
            }
        })
    }
}

impl ReadById for Stored {
    type Row = RenderedRow;

    /// The text is read only where it has to be rendered.
    fn select() -> String {
        select("html", "u.about, ")
    }

    fn id(&self) -> &PostId {
        match self {
            Self::Rendered(rendered) => &rendered.post.id,
            Self::Unrendered(post, ..) => &post.id,
        }
    }

    fn reader(site: &Site) -> &ById<Self> {
        &site.posts().rendered
    }
}

/// The statement that reads posts with a column of what is rendered, and their text where this
/// renderer has not made that column.
fn select(column: &str, more: &str) -> String {
    let renderer = markdown::renderer(Punctuation::default());
    let is_there = format!("r.renderer = {renderer} + u.plain_punctuation AND r.{column} IS NOT NULL");
    format!(
        "SELECT {}, {more}u.plain_punctuation,
            CASE WHEN {is_there} THEN r.{column} END AS {column},
            CASE WHEN {is_there} THEN NULL ELSE p.content END AS content
         FROM posts p JOIN users u ON u.id = p.owner_id LEFT JOIN rendered_posts r ON r.post_id = p.id",
        summary_columns!()
    )
}

/// A post as a search shows it.
#[derive(Clone, Debug)]
pub struct WithWords {
    pub post: Summary,
    pub words: Words,
}

/// The [`words`](Rendering::words) of a post.
#[derive(Clone, Debug)]
pub enum Words {
    Stored(String),
    /// They are not stored; the text, and how its punctuation is shown.
    Unrendered(Content, Punctuation),
}

#[derive(FromRow)]
pub struct WithWordsRow {
    #[sqlx(flatten)]
    post: SummaryRow,
    plain_punctuation: i64,
    words: Option<String>,
    content: Option<String>,
}

impl TryFrom<WithWordsRow> for WithWords {
    type Error = AppError;

    fn try_from(row: WithWordsRow) -> Result<Self, AppError> {
        let words = match row.words {
            Some(words) => Words::Stored(words),
            None => Words::Unrendered(
                broken(Content::try_from(row.content.unwrap_or_default()))?,
                Punctuation::from_stored(row.plain_punctuation),
            ),
        };
        Ok(Self { post: row.post.try_into()?, words })
    }
}

impl ReadById for WithWords {
    type Row = WithWordsRow;

    fn select() -> String {
        select("words", "")
    }

    fn id(&self) -> &PostId {
        &self.post.id
    }

    fn reader(site: &Site) -> &ById<Self> {
        &site.posts().with_words
    }
}

/// Stores the HTML and the words of a post in the transaction that changes its text.
pub async fn keep(db: &mut Db, id: &PostId, rendering: &Rendering) -> Result<(), AppError> {
    execute!(db => sqlx::query(
            "INSERT INTO rendered_posts (post_id, renderer, html, words) VALUES ($1, $2, $3, $4)
             ON CONFLICT (post_id) DO UPDATE
             SET renderer = excluded.renderer, html = excluded.html, words = excluded.words",
        )
        .bind(id.as_str())
        .bind(rendering.renderer())
        .bind(rendering.stored_html())
        .bind(rendering.words.as_str()))?;
    Ok(())
}

/// Posts that are rendered in one step.
const STEP: usize = 16;

#[derive(FromRow)]
struct UnrenderedRow {
    id: String,
    version: i64,
    content: Option<String>,
    plain_punctuation: i64,
}

/// Only HTML of an older renderer, or none, because a newer process may serve at the same time.
const UNRENDERED: &str = "
    SELECT p.id, p.version, p.content, u.plain_punctuation
    FROM rendered_posts r JOIN posts p ON p.id = r.post_id JOIN users u ON u.id = p.owner_id
    WHERE r.renderer < $1 LIMIT $2";

/// Renders posts whose HTML is missing or of an older renderer, in steps, so that
/// others can write and render in between. Until a post is done, its page is
/// rendered at each request that misses the cache.
///
/// # Errors
///
/// After an error, the steps before it stay.
pub async fn backfill(site: &Site) -> Result<(), AppError> {
    loop {
        let rows = unrendered(&mut site.database.read().await?).await?;
        if rows.is_empty() {
            return Ok(());
        }
        let mut step = Vec::with_capacity(rows.len());
        for row in rows {
            let content = broken(Content::try_from(row.content.unwrap_or_default()))?;
            let punctuation = Punctuation::from_stored(row.plain_punctuation);
            step.push((row.id, row.version, site.renderer().store(content, punctuation).await?));
        }
        let written = site.database.write(step, |db, step| Box::pin(write(db, step)));
        match written.await {
            // Another process may have been faster.
            Ok(()) | Err(AppError::WriteConflict) => {}
            Err(error) => return Err(error),
        }
    }
}

async fn unrendered(db: &mut Db) -> Result<Vec<UnrenderedRow>, AppError> {
    Ok(on_engine!(db => sqlx::query_as(UNRENDERED)
        .bind(markdown::renderer(Punctuation::default()))
        .bind(STEP as i64)
        .fetch_all(db)
        .await?))
}

/// A post that was changed meanwhile has been rendered by that, or will be in the next step.
async fn write(db: &mut Db, step: Vec<(String, i64, Rendering)>) -> Result<(), AppError> {
    for (id, version, rendering) in step {
        let rendered = execute!(db => sqlx::query(
                "UPDATE rendered_posts SET renderer = $1, html = $2, words = $5
                 WHERE post_id = $3 AND renderer < $1 AND EXISTS (SELECT 1 FROM posts WHERE id = $3 AND version = $4)",
            )
            .bind(rendering.renderer())
            .bind(rendering.stored_html())
            .bind(id.as_str())
            .bind(version)
            .bind(rendering.words.as_str()))?;
        if rendered == 0 {
            continue;
        }
        execute!(db => sqlx::query(
                "UPDATE posts SET excerpt = $1, read_folded = $4
                 WHERE id = $2 AND version = $3 AND (excerpt <> $1 OR read_folded IS DISTINCT FROM $4)",
            )
            .bind(rendering.excerpt.as_str())
            .bind(id.as_str())
            .bind(version)
            .bind(rendering.read_folded.as_deref()))?;
    }
    Ok(())
}
