//! Bare SQLite: the posts that everything reads, and loops that do what
//! Byline's statements do and nothing else.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use rusqlite::{Connection, OpenFlags, Statement, params};

use crate::post;

/// As in `posts::server::store`; one row more than a page shows.
const LIST: &str = "
    SELECT p.id, p.title, p.excerpt, u.username AS owner, p.version, p.created_at, p.updated_at
    FROM posts p JOIN users u ON u.id = p.owner_id WHERE TRUE
    ORDER BY p.created_at DESC, p.id DESC LIMIT 21";
const FIND: &str = "
    SELECT p.id, p.title, p.content, u.username AS owner, p.version, p.created_at, p.updated_at
    FROM posts p JOIN users u ON u.id = p.owner_id
    WHERE p.id = $1";
const INSERT: &str = "
    INSERT INTO posts (id, owner_id, title, excerpt, content, version, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, 1, $6, $6)";

/// A database of posts, at rest.
pub(crate) struct Posts {
    /// The file.
    pub(crate) path: PathBuf,
    /// They are numbered from 0.
    pub(crate) count: u64,
}

impl Posts {
    /// Makes the database, or takes the one of an earlier run if this Byline
    /// can still use it.
    pub(crate) fn prepare(byline: &Path, folder: &Path, count: u64) -> Result<Self> {
        let posts = Self { path: folder.join(format!("posts-{count}.db")), count };
        if !posts.path.exists() || migrate(byline, &posts.path).is_err() {
            let unfinished = folder.join("unfinished.db");
            remove(&unfinished)?;
            migrate(byline, &unfinished)?;
            fill(&unfinished, count)?;
            remove(&posts.path)?;
            fs::rename(&unfinished, &posts.path)?;
        }
        Ok(posts)
    }

    /// A copy to write to.
    pub(crate) fn copy(&self, name: &str) -> Result<PathBuf> {
        let copy = self.path.with_file_name(name);
        remove(&copy)?;
        // Brings what a killed server left in the log into the file.
        open(&self.path)?.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        fs::copy(&self.path, &copy)?;
        Ok(copy)
    }
}

/// Creates the database or brings its schema up to date.
fn migrate(byline: &Path, path: &Path) -> Result<()> {
    let output = Command::new(byline).arg("migrate").arg("--database-url").arg(url(path)).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// As Byline's setting names a file.
pub(crate) fn url(path: &Path) -> String {
    format!("sqlite://{}", path.display())
}

/// Removes a database and its log.
fn remove(path: &Path) -> Result<()> {
    for suffix in ["", "-wal", "-shm"] {
        let file = PathBuf::from(format!("{}{suffix}", path.display()));
        if file.exists() {
            fs::remove_file(file)?;
        }
    }
    Ok(())
}

/// Opens a database with the settings that Byline has.
fn open(path: &Path) -> Result<Connection> {
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "foreign_keys", "ON")?;
    Ok(db)
}

/// Adds the authors and the posts, in one transaction.
fn fill(path: &Path, count: u64) -> Result<()> {
    let mut db = open(path)?;
    let transaction = db.transaction()?;
    {
        let mut insert = transaction.prepare(
            "INSERT INTO users (id, username, email, password_hash, created_at) VALUES ($1, $2, $3, '!', $4)",
        )?;
        for number in 0..post::AUTHORS {
            let name = format!("author{number}");
            let email = format!("{name}@example.org");
            insert.execute(params![post::owner_id(number), name, email, post::created_at(0)])?;
        }
        let mut insert = transaction.prepare(INSERT)?;
        for number in 0..count {
            add(&mut insert, number)?;
        }
    }
    transaction.commit()?;
    Ok(())
}

fn add(insert: &mut Statement<'_>, number: u64) -> Result<()> {
    let content = post::content(number);
    insert.execute(params![
        post::id(number),
        post::owner_id(number),
        post::title(number),
        post::excerpt(&content),
        content,
        post::created_at(number),
    ])?;
    Ok(())
}

/// How often in a second one thread reads the first page of the list.
pub(crate) fn list_reads(posts: &Posts, measured: Duration) -> Result<f64> {
    let db = open(&posts.path)?;
    let mut list = db.prepare(LIST)?;
    repeat(measured, |_| {
        let rows = read(&mut list, params![])?;
        ensure!(rows == 21.min(posts.count), "the list has {rows} rows");
        Ok(())
    })
}

/// How often in a second one thread reads a post, each time another.
pub(crate) fn post_reads(posts: &Posts, measured: Duration) -> Result<f64> {
    let db = open(&posts.path)?;
    let mut find = db.prepare(FIND)?;
    repeat(measured, |round| {
        let rows = read(&mut find, params![post::id(post::scattered(round, posts.count))])?;
        ensure!(rows == 1, "a post has {rows} rows");
        Ok(())
    })
}

/// How many posts one thread adds in a second, so many in each commit.
pub(crate) fn writes(posts: &Posts, posts_per_commit: u64, measured: Duration) -> Result<f64> {
    let db = open(&posts.copy("loop.db")?)?;
    let mut insert = db.prepare(INSERT)?;
    let commits = repeat(measured, |round| {
        db.execute_batch("BEGIN IMMEDIATE")?;
        let first = posts.count + round * posts_per_commit;
        for number in first..first + posts_per_commit {
            add(&mut insert, number)?;
        }
        Ok(db.execute_batch("COMMIT")?)
    })?;
    Ok(commits * posts_per_commit as f64)
}

/// Whether every one of these posts is in the database.
pub(crate) fn has_all(path: &Path, ids: &[String]) -> Result<bool> {
    let db = open(path)?;
    let mut find = db.prepare("SELECT 1 FROM posts WHERE id = $1")?;
    for id in ids {
        if !find.exists([id])? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Reads every column of every row, and returns the number of rows.
fn read(statement: &mut Statement<'_>, parameters: &[&dyn rusqlite::ToSql]) -> Result<u64> {
    let columns = statement.column_count();
    let mut rows = statement.query(parameters)?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        for column in 0..columns {
            std::hint::black_box(row.get::<_, rusqlite::types::Value>(column)?);
        }
        count += 1;
    }
    Ok(count)
}

/// Does something over and over, first to warm up, and returns how often in a
/// second. It is told which time it is, from 0.
fn repeat(measured: Duration, mut once: impl FnMut(u64) -> Result<()>) -> Result<f64> {
    let mut round = 0;
    let mut rounds_in = |time: Duration| -> Result<f64> {
        let (first, start) = (round, Instant::now());
        while start.elapsed() < time {
            once(round)?;
            round += 1;
        }
        Ok((round - first) as f64 / start.elapsed().as_secs_f64())
    };
    rounds_in(crate::WARM_UP).context("while warming up")?;
    rounds_in(measured)
}
