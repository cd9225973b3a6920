//! PostgreSQL: a cluster for one run, and as many connections as Byline has.

use std::{fs, path::Path, str::FromStr, time::Duration};

use anyhow::{Context, Result, ensure};
use byline::{accounts::profile::Punctuation, database::DatabaseConfig, posts::domain::markdown};
use byline_cluster::{Binaries, Cluster, Options};
use sqlx::{ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};

use super::{FIND, INSERT, LIST, LIST_ROWS, Loop, NEWEST, Work, cleaning, migrate};
use crate::{
    cores::Cores,
    load::{self, Worker},
    meter::Meter,
    post,
};

/// The database that is read, and the copies that Byline and the loops write to.
const POSTS: &str = "posts";
const COPY: &str = "create";
const LOOP: &str = "loop";

/// As many as Byline opens, unless told otherwise.
const CONNECTIONS: usize = DatabaseConfig::CONNECTIONS as usize;

/// The lock that keeps events in order.
const COMMIT_ORDER_LOCK: i64 = 0x6279_6c69_6e65;
/// Adds an event and notifies listeners.
const RECORD: &str = "
    WITH event AS (
        INSERT INTO events (kind, post_id, owner)
        SELECT $1, $2, $3 FROM pg_advisory_xact_lock($4)
        RETURNING id, kind, post_id AS post, owner)
    SELECT id FROM event, pg_notify($5, to_jsonb(event)::text)";

/// A server that runs until this is dropped.
pub(super) struct Server {
    cluster: Cluster,
    cores: Cores,
    count: u64,
}

/// What one connection does over and over.
#[derive(Clone, Copy)]
enum Statements {
    List,
    Find,
    Create,
    /// A post alone: the least that can be committed.
    Insert,
}

impl Server {
    pub(super) async fn start(byline: &Path, cores: Cores, count: u64) -> Result<Self> {
        let binaries = Binaries::find()?;
        let options = Options { durable: true, ..Options::default() };
        let cluster = cores.among_servers(|| Cluster::start(&binaries, options))?;
        let server = Self { cluster, cores, count };
        server.cluster.create_database(POSTS)?;
        migrate(byline, &server.url())?;
        server.fill().await?;
        // What a server finds time for sooner or later is done before it is measured.
        server.cluster.psql(POSTS, "VACUUM ANALYZE")?;
        server.cluster.psql(POSTS, "CHECKPOINT")?;
        Ok(server)
    }

    pub(super) fn describe(&self) -> String {
        format!("PostgreSQL {}, each commit synced, else as it comes", self.cluster.binaries().version())
    }

    pub(super) fn url(&self) -> String {
        self.cluster.url(POSTS)
    }

    pub(super) fn process(&self) -> Result<u32> {
        let file = self.cluster.folder().join("data/postmaster.pid");
        let text = fs::read_to_string(file).context("PostgreSQL does not run")?;
        Ok(text.lines().next().unwrap_or_default().trim().parse()?)
    }

    pub(super) fn copy(&self) -> Result<String> {
        self.copy_to(COPY)?;
        Ok(self.cluster.url(COPY))
    }

    fn copy_to(&self, name: &str) -> Result<()> {
        // Of a server that was killed, connections may be left for a moment.
        self.cluster.psql(
            "postgres",
            &format!(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{POSTS}'"
            ),
        )?;
        self.cluster.psql("postgres", &format!("DROP DATABASE IF EXISTS \"{name}\" WITH (FORCE)"))?;
        // By files, so that copying leaves nothing in the log to be written later.
        let copy = format!("CREATE DATABASE \"{name}\" TEMPLATE {POSTS} STRATEGY FILE_COPY");
        self.cluster.psql("postgres", &copy)?;
        self.cluster.psql("postgres", "CHECKPOINT")?;
        Ok(())
    }

    /// Crashes the server first.
    pub(super) async fn copy_has(&self, ids: &[String]) -> Result<bool> {
        self.cores.among_servers(|| self.cluster.restart_immediately())?;
        let mut db = self.connect(COPY).await?;
        let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM posts WHERE id = ANY($1)")
            .bind(ids)
            .fetch_one(&mut db)
            .await?;
        db.close().await?;
        Ok(usize::try_from(count)? == ids.len())
    }

    pub(super) fn clean(&self) -> Result<()> {
        self.cluster.psql(POSTS, &cleaning(self.count))?;
        for table in ["posts", "users", "sessions", "events"] {
            self.cluster.psql(POSTS, &format!("VACUUM {table}"))?;
        }
        self.cluster.psql(POSTS, "CHECKPOINT")?;
        Ok(())
    }

    pub(super) async fn bare(&self, work: Work, measured: Duration, all: bool) -> Result<Vec<Loop>> {
        let (database, loops): (_, &[_]) = match work {
            Work::List => (POSTS, &[("list of 20", Statements::List)]),
            Work::Read => (POSTS, &[("one post", Statements::Find)]),
            Work::Create => {
                self.copy_to(LOOP)?;
                (LOOP, &[("post, event and NOTIFY", Statements::Create), ("post alone", Statements::Insert)])
            }
        };
        let mut done = Vec::new();
        for (name, statements) in loops {
            for connections in [CONNECTIONS, 1] {
                if !all && !done.is_empty() {
                    continue;
                }
                // No two workers ever add the same post.
                let first_worker = done.len() * CONNECTIONS + 1;
                let mut workers = Vec::new();
                for worker in first_worker..first_worker + connections {
                    let db = self.connect(database).await?;
                    let round = (worker as u64) << 32;
                    workers.push(Looping { db, statements: *statements, count: self.count, round });
                }
                let meter = Meter { servers: Vec::new(), postgres: Some(self.process()?) };
                let (rate, workers) = load::run(workers, &meter, measured).await?;
                for worker in workers {
                    worker.db.close().await?;
                }
                done.push(Loop {
                    name: (*name).to_owned(),
                    connections,
                    per_second: rate.per_second,
                    cpu: vec![rate.once(rate.cpu.load), rate.once(rate.cpu.postgres)],
                });
            }
        }
        Ok(done)
    }

