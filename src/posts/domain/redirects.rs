//! Paths at which posts were read before they came to this site. They are looked up where
//! there would be no page otherwise.

use std::fmt;

use percent_encoding::percent_decode_str;

use super::rows::{broken, slug};
use crate::{
    clock,
    credentials::Actor,
    database::{Db, execute, on_engine},
    error::AppError,
    posts::{PostId, address},
    site::Site,
};

/// A path of another site: decoded, without a slash or `index.html` at its end, so that
/// `/2020/01/title`, `/2020/01/title/` and `/2020/01/title/index.html` are one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OldPath(String);

impl OldPath {
    const MAX_BYTES: usize = 500;

    /// A path, or the path of a whole address. `None` for what is no path, or the front page.
    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        let raw = raw.trim();
        let path = match raw.split_once("://") {
            Some((_, rest)) => &rest[rest.find('/')?..],
            None => raw,
        };
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let path = percent_decode_str(path).decode_utf8().ok()?;
        let path = path.strip_suffix("/index.html").unwrap_or(&path).trim_end_matches('/');
        let is_path = path.starts_with('/')
            && !path.starts_with("//")
            && path.len() <= Self::MAX_BYTES
            && !path.chars().any(char::is_control);
        is_path.then(|| Self(path.to_owned()))
    }
}

impl fmt::Display for OldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Stores that a path leads to a post; the first post that was there keeps it.
pub(super) async fn keep(db: &mut Db, path: &OldPath, post: &PostId) -> Result<(), AppError> {
    execute!(db => sqlx::query(
            "INSERT INTO redirects (path, post_id, created_at) VALUES ($1, $2, $3) ON CONFLICT (path) DO NOTHING",
        )
        .bind(&path.0)
        .bind(post.as_str())
        .bind(clock::now().micros()))?;
    Ok(())
}

/// Where the post is read that was at a path. Everyone may ask.
///
/// # Errors
/// [`AppError::Busy`].
pub async fn find(site: &Site, path: &OldPath) -> Result<Option<String>, AppError> {
    let db = &mut site.reader_for(&Actor::Anonymous).await?;
    let row: Option<(String, String, String)> = on_engine!(db => sqlx::query_as(
            "SELECT p.id, p.slug, u.username FROM redirects r
             JOIN posts p ON p.id = r.post_id JOIN users u ON u.id = p.owner_id WHERE r.path = $1",
        )
        .bind(&path.0)
        .fetch_optional(db)
        .await?);
    row.map(|(id, its_slug, owner)| {
        Ok(address::of_post(&owner, slug(its_slug)?.as_ref(), &broken(PostId::try_from(id))?))
    })
    .transpose()
}

/// Every path that leads to a post, and where that is read. Everyone may ask.
///
/// # Errors
/// [`AppError::Busy`].
pub async fn all(site: &Site) -> Result<Vec<(String, String)>, AppError> {
    let db = &mut site.reader_for(&Actor::Anonymous).await?;
    let rows: Vec<(String, String, String, String)> = on_engine!(db => sqlx::query_as(
            "SELECT r.path, p.id, p.slug, u.username FROM redirects r
             JOIN posts p ON p.id = r.post_id JOIN users u ON u.id = p.owner_id ORDER BY r.path",
        )
        .fetch_all(db)
        .await?);
    let rows = rows.into_iter().map(|(path, id, its_slug, owner)| {
        Ok((path, address::of_post(&owner, slug(its_slug)?.as_ref(), &broken(PostId::try_from(id))?)))
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_path_is_written_in_several_ways() {
        for raw in [
            "/2020/01/ti tle",
            "/2020/01/ti%20tle/",
            "/2020/01/ti tle/index.html",
            " https://old.example/2020/01/ti%20tle/?utm=x#top",
        ] {
            assert_eq!(
                OldPath::parse(raw).map(|path| path.to_string()).as_deref(),
                Some("/2020/01/ti tle"),
                "{raw}"
            );
        }
    }

    #[test]
    fn what_is_no_path_of_a_post_is_none() {
        let long = format!("/{}", "x".repeat(500));
        for raw in
            ["", "/", "//evil.example", "relative", "https://old.example", "/a%00b", "/%FF", "/?p=1", &long]
        {
            assert_eq!(OldPath::parse(raw), None, "{raw:?}");
        }
    }
}
