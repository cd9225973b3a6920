//! SQLite: a file that is kept between runs, and one thread.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use byline::{accounts::profile::Punctuation, posts::domain::markdown};
use rusqlite::{Connection, OpenFlags, Statement, params};

use super::{FIND, INSERT, LIST, LIST_ROWS, Loop, NEWEST, Work, cleaning, migrate};
use crate::{AUTHORS, load::WARM_UP, meter, post};

/// The name of the copy that Byline writes to.
pub(super) const COPY: &str = "create.db";

const RECORD: &str = "INSERT INTO events (kind, post_id, owner) VALUES ($1, $2, $3) RETURNING id";

/// A database of posts, at rest.
pub(super) struct File {
    path: PathBuf,
    count: u64,
}

impl File {
    pub(super) fn prepare(byline: &Path, folder: &Path, count: u64) -> Result<Self> {
        let renderer = markdown::renderer(Punctuation::default());
        let file = Self { path: folder.join(format!("rendered-{renderer}-{count}.db")), count };
        if !file.path.exists() || migrate(byline, &file.url()).is_err() {
            let unfinished = folder.join("unfinished.db");
            remove(&unfinished)?;
            migrate(byline, &url(&unfinished))?;
            fill(&unfinished, count)?;
            remove(&file.path)?;
            fs::rename(&unfinished, &file.path)?;
        }
        Ok(file)
    }

    pub(super) fn url(&self) -> String {
        url(&self.path)
    }

    pub(super) fn copy(&self, name: &str) -> Result<PathBuf> {
        let copy = self.path.with_file_name(name);
        remove(&copy)?;
        // Brings what a killed server left in the log into the file.
        open(&self.path)?.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        fs::copy(&self.path, &copy)?;
        Ok(copy)
    }

