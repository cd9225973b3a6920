//! A site that runs.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use axum::Router;
use byline::{
    accounts::server::hashing::Cost,
    server::{Site, config::Config, listener, router::router},
};
use sqlx::{AssertSqlSafe, ConnectOptions, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use super::{Client, in_time};

/// A site of its own: a port, a database file in a folder that goes when it does.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// What its requests share.
    pub site: Site,
    https: bool,
    folder: TempDir,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

impl Running {
    /// A fresh site on plain http, as on somebody's laptop.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self::over(folder, None, Cost::FLOOR).await
    }

    /// A fresh site that browsers reach through https.
    pub async fn start_behind_https() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self::over(folder, Some("https://byline.example"), Cost::FLOOR).await
    }

    /// The same database after a restart with another cost of passwords.
    pub async fn restart_with(self, cost: Cost) -> Self {
        self.stop.send(()).expect("the site still runs");
        in_time("the site to stop", self.served).await.expect("the listener ends well");
        self.site.database.close().await;
        Self::over(self.folder, None, cost).await
    }

    async fn over(folder: TempDir, public_url: Option<&str>, argon2: Cost) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let public_url = public_url.map_or_else(|| format!("http://{address}"), str::to_owned);
        let config = Config {
            listen: address,
            database_url: format!("sqlite://{}", database_file(&folder).display()).parse().expect("a URL"),
            public_url: public_url.parse().expect("a URL"),
            argon2,
            trusted_proxies: Vec::new(),
        };
        let site = Site::open(&config).await.expect("the site opens");
        let (stop, served) = serve(listener, router(site.clone()));
        Self { address, site, https: public_url.starts_with("https"), folder, stop, served }
    }

    /// Somebody with a browser, not signed in.
    pub fn browser(&self) -> Client {
        Client::browser(self.address, self.https)
    }

    /// A program, not signed in.
    pub fn script(&self) -> Client {
        self.browser().as_script()
    }

    /// A new author in a browser.
    pub async fn author(&self, username: &str) -> Client {
        let mut browser = self.browser();
        let answer = browser.sign_up(username).await;
        assert_eq!(answer.status, 303, "{username} signs up: {}", answer.text());
        browser
    }

    /// Our own connection to the database file.
    pub async fn database(&self) -> SqliteConnection {
        SqliteConnectOptions::new()
            .filename(database_file(&self.folder))
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5))
            .connect()
            .await
            .expect("the database file opens")
    }

    /// Every byte of the database, what is still in its log included.
    pub fn database_bytes(&self) -> Vec<u8> {
        let files = std::fs::read_dir(self.folder.path()).expect("the folder of the database");
        let mut paths: Vec<PathBuf> = files.map(|entry| entry.expect("a file").path()).collect();
        paths.sort();
        paths.into_iter().flat_map(|path| std::fs::read(path).expect("a readable file")).collect()
    }

    /// Every row of every table, as text. Equal dumps mean that nothing changed.
    pub async fn dump(&self) -> String {
        let mut db = self.database().await;
        let tables: Vec<String> =
            sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
                .fetch_all(&mut db)
                .await
                .expect("the tables");
        let mut dump = String::new();
        for table in tables {
            let columns: Vec<String> =
                sqlx::query_scalar("SELECT 'quote(' || name || ')' FROM pragma_table_info($1)")
                    .bind(&table)
                    .fetch_all(&mut db)
                    .await
                    .expect("the columns");
            let rows = format!("SELECT concat_ws(', ', {}) FROM {table} ORDER BY 1", columns.join(", "));
            let rows: Vec<String> =
                sqlx::query_scalar(AssertSqlSafe(rows)).fetch_all(&mut db).await.expect("the rows");
            dump.push_str(&format!("{table}:\n  {}\n", rows.join("\n  ")));
        }
        dump
    }

    /// The one number that a query gives.
    pub async fn count(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query).fetch_one(&mut self.database().await).await.expect("a number")
    }

    /// Changes rows behind the site's back.
    pub async fn tamper(&self, statement: &'static str) {
        let done = sqlx::query(statement).execute(&mut self.database().await).await.expect("a change");
        assert!(done.rows_affected() > 0, "{statement} changed nothing");
    }

    /// A post as it is stored.
    pub async fn stored_post(&self, id: &str) -> Option<StoredPost> {
        sqlx::query_as(
            "SELECT u.username AS owner, p.title, p.content, p.version
             FROM posts p JOIN users u ON u.id = p.owner_id WHERE p.id = $1",
        )
        .bind(id)
        .fetch_optional(&mut self.database().await)
        .await
        .expect("a post or none")
    }
}

/// A row of `posts`.
#[derive(Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct StoredPost {
    pub owner: String,
    pub title: String,
    pub content: String,
    pub version: i64,
}

/// Serves a router with the real listener, until the sender speaks or is dropped.
pub fn serve(listener: TcpListener, router: Router) -> (oneshot::Sender<()>, JoinHandle<()>) {
    let (stop, stopped) = oneshot::channel();
    let served = tokio::spawn(listener::serve(listener, router, async move {
        let _ = stopped.await;
    }));
    (stop, served)
}

fn database_file(folder: &TempDir) -> PathBuf {
    folder.path().join("byline.db")
}
