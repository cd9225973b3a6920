//! The `byline` command.

use std::{
    net::{Ipv4Addr, SocketAddr},
    os::unix::fs::PermissionsExt,
    time::Duration,
};

use byline::database::{Database, DatabaseConfig, DatabaseUrl};
use byline_cluster::free_port;
use futures::future::join_all;
use sqlx::{ConnectOptions, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::{net::TcpListener, process::Command};

use crate::support::{Byline, Client, Ended, PASSWORD, postgres_database, until};

async fn database(byline: &Byline, file: &str) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(byline.folder().join(file));
    options.busy_timeout(Duration::from_secs(5)).connect().await.expect("the database file opens")
}

async fn usernames(byline: &Byline) -> Vec<String> {
    sqlx::query_scalar("SELECT username FROM users ORDER BY created_at")
        .fetch_all(&mut database(byline, "byline.db").await)
        .await
        .expect("the users")
}

#[tokio::test]
async fn every_command_explains_itself() {
    let byline = Byline::in_an_empty_folder();
    for (arguments, words) in [
        (&["--help"][..], &["serve", "migrate", "user", "byline.toml"][..]),
        (&["serve", "--help"], &["--demo", "--listen", "BYLINE_LISTEN", "--public-url", "--argon2-memory"]),
        (&["migrate", "--help"], &["--database-url", "BYLINE_DATABASE_URL"]),
        (&["user", "--help"], &["create", "set-password", "list"]),
        (&["user", "create", "--help"], &["USERNAME", "EMAIL", "standard input"]),
        (&["user", "set-password", "--help"], &["standard input", "sessions"]),
        (&["user", "list", "--help"], &["List"]),
        (&["import", "--help"], &["PATH", "--user", "--dry-run", "--from", "wordpress", "dynamodb"]),
        (&["export", "--help"], &["--to", "--static", "earlier export"]),
        (&["media", "move", "--help"], &["--keep", "--media-url", "served meanwhile"]),
        (&["api-key", "--help"], &["create", "list", "revoke"]),
        (&["api-key", "create", "--help"], &["--user", "--public", "--name", "--days", "1 to 365"]),
    ] {
        let help = byline.run(arguments, "").await.succeeded();
        for word in words {
            assert!(help.contains(word), "{arguments:?} says nothing of {word}: {help}");
        }
    }
    assert!(byline.run(&["--version"], "").await.succeeded().starts_with("byline "));
    let files = std::fs::read_dir(byline.folder()).expect("a folder").count();
    assert_eq!(files, 0, "asking for help makes no database");
}

#[tokio::test]
async fn accounts_are_made_and_listed() {
    let byline = Byline::in_an_empty_folder();
    byline.run(&["user", "create", "Ada", "Ada@Example.org"], &format!("{PASSWORD}\n")).await.succeeded();
    byline.run(&["user", "create", "bob", "bob@example.org"], PASSWORD).await.succeeded();
    let listed = byline.run(&["user", "list"], "").await.succeeded();
    let lines: Vec<_> = listed.lines().collect();
    assert_eq!(lines.len(), 2, "{listed}");
    assert!(lines[0].starts_with("ada\tada@example.org\t") && lines[0].ends_with("\t0 posts"), "{listed}");
    assert!(lines[1].starts_with("bob\tbob@example.org\t"), "{listed}");

    for (username, email, password, words) in [
        ("ada", "other@example.org", PASSWORD, "taken"),
        ("other", "ADA@example.org", PASSWORD, "already an account"),
        ("admin", "other@example.org", PASSWORD, "reserved"),
        ("x", "other@example.org", PASSWORD, "3 to 30"),
        ("other", "nowhere", PASSWORD, "name@example.com"),
        ("other", "other@example.org", "", "Enter a password"),
        ("other", "other@example.org", "short", "8 characters"),
        ("other", "other@example.org", "password1", "15 characters"),
    ] {
        byline.run(&["user", "create", username, email], password).await.failed_with(&[words]);
    }
    assert_eq!(usernames(&byline).await, ["ada", "bob"]);
}

