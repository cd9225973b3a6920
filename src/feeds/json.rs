//! A feed as JSON Feed 1.1 (<https://www.jsonfeed.org/version/1.1/>).

use axum::body::Bytes;
use serde::Serialize;

use super::feed::{Author, Entry, Feed};
use crate::{database::internal, error::AppError};

#[derive(Serialize)]
struct Document<'a> {
    version: &'static str,
    title: &'a str,
    home_page_url: &'a str,
    feed_url: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    language: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    icon: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    favicon: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authors: Option<[JsonAuthor<'a>; 1]>,
    items: Vec<Item<'a>>,
}

#[derive(Serialize)]
struct JsonAuthor<'a> {
    name: &'a str,
    url: &'a str,
}

/// An item has one of the two contents.
#[derive(Serialize)]
struct Item<'a> {
    id: &'a str,
    url: &'a str,
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_html: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_text: Option<&'a str>,
    summary: &'a str,
    date_published: String,
    date_modified: String,
    authors: [JsonAuthor<'a>; 1],
}

pub fn write(feed: &Feed) -> Result<Bytes, AppError> {
    let document = Document {
        version: "https://jsonfeed.org/version/1.1",
        title: &feed.title,
        home_page_url: &feed.home,
        feed_url: &feed.address,
        description: &feed.description,
        language: &feed.language,
        icon: feed.icons.as_ref().map(|[_, large]| large.as_str()),
        favicon: feed.icons.as_ref().map(|[small, _]| small.as_str()),
        authors: feed.author.as_ref().map(|author| [author.into()]),
        items: feed.entries.iter().map(Item::from).collect(),
    };
    serde_json::to_vec(&document).map(Bytes::from).map_err(internal)
}

impl<'a> From<&'a Author> for JsonAuthor<'a> {
    fn from(author: &'a Author) -> Self {
        Self { name: &author.name, url: &author.address }
    }
}

impl<'a> From<&'a Entry> for Item<'a> {
    fn from(entry: &'a Entry) -> Self {
        let post = &entry.post;
        Self {
            id: &entry.id,
            url: &entry.address,
            title: post.title.as_str(),
            content_html: entry.html.as_deref(),
            content_text: entry.html.is_none().then_some(post.excerpt.as_str()),
            summary: &post.excerpt,
            date_published: post.created_at.rfc3339(),
            date_modified: post.updated_at.rfc3339(),
            authors: [(&entry.author).into()],
        }
    }
}
