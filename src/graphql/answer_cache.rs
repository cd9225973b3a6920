//! The cache of answers to queries by API key.
//!
//! Every key reads what everyone reads (`policy::visible_owner`), so until a post
//! changes, all keys get the same answer. A list of root fields ([`Reads::of`])
//! says which answers are cached, and an answer with an error is not. Answers to
//! people, mutations and what depends on the clock are never cached.
//!
//! A request is recognised by its bytes, so a cached answer needs no parsing, no
//! turn and no connection. The key is verified before.

use std::{fmt, sync::Arc};

use async_graphql::{Response as Outcome, Value};
use axum::http::StatusCode;
use moka::future::Cache;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{errors::ApiError, limits, operation::Operation, reads::Reads};
use crate::{
    config::PageMemory,
    http::shared_answers::{CacheCounts, Key, MaybeShared, SharedAnswer, SharedAnswers},
    posts::events::changes::Changes,
    site::Site,
};

/// Bytes of the longest request whose answer is cached: the longest document, and
/// as much again for its variables.
const LONGEST: usize = 2 * limits::QUERY_BYTES;

/// The SHA-256 of a request: of the body of a `POST`, of the query string of a
/// `GET`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestHash([u8; 32]);

impl RequestHash {
    /// Of the body of a `POST`.
    #[must_use]
    pub fn by_post(body: &[u8]) -> Option<Self> {
        Self::of(b'P', body)
    }

    /// Of the query string of a `GET`.
    #[must_use]
    pub fn by_get(query: &str) -> Option<Self> {
        Self::of(b'G', query.as_bytes())
    }

    fn of(way: u8, bytes: &[u8]) -> Option<Self> {
        let hash = || Sha256::new().chain_update([way]).chain_update(bytes).finalize();
        (bytes.len() <= LONGEST).then(|| Self(hash().into()))
    }
}

/// The result of a request that could be run.
pub enum QueryAnswer {
    /// The same for every key.
    Shared(Arc<SharedAnswer>),
    /// For this request alone.
    Alone(Box<Outcome>),
}

impl QueryAnswer {
    pub fn alone(outcome: Outcome) -> Self {
        Self::Alone(Box::new(outcome))
    }
}

pub struct AnswerCache {
    /// The data that the cached answers depend on.
    requests: Cache<RequestHash, Reads>,
    answers: SharedAnswers<RequestHash>,
}

impl AnswerCache {
    /// Programs can send any number of different queries. These displace only
    /// each other, never a page.
    #[must_use]
    pub fn new(memory: PageMemory) -> Self {
        let weight = |_: &RequestHash, reads: &Reads| u32::try_from(reads.bytes()).unwrap_or(u32::MAX);
        Self {
            requests: Cache::builder().max_capacity(memory.api_requests()).weigher(weight).build(),
            answers: SharedAnswers::new(memory.api_answers(), |_| size_of::<RequestHash>()),
        }
    }
}

impl AnswerCache {
    /// The cached answer to a request by key, if nothing has changed since.
    pub async fn ready(&self, changes: &Changes, asked: RequestHash) -> Option<Arc<SharedAnswer>> {
        let generation = self.requests.get(&asked).await?.generation(changes)?;
        self.answers.ready(&Key { generation, name: asked }).await
    }

    /// What it was worth so far.
    pub fn counts(&self) -> CacheCounts {
        self.answers.counts()
    }

    /// Runs a request by key, once for all who send the same at the same time,
    /// and caches the answer if it is the same for every key.
    pub async fn answer(
        &self,
        site: &Site,
        asked: RequestHash,
        operation: Operation,
    ) -> Result<QueryAnswer, ApiError> {
        // Read before the database, so that after a change the answer is not found.
        let reads = operation.reads().cloned();
        let generation = reads.as_ref().and_then(|reads| reads.generation(&site.bus().changes));
        let (Some(reads), Some(generation)) = (reads, generation) else {
            return operation.answer().await.map(QueryAnswer::alone);
        };
        let share = |made: &Result<Outcome, _>| made.as_ref().ok().and_then(shared);
        let key = Key { generation, name: asked };
        match self.answers.get_or_try_make(key, operation.answer(), share).await {
            MaybeShared::Shared(answer) => {
                self.requests.insert(asked, reads).await;
                Ok(QueryAnswer::Shared(answer))
            }
            MaybeShared::Own(made) => made.map(QueryAnswer::alone),
        }
    }
}

impl fmt::Debug for AnswerCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnswerCache").finish_non_exhaustive()
    }
}

/// The answer to cache. Without errors it is the same in both formats.
fn shared(outcome: &Outcome) -> Option<SharedAnswer> {
    #[derive(Serialize)]
    struct Payload<'a> {
        data: &'a Value,
    }
    let payload = Payload { data: &outcome.data };
    let body = outcome.errors.is_empty().then(|| serde_json::to_string(&payload).ok()).flatten()?;
    Some(SharedAnswer::new(StatusCode::OK, body.into()))
}
