//! Answers that are the same for everyone who may have them: made once per
//! change, compressed once, sent from memory.
//!
//! Nothing has to be removed. The key of an answer contains the counter of
//! [`Changes`](crate::posts::events::changes::Changes) that was read *before*
//! the answer was made. So after a change no older answer is found, even one that
//! took long to make.

use std::{
    fmt,
    hash::Hash,
    io::Write,
    pin::pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH,
            LAST_MODIFIED, LOCATION, RETRY_AFTER, VARY,
        },
    },
    response::Response,
};
use moka::future::Cache;

use super::{answers::Shared, assets::Encoding, etag};
use crate::{clock, error::AppError, timestamp::Timestamp};

/// Brotli's window for answers of some 20 kB; quality 5 costs about a millisecond.
const BROTLI_QUALITY: u32 = 5;
const BROTLI_WINDOW: u32 = 19;
/// Bytes of an answer that is not worth compressing: one packet takes it anyway.
const SMALL: usize = 1024;
/// Answers of this size take long to compress. They are not compressed if programs
/// can ask for any number of different ones.
const LARGE: usize = 256 * 1024;
/// Bytes of an entry besides its body and its name.
const ENTRY_BYTES: usize = 512;
/// The number of headers of an answer, including those of all layers. Reserving
/// them at once saves two reallocations of the map.
const HEADERS: usize = 20;
/// How long a request waits for an answer that another request is making. The
/// other request may have to wait for a turn of its own client.
const MAX_WAIT: Duration = Duration::from_millis(100);

/// An answer, ready to be sent.
pub struct SharedAnswer {
    status: StatusCode,
    retry_after: Option<HeaderValue>,
    location: Option<HeaderValue>,
    body: Bytes,
    made_at: Timestamp,
    /// Whether it has been sent before.
    is_repeated: AtomicBool,
    etag: OnceLock<HeaderValue>,
    brotli: OnceLock<Bytes>,
    gzip: OnceLock<Bytes>,
}

/// The headers that say how an answer may be kept.
#[derive(Clone, Copy, Debug)]
pub struct CachePolicy {
    /// `Content-Type`.
    pub content_type: &'static str,
    /// `Cache-Control` of what succeeded.
    pub cache_control: &'static str,
    /// `Vary`, where it is not set elsewhere.
    pub vary: Option<&'static str>,
    /// Whether clients may revalidate an answer that they have (`ETag`).
    pub revalidated: bool,
    /// Whether they may do so by its time as well (`Last-Modified`).
    pub dated: bool,
    /// Whether clients can ask for any number of different answers. If so, each
    /// counts as memory until its client has read it. It is compressed at the
    /// second request, if it is not too large.
    pub unbounded: bool,
}

/// The key of a cached answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key<N> {
    /// The counter of [`Changes`](crate::posts::events::changes::Changes), read before the answer is made.
    pub generation: u64,
    /// Names the request.
    pub name: N,
}

/// Answers of one kind, with memory of their own.
pub struct SharedAnswers<N> {
    cache: Cache<Key<N>, Arc<SharedAnswer>>,
    hits: AtomicU64,
    misses: AtomicU64,
}

/// What a cache is worth, for whoever watches the site.
#[derive(Clone, Copy, Debug)]
pub struct CacheCounts {
    /// Requests that were answered from memory since the start of the process.
    pub hits: u64,
    /// Answers that had to be made.
    pub misses: u64,
    /// Bytes that are held, as the cache last counted them.
    pub bytes: u64,
}

/// How long an answer of [`SharedAnswers::get_or_fail`] stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    UntilChanged,
    /// It is for the requests that wait for it now.
    Never,
}

/// The result of [`SharedAnswers::get_or_try_make`].
#[derive(Debug)]
pub enum MaybeShared<T> {
    /// It is in the cache.
    Shared(Arc<SharedAnswer>),
    /// It is for this request alone.
    Own(T),
}

