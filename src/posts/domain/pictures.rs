//! Which texts of an author show which pictures. Whoever adds a table with texts adds it to
//! [`TEXTS`]; a test looks for tables that are missing.

use futures::TryStreamExt;
use sqlx::AssertSqlSafe;

use crate::{
    credentials::UserId,
    database::{Db, on_engine},
    error::AppError,
    media::{
        address::Hash,
        domain::uses::{Use, UsesOfAuthor},
    },
    posts::address,
    text::is_blank,
};

/// A table with texts of authors: `owner_id`, `title` and `content`.
#[derive(Clone, Copy, Debug)]
pub struct Texts {
    pub table: &'static str,
    /// The column with the id of the post.
    id: &'static str,
    /// Where an author finds a text by its id.
    path: fn(&str) -> String,
}

/// Every table whose texts can be shown again.
pub const TEXTS: &[Texts] = &[
    Texts { table: "posts", id: "id", path: |id| address::of_id(id) },
    Texts { table: "drafts", id: "id", path: |id| format!("/my-posts/{id}/edit") },
    Texts { table: "trashed_posts", id: "id", path: |_| "/my-posts/trash".to_owned() },
    Texts { table: "revisions", id: "post_id", path: |id| format!("/my-posts/{id}/revisions") },
];

/// Texts of one picture that are named at most.
const NAMED: usize = 10;

/// The pictures that the texts of an author show. Texts are read one after the other, and
/// only those with a picture of this site.
///
/// # Errors
/// [`AppError::Busy`]
pub async fn of_author(db: &mut Db, author: &UserId) -> Result<UsesOfAuthor, AppError> {
    let mut uses = UsesOfAuthor::new();
    for Texts { table, id, path } in TEXTS {
        let statement = format!(
            "SELECT {id}, title, content FROM {table}
             WHERE owner_id = $1 AND content LIKE '%/media/%' ORDER BY {id} DESC"
        );
        on_engine!(db => {
            let query = sqlx::query_as::<_, (String, String, String)>(AssertSqlSafe(statement));
            let mut rows = query.bind(author.as_str()).fetch(db);
            while let Some((id, title, content)) = rows.try_next().await? {
                for hash in Hash::in_text(&content) {
                    let texts = uses.entry(hash).or_default();
                    let text = Use { title: named(&title), path: path(&id) };
                    if texts.len() < NAMED && !texts.contains(&text) {
                        texts.push(text);
                    }
                }
            }
        });
    }
    Ok(uses)
}

/// A draft may have no title yet.
fn named(title: &str) -> String {
    if is_blank(title) { "Untitled".to_owned() } else { title.to_owned() }
}
