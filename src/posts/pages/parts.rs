//! Parts that several pages of posts have.

use leptos::prelude::*;

use crate::{
    posts::{DraftPost, Tags, address},
    ui::{Time, uri},
};

/// The name of an author, which leads to their page.
#[component]
pub fn AuthorLink(
    username: String,
    /// As people see it.
    name: String,
) -> impl IntoView {
    let path = address::of_author(&username);
    view! { <a class="author" rel="author" href=path dir="auto">{name}</a> }
}

/// The tags of a post, each a link to the posts that have it; nothing if it has none. It is
/// HTML, because pages of posts are put together from parts.
#[must_use]
pub fn tag_links(tags: &Tags) -> String {
    if tags.is_empty() {
        return String::new();
    }
    let links: String = tags
        .iter()
        .map(|tag| {
            let text = html_escape::encode_text(tag.as_str());
            format!(r#"<li><a rel="tag" href="{}" dir="auto">{text}</a></li>"#, address::of_tag(tag))
        })
        .collect();
    format!(r#"<ul class="tag-list" aria-label="Tags">{links}</ul>"#)
}

/// The lists of one's own posts.
#[component]
pub(super) fn MyPostsNav() -> impl IntoView {
    let here = uri().path().to_owned();
    let link = move |href: &'static str, text: &'static str| {
        view! { <li><a href=href aria-current=(here == href).then_some("page")>{text}</a></li> }
    };
    view! {
        <nav class="sub-nav" aria-label="Your posts">
            <ul>
                {link("/my-posts/drafts", "Drafts")}
                {link("/my-posts", "Published")}
                {link("/my-posts/trash", "Trash")}
            </ul>
        </nav>
    }
}

/// The posts of an author that wait for approval, and what that means; nothing if none waits.
#[component]
pub(super) fn WaitingPosts(drafts: Vec<DraftPost>) -> impl IntoView {
    let waiting: Vec<_> =
        drafts.into_iter().filter_map(|draft| draft.waits_since.map(|since| (draft, since))).collect();
    (!waiting.is_empty()).then(|| {
        let entries = waiting.into_iter().map(|(draft, since)| {
            let edit = format!("/my-posts/{}/edit", draft.id);
            view! { <li><a href=edit><bdi>{draft.shown_title().to_owned()}</bdi></a>", since "<Time at=since /></li> }
        });
        view! {
            <section class="notice" aria-labelledby="waiting">
                <h2 id="waiting">"Waiting for approval"</h2>
                <p>{WAITING}</p>
                <ul>{entries.collect_view()}</ul>
            </section>
        }
    })
}

/// What it means for its author that a post waits.
pub(super) const WAITING: &str = "The first posts of new authors are read before everyone sees them. Nobody else sees this until whoever runs the site approves it. After the first, your posts are published at once.";

/// A button that publishes a deleted post again.
#[component]
pub fn RestoreForm(
    id: String,
    #[prop(optional)] described_by: Option<String>,
    label: &'static str,
) -> impl IntoView {
    view! {
        <form method="post" action=format!("/my-posts/trash/{id}")>
            <button class="link-button" type="submit" aria-describedby=described_by>{label}</button>
        </form>
    }
}
