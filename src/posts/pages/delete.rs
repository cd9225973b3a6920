//! `/posts/{id}/delete`: asks before a post is deleted, with a form, so that it
//! works without script.

use leptos::prelude::*;

use super::post_id;
use crate::{
    error::AppError,
    http::context::{actor, site},
    posts::{PostId, address, domain::service},
    ui::{IdempotencyInput, PageTitle, load},
};

/// Asks the owner, and nobody else, to confirm.
#[component]
pub fn DeletePostPage() -> impl IntoView {
    let id = post_id();
    load(async move {
        let id = PostId::parse(&id).ok_or(AppError::NotFound)?;
        let post = service::own(&site(), &actor(), &id).await?;
        Ok(view! {
            <PageTitle text="Delete this post?".to_owned() />
            <section class="message">
                <h1>"Delete this post?"</h1>
                <p>"“"<bdi>{post.title.to_string()}</bdi>"” will be gone for all readers at once. It stays in your "<a href="/my-posts/trash">"trash"</a>" for 30 days, and you can restore it from there."</p>
                <form method="post" action=address::of_deletion(&id) class="button-row">
                    <IdempotencyInput />
                    <button class="button danger" type="submit">"Delete post"</button>
                    <a href=post.address()>"Keep it"</a>
                </form>
            </section>
        })
    })
}