impl<N: Clone + Eq + Hash + Send + Sync + 'static> SharedAnswers<N> {
    /// A cache of `capacity` bytes; `name_bytes` is the size of a name.
    #[must_use]
    pub fn new(capacity: u64, name_bytes: fn(&N) -> usize) -> Self {
        let weight = move |key: &Key<N>, answer: &Arc<SharedAnswer>| {
            // The compressed twins are smaller than the body itself.
            let bytes = ENTRY_BYTES + name_bytes(&key.name) + answer.body.len() * 2;
            u32::try_from(bytes).unwrap_or(u32::MAX)
        };
        let cache = Cache::builder().max_capacity(capacity).weigher(weight).build();
        Self { cache, hits: AtomicU64::new(0), misses: AtomicU64::new(0) }
    }

    /// The answer with this key, if it is cached.
    pub async fn ready(&self, key: &Key<N>) -> Option<Arc<SharedAnswer>> {
        let ready = self.cache.get(key).await;
        if ready.is_some() {
            self.hits.fetch_add(1, Ordering::Relaxed);
        }
        ready
    }

    /// An answer was made, because it was not cached.
    fn missed(&self) {
        self.misses.fetch_add(1, Ordering::Relaxed);
    }

    /// What it was worth so far.
    #[must_use]
    pub fn counts(&self) -> CacheCounts {
        CacheCounts {
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            bytes: self.cache.weighted_size(),
        }
    }

    /// The answer with this key, made now if it is not cached. Requests at the
    /// same time share one answer, also a failure, which is not cached.
    pub async fn get_or_make(
        &self,
        key: Key<N>,
        make: impl Future<Output = SharedAnswer>,
    ) -> Arc<SharedAnswer> {
        let answer = self.cache.try_get_with(key, async {
            self.missed();
            let answer = Arc::new(make.await);
            if answer.is_cacheable() { Ok(answer) } else { Err(answer) }
        });
        answer.await.unwrap_or_else(|failed: Arc<Arc<SharedAnswer>>| Arc::clone(&failed))
    }

    /// Like [`Self::get_or_make`], if `make` may fail, or makes what the counter does not
    /// stand for: it says whether the answer is kept.
    pub async fn get_or_fail(
        &self,
        key: Key<N>,
        make: impl Future<Output = Result<(SharedAnswer, Keep), AppError>>,
    ) -> Result<Arc<SharedAnswer>, AppError> {
        let made = self.cache.try_get_with(key, async {
            self.missed();
            match make.await {
                Ok((answer, Keep::UntilChanged)) => Ok(Arc::new(answer)),
                Ok((answer, Keep::Never)) => Err(Ok(Arc::new(answer))),
                Err(error) => Err(Err(error)),
            }
        });
        made.await.or_else(|unkept: Arc<Result<Arc<SharedAnswer>, AppError>>| (*unkept).clone())
    }

    /// Like [`Self::get_or_make`], if `make` may fail for reasons of its client.
    /// No request shares the failure of another, or waits long for another's turn.
    pub async fn get_or_try_make<T>(
        &self,
        key: Key<N>,
        make: impl Future<Output = T>,
        share: impl Fn(&T) -> Option<SharedAnswer>,
    ) -> MaybeShared<T> {
        let mut make = pin!(make);
        let leads = AtomicBool::new(false);
        let mut own = None;
        let shared = {
            let flight = self.cache.try_get_with_by_ref(&key, async {
                self.missed();
                leads.store(true, Ordering::Relaxed);
                let made = make.as_mut().await;
                let shared = share(&made).map(Arc::new);
                own = Some(made);
                shared.ok_or(())
            });
            let impatience = async {
                tokio::time::sleep(MAX_WAIT).await;
                if leads.load(Ordering::Relaxed) {
                    std::future::pending::<()>().await;
                }
            };
            tokio::select! {
                biased;
                shared = flight => shared.ok(),
                () = impatience => None,
            }
        };
        match (shared, own) {
            (Some(shared), _) => MaybeShared::Shared(shared),
            (None, Some(own)) => MaybeShared::Own(own),
            (None, None) => {
                self.missed();
                let own = make.await;
                match share(&own).map(Arc::new) {
                    Some(shared) => {
                        self.cache.insert(key, Arc::clone(&shared)).await;
                        MaybeShared::Shared(shared)
                    }
                    None => MaybeShared::Own(own),
                }
            }
        }
    }

    /// The bytes and the number of all answers.
    #[cfg(test)]
    pub async fn size(&self) -> (u64, u64) {
        self.cache.run_pending_tasks().await;
        (self.cache.weighted_size(), self.cache.entry_count())
    }
}

