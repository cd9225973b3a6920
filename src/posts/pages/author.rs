//! `/@{username}`: an author, and what they have published.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::{
    cursors,
    list::List,
    preview::{FeedLinks, ListPreview},
};
use crate::{
    accounts::profile::Profile,
    error::AppError,
    http::context::{actor, site},
    posts::{
        PageRequest,
        address::{self, FeedOf},
        domain::service::{self, Author},
    },
    ui::{PageTitle, load},
    username::Username,
};

/// What everyone may know of an author, above their posts, newest first.
#[component]
pub fn AuthorPage() -> impl IntoView {
    let segment = use_params_map().with_untracked(|params| params.get("author").unwrap_or_default());
    let (older, newer) = cursors();
    load(async move {
        let typed = segment.strip_prefix(address::BEFORE_USERNAME).ok_or(AppError::NotFound)?;
        let username = Username::try_from(typed.to_ascii_lowercase()).map_err(|_| AppError::NotFound)?;
        if username.as_str() != typed {
            leptos_axum::redirect(&address::of_author(username.as_str()));
        }
        let request = PageRequest::parse(older.as_deref(), newer.as_deref())?;
        let is_first = request == PageRequest::First;
        let (author, page) = service::list_of_author(&site(), &actor(), username, request).await?;
        let Author { username, profile: Profile { display_name, about, links } } = author;
        let name = display_name.or(username.as_str()).to_owned();
        let path = address::of_author(username.as_str());
        let handle = (name != username.as_str())
            .then(|| view! { <p class="handle">{path.trim_start_matches('/').to_owned()}</p> });
        let links: Vec<_> = links.iter().map(link_to).collect();
        let description = match about.as_str() {
            "" => format!("What {name} has published."),
            about => about.to_owned(),
        };
        Ok(view! {
            <PageTitle text=name.clone() />
            <ListPreview
                title=name.clone()
                description
                path=is_first.then(|| path.clone())
                kind="profile"
            />
            <FeedLinks of=FeedOf::Author(username.clone()) name=name.clone() />
            <header class="author-header" dir="auto">
                <h1>{name.clone()}</h1>
                {handle}
                {(!about.as_str().is_empty()).then(|| view! { <p class="about">{about.as_str().to_owned()}</p> })}
                {(!links.is_empty()).then(|| view! { <ul class="author-links" aria-label="Links">{links}</ul> })}
            </header>
            {if page.posts.is_empty() && is_first {
                view! {
                    <div class="empty">
                        <p><bdi>{name}</bdi>" has not published anything yet."</p>
                    </div>
                }
                .into_any()
            } else {
                view! { <List page path own=false /> }.into_any()
            }}
        })
    })
}

/// A link that an author has set, named by what people know it by.
fn link_to(link: &str) -> impl IntoView + use<> {
    let shown = link.split_once("://").map_or(link, |(_, rest)| rest).trim_end_matches('/').to_owned();
    view! { <li><a rel="me nofollow ugc" href=link.to_owned()><bdi>{shown}</bdi></a></li> }
}
