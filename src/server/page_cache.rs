//! Pages of readers without a session: rendered once per change, compressed
//! once, served from memory.

use std::{
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

use super::{Site, answers::Shared, assets::Encoding, etag};
use crate::posts::{PageRequest, PostId};

/// Bytes of HTML kept at most.
const CAPACITY: u64 = 64 * 1024 * 1024;
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

/// Under which a page is kept: its address, and the counter of
/// [`super::events::changes::Changes`] read before it was rendered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    generation: u64,
    uri: String,
}

/// The pages.
#[derive(Debug)]
pub struct PageCache(Cache<Key, Arc<Rendered>>);

impl Default for PageCache {
    fn default() -> Self {
        let weight = |key: &Key, page: &Arc<Rendered>| {
            // The compressed twins are smaller than the page itself.
            u32::try_from(key.uri.len() + page.body.len() * 2).unwrap_or(u32::MAX)
        };
        Self(Cache::builder().max_capacity(CAPACITY).weigher(weight).build())
    }
}

impl Key {
    /// For pages that are the same for every reader; `None` for all others.
    #[must_use]
    pub fn of(site: &Site, uri: &Uri) -> Option<Self> {
        let generation = match (uri.path(), uri.query()) {
            ("/", None) => site.bus.changes.lists()?,
            ("/", Some(query)) => {
                let (name, cursor) = query.split_once('=')?;
                match name {
                    "older" => PageRequest::parse(Some(cursor), None),
                    "newer" => PageRequest::parse(None, Some(cursor)),
                    _ => return None,
                }
                .ok()?;
                site.bus.changes.lists()?
            }
            (path, None) => site.bus.changes.post(&PostId::parse(path.strip_prefix("/posts/")?)?)?,
            _ => return None,
        };
        Some(Self { generation, uri: uri.to_string() })
    }
}

impl PageCache {
    /// The page under `key`, if it is there.
    pub async fn ready(&self, key: &Key) -> Option<Arc<Rendered>> {
        self.0.get(key).await
    }

    /// The page under `key`, rendered now if it is not there. Readers who ask
    /// at the same time wait for one rendering. Failures are not kept.
    pub async fn get(&self, key: Key, render: impl Future<Output = Rendered>) -> Arc<Rendered> {
        let page = self.0.try_get_with(key, async {
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
