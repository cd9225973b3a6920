//! The table `backup_runs`: the backups that the site has made of itself, and those that
//! failed.

use std::time::Duration;

use sqlx::FromRow;

use crate::{
    clock,
    database::{Db, execute, on_engine},
    error::AppError,
    timestamp::Timestamp,
};

/// A process has a run for so long, unless it says otherwise. If it dies, another begins
/// a new one then.
pub(super) const LEASE: Duration = Duration::from_secs(120);
/// The pause after the first failure; each later one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(60);
/// The longest pause, unless backups are made more often.
const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);
/// How long it is known what was made.
const KNOWN_FOR: Duration = Duration::from_secs(400 * 24 * 60 * 60);

const LOST: &str = "the process that made it has ended";

macro_rules! columns {
    () => {
        "id, started_at, ended_at, outcome, file, bytes, problem"
    };
}

/// A backup that was made, is made, or failed.
#[derive(Clone, Debug, FromRow)]
pub struct Run {
    pub(super) id: String,
    started_at: i64,
    ended_at: Option<i64>,
    outcome: String,
    /// Where it is, or was to be.
    pub file: String,
    /// Of the finished file.
    pub bytes: Option<i64>,
    /// Why it failed, or what a finished one lacks.
    pub problem: Option<String>,
}

impl Run {
    /// A run that has failed now, in the place where it was to be.
    pub(super) fn failed(id: String, started_at: Timestamp, file: String, problem: String) -> Self {
        Self {
            id,
            started_at: started_at.micros(),
            ended_at: Some(clock::now().micros()),
            outcome: "failed".to_owned(),
            file,
            bytes: None,
            problem: Some(problem),
        }
    }

    /// A backup has every change that was acknowledged before.
    #[must_use]
    pub const fn started_at(&self) -> Timestamp {
        Timestamp::from_micros(self.started_at)
    }

    /// When it ended, or when it began if it has not.
    #[must_use]
    pub fn ended_at(&self) -> Timestamp {
        Timestamp::from_micros(self.ended_at.unwrap_or(self.started_at))
    }

    pub(super) fn is_good(&self) -> bool {
        self.outcome == "done"
    }

    /// Whether it is verified and lacks nothing.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.is_good() && self.problem.is_none()
    }
}

/// What is known of the backups of a site.
#[derive(Clone, Debug)]
pub struct Known {
    /// The last one that was verified.
    pub last_good: Option<Run>,
    /// Failures since.
    pub failures: i64,
    /// The last of them.
    pub last_failure: Option<Run>,
    /// One that is being made, or whose process is gone.
    running_until: Option<Timestamp>,
}

/// How the backups of a site are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    Good,
    /// None was made, and none has failed.
    NoneYet,
    /// The last try failed.
    Failed,
    /// The last good one is older than twice the time between two.
    Late,
    /// The last good one lacks files of pictures, which the object store has lost.
    Incomplete,
}

impl Health {
    /// One word or two for programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::NoneYet => "none yet",
            Self::Failed => "failed",
            Self::Late => "late",
            Self::Incomplete => "incomplete",
        }
    }
}

impl Known {
    /// This, and failures that the table does not have yet. One may have been filed as good,
    /// if only the answer was lost.
    pub(super) fn with_failures(mut self, failures: &[Run]) -> Self {
        let good = self.last_good.clone();
        let is_later = |run: &&Run| {
            good.as_ref().is_none_or(|good| run.started_at > good.started_at && run.id != good.id)
        };
        for run in failures.iter().filter(is_later) {
            self.failures += 1;
            if self.last_failure.as_ref().is_none_or(|last| last.started_at < run.started_at) {
                self.last_failure = Some(run.clone());
            }
        }
        self
    }

