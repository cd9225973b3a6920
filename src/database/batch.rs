//! Runs the writes that wait at the same time in one transaction.
//!
//! They first run without savepoints, because a savepoint costs as much as a
//! statement and nearly every write succeeds. If one fails, the transaction is
//! rolled back and all run again with a savepoint each. Then only the failing
//! one is undone.

use futures::future::BoxFuture;
use prometheus::HistogramTimer;

use super::db::{Db, catch_panic};
use crate::error::AppError;

/// The most writes that wait; one more gets an error.
pub(super) const QUEUE: usize = 1024;
/// The most writes that share one commit.
pub(super) const BATCH: usize = 64;
/// After a transaction that needed savepoints, the next ones have them from the
/// start. So a client whose writes always fail makes no other write run twice.
const TRANSACTIONS_WITH_SAVEPOINTS: u32 = 64;

/// A write on its way through a writer.
pub(super) trait Write: Send {
    /// Runs it inside the transaction; from the start, if it ran before.
    fn run<'a>(&'a mut self, db: &'a mut Db) -> BoxFuture<'a, WriteOutcome>;

    /// Answers the caller, if the commit succeeded.
    fn finish(self: Box<Self>, committed: Result<(), AppError>);
}

/// The result of running a write, before the commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WriteOutcome {
    /// It takes effect if the transaction commits.
    Done,
    /// It failed, and its changes have to be undone.
    Failed {
        /// Whether the disk may be the cause.
        may_be_disk: bool,
    },
    /// It conflicts with another transaction. In a new one it may succeed.
    Conflicted,
}

pub(super) struct Queued<I, T, F, E> {
    pub(super) input: I,
    pub(super) work: F,
    pub(super) finish: E,
    /// Runs until it begins for the first time.
    pub(super) wait: Option<HistogramTimer>,
    pub(super) result: Option<Result<T, AppError>>,
}

impl<I, T, F, E> Write for Queued<I, T, F, E>
where
    I: Clone + Send + 'static,
    T: Send + 'static,
    F: for<'c> Fn(&'c mut Db, I) -> BoxFuture<'c, Result<T, AppError>> + Send + 'static,
    E: FnOnce(Result<T, AppError>) + Send + 'static,
{
    fn run<'a>(&'a mut self, db: &'a mut Db) -> BoxFuture<'a, WriteOutcome> {
        drop(self.wait.take());
        let work = (self.work)(db, self.input.clone());
        Box::pin(async move {
            let result = catch_panic(work).await;
            let outcome = match &result {
                Ok(_) => WriteOutcome::Done,
                Err(AppError::WriteConflict) => WriteOutcome::Conflicted,
                Err(error) => WriteOutcome::Failed { may_be_disk: matches!(error, AppError::Busy { .. }) },
            };
            self.result = Some(result);
            outcome
        })
    }

    fn finish(self: Box<Self>, committed: Result<(), AppError>) {
        let result = self.result.unwrap_or(Err(AppError::Busy { retry_after: 2 }));
        (self.finish)(committed.and(result));
    }
}

/// Decides which transactions begin with savepoints.
#[derive(Debug, Default)]
pub(super) struct SavepointPolicy {
    /// Transactions that still get them.
    remaining: u32,
}

impl SavepointPolicy {
    /// Whether the transaction that begins now needs them. Counts down at each call.
    pub(super) const fn are_needed(&mut self) -> bool {
        let needed = self.remaining > 0;
        self.remaining = self.remaining.saturating_sub(1);
        needed
    }

    /// A transaction needed savepoints, so the next ones get them too.
    pub(super) const fn keep_using(&mut self) {
        self.remaining = TRANSACTIONS_WITH_SAVEPOINTS;
    }
}

/// Runs the writes until one fails, and returns the outcome of each that ran.
pub(super) async fn run_until_one_fails(db: &mut Db, writes: &mut [Box<dyn Write>]) -> Vec<WriteOutcome> {
    let mut outcomes = Vec::with_capacity(writes.len());
    for write in writes {
        outcomes.push(write.run(db).await);
        if outcomes.last() != Some(&WriteOutcome::Done) {
            break;
        }
    }
    outcomes
}

/// Runs all writes, undoes those that fail, and returns the outcome of each.
///
/// # Errors
///
/// If a savepoint fails. The transaction has to be rolled back then.
pub(super) async fn run_each_in_savepoint(
    db: &mut Db,
    writes: &mut [Box<dyn Write>],
) -> Result<Vec<WriteOutcome>, sqlx::Error> {
    let mut outcomes = Vec::with_capacity(writes.len());
    db.command("SAVEPOINT one").await?;
    for write in writes {
        let outcome = write.run(db).await;
        // After this there is a savepoint for the next.
        let next =
            if outcome == WriteOutcome::Done { "RELEASE one; SAVEPOINT one" } else { "ROLLBACK TO one" };
        db.command(next).await?;
        outcomes.push(outcome);
    }
    Ok(outcomes)
}
