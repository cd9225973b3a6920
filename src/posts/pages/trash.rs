//! `/my-posts/trash`: what an author has deleted in the last 30 days.

use leptos::prelude::*;

use super::parts::{MyPostsNav, RestoreForm};
use crate::{
    http::context::{actor, site},
    posts::domain::trash::{self, TrashedPost},
    ui::{PageTitle, Time, load},
};

/// The most posts that the page has.
const LISTED: i64 = 200;

/// Each post with a button that publishes it again, each draft with one that makes it a draft again.
#[component]
pub fn TrashPage() -> impl IntoView {
    load(async move {
        let posts = trash::list(&site(), &actor(), LISTED).await?;
        let is_cut = i64::try_from(posts.len()).is_ok_and(|count| count >= LISTED);
        Ok(view! {
            <PageTitle text="Trash".to_owned() />
            <h1>"Trash"</h1>
            <MyPostsNav />
            {if posts.is_empty() {
                view! {
                    <div class="empty">
                        <p>"Your trash is empty. A post that you delete stays here for 30 days."</p>
                    </div>
                }
                .into_any()
            } else {
                view! {
                    <p class="hint">"Only you see these. Each is gone for good on the day that stands below it."</p>
                    <div class="post-list">{posts.into_iter().map(entry).collect_view()}</div>
                    {is_cut.then(|| view! { <p class="hint">{format!("These are the {LISTED} that you deleted last.")}</p> })}
                }
                .into_any()
            }}
        })
    })
}

fn entry(post: TrashedPost) -> impl IntoView {
    let ends_at = post.ends_at();
    let TrashedPost { id, title, trashed_at, is_draft, hidden_reason } = post;
    let title = if title.is_empty() { "Untitled".to_owned() } else { title };
    let heading = format!("post-{id}-{}", trashed_at.micros());
    let labelled_by = heading.clone();
    view! {
        <article class="entry" dir="auto" aria-labelledby=labelled_by>
            <h2 id=heading.clone()>{title}</h2>
            {match hidden_reason {
                Some(reason) => view! {
                    <p class="meta">"Hidden by whoever runs the site, "<Time at=trashed_at /></p>
                    <p>"The reason: "<bdi>{reason}</bdi></p>
                }.into_any(),
                None => view! {
                    <p class="meta">{is_draft.then_some("Draft · ")}"Deleted "<Time at=trashed_at />" · kept until "<Time at=ends_at /></p>
                    <RestoreForm id=id.to_string() described_by=heading label="Restore" />
                }.into_any(),
            }}
        </article>
    }
}