    /// Whether one is being made now.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.running_until.is_some_and(|until| until > clock::now())
    }

    /// How they are, where one is to be made so often.
    #[must_use]
    pub fn health(&self, every: Duration) -> Health {
        match &self.last_good {
            _ if self.failures > 0 => Health::Failed,
            None => Health::NoneYet,
            Some(run) if run.started_at().after(every * 2) < clock::now() => Health::Late,
            Some(run) if !run.is_complete() => Health::Incomplete,
            Some(_) => Health::Good,
        }
    }

    /// When the next is to be made.
    pub(super) fn next(&self, every: Duration) -> Timestamp {
        let regular =
            self.last_good.as_ref().map_or(Timestamp::from_micros(0), |run| run.started_at().after(every));
        let after_failure =
            self.last_failure.as_ref().map(|run| run.ended_at().after(pause(self.failures, every)));
        let running = self.running_until.filter(|until| *until > clock::now());
        [Some(regular), after_failure, running].into_iter().flatten().max().unwrap_or(regular)
    }
}

/// How long to wait after so many failures.
fn pause(failures: i64, every: Duration) -> Duration {
    let doublings = u32::try_from((failures - 1).clamp(0, 10)).unwrap_or(0);
    (FIRST_PAUSE * 2_u32.pow(doublings)).min(LONGEST_PAUSE).min(every)
}

/// What the table says now.
///
/// # Errors
/// [`AppError::Busy`]
pub(super) async fn known(db: &mut Db) -> Result<Known, AppError> {
    let last_good: Option<Run> = on_engine!(db => sqlx::query_as(concat!(
            "SELECT ", columns!(), " FROM backup_runs WHERE outcome = 'done' ORDER BY started_at DESC, id DESC LIMIT 1",
        ))
        .fetch_optional(db)
        .await?);
    let since = last_good.as_ref().map_or(i64::MIN, |run| run.started_at);
    let last_failure: Option<Run> = on_engine!(db => sqlx::query_as(concat!(
            "SELECT ", columns!(), " FROM backup_runs WHERE outcome IN ('failed', 'lost') AND started_at > $1
             ORDER BY started_at DESC, id DESC LIMIT 1",
        ))
        .bind(since)
        .fetch_optional(db)
        .await?);
    let (failures, running_until): (i64, Option<i64>) = on_engine!(db => sqlx::query_as(
            "SELECT (SELECT COUNT(*) FROM backup_runs WHERE outcome IN ('failed', 'lost') AND started_at > $1),
                 (SELECT MAX(lease_until) FROM backup_runs WHERE ended_at IS NULL)",
        )
        .bind(since)
        .fetch_one(db)
        .await?);
    let running_until = running_until.map(Timestamp::from_micros);
    Ok(Known { last_good, failures, last_failure, running_until })
}

/// Files `failures` that could not be filed when they happened, and begins a run, if one is
/// due. On PostgreSQL, of two processes that do so at once, one has a conflict; its
/// transaction runs again and finds the run of the other.
pub(super) async fn begin(
    db: &mut Db,
    id: &str,
    file: &str,
    every: Duration,
    failures: &[Run],
) -> Result<bool, AppError> {
    let now = clock::now();
    for failure in failures {
        file_failure(db, failure).await?;
    }
    // What its process has not renewed in time.
    execute!(db => sqlx::query(
            "UPDATE backup_runs SET ended_at = lease_until, outcome = 'lost', problem = $1
             WHERE ended_at IS NULL AND lease_until <= $2",
        )
        .bind(LOST)
        .bind(now.micros()))?;
    if known(db).await?.next(every) > now {
        return Ok(false);
    }
    let begun = execute!(db => sqlx::query(
            "INSERT INTO backup_runs (id, started_at, lease_until, outcome, file) VALUES ($1, $2, $3, 'running', $4)
             ON CONFLICT DO NOTHING",
        )
        .bind(id)
        .bind(now.micros())
        .bind(now.after(LEASE).micros())
        .bind(file))?;
    Ok(begun > 0)
}

