//! When a session or an API key was last used. A request never waits until that
//! is stored, and not every use is stored.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::task::JoinHandle;

use crate::{clock, error::AppError, timestamp::Timestamp};

/// The last use is written down no more often than this.
const EVERY: Duration = Duration::from_secs(60);

/// What was used, and the key of its row.
type Used = (&'static str, Vec<u8>);

/// What is being noted in this process. Until it is on the disk, every request
/// sees that the last note is old; one of them is enough to write another.
#[derive(Clone, Debug, Default)]
pub struct LastUse(Arc<Mutex<HashSet<Used>>>);

/// A use that was noted since then need not be noted again.
#[must_use]
pub fn just_now() -> Timestamp {
    clock::before(EVERY)
}

impl LastUse {
    /// Lets `write` note that `what` was used, later and at leisure; `None`, and
    /// nothing is written, while another note of the same row is under way.
    pub fn note(
        &self,
        what: &'static str,
        row: impl Into<Vec<u8>>,
        write: impl Future<Output = Result<(), AppError>> + Send + 'static,
    ) -> Option<JoinHandle<()>> {
        let note = self.begin((what, row.into()))?;
        Some(tokio::spawn(async move {
            if let Err(error) = write.await {
                tracing::warn!(%error, "the last use of {what} was not noted");
            }
            drop(note);
        }))
    }

    fn begin(&self, used: Used) -> Option<Note> {
        let began = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(used.clone());
        // Not made where it has not begun: its end would be the other's.
        began.then(|| Note { under_way: self.clone(), used })
    }
}

/// A note that is under way for as long as this lives.
struct Note {
    under_way: LastUse,
    used: Used,
}

impl Drop for Note {
    fn drop(&mut self) {
        self.under_way.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.used);
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn of_one_row_one_note_is_under_way_at_a_time() {
        let uses = LastUse::default();
        let (finish, finished) = oneshot::channel();
        let first = uses.note("a test", *b"row", async { finished.await.map_err(|_| AppError::Internal) });
        assert!(uses.note("a test", *b"row", async { panic!("noted twice") }).is_none());
        assert!(uses.note("a test", *b"other", async { Ok(()) }).is_some(), "another row");
        assert!(uses.note("another test", *b"row", async { Ok(()) }).is_some(), "a row of another table");
        finish.send(()).expect("it waits");
        first.expect("the first is written").await.expect("it ends well");
        assert!(uses.note("a test", *b"row", async { Ok(()) }).is_some(), "it is over");
    }

    #[tokio::test]
    async fn a_note_that_fails_or_panics_is_over() {
        let uses = LastUse::default();
        let failed = uses.note("a failing test", *b"row", async { Err(AppError::Internal) });
        failed.expect("it is written").await.expect("it ends well");
        let panicked = uses.note("a failing test", *b"row", async { panic!("on purpose") });
        assert!(panicked.expect("it is written").await.is_err());
        assert!(uses.note("a failing test", *b"row", async { Ok(()) }).is_some());
    }
}
