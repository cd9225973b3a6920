//! Posts as rows of the database, and the columns that they are read by.

use sqlx::FromRow;

use super::{Changed, DeletedPost};
use crate::{
    database::internal,
    error::AppError,
    posts::{Content, Language, Post, PostId, Slug, Summary, Tags, Title},
    timestamp::Timestamp,
};

#[derive(FromRow)]
pub struct PostRow {
    pub(super) id: String,
    slug: String,
    tags: String,
    language: String,
    pub(super) title: String,
    pub(super) content: Option<String>,
    pub(super) owner: String,
    pub(super) version: i64,
    pub(super) created_at: i64,
    pub(super) updated_at: i64,
}

impl PostRow {
    /// The bytes of its texts.
    pub(super) fn text_len(&self) -> usize {
        self.title.len() + self.content.as_ref().map_or(0, String::len)
    }
}

/// A post as lists read it.
#[derive(FromRow)]
pub struct SummaryRow {
    id: String,
    slug: String,
    tags: String,
    language: String,
    title: String,
    excerpt: String,
    owner: String,
    display_name: String,
    version: i64,
    created_at: i64,
    updated_at: i64,
}

/// Byline never writes a row that breaks the rules of its types.
pub(super) fn broken<T, E: std::fmt::Debug>(parsed: Result<T, E>) -> Result<T, AppError> {
    parsed.map_err(|error| internal(format_args!("a stored post breaks the rules: {error:?}")))
}

/// A slug as it is stored: empty where there is none yet.
pub(super) fn slug(stored: String) -> Result<Option<Slug>, AppError> {
    if stored.is_empty() { Ok(None) } else { broken(Slug::try_from(stored)).map(Some) }
}

/// A language as it is stored: empty where none was chosen.
pub(super) fn language(stored: &str) -> Result<Option<Language>, AppError> {
    if stored.is_empty() { Ok(None) } else { broken(Language::parse(stored)).map(Some) }
}

impl TryFrom<PostRow> for Post {
    type Error = AppError;

    fn try_from(row: PostRow) -> Result<Self, AppError> {
        Ok(Self {
            id: broken(PostId::try_from(row.id))?,
            slug: slug(row.slug)?,
            tags: broken(Tags::from_stored(&row.tags))?,
            language: language(&row.language)?,
            title: broken(Title::try_from(row.title))?,
            content: broken(row.content.map(Content::try_from).transpose())?,
            owner: row.owner,
            version: row.version,
            created_at: Timestamp::from_micros(row.created_at),
            updated_at: Timestamp::from_micros(row.updated_at),
        })
    }
}

#[derive(FromRow)]
pub(super) struct ChangedRow {
    #[sqlx(flatten)]
    pub(super) post: PostRow,
    pub(super) deleted: i64,
}

impl TryFrom<ChangedRow> for Changed {
    type Error = AppError;

    fn try_from(row: ChangedRow) -> Result<Self, AppError> {
        if row.deleted == 0 {
            row.post.try_into().map(Self::Post)
        } else {
            row.post.try_into().map(Self::Deleted)
        }
    }
}

impl TryFrom<PostRow> for DeletedPost {
    type Error = AppError;

    fn try_from(row: PostRow) -> Result<Self, AppError> {
        Ok(Self {
            id: broken(PostId::try_from(row.id))?,
            title: row.title,
            content: row.content,
            owner: row.owner,
            version: row.version,
            created_at: Timestamp::from_micros(row.created_at),
            deleted_at: Timestamp::from_micros(row.updated_at),
        })
    }
}

impl TryFrom<SummaryRow> for Summary {
    type Error = AppError;

    fn try_from(row: SummaryRow) -> Result<Self, AppError> {
        Ok(Self {
            id: broken(PostId::try_from(row.id))?,
            slug: slug(row.slug)?,
            tags: broken(Tags::from_stored(&row.tags))?,
            language: language(&row.language)?,
            title: broken(Title::try_from(row.title))?,
            excerpt: row.excerpt,
            author: if row.display_name.is_empty() { row.owner.clone() } else { row.display_name },
            owner: row.owner,
            version: row.version,
            created_at: Timestamp::from_micros(row.created_at),
            updated_at: Timestamp::from_micros(row.updated_at),
        })
    }
}

/// The columns that an edit reads back.
#[derive(FromRow)]
pub(super) struct UpdatedRow {
    pub(super) owner: String,
    pub(super) version: i64,
    pub(super) created_at: i64,
}

/// The columns of a post `p` and its owner `u`, with one text of it.
macro_rules! columns {
    ($text:literal) => {
        columns!($text, "p.slug, p.tags, p.language")
    };
    ($text:literal, $filing:literal) => {
        concat!(
            "p.id, ",
            $filing,
            ", p.title, ",
            $text,
            ", u.username AS owner, p.version, p.created_at, p.updated_at"
        )
    };
}

/// The columns of a [`PostRow`].
macro_rules! post_columns {
    () => {
        columns!("p.content")
    };
}

/// The columns of a [`PostRow`], of a deleted post, which is not found by anything any more.
macro_rules! deleted_columns {
    () => {
        columns!("p.content", "'' AS slug, '' AS tags, '' AS language")
    };
}

/// The columns of a [`SummaryRow`].
macro_rules! summary_columns {
    () => {
        columns!("p.excerpt, u.display_name")
    };
}

pub(super) use {columns, deleted_columns, post_columns, summary_columns};
