//! The page of a post for readers without a session. The page is rendered once, by the
//! same components as for everybody else, with placeholders for a post; then the
//! values of each post are inserted.

use std::sync::Arc;

use axum::{
    body::to_bytes,
    http::{StatusCode, Uri},
};
use futures::future::BoxFuture;
use tokio::sync::OnceCell;

use super::{
    PostPath,
    parts::tag_links,
    preview::{self, linked_data},
    show::{self, Read},
};
use crate::{
    credentials::{Actor, Caller},
    http::{
        frame::{Filling, Frame},
        limits,
        pages::{PageInput, Preloaded, ShortcutResult, render},
    },
    posts::{PostId, Slug, Summary, Tag, Title, domain::rendered::RenderedPost},
    site::Site,
    timestamp::Timestamp,
};

/// The frames of pages of posts, rendered at first use. Everything but the post has to
/// stay the same while this process runs.
#[derive(Debug, Default)]
pub struct Frames(OnceCell<PostFrames>);

/// A [`crate::http::pages::Shortcut`]: the page of a post, if the address names one that
/// exists.
pub fn shortcut<'a>(site: &'a Site, uri: &'a Uri) -> BoxFuture<'a, ShortcutResult> {
    Box::pin(async move {
        let Some(path) = PostPath::parse(uri.path()) else {
            return ShortcutResult::Render(Preloaded(None));
        };
        let read: Read = limits::in_time(show::read(site, &Actor::Anonymous, &path)).await;
        if let Ok(post) = &read
            && post.post.address() != uri.path()
        {
            return ShortcutResult::Moved(post.post.address());
        }
        if let Ok(post) = &read
            && let Some(frames) = frames(site).await
        {
            return ShortcutResult::Page(frames.page(post));
        }
        ShortcutResult::Render(Preloaded(Some(Arc::new(read))))
    })
}

async fn frames(site: &Site) -> Option<&PostFrames> {
    let Frames(frames) = site.part();
    let frames = frames.get_or_try_init(async || {
        let mut pages = [String::new(), String::new()];
        for (page, post) in pages.iter_mut().zip(PostFrames::placeholders().ok_or(())?) {
            let uri = post.post.address().parse().map_err(drop)?;
            let read: Read = Ok(Arc::new(post));
            let input = PageInput::of(uri, Caller::anonymous());
            let response =
                render(site, PageInput { preloaded: Preloaded(Some(Arc::new(read))), ..input }).await;
            if response.status() != StatusCode::OK {
                return Err(());
            }
            let body = to_bytes(response.into_body(), usize::MAX).await.map_err(drop)?;
            *page = String::from_utf8(body.into()).map_err(drop)?;
        }
        PostFrames::cut(&pages, preview::origin(site)).ok_or(())
    });
    frames.await.inspect_err(|()| tracing::error!("pages of posts cannot be put together")).ok()
}

/// A part of the page that is the post's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// What machines read, which has several of the others in it.
    LinkedData,
    Address,
    Title,
    Excerpt,
    Owner,
    /// The links of its tags.
    Tags,
    CreatedAt,
    CreatedOn,
    UpdatedAt,
    UpdatedOn,
    Html,
}

/// The pages around posts, of those that were edited and of those that were not.
#[derive(Debug)]
pub struct PostFrames {
    frames: [Frame<Part>; 2],
    /// What the addresses of the site begin with, if that is known.
    origin: Option<String>,
}

impl PostFrames {
    /// Posts to be rendered, for [`Self::cut`]; `None` if there is no such title any more.
    #[must_use]
    pub fn placeholders() -> Option<[RenderedPost; 2]> {
        let created_at = Timestamp::from_micros(1_000_001);
        let edited_at = Timestamp::from_micros(40 * 24 * 60 * 60 * 1_000_000 + 2);
        let post = |updated_at| {
            Some(RenderedPost {
                post: Summary {
                    id: PostId::parse("placeholder")?,
                    slug: Some(Slug::parse("placeholder-of-slug")?),
                    tags: [Tag::try_from("placeholder-of-tag".to_owned()).ok()?].into_iter().collect(),
                    title: Title::parse("placeholder-of-title").ok()?,
                    excerpt: "placeholder-of-excerpt".to_owned(),
                    owner: "placeholder-of-owner".to_owned(),
                    version: 1,
                    created_at,
                    updated_at,
                },
                html: "placeholder-of-html".to_owned(),
            })
        };
        Some([post(created_at)?, post(edited_at)?])
    }

    /// Cuts pages that hold [`Self::placeholders`].
    #[must_use]
    pub fn cut(pages: &[String; 2], origin: Option<String>) -> Option<Self> {
        let [fresh, edited] = Self::placeholders()?;
        let cut = |page, post| Self::cut_one(page, post, origin.as_deref());
        Some(Self { frames: [cut(&pages[0], &fresh)?, cut(&pages[1], &edited)?], origin })
    }

    fn cut_one(
        page: &str,
        RenderedPost { post, html }: &RenderedPost,
        origin: Option<&str>,
    ) -> Option<Frame<Part>> {
        let mut placeholders = vec![
            (linked_data(origin, post), Part::LinkedData),
            (post.title.to_string(), Part::Title),
            (post.excerpt.clone(), Part::Excerpt),
            (post.owner.clone(), Part::Owner),
            (post.created_at.rfc3339(), Part::CreatedAt),
            (post.created_at.day(), Part::CreatedOn),
            (tag_links(&post.tags), Part::Tags),
            (html.clone(), Part::Html),
        ];
        if origin.is_some() {
            placeholders.push((post.address(), Part::Address));
        }
        if post.is_edited() {
            placeholders.push((post.updated_at.rfc3339(), Part::UpdatedAt));
            placeholders.push((post.updated_at.day(), Part::UpdatedOn));
        }
        Frame::cut(page, &placeholders)
    }

    /// The page of a post.
    #[must_use]
    pub fn page(&self, RenderedPost { post, html }: &RenderedPost) -> String {
        let data = linked_data(self.origin.as_deref(), post);
        let (address, tags) = (post.address(), tag_links(&post.tags));
        let time = |at: Timestamp| (at.rfc3339(), at.day());
        let (created_at, created_on) = time(post.created_at);
        let (updated_at, updated_on) =
            if post.is_edited() { time(post.updated_at) } else { Default::default() };
        self.frames[usize::from(post.is_edited())].fill(|part| match part {
            Part::LinkedData => Filling::Html(&data),
            Part::Address => Filling::Text(&address),
            Part::Title => Filling::Text(post.title.as_str()),
            Part::Excerpt => Filling::Text(&post.excerpt),
            Part::Owner => Filling::Text(&post.owner),
            Part::CreatedAt => Filling::Text(&created_at),
            Part::CreatedOn => Filling::Text(&created_on),
            Part::UpdatedAt => Filling::Text(&updated_at),
            Part::UpdatedOn => Filling::Text(&updated_on),
            Part::Tags => Filling::Html(&tags),
            Part::Html => Filling::Html(html),
        })
    }
}
