//! `/admin/posts/waiting`: the first posts of new authors, which nobody sees before they are
//! approved.

use leptos::prelude::*;

use super::{Head, LISTED, by, parameter};
use crate::{
    error::AppError,
    http::context::{actor, site},
    posts::{
        PostId,
        domain::{
            approval::{self, WaitingPost},
            preview,
        },
    },
    ui::{ErrorSummary, Time, load},
};

/// The posts that wait, the one that waits longest first.
#[component]
pub fn WaitingPostsPage() -> impl IntoView {
    load(async move {
        let posts = approval::list(&site(), &by().await?, LISTED).await?;
        let is_empty = posts.is_empty();
        let is_cut = i64::try_from(posts.len()).is_ok_and(|count| count >= LISTED);
        let entries = posts.into_iter().map(|post| view! { <Entry post /> }).collect_view();
        Ok(view! {
            <Head title="Posts that wait for approval" />
            {if is_empty {
                view! { <div class="empty"><p>"No post waits for approval."</p></div> }.into_any()
            } else {
                view! { <div class="key-list">{entries}</div> }.into_any()
            }}
            {is_cut.then(|| view! { <p class="hint">{format!("These are the {LISTED} that wait longest.")}</p> })}
        })
    })
}

#[component]
fn Entry(post: WaitingPost) -> impl IntoView {
    let heading = format!("post-{}", post.id);
    let [labelled_by, to_read, to_hide] = [heading.clone(), heading.clone(), heading.clone()];
    view! {
        <article class="entry" aria-labelledby=labelled_by>
            <h2 id=heading dir="auto">{post.shown_title().to_owned()}</h2>
            <dl class="facts">
                <div><dt>"Author"</dt><dd><a href=format!("/admin/accounts/{}", post.owner)>{post.owner.clone()}</a></dd></div>
                <div><dt>"Waits since"</dt><dd><Time at=post.since() /></dd></div>
            </dl>
            <p class="actions">
                <a href=format!("/admin/posts/{}/approve", post.id) aria-describedby=to_read>"Read and approve"</a>
                <a class="danger" href=format!("/admin/posts/{}/hide", post.id) aria-describedby=to_hide>"Hide"</a>
            </p>
        </article>
    }
}

/// The text of a post that waits, and the button that publishes what was read.
#[component]
pub fn ApprovePostPage() -> impl IntoView {
    let id = parameter("id");
    load(async move {
        let by = by().await?;
        let id = PostId::parse(&id).ok_or(AppError::NotFound)?;
        let post = approval::waiting(&site(), &by, &id).await?;
        let html = preview::preview(&site(), &actor(), &post.content).await?;
        Ok(view! {
            <Head title="Approve a post" />
            <ErrorSummary />
            <p>
                "By "<a href=format!("/admin/accounts/{}", post.owner)>{post.owner.clone()}</a>", waiting since "
                <Time at=post.since() />". If you approve it, everyone can read it, and later posts of its author are published at once."
            </p>
            <article class="entry" aria-labelledby="waiting-title">
                <h2 id="waiting-title" dir="auto">{post.shown_title().to_owned()}</h2>
                <div class="prose" id="content" dir="auto" inner_html=html></div>
            </article>
            <form method="post" action=format!("/admin/posts/{id}/approve") class="button-row">
                <input type="hidden" name="version" value=post.version.to_string() />
                <button class="button" type="submit">"Approve"</button>
                <a class="danger" href=format!("/admin/posts/{id}/hide")>"Hide"</a>
                <a href="/admin/posts/waiting">"Go back"</a>
            </form>
        })
    })
}
