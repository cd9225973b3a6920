//! PostgreSQL: changes that are committed in one order on the whole site, and
//! share a commit where they wait together in one process.
//!
//! An advisory lock ([`IN_ORDER`]) is taken before the transaction begins, not
//! inside it: what is read under REPEATABLE READ is then as the change before
//! left it, and of two processes neither waits for a row that the other has
//! while that one waits for the lock.

use std::sync::{Arc, Mutex, PoisonError};

use sqlx::PgPool;
use tokio::{
    sync::{Notify, mpsc},
    task::JoinHandle,
};

use super::{
    batch::{self, BATCH, Care, QUEUE, Ran, Write},
    db::{Db, PATIENCE, RETRIES, TRANSACTION_TIME, before_retry},
};
use crate::error::AppError;

/// The number of the lock that orders all changes.
pub const IN_ORDER: i64 = 0x6279_6c69_6e65;
/// Takes it, and begins a transaction that has seen nothing yet.
const BEGIN: &str =
    "BEGIN; SELECT pg_advisory_lock(108273649413733); COMMIT; BEGIN ISOLATION LEVEL REPEATABLE READ";
/// Starts a new transaction while the lock is held.
const BEGIN_AGAIN: &str = "ROLLBACK; BEGIN ISOLATION LEVEL REPEATABLE READ";
/// Others see what was committed before they get the lock.
const COMMIT: &str = "COMMIT; SELECT pg_advisory_unlock(108273649413733)";
const ROLLBACK: &str = "ROLLBACK; SELECT pg_advisory_unlock(108273649413733)";

/// The queue of changes; one task runs them in order.
pub(super) struct Changes {
    queue: mpsc::Sender<Box<dyn Write>>,
    closing: Arc<Notify>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Changes {
    /// Writes by the connections of `pool`, one at a time.
    pub(super) fn new(pool: PgPool) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let closing = Arc::new(Notify::new());
        let writer = tokio::spawn(write_in_batches(pool, waiting, Arc::clone(&closing)));
        Self { queue, closing, writer: Mutex::new(Some(writer)) }
    }

    pub(super) async fn send(&self, write: Box<dyn Write>) -> Result<(), AppError> {
        self.queue.send_timeout(write, PATIENCE).await.map_err(|_| AppError::Busy { retry_after: 2 })
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
    let mut care = Care::default();
    loop {
        let mut batch = Vec::with_capacity(BATCH);
        let waiting = tokio::select! {
            waiting = queue.recv_many(&mut batch, BATCH) => waiting,
            () = closing.notified() => {
                // Takes no more; what is queued still comes out.
                queue.close();
                continue;
            }
        };
        if waiting == 0 {
            return;
        }
        let Ok(connection) = pool.acquire().await else {
            // Those that wait behind these have waited as long: all get the
            // error.
            while queue.try_recv().is_ok() {}
            continue;
        };
        let db = Db::Postgres(connection.into());
        for conflicted in write(db, &mut care, batch).await {
            tokio::spawn(write_alone(pool.clone(), conflicted));
        }
    }
}

/// Runs a write that met another transaction again, in its own transaction.
async fn write_alone(pool: PgPool, mut change: Box<dyn Write>) {
    for retry in 1..=RETRIES {
        before_retry(retry).await;
        let Ok(connection) = pool.acquire().await else { return };
        match write(Db::Postgres(connection.into()), &mut Care::default(), vec![change]).await.pop() {
            Some(conflicted) => change = conflicted,
            None => return,
        }
    }
    // What it came to is that it met others time and again.
    change.finish(Ok(()));
}

/// Commits them together; what met another transaction comes back, undone.
async fn write(mut db: Db, care: &mut Care, mut batch: Vec<Box<dyn Write>>) -> Vec<Box<dyn Write>> {
    // Time limits of the server do not reach a COMMIT, nor a server that is gone.
    let outcome = tokio::time::timeout(TRANSACTION_TIME, commit(&mut db, care, &mut batch)).await;
    let refused = match outcome {
        Ok(Ok(ran)) => {
            let mut conflicted = Vec::new();
            for (change, ran) in batch.into_iter().zip(ran) {
                match ran {
                    Ran::Conflicted => conflicted.push(change),
                    Ran::Kept | Ran::Refused { .. } => change.finish(Ok(())),
                }
            }
            return conflicted;
        }
        Ok(Err(error)) => error.into(),
        Err(_) => {
            tracing::warn!("a transaction took too long; whether it was committed is not known");
            AppError::Busy { retry_after: 5 }
        }
    };
    // With it goes the lock.
    db.discard();
    for change in batch {
        change.finish(Err(refused.clone()));
    }
    Vec::new()
}

/// Commits; says what became of each write that ran last.
async fn commit(db: &mut Db, care: &mut Care, batch: &mut [Box<dyn Write>]) -> Result<Vec<Ran>, sqlx::Error> {
    db.command(BEGIN).await?;
    if !care.is_needed() {
        let ran = batch::run_until_one_fails(db, batch).await;
        if ran.iter().all(|ran| *ran == Ran::Kept) {
            db.command(COMMIT).await?;
            return Ok(ran);
        }
        if batch.len() == 1 {
            db.command(ROLLBACK).await?;
            return Ok(ran);
        }
        care.renew();
        db.command(BEGIN_AGAIN).await?;
    }
    let ran = batch::run_each_apart(db, batch).await?;
    db.command(COMMIT).await?;
    Ok(ran)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_has_one_number() {
        for statement in [BEGIN, COMMIT, ROLLBACK] {
            assert!(statement.contains(&format!("lock({IN_ORDER})")), "{statement}");
        }
    }
}
