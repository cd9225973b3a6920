//! Reads pictures on blocking threads: one at a time, and one of each author.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::body::Bytes;
use tokio::sync::Semaphore;

use super::{
    Refused,
    reading::{self, Prepared},
};
use crate::{
    credentials::UserId,
    database::internal,
    error::{AppError, Field},
    media::address::Hash,
    site::Site,
};

/// Pictures that may wait for their turn, of all authors.
const QUEUE: usize = 8;
/// The longest wait for a turn.
const MAX_WAIT: Duration = Duration::from_secs(8);

/// Where pictures are read. The largest take hundreds of megabytes, so there is one at
/// a time.
#[derive(Debug)]
pub struct Studio {
    running: Arc<Semaphore>,
    queued: Arc<Semaphore>,
    authors: Arc<Mutex<HashSet<UserId>>>,
}

impl Default for Studio {
    fn default() -> Self {
        Self {
            running: Arc::new(Semaphore::new(1)),
            queued: Arc::new(Semaphore::new(QUEUE)),
            authors: Arc::default(),
        }
    }
}

const BUSY: AppError = AppError::Busy { retry_after: 5 };

impl Site {
    /// Where pictures are read.
    #[must_use]
    pub fn studio(&self) -> &Studio {
        self.part()
    }
}

impl Studio {
    /// The files that are served for that uploaded one.
    ///
    /// # Errors
    /// [`AppError::Invalid`] with what is wrong with the file; [`AppError::Busy`] when too
    /// many wait, or while another picture of the same author is read.
    pub(super) async fn prepare(
        &self,
        author: &UserId,
        file: Bytes,
        hash: Hash,
    ) -> Result<Prepared, AppError> {
        self.run(Some(author), move || reading::prepare(&file, hash)).await?.map_err(invalid)
    }

    /// Does that work when it has its turn, aside. Nobody's work counts for no author.
    ///
    /// # Errors
    /// As [`Self::prepare`]; what is wrong with the file is for the caller to say.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        author: Option<&UserId>,
        make: impl FnOnce() -> Result<T, Refused> + Send + 'static,
    ) -> Result<Result<T, Refused>, AppError> {
        let turn = author.map(|author| Turn::of(&self.authors, author)).transpose()?;
        let place = Arc::clone(&self.queued).try_acquire_owned().map_err(|_| BUSY)?;
        let running = Arc::clone(&self.running).acquire_owned();
        let running = tokio::time::timeout(MAX_WAIT, running).await.map_err(|_| BUSY)?.map_err(internal)?;
        // All three move into the closure: a request that was given up leaves the work, and
        // nobody else begins before it has ended.
        let work = tokio::task::spawn_blocking(move || {
            let _held = (turn, place, running);
            make()
        });
        work.await.map_err(internal)
    }
}

/// What a form shows beside its field.
pub(super) fn invalid(refused: Refused) -> AppError {
    AppError::invalid(Field::File, refused)
}

/// One author's picture that is being read.
struct Turn {
    authors: Arc<Mutex<HashSet<UserId>>>,
    author: UserId,
}

impl Turn {
    fn of(authors: &Arc<Mutex<HashSet<UserId>>>, author: &UserId) -> Result<Self, AppError> {
        if !authors.lock().unwrap_or_else(PoisonError::into_inner).insert(author.clone()) {
            return Err(BUSY);
        }
        Ok(Self { authors: Arc::clone(authors), author: author.clone() })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.authors.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.author);
    }
}
