//! Pages of readers without a session: rendered once per change, compressed
//! once, served from memory.

use std::{
    borrow::Cow,
    io::Write,
    sync::{Arc, OnceLock},
};

use axum::{
    body::{Body, Bytes},
    http::{
        HeaderMap, HeaderValue, StatusCode, Uri,
        header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, RETRY_AFTER, VARY},
    },
    response::Response,
};
use moka::future::Cache;
use url::form_urlencoded;

use super::{answers::Shared, assets::Encoding, etag};
use crate::{
    posts::{PageRequest, PostId},
    site::Site,
};

/// Bytes of HTML kept at most.
const CAPACITY: u64 = 56 * 1024 * 1024;
/// Bytes of HTML kept at most of lists that begin at a cursor.
const FURTHER_CAPACITY: u64 = 8 * 1024 * 1024;
/// Brotli's window for pages of some 20 kB; quality 5 costs about a millisecond.
const BROTLI_QUALITY: u32 = 5;
const BROTLI_WINDOW: u32 = 19;

/// A page as it goes out.
#[derive(Debug)]
pub struct Rendered {
    status: StatusCode,
    retry_after: Option<HeaderValue>,
    body: Bytes,
    etag: HeaderValue,
    brotli: OnceLock<Bytes>,
    gzip: OnceLock<Bytes>,
}

/// Under which a page is kept: its address without what is not its own, and
/// the counter of [`crate::posts::events::changes::Changes`] read before it was
/// rendered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    generation: u64,
    uri: String,
}

/// The pages.
#[derive(Debug)]
pub struct PageCache {
    /// The first page of the list, and posts.
    entrances: Cache<Key, Arc<Rendered>>,
    /// The list from a cursor on. Of these a stranger can name as many as they
    /// like; they take the place of each other alone.
    further: Cache<Key, Arc<Rendered>>,
}

impl Default for PageCache {
    fn default() -> Self {
        let weight = |key: &Key, page: &Arc<Rendered>| {
            // The compressed twins are smaller than the page itself.
            u32::try_from(key.uri.len() + page.body.len() * 2).unwrap_or(u32::MAX)
        };
        let cache = |capacity| Cache::builder().max_capacity(capacity).weigher(weight).build();
        Self { entrances: cache(CAPACITY), further: cache(FURTHER_CAPACITY) }
    }
}

impl Key {
    /// For pages that are the same for every reader; `None` for all others.
    /// Parameters that are not the page's own, as advertisers and social
    /// networks append them, name no other page.
    #[must_use]
    pub fn of(site: &Site, uri: &Uri) -> Option<Self> {
        let (generation, uri) = match uri.path() {
            "/" => {
                let list = match page_request(uri.query().unwrap_or_default())? {
                    PageRequest::First => "/".to_owned(),
                    PageRequest::OlderThan(cursor) => format!("/?older={cursor}"),
                    PageRequest::NewerThan(cursor) => format!("/?newer={cursor}"),
                };
                (site.bus().changes.lists()?, list)
            }
            path => {
                let post = PostId::parse(path.strip_prefix("/posts/")?)?;
                (site.bus().changes.post(&post)?, path.to_owned())
            }
        };
        Some(Self { generation, uri })
    }

    /// The page's address without what is not its own.
    #[must_use]
    pub fn uri(&self) -> Uri {
        self.uri.parse().unwrap_or_default()
    }
}

/// The page of the list that a query names by its last `older` and `newer`, as the router reads it;
/// `None` where that is none.
fn page_request(query: &str) -> Option<PageRequest> {
    let parameter =
        |wanted| form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == wanted).last();
    let (older, newer) = (parameter("older"), parameter("newer"));
    let cursor = |found: &Option<(_, Cow<'_, str>)>| found.as_ref().map(|(_, value)| value.to_string());
    PageRequest::parse(cursor(&older).as_deref(), cursor(&newer).as_deref()).ok()
}

impl Site {
    /// Ready-made pages for readers without a session.
    #[must_use]
    pub fn pages(&self) -> &PageCache {
        self.part()
    }
}

impl PageCache {
    /// The page under `key`, if it is there.
    pub async fn ready(&self, key: &Key) -> Option<Arc<Rendered>> {
        self.of(key).get(key).await
    }

    fn of(&self, key: &Key) -> &Cache<Key, Arc<Rendered>> {
        if key.uri.contains('?') { &self.further } else { &self.entrances }
    }

    /// The page under `key`, rendered now if it is not there. Readers who ask
    /// at the same time wait for one rendering. Failures are not kept.
    pub async fn get(&self, key: Key, render: impl Future<Output = Rendered>) -> Arc<Rendered> {
        let page = self.of(&key).try_get_with(key, async {
            let page = Arc::new(render.await);
            if page.may_be_kept() { Ok(page) } else { Err(page) }
        });
        page.await.unwrap_or_else(|failed: Arc<Arc<Rendered>>| Arc::clone(&failed))
    }
}

