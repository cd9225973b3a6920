//! `/posts/{id}`: one post.

use std::sync::Arc;

use leptos::prelude::*;

use super::{
    ending::ending,
    parts::AuthorLink,
    post_id,
    preview::{self, PostPreview},
};
use crate::{
    error::AppError,
    http::{
        context::{actor, site},
        forms::Notice,
        pages::Preloaded,
    },
    posts::{
        PostId, address,
        domain::{
            ending::{self, PostInPlace},
            language::Language,
            policy, reading_time,
            rendered::RenderedPost,
            service,
        },
        drafts::Draft,
        editor::ForgetDraft,
        forms,
    },
    ui::{IslandScripts, PageTitle, Time, load},
};

/// The post of a page that has been read before the page is rendered.
pub type Read = Result<Arc<PostToShow>, AppError>;

/// A post, and what is found from its text.
#[derive(Clone, Debug)]
pub struct PostToShow {
    pub place: PostInPlace,
    pub language: Language,
    /// How long it takes to read, in words.
    pub reading_time: String,
}

impl From<PostInPlace> for PostToShow {
    fn from(place: PostInPlace) -> Self {
        let RenderedPost { post, html, .. } = &place.shown;
        Self {
            language: Language::of(post.title.as_str(), &post.excerpt),
            reading_time: format!("{} min read", reading_time::minutes(html)),
            place,
        }
    }
}

/// A post to read; for its owner also to edit and delete.
#[component]
pub fn PostPage() -> impl IntoView {
    let id = post_id();
    let notice = expect_context::<Option<&'static Notice>>();
    let just_saved = notice.is_some_and(|notice| [&forms::PUBLISHED, &forms::SAVED].contains(&notice));
    let Preloaded(preloaded) = expect_context();
    load(async move {
        let shown = match preloaded.and_then(|read| read.downcast::<Read>().ok()) {
            Some(read) => (*read).clone()?,
            None => {
                let id = PostId::parse(&id).ok_or(AppError::NotFound)?;
                Arc::new(ending::read(&site(), &actor(), &id).await?.into())
            }
        };
        let PostToShow { place, language, reading_time } = &*shown;
        let RenderedPost { post, html, .. } = &place.shown;
        let own = policy::may_change(&actor(), &post.owner).is_ok();
        // Its draft is not needed any more.
        let saved = if own && just_saved { saved_draft(&post.id).await? } else { None };
        let edited = post.is_edited();
        let username = post.owner.clone();
        Ok(view! {
            <PageTitle text=post.title.to_string() />
            <PostPreview post=post.clone() />
            <article class="post" lang=language.tag dir=language.direction>
                <header>
                    <h1>{post.title.to_string()}</h1>
                    <div class="meta-row" lang="en">
                        <p class="meta">
                            "By "<AuthorLink username=post.owner.clone() name=post.author.clone() />
                            " · "<Time at=post.created_at />
                            {edited.then(|| view! { " · edited "<Time at=post.updated_at /> })}
                            " · "<span class="reading-time">{reading_time.clone()}</span>
                        </p>
                        {own.then(|| view! {
                            <p class="actions quiet">
                                <a href=format!("/my-posts/{}/edit", post.id)>"Edit"</a>
                                <a class="danger" href=address::of_deletion(&post.id)>"Delete post"</a>
                            </p>
                        })}
                    </div>
                </header>
                <div class="prose" inner_html=html.clone()></div>
                <footer class="post-end" lang="en" inner_html=ending(preview::origin(&site()).as_deref(), place)></footer>
            </article>
            {saved.map(|(hash, pages)| view! { <ForgetDraft username pages hash /><IslandScripts /> })}
        })
    })
}

/// The hash that identifies drafts of a post's text, and the paths of the editors that
/// may have one.
async fn saved_draft(id: &PostId) -> Result<Option<(String, Vec<String>)>, AppError> {
    let post = service::get(&site(), &actor(), id).await?;
    let pages = vec!["/my-posts/new".to_owned(), format!("/my-posts/{id}/edit")];
    Ok(Draft::hash(post.title.as_str(), post.text().as_str()).map(|hash| (hash, pages)))
}
