//! A feed as Atom (RFC 4287).

use std::io;

use axum::body::Bytes;
use quick_xml::events::BytesText;

use super::{
    feed::{Author, Entry, Feed},
    xml::{Xml, allowed, document, element, text},
};
use crate::{error::AppError, posts::address::FeedFormat};

const NAMESPACE: &str = "http://www.w3.org/2005/Atom";

pub fn write(feed: &Feed) -> Result<Bytes, AppError> {
    let attributes = [("xmlns", NAMESPACE), ("xml:lang", &*feed.language)];
    document("feed", attributes, |xml| {
        text(xml, "id", &feed.id)?;
        text(xml, "title", &feed.title)?;
        if !feed.description.is_empty() {
            text(xml, "subtitle", &feed.description)?;
        }
        text(xml, "updated", &feed.updated_at.rfc3339())?;
        if let Some([small, _]) = &feed.icons {
            text(xml, "icon", small)?;
        }
        if let Some(logo) = &feed.logo {
            text(xml, "logo", logo)?;
        }
        link(xml, "self", FeedFormat::Atom.media_type(), &feed.address)?;
        link(xml, "alternate", "text/html", &feed.home)?;
        if let Some(author) = &feed.author {
            write_author(xml, author)?;
        }
        feed.entries.iter().try_for_each(|entry| element(xml, "entry", |xml| write_entry(xml, entry)))
    })
}

/// 4.1.2. The author stands at each entry, because the feed of all posts has none.
fn write_entry(xml: &mut Xml, entry: &Entry) -> io::Result<()> {
    let post = &entry.post;
    text(xml, "id", &entry.id)?;
    text(xml, "title", post.title.as_str())?;
    text(xml, "published", &post.created_at.rfc3339())?;
    text(xml, "updated", &post.updated_at.rfc3339())?;
    link(xml, "alternate", "text/html", &entry.address)?;
    write_author(xml, &entry.author)?;
    match &entry.html {
        Some(html) => {
            let content = xml.create_element("content").with_attribute(("type", "html"));
            content.write_text_content(BytesText::new(&allowed(html))).map(drop)
        }
        None => text(xml, "summary", &post.excerpt),
    }
}

/// 3.2.
fn write_author(xml: &mut Xml, author: &Author) -> io::Result<()> {
    element(xml, "author", |xml| {
        text(xml, "name", &author.name)?;
        text(xml, "uri", &author.address)
    })
}

/// 4.2.7.
fn link(xml: &mut Xml, relation: &str, media_type: &str, address: &str) -> io::Result<()> {
    xml.create_element("link")
        .with_attributes([("rel", relation), ("type", media_type), ("href", address)])
        .write_empty()
        .map(drop)
}
