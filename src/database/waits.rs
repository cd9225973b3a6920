//! How long work waits for the database, and how many connections are in use: for whoever
//! watches the site.

use prometheus::{Histogram, HistogramOpts, HistogramVec};

/// The upper bounds of the buckets, in seconds. The last is above the longest wait for a
/// connection ([`super::db::MAX_WAIT`]).
const BUCKETS: [f64; 9] = [0.0001, 0.0005, 0.001, 0.005, 0.025, 0.1, 0.5, 1.0, 2.5];

/// The waits since the start of the process.
pub(super) struct Waits {
    /// For a connection to read.
    pub(super) read: Histogram,
    /// Until a write begins: for those before it, and for a connection.
    pub(super) write: Histogram,
    all: HistogramVec,
}

/// How busy a database is.
#[derive(Clone, Debug)]
pub struct DatabaseLoad {
    /// The time that work waited, with the label `to`: `read` or `write`.
    pub waits: HistogramVec,
    /// The connections of each pool.
    pub pools: Vec<PoolLoad>,
    /// Writes that wait in the queue of the writer.
    pub queued: usize,
    /// The most that may wait there.
    pub queue: usize,
}

/// The connections of one pool.
#[derive(Clone, Copy, Debug)]
pub struct PoolLoad {
    pub name: &'static str,
    pub in_use: usize,
    /// The most that there may be.
    pub most: usize,
}

impl Default for Waits {
    fn default() -> Self {
        let options = HistogramOpts::new(
            "byline_database_wait_seconds",
            "Time that work waited: for a connection to read, or until a write began.",
        );
        let all = HistogramVec::new(options.buckets(BUCKETS.to_vec()), &["to"]).expect("valid names");
        let of = |to| all.with_label_values(&[to]);
        Self { read: of("read"), write: of("write"), all }
    }
}

impl Waits {
    pub(super) fn all(&self) -> HistogramVec {
        self.all.clone()
    }
}

impl PoolLoad {
    pub(super) fn of<E: sqlx::Database>(name: &'static str, pool: &sqlx::Pool<E>) -> Self {
        let whole = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        Self {
            name,
            in_use: whole(pool.size()).saturating_sub(pool.num_idle()),
            most: whole(pool.options().get_max_connections()),
        }
    }
}
