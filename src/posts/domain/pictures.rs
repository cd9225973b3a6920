//! Which texts of an author show which pictures. Whoever adds a table with texts adds it to
//! [`TEXTS`]; a test looks for tables that are missing.

use futures::TryStreamExt;
use sqlx::AssertSqlSafe;

use crate::{
    credentials::UserId,
    database::{Db, on_engine},
    error::AppError,
    media::{
        Alt,
        address::Hash,
        domain::uses::{Use, Uses, UsesOfAuthor},
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
                for (at, hash) in Hash::in_text(&content) {
                    let Uses { texts, alt } = uses.entry(hash).or_default();
                    let text = Use { title: named(&title), path: path(&id) };
                    if texts.len() < NAMED && !texts.contains(&text) {
                        texts.push(text);
                    }
                    if alt.is_empty()
                        && let Some(words) = words_before(&content[..at])
                    {
                        *alt = words;
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

/// The description of a picture whose address comes next, as the editor writes it:
/// `![words](`.
fn words_before(text: &str) -> Option<Alt> {
    /// Each character of a description may have a backslash before it.
    const MOST_CHARS: usize = 2 * Alt::MAX_CHARS + 1;

    let text = text.strip_suffix("](")?;
    let mut inner = 0;
    for (at, c) in text.char_indices().rev().take(MOST_CHARS) {
        let is_escaped = || text[..at].bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1;
        match c {
            ']' if !is_escaped() => inner += 1,
            '[' if !is_escaped() && inner > 0 => inner -= 1,
            '[' if !is_escaped() => {
                let is_picture = text[..at].ends_with('!');
                return if is_picture { Alt::from_markdown(&text[at + 1..]) } else { None };
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_described_where_it_is_shown() {
        let most = "é".repeat(Alt::MAX_CHARS);
        let (long, too_long) = (format!("![{most}]("), format!("![é{most}]("));
        for (text, words) in [
            ("![A cat](", Some("A cat")),
            ("See ![a \\[grey\\] [old] cat](", Some("a [grey] [old] cat")),
            ("![One](/x) ![Two](", Some("Two")),
            ("![ends with a backslash \\\\](", Some("ends with a backslash \\")),
            (long.as_str(), Some(most.as_str())),
            ("![](", None),
            ("[A link](", None),
            ("[![A cat](/x)](", None),
            ("A cat](", None),
            ("<img alt=\"A cat\" src=\"", None),
            (too_long.as_str(), None),
        ] {
            assert_eq!(words_before(text).as_ref().map(Alt::as_str), words, "{text}");
        }
    }
}
