//! A cluster, from its start to its end.

use std::{
    env,
    fs::{self, OpenOptions},
    io::Write,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{
    binaries::Binaries,
    command::output,
    error::{Error, io},
    port::free_port,
    user::User,
    watchdog::Watchdog,
};

/// The superuser of every cluster.
pub(crate) const ROLE: &str = "byline";

/// How long a server may take until it accepts connections.
pub(crate) const START_LIMIT: Duration = Duration::from_secs(30);

/// What a server logs when its port has been taken in the meantime.
const PORT_TAKEN: &str = "could not bind";

/// The settings of a cluster.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether what was committed outlives the machine's crash. Without, what
    /// was committed is with the operating system, but nothing waits for a
    /// disk: right for tests, wrong for measurements.
    pub durable: bool,
    /// How many connections the server takes at once.
    pub max_connections: u16,
    /// Further settings, name and value as in `postgresql.conf` but without
    /// quotes. They override all others but the port.
    pub settings: Vec<(String, String)>,
}

impl Default for Options {
    /// Not durable, 500 connections (where there are many cores, many tests run at once), nothing further.
    fn default() -> Self {
        Self { durable: false, max_connections: 500, settings: Vec::new() }
    }
}

impl Options {
    /// All settings in the order in which later ones override earlier ones.
    fn settings(&self) -> impl Iterator<Item = (&str, String)> {
        let durable = if self.durable { "on" } else { "off" };
        let own = [
            ("listen_addresses", Ipv4Addr::LOCALHOST.to_string()),
            ("unix_socket_directories", String::new()),
            ("max_connections", self.max_connections.to_string()),
            ("fsync", durable.to_owned()),
            // Always: without, a replica or a crash may miss the last commits.
            ("synchronous_commit", "on".to_owned()),
            ("full_page_writes", durable.to_owned()),
        ];
        let further = self.settings.iter().map(|(name, value)| (name.as_str(), value.clone()));
        own.into_iter().chain(further)
    }
}

/// A running PostgreSQL with a folder and a port of its own. Dropping it stops
/// the server and removes the folder; so does the end of this process.
#[derive(Debug)]
pub struct Cluster {
    binaries: Binaries,
    user: User,
    port: u16,
    // Dropped in this order: first the server ends, then its folder.
    _watchdog: Watchdog,
    folder: TempDir,
}

impl Cluster {
    /// Makes a new cluster and waits until it accepts connections.
    ///
    /// # Errors
    ///
    /// Also where the server is not ready within 30 s.
    pub fn start(binaries: &Binaries, options: Options) -> Result<Self, Error> {
        let mut cluster = Self::prepare(binaries)?;
        output(cluster.command("initdb").arg("--pgdata").arg(cluster.data()).args([
            "--username",
            ROLE,
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        ]))?;
        for (name, value) in options.settings() {
            cluster.set(name, &value)?;
        }
        cluster.start_on_free_port()?;
        Ok(cluster)
    }

    /// Makes a hot standby of this cluster: it follows by streaming, and
    /// answers what only reads. It has this cluster's settings.
    pub fn replica(&self) -> Result<Self, Error> {
        let mut replica = Self::prepare(&self.binaries)?;
        output(
            replica
                .command("pg_basebackup")
                .arg("--pgdata")
                .arg(replica.data())
                .args(["--dbname", &self.url("postgres")])
                .args(["--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync"]),
        )?;
        replica.set("hot_standby", "on")?;
        replica.start_on_free_port()?;
        Ok(replica)
    }

    /// Makes the folder of a cluster, watched over but without data.
    fn prepare(binaries: &Binaries) -> Result<Self, Error> {
        let user = User::choose()?;
        // Root's own folder for such things may be nobody else's.
        let parent = [env::temp_dir(), "/tmp".into(), "/var/tmp".into()];
        let parent = parent.into_iter().find(|folder| user.can_reach(folder)).unwrap_or_else(env::temp_dir);
        let folder = tempfile::Builder::new()
            .prefix("byline-cluster-")
            .tempdir_in(parent)
            .map_err(io("make a folder for PostgreSQL"))?;
        user.own(folder.path())?;
        let watchdog = Watchdog::start(binaries, user, &data_in(folder.path()), folder.path())?;
        Ok(Self { binaries: binaries.clone(), user, port: 0, _watchdog: watchdog, folder })
    }

