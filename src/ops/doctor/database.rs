//! The database: whether it answers, its schema, its files, its clock.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use super::{Finding, Verdict, rights};
use crate::{
    clock,
    config::SecretKeySource,
    database::{Access, DatabaseConfig, DatabaseUrl, Db, on_engine, schema_steps},
};

const ABOUT: &str = "database";
/// Clocks that differ by less are right.
const TOLERANCE: Duration = Duration::from_secs(5);
/// With less than this a site soon cannot write.
const LEAST_ROOM: u64 = 100 * 1024 * 1024;

/// What there is to say of the database, and a connection to it, if its schema is that of this
/// Byline.
pub(super) async fn examine(config: &DatabaseConfig) -> (Vec<Finding>, Option<Db>) {
    let url = config.direct();
    let file = url.file();
    let mut findings = Vec::new();
    if let Some(file) = &file {
        findings.extend(room(file));
    }
    if url.is_missing_file() {
        findings.push(missing(url, file.as_deref()));
        return (findings, None);
    }
    if let Some(file) = &file {
        findings.extend(owners(file));
        if let Some(finding) = read_only(file) {
            findings.push(finding);
            return (findings, None);
        }
    }
    let mut current = None;
    match Db::dedicated(url, Access::Read).await {
        Err(error) => findings.push(Finding::problem(ABOUT, format!("{error}."))),
        Ok(mut db) => {
            let schema = schema(&mut db, url).await;
            let is_current = schema.verdict == Verdict::Fine;
            findings.push(schema);
            findings.push(time(&mut db).await);
            current = is_current.then_some(db);
        }
    }
    for (setting, url, answer) in config.ask_others().await {
        findings.push(match answer {
            Ok(()) => Finding::fine(ABOUT, format!("{url} answers, too.")),
            Err(error) => Finding::problem(
                ABOUT,
                format!("{url} does not answer ({error}): start it, or change {setting}."),
            ),
        });
    }
    (findings, current)
}

fn missing(url: &DatabaseUrl, file: Option<&Path>) -> Finding {
    match file.and_then(folder) {
        Some(folder) if !folder.exists() => {
            Finding::problem(ABOUT, format!("The folder {} is missing: make it.", folder.display()))
        }
        folder => folder
            .and_then(|folder| rights::folder(ABOUT, folder, "the database is made there"))
            .unwrap_or_else(|| {
                Finding::warning(ABOUT, format!("{url} is not there yet: `byline serve` makes it."))
            }),
    }
}

/// A finding where the database, or what SQLite keeps beside it, cannot be written.
fn read_only(file: &Path) -> Option<Finding> {
    // They lie beside the file itself, where a link leads to it.
    let beside = || {
        let file = file.canonicalize().ok()?;
        rights::folder(ABOUT, file.parent()?, "SQLite keeps files beside the database")
    };
    rights::file(ABOUT, file).or_else(beside)
}

/// The folder of a file, `.` where it is not named.
fn folder(file: &Path) -> Option<&Path> {
    file.parent().map(|folder| if folder.as_os_str().is_empty() { Path::new(".") } else { folder })
}

/// Whether the schema is the one that this binary knows.
async fn schema(db: &mut Db, url: &DatabaseUrl) -> Finding {
    let query = "SELECT version FROM _sqlx_migrations WHERE success";
    let done = on_engine!(db => sqlx::query_scalar::<_, i64>(query).fetch_all(db).await);
    let done = match done {
        Ok(done) => done,
        Err(error) if is_missing_table(&error) => {
            return Finding::warning(ABOUT, format!("{url} is empty: `byline serve` makes the tables."));
        }
        Err(error) => {
            return Finding::problem(
                ABOUT,
                format!("{url} cannot be read ({error}): name another in database-url."),
            );
        }
    };
    let known: Vec<i64> = schema_steps(url.engine()).collect();
    let lacks = known.iter().filter(|step| !done.contains(step)).count();
    if done.iter().any(|step| !known.contains(step)) {
        Finding::problem(ABOUT, format!("{url} was made by a newer Byline: install that one."))
    } else if lacks > 0 {
        // This Byline makes no backup of an earlier schema.
        let copy = if url.file().is_some() { ", or copy the files of the stopped site" } else { "" };
        let (steps, them) =
            if lacks == 1 { ("1 step".to_owned(), "it") } else { (format!("{lacks} steps"), "them") };
        let sentence = format!(
            "{url} lacks {steps} of its schema: make a backup with the Byline that serves it now{copy}; then the next \
             start of this one adds {them}."
        );
        Finding::warning(ABOUT, sentence)
    } else {
        Finding::fine(ABOUT, format!("{url} answers, and its schema is that of this Byline."))
    }
}

/// Whether the error says that there is no such table, by the codes of PostgreSQL
/// (undefined_table) and of SQLite (SQLITE_ERROR, of a statement that is not even run).
fn is_missing_table(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code().map(|code| code.into_owned()));
    matches!(code.as_deref(), Some("42P01" | "1"))
}