#[tokio::test]
async fn a_new_password_holds_and_ends_every_session() {
    let byline = Byline::in_an_empty_folder();
    byline.run(&["user", "create", "ada", "ada@example.org"], PASSWORD).await.succeeded();
    let served = byline.serve(&[]).await;
    let mut browser = Client::browser(served.address, false);
    assert_eq!(browser.log_in("ada").await.status, 303);
    assert_eq!(browser.as_script().get("/api/my_posts").await.status, 200);

    let new = "another horse battery staple";
    byline.run(&["user", "set-password", "ada@example.org"], &format!("{new}\r\n")).await.succeeded();
    assert_eq!(browser.as_script().get("/api/my_posts").await.status, 401, "the session has ended");
    assert_eq!(browser.log_in("ada").await.status, 422, "the old password is over");
    assert_eq!(browser.submit("/login", &[("identifier", "ada"), ("password", new)]).await.status, 303);
    byline.run(&["user", "set-password", "nadia"], new).await.failed_with(&["no such account"]);
    byline.run(&["user", "set-password", "ada"], "short").await.failed_with(&["8 characters"]);
    served.terminate().await;
}

#[tokio::test]
async fn an_operator_whose_secret_key_is_missing_reads_how_one_is_made_and_nothing_is_made() {
    let byline = Byline::in_an_empty_folder();
    let command = ["migrate", "--secret-key-file", "site.key"];
    byline.run(&command, "").await.failed_with(&["site.key does not exist", "openssl rand -base64 32"]);
    let key = byline.folder().join("site.key");
    std::fs::write(&key, "0badc0de").expect("a file");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).expect("a mode");
    byline.run(&command, "").await.failed_with(&["site.key has no secret key", "openssl rand -base64 32"]);
    assert_eq!(std::fs::read_to_string(&key).expect("a file"), "0badc0de");
}

#[tokio::test]
async fn serve_runs_in_an_empty_folder_until_it_is_told_to_stop() {
    let byline = Byline::in_an_empty_folder();
    let served = byline.serve(&[]).await;
    let mut browser = Client::browser(served.address, false);
    assert_eq!(browser.get("/healthz").await.status, 200);
    assert_eq!(browser.sign_up("ada").await.status, 303);
    served.terminate().await;
    assert_eq!(usernames(&byline).await, ["ada"]);

    let served = byline.serve(&[]).await;
    let mut browser = Client::browser(served.address, false);
    assert_eq!(browser.log_in("ada").await.status, 303, "what was stored is there after a restart");
    served.terminate().await;
}

#[tokio::test]
async fn a_site_that_is_stopped_right_after_its_start_ends_without_an_error() {
    let byline = Byline::in_an_empty_folder();
    for _ in 0..5 {
        byline.serve(&[]).await.terminate().await;
    }
}

#[tokio::test]
async fn after_a_stop_the_database_is_whole_in_its_one_file() {
    let byline = Byline::in_an_empty_folder();
    let served = byline.serve(&[]).await;
    assert_eq!(Client::browser(served.address, false).sign_up("ada").await.status, 303);
    served.terminate().await;
    let copy = Byline::in_an_empty_folder();
    std::fs::copy(byline.folder().join("byline.db"), copy.folder().join("byline.db")).expect("a copy");
    assert!(
        copy.run(&["user", "list"], "").await.succeeded().starts_with("ada\t"),
        "the copy has what was stored"
    );
}

#[tokio::test]
async fn a_demo_fills_an_empty_database_alone() {
    let byline = Byline::in_an_empty_folder();
    let served = byline.serve(&["--demo"]).await;
    let page = Client::browser(served.address, false).page("/").await;
    assert!(page.count("article") >= 3, "posts to look at");
    page.assert_harmless("the demo");
    served.terminate().await;
    let count = usernames(&byline).await.len();
    assert!(count >= 2, "a few authors");
    byline.serve(&["--demo"]).await.terminate().await;
    assert_eq!(usernames(&byline).await.len(), count, "a second time it leaves everything alone");
}

