//! The load: connections that each wait for an answer before they ask again.

use std::{
    fs,
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use tokio::{task::JoinSet, time::timeout};

use crate::http::{Answer, Connection};

/// How long an answer that is due at the end may still take.
const LAST_ANSWER: Duration = Duration::from_secs(20);

/// What one connection asks for, and how it knows the answer.
pub(crate) trait Client: Send + 'static {
    /// The next request, ready to be sent.
    fn request(&mut self) -> &[u8];
    /// Whether the whole answer is the right one.
    fn is_right(&mut self, answer: &Answer<'_>) -> bool;
}

/// How fast a server answered.
pub(crate) struct Rate {
    /// Answers in each second.
    pub(crate) per_second: f64,
    /// Half the answers took no longer.
    pub(crate) p50: Duration,
    /// Of a hundred answers, one took longer.
    pub(crate) p99: Duration,
    /// The share of the time that making the load took. Near 1, it is not the
    /// server that was measured.
    pub(crate) load_busy: f64,
}

/// Lets the clients ask, each on a connection of its own: first for
/// `warm_up`, then counted for `measured`. Gives them back with the result.
/// One wrong answer ends it.
pub(crate) async fn run<C: Client>(
    address: SocketAddr,
    clients: Vec<C>,
    warm_up: Duration,
    measured: Duration,
) -> Result<(Rate, Vec<C>)> {
    let busy_before = busy()?;
    let start = Instant::now() + warm_up;
    let end = start + measured;
    let mut tasks = JoinSet::new();
    for client in clients {
        tasks.spawn(keep_asking(address, client, start, end));
    }
    let finished = timeout(warm_up + measured + LAST_ANSWER, tasks.join_all());
    let mut clients = Vec::new();
    let mut times = Vec::new();
    for outcome in finished.await.context("the server stopped answering")? {
        let (client, mut own) = outcome?;
        clients.push(client);
        times.append(&mut own);
    }
    let load_busy = (busy()? - busy_before).as_secs_f64() / (warm_up + measured).as_secs_f64();
    times.sort_unstable();
    let rate = Rate {
        per_second: times.len() as f64 / measured.as_secs_f64(),
        p50: percentile(&times, 50)?,
        p99: percentile(&times, 99)?,
        load_busy,
    };
    Ok((rate, clients))
}

/// Returns the times of the answers to whatever was asked after `start` and
/// answered before `end`.
async fn keep_asking<C: Client>(
    address: SocketAddr,
    mut client: C,
    start: Instant,
    end: Instant,
) -> Result<(C, Vec<Duration>)> {
    let mut connection = Connection::open(address).await?;
    let mut times = Vec::new();
    loop {
        let asked = Instant::now();
        if asked >= end {
            return Ok((client, times));
        }
        let answer = connection.exchange(client.request()).await?;
        let answered = Instant::now();
        if !client.is_right(&answer) {
            bail!("a wrong answer:\n{}{}", answer.head, String::from_utf8_lossy(answer.body));
        }
        if asked >= start && answered < end {
            times.push(answered - asked);
        }
    }
}

/// How long this thread, which makes all of the load, has been running.
fn busy() -> Result<Duration> {
    let statistics = fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = statistics.split(' ').next().context("the kernel does not count a thread's time")?;
    Ok(Duration::from_nanos(nanoseconds.parse()?))
}

/// By the nearest rank.
fn percentile(sorted: &[Duration], percent: usize) -> Result<Duration> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().context("there was no answer in the measured time")
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
