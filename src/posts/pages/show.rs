//! `/@{username}/{slug}`: one post. `/posts/{id}` and earlier slugs lead there.

use std::sync::Arc;

use leptos::prelude::*;

use super::{
    PostPath,
    ending::ending,
    moved,
    parts::{AuthorLink, tag_links},
    preview::{self, PostPreview},
};
use crate::{
    config::Identity,
    credentials::Actor,
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
            language::TextLanguage,
            policy, reading_time,
            rendered::RenderedPost,
            service,
        },
        drafts::{Draft, NEW_POST},
        editor::ForgetDraft,
        forms,
        images::PageImage,
    },
    site::Site,
    ui::{IslandScripts, PageTitle, Time, load, uri},
};

/// The post of a page that has been read before the page is rendered.
pub type Read = Result<Arc<PostToShow>, AppError>;

/// A post, and what is found from its text.
#[derive(Clone, Debug)]
pub struct PostToShow {
    pub place: PostInPlace,
    pub language: TextLanguage,
    /// How long it takes to read, in words.
    pub reading_time: String,
    /// By which other sites show it.
    pub image: PageImage,
}

impl PostToShow {
    /// What is found from a post's text.
    #[must_use]
    pub fn of(identity: &Identity, place: PostInPlace) -> Self {
        let RenderedPost { post, html, .. } = &place.shown;
        Self {
            image: PageImage::of_post(identity, post, html),
            language: TextLanguage::of(post.language, post.title.as_str(), &post.excerpt),
            reading_time: format!("{} min read", reading_time::minutes(html)),
            place,
        }
    }

    /// Where it is read.
    #[must_use]
    pub fn address(&self) -> String {
        self.place.shown.post.address()
    }
}

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
        let PostToShow { place, language, reading_time, image } = &*shown;
        let RenderedPost { post, html, .. } = &place.shown;
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
            <PostPreview post=post.clone() image=image.clone() />
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
                <footer class="tags" inner_html=tag_links(&post.tags)></footer>
            </article>
            {(!own).then(|| view! {
                <p class="report"><a rel="nofollow" href=format!("{}{}", post.address(), address::REPORT)>"Report"</a></p>
            })}
            <footer class="post-end" inner_html=ending(preview::origin(&site()).as_deref(), place)></footer>
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
    let read = ending::read(site, actor, &id).await;
    let read = match (read, path) {
        // What is remembered of an address may be out of date.
        (Err(AppError::NotFound), PostPath::Address(username, slug)) => {
            site.addresses().forget(username, slug);
            ending::read(site, actor, &path.post(site, actor).await?).await
        }
        (read, _) => read,
    };
    read.map(|place| Arc::new(PostToShow::of(&site.settings().identity, place)))
}

/// The hash that identifies drafts of a post's text, and the paths of the editors that
/// may have one.
async fn saved_draft(id: &PostId) -> Result<Option<(String, Vec<String>)>, AppError> {
    let post = service::get(&site(), &actor(), id).await?;
    let pages = vec![NEW_POST.to_owned(), format!("/my-posts/{id}/edit")];
    Ok(Draft::hash(post.title.as_str(), post.text().as_str()).map(|hash| (hash, pages)))
}
