//! The two lists: everyone's posts, and one's own.

use leptos::prelude::*;

use super::{cursors, preview::SitePreview};
use crate::{
    credentials::Actor,
    http::context::actor,
    posts::{Page, Summary, address, api, live::LiveList},
    ui::{IslandScripts, PageTitle, Pagination, Time, Wake, load},
};

/// `/`: everything, newest first.
#[component]
pub fn AllPostsPage() -> impl IntoView {
    let (older, newer) = cursors();
    let first = older.is_none() && newer.is_none();
    load(async move {
        let page = api::list_posts(older, newer).await?;
        Ok(view! {
            <PageTitle text="All posts".to_owned() />
            {first.then(|| view! { <SitePreview /> })}
            <LiveList as_of=page.as_of />
            <h1>"All posts"</h1>
            {if page.posts.is_empty() && first {
                view! { <NothingYet /> }.into_any()
            } else {
                view! { <List page path="/" own=false /> }.into_any()
            }}
            <IslandScripts wake=Wake::Idle />
        })
    })
}

/// `/my-posts`: the signed-in author's own, newest first.
#[component]
pub fn MyPostsPage() -> impl IntoView {
    let (older, newer) = cursors();
    let first = older.is_none() && newer.is_none();
    load(async move {
        let page = api::my_posts(older, newer).await?;
        Ok(view! {
            <PageTitle text="My posts".to_owned() />
            <div class="heading-row">
                <h1>"My posts"</h1>
                <a class="button" href="/my-posts/new">"New post"</a>
            </div>
            {if page.posts.is_empty() && first {
                view! {
                    <div class="empty">
                        <p>"You have not published anything yet."</p>
                        <p>"Choose New post to write your first one. Everyone will be able to read it; only you can change it."</p>
                    </div>
                }
                .into_any()
            } else {
                view! { <List page path="/my-posts" own=true /> }.into_any()
            }}
        })
    })
}

/// The first visit to an empty site says what to do next.
#[component]
fn NothingYet() -> impl IntoView {
    let next = match actor() {
        Actor::User(_) => view! { <p><a class="button" href="/my-posts/new">"Write the first post"</a></p> }.into_any(),
        Actor::Anonymous | Actor::ApiKey => view! {
            <p><a href="/signup">"Sign up"</a>" or "<a href="/login">"log in"</a>" to write the first one."</p>
        }
        .into_any(),
    };
    view! {
        <div class="empty">
            <p>"Nothing has been published here yet."</p>
            {next}
        </div>
    }
}

#[component]
fn List(page: Page, path: &'static str, own: bool) -> impl IntoView {
    let entries = page.posts.iter().cloned().map(|post| view! { <Entry post own /> }).collect_view();
    let empty = page.posts.is_empty();
    let [older, newer] = [page.older, page.newer].map(|cursor| cursor.map(|cursor| cursor.to_string()));
    view! {
        <div class="post-list">{entries}</div>
        {empty.then(|| view! {
            <p class="meta">"There is nothing older. "<a href=path>"Go to the newest posts"</a></p>
        })}
        <Pagination older newer path />
    }
}

#[component]
fn Entry(post: Summary, own: bool) -> impl IntoView {
    let address = address::of_post(&post);
    let Summary { id, title, excerpt, owner, created_at, .. } = post;
    let heading = format!("post-{id}");
    let labelled_by = heading.clone();
    let actions = own.then(|| view! {
        <p class="actions">
            <a href=format!("/my-posts/{id}/edit") aria-describedby=heading.clone()>"Edit"</a>
            <a class="danger" href=format!("/posts/{id}/delete") aria-describedby=heading.clone()>"Delete post"</a>
        </p>
    });
    view! {
        <article class="entry" dir="auto" aria-labelledby=labelled_by>
            <h2 id=heading><a href=address>{title.to_string()}</a></h2>
            {(!excerpt.is_empty()).then(|| view! { <p class="excerpt" dir="auto">{excerpt}</p> })}
            <p class="meta">
                <span class="author">{owner}</span>" · "<Time at=created_at />
            </p>
            {actions}
        </article>
    }
}
