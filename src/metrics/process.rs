//! Numbers about the process, under the names that all programs use for them
//! (<https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics>).

use super::numbers::Shown;
use crate::timestamp::Timestamp;

pub(super) fn show(shown: &Shown, since: Timestamp) -> Result<(), prometheus::Error> {
    let since = since.micros() as f64 / 1e6;
    shown.gauge("process_start_time_seconds", "When the process began to serve, since 1970.", since)?;
    of_system(shown)
}

#[cfg(unix)]
fn of_system(shown: &Shown) -> Result<(), prometheus::Error> {
    use rustix::{
        process::{Resource, getrlimit},
        time::{ClockId, clock_gettime},
    };

    let cpu = clock_gettime(ClockId::ProcessCPUTime);
    let cpu = cpu.tv_sec as f64 + cpu.tv_nsec as f64 / 1e9;
    shown.counter(
        "process_cpu_seconds_total",
        "Time of processors, in the system and outside of it.",
        cpu,
    )?;
    if let Some(most) = getrlimit(Resource::Nofile).current {
        shown.gauge("process_max_fds", "The most files that may be open.", most)?;
    }
    of_linux(shown)
}

#[cfg(not(unix))]
fn of_system(_: &Shown) -> Result<(), prometheus::Error> {
    Ok(())
}

/// What Linux tells in files; elsewhere they are not there.
#[cfg(unix)]
fn of_linux(shown: &Shown) -> Result<(), prometheus::Error> {
    if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
        shown.gauge("process_open_fds", "Files and connections that are open.", open.count())?;
    }
    // proc_pid_status(5): `VmRSS:     1234 kB`.
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let number = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key))?;
        line.trim_start_matches(':').split_whitespace().next()?.parse::<u64>().ok()
    };
    for (key, name, help) in [
        ("VmRSS", "process_resident_memory_bytes", "Memory of the machine that is in use."),
        ("VmSize", "process_virtual_memory_bytes", "Memory that is addressed."),
    ] {
        if let Some(kibibytes) = number(key) {
            shown.gauge(name, help, kibibytes * 1024)?;
        }
    }
    if let Some(threads) = number("Threads") {
        shown.gauge("process_threads", "Threads of the system.", threads)?;
    }
    Ok(())
}
