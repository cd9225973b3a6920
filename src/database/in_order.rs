//! PostgreSQL: commits changes in one order for the whole site. Changes that wait
//! in one process at the same time share a commit.
//!
//! The advisory lock [`COMMIT_ORDER_LOCK`] is taken before the transaction
//! begins. So a transaction with REPEATABLE READ sees the change before it. And
//! two processes cannot wait for each other, one for a row and one for the lock.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use sqlx::{PgPool, Postgres, pool::PoolConnection};
use tokio::{
    sync::{Notify, mpsc},
    task::JoinHandle,
};

use super::{
    batch::{self, BATCH, QUEUE, SavepointPolicy, Write, WriteOutcome},
    db::{Db, MAX_WAIT, RETRIES, STATEMENT_TIME, TRANSACTION_TIME, wait_before_retry},
};
use crate::error::AppError;

/// The number of the lock that orders all changes.
pub const COMMIT_ORDER_LOCK: i64 = 0x6279_6c69_6e65;
/// Takes the lock and begins a transaction without a snapshot.
const BEGIN: &str =
    "BEGIN; SELECT pg_advisory_lock(108273649413733); COMMIT; BEGIN ISOLATION LEVEL REPEATABLE READ";
/// Starts a new transaction while the lock is held.
const BEGIN_AGAIN: &str = "ROLLBACK; BEGIN ISOLATION LEVEL REPEATABLE READ";
/// The commit is visible before another process gets the lock.
const COMMIT: &str = "COMMIT; SELECT pg_advisory_unlock(108273649413733)";
const ROLLBACK: &str = "ROLLBACK; SELECT pg_advisory_unlock(108273649413733)";

/// The queue of changes; one task runs them in order.
pub(super) struct OrderedWriter {
    queue: mpsc::Sender<Box<dyn Write>>,
    closing: Arc<Notify>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl OrderedWriter {
    /// Writes by the connections of `pool`, one at a time. No pooler is between them and the server.
    pub(super) fn new(pool: PgPool) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let closing = Arc::new(Notify::new());
        let writer = tokio::spawn(write_in_batches(pool, waiting, Arc::clone(&closing)));
        Self { queue, closing, writer: Mutex::new(Some(writer)) }
    }

    pub(super) async fn send(&self, write: Box<dyn Write>) -> Result<(), AppError> {
        self.queue.send_timeout(write, MAX_WAIT).await.map_err(|_| AppError::Busy { retry_after: 2 })
    }

    /// Changes that wait, and how many may.
    pub(super) fn queue(&self) -> (usize, usize) {
        let most = self.queue.max_capacity();
        (most - self.queue.capacity(), most)
    }

    /// Waits until every accepted change is committed.
    pub(super) async fn close(&self) {
        self.closing.notify_one();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer
            && let Err(error) = writer.await
        {
            tracing::error!(%error, "the last changes may be missing");
        }
    }
}

async fn write_in_batches(pool: PgPool, mut queue: mpsc::Receiver<Box<dyn Write>>, closing: Arc<Notify>) {
    let mut savepoints = SavepointPolicy::default();
    loop {
        let mut batch = Vec::with_capacity(BATCH);
        let waiting = tokio::select! {
            waiting = queue.recv_many(&mut batch, BATCH) => waiting,
            () = closing.notified() => {
                // Accepts no more; what is queued is still received.
                queue.close();
                continue;
            }
        };
        if waiting == 0 {
            return;
        }
        let Ok(connection) = pool.acquire().await else {
            // All that are queued have waited too, so all get the error.
            while queue.try_recv().is_ok() {}
            continue;
        };
        let db = direct(connection);
        for conflicted in write(db, &mut savepoints, batch).await {
            tokio::spawn(write_alone(pool.clone(), conflicted));
        }
    }
}

/// The lock belongs to a session, so no pooler is between.
fn direct(connection: PoolConnection<Postgres>) -> Db {
    Db::Postgres(connection.into())
}

/// Runs a write that had a conflict again, in its own transaction.
async fn write_alone(pool: PgPool, mut change: Box<dyn Write>) {
    for retry in 1..=RETRIES {
        wait_before_retry(retry).await;
        let Ok(connection) = pool.acquire().await else { return };
        match write(direct(connection), &mut SavepointPolicy::default(), vec![change]).await.pop() {
            Some(conflicted) => change = conflicted,
            None => return,
        }
    }
    // Its result is the conflict.
    change.finish(Ok(()));
}

/// Commits the writes together, and returns those that had a conflict, undone.
async fn write(
    mut db: Db,
    savepoints: &mut SavepointPolicy,
    mut batch: Vec<Box<dyn Write>>,
) -> Vec<Box<dyn Write>> {
    // Time limits of the server do not reach a COMMIT, nor a server that is gone.
    let outcome = tokio::time::timeout(TRANSACTION_TIME, commit(&mut db, savepoints, &mut batch)).await;
    let refused = match outcome {
        Ok(Ok(outcomes)) => {
            let mut conflicted = Vec::new();
            for (change, outcome) in batch.into_iter().zip(outcomes) {
                match outcome {
                    WriteOutcome::Conflicted => conflicted.push(change),
                    WriteOutcome::Done | WriteOutcome::Failed { .. } => change.finish(Ok(())),
                }
            }
            return conflicted;
        }
        Ok(Err(error)) => error,
        Err(_) => {
            tracing::warn!("a transaction took too long; whether it was committed is not known");
            AppError::Busy { retry_after: 5 }
        }
    };
    // This also releases the lock.
    db.discard();
    for change in batch {
        change.finish(Err(refused.clone()));
    }
    Vec::new()
}

/// Commits, and returns the outcome of each write that ran in the last attempt.
///
/// # Errors
/// After any error the connection must be discarded. [`AppError::Busy`] also where
/// one attempt took as long as a statement may take: others hold what it needs, and
/// a second attempt could end after the clients were told to come again.
async fn commit(
    db: &mut Db,
    savepoints: &mut SavepointPolicy,
    batch: &mut [Box<dyn Write>],
) -> Result<Vec<WriteOutcome>, AppError> {
    let begun = Instant::now();
    db.command(BEGIN).await?;
    if !savepoints.are_needed() {
        let outcomes = batch::run_until_one_fails(db, batch).await;
        if outcomes.iter().all(|outcome| *outcome == WriteOutcome::Done) {
            db.command(COMMIT).await?;
            return Ok(outcomes);
        }
        if batch.len() == 1 {
            db.command(ROLLBACK).await?;
            return Ok(outcomes);
        }
        if begun.elapsed() >= STATEMENT_TIME {
            return Err(AppError::Busy { retry_after: 5 });
        }
        savepoints.keep_using();
        db.command(BEGIN_AGAIN).await?;
    }
    let outcomes = batch::run_each_in_savepoint(db, batch).await?;
    db.command(COMMIT).await?;
    Ok(outcomes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_has_one_number() {
        for statement in [BEGIN, COMMIT, ROLLBACK] {
            assert!(statement.contains(&format!("lock({COMMIT_ORDER_LOCK})")), "{statement}");
        }
    }
}
