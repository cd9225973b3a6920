//! The CPU time of processes.

use std::{collections::HashMap, fs, ops::Sub, time::Duration};

use anyhow::{Context, Result};

/// The unit of the kernel's statistics: `USER_HZ` is 100 wherever Byline runs.
const TICK: Duration = Duration::from_millis(10);

/// The processes whose time counts, besides this one's.
#[derive(Clone, Default)]
pub(crate) struct Meter {
    pub(crate) servers: Vec<u32>,
    /// PostgreSQL's first process, where there is one.
    pub(crate) postgres: Option<u32>,
}

/// Time on cores, of all threads and of the processes they have started.
#[derive(Clone, Copy)]
pub(crate) struct CpuTime {
    /// Of the thread that asks, which is the one that reads this.
    pub(crate) load: Duration,
    pub(crate) servers: Duration,
    /// Of PostgreSQL; zero where there is none.
    pub(crate) postgres: Duration,
}

impl Meter {
    /// The time up to now.
    pub(crate) fn read(&self) -> Result<CpuTime> {
        let table = ProcessTable::read()?;
        Ok(CpuTime {
            load: of_this_thread()?,
            servers: self.servers.iter().map(|pid| table.of_tree(*pid)).sum(),
            postgres: self.postgres.map_or(Duration::ZERO, |pid| table.of_tree(pid)),
        })
    }
}

impl Sub for CpuTime {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            load: self.load.saturating_sub(earlier.load),
            servers: self.servers.saturating_sub(earlier.servers),
            postgres: self.postgres.saturating_sub(earlier.postgres),
        }
    }
}

/// How long this thread, which makes all of the load, has been running.
pub(crate) fn of_this_thread() -> Result<Duration> {
    let statistics = fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = statistics.split(' ').next().context("the kernel does not count a thread's time")?;
    Ok(Duration::from_nanos(nanoseconds.parse()?))
}

/// Every process, by its number.
struct ProcessTable(HashMap<u32, Process>);

#[derive(Debug, PartialEq, Eq)]
struct Process {
    parent: u32,
    /// Its own time and that of the children it has outlived.
    time: Duration,
}

impl ProcessTable {
    fn read() -> Result<Self> {
        let mut table = HashMap::new();
        for entry in fs::read_dir("/proc")? {
            let entry = entry?;
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            // Some end while others are read.
            let Ok(line) = fs::read_to_string(entry.path().join("stat")) else { continue };
            table.insert(pid, Process::parse(&line).context("/proc/*/stat has another form here")?);
        }
        Ok(Self(table))
    }

    /// The time of a process and of all that descend from it. What ends in
    /// between goes on counting, with its parent.
    fn of_tree(&self, root: u32) -> Duration {
        let own = self.0.get(&root).map_or(Duration::ZERO, |process| process.time);
        let children = self.0.iter().filter(|(_, process)| process.parent == root);
        own + children.map(|(pid, _)| self.of_tree(*pid)).sum::<Duration>()
    }
}

impl Process {
    /// Reads `/proc/<pid>/stat` (proc(5)).
    fn parse(line: &str) -> Option<Self> {
        // The name before it may contain anything.
        let (_, behind_name) = line.rsplit_once(") ")?;
        let fields: Vec<_> = behind_name.split(' ').collect();
        // Field 4, and 14 to 17: user and system time, and the same of children.
        let parent = fields.get(1)?.parse().ok()?;
        let ticks = fields.get(11..15)?.iter().map(|field| field.parse::<u32>().ok()).sum::<Option<u32>>()?;
        Some(Self { parent, time: TICK * ticks })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_whatever_its_name() {
        let line = "42 (a) b (c) S 7 42 42 0 -1 4194560 1 2 3 4 100 20 3 1 20 0 1 0 99 0";
        assert_eq!(Process::parse(line), Some(Process { parent: 7, time: Duration::from_millis(1240) }));
        assert_eq!(Process::parse("42 (cut"), None);
    }

    #[test]
    fn a_tree_is_a_process_and_all_that_descend_from_it() {
        let process = |parent, seconds| Process { parent, time: Duration::from_secs(seconds) };
        let table = [(1, process(0, 1)), (2, process(1, 2)), (3, process(2, 4)), (4, process(1, 8))];
        let table = ProcessTable(HashMap::from(table));
        assert_eq!(table.of_tree(2), Duration::from_secs(6));
        assert_eq!(table.of_tree(1), Duration::from_secs(15));
        assert_eq!(table.of_tree(5), Duration::ZERO);
    }

    #[test]
    fn this_process_is_in_the_table() {
        let table = ProcessTable::read().unwrap();
        assert!(table.0.contains_key(&std::process::id()));
    }
}