/// Compares the clock of this machine with that of a server, and with what is stored.
async fn time(db: &mut Db) -> Finding {
    let stored = "SELECT COALESCE(MAX(created_at), 0) FROM posts";
    let newest =
        on_engine!(db => sqlx::query_scalar::<_, i64>(stored).fetch_one(db).await).unwrap_or_default();
    let there = match db {
        Db::Sqlite(_) => None,
        Db::Postgres(server) => {
            let now = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";
            sqlx::query_scalar::<_, i64>(now).fetch_one(server.statements()).await.ok()
        }
    };
    judge_clock(clock::now().micros(), there, newest)
}

fn judge_clock(here: i64, there: Option<i64>, newest: i64) -> Finding {
    let about = "clock";
    let tolerance = i64::try_from(TOLERANCE.as_micros()).unwrap_or(i64::MAX);
    let seconds = |micros: i64| micros.unsigned_abs() / 1_000_000;
    match there {
        Some(there) if (here - there).abs() > tolerance => Finding::problem(
            about,
            format!(
                "The clocks of this machine and of the database differ by {} s: let both follow a time server (NTP).",
                seconds(here - there)
            ),
        ),
        _ if newest - here > tolerance => Finding::problem(
            about,
            format!(
                "The newest post is {} s in the future: let this machine follow a time server (NTP).",
                seconds(newest - here)
            ),
        ),
        Some(_) => Finding::fine(about, "The clocks of this machine and of the database agree."),
        None => Finding::fine(about, "The clock of this machine is not behind what is stored."),
    }
}

/// Whether all files of a site belong to one user; a command that ran as root may have made
/// one that the site cannot open.
#[cfg(unix)]
fn owners(file: &Path) -> Option<Finding> {
    use std::os::unix::fs::MetadataExt;

    let owner = std::fs::metadata(file).ok()?.uid();
    let beside = ["-wal", "-shm", ".lock"].map(|suffix| {
        let mut path = file.as_os_str().to_owned();
        path.push(suffix);
        PathBuf::from(path)
    });
    let foreign = beside
        .into_iter()
        .chain([SecretKeySource::beside(file)])
        .find(|path| std::fs::metadata(path).is_ok_and(|metadata| metadata.uid() != owner))?;
    let (foreign, file) = (foreign.display(), file.display());
    let sentence = format!(
        "{foreign} belongs to another user than {file}: run `chown --reference={file} {foreign}`, and commands as that \
         user."
    );
    Some(Finding::problem("files", sentence))
}

#[cfg(not(unix))]
fn owners(_: &Path) -> Option<Finding> {
    None
}

/// How much can still be written beside the database.
#[cfg(unix)]
fn room(file: &Path) -> Option<Finding> {
    let folder = folder(file)?.canonicalize().ok()?;
    let disk = rustix::fs::statvfs(&folder).ok()?;
    let size = std::fs::metadata(file).map_or(0, |metadata| metadata.len());
    Some(judge_room(&folder, disk.f_bavail.saturating_mul(disk.f_frsize), size))
}

#[cfg(not(unix))]
fn room(_: &Path) -> Option<Finding> {
    None
}

fn judge_room(folder: &Path, free: u64, size: u64) -> Finding {
    let about = "disk";
    let (place, megabytes) = (folder.display(), free / 1_000_000);
    if free < LEAST_ROOM {
        Finding::problem(about, format!("Only {megabytes} MB are free in {place}: make room."))
    } else if free / 3 < size {
        let sentence = format!(
            "{megabytes} MB are free in {place}, and a backup there needs three times as much as the database has: make \
             room."
        );
        Finding::warning(about, sentence)
    } else {
        Finding::fine(about, format!("{megabytes} MB are free in {place}."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_right_within_seconds_of_the_database_and_not_behind_what_is_stored() {
        const NOW: i64 = 1_700_000_000_000_000;
        const SECOND: i64 = 1_000_000;

        let verdict = |there, newest| judge_clock(NOW, there, newest).verdict;
        assert_eq!(verdict(None, 0), Verdict::Fine);
        assert_eq!(verdict(None, NOW + 2 * SECOND), Verdict::Fine);
        assert_eq!(verdict(None, NOW + 60 * SECOND), Verdict::Problem);
        assert_eq!(verdict(Some(NOW - 4 * SECOND), NOW), Verdict::Fine);
        assert_eq!(verdict(Some(NOW - 6 * SECOND), NOW), Verdict::Problem);
        let ahead = judge_clock(NOW, Some(NOW + 90 * SECOND), NOW);
        assert!(ahead.verdict == Verdict::Problem && ahead.sentence.contains("90 s"), "{ahead}");
    }

    #[test]
    fn a_disk_has_room_for_the_next_writes_and_for_a_backup() {
        let verdict = |free, size| judge_room(Path::new("/data"), free, size).verdict;
        assert_eq!(verdict(50_000_000, 1_000_000), Verdict::Problem);
        assert_eq!(verdict(500_000_000, 1_000_000), Verdict::Fine);
        assert_eq!(verdict(500_000_000, 400_000_000), Verdict::Warning);
    }
}
