//! Pages of readers without a session, and feeds: made once per change, compressed
//! once, served from memory.

use axum::{
    http::{HeaderMap, Uri},
    response::Response,
};

use futures::future::BoxFuture;

use super::shared_answers::{self, CacheCounts, CachePolicy, Keep, SharedAnswer, SharedAnswers};
use crate::{config::PageMemory, error::AppError, site::Site};

/// Everyone may store a page, but has to revalidate it before each use.
const CACHE_POLICY: CachePolicy = CachePolicy {
    content_type: "text/html; charset=utf-8",
    cache_control: "public, no-cache",
    vary: Some("accept-encoding, cookie"),
    revalidated: true,
    dated: false,
    unbounded: false,
};

/// The address of a page without what is not its own.
pub type Key = shared_answers::Key<String>;

#[derive(Debug)]
pub struct PageCache {
    /// The first page of the list, and posts.
    main_pages: SharedAnswers<String>,
    /// Lists that begin at a cursor, and pieces of the map of the site. Strangers can
    /// invent cursors, so these only displace each other.
    cursor_lists: SharedAnswers<String>,
    /// Feeds and the index of the map of the site. They are long, and crawlers ask for all of them, so
    /// they only displace each other.
    feeds: SharedAnswers<String>,
}

impl PageCache {
    /// Pages in so much memory.
    #[must_use]
    pub fn new(memory: PageMemory) -> Self {
        let pages = |capacity| SharedAnswers::new(capacity, String::len);
        Self {
            main_pages: pages(memory.main_pages()),
            cursor_lists: pages(memory.cursor_lists()),
            feeds: pages(memory.feeds()),
        }
    }
}

/// Names the page at an address if it is the same for every reader. The
/// features implement it; see [`crate::start`].
#[derive(Clone, Copy, Debug)]
pub struct PageKeys {
    /// From memory alone.
    pub known: fn(&Site, &Uri) -> Option<Key>,
    /// For what is not in memory: by a query, if need be.
    pub find: for<'a> fn(&'a Site, &'a Uri) -> BoxFuture<'a, Option<Key>>,
}

/// Tells the caches of this process that something has changed which many pages show, such
/// as the name of an author or of the site. The features above implement it; see
/// [`crate::start`].
#[derive(Clone, Copy, Debug)]
pub struct PagesChanged(pub fn(&Site));

/// The key of a page that is the same for every reader; `None` for all others.
#[must_use]
pub fn known_key(site: &Site, uri: &Uri) -> Option<Key> {
    let PageKeys { known, .. } = site.part();
    known(site, uri)
}

/// [`known_key`], of a page that is not in memory.
pub async fn find_key(site: &Site, uri: &Uri) -> Option<Key> {
    let PageKeys { find, .. } = site.part();
    find(site, uri).await
}

impl Site {
    /// No page that is cached is current any more.
    pub fn pages_changed(&self) {
        let PagesChanged(changed) = self.part();
        changed(self);
    }

    /// Ready-made pages for readers without a session.
    #[must_use]
    pub fn pages(&self) -> &PageCache {
        self.part()
    }
}

impl PageCache {
    /// The cached page under `key`, as the answer to `request`.
    pub async fn ready(&self, key: &Key, request: &HeaderMap) -> Option<Response> {
        Some(self.of(key).ready(key).await?.respond(request, &CACHE_POLICY))
    }

    /// The page with this key, rendered now if it is not cached, as the answer to
    /// `request`. Requests at the same time share one rendering.
    pub async fn get(
        &self,
        key: Key,
        request: &HeaderMap,
        render: impl Future<Output = SharedAnswer>,
    ) -> Response {
        self.of(&key).get_or_make(key, render).await.respond(request, &CACHE_POLICY)
    }

    /// What is no page but the same for everyone as well, made now if it is not cached;
    /// without a key, made for this request alone.
    ///
    /// # Errors
    /// Those of `make`, which are not cached.
    pub async fn get_feed(
        &self,
        key: Option<Key>,
        request: &HeaderMap,
        policy: &CachePolicy,
        make: impl Future<Output = Result<(SharedAnswer, Keep), AppError>>,
    ) -> Result<Response, AppError> {
        Ok(match key {
            Some(key) => {
                let answers = if is_invented(&key) { &self.cursor_lists } else { &self.feeds };
                answers.get_or_fail(key, make).await?.respond(request, policy)
            }
            None => make.await?.0.respond(request, policy),
        })
    }

    /// What each kind was worth so far, by its name.
    #[must_use]
    pub fn counts(&self) -> [(&'static str, CacheCounts); 3] {
        [
            ("pages", self.main_pages.counts()),
            ("lists", self.cursor_lists.counts()),
            ("feeds", self.feeds.counts()),
        ]
    }

    fn of(&self, key: &Key) -> &SharedAnswers<String> {
        if is_invented(key) { &self.cursor_lists } else { &self.main_pages }
    }
}

/// Whether a stranger can make up names of that kind: they have a cursor.
fn is_invented(key: &Key) -> bool {
    key.name.contains('?')
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;

    #[tokio::test]
    async fn lists_from_invented_cursors_do_not_displace_the_other_pages() {
        let memory = PageMemory::of_mib(16);
        let cache = PageCache::new(memory);
        let page = |length| async move { SharedAnswer::new(StatusCode::OK, "x".repeat(length).into()) };
        let (key, asked) = (|name: String| Key { generation: 0, name }, HeaderMap::new());
        let main_page = key("/posts/one".to_owned());
        cache.get(main_page.clone(), &asked, page(10_000)).await;
        for number in 0..1_000 {
            cache.get(key(format!("/?older={number}_x")), &asked, page(10_000)).await;
        }
        let (bytes, _) = cache.cursor_lists.size().await;
        assert!(bytes <= memory.cursor_lists(), "{bytes}");
        assert!(cache.ready(&main_page, &asked).await.is_some());
        assert_eq!(cache.main_pages.size().await.1, 1);

        let feed = async |name: String| {
            let made = async { Ok((page(10_000).await, Keep::UntilChanged)) };
            cache.get_feed(Some(key(name)), &asked, &CACHE_POLICY, made).await.expect("an answer");
        };
        feed("/feed.atom".to_owned()).await;
        for number in 0..1_000 {
            feed(format!("/sitemap.xml?from={number}_x")).await;
        }
        assert_eq!(cache.feeds.size().await.1, 1);
        assert!(cache.cursor_lists.size().await.0 <= memory.cursor_lists());
    }
}
