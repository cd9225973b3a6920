//! Logging: what is written, and which request it belongs to.

pub mod log;

use std::{
    backtrace::Backtrace,
    fmt,
    io::IsTerminal,
    str::FromStr,
    sync::atomic::{AtomicU64, Ordering},
};

use tracing::Instrument;
use tracing_subscriber::EnvFilter;

use log::LogQueue;
pub use log::{LogFormat, VALUE_BYTES, cut};

/// Bytes of a panic's backtrace in the log; it shows the innermost frames of
/// Byline's code.
const BACKTRACE_BYTES: usize = 2 * 1024;

/// Writes what is left of the log when it is dropped.
#[derive(Debug)]
pub struct Log(Option<LogQueue>);

impl Drop for Log {
    fn drop(&mut self) {
        if let Some(queue) = &self.0 {
            queue.flush();
        }
    }
}

/// Starts logging to standard error. `BYLINE_LOG` filters as in `RUST_LOG`.
#[must_use]
pub fn start(format: LogFormat) -> Log {
    let filter = std::env::var("BYLINE_LOG")
        .ok()
        .and_then(|raw| EnvFilter::from_str(&raw).ok())
        // tower-sessions warns of every unknown cookie; that is daily life.
        .unwrap_or_else(|| {
            EnvFilter::new("info,object_store=warn,tower_sessions=error,tower_sessions_core=error")
        });
    let queue = match LogQueue::to_standard_error(format) {
        Ok(queue) => queue,
        // A machine that has no thread to give; the runtime will say so in words.
        Err(_) => return Log(None),
    };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(queue.clone())
        .with_ansi(std::io::stderr().is_terminal())
        // It would complain by `eprintln!`, which panics where nothing can be written.
        .log_internal_errors(false)
        .with_target(false);
    match format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().init(),
    }
    let of_panics = queue.clone();
    // A panic in here would end the process. tracing runs code of the caller,
    // which may be what has panicked, so it is not used here.
    std::panic::set_hook(Box::new(move |panic| {
        // The payload may quote user input; the place says enough.
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let backtrace = innermost(&Backtrace::capture().to_string());
        let mut fields = vec![("place", place.into()), ("backtrace", backtrace.into())];
        if let Ok(id) = REQUEST.try_with(ToString::to_string) {
            fields.insert(0, ("id", id.into()));
        }
        of_panics.write_event("ERROR", "panic", &fields);
    }));
    Log(Some(queue))
}

/// A backtrace in one line, from the code that panicked outwards.
fn innermost(backtrace: &str) -> String {
    let lines: Vec<&str> = backtrace.lines().map(str::trim).collect();
    let own = lines.iter().rposition(|line| line.contains("core::panicking::")).map_or(0, |last| last + 1);
    cut(&lines[own..].join(" "), BACKTRACE_BYTES).into_owned()
}

tokio::task_local! {
    /// The id of the request that this task answers.
    static REQUEST: RequestId;
}

/// The id of a request: random per process, then counted.
#[derive(Clone, Copy, Debug)]
pub struct RequestId(u64);

impl RequestId {
    /// An id that no other request of this process has.
    #[must_use]
    pub fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        // Knuth's multiplicative constant spreads neighbours, so that ids are told apart at a glance.
        let count = NEXT.fetch_add(1, Ordering::Relaxed);
        Self((process_seed().wrapping_add(count)).wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }
}

fn process_seed() -> u64 {
    static SEED: std::sync::LazyLock<u64> = std::sync::LazyLock::new(|| uuid::Uuid::new_v4().as_u64_pair().0);
    *SEED
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The id of the request that this task answers, as the log has it; empty outside of
/// requests.
#[must_use]
pub fn request_id() -> String {
    REQUEST.try_with(ToString::to_string).unwrap_or_default()
}

/// Runs `work` as a part of the request with that id, so that log lines and
/// panics show the id.
pub async fn in_request<T>(id: RequestId, work: impl Future<Output = T>) -> T {
    REQUEST.scope(id, work.instrument(tracing::info_span!("request", %id))).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backtrace_in_the_log_begins_where_the_panic_was() {
        let frames = "0: byline::telemetry::hook\n 1: core::panicking::panic_fmt\n 2: byline::ours\n at x.rs";
        assert_eq!(innermost(frames), "2: byline::ours at x.rs");
        assert_eq!(innermost("disabled backtrace"), "disabled backtrace");
        assert!(innermost(&"3: byline::deep\n".repeat(1000)).len() < BACKTRACE_BYTES + 40);
    }
}
