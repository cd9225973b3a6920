//! `/posts/{id}`: one post.

use leptos::prelude::*;
use leptos_meta::Meta;

use super::post_id;
use crate::{
    http::{
        context::{actor, site},
        forms::Notice,
    },
    posts::{api, domain::policy, drafts::Draft, editor::ForgetDraft, forms},
    ui::{IslandScripts, PageTitle, Time, load},
};

/// A post to read; for its owner also to edit and delete.
#[component]
pub fn PostPage() -> impl IntoView {
    let id = post_id();
    let notice = expect_context::<Option<&'static Notice>>();
    let just_saved = notice.is_some_and(|notice| [&forms::PUBLISHED, &forms::SAVED].contains(&notice));
    load(async move {
        let post = api::get_post(id).await?;
        let rendering = site().renderer().render(post.text()).await?;
        let own = policy::may_change(&actor(), &post.owner).is_ok();
        let edited = post.updated_at > post.created_at;
        // Its draft is of no more use.
        let saved = (own && just_saved)
            .then(|| Draft::hash(post.title.as_str(), post.text().as_str()))
            .flatten()
            .map(|hash| (hash, vec!["/my-posts/new".to_owned(), format!("/my-posts/{}/edit", post.id)]));
        let username = post.owner.clone();
        Ok(view! {
            <PageTitle text=post.title.to_string() />
            <Meta name="description" content=rendering.excerpt.clone() />
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
                <div class="prose" inner_html=rendering.html.clone()></div>
            </article>
            {saved.map(|(hash, pages)| view! { <ForgetDraft username pages hash /><IslandScripts /> })}
        })
    })
}
