//! The database of a site, seen from beside it: with separate connections, never with
//! those of the site.
//!
//! A file of SQLite, unless `SITE_TEST_POSTGRES` names a PostgreSQL, which then has a
//! database for every test.

use std::{path::PathBuf, time::Duration};

use byline::database::{DatabaseConfig, DatabaseUrl};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, PgConnection, SqliteConnection, postgres::PgConnectOptions,
    sqlite::SqliteConnectOptions,
};
use tempfile::TempDir;

/// A database that is removed at the end of the test.
pub struct TestDatabase {
    place: Place,
    url: String,
    /// The URL by which a site reaches it, if another.
    pooler: Option<String>,
}

enum Place {
    File(TempDir),
    Server(String),
    /// Made and kept by another owner.
    Borrowed,
}

/// A separate connection, beside the site's.
pub enum Probe {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

macro_rules! probe {
    ($probe:expr, $db:ident => $statement:expr) => {
        match $probe {
            Probe::Sqlite($db) => $statement,
            Probe::Postgres($db) => $statement,
        }
    };
}

impl TestDatabase {
    /// An empty one, on the engine that this run is about.
    pub async fn fresh() -> Self {
        match std::env::var("SITE_TEST_POSTGRES") {
            Ok(server) => Self::on_server(&server).await,
            Err(_) => Self::in_a_file(),
        }
    }

    /// A file that does not exist yet.
    pub fn in_a_file() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite://{}", folder.path().join("byline.db").display());
        Self { place: Place::File(folder), url, pooler: None }
    }

    /// A new database beside the one that `server` names.
    pub async fn on_server(server: &str) -> Self {
        let name = format!("site_{}", uuid::Uuid::new_v4().simple());
        let create = format!("CREATE DATABASE {name}");
        sqlx::raw_sql(AssertSqlSafe(create)).execute(&mut postgres(server).await).await.expect("a database");
        let url = format!("{}/{name}", server.rsplit_once('/').expect("a database in the URL").0);
        // The address of a pooler in front of the server, to run every test through it.
        let pooler = std::env::var("SITE_TEST_POOLER").ok();
        let pooler = pooler.map(|address| format!("postgres://byline@{address}/{name}"));
        Self { place: Place::Server(server.to_owned()), url, pooler }
    }

    /// One that has another owner.
    pub fn at(url: &str) -> Self {
        Self { place: Place::Borrowed, url: url.to_owned(), pooler: None }
    }

    /// The same, which a site reaches through the pooler at `url`, and the tests as before.
    pub fn behind(mut self, url: String) -> Self {
        self.pooler = Some(url);
        self
    }

    /// As a site in this process takes it.
    pub fn config(&self) -> DatabaseConfig {
        match &self.pooler {
            None => DatabaseConfig::of(self.url()),
            Some(pooler) => DatabaseConfig {
                listen: Some(self.url()),
                ..DatabaseConfig::of(pooler.parse().expect("a URL"))
            },
        }
    }

    /// As `byline` takes it.
    pub fn flags(&self) -> Vec<&str> {
        match &self.pooler {
            None => vec!["--database-url", &self.url],
            Some(pooler) => vec!["--database-url", pooler, "--database-listen-url", &self.url],
        }
    }

    /// As the settings of a site take it.
    pub fn url(&self) -> DatabaseUrl {
        self.url.parse().expect("a URL")
    }

    pub fn server(&self) -> &str {
        match &self.place {
            Place::Server(server) => server,
            Place::File(_) | Place::Borrowed => panic!("{} is on no server of ours", self.url),
        }
    }

    /// As the settings of a process take it.
    pub fn url_text(&self) -> &str {
        &self.url
    }

    /// Opens a separate connection.
    pub async fn probe(&self) -> Probe {
        if self.url.starts_with("sqlite:") {
            let options: SqliteConnectOptions = self.url.parse().expect("a URL");
            let options = options.foreign_keys(true).busy_timeout(Duration::from_secs(5));
            Probe::Sqlite(options.connect().await.expect("the database file opens"))
        } else {
            Probe::Postgres(postgres(&self.url).await)
        }
    }

    /// The file, where it is one.
    pub fn file(&self) -> PathBuf {
        PathBuf::from(self.url.strip_prefix("sqlite://").expect("a file"))
    }

    /// Everything stored, as it lies on the disk or as a dump would have it.
    pub async fn bytes(&self) -> Vec<u8> {
        let Place::File(folder) = &self.place else { return self.dump_of(&[]).await.into_bytes() };
        let files = std::fs::read_dir(folder.path()).expect("the folder of the database");
        let mut paths: Vec<PathBuf> = files.map(|entry| entry.expect("a file").path()).collect();
        paths.sort();
        paths.into_iter().flat_map(|path| std::fs::read(path).expect("a readable file")).collect()
    }

