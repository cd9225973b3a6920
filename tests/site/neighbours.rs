//! Hostile load must not affect others. While one kind of load after the other runs
//! against the site, a reader, an author, a program and a supervisor use it as
//! always. Each of them is answered, and soon.
//!
//! `NEIGHBOURS_SECONDS` sets how long each load lasts (`cargo xtask torture
//! --neighbours`, on the release), `SITE_TEST_BINARY` which `byline` is tried.

mod loads;
mod polite;

use std::{env, time::Duration};

use self::{
    loads::{LOADS, Site},
    polite::Polite,
};

/// The longest that one in a hundred polite requests may take. It is stated
/// for a machine of two cores that has the load, the site and the polite ones
/// on it, and in the ordinary run the other tests, too.
const P99: Duration = Duration::from_millis(2_000);
/// The same for `/livez` and `/readyz`, by which supervisors judge.
const P99_OF_HEALTH: Duration = Duration::from_millis(1_000);
/// How often a load is tried before it counts as one that others notice. The other
/// tests may take both cores for a second; a load that harms does so each time.
const ATTEMPTS: usize = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn well_behaved_clients_are_answered_during_attacks() {
    let seconds = env::var("NEIGHBOURS_SECONDS").map_or(2.0, |seconds| seconds.parse().expect("a number"));
    let site = Site::open().await;
    let calm =
        Polite::watch(&site, async { tokio::time::sleep(Duration::from_secs_f64(seconds)).await }).await;
    println!("{:<44} {}", "nobody is hostile", calm.summary());
    let mut wrong = Vec::new();
    for load in LOADS {
        let mut complaints = Vec::new();
        for _ in 0..ATTEMPTS {
            let polite = Polite::watch(&site, load.run(&site, Duration::from_secs_f64(seconds))).await;
            println!("{:<44} {}", load.name, polite.summary());
            complaints = polite.complaints(P99, P99_OF_HEALTH);
            if complaints.is_empty() {
                break;
            }
        }
        wrong.extend(complaints.into_iter().map(|what| format!("{}: {what}", load.name)));
    }
    site.close().await;
    assert!(wrong.is_empty(), "{wrong:#?}");
}