impl Rendered {
    /// A page of HTML, and when to come again if it is a failure.
    #[must_use]
    pub fn new(status: StatusCode, retry_after: Option<HeaderValue>, body: Bytes) -> Self {
        let etag = etag::of(&body);
        Self { status, retry_after, body, etag, brotli: OnceLock::new(), gzip: OnceLock::new() }
    }

    /// A failure is over at the next try.
    fn may_be_kept(&self) -> bool {
        self.status.is_success() || self.status == StatusCode::NOT_FOUND
    }

    /// The answer to a reader without a session. Everyone may keep it, but
    /// asks every time whether it still holds.
    #[must_use]
    pub fn respond(&self, request: &HeaderMap) -> Response {
        let mut response = Response::new(Body::empty());
        if self.may_be_kept() {
            response.extensions_mut().insert(Shared);
        }
        let headers = response.headers_mut();
        headers.insert(VARY, HeaderValue::from_static("accept-encoding, cookie"));
        if self.may_be_kept() {
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, no-cache"));
            headers.insert(ETAG, self.etag.clone());
        } else {
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        if let Some(seconds) = &self.retry_after {
            headers.insert(RETRY_AFTER, seconds.clone());
        }
        if self.status == StatusCode::OK && etag::is_known(request, &self.etag) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        let body = match Encoding::accepted(request).first() {
            Some(encoding) => {
                headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding.name()));
                self.encoded(*encoding)
            }
            None => self.body.clone(),
        };
        *response.status_mut() = self.status;
        *response.body_mut() = Body::from(body);
        response
    }

    fn encoded(&self, encoding: Encoding) -> Bytes {
        let twin = match encoding {
            Encoding::Brotli => &self.brotli,
            Encoding::Gzip => &self.gzip,
        };
        twin.get_or_init(|| compress(&self.body, encoding)).clone()
    }
}

/// Writing to memory does not fail.
fn compress(body: &[u8], encoding: Encoding) -> Bytes {
    let mut out = Vec::with_capacity(body.len() / 3);
    match encoding {
        Encoding::Brotli => {
            let mut writer = brotli::CompressorWriter::new(&mut out, 4096, BROTLI_QUALITY, BROTLI_WINDOW);
            let _ = writer.write_all(body);
        }
        Encoding::Gzip => {
            let mut writer = flate2::write::GzEncoder::new(&mut out, flate2::Compression::new(6));
            let _ = writer.write_all(body);
            let _ = writer.finish();
        }
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[tokio::test]
    async fn lists_from_cursors_that_strangers_make_up_leave_the_other_pages_where_they_are() {
        let cache = PageCache::default();
        let page = |length| async move { Rendered::new(StatusCode::OK, None, "x".repeat(length).into()) };
        let key = |uri: String| Key { generation: 0, uri };
        let entrance = key("/posts/one".to_owned());
        cache.get(entrance.clone(), page(10_000)).await;
        for number in 0..1_000 {
            cache.get(key(format!("/?older={number}_x")), page(10_000)).await;
        }
        cache.further.run_pending_tasks().await;
        assert!(cache.further.weighted_size() <= FURTHER_CAPACITY, "{}", cache.further.weighted_size());
        assert!(cache.ready(&entrance).await.is_some());
        cache.entrances.run_pending_tasks().await;
        assert_eq!(cache.entrances.entry_count(), 1);
    }

    #[test]
    fn a_list_is_named_by_its_own_parameters_alone() {
        let cursor = "1_a".parse().unwrap();
        assert_eq!(page_request("utm_source=x&older=1_a&fbclid"), Some(PageRequest::OlderThan(cursor)));
        for first in ["", "&", "utm_source=x", "Older=1_a", "a&a&a=", "=older"] {
            assert_eq!(page_request(first), Some(PageRequest::First), "{first:?}");
        }
        for none in ["older=", "older=1_a&newer=1_a", "older=x", "older=1_a&older=x"] {
            assert_eq!(page_request(none), None, "{none:?}");
        }
    }

    #[test]
    fn the_twins_unpack_to_the_page() {
        let body = "<p>Hello</p>".repeat(500);
        let mut unpacked = String::new();
        let brotli = compress(body.as_bytes(), Encoding::Brotli);
        brotli::Decompressor::new(&brotli[..], 4096).read_to_string(&mut unpacked).unwrap();
        assert_eq!(unpacked, body);
        unpacked.clear();
        let gzip = compress(body.as_bytes(), Encoding::Gzip);
        flate2::read::GzDecoder::new(&gzip[..]).read_to_string(&mut unpacked).unwrap();
        assert_eq!(unpacked, body);
    }
}
