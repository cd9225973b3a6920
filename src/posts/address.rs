//! The addresses of what is published, as paths of the site. Whoever links to a post, an
//! author or a feed asks here.

use std::fmt::Display;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::form_urlencoded;

use super::{Post, PostId, Slug, Summary, Tag, found::SearchPlace};
use crate::username::Username;

/// It tells the address of an author from every other of one segment.
pub const BEFORE_USERNAME: char = '@';

/// Where everyone searches.
pub const SEARCH: &str = "/search";

/// The end of the address at which a post is reported, behind that of the post.
pub const REPORT: &str = "/report";
/// Where a report is thanked for.
pub const REPORTED: &str = "/posts/reported/thanks";

/// What whoever runs the site says of it.
pub const ABOUT: &str = "/about";

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

/// Where a post is read, by what never changes; it leads to [`of_post`].
#[must_use]
pub fn of_id(id: impl Display) -> String {
    format!("/posts/{id}")
}

/// Where a post is read. Without a slug, which an older Byline has not given it, by its id.
#[must_use]
pub fn of_post(owner: &str, slug: Option<&Slug>, id: &PostId) -> String {
    slug.map_or_else(|| of_id(id), |slug| format!("{}/{slug}", of_author(owner)))
}

impl Post {
    /// Where it is read.
    #[must_use]
    pub fn address(&self) -> String {
        of_post(&self.owner, self.slug.as_ref(), &self.id)
    }
}

impl Summary {
    /// Where it is read.
    #[must_use]
    pub fn address(&self) -> String {
        of_post(&self.owner, self.slug.as_ref(), &self.id)
    }
}

/// What stands in a segment of a path as it is.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// Where the posts with a tag are listed.
#[must_use]
pub fn of_tag(tag: &Tag) -> String {
    format!("/tags/{}", utf8_percent_encode(tag.as_str(), SEGMENT))
}

/// Where its author is asked before it is deleted.
#[must_use]
pub fn of_deletion(id: impl Display) -> String {
    format!("{}/delete", of_id(id))
}

/// Where the posts of an author are listed.
#[must_use]
pub fn of_author(username: &str) -> String {
    format!("/{BEFORE_USERNAME}{username}")
}

/// Which posts a feed has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedOf {
    Everyone,
    /// Those of one author.
    Author(Username),
    Tag(Tag),
}

impl FeedOf {
    /// The page with the same posts.
    #[must_use]
    pub fn page(&self) -> String {
        match self {
            Self::Everyone => "/".to_owned(),
            Self::Author(username) => of_author(username.as_str()),
            Self::Tag(tag) => of_tag(tag),
        }
    }

    /// The feed itself.
    #[must_use]
    pub fn address(&self, format: FeedFormat) -> String {
        format!("{}/{}", self.page().trim_end_matches('/'), format.file())
    }
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
