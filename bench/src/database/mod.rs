//! The posts that everything reads, and the bare database: loops that run only
//! Byline's statements.

mod postgres;
mod sqlite;

use std::{path::Path, process::Command, time::Duration};

use anyhow::{Result, ensure};
use clap::ValueEnum;

use crate::{cores::Cores, post};

/// One row more than a page shows.
const LIST_ROWS: i64 = 21;

// As in `posts::domain::store` and `events::store`.
const NEWEST: &str = "SELECT COALESCE(MAX(id), 0) FROM events";
const LIST: &str = "
    SELECT p.id, p.title, p.excerpt, u.username AS owner, p.version, p.created_at, p.updated_at
    FROM posts p JOIN users u ON u.id = p.owner_id WHERE TRUE
    ORDER BY p.created_at DESC, p.id DESC LIMIT $1";
const FIND: &str = "
    SELECT p.id, p.title, p.content, u.username AS owner, p.version, p.created_at, p.updated_at
    FROM posts p JOIN users u ON u.id = p.owner_id
    WHERE p.id = $1";
const INSERT: &str = "
    INSERT INTO posts (id, owner_id, title, excerpt, content, version, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, 1, $6, $6)";

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Engine {
    /// A file
    Sqlite,
    /// A server of its own, started for this run, with the settings it comes with
    Postgres,
}

impl Engine {
    /// As people write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// Byline's statements, run without Byline.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Work {
    /// Reads the first page of the list.
    List,
    /// Reads a post, each time another.
    Read,
    /// Publishes a post.
    Create,
}

/// A loop of bare statements, and how fast it was.
pub(crate) struct Loop {
    pub(crate) name: String,
    /// How many do it at the same time.
    pub(crate) connections: usize,
    /// How often it was done in a second, by all together.
    pub(crate) per_second: f64,
    /// The time on cores that one took, here and in PostgreSQL.
    pub(crate) cpu: Vec<Duration>,
}

/// Posts, numbered from 0, in a database of their own.
pub(crate) struct Posts {
    pub(crate) count: u64,
    store: Store,
}

enum Store {
    Sqlite(sqlite::File),
    Postgres(postgres::Server),
}

impl Posts {
    /// Makes the database, or takes the file of an earlier run if this Byline
    /// can still use it.
    pub(crate) async fn prepare(
        engine: Engine,
        byline: &Path,
        folder: &Path,
        cores: Cores,
        count: u64,
    ) -> Result<Self> {
        let store = match engine {
            Engine::Sqlite => Store::Sqlite(sqlite::File::prepare(byline, folder, count)?),
            Engine::Postgres => Store::Postgres(postgres::Server::start(byline, cores, count).await?),
        };
        Ok(Self { count, store })
    }

    /// The engine with its version, and how it is set up.
    pub(crate) fn describe(&self) -> String {
        match &self.store {
            Store::Sqlite(_) => format!("SQLite {}, each commit synced", rusqlite::version()),
            Store::Postgres(server) => server.describe(),
        }
    }

    /// As Byline's setting names it. Nothing but keys and sessions is written
    /// to it for longer than one measurement.
    pub(crate) fn url(&self) -> String {
        match &self.store {
            Store::Sqlite(file) => file.url(),
            Store::Postgres(server) => server.url(),
        }
    }

    /// PostgreSQL's first process.
    pub(crate) fn process(&self) -> Result<Option<u32>> {
        match &self.store {
            Store::Sqlite(_) => Ok(None),
            Store::Postgres(server) => server.process().map(Some),
        }
    }

    /// A copy to write to, as Byline's setting names it, in place of an earlier one.
    pub(crate) fn copy(&self) -> Result<String> {
        match &self.store {
            Store::Sqlite(file) => file.copy(sqlite::COPY).map(|path| sqlite::url(&path)),
            Store::Postgres(server) => server.copy(),
        }
    }

    /// Takes out what a measurement has put in: posts, accounts and events.
    pub(crate) fn clean(&self) -> Result<()> {
        match &self.store {
            Store::Sqlite(file) => file.clean(),
            Store::Postgres(server) => server.clean(),
        }
    }

    /// The file with everything in it, where it is one.
    pub(crate) fn file(&self) -> Option<&Path> {
        match &self.store {
            Store::Sqlite(file) => Some(file.path()),
            Store::Postgres(_) => None,
        }
    }

    /// Whether every one of these posts is in the copy, once what has been
    /// killed is started again.
    pub(crate) async fn copy_has(&self, ids: &[String]) -> Result<bool> {
        match &self.store {
            Store::Sqlite(file) => file.copy_has(ids),
            Store::Postgres(server) => server.copy_has(ids).await,
        }
    }

    /// Runs loops of bare statements. The first is the one that Byline is
    /// compared with; unless `all` are wanted, it is the only one.
    pub(crate) async fn bare(&self, work: Work, measured: Duration, all: bool) -> Result<Vec<Loop>> {
        match &self.store {
            Store::Sqlite(file) => file.bare(work, measured, all),
            Store::Postgres(server) => server.bare(work, measured, all).await,
        }
    }
}

pub(crate) use sqlite::say_reads;

/// Takes out of a database what [`Posts`] did not put in. The newest event
/// stays, so that its number is not given again.
fn cleaning(count: u64) -> String {
    format!(
        "DELETE FROM posts WHERE created_at > {};
         DELETE FROM users WHERE username LIKE 'bench%';
         DELETE FROM events WHERE id < (SELECT MAX(id) FROM events);",
        post::created_at(count)
    )
}

/// Creates the schema or brings it up to date.
fn migrate(byline: &Path, url: &str) -> Result<()> {
    let output = Command::new(byline).args(["migrate", "--database-url", url]).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
