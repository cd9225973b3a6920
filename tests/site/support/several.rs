//! Several processes that are one site.

use std::net::SocketAddr;

use futures::future::join_all;
use tokio::net::TcpListener;

use super::{Byline, Client, Probe, RoundRobin, TestDatabase, process::Served};

/// `byline serve` a few times on one database, behind one address.
pub struct Several {
    processes: Vec<Option<Served>>,
    addresses: Vec<SocketAddr>,
    door: RoundRobin,
    public_url: String,
    _folder: Byline,
    // Last: what uses it goes first.
    pub database: TestDatabase,
}

impl Several {
    /// Starts them all at once, on a database that may be empty.
    pub async fn start(database: TestDatabase, count: usize, arguments: &[&str]) -> Self {
        Self::start_called(database, count, "127.0.0.1", arguments).await
    }

    /// The same where the site's address has that host.
    pub async fn start_called(database: TestDatabase, count: usize, host: &str, arguments: &[&str]) -> Self {
        let door = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let public_url = format!("http://{host}:{}", door.local_addr().expect("an address").port());
        let mut all = database.flags();
        all.extend(["--public-url", &public_url]);
        all.extend(arguments);
        let folder = Byline::in_an_empty_folder();
        let processes = join_all((0..count).map(|_| folder.serve(&all))).await;
        let addresses: Vec<_> = processes.iter().map(|process| process.address).collect();
        let processes = processes.into_iter().map(Some).collect();
        let door = RoundRobin::over(door, addresses.clone());
        Self { processes, addresses, door, public_url, _folder: folder, database }
    }

    /// The site's own address.
    pub fn origin(&self) -> &str {
        &self.public_url
    }

    /// Somebody with a browser who meets another process each time.
    pub fn browser(&self) -> Client {
        Client::browser(self.door.address, false)
    }

    /// The same person at that process.
    pub fn at(&self, client: &Client, process: usize) -> Client {
        client.at(self.addresses[process])
    }

    /// The same person at each process.
    pub fn at_each(&self, client: &Client) -> Vec<Client> {
        self.addresses.iter().map(|address| client.at(*address)).collect()
    }

    /// A new author, who meets another process each time.
    pub async fn author(&self, username: &str) -> Client {
        let mut browser = self.browser();
        let answer = browser.sign_up(username).await;
        assert_eq!(answer.status, 303, "{username} signs up: {}", answer.text());
        browser
    }

    /// What the table of events says: id, and what happened to which post of whom.
    pub async fn events(&self) -> Vec<(i64, (String, String, String))> {
        let Probe::Postgres(db) = &mut self.database.probe().await else { panic!("a server") };
        let rows: Vec<(i64, String, String, String)> =
            sqlx::query_as("SELECT id, kind, post_id, owner FROM events ORDER BY id")
                .fetch_all(db)
                .await
                .expect("the events");
        rows.into_iter().map(|(id, kind, post, owner)| (id, (kind, post, owner))).collect()
    }

    /// Kills one process.
    pub async fn kill(&mut self, process: usize) {
        self.processes[process].take().expect("it runs").kill().await;
    }

    /// Stops those that run, in order; none of them has met an error of its own.
    pub async fn stop(self) -> TestDatabase {
        self.stop_and_read().await.0
    }

    /// As [`Self::stop`]; also returns the logs.
    pub async fn stop_and_read(self) -> (TestDatabase, String) {
        let stopped = self.processes.into_iter().flatten().map(Served::terminate);
        let log = join_all(stopped).await.concat();
        for bad in ["internal error", "panic"] {
            assert!(!log.contains(bad), "{log}");
        }
        (self.database, log)
    }
}
