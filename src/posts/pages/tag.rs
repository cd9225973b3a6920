//! `/tags/{tag}`: the posts of everyone that have a tag.

use leptos::prelude::*;
use percent_encoding::percent_decode_str;

use super::{
    cursors,
    list::List,
    moved,
    preview::{FeedLinks, ListPreview},
};
use crate::{
    error::AppError,
    http::context::{actor, site},
    posts::{
        PageRequest, Tag,
        address::{self, FeedOf},
        domain::{parse_tags, service},
    },
    ui::{PageTitle, load, uri},
};

/// The posts with a tag, newest first.
#[component]
pub fn TagPage() -> impl IntoView {
    let segment = uri().path().strip_prefix("/tags/").unwrap_or_default().to_owned();
    let (older, newer) = cursors();
    load(async move {
        let typed = percent_decode_str(&segment).decode_utf8().map_err(|_| AppError::NotFound)?;
        let tag = one(&typed).ok_or(AppError::NotFound)?;
        if tag.as_str() != typed {
            moved(&address::of_tag(&tag));
        }
        let request = PageRequest::parse(older.as_deref(), newer.as_deref())?;
        let is_first = request == PageRequest::First;
        let page = service::list_of_tag(&site(), &actor(), &tag, request).await?;
        // A tag is there as long as a post has it.
        if page.posts.is_empty() {
            return Err(AppError::NotFound);
        }
        let name = tag.to_string();
        let title = format!("Posts tagged {name}");
        Ok(view! {
            <PageTitle text=title.clone() />
            <ListPreview
                description=format!("{title}, newest first")
                title
                path=is_first.then(|| address::of_tag(&tag))
            />
            <FeedLinks of=FeedOf::Tag(tag.clone()) />
            <h1>"Tagged "<bdi>{name}</bdi></h1>
            <List page path=address::of_tag(&tag) own=false />
        })
    })
}

/// The one tag that was typed.
fn one(typed: &str) -> Option<Tag> {
    let tags = parse_tags(typed).ok()?;
    let mut tags = tags.iter();
    tags.next().filter(|_| tags.next().is_none()).cloned()
}
