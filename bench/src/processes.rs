//! How throughput grows with the number of processes on one database.

use std::{collections::BTreeSet, iter};

use anyhow::Result;

use crate::{
    Part,
    measure::{Bench, Outcome},
    report::{Table, microseconds, milliseconds, ratio},
};

/// Measures one process and then each of these numbers of them.
pub(crate) async fn measure(bench: &Bench, parts: &[Part], processes: &BTreeSet<usize>) -> Result<Table> {
    let mut table = Table::new(&[
        "request",
        "processes",
        "requests/s",
        "to one process",
        "p50 ms",
        "p99 ms",
        "Byline CPU µs",
        "PostgreSQL CPU µs",
        "load CPU µs",
        "cores busy",
    ]);
    for part in parts {
        let mut alone = None;
        for count in iter::once(1).chain(processes.iter().copied().filter(|count| *count > 1)) {
            let (request, outcome) = match part {
                Part::Home => ("`/`", bench.home(count).await?.0),
                Part::Post => ("the page of a post, any id", bench.any_post(count).await?),
                Part::Create => ("`create_post`", bench.create(count).await?),
                // The same use cases, which the pages stand for.
                Part::Api | Part::Writing | Part::BusyDisk => continue,
                // No matter of throughput.
                Part::Guesses | Part::FanOut | Part::Memory | Part::FirstVisit | Part::Growth => continue,
            };
            let alone = *alone.get_or_insert(outcome.rate.per_second);
            table.row(row(request, count, &outcome, alone));
        }
    }
    Ok(table)
}

/// `alone` is what one process does in a second.
fn row(request: &str, processes: usize, outcome: &Outcome, alone: f64) -> Vec<String> {
    let rate = &outcome.rate;
    eprintln!("{request} by {processes}: {:.0} a second", rate.per_second);
    let cpu = rate.cpu;
    vec![
        request.to_owned(),
        processes.to_string(),
        format!("{:.0}", rate.per_second),
        ratio(rate.per_second, alone),
        milliseconds(rate.p50),
        milliseconds(rate.p99),
        microseconds(rate.once(cpu.servers)),
        microseconds(rate.once(cpu.postgres)),
        microseconds(rate.once(cpu.load)),
        format!("{:.2}", rate.cores_busy(cpu.servers + cpu.postgres + cpu.load)),
    ]
}