    pub(super) fn copy_has(&self, ids: &[String]) -> Result<bool> {
        let db = open(&self.path.with_file_name(COPY))?;
        let mut find = db.prepare("SELECT 1 FROM posts WHERE id = $1")?;
        for id in ids {
            if !find.exists([id])? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn clean(&self) -> Result<()> {
        let db = open(&self.path)?;
        db.execute_batch(&cleaning(self.count))?;
        Ok(db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
    }

    pub(super) fn bare(&self, work: Work, measured: Duration, all: bool) -> Result<Vec<Loop>> {
        Ok(match work {
            Work::List => vec![self.lists(measured)?],
            Work::Read => vec![reads(&self.path, self.count, measured)?],
            Work::Create => {
                let mut loops = vec![self.creates(1, measured)?];
                if all {
                    loops.push(self.creates(AUTHORS, measured)?);
                }
                loops
            }
        })
    }

    fn lists(&self, measured: Duration) -> Result<Loop> {
        let db = open(&self.path)?;
        let (mut newest, mut list) = (db.prepare(NEWEST)?, db.prepare(LIST)?);
        let expected = self.count.min(LIST_ROWS.unsigned_abs());
        repeat("list of 20".to_owned(), 1, measured, |_| {
            read(&mut newest, params![])?;
            let rows = read(&mut list, params![LIST_ROWS])?;
            ensure!(rows == expected, "the list has {rows} rows");
            Ok(())
        })
    }

    /// So many posts in each commit, each with its event.
    fn creates(&self, posts_per_commit: u64, measured: Duration) -> Result<Loop> {
        let db = open(&self.copy("loop.db")?)?;
        let (mut insert, mut record) = (db.prepare(INSERT)?, db.prepare(RECORD)?);
        let name = match posts_per_commit {
            1 => "1 post a commit".to_owned(),
            many => format!("{many} posts a commit"),
        };
        repeat(name, posts_per_commit, measured, |round| {
            db.execute_batch("BEGIN IMMEDIATE")?;
            let first = self.count + round * posts_per_commit;
            for number in first..first + posts_per_commit {
                add(&mut insert, number)?;
                read(&mut record, params!["created", post::id(number), post::owner(number)])?;
            }
            Ok(db.execute_batch("COMMIT")?)
        })
    }
}

/// Reads posts one by one, each time another.
fn reads(path: &Path, count: u64, measured: Duration) -> Result<Loop> {
    let db = open(path)?;
    let mut find = db.prepare(FIND)?;
    repeat("one post".to_owned(), 1, measured, |round| {
        let rows = read(&mut find, params![post::id(post::scattered(round, count))])?;
        ensure!(rows == 1, "a post has {rows} rows");
        Ok(())
    })
}

/// The same in a separate process, which prints how many it read in a second.
pub(crate) fn say_reads(path: &Path, count: u64, measured: Duration) -> Result<()> {
    println!("{}", reads(path, count, measured)?.per_second);
    Ok(())
}

pub(super) fn url(path: &Path) -> String {
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

/// Adds the authors and the posts, in one transaction. Nothing is logged,
/// since what a crash spoils is made anew, and the indexes are made last,
/// each in one go.
fn fill(path: &Path, count: u64) -> Result<()> {
    let mut db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    for (name, value) in [("journal_mode", "OFF"), ("synchronous", "OFF"), ("cache_size", "-262144")] {
        db.pragma_update(None, name, value)?;
    }
    let indexes: Vec<(String, String)> = {
        let mut named = db.prepare(
            "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'posts' AND sql IS NOT NULL",
        )?;
        named.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?
    };
    let transaction = db.transaction()?;
    for (name, _) in &indexes {
        transaction.execute_batch(&format!("DROP INDEX \"{name}\""))?;
    }
    {
        let mut insert = transaction.prepare(
            "INSERT INTO users (id, username, email, password_hash, created_at) VALUES ($1, $2, $3, '!', $4)",
        )?;
        for number in 0..post::AUTHORS {
            let name = post::owner(number);
            let email = format!("{name}@example.org");
            insert.execute(params![post::owner_id(number), name, email, post::created_at(0)])?;
        }
        let mut insert = transaction.prepare(INSERT)?;
        for number in 0..count {
            add(&mut insert, number)?;
        }
        for statement in post::ADDRESSES {
            transaction.execute(statement, [])?;
        }
        if knows_renderings(&transaction)? {
            // As it saves them; else it would do so while it is measured.
            let mut insert = transaction
                .prepare("INSERT INTO rendered_posts (post_id, renderer, html) VALUES ($1, $2, $3)")?;
            let renderer = markdown::renderer(Punctuation::default());
            for number in 0..count {
                insert.execute(params![post::id(number), renderer, post::html(number)])?;
            }
        }
    }
    for (_, sql) in &indexes {
        transaction.execute_batch(sql)?;
    }
    transaction.commit()?;
    drop(db);
    open(path)?;
    Ok(fs::File::open(path)?.sync_all()?)
}

/// Whether this Byline stores what becomes of a text.
fn knows_renderings(db: &Connection) -> Result<bool> {
    let query = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'rendered_posts')";
    Ok(db.query_row(query, [], |row| row.get(0))?)
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

/// Does something over and over, first to warm up, that counts as `each`. It
/// is told which time it is, from 0.
fn repeat(
    name: String,
    each: u64,
    measured: Duration,
    mut once: impl FnMut(u64) -> Result<()>,
) -> Result<Loop> {
    let mut round = 0;
    let mut rounds_in = |time: Duration| -> Result<(f64, Duration)> {
        let (first, start, cpu) = (round, Instant::now(), meter::of_this_thread()?);
        while start.elapsed() < time {
            once(round)?;
            round += 1;
        }
        let done = ((round - first) * each) as f64;
        let cpu = meter::of_this_thread()? - cpu;
        Ok((done / start.elapsed().as_secs_f64(), cpu.div_f64(done)))
    };
    rounds_in(WARM_UP).context("while warming up")?;
    let (per_second, cpu) = rounds_in(measured)?;
    Ok(Loop { name, connections: 1, per_second, cpu: vec![cpu] })
}
