//! The threads that compute hashes: of a low priority, because a hash takes a core for
//! a tenth of a second or more, and a page some microseconds.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
};

use tokio::sync::oneshot;

use crate::{database::internal, error::AppError};

type Job = Box<dyn FnOnce() + Send>;

/// They end when this is dropped.
#[derive(Clone, Debug)]
pub(super) struct HashThreads(mpsc::Sender<Job>);

impl HashThreads {
    /// Starts so many.
    pub(super) fn start(count: usize) -> std::io::Result<Self> {
        let (sender, jobs) = mpsc::channel::<Job>();
        let jobs = Arc::new(Mutex::new(jobs));
        for _ in 0..count {
            let jobs = jobs.clone();
            thread::Builder::new().name("hash".to_owned()).spawn(move || {
                let_others_go_first();
                // Held while it waits: the others wait for the lock instead.
                let next = || jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
                while let Ok(job) = next() {
                    // Whoever waits for a job that panics sees its channel close.
                    let _ = catch_unwind(AssertUnwindSafe(job));
                }
            })?;
        }
        Ok(Self(sender))
    }

    /// Does the work on one of them. It is done even if nobody waits for it any more.
    ///
    /// # Errors
    /// [`AppError::Internal`] where it panics.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, AppError> {
        let (done, result) = oneshot::channel();
        let job = move || {
            // Nobody may wait any more.
            let _ = done.send(work());
        };
        self.0.send(Box::new(job)).map_err(internal)?;
        result.await.map_err(internal)
    }
}

/// Raises the nice value of this thread. Linux has one for each thread, where POSIX has
/// one for the whole process (setpriority(2), "C library/kernel differences"); elsewhere
/// nothing happens. Threads that it starts are like it.
pub(crate) fn let_others_go_first() {
    /// With both busy, a thread that serves gets some thirty times as much of a core. So
    /// a login takes seconds while readers keep all cores busy, but is not kept waiting
    /// for ever.
    const NICE: i32 = 15;
    if cfg!(target_os = "linux")
        && let Err(error) = rustix::process::setpriority_process(None, NICE)
    {
        tracing::debug!(%error, "a thread that was to wait for others works at the priority of everything else");
    }
}