    /// The address of one of its databases, for a name that needs no escaping.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{ROLE}@{}:{}/{database}", Ipv4Addr::LOCALHOST, self.port)
    }

    /// The port on 127.0.0.1, the same for as long as the cluster lives.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The programs it runs.
    pub fn binaries(&self) -> &Binaries {
        &self.binaries
    }

    pub(crate) fn user(&self) -> User {
        self.user
    }

    /// Its own folder: the data in `data`, the server's log in `log`.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Makes an empty database.
    pub fn create_database(&self, name: &str) -> Result<(), Error> {
        let name = name.replace('"', "\"\"");
        self.psql("postgres", &format!("CREATE DATABASE \"{name}\"")).map(drop)
    }

    /// Runs SQL and returns the rows: one a line, columns divided by `|`.
    /// Several statements are one transaction.
    pub fn psql(&self, database: &str, sql: &str) -> Result<String, Error> {
        psql(&self.binaries, &self.url(database), sql)
    }

    /// Stops the server as a crash would: without a notice or a clean end.
    pub fn stop_immediately(&self) -> Result<(), Error> {
        output(self.pg_ctl("stop").args(["--mode=immediate"])).map(drop)
    }

    /// Starts a stopped server on its port and waits until it has recovered
    /// and accepts connections.
    pub fn start_again(&self) -> Result<(), Error> {
        let deadline = Instant::now() + START_LIMIT;
        loop {
            let result = self.try_to_start();
            // A client that tries to connect meanwhile may hold the port for a
            // moment.
            if !port_was_taken(&result) || Instant::now() > deadline {
                return result;
            }
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Crashes and recovers: [`Self::stop_immediately`] and [`Self::start_again`].
    pub fn restart_immediately(&self) -> Result<(), Error> {
        self.stop_immediately()?;
        self.start_again()
    }

    /// Starts the server on a free port. Another program may take the port
    /// before the server does.
    fn start_on_free_port(&mut self) -> Result<(), Error> {
        let deadline = Instant::now() + START_LIMIT;
        loop {
            self.port = free_port();
            self.set("port", &self.port.to_string())?;
            let result = self.try_to_start();
            if !port_was_taken(&result) || Instant::now() > deadline {
                return result;
            }
        }
    }

    fn try_to_start(&self) -> Result<(), Error> {
        let before = fs::read(self.log()).map_or(0, |log| log.len());
        let limit = START_LIMIT.as_secs().to_string();
        match output(self.pg_ctl("start").args(["--timeout", &limit, "--log"]).arg(self.log())) {
            Ok(_) => Ok(()),
            Err(Error::Program { output: reason, .. }) => {
                Err(Error::Start { reason, log: self.log_from(before) })
            }
            Err(error) => Err(error),
        }
    }

    /// Adds a line to the settings; the last line counts.
    fn set(&self, name: &str, value: &str) -> Result<(), Error> {
        let path = self.data().join("postgresql.conf");
        let value = value.replace('\'', "''");
        OpenOptions::new()
            .append(true)
            .open(&path)
            .and_then(|mut file| writeln!(file, "{name} = '{value}'"))
            .map_err(io(format!("write {}", path.display())))
    }

    /// What was logged after this many bytes; nothing where there is no log yet.
    fn log_from(&self, position: usize) -> String {
        let log = fs::read(self.log()).unwrap_or_default();
        String::from_utf8_lossy(log.get(position..).unwrap_or_default()).trim_end().to_owned()
    }

    fn pg_ctl(&self, action: &str) -> Command {
        let mut command = self.command("pg_ctl");
        command.args([action, "--silent", "--wait", "--pgdata"]).arg(self.data());
        command
    }

    /// A command that touches the data and so runs as their owner.
    fn command(&self, name: &str) -> Command {
        let mut command = self.binaries.command(name);
        // Ours may be a folder that the other user must not enter.
        self.user.run(&mut command).current_dir(self.folder.path());
        command
    }

    fn data(&self) -> PathBuf {
        data_in(self.folder.path())
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }
}

pub(crate) fn psql(binaries: &Binaries, url: &str, sql: &str) -> Result<String, Error> {
    output(
        binaries
            .command("psql")
            .args(["--no-psqlrc", "--no-password", "--quiet", "--no-align", "--tuples-only"])
            .args(["--set=ON_ERROR_STOP=1", "--dbname", url, "--command", sql]),
    )
}

/// Whether a start failed because somebody else has the port.
fn port_was_taken(result: &Result<(), Error>) -> bool {
    matches!(result, Err(Error::Start { log, .. }) if log.contains(PORT_TAKEN))
}

fn data_in(folder: &Path) -> PathBuf {
    folder.join("data")
}