#[tokio::test]
async fn a_setting_that_is_wrong_is_named_in_one_sentence() {
    let byline = Byline::in_an_empty_folder();
    for (arguments, words) in [
        (&["serve", "--listen", "here"][..], &["listen", "here"][..]),
        (&["serve", "--listen", "127.0.0.1:99999"], &["listen", "127.0.0.1:99999"]),
        (&["serve", "--listen", "192.0.2.1:1"], &["listen", "192.0.2.1:1"]),
        (&["migrate", "--database-url", "mysql://x"], &["database-url", "mysql://x"]),
        (
            &["migrate", "--database-url", "sqlite://missing/byline.db"],
            &["missing/byline.db", "cannot be opened"],
        ),
        (&["migrate", "--database-url", "sqlite:///"], &["sqlite:///"]),
        (
            &["migrate", "--database-url", "postgres://ada:secret@127.0.0.1:1/byline"],
            &["postgres://ada:***@127.0.0.1:1/byline", "cannot be opened", "refused"],
        ),
        (&["migrate", "--read-database-url", "postgres://db.example/byline"], &["read-database-url"]),
        (&["migrate", "--database-connections", "1"], &["database-connections", "2 or more"]),
        (&["migrate", "--public-url", "byline.example"], &["public-url", "byline.example"]),
        (&["migrate", "--argon2-memory", "19455"], &["argon2", "19456"]),
        (&["migrate", "--argon2-iterations", "1"], &["argon2"]),
        (&["migrate", "--argon2-parallelism", "0"], &["argon2"]),
        (&["migrate", "--trusted-proxies", "10.0.0.0/99"], &["trusted-proxies", "10.0.0.0/99"]),
        (&["migrate", "--config", "nope.toml"], &["nope.toml"]),
    ] {
        byline.run(arguments, "").await.failed_with(words);
    }
    let mut command = byline.command(&["migrate"]);
    command.env("BYLINE_LISTN", "127.0.0.1:1");
    Ended::of(command, "").await.failed_with(&["BYLINE_LISTN"]);
    assert_eq!(
        std::fs::read_dir(byline.folder()).expect("a folder").count(),
        0,
        "nothing is made on the way"
    );
}

#[tokio::test]
async fn a_file_of_settings_is_obeyed_and_its_mistakes_are_named() {
    let byline = Byline::in_an_empty_folder();
    let file = byline.folder().join("byline.toml");
    let write = |text: &str| std::fs::write(&file, text).expect("a file");
    for (text, words) in [
        ("listen = \"127.0.0.1:0\"\nlisten-on = 1\n", &["byline.toml", "listen-on", "line 2"][..]),
        ("[argon2]\nmemroy = 20000\n", &["byline.toml", "memroy"]),
        ("listen = 3000\n", &["byline.toml", "line 1"]),
        ("listen = \n", &["byline.toml", "line 1"]),
        ("listen = \"here\"\n", &["listen", "here"]),
    ] {
        write(text);
        byline.run(&["migrate"], "").await.failed_with(words);
    }
    write("database-url = \"sqlite://from-file.db\"\n");
    byline.run(&["migrate"], "").await.succeeded();
    assert!(byline.folder().join("from-file.db").exists());
    let mut command = byline.command(&["migrate"]);
    command.env("BYLINE_DATABASE_URL", "sqlite://from-environment.db");
    Ended::of(command, "").await.succeeded();
    assert!(byline.folder().join("from-environment.db").exists(), "the environment wins over the file");
    let mut command = byline.command(&["migrate", "--database-url", "sqlite://from-flag.db"]);
    command.env("BYLINE_DATABASE_URL", "sqlite://from-environment-2.db");
    Ended::of(command, "").await.succeeded();
    assert!(byline.folder().join("from-flag.db").exists(), "a flag wins over the environment");
    assert!(!byline.folder().join("from-environment-2.db").exists());
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let byline = Byline::in_an_empty_folder();
    let taken = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    byline.run(&["serve", "--listen", &address], "").await.failed_with(&[&address, "in use"]);
}

