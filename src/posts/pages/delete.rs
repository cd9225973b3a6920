//! `/posts/{id}/delete`: asks before a post is deleted, with a form, so that it
//! works without script.

use leptos::prelude::*;

use super::post_id;
use crate::{
    error::AppError,
    http::context::{actor, site},
    posts::{PostId, PostOrDraft, address, domain::draft_posts},
    ui::{IdempotencyInput, PageTitle, load},
};

/// Asks the owner, and nobody else, to confirm.
#[component]
pub fn DeletePostPage() -> impl IntoView {
    let id = post_id();
    load(async move {
        let id = PostId::parse(&id).ok_or(AppError::NotFound)?;
        let own = draft_posts::own_post_or_draft(&site(), &actor(), &id).await?;
        let (what, title, keep, consequence) = match own {
            PostOrDraft::Draft(draft) => {
                ("draft", draft.shown_title().to_owned(), format!("/my-posts/{id}/edit"), "It")
            }
            PostOrDraft::Published(post) => {
                let consequence = "It will be gone for all readers at once. It";
                ("post", post.title.to_string(), post.address(), consequence)
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
