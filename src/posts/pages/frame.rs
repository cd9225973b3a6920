//! The page of a post for readers without a session. The page is rendered once, by the
//! same components as for everybody else, with placeholders for a post; then the
//! values of each post are inserted.

use std::sync::Arc;

use axum::{
    body::to_bytes,
    http::{StatusCode, Uri},
};
use futures::future::BoxFuture;
use tokio::sync::Mutex;

use super::{
    PostPath,
    ending::ending,
    parts::tag_links,
    preview::{self, linked_data},
    show::{self, PostToShow, Read},
};
use crate::{
    config::{SiteSettings, SiteTimeZone},
    credentials::{Actor, Caller},
    http::{
        frame::{Filling, Frame},
        limits,
        pages::{PageInput, Preloaded, ShortcutResult, render},
    },
    posts::{
        PostId, Slug, Summary, Tag, Title,
        domain::{
            ending::{Neighbours, PostInPlace},
            language::TextLanguage,
            rendered::RenderedPost,
        },
        images::PageImage,
    },
    site::Site,
    timestamp::Timestamp,
};

/// The frames of pages of posts, rendered at first use, and once more when the settings of
/// the site have changed. Everything else but the post has to stay the same while this
/// process runs.
#[derive(Debug, Default)]
pub struct Frames(Mutex<Option<Arc<PostFrames>>>);

/// A [`crate::http::pages::Shortcut`]: the page of a post, if the address names one that
/// exists.
pub fn shortcut<'a>(site: &'a Site, uri: &'a Uri) -> BoxFuture<'a, ShortcutResult> {
    Box::pin(async move {
        let Some(path) = PostPath::parse(uri.path()) else {
            return ShortcutResult::Render(Preloaded(None));
        };
        let read: Read = limits::in_time(show::read(site, &Actor::Anonymous, &path)).await;
        if let Ok(post) = &read
            && post.address() != uri.path()
        {
            return ShortcutResult::Moved(post.address());
        }
        if let Ok(post) = &read
            && let Some(frames) = frames(site).await
        {
            return ShortcutResult::Page(frames.page(post));
        }
        ShortcutResult::Render(Preloaded(Some(Arc::new(read))))
    })
}

async fn frames(site: &Site) -> Option<Arc<PostFrames>> {
    let Frames(kept) = site.part();
    let settings = site.settings();
    // While one renders them, others wait.
    let mut kept = kept.lock().await;
    if let Some(frames) = kept.as_ref().filter(|frames| Arc::ptr_eq(&frames.settings, &settings)) {
        return Some(Arc::clone(frames));
    }
    let frames = async {
        let mut pages = [String::new(), String::new()];
        for (page, post) in pages.iter_mut().zip(PostFrames::placeholders().ok_or(())?) {
            let uri = post.address().parse().map_err(drop)?;
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
        PostFrames::cut(&pages, preview::origin(site), settings).map(Arc::new).ok_or(())
    };
    *kept = frames.await.inspect_err(|()| tracing::error!("pages of posts cannot be put together")).ok();
    kept.clone()
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
    Author,
    /// The links of its tags.
    Tags,
    Created(Written),
    Updated(Written),
    ReadingTime,
    Language,
    Direction,
    Html,
    Ending,
    Image,
    ImageWidth,
    ImageHeight,
    ImageAlt,
}

/// A form in which a page has a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    ForPrograms,
    /// To the minute.
    Exactly,
    Day,
}

impl Written {
    /// The longer ones first, because one begins with another.
    const ALL: [Self; 3] = [Self::ForPrograms, Self::Exactly, Self::Day];

    fn of(self, at: Timestamp, zone: &SiteTimeZone) -> String {
        match self {
            Self::ForPrograms => at.rfc3339_millis(),
            Self::Exactly => zone.moment(at),
            Self::Day => zone.day(at),
        }
    }
}

/// The pages around posts, of those that were edited and of those that were not.
#[derive(Debug)]
pub struct PostFrames {
    frames: [Frame<Part>; 2],
    /// What the addresses of the site begin with, if that is known.
    origin: Option<String>,
    /// Those that the pages were rendered with.
    settings: Arc<SiteSettings>,
}

