//! The map of the site (<https://www.sitemaps.org/protocol.html>): an index, and files that
//! it names.

use std::io;

use axum::body::Bytes;

use super::xml::{Xml, document, element, text};
use crate::{
    credentials::Actor,
    error::AppError,
    http::turns::Client,
    posts::{Cursor, domain::service},
    site::Site,
};

pub const PATH: &str = "/sitemap.xml";
const NAMESPACE: &str = "http://www.sitemaps.org/schemas/sitemap/0.9";
/// Addresses of a file. The protocol allows 50,000; files are shorter, because each is made
/// in memory, and so an index of 50,000 files still has 500 million posts.
const FILE_POSTS: usize = 10_000;

/// What a map is asked for by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Map {
    Index,
    /// Pages that are no posts.
    Pages,
    /// The posts from a place on, oldest first. So what is new changes the last file alone.
    Posts(Cursor),
}

impl Map {
    const PARAMETER: &str = "from=";
    const PAGES: &str = "pages";

    /// The map that a query names: the index, if it is none of this site's.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for a place that is none.
    pub fn of_query(query: Option<&str>) -> Result<Self, AppError> {
        match query.and_then(|query| query.strip_prefix(Self::PARAMETER)) {
            None => Ok(Self::Index),
            Some(Self::PAGES) => Ok(Self::Pages),
            Some(place) => Ok(Self::Posts(place.parse().map_err(|_| AppError::NotFound)?)),
        }
    }

    /// Its address, as a path of the site.
    pub fn path(&self) -> String {
        match self {
            Self::Index => PATH.to_owned(),
            Self::Pages => format!("{PATH}?{}{}", Self::PARAMETER, Self::PAGES),
            Self::Posts(place) => format!("{PATH}?{}{place}", Self::PARAMETER),
        }
    }

    /// Whether it is one of many, whose names anybody can invent.
    pub const fn is_piece(&self) -> bool {
        matches!(self, Self::Posts(_))
    }

    /// Makes it, for whoever may read posts.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for a place after which there is no post.
    pub async fn write(&self, site: &Site, actor: &Actor, client: &Client) -> Result<Bytes, AppError> {
        match self {
            Self::Index => {
                let pieces = service::pieces(site, actor, client, FILE_POSTS).await?;
                let files = [Self::Pages].into_iter().chain(pieces.into_iter().map(Self::Posts));
                document("sitemapindex", [("xmlns", NAMESPACE)], |xml| {
                    files
                        .map(|file| site.link(&file.path()))
                        .try_for_each(|address| element(xml, "sitemap", |xml| text(xml, "loc", &address)))
                })
            }
            Self::Pages => {
                document("urlset", [("xmlns", NAMESPACE)], |xml| write_page(xml, &site.link("/"), None))
            }
            Self::Posts(from) => {
                let posts = service::piece(site, actor, client, from, FILE_POSTS).await?;
                if posts.is_empty() {
                    return Err(AppError::NotFound);
                }
                document("urlset", [("xmlns", NAMESPACE)], |xml| {
                    posts.iter().try_for_each(|post| {
                        let address = site.link(&post.address());
                        write_page(xml, &address, Some(&post.updated_at.rfc3339()))
                    })
                })
            }
        }
    }
}

fn write_page(xml: &mut Xml, address: &str, changed_at: Option<&str>) -> io::Result<()> {
    element(xml, "url", |xml| {
        text(xml, "loc", address)?;
        changed_at.map_or(Ok(()), |changed_at| text(xml, "lastmod", changed_at))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_found_by_its_own_address() {
        for map in [Map::Index, Map::Pages, Map::Posts("1_a".parse().unwrap())] {
            let path = map.path();
            let query = path.split_once('?').map(|(_, query)| query);
            assert_eq!(Map::of_query(query), Ok(map), "{path}");
        }
        assert_eq!(Map::of_query(Some("utm_source=x")), Ok(Map::Index));
        for wrong in ["from=", "from=1", "from=1_a&b"] {
            assert_eq!(Map::of_query(Some(wrong)), Err(AppError::NotFound), "{wrong}");
        }
    }
}
