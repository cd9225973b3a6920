//! Pages of readers without a session: rendered once per change, compressed
//! once, served from memory.

use axum::{
    http::{HeaderMap, Uri},
    response::Response,
};

use super::shared_answers::{self, SharedAnswer, SharedAnswers, Terms};
use crate::{config::PageMemory, site::Site};

/// Everyone may store a page, but has to revalidate it before each use.
const TERMS: Terms = Terms {
    content_type: "text/html; charset=utf-8",
    cache_control: "public, no-cache",
    vary: Some("accept-encoding, cookie"),
    revalidated: true,
    made_up: false,
};

/// The address of a page without what is not its own.
pub type Key = shared_answers::Key<String>;

#[derive(Debug)]
pub struct PageCache {
    /// The first page of the list, and posts.
    entrances: SharedAnswers<String>,
    /// Lists from a cursor on. A stranger can name any number of them; they
    /// only displace each other.
    further: SharedAnswers<String>,
}

impl PageCache {
    /// Pages in so much memory.
    #[must_use]
    pub fn new(memory: PageMemory) -> Self {
        let pages = |capacity| SharedAnswers::new(capacity, String::len);
        Self { entrances: pages(memory.entrances()), further: pages(memory.further_lists()) }
    }
}

/// Names the page at an address if it is the same for every reader. The
/// features know; see [`crate::start`].
#[derive(Clone, Copy, Debug)]
pub struct PageKeys(pub fn(&Site, &Uri) -> Option<Key>);

/// The key of a page that is the same for every reader; `None` for all others.
#[must_use]
pub fn key(site: &Site, uri: &Uri) -> Option<Key> {
    let PageKeys(key) = site.part();
    key(site, uri)
}

impl Site {
    /// Ready-made pages for readers without a session.
    #[must_use]
    pub fn pages(&self) -> &PageCache {
        self.part()
    }
}

impl PageCache {
    /// The cached page under `key`, as the answer to `request`.
    pub async fn ready(&self, key: &Key, request: &HeaderMap) -> Option<Response> {
        Some(self.of(key).ready(key).await?.respond(request, &TERMS))
    }

    /// The page under `key`, rendered now if it is not there, as the answer to
    /// `request`. Readers who ask at the same time wait for one rendering.
    pub async fn get(
        &self,
        key: Key,
        request: &HeaderMap,
        render: impl Future<Output = SharedAnswer>,
    ) -> Response {
        self.of(&key).get_or_make(key, render).await.respond(request, &TERMS)
    }

    fn of(&self, key: &Key) -> &SharedAnswers<String> {
        if key.name.contains('?') { &self.further } else { &self.entrances }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;

    #[tokio::test]
    async fn lists_from_cursors_that_strangers_make_up_leave_the_other_pages_where_they_are() {
        let memory = PageMemory::of_mib(16);
        let cache = PageCache::new(memory);
        let page = |length| async move { SharedAnswer::new(StatusCode::OK, "x".repeat(length).into()) };
        let (key, asked) = (|name: String| Key { generation: 0, name }, HeaderMap::new());
        let entrance = key("/posts/one".to_owned());
        cache.get(entrance.clone(), &asked, page(10_000)).await;
        for number in 0..1_000 {
            cache.get(key(format!("/?older={number}_x")), &asked, page(10_000)).await;
        }
        let (further, _) = cache.further.size().await;
        assert!(further <= memory.further_lists(), "{further}");
        assert!(cache.ready(&entrance, &asked).await.is_some());
        assert_eq!(cache.entrances.size().await.1, 1);
    }
}
