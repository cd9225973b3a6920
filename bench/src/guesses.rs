//! How long readers wait while somebody guesses at passwords from ever other
//! addresses.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Result;
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval, sleep},
};

use crate::{
    clients::{get_page, is_page},
    http::{self, Connection},
    load::{WARM_UP, percentile},
    measure::Bench,
    report::{Column, Samples},
    server::Setting,
};

/// Readers, each on a connection.
const READERS: u64 = 8;
/// From one request of a reader to the next.
const PAUSE: Duration = Duration::from_millis(10);
/// Connections that guess, each without a pause.
const GUESSERS: u32 = 64;
/// As many failures as an address has before it is refused.
const GUESSES_OF_ADDRESS: u32 = 10;

/// What the guesses came to, together.
#[derive(Default)]
struct Tally {
    /// A password was checked, and it was wrong.
    checked: AtomicU64,
    /// Too many, or too busy.
    refused: AtomicU64,
    is_over: AtomicBool,
}

pub(crate) fn table() -> Samples {
    let columns = [
        Column::new("guesses checked/s", 1),
        Column::new("refused/s", 0),
        Column::new("calm p50 ms", 2),
        Column::new("calm p99 ms", 2),
        Column::new("p50 ms", 2),
        Column::new("p99 ms", 2),
        Column::ratio("p99 to calm"),
    ];
    Samples::new(&["readers during guesses", "server"], columns)
}

/// Reads any posts, first in peace and then while others guess.
pub(crate) async fn measure(bench: &Bench, samples: &mut Samples) -> Result<()> {
    let setting = Setting { costly_passwords: true, ..Setting::default() };
    let server = bench.servers.byline_with(&bench.posts.copy()?, setting)?;
    read(server.address, bench.posts.count, WARM_UP).await?;
    let calm = read(server.address, bench.posts.count, bench.measured).await?;
    let tally = Arc::new(Tally::default());
    let mut guessers = JoinSet::new();
    for number in 0..GUESSERS {
        guessers.spawn(guess(server.address, number, tally.clone()));
    }
    sleep(WARM_UP).await;
    let before = [&tally.checked, &tally.refused].map(|count| count.load(Ordering::Relaxed));
    let attacked = read(server.address, bench.posts.count, bench.measured).await?;
    let after = [&tally.checked, &tally.refused].map(|count| count.load(Ordering::Relaxed));
    tally.is_over.store(true, Ordering::Relaxed);
    guessers.join_all().await.into_iter().collect::<Result<Vec<()>>>()?;
    let in_second = |at: usize| (after[at] - before[at]) as f64 / bench.measured.as_secs_f64();
    let ms =
        |times: &[Duration], percent| Ok::<_, anyhow::Error>(percentile(times, percent)?.as_secs_f64() * 1e3);
    let (calm_p99, p99) = (ms(&calm, 99)?, ms(&attacked, 99)?);
    eprintln!("readers' p99 during guesses by {}: {p99:.2} ms, in peace {calm_p99:.2} ms", bench.name);
    let words =
        format!("the page of a post, any id, {READERS} readers, one request each {} ms", PAUSE.as_millis());
    let values =
        [in_second(0), in_second(1), ms(&calm, 50)?, calm_p99, ms(&attacked, 50)?, p99, p99 / calm_p99];
    samples.add(&[&words, bench.name], values.map(Some));
    Ok(())
}

/// How long each request took, in order of length.
async fn read(address: SocketAddr, posts: u64, time: Duration) -> Result<Vec<Duration>> {
    let mut readers = JoinSet::new();
    for number in 0..READERS {
        readers.spawn(async move {
            let mut connection = Connection::open(address).await?;
            // Not all at the same moment.
            sleep(PAUSE.mul_f64(number as f64 / READERS as f64)).await;
            let mut times = Vec::new();
            let mut ticks = interval(PAUSE);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let end = Instant::now() + time;
            let mut id = number;
            while Instant::now() < end {
                ticks.tick().await;
                id = (id + READERS) % posts;
                let begun = Instant::now();
                let answer = connection.exchange(&get_page(id)).await?;
                times.push(begun.elapsed());
                is_page(&answer, id)?;
            }
            Ok(times)
        });
    }
    let times: Result<Vec<Vec<Duration>>> = readers.join_all().await.into_iter().collect();
    let mut times = times?.concat();
    times.sort_unstable();
    Ok(times)
}

/// Guesses until it is over, each time at another name, from another address as soon as
/// one is used up.
async fn guess(server: SocketAddr, number: u32, tally: Arc<Tally>) -> Result<()> {
    let mut turn = 0;
    loop {
        let from = Ipv4Addr::from(0x7f01_0000 + turn * GUESSERS + number);
        let mut connection = Connection::open_from(from, server).await?;
        turn += 1;
        let mut checked = 0;
        while checked < GUESSES_OF_ADDRESS {
            if tally.is_over.load(Ordering::Relaxed) {
                return Ok(());
            }
            let name = format!("identifier=author-{checked}-{number}-{turn}&password=a+guess+of+some+length");
            let answer = connection.exchange(&http::post("/api/log_in", "", &name)).await?;
            if answer.head.starts_with("HTTP/1.1 422 ") {
                checked += 1;
                tally.checked.fetch_add(1, Ordering::Relaxed);
            } else {
                tally.refused.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}
