//! `/posts/{id}`: one post.

use leptos::prelude::*;
use leptos_meta::Meta;

use super::post_id;
use crate::{
    posts::{
        api,
        server::{markdown, policy},
    },
    server::context::actor,
    ui::{PageTitle, Time, load},
};

/// A post to read; for its owner also to edit and delete.
#[component]
pub fn PostPage() -> impl IntoView {
    let id = post_id();
    load(async move {
        let post = api::get_post(id).await?;
        let own = policy::may_change(&actor(), &post.owner).is_ok();
        let edited = post.updated_at > post.created_at;
        Ok(view! {
            <PageTitle text=post.title.to_string() />
            <Meta name="description" content=markdown::excerpt(post.text()) />
            <Meta name="author" content=post.owner.clone() />
            <Meta property="og:type" content="article" />
            <Meta property="og:title" content=post.title.to_string() />
            <article class="post">
                <header dir="auto">
                    <h1>{post.title.to_string()}</h1>
                    <p class="meta">
                        "By "<span class="author">{post.owner.clone()}</span>" · "<Time at=post.created_at />
                        {edited.then(|| view! { " · edited "<Time at=post.updated_at /> })}
                    </p>
                    {own.then(|| view! {
                        <p class="actions">
                            <a href=format!("/my-posts/{}/edit", post.id)>"Edit"</a>
                            <a class="danger" href=format!("/posts/{}/delete", post.id)>"Delete post"</a>
                        </p>
                    })}
                </header>
                <div class="prose" inner_html=markdown::to_html(post.text())></div>
            </article>
        })
    })
}
