//! Clusters as their users see them. These tests start real servers and fail
//! where PostgreSQL is not installed.

use std::{
    env,
    error::Error as StdError,
    io::{BufRead, BufReader},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use byline_cluster::{Binaries, Cluster, Error, Options};

type Result<T = ()> = std::result::Result<T, Box<dyn StdError>>;

/// In the environment of a process that is to hold a cluster until it is killed.
const HOLD: &str = "BYLINE_CLUSTER_HOLD";

fn start(options: Options) -> Result<Cluster> {
    // Only displayed, not debugged, the sentence of a missing PostgreSQL reads well.
    let binaries = Binaries::find().unwrap_or_else(|error| panic!("{error}"));
    Ok(Cluster::start(&binaries, options)?)
}

fn durable() -> Options {
    Options { durable: true, ..Options::default() }
}

/// Waits until something is so, and fails where it never is.
fn eventually(what: &str, mut is_so: impl FnMut() -> Result<bool>) -> Result {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_so()? {
        assert!(Instant::now() < deadline, "still not so: {what}");
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

fn listens(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[test]
fn a_cluster_answers_and_takes_the_settings_asked_for() -> Result {
    let cluster = start(Options {
        max_connections: 20,
        settings: vec![("application_name".into(), "it's ours".into())],
        ..Options::default()
    })?;
    assert!(cluster.binaries().version() >= 15);

    cluster.create_database("posts")?;
    assert_eq!(cluster.psql("posts", "SELECT 1")?, "1");
    assert_eq!(cluster.psql("posts", "SELECT current_user, current_database()")?, "byline|posts");
    assert_eq!(cluster.url("posts"), format!("postgres://byline@127.0.0.1:{}/posts", cluster.port()));

    let show = |name: &str| cluster.psql("posts", &format!("SHOW {name}"));
    assert_eq!(show("max_connections")?, "20");
    assert_eq!(show("fsync")?, "off");
    assert_eq!(show("server_encoding")?, "UTF8");
    assert_eq!(show("listen_addresses")?, "127.0.0.1");
    let settings = std::fs::read_to_string(cluster.folder().join("data/postgresql.conf"))?;
    assert!(settings.contains("application_name = 'it''s ours'"));
    Ok(())
}

#[test]
fn refused_sql_is_an_error_that_says_why() -> Result {
    let cluster = start(Options::default())?;
    let error = cluster.psql("postgres", "SELECT nothing_of_this_name").unwrap_err();
    assert!(matches!(error, Error::Program { .. }));
    assert!(error.to_string().contains("nothing_of_this_name"), "{error}");
    Ok(())
}

#[test]
fn a_server_that_cannot_start_shows_its_log() {
    let options = Options { settings: vec![("work_mem".into(), "plenty".into())], ..Options::default() };
    let error = start(options).unwrap_err().to_string();
    assert!(error.contains("work_mem"), "{error}");
}

#[test]
fn what_was_committed_outlives_a_crash() -> Result {
    let cluster = start(durable())?;
    let port = cluster.port();
    assert_eq!(cluster.psql("postgres", "SHOW fsync")?, "on");
    cluster.psql("postgres", "CREATE TABLE kept (n int)")?;

    cluster.psql("postgres", "INSERT INTO kept VALUES (1)")?;
    cluster.restart_immediately()?;
    cluster.psql("postgres", "INSERT INTO kept VALUES (2)")?;

    cluster.stop_immediately()?;
    assert!(!listens(port));
    assert!(cluster.psql("postgres", "SELECT 1").is_err());
    cluster.start_again()?;

    assert_eq!(cluster.port(), port);
    assert_eq!(cluster.psql("postgres", "SELECT n FROM kept ORDER BY n")?, "1\n2");
    Ok(())
}

#[test]
fn a_start_waits_for_its_port_to_be_free_again() -> Result {
    let cluster = start(Options::default())?;
    cluster.stop_immediately()?;
    let other = TcpListener::bind((Ipv4Addr::LOCALHOST, cluster.port()))?;
    thread::scope(|scope| {
        let start = scope.spawn(|| cluster.start_again());
        let log = cluster.folder().join("log");
        eventually("the port was found taken", || {
            Ok(std::fs::read_to_string(&log)?.contains("could not bind"))
        })?;
        drop(other);
        Ok(start.join().unwrap()?)
    })
}

#[test]
fn a_replica_follows_and_only_reads() -> Result {
    let primary = start(Options::default())?;
    primary.psql("postgres", "CREATE TABLE followed (n int)")?;
    let replica = primary.replica()?;
    assert_ne!(replica.port(), primary.port());

    primary.psql("postgres", "INSERT INTO followed VALUES (7)")?;
    let written = primary.psql("postgres", "SELECT pg_current_wal_lsn()")?;
    let caught_up = format!("SELECT pg_last_wal_replay_lsn() >= '{written}'");
    eventually("the replica caught up", || Ok(replica.psql("postgres", &caught_up)? == "t"))?;

    assert_eq!(replica.psql("postgres", "SELECT n FROM followed")?, "7");
    let refused = replica.psql("postgres", "INSERT INTO followed VALUES (8)").unwrap_err();
    assert!(refused.to_string().contains("read-only"), "{refused}");
    Ok(())
}

#[test]
fn a_dropped_cluster_leaves_nothing() -> Result {
    let running = start(Options::default())?;
    let stopped = start(Options::default())?;
    stopped.stop_immediately()?;
    for cluster in [running, stopped] {
        let (port, folder) = (cluster.port(), cluster.folder().to_owned());
        assert!(folder.exists());
        drop(cluster);
        assert!(!listens(port));
        assert!(!folder.exists());
    }
    Ok(())
}

/// This test is also the process that it kills: run with [`HOLD`], it holds a
/// cluster and says where.
#[test]
fn a_killed_process_leaves_nothing() -> Result {
    if env::var_os(HOLD).is_some() {
        let cluster = start(Options::default())?;
        println!("\nholding {} {}", cluster.port(), cluster.folder().display());
        loop {
            thread::park();
        }
    }

    let mut holder = Command::new(env::current_exe()?)
        .args(["--exact", "a_killed_process_leaves_nothing", "--nocapture"])
        .env(HOLD, "1")
        .stdout(Stdio::piped())
        .spawn()?;
    let stdout = holder.stdout.take().ok_or("no output")?;
    let held = BufReader::new(stdout).lines().find_map(|line| held(&line.ok()?));
    let Some((port, folder)) = held else {
        return Err(format!("it ended by itself: {}", holder.wait()?).into());
    };
    assert!(listens(port));
    assert!(folder.exists());

    holder.kill()?;
    holder.wait()?;
    eventually("nothing listens any more", || Ok(!listens(port)))?;
    eventually("the folder is gone", || Ok(!folder.exists()))
}

fn held(line: &str) -> Option<(u16, PathBuf)> {
    let (port, folder) = line.strip_prefix("holding ")?.split_once(' ')?;
    Some((port.parse().ok()?, Path::new(folder).to_owned()))
}