/// Files a failed run, whether its beginning is in the table or not. Its ending may be, if
/// only the answer was lost; then that counts.
async fn file_failure(db: &mut Db, run: &Run) -> Result<(), AppError> {
    execute!(db => sqlx::query(
            "INSERT INTO backup_runs (id, started_at, lease_until, ended_at, outcome, file, problem)
             VALUES ($1, $2, $2, $3, 'failed', $4, $5)
             ON CONFLICT (id) DO UPDATE
             SET ended_at = excluded.ended_at, outcome = excluded.outcome, problem = excluded.problem
             WHERE backup_runs.ended_at IS NULL",
        )
        .bind(&run.id)
        .bind(run.started_at)
        .bind(run.ended_at)
        .bind(&run.file)
        .bind(run.problem.as_deref()))?;
    Ok(())
}

/// The run goes on.
pub(super) async fn renew(db: &mut Db, id: &str) -> Result<(), AppError> {
    execute!(db => sqlx::query("UPDATE backup_runs SET lease_until = $2 WHERE id = $1 AND ended_at IS NULL")
        .bind(id)
        .bind(clock::now().after(LEASE).micros()))?;
    Ok(())
}

/// How a run has ended.
#[derive(Clone, Debug)]
pub(super) enum Ending {
    Done {
        bytes: u64,
        /// What it lacks.
        problem: Option<String>,
    },
    Failed {
        problem: String,
    },
    Interrupted,
}

/// Notes how it has ended. It may have been taken as lost before.
pub(super) async fn end(db: &mut Db, id: &str, ending: &Ending) -> Result<(), AppError> {
    let (outcome, bytes, problem) = match ending {
        Ending::Done { bytes, problem } => ("done", i64::try_from(*bytes).ok(), problem.as_deref()),
        Ending::Failed { problem } => ("failed", None, Some(problem.as_str())),
        Ending::Interrupted => ("interrupted", None, None),
    };
    execute!(db => sqlx::query("UPDATE backup_runs SET ended_at = $2, outcome = $3, bytes = $4, problem = $5 WHERE id = $1")
        .bind(id)
        .bind(clock::now().micros())
        .bind(outcome)
        .bind(bytes)
        .bind(problem))?;
    Ok(())
}

/// Ends the runs of a process that is gone for sure: only one serves a file.
pub(super) async fn end_those_before(db: &mut Db) -> Result<(), AppError> {
    execute!(db => sqlx::query(
            "UPDATE backup_runs SET ended_at = lease_until - $1, outcome = 'lost', problem = $2 WHERE ended_at IS NULL",
        )
        .bind(i64::try_from(LEASE.as_micros()).unwrap_or(0))
        .bind(LOST))?;
    Ok(())
}

/// Those that have ended and whose files were not removed, the newest first.
pub(super) async fn not_removed(db: &mut Db) -> Result<Vec<Run>, AppError> {
    Ok(on_engine!(db => sqlx::query_as(concat!(
            "SELECT ", columns!(), " FROM backup_runs WHERE ended_at IS NOT NULL AND removed_at IS NULL
             ORDER BY started_at DESC, id DESC",
        ))
        .fetch_all(db)
        .await?))
}

/// Nothing is left of it on the disk.
pub(super) async fn removed(db: &mut Db, id: &str) -> Result<(), AppError> {
    execute!(db => sqlx::query("UPDATE backup_runs SET removed_at = $2 WHERE id = $1")
        .bind(id)
        .bind(clock::now().micros()))?;
    Ok(())
}

/// Forgets what was removed long ago.
pub(super) async fn forget_old(db: &mut Db) -> Result<(), AppError> {
    execute!(db => sqlx::query("DELETE FROM backup_runs WHERE removed_at IS NOT NULL AND ended_at < $1")
        .bind(clock::before(KNOWN_FOR).micros()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_backup_is_tried_again_sooner_than_the_next_would_be_and_less_often_with_each_failure() {
        let day = Duration::from_secs(24 * 60 * 60);
        let minutes: Vec<_> =
            [1, 2, 3, 7, 40].iter().map(|failures| pause(*failures, day).as_secs() / 60).collect();
        assert_eq!(minutes, [1, 2, 4, 60, 60]);
        assert_eq!(pause(9, Duration::from_secs(120)), Duration::from_secs(120));
    }
}
