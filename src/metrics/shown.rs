//! The metrics as text. `docs/operations.md` says what each of them means.

use std::time::Duration;

use prometheus::{Registry, TextEncoder};

use super::{numbers::Shown, process};
use crate::{
    clock,
    http::{health::usable_database, limits::REQUESTS},
    mail,
    ops::backup::runs,
    posts::domain::search_index,
    site::Site,
    timestamp::Timestamp,
};

/// How long the database may take to answer.
const DATABASE_TIME: Duration = Duration::from_secs(1);

/// The metrics of this process, which serves since then.
///
/// # Errors
/// Two metrics have one name: a fault of this source.
pub(super) async fn text(site: &Site, since: Timestamp) -> Result<String, prometheus::Error> {
    let stored = tokio::time::timeout(DATABASE_TIME, Stored::read(site)).await.ok().flatten();
    let shown = Shown(Registry::new());
    let version = [(env!("CARGO_PKG_VERSION"), 1_u64)];
    shown.gauges("byline_build_info", "Always 1; the label is the version of Byline.", "version", version)?;
    requests(&shown, site)?;
    database(&shown, site, stored.is_some())?;
    caches(&shown, site)?;
    queues(&shown, site)?;
    if let Some(stored) = stored {
        stored.show(&shown)?;
    }
    process::show(&shown, since)?;
    TextEncoder::new().encode_to_string(&shown.0.gather())
}

fn requests(shown: &Shown, site: &Site) -> Result<(), prometheus::Error> {
    let (answered, took) = site.request_counts().shown();
    shown.0.register(Box::new(answered))?;
    shown.0.register(Box::new(took))?;
    shown.limited(
        "byline_http_requests_in_progress",
        "Requests that are worked on now.",
        (site.requests_in_progress(), REQUESTS),
    )
}

fn database(shown: &Shown, site: &Site, is_up: bool) -> Result<(), prometheus::Error> {
    let load = site.database.load();
    shown.0.register(Box::new(load.waits))?;
    shown.gauge(
        "byline_database_up",
        "1 if the database can be read and written, as /readyz says; else 0.",
        usize::from(is_up),
    )?;
    shown.gauge(
        "byline_disk_full",
        "1 if the last write found no room on the disk of SQLite's file; else 0.",
        usize::from(site.database.is_disk_full()),
    )?;
    let pools = &load.pools;
    shown.gauges(
        "byline_database_connections",
        "Connections in use.",
        "pool",
        pools.iter().map(|pool| (pool.name, pool.in_use)),
    )?;
    shown.gauges(
        "byline_database_connections_limit",
        "The most connections that there may be.",
        "pool",
        pools.iter().map(|pool| (pool.name, pool.most)),
    )?;
    shown.limited(
        "byline_database_writes_queued",
        "Writes that wait for those before them.",
        (load.queued, load.queue),
    )
}

fn caches(shown: &Shown, site: &Site) -> Result<(), prometheus::Error> {
    let mut caches = site.pages().counts().to_vec();
    caches.push(("api", site.api().cache_counts()));
    let all = || caches.iter();
    shown.counters(
        "byline_cache_hits_total",
        "Requests that were answered from memory.",
        "cache",
        all().map(|(name, counts)| (*name, counts.hits)),
    )?;
    shown.counters(
        "byline_cache_misses_total",
        "Answers that had to be made, because they were not in memory.",
        "cache",
        all().map(|(name, counts)| (*name, counts.misses)),
    )?;
    shown.gauges(
        "byline_cache_bytes",
        "Memory for answers.",
        "cache",
        all().map(|(name, counts)| (*name, counts.bytes)),
    )
}

fn queues(shown: &Shown, site: &Site) -> Result<(), prometheus::Error> {
    let hashing = site.hasher().load();
    shown.limited(
        "byline_password_hashes_running",
        "Hashes of passwords that are computed now.",
        (hashing.running, hashing.at_once),
    )?;
    shown.gauge(
        "byline_password_hashes_waiting",
        "Hashes of passwords that wait to be computed.",
        hashing.waiting,
    )?;
    shown.counter(
        "byline_password_hashes_refused_total",
        "Logins and sign-ups that were sent away, because too many hashes wait.",
        hashing.refused,
    )?;
    shown.limited("byline_listeners", "Listeners to /events and open WebSockets.", site.bus().listeners())?;
    shown.limited("byline_subscriptions", "Subscriptions on WebSockets.", site.bus().subscriptions())
}

/// What only the database knows.
struct Stored {
    /// Absent where no mail is sent.
    mails: Option<mail::Waiting>,
    to_index: i64,
    /// Absent where the site makes no backups of itself.
    backups: Option<Backups>,
}

/// The backups that the site makes of itself.
struct Backups {
    every: Duration,
    known: runs::Known,
}

impl Stored {
    /// `None` while the database cannot be used.
    async fn read(site: &Site) -> Option<Self> {
        let mut db = usable_database(site).await.ok()?;
        let mails = match site.mailer().is_on() {
            true => Some(mail::waiting(&mut db).await.ok()?),
            false => None,
        };
        let schedule = site.backups();
        let backups = match schedule.settings() {
            Some(settings) => {
                Some(Backups { every: settings.every, known: schedule.known(&mut db).await.ok()? })
            }
            None => None,
        };
        Some(Self { mails, to_index: search_index::count_marked(&mut db).await.ok()?, backups })
    }

    fn show(&self, shown: &Shown) -> Result<(), prometheus::Error> {
        shown.gauge(
            "byline_search_index_waiting",
            "Posts that searches read without an index, 10,000 at most.",
            self.to_index,
        )?;
        self.backups.iter().try_for_each(|backups| backups.show(shown))?;
        let Some(mails) = &self.mails else { return Ok(()) };
        let waits = mails.since.map_or(0, |since| clock::now().micros() - since);
        shown.gauge("byline_mails_waiting", "Mails that are not sent yet.", mails.mails)?;
        shown.gauge(
            "byline_mails_oldest_seconds",
            "How long the oldest mail waits that is not sent yet.",
            waits.max(0) / 1_000_000,
        )
    }
}

impl Backups {
    fn show(&self, shown: &Shown) -> Result<(), prometheus::Error> {
        let last = self.known.last_good.as_ref();
        shown.gauge(
            "byline_backup_last_success_timestamp_seconds",
            "When the last verified backup began, since 1970; 0 if there is none.",
            last.map_or(0.0, |run| run.started_at().micros() as f64 / 1e6),
        )?;
        shown.gauge(
            "byline_backup_last_success_bytes",
            "The size of the last verified backup.",
            last.and_then(|run| run.bytes).unwrap_or(0),
        )?;
        shown.gauge(
            "byline_backup_last_success_incomplete",
            "1 if the last verified backup lacks files of pictures, which the object store has lost.",
            i64::from(last.is_some_and(|run| !run.is_complete())),
        )?;
        shown.gauge("byline_backup_failures", "Backups that failed since then.", self.known.failures)?;
        shown.gauge("byline_backup_every_seconds", "How often a backup is to be made.", self.every.as_secs())
    }
}
