//! Writes that wait at the same time, in one transaction.
//!
//! At first they run without savepoints: each of those would cost as much as a
//! statement of its own, and nearly every write succeeds. Where one fails,
//! nothing of that transaction is kept, and they run again with a savepoint
//! each, so that the failing one is undone alone.

use futures::future::BoxFuture;

use super::db::{Db, caught};
use crate::error::AppError;

/// The most writes that wait; one more gets an error.
pub(super) const QUEUE: usize = 1024;
/// The most writes that share one commit.
pub(super) const BATCH: usize = 64;
/// So many transactions have savepoints from the start after one that needed
/// them: whoever sends what fails, again and again, has no other's write run twice.
const CAREFUL: u32 = 64;

/// A write on its way through a writer.
pub(super) trait Write: Send {
    /// Runs it inside the transaction; from the start, if it ran before.
    fn run<'a>(&'a mut self, db: &'a mut Db) -> BoxFuture<'a, Ran>;

    /// Answers the caller, if the commit succeeded.
    fn finish(self: Box<Self>, committed: Result<(), AppError>);
}

/// The result of running a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ran {
    /// It is done, if the transaction commits.
    Kept,
    /// It failed; what it changed has to be undone.
    Refused {
        /// Whether the disk may be the cause.
        is_doubtful: bool,
    },
    /// It met another transaction; run again in a new one, it may succeed.
    Conflicted,
}

pub(super) struct Queued<I, T, F, E> {
    pub(super) input: I,
    pub(super) work: F,
    pub(super) finish: E,
    pub(super) result: Option<Result<T, AppError>>,
}

impl<I, T, F, E> Write for Queued<I, T, F, E>
where
    I: Clone + Send + 'static,
    T: Send + 'static,
    F: for<'c> Fn(&'c mut Db, I) -> BoxFuture<'c, Result<T, AppError>> + Send + 'static,
    E: FnOnce(Result<T, AppError>) + Send + 'static,
{
    fn run<'a>(&'a mut self, db: &'a mut Db) -> BoxFuture<'a, Ran> {
        let work = (self.work)(db, self.input.clone());
        Box::pin(async move {
            let result = caught(work).await;
            let ran = match &result {
                Ok(_) => Ran::Kept,
                Err(AppError::WriteConflict) => Ran::Conflicted,
                Err(error) => Ran::Refused { is_doubtful: matches!(error, AppError::Busy { .. }) },
            };
            self.result = Some(result);
            ran
        })
    }

    fn finish(self: Box<Self>, committed: Result<(), AppError>) {
        let result = self.result.unwrap_or(Err(AppError::Busy { retry_after: 2 }));
        (self.finish)(committed.and(result));
    }
}

/// Whether the next transaction begins without savepoints.
#[derive(Debug, Default)]
pub(super) struct Care {
    left: u32,
}

impl Care {
    /// Counts down at each transaction.
    pub(super) const fn is_needed(&mut self) -> bool {
        let needed = self.left > 0;
        self.left = self.left.saturating_sub(1);
        needed
    }

    /// A transaction needed care, so the next ones get it too.
    pub(super) const fn renew(&mut self) {
        self.left = CAREFUL;
    }
}

/// Runs them one after the other until one fails; what each came to that ran.
pub(super) async fn run_until_one_fails(db: &mut Db, writes: &mut [Box<dyn Write>]) -> Vec<Ran> {
    let mut ran = Vec::with_capacity(writes.len());
    for write in writes {
        ran.push(write.run(db).await);
        if ran.last() != Some(&Ran::Kept) {
            break;
        }
    }
    ran
}

/// Runs all of them one after the other, and undoes those that fail; what each
/// came to.
///
/// # Errors
///
/// When a savepoint fails. The transaction has to be rolled back then.
pub(super) async fn run_each_apart(
    db: &mut Db,
    writes: &mut [Box<dyn Write>],
) -> Result<Vec<Ran>, sqlx::Error> {
    let mut ran = Vec::with_capacity(writes.len());
    db.command("SAVEPOINT one").await?;
    for write in writes {
        let came_to = write.run(db).await;
        // After this there is a savepoint for the next.
        let next = if came_to == Ran::Kept { "RELEASE one; SAVEPOINT one" } else { "ROLLBACK TO one" };
        db.command(next).await?;
        ran.push(came_to);
    }
    Ok(ran)
}
