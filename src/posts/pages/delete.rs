//! `/posts/{id}/delete`: asks before a post is deleted, with a form, so that it
//! works without script.

use leptos::prelude::*;

use super::post_id;
use crate::{
    error::AppError,
    http::context::{actor, site},
    posts::{
        PostId, address,
        domain::{draft_posts, service},
    },
    ui::{IdempotencyInput, PageTitle, load},
};

/// Asks the owner, and nobody else, to confirm.
#[component]
pub fn DeletePostPage() -> impl IntoView {
    let id = post_id();
    load(async move {
        let id = PostId::parse(&id).ok_or(AppError::NotFound)?;
        let (what, title, keep, consequence) = match service::own(&site(), &actor(), &id).await {
            Err(AppError::NotFound) => {
                let draft = draft_posts::own(&site(), &actor(), &id).await?;
                let title = draft.shown_title().to_owned();
                ("draft", title, format!("/my-posts/{id}/edit"), "It")
            }
            post => {
                let post = post?;
                (
                    "post",
                    post.title.to_string(),
                    post.address(),
                    "It will be gone for all readers at once. It",
                )
            }
        };
        let heading = format!("Delete this {what}?");
        Ok(view! {
            <PageTitle text=heading.clone() />
            <section class="message">
                <h1>{heading}</h1>
                <p>"“"<bdi>{title}</bdi>"”"</p>
                <p>{consequence}" stays in your "<a href="/my-posts/trash">"trash"</a>" for 30 days, and you can restore it from there."</p>
                <form method="post" action=address::of_deletion(&id) class="button-row">
                    <IdempotencyInput />
                    <button class="button danger" type="submit">"Delete post"</button>
                    <a href=keep>"Keep it"</a>
                </form>
            </section>
        })
    })
}