impl<N> fmt::Debug for SharedAnswers<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedAnswers").finish_non_exhaustive()
    }
}

impl SharedAnswer {
    /// An answer with status 200 or 404.
    #[must_use]
    pub fn new(status: StatusCode, body: Bytes) -> Self {
        let (etag, brotli, gzip) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        let is_repeated = AtomicBool::new(false);
        let made_at = clock::now();
        Self { status, retry_after: None, location: None, body, made_at, is_repeated, etag, brotli, gzip }
    }

    /// The answer with `Retry-After`, for a failure.
    #[must_use]
    pub fn retry_after(self, retry_after: Option<HeaderValue>) -> Self {
        Self { retry_after, ..self }
    }

    /// A redirect to a path of this site that holds for ever (RFC 9110, 15.4.9).
    #[must_use]
    pub fn moved(path: &str) -> Self {
        let location = HeaderValue::from_str(path).ok();
        Self { location, ..Self::new(StatusCode::PERMANENT_REDIRECT, Bytes::new()) }
    }

    /// A failure is not cached, because the next attempt may succeed.
    fn is_cacheable(&self) -> bool {
        self.status.is_success()
            || matches!(self.status, StatusCode::NOT_FOUND | StatusCode::PERMANENT_REDIRECT)
    }

    /// The answer to a request with these headers.
    #[must_use]
    pub fn respond(&self, request: &HeaderMap, policy: &CachePolicy) -> Response {
        let is_cacheable = self.is_cacheable();
        let mut response = Response::new(Body::empty());
        if is_cacheable && !policy.unbounded {
            response.extensions_mut().insert(Shared);
        }
        let headers = response.headers_mut();
        headers.reserve(HEADERS);
        if let Some(vary) = policy.vary {
            headers.insert(VARY, HeaderValue::from_static(vary));
        }
        let cache_control = if is_cacheable { policy.cache_control } else { "no-store" };
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache_control));
        if let Some(location) = &self.location {
            headers.insert(LOCATION, location.clone());
        }
        if let Some(seconds) = &self.retry_after {
            headers.insert(RETRY_AFTER, seconds.clone());
        }
        if is_cacheable && policy.revalidated {
            let etag = self.etag.get_or_init(|| etag::of(&self.body));
            headers.insert(ETAG, etag.clone());
            let date = if policy.dated { self.last_modified(clock::now()) } else { None };
            if let Some(date) = &date {
                headers.insert(LAST_MODIFIED, date.clone());
            }
            // A tag counts alone (RFC 9110, 13.1.3). The time has to be the same and not only
            // later: what another process made later may be older.
            let is_known = if request.contains_key(IF_NONE_MATCH) {
                etag::is_known(request, etag)
            } else {
                date.is_some() && request.get(IF_MODIFIED_SINCE) == date.as_ref()
            };
            if self.status == StatusCode::OK && is_known {
                *response.status_mut() = StatusCode::NOT_MODIFIED;
                return response;
            }
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(policy.content_type));
        let body = match self.encoding(request, policy) {
            Some(encoding) => {
                headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding.name()));
                self.encoded(encoding)
            }
            None => self.body.clone(),
        };
        *response.status_mut() = self.status;
        *response.body_mut() = Body::from(body);
        response
    }

    /// When it was made, once that second is over. Before, the next answer could have the
    /// same time, and clients would take it for this one (RFC 9110, 8.8.2.2).
    fn last_modified(&self, now: Timestamp) -> Option<HeaderValue> {
        let second = |at: Timestamp| at.micros().div_euclid(1_000_000);
        if second(now) <= second(self.made_at) {
            return None;
        }
        HeaderValue::from_str(&self.made_at.http_date()).ok()
    }

    fn encoding(&self, request: &HeaderMap, policy: &CachePolicy) -> Option<Encoding> {
        let repeated = self.is_repeated.swap(true, Ordering::Relaxed);
        let worth_it = match policy.unbounded {
            true => repeated && (SMALL..LARGE).contains(&self.body.len()),
            false => self.body.len() >= SMALL,
        };
        if worth_it { Encoding::accepted(request).first().copied() } else { None }
    }

    fn encoded(&self, encoding: Encoding) -> Bytes {
        let twin = match encoding {
            Encoding::Brotli => &self.brotli,
            Encoding::Gzip => &self.gzip,
        };
        twin.get_or_init(|| compress(&self.body, encoding)).clone()
    }
}