impl PostFrames {
    /// Posts to be rendered, for [`Self::cut`]; `None` if there is no such title any more.
    #[must_use]
    pub fn placeholders() -> Option<[PostToShow; 2]> {
        let created_at = Timestamp::from_micros(1_000_001);
        let edited_at = Timestamp::from_micros(40 * 24 * 60 * 60 * 1_000_000 + 2);
        let post = |updated_at| {
            let post = Summary {
                id: PostId::parse("placeholder")?,
                slug: Some(Slug::parse("placeholder-of-slug")?),
                language: None,
                tags: [Tag::try_from("placeholder-of-tag".to_owned()).ok()?].into_iter().collect(),
                title: Title::parse("placeholder-of-title").ok()?,
                excerpt: "placeholder-of-excerpt".to_owned(),
                owner: "placeholder-of-owner".to_owned(),
                author: "placeholder-of-author".to_owned(),
                version: if updated_at == created_at { 1 } else { 2 },
                created_at,
                updated_at,
            };
            let html = "placeholder-of-html".to_owned();
            let shown = RenderedPost { post, about: String::new(), html };
            Some(PostToShow {
                place: PostInPlace { shown, neighbours: Neighbours::default() },
                language: TextLanguage {
                    tag: "placeholder-of-language",
                    direction: "placeholder-of-direction",
                },
                reading_time: "placeholder-of-reading-time".to_owned(),
                image: PageImage {
                    path: "placeholder-of-image".to_owned(),
                    width: "placeholder-of-width".to_owned(),
                    height: "placeholder-of-height".to_owned(),
                    alt: "placeholder-of-alt".to_owned(),
                },
            })
        };
        Some([post(created_at)?, post(edited_at)?])
    }

    /// Cuts pages that hold [`Self::placeholders`].
    #[must_use]
    pub fn cut(pages: &[String; 2], origin: Option<String>, settings: Arc<SiteSettings>) -> Option<Self> {
        let [fresh, edited] = Self::placeholders()?;
        let cut = |page, post| Self::cut_one(page, post, origin.as_deref(), &settings);
        Some(Self { frames: [cut(&pages[0], &fresh)?, cut(&pages[1], &edited)?], origin, settings })
    }

    fn cut_one(
        page: &str,
        shown: &PostToShow,
        origin: Option<&str>,
        settings: &SiteSettings,
    ) -> Option<Frame<Part>> {
        let zone = &settings.time_zone;
        let PostToShow { place, language, reading_time, image } = shown;
        let RenderedPost { post, html, .. } = &place.shown;
        let mut placeholders = vec![
            (linked_data(origin, settings, post, image), Part::LinkedData),
            (ending(origin, place), Part::Ending),
            (post.title.to_string(), Part::Title),
            (post.excerpt.clone(), Part::Excerpt),
            // Before the owner, whose name is in it.
            (post.address(), Part::Address),
            (post.owner.clone(), Part::Owner),
            (post.author.clone(), Part::Author),
            (tag_links(&post.tags), Part::Tags),
            (reading_time.clone(), Part::ReadingTime),
            (language.tag.to_owned(), Part::Language),
            (language.direction.to_owned(), Part::Direction),
            (html.clone(), Part::Html),
        ];
        placeholders.extend(Written::ALL.map(|form| (form.of(post.created_at, zone), Part::Created(form))));
        if origin.is_some() {
            placeholders.extend([
                (image.path.clone(), Part::Image),
                (image.width.clone(), Part::ImageWidth),
                (image.height.clone(), Part::ImageHeight),
                (image.alt.clone(), Part::ImageAlt),
            ]);
        }
        if post.is_edited() {
            placeholders
                .extend(Written::ALL.map(|form| (form.of(post.updated_at, zone), Part::Updated(form))));
        }
        Frame::cut(page, &placeholders)
    }

    /// The page of a post.
    #[must_use]
    pub fn page(&self, PostToShow { place, language, reading_time, image }: &PostToShow) -> String {
        let RenderedPost { post, html, .. } = &place.shown;
        let ending = ending(self.origin.as_deref(), place);
        let data = linked_data(self.origin.as_deref(), &self.settings, post, image);
        let (address, tags) = (post.address(), tag_links(&post.tags));
        let forms = |at: Timestamp| Written::ALL.map(|form| form.of(at, &self.settings.time_zone));
        let (created, updated) = (forms(post.created_at), forms(post.updated_at));
        self.frames[usize::from(post.is_edited())].fill(|part| match part {
            Part::LinkedData => Filling::Html(&data),
            Part::Address => Filling::Text(&address),
            Part::Title => Filling::Text(post.title.as_str()),
            Part::Excerpt => Filling::Text(&post.excerpt),
            Part::Owner => Filling::Text(&post.owner),
            Part::Author => Filling::Text(&post.author),
            Part::Tags => Filling::Html(&tags),
            Part::Created(form) => Filling::Text(&created[form as usize]),
            Part::Updated(form) => Filling::Text(&updated[form as usize]),
            Part::ReadingTime => Filling::Text(reading_time),
            Part::Language => Filling::Text(language.tag),
            Part::Direction => Filling::Text(language.direction),
            Part::Html => Filling::Html(html),
            Part::Ending => Filling::Html(&ending),
            Part::Image => Filling::Text(&image.path),
            Part::ImageWidth => Filling::Text(&image.width),
            Part::ImageHeight => Filling::Text(&image.height),
            Part::ImageAlt => Filling::Text(&image.alt),
        })
    }
}