    async fn connect(&self, database: &str) -> Result<PgConnection> {
        let options = PgConnectOptions::from_str(&self.cluster.url(database))?;
        Ok(options.disable_statement_logging().connect().await?)
    }

    /// Adds the authors and the posts.
    async fn fill(&self) -> Result<()> {
        let mut db = self.connect(POSTS).await?;
        let mut users =
            db.copy_in_raw("COPY users (id, username, email, password_hash, created_at) FROM STDIN").await?;
        for number in 0..post::AUTHORS {
            let (id, name, since) = (post::owner_id(number), post::owner(number), post::created_at(0));
            users.send(format!("{id}\t{name}\t{name}@example.org\t!\t{since}\n").into_bytes()).await?;
        }
        users.finish().await?;

        let mut posts = db
            .copy_in_raw(
                "COPY posts (id, owner_id, title, excerpt, content, version, created_at, updated_at) FROM STDIN",
            )
            .await?;
        for number in 0..self.count {
            let (id, owner, title) = (post::id(number), post::owner_id(number), post::title(number));
            let content = post::content(number);
            // All that has to be escaped in it.
            let [excerpt, content] =
                [post::excerpt(&content), &content].map(|text| text.replace('\n', "\\n"));
            let at = post::created_at(number);
            let row = format!("{id}\t{owner}\t{title}\t{excerpt}\t{content}\t1\t{at}\t{at}\n");
            posts.send(row.into_bytes()).await?;
        }
        posts.finish().await?;
        for statement in post::ADDRESSES {
            sqlx::query(statement).execute(&mut db).await?;
        }
        let knows_renderings: bool =
            sqlx::query_scalar("SELECT to_regclass('rendered_posts') IS NOT NULL").fetch_one(&mut db).await?;
        if knows_renderings {
            // As it saves them; else it would do so while it is measured.
            let mut rendered =
                db.copy_in_raw("COPY rendered_posts (post_id, renderer, html) FROM STDIN").await?;
            for number in 0..self.count {
                let (id, html) = (post::id(number), post::html(number).replace('\n', "\\n"));
                rendered
                    .send(
                        format!("{id}\t{}\t{html}\n", markdown::renderer(Punctuation::default()))
                            .into_bytes(),
                    )
                    .await?;
            }
            rendered.finish().await?;
        }
        Ok(db.close().await?)
    }
}

/// A connection, and what it does.
struct Looping {
    db: PgConnection,
    statements: Statements,
    /// How many posts there are to read.
    count: u64,
    round: u64,
}

impl Worker for Looping {
    async fn once(&mut self) -> Result<()> {
        self.round += 1;
        match self.statements {
            Statements::List => self.list().await,
            Statements::Find => self.find().await,
            Statements::Create => self.create().await,
            Statements::Insert => insert(&mut self.db, self.round).await,
        }
    }
}

/// A row of either reading statement.
type Row = (String, String, String, String, i64, i64, i64);

impl Looping {
    async fn list(&mut self) -> Result<()> {
        let newest: i64 = sqlx::query_scalar(NEWEST).fetch_one(&mut self.db).await?;
        std::hint::black_box(newest);
        let rows: Vec<Row> = sqlx::query_as(LIST).bind(LIST_ROWS).fetch_all(&mut self.db).await?;
        let expected = self.count.min(LIST_ROWS.unsigned_abs());
        ensure!(rows.len() as u64 == expected, "the list has {} rows", rows.len());
        Ok(())
    }

    async fn find(&mut self) -> Result<()> {
        let id = post::id(post::scattered(self.round, self.count));
        let row: Row = sqlx::query_as(FIND).bind(&id).fetch_one(&mut self.db).await?;
        ensure!(row.0 == id, "another post was found");
        Ok(())
    }

    async fn create(&mut self) -> Result<()> {
        let number = self.round;
        sqlx::raw_sql("BEGIN ISOLATION LEVEL REPEATABLE READ").execute(&mut self.db).await?;
        insert(&mut self.db, number).await?;
        let event: i64 = sqlx::query_scalar(RECORD)
            .bind("created")
            .bind(post::id(number))
            .bind(post::owner(number))
            .bind(COMMIT_ORDER_LOCK)
            .bind("byline_events")
            .fetch_one(&mut self.db)
            .await?;
        std::hint::black_box(event);
        sqlx::raw_sql("COMMIT").execute(&mut self.db).await?;
        Ok(())
    }
}

async fn insert(db: &mut PgConnection, number: u64) -> Result<()> {
    let content = post::content(number);
    sqlx::query(INSERT)
        .bind(post::id(number))
        .bind(post::owner_id(number))
        .bind(post::title(number))
        .bind(post::excerpt(&content))
        .bind(&content)
        .bind(post::created_at(number))
        .execute(db)
        .await?;
    Ok(())
}
