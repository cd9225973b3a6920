//! The queries and mutations of one connection: some run, the others wait. Each
//! runs in its own task. The task of the connection may wait for a slow client or
//! for the check of a credential. An operation that has begun must not stop
//! meanwhile, because it may hold a database connection.

use std::collections::VecDeque;

use async_graphql::Response;
use tokio::task::{AbortHandle, JoinSet};

use crate::{
    error::AppError,
    graphql::{errors::ApiError, operation::Operation},
    http::turns::{Client, Turn},
    site::Site,
};

/// When all places are taken: seconds until another try makes sense.
pub(super) const FULL: u32 = 30;
/// Queries and mutations of a connection that run at a time.
const MAX_RUNNING: usize = 4;
/// The most bytes of waiting operations; beyond that, nothing more is read from the
/// client.
const WAITING_BYTES: usize = 256 * 1024;

pub struct Answer {
    /// The client's id of the operation.
    pub id: String,
    pub outcome: Result<Response, ApiError>,
    /// Held until the client has taken the answer.
    _turn: Option<Turn>,
}

/// The operations of one connection. Dropping it ends them all.
pub struct Queue {
    site: Site,
    client: Client,
    waiting: VecDeque<Waiting>,
    waiting_bytes: usize,
    running: JoinSet<Answer>,
    handles: Vec<(String, AbortHandle)>,
}

struct Waiting {
    id: String,
    bytes: usize,
    operation: Operation,
}

impl Queue {
    /// Of a connection of that client.
    pub fn new(site: Site, client: Client) -> Self {
        let (waiting, running, handles) = (VecDeque::new(), JoinSet::new(), Vec::new());
        Self { site, client, waiting, waiting_bytes: 0, running, handles }
    }

    /// Whether the queue takes one more.
    pub const fn has_room(&self) -> bool {
        self.waiting_bytes < WAITING_BYTES
    }

    /// Puts an operation, of a message of so many bytes, at the end of the line.
    pub fn push(&mut self, id: String, bytes: usize, operation: Operation) {
        self.waiting_bytes += bytes;
        self.waiting.push_back(Waiting { id, bytes, operation });
        self.advance();
    }

    /// Cancels one, whether it waits or runs.
    pub fn forget(&mut self, id: &str) {
        self.waiting.retain(|waiting| waiting.id != id);
        self.waiting_bytes = self.waiting.iter().map(|waiting| waiting.bytes).sum();
        if let Some(place) = self.handles.iter().position(|(other, _)| other == id) {
            self.handles.swap_remove(place).1.abort();
        }
    }

    /// The next operation that ends, in any order; waits while there is none.
    pub async fn done(&mut self) -> Answer {
        loop {
            self.advance();
            match self.running.join_next_with_id().await {
                Some(Ok((task, answer))) => {
                    let known = self.handles.len();
                    self.handles.retain(|(_, handle)| handle.id() != task);
                    // Otherwise it was cancelled while it ended, and its id may be in
                    // use again.
                    if self.handles.len() < known {
                        return answer;
                    }
                }
                Some(Err(error)) => {
                    if let Some(place) = self.handles.iter().position(|(_, handle)| handle.id() == error.id())
                    {
                        // It was not given up, so it panicked.
                        let (id, _) = self.handles.swap_remove(place);
                        let outcome = Err(ApiError::of_request(&AppError::Internal));
                        return Answer { id, outcome, _turn: None };
                    }
                }
                None => std::future::pending().await,
            }
        }
    }

    fn advance(&mut self) {
        while self.handles.len() < MAX_RUNNING
            && let Some(Waiting { id, bytes, operation }) = self.waiting.pop_front()
        {
            self.waiting_bytes -= bytes;
            let run = run(self.site.clone(), self.client.clone(), id.clone(), operation);
            self.handles.push((id, self.running.spawn(run)));
        }
    }
}

/// Runs a query or a mutation. It takes a place like any other request.
async fn run(site: Site, client: Client, id: String, operation: Operation) -> Answer {
    match (site.turns().operation(&client).await, site.request_slot()) {
        (Ok(turn), Some(_place)) => Answer { id, outcome: operation.answer().await, _turn: Some(turn) },
        _ => {
            let outcome = Err(ApiError::of_request(&AppError::Busy { retry_after: 2 }));
            Answer { id, outcome, _turn: None }
        }
    }
}