#[tokio::test]
async fn a_file_that_is_no_database_of_this_byline_is_left_alone() {
    let byline = Byline::in_an_empty_folder();
    let file = byline.folder().join("byline.db");
    let text = "this is a letter, not a database\n".repeat(200);
    std::fs::write(&file, &text).expect("a file");
    for arguments in [&["serve", "--listen", "127.0.0.1:0"][..], &["migrate"], &["user", "list"]] {
        byline.run(arguments, "").await.failed_with(&["byline.db", "cannot be opened"]);
    }
    assert_eq!(std::fs::read_to_string(&file).expect("the file"), text);

    std::fs::remove_file(&file).expect("the file");
    byline.run(&["migrate"], "").await.succeeded();
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                 VALUES (9999, 'from the future', TRUE, x'00', 0)";
    sqlx::query(newer).execute(&mut database(&byline, "byline.db").await).await.expect("a newer schema");
    for arguments in [&["serve", "--listen", "127.0.0.1:0"][..], &["migrate"], &["user", "list"]] {
        byline.run(arguments, "").await.failed_with(&["newer Byline", "9999"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn migrations_started_at_once_all_succeed() {
    let byline = Byline::in_an_empty_folder();
    for ended in join_all((0..2).map(|_| byline.run(&["migrate"], ""))).await {
        ended.succeeded();
    }
    // Two processes seldom meet in the few milliseconds that count; without their start-up they do.
    for round in 0..5 {
        let file = format!("round-{round}.db");
        let url: DatabaseUrl =
            format!("sqlite://{}", byline.folder().join(&file).display()).parse().expect("a URL");
        let opened = (0..8).map(|_| {
            let url = url.clone();
            tokio::spawn(async move { Database::open(&DatabaseConfig::of(url)).await.map(drop) })
        });
        for outcome in join_all(opened).await {
            outcome.expect("no panic").expect("the database opens");
        }
        let check: String = sqlx::query_scalar("PRAGMA integrity_check")
            .fetch_one(&mut database(&byline, &file).await)
            .await
            .expect("a check");
        assert_eq!(check, "ok");
    }
}

#[tokio::test]
async fn an_unknown_command_is_refused() {
    let byline = Byline::in_an_empty_folder();
    for arguments in [&["srve"][..], &["serve", "--liste", "x"], &["user"], &["user", "create", "ada"], &[]] {
        let ended = byline.run(arguments, "").await;
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains("Usage") && !ended.stderr.contains("panicked"), "{ended:?}");
    }
}

#[tokio::test]
async fn a_reader_of_the_list_may_stop_reading() {
    let byline = Byline::in_an_empty_folder();
    byline.run(&["migrate"], "").await.succeeded();
    let fill = "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 5000)
                INSERT INTO users (id, username, email, password_hash, created_at)
                SELECT 'u' || n, 'user' || n, n || '@example.org', '', 0 FROM numbers";
    sqlx::query(fill).execute(&mut database(&byline, "byline.db").await).await.expect("many accounts");
    let list = format!("'{}' user list | head -n 1", env!("CARGO_BIN_EXE_byline"));
    let mut shell = Command::new("sh");
    shell.args(["-c", &list]).current_dir(byline.folder());
    let output = shell.output().await.expect("a shell");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains("panicked"), "{said}");
}

/// Where the output of a command is lost.
#[derive(Clone, Copy, Debug)]
enum Lost {
    /// A file on a disk without room.
    Full,
    /// A pipe that nobody reads any more.
    ClosedPipe,
    /// Standard output itself is closed.
    Closed,
    /// Thrown away on purpose.
    Null,
}

impl Lost {
    /// `byline …` that says into the void what it has to say.
    fn command(self, byline: &Byline, arguments: &[&str]) -> Command {
        let mut command = byline.command(arguments);
        match self {
            Self::Full => {
                let full = std::fs::File::options().write(true).open("/dev/full").expect("a full device");
                command.stdout(full);
            }
            Self::ClosedPipe => {
                let (reader, writer) = std::io::pipe().expect("a pipe");
                drop(reader);
                command.stdout(writer);
            }
            Self::Null => {
                command.stdout(std::process::Stdio::null());
            }
            Self::Closed => {
                return byline.command_in_shell("exec \"$0\" \"$@\" >&-", arguments);
            }
        }
        command
    }
}

#[tokio::test]
async fn a_full_standard_output_is_reported_in_one_sentence_and_a_closed_one_is_not() {
    let byline = Byline::in_an_empty_folder();
    byline.run(&["user", "create", "ada", "ada@example.org"], PASSWORD).await.succeeded();
    byline.run(&["api-key", "create", "--public"], "").await.succeeded();
    for (lost, user) in [(Lost::Full, "full"), (Lost::ClosedPipe, "closed")] {
        let (email, target) = (format!("{user}@example.org"), format!("sqlite://{user}.db"));
        for arguments in [
            &["--help"][..],
            &["--version"],
            &["serve", "--help"],
            &["migrate"],
            &["user", "create", user, &email],
            &["user", "set-password", user],
            &["user", "list"],
            &["keys", "rotate"],
            &["keys", "list"],
            &["api-key", "list"],
            &["codegen", "--out", "out"],
            &["copy", "--from", "sqlite://byline.db", "--to", &target],
        ] {
            let ended = Ended::of(lost.command(&byline, arguments), PASSWORD).await;
            match lost {
                Lost::Full => ended.failed_with(&["standard output", "No space left"]),
                _ => {
                    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{arguments:?}");
                }
            }
        }
        assert!(usernames(&byline).await.iter().any(|name| name == user), "what was asked for is done");
        assert!(byline.folder().join(format!("{user}.db")).exists());
    }
}

#[tokio::test]
async fn a_key_that_could_not_be_shown_is_not_valid() {
    let byline = Byline::in_an_empty_folder();
    byline.run(&["user", "create", "ada", "ada@example.org"], PASSWORD).await.succeeded();
    let create = ["api-key", "create", "--user", "ada"];
    for lost in [Lost::Full, Lost::ClosedPipe, Lost::Closed, Lost::Null] {
        Ended::of(lost.command(&byline, &create), "").await.failed_with(&["standard output", "key"]);
        assert_eq!(byline.run(&["api-key", "list"], "").await.succeeded(), "", "{lost:?}");
    }
    let public = ["api-key", "create", "--public"];
    for lost in [Lost::Full, Lost::ClosedPipe] {
        Ended::of(lost.command(&byline, &public), "").await.failed_with(&["standard output", "revoked"]);
    }
    assert_eq!(byline.run(&["api-key", "list"], "").await.succeeded(), "");
    // The site shows a public key to whoever asks.
    assert_eq!(Ended::of(Lost::Null.command(&byline, &public), "").await.code, Some(0));
    let key = byline.run(&create, "").await.succeeded();
    assert_eq!(byline.run(&["api-key", "list"], "").await.succeeded().lines().count(), 2);
    assert!(key.starts_with("byl_"));
}

#[tokio::test]
async fn a_site_serves_even_if_nobody_reads_its_output() {
    for lost in [Lost::Full, Lost::ClosedPipe, Lost::Closed, Lost::Null] {
        let byline = Byline::in_an_empty_folder();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let arguments = ["serve", "--demo", "--listen", &address.to_string()];
        let mut served = lost.command(&byline, &arguments).spawn().expect("byline starts");
        until("the site to answer", async || {
            assert!(served.try_wait().expect("a process").is_none(), "{lost:?}: it has ended");
            tokio::net::TcpStream::connect(address).await.is_ok()
        })
        .await;
        assert_eq!(Client::browser(address, false).get("/readyz").await.status, 200, "{lost:?}");
        served.kill().await.expect("it ran");
    }
}

#[tokio::test]
async fn variables_that_kubernetes_and_docker_set_for_a_service_are_ignored() {
    let byline = Byline::in_an_empty_folder();
    let mut command = byline.command(&["migrate"]);
    for (name, value) in [
        // The Service itself, and one beside it.
        ("BYLINE_SERVICE_HOST", "10.96.0.12"),
        ("BYLINE_SERVICE_PORT", "80"),
        ("BYLINE_SERVICE_PORT_HTTP", "80"),
        ("BYLINE_PORT", "tcp://10.96.0.12:80"),
        ("BYLINE_PORT_80_TCP", "tcp://10.96.0.12:80"),
        ("BYLINE_PORT_80_TCP_PROTO", "tcp"),
        ("BYLINE_PORT_80_TCP_PORT", "80"),
        ("BYLINE_PORT_80_TCP_ADDR", "10.96.0.12"),
        ("BYLINE_POSTGRES_SERVICE_HOST", "10.96.0.13"),
        ("BYLINE_POSTGRES_SERVICE_PORT_SQL", "5432"),
        ("BYLINE_POSTGRES_PORT", "tcp://10.96.0.13:5432"),
        ("BYLINE_POSTGRES_PORT_5432_TCP_ADDR", "10.96.0.13"),
        ("BYLINE_PORT_53_UDP", "udp://10.96.0.12:53"),
        // Docker's links.
        ("BYLINE_NAME", "/web/byline"),
        ("BYLINE_ENV_PATH", "/usr/bin"),
        ("BYLINE_ENV_BYLINE_LISTEN", "0.0.0.0:3000"),
        ("BYLINE_PORT_80_TCP_START", "tcp://172.17.0.5:80"),
        ("BYLINE_PORT_80_TCP_END", "tcp://172.17.0.5:90"),
    ] {
        command.env(name, value);
    }
    Ended::of(command, "").await.succeeded();
}

#[tokio::test]
async fn a_misspelt_variable_is_named_with_the_one_that_was_meant() {
    let byline = Byline::in_an_empty_folder();
    for (name, value, meant) in [
        ("BYLINE_LISTN", "127.0.0.1:1", Some("BYLINE_LISTEN")),
        ("BYLINE_DATABSE_URL", "sqlite://x.db", Some("BYLINE_DATABASE_URL")),
        ("BYLINE_PUBLIC_ULR", "https://posts.example", Some("BYLINE_PUBLIC_URL")),
        // Not what an orchestrator says, but what somebody means to set.
        ("BYLINE_PORT", "8080", None),
        ("BYLINE_NAME", "My posts", None),
        ("BYLINE_SOMETHING_ELSE_ENTIRELY", "1", None),
    ] {
        let mut command = byline.command(&["migrate"]);
        command.env(name, value);
        let ended = Ended::of(command, "").await;
        match meant {
            Some(meant) => ended.failed_with(&[name, meant, "mean"]),
            None => ended.failed_with(&[name]),
        }
    }
}

#[tokio::test]
async fn the_url_of_the_database_may_stand_in_a_file() {
    let byline = Byline::in_an_empty_folder();
    let write = |name: &str, text: &str| std::fs::write(byline.folder().join(name), text).expect("a file");
    write("flag.url", "sqlite://flag.db\n");
    write("environment.url", "  sqlite://environment.db\r\n");
    write("settings.url", "sqlite://settings.db");
    let exists = |name: &str| byline.folder().join(name).exists();

    write("byline.toml", "database-url-file = \"settings.url\"\n");
    byline.run(&["migrate"], "").await.succeeded();
    assert!(exists("settings.db"));
    let mut command = byline.command(&["migrate"]);
    command.env("BYLINE_DATABASE_URL_FILE", "environment.url");
    Ended::of(command, "").await.succeeded();
    assert!(exists("environment.db"), "the environment wins over byline.toml");
    byline.run(&["migrate", "--database-url-file", "flag.url"], "").await.succeeded();
    assert!(exists("flag.db"));
    byline.run(&["migrate", "--database-url", "sqlite://plain.db"], "").await.succeeded();
    assert!(exists("plain.db"), "a flag wins over a file that byline.toml names");
    byline.run(&["copy", "--from-file", "flag.url", "--to", "sqlite://copied.db"], "").await.succeeded();
    assert!(exists("copied.db"));

    write("byline.toml", "");
    write("wrong.url", "postgres://ada:s3cret@db.example\n");
    write("empty.url", "\n");
    for (arguments, words) in [
        (&["--database-url-file", "nope.url"][..], &["nope.url", "cannot be read"][..]),
        (&["--database-url-file", "empty.url"], &["database-url-file", "empty.url"]),
        (&["--database-url-file", "wrong.url"], &["database-url-file", "db.example"]),
        (&["--read-database-url-file", "nope.url"], &["nope.url", "cannot be read"]),
        (
            &["--database-url-file", "flag.url", "--database-url", "sqlite://x.db"],
            &["database-url", "database-url-file"],
        ),
    ] {
        let ended = byline.run(&[&["migrate"], arguments].concat(), "").await;
        assert!(!ended.stderr.contains("s3cret"), "{ended:?}");
        ended.failed_with(words);
    }
}

#[tokio::test]
async fn a_password_on_the_command_line_is_warned_of() {
    let database = postgres_database().await;
    let (scheme, place) = database.url_text().split_once("://").expect("a URL");
    let (user, place) = place.split_once('@').unwrap_or(("postgres", place));
    let user = user.split(':').next().expect("a name");
    let url = format!("{scheme}://{user}:s3cret@{place}");
    let byline = Byline::in_an_empty_folder();
    std::fs::write(byline.folder().join("url"), &url).expect("a file");
    let joined = format!("--database-url={url}");
    let in_query = format!("{scheme}://{user}@{place}?password=s3cret");
    for (arguments, warned) in [
        (&["--database-url", &url][..], true),
        (&[&joined], true),
        (&["--database-url", &in_query], true),
        (&["--database-url-file", "url"], false),
        (&["--database-url", database.url_text()], false),
    ] {
        let log = byline.serve(arguments).await.terminate().await;
        assert!(!log.contains("s3cret"), "{log}");
        assert_eq!(log.contains("--database-url-file"), warned, "{arguments:?}: {log}");
    }
}

#[tokio::test]
async fn a_database_that_would_vanish_is_refused() {
    let byline = Byline::in_an_empty_folder();
    for url in [
        "sqlite://?mode=memory",
        "sqlite://byline.db?mode=memory",
        "sqlite://byline.db?cache=shared&mode=memory",
        "sqlite://byline.db?mode=mem%6Fry",
        "sqlite::memory:",
        "sqlite://:memory:",
        "sqlite://%3Amemory%3A",
        "sqlite://:memory:?cache=shared",
        "sqlite://file::memory:?cache=shared",
        "sqlite://file:byline.db?mode=memory",
        "file::memory:",
        "sqlite:",
        "sqlite://",
        "sqlite://?cache=shared",
        "sqlite://byline.db?vfs=memdb",
        "sqlite://file:/byline?vfs=memdb",
        "sqlite://byline.db?mode=ro",
        "sqlite://byline.db?immutable=1",
    ] {
        byline.run(&["migrate", "--database-url", url], "").await.failed_with(&["database-url", "sqlite"]);
    }
    assert_eq!(std::fs::read_dir(byline.folder()).expect("a folder").count(), 0);
    byline.run(&["migrate", "--database-url", "sqlite://byline.db?mode=rwc"], "").await.succeeded();
}

#[tokio::test]
async fn a_setting_that_would_leave_the_site_useless_is_refused() {
    let byline = Byline::in_an_empty_folder();
    for (arguments, words) in [
        (&["--max-listeners", "0"][..], &["max-listeners"][..]),
        (&["--page-memory", "0"], &["page-memory"]),
        (&["--page-memory", "1048577"], &["page-memory"]),
        (&["--max-listeners", "18446744073709551615"], &["max-listeners"]),
        (&["--database-connections", "0"], &["database-connections"]),
        (&["--database-connections", "4294967295"], &["database-connections"]),
        (&["--argon2-memory", "4294967295"], &["argon2"]),
        (&["--argon2-iterations", "4294967295"], &["argon2"]),
        (&["--argon2-parallelism", "16777215"], &["argon2"]),
        (&["--public-url", "http://0.0.0.0:3000"], &["public-url", "0.0.0.0"]),
        (&["--public-url", "http://[::]:3000"], &["public-url", "[::]"]),
        (&["--public-url", "https://posts.example:0"], &["public-url"]),
        (&["--public-url", "https://*.example.org"], &["public-url", "*"]),
    ] {
        byline.run(&[&["migrate"], arguments].concat(), "").await.failed_with(words);
    }
}
