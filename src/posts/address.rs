//! The addresses of what is published, as paths of the site. Whoever links to a post, an
//! author or a feed asks here.

use std::fmt::Display;

use url::form_urlencoded;

use super::found::SearchPlace;

/// It tells the address of an author from every other of one segment.
pub const BEFORE_USERNAME: char = '@';

/// Where everyone searches.
pub const SEARCH: &str = "/search";

/// The parameter with the words of a search.
pub const SEARCH_WORDS: &str = "q";

/// The form of a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedFormat {
    /// RFC 4287.
    Atom,
    /// JSON Feed, version 1.1 (<https://www.jsonfeed.org/version/1.1/>).
    Json,
}

impl FeedFormat {
    pub const ALL: [Self; 2] = [Self::Atom, Self::Json];

    /// The last segment of its address.
    #[must_use]
    pub const fn file(self) -> &'static str {
        match self {
            Self::Atom => "feed.atom",
            Self::Json => "feed.json",
        }
    }

    /// Its media type, by which readers recognise a link to it.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Atom => "application/atom+xml",
            Self::Json => "application/feed+json",
        }
    }
}

/// Where a post is read.
#[must_use]
pub fn of_post(id: impl Display) -> String {
    format!("/posts/{id}")
}

/// Where its author is asked before it is deleted.
#[must_use]
pub fn of_deletion(id: impl Display) -> String {
    format!("{}/delete", of_post(id))
}

/// Where the posts of an author are listed.
#[must_use]
pub fn of_author(username: &str) -> String {
    format!("/{BEFORE_USERNAME}{username}")
}

/// The feed of an author's posts, or of all.
#[must_use]
pub fn of_feed(format: FeedFormat, author: Option<&str>) -> String {
    format!("{}/{}", author.map(of_author).unwrap_or_default(), format.file())
}

/// What a search finds, from a place on.
#[must_use]
pub fn of_search(words: &str, after: Option<&SearchPlace>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair(SEARCH_WORDS, words);
    if let Some(place) = after {
        query.append_pair("after", &place.to_string());
    }
    format!("{SEARCH}?{}", query.finish())
}