    /// Every row of every table, as text, but for what is only noted: the count of
    /// changes to credentials, guesses, and the audit log. Equal dumps mean that
    /// nothing changed.
    pub async fn dump(&self) -> String {
        self.dump_of(&["attempts", "audit", "credential_changes", "known_devices"]).await
    }

    async fn dump_of(&self, excluded: &[&str]) -> String {
        let mut probe = self.probe().await;
        let mut dump = String::new();
        let is_excluded = |table: &str| excluded.contains(&table) || is_index_of_searches(table);
        for table in probe.tables().await.into_iter().filter(|table| !is_excluded(table)) {
            let row = match &mut probe {
                Probe::Sqlite(_) => {
                    let columns = format!("SELECT 'quote(' || name || ')' FROM pragma_table_info('{table}')");
                    format!("concat_ws(', ', {})", probe.texts(&columns).await.join(", "))
                }
                Probe::Postgres(_) => format!("\"{table}\"::text"),
            };
            let rows = probe.texts(&format!("SELECT {row} FROM {table} ORDER BY 1")).await;
            dump.push_str(&format!("{table}:\n  {}\n", rows.join("\n  ")));
        }
        dump
    }

    /// The single number that a query returns.
    pub async fn count(&self, query: &str) -> i64 {
        self.probe().await.number(query).await
    }

    /// The single text that a query returns.
    pub async fn text(&self, query: &str) -> String {
        let mut texts = self.probe().await.texts(query).await;
        assert_eq!(texts.len(), 1, "{query}");
        texts.remove(0)
    }

    /// Changes rows without the site's knowledge.
    pub async fn tamper(&self, statement: &str) {
        let changed = self.probe().await.execute(statement).await;
        assert!(changed > 0, "{statement} changed nothing");
    }
}

/// The tables of the index of searches, which is made of the posts.
fn is_index_of_searches(table: &str) -> bool {
    table == "searched_posts" || table.starts_with("post_grams")
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let Place::Server(server) = &self.place else { return };
        let (server, url) = (server.clone(), self.url.clone());
        // Dropped inside a runtime that cannot wait here; a thread of its own can.
        let dropped = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async move {
                let name = url.rsplit_once('/').expect("a name").1;
                let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
                let options: PgConnectOptions = server.parse().expect("a URL");
                if let Ok(mut db) = options.connect().await {
                    let _ = sqlx::raw_sql(AssertSqlSafe(drop)).execute(&mut db).await;
                }
            });
        });
        let _ = dropped.join();
    }
}

impl Probe {
    /// The names of all tables.
    pub async fn tables(&mut self) -> Vec<String> {
        let query = match self {
            Self::Sqlite(_) => "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name",
            Self::Postgres(_) => {
                "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
            }
        };
        self.texts(query).await
    }

    /// The single number that a query returns.
    pub async fn number(&mut self, query: &str) -> i64 {
        probe!(self, db => sqlx::query_scalar(AssertSqlSafe(query.to_owned())).fetch_one(db).await)
            .unwrap_or_else(|error| panic!("{query}: {error}"))
    }

    /// The texts of the one column that a query gives.
    pub async fn texts(&mut self, query: &str) -> Vec<String> {
        probe!(self, db => sqlx::query_scalar(AssertSqlSafe(query.to_owned())).fetch_all(db).await)
            .unwrap_or_else(|error| panic!("{query}: {error}"))
    }

    /// Runs a statement; returns how many rows it changed.
    pub async fn execute(&mut self, statement: &str) -> u64 {
        let text = AssertSqlSafe(statement.to_owned());
        let done = probe!(self, db => sqlx::query(text).execute(db).await.map(|done| done.rows_affected()));
        done.unwrap_or_else(|error| panic!("{statement}: {error}"))
    }

    /// Whether the structure of the whole database is sound.
    pub async fn is_sound(&mut self) -> bool {
        match self {
            Self::Sqlite(db) => {
                let said: String =
                    sqlx::query_scalar("PRAGMA integrity_check").fetch_one(db).await.expect("a check");
                said == "ok"
            }
            Self::Postgres(db) => db.ping().await.is_ok(),
        }
    }
}

async fn postgres(url: &str) -> PgConnection {
    let options: PgConnectOptions = url.parse().expect("a URL");
    options.connect().await.unwrap_or_else(|error| panic!("{url}: {error}"))
}
