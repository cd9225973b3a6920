//! The load: workers that each finish one request before the next.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::{
    task::JoinSet,
    time::{sleep_until, timeout},
};

use crate::{
    external::Script,
    http::{Answer, Connection},
    meter::{CpuTime, Meter},
};

/// Time before anything is counted.
pub(crate) const WARM_UP: Duration = Duration::from_secs(1);
/// How long what is due at the end may still take.
const LAST_ANSWER: Duration = Duration::from_secs(20);

/// A client that does one thing over and over.
pub(crate) trait Worker: Send + 'static {
    /// Does it once. An error ends the measurement.
    fn once(&mut self) -> impl Future<Output = Result<()>> + Send;
}

/// The requests of one connection, and how their answers are checked.
pub(crate) trait Client: Send + 'static {
    /// The next request, ready to be sent.
    fn request(&mut self) -> &[u8];
    /// Whether the whole answer is the right one.
    fn is_right(&mut self, answer: &Answer<'_>) -> bool;
    /// The same load for another program to make, where one can.
    fn script(_clients: &mut [Asking<Self>]) -> Option<Script>
    where
        Self: Sized,
    {
        None
    }
}

/// A client on a connection of its own.
pub(crate) struct Asking<C> {
    pub(crate) client: C,
    pub(crate) connection: Connection,
}

impl<C: Client> Asking<C> {
    /// One request of each, for another program to make in turns.
    pub(crate) fn one_of_each(clients: &mut [Self]) -> Script {
        Script::InTurn(clients.iter_mut().map(|asking| asking.client.request().to_vec()).collect())
    }
}

impl<C: Client> Worker for Asking<C> {
    async fn once(&mut self) -> Result<()> {
        let Self { client, connection } = self;
        let answer = connection.exchange(client.request()).await?;
        if !client.is_right(&answer) {
            bail!("a wrong answer:\n{}{}", answer.head, String::from_utf8_lossy(answer.body));
        }
        Ok(())
    }
}

pub(crate) struct Rate {
    /// How much in each second.
    pub(crate) per_second: f64,
    /// Half of it took no longer.
    pub(crate) p50: Duration,
    /// Of a hundred times, one took longer.
    pub(crate) p99: Duration,
    /// The CPU time of all of it.
    pub(crate) cpu: CpuTime,
    /// The wall time of all of it.
    pub(crate) measured: Duration,
}

impl Rate {
    /// The share of the time that making the load took. Near 1, it is not the
    /// server that was measured.
    pub(crate) fn load_busy(&self) -> f64 {
        self.cores_busy(self.cpu.load)
    }

    /// How many cores this much time kept busy.
    pub(crate) fn cores_busy(&self, time: Duration) -> f64 {
        time.as_secs_f64() / self.measured.as_secs_f64()
    }

    /// The time for one request.
    pub(crate) fn once(&self, time: Duration) -> Duration {
        time.div_f64(self.per_second * self.measured.as_secs_f64())
    }
}

/// Lets the workers work, first for [`WARM_UP`], then counted for `measured`.
/// Gives them back with the result.
pub(crate) async fn run<W: Worker>(
    workers: Vec<W>,
    meter: &Meter,
    measured: Duration,
) -> Result<(Rate, Vec<W>)> {
    let start = Instant::now() + WARM_UP;
    let end = start + measured;
    let cpu = tokio::spawn(cpu_time(meter.clone(), start, end));
    let mut tasks = JoinSet::new();
    for worker in workers {
        tasks.spawn(keep_working(worker, start, end));
    }
    let finished = timeout(WARM_UP + measured + LAST_ANSWER, tasks.join_all());
    let mut workers = Vec::new();
    let mut times = Vec::new();
    for outcome in finished.await.context("the server stopped answering")? {
        let (worker, mut own) = outcome?;
        workers.push(worker);
        times.append(&mut own);
    }
    times.sort_unstable();
    let rate = Rate {
        per_second: times.len() as f64 / measured.as_secs_f64(),
        p50: percentile(&times, 50)?,
        p99: percentile(&times, 99)?,
        cpu: cpu.await??,
        measured,
    };
    Ok((rate, workers))
}

/// The CPU time from `start` to `end`.
async fn cpu_time(meter: Meter, start: Instant, end: Instant) -> Result<CpuTime> {
    sleep_until(start.into()).await;
    let before = meter.read()?;
    sleep_until(end.into()).await;
    Ok(meter.read()? - before)
}

/// Returns how long everything took that was begun after `start` and done
/// before `end`.
async fn keep_working<W: Worker>(mut worker: W, start: Instant, end: Instant) -> Result<(W, Vec<Duration>)> {
    let mut times = Vec::new();
    loop {
        let begun = Instant::now();
        if begun >= end {
            return Ok((worker, times));
        }
        worker.once().await?;
        let done = Instant::now();
        if begun >= start && done < end {
            times.push(done - begun);
        }
    }
}

/// By the nearest rank.
pub(crate) fn percentile(sorted: &[Duration], percent: usize) -> Result<Duration> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().context("nothing was done in the measured time")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_times_that_were_measured() {
        let times: Vec<Duration> = (1..=200).map(Duration::from_millis).collect();
        assert_eq!(percentile(&times, 50).unwrap(), Duration::from_millis(100));
        assert_eq!(percentile(&times, 99).unwrap(), Duration::from_millis(198));
        assert_eq!(percentile(&times[..1], 99).unwrap(), Duration::from_millis(1));
        assert!(percentile(&[], 50).is_err());
    }
}