impl fmt::Debug for SharedAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedAnswer").field("status", &self.status).finish_non_exhaustive()
    }
}

/// Compresses a body. Writing to memory does not fail.
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
    fn the_compressed_forms_unpack_to_the_answer() {
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

    fn of(text: &str) -> SharedAnswer {
        SharedAnswer::new(StatusCode::OK, text.to_owned().into())
    }

    fn answers() -> SharedAnswers<u8> {
        SharedAnswers::new(1 << 20, |_| 1)
    }

    const KEY: Key<u8> = Key { generation: 0, name: 0 };

    #[tokio::test(start_paused = true)]
    async fn requests_for_the_same_at_once_share_one_answer() {
        let (answers, made) = (answers(), AtomicBool::new(false));
        let ask = || {
            answers.get_or_try_make(
                KEY,
                async {
                    tokio::task::yield_now().await;
                    assert!(!made.swap(true, Ordering::Relaxed), "it is made once");
                },
                |()| Some(of("made")),
            )
        };
        for made in futures::future::join_all([ask(), ask(), ask()]).await {
            assert!(matches!(made, MaybeShared::Shared(answer) if answer.body == "made"));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_shares_a_failure_or_waits_long_for_a_turn_of_another() {
        let answers = answers();
        let slow = answers.get_or_try_make(KEY, tokio::time::sleep(MAX_WAIT * 20), |()| None);
        let quick = async {
            tokio::task::yield_now().await;
            let begun = tokio::time::Instant::now();
            let made = answers.get_or_try_make(KEY, async {}, |()| Some(of("quick"))).await;
            (made, begun.elapsed())
        };
        let (slow, (quick, waited)) = futures::join!(slow, quick);
        assert!(matches!(slow, MaybeShared::Own(())), "its failure is its own");
        assert!(matches!(quick, MaybeShared::Shared(answer) if answer.body == "quick"));
        assert!(waited >= MAX_WAIT && waited < MAX_WAIT * 2, "{waited:?}");
        assert!(answers.ready(&KEY).await.is_some_and(|kept| kept.body == "quick"));
    }

    #[test]
    fn the_time_of_an_answer_is_told_once_no_other_can_have_it() {
        let answer = SharedAnswer { made_at: Timestamp::from_micros(784_111_777_200_000), ..of("made") };
        let told = |micros| answer.last_modified(Timestamp::from_micros(micros));
        assert_eq!(told(784_111_777_999_999), None);
        assert_eq!(told(784_111_778_000_000).unwrap(), "Sun, 06 Nov 1994 08:49:37 GMT");
    }

    #[tokio::test]
    async fn what_the_counter_does_not_stand_for_is_made_each_time() {
        let answers = answers();
        let failed = answers.get_or_fail(KEY, async { Err(AppError::NotFound) }).await;
        assert_eq!(failed.err(), Some(AppError::NotFound));
        for (text, keep, body) in [
            ("one", Keep::Never, "one"),
            ("two", Keep::UntilChanged, "two"),
            ("three", Keep::UntilChanged, "two"),
        ] {
            let made = answers.get_or_fail(KEY, async { Ok((of(text), keep)) }).await.unwrap();
            assert_eq!(made.body, body);
        }
    }

    #[test]
    fn an_answer_that_programs_choose_is_compressed_at_the_second_request() {
        let mut request = HeaderMap::new();
        request.insert("accept-encoding", HeaderValue::from_static("br"));
        let coding = |answer: &SharedAnswer, unbounded| {
            let policy = CachePolicy {
                content_type: "text/plain",
                cache_control: "no-store",
                vary: None,
                revalidated: false,
                dated: false,
                unbounded,
            };
            answer.respond(&request, &policy).headers().contains_key(CONTENT_ENCODING)
        };
        let answer = of(&"x".repeat(SMALL));
        assert_eq!([coding(&answer, true), coding(&answer, true)], [false, true]);
        assert!(coding(&of(&"x".repeat(SMALL)), false));
        for none in [SMALL - 1, LARGE] {
            let answer = of(&"x".repeat(none));
            assert_eq!([coding(&answer, true), coding(&answer, true)], [false, false], "{none}");
        }
    }
}
