//! `/@{username}/{slug}`: one post. `/posts/{id}` and earlier slugs lead there.

use std::sync::Arc;

use leptos::prelude::*;

use super::{
    PostPath, moved,
    parts::{AuthorLink, tag_links},
    preview::PostPreview,
};
use crate::{
    credentials::Actor,
    error::AppError,
    http::{
        context::{actor, site},
        forms::Notice,
        pages::Preloaded,
    },
    posts::{
        PostId, address,
        domain::{policy, rendered::RenderedPost, service},
        drafts::Draft,
        editor::ForgetDraft,
        forms,
    },
    site::Site,
    ui::{IslandScripts, PageTitle, Time, load, uri},
};

/// The post of a page that has been read before the page is rendered.
pub type Read = Result<Arc<RenderedPost>, AppError>;

/// A post to read; for its owner also to edit and delete.
#[component]
pub fn PostPage() -> impl IntoView {
    let path = uri().path().to_owned();
    let notice = expect_context::<Option<&'static Notice>>();
    let just_saved = notice.is_some_and(|notice| [&forms::PUBLISHED, &forms::SAVED].contains(&notice));
    let Preloaded(preloaded) = expect_context();
    load(async move {
        let shown = match preloaded.and_then(|read| read.downcast::<Read>().ok()) {
            Some(read) => (*read).clone()?,
            None => {
                let path = PostPath::parse(&path).ok_or(AppError::NotFound)?;
                read(&site(), &actor(), &path).await?
            }
        };
        let RenderedPost { post, html } = &*shown;
        if post.address() != path {
            moved(&post.address());
        }
        let own = policy::may_change(&actor(), &post.owner).is_ok();
        // Its draft is not needed any more.
        let saved = if own && just_saved { saved_draft(&post.id).await? } else { None };
        let edited = post.is_edited();
        let username = post.owner.clone();
        Ok(view! {
            <PageTitle text=post.title.to_string() />
            <PostPreview post=post.clone() />
            <article class="post">
                <header dir="auto">
                    <h1>{post.title.to_string()}</h1>
                    <p class="meta">
                        "By "<AuthorLink username=post.owner.clone() />" · "<Time at=post.created_at />
                        {edited.then(|| view! { " · edited "<Time at=post.updated_at /> })}
                    </p>
                    {own.then(|| view! {
                        <p class="actions">
                            <a href=format!("/my-posts/{}/edit", post.id)>"Edit"</a>
                            <a class="danger" href=address::of_deletion(&post.id)>"Delete post"</a>
                        </p>
                    })}
                </header>
                <div class="prose" inner_html=html.clone()></div>
                <footer class="tags" inner_html=tag_links(&post.tags)></footer>
            </article>
            {saved.map(|(hash, pages)| view! { <ForgetDraft username pages hash /><IslandScripts /> })}
        })
    })
}

/// The post that is read at a path.
///
/// # Errors
/// [`AppError::NotFound`], [`AppError::Busy`].
pub async fn read(site: &Site, actor: &Actor, path: &PostPath) -> Read {
    let id = path.post(site, actor).await?;
    let read = service::rendered(site, actor, &id).await;
    let read = match (read, path) {
        // What is remembered of an address may be out of date.
        (Err(AppError::NotFound), PostPath::Address(username, slug)) => {
            site.addresses().forget(username, slug);
            service::rendered(site, actor, &path.post(site, actor).await?).await
        }
        (read, _) => read,
    };
    read.map(Arc::new)
}

/// The hash that identifies drafts of a post's text, and the paths of the editors that
/// may have one.
async fn saved_draft(id: &PostId) -> Result<Option<(String, Vec<String>)>, AppError> {
    let post = service::get(&site(), &actor(), id).await?;
    let pages = vec!["/my-posts/new".to_owned(), format!("/my-posts/{id}/edit")];
    Ok(Draft::hash(post.title.as_str(), post.text().as_str()).map(|hash| (hash, pages)))
}
