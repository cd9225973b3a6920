//! Answers to queries by API key, kept like pages.
//!
//! Every key reads what everyone reads (`policy::visible_owner`), so what one
//! is answered, any other is as well, until a post changes. Whether an answer is
//! of that kind is decided positively ([`Reads::of`]): by the root fields it
//! has, and by that nothing in it failed. All else is answered as if nothing
//! were kept: people, changes, mistakes, whatever depends on the clock.
//!
//! A request is known again by its bytes alone, so that what is kept costs no
//! parsing, no turn and no connection. Who asks is found out before.

use std::{fmt, sync::Arc};

use async_graphql::{Response as Outcome, Value};
use axum::http::StatusCode;
use moka::future::Cache;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{errors::ApiError, limits, operation::Operation, reads::Reads};
use crate::{
    config::PageMemory,
    http::shared_answers::{Key, Made, SharedAnswer, SharedAnswers},
    posts::events::changes::Changes,
    site::Site,
};

/// Bytes of the longest request whose answer is kept: the longest document, and
/// as much again for its variables.
const LONGEST: usize = 2 * limits::QUERY_BYTES;

/// What was asked for, to the byte: the same text is the same question. Of
/// requests by `POST` the body, of those by `GET` the query of the address.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Asked([u8; 32]);

impl Asked {
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
pub enum Answered {
    /// The same for every key.
    Shared(Arc<SharedAnswer>),
    /// From the executor, for this request alone.
    Alone(Box<Outcome>),
}

impl Answered {
    pub fn alone(outcome: Outcome) -> Self {
        Self::Alone(Box::new(outcome))
    }
}

pub struct KeptAnswers {
    /// Of the requests whose answers are kept, what those are read from.
    requests: Cache<Asked, Reads>,
    answers: SharedAnswers<Asked>,
}

impl KeptAnswers {
    /// Programs can make up any number of queries; these take the place of each
    /// other alone, never that of a page.
    #[must_use]
    pub fn new(memory: PageMemory) -> Self {
        let weight = |_: &Asked, reads: &Reads| u32::try_from(reads.bytes()).unwrap_or(u32::MAX);
        Self {
            requests: Cache::builder().max_capacity(memory.api_requests()).weigher(weight).build(),
            answers: SharedAnswers::new(memory.api_answers(), |_| size_of::<Asked>()),
        }
    }
}

impl KeptAnswers {
    /// The answer to what a key asks for, if it is in memory and nothing has
    /// changed since.
    pub async fn ready(&self, changes: &Changes, asked: Asked) -> Option<Arc<SharedAnswer>> {
        let generation = self.requests.get(&asked).await?.generation(changes)?;
        self.answers.ready(&Key { generation, name: asked }).await
    }

    /// Runs what a key asks for, once for all who ask for the same just now, and
    /// keeps the answer where it is the same for every key.
    pub async fn answer(
        &self,
        site: &Site,
        asked: Asked,
        operation: Operation,
    ) -> Result<Answered, ApiError> {
        // Read before the database is: a change in between makes what is kept unfindable.
        let reads = operation.reads().cloned();
        let generation = reads.as_ref().and_then(|reads| reads.generation(&site.bus().changes));
        let (Some(reads), Some(generation)) = (reads, generation) else {
            return operation.answer().await.map(Answered::alone);
        };
        let share = |made: &Result<Outcome, _>| made.as_ref().ok().and_then(shared);
        let key = Key { generation, name: asked };
        match self.answers.get_or_try_make(key, operation.answer(), share).await {
            Made::Shared(answer) => {
                self.requests.insert(asked, reads).await;
                Ok(Answered::Shared(answer))
            }
            Made::Own(made) => made.map(Answered::alone),
        }
    }
}

impl fmt::Debug for KeptAnswers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptAnswers").finish_non_exhaustive()
    }
}

/// An answer without any error is the same in both of its shapes.
fn shared(outcome: &Outcome) -> Option<SharedAnswer> {
    #[derive(Serialize)]
    struct Payload<'a> {
        data: &'a Value,
    }
    let payload = Payload { data: &outcome.data };
    let body = outcome.errors.is_empty().then(|| serde_json::to_string(&payload).ok()).flatten()?;
    Some(SharedAnswer::new(StatusCode::OK, body.into()))
}
