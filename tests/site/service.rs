//! The site under a manager of services, such as systemd: a socket that is handed over,
//! what the manager hears, and credentials.

use std::{
    net::{SocketAddr, TcpListener},
    os::fd::OwnedFd,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use axum::{
    body::{Body, to_bytes},
    http::{Request, header::HOST},
};
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use sqlx::{ConnectOptions, sqlite::SqliteConnectOptions};
use tokio::{
    net::{TcpStream, UnixDatagram},
    process::Command,
};

use crate::support::{Byline, Client, Ended, Served, in_time, until};

/// As systemd does it: what is to be handed over is the third descriptor.
const HAND_OVER: &str = r#"exec 3<&0 </dev/null; export LISTEN_PID=$$ LISTEN_FDS=1; exec "$0" "$@""#;

/// A socket that is kept for a site, whichever process serves it.
struct Kept {
    byline: Byline,
    listener: TcpListener,
}

impl Kept {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        Self { byline: Byline::in_an_empty_folder(), listener }
    }

    fn address(&self) -> SocketAddr {
        self.listener.local_addr().expect("an address")
    }

    fn command(&self, script: &str) -> Command {
        let mut command = self.byline.command_in_shell(script, &["serve"]);
        command.stdin(Stdio::from(OwnedFd::from(self.listener.try_clone().expect("the socket"))));
        command
    }

    async fn serve(&self) -> Served {
        Byline::serve_by(self.command(HAND_OVER)).await
    }
}

/// Publishes as fast as answers come, each time over a new connection; how many posts.
async fn publish(mut author: Client, stop: Arc<AtomicBool>) -> usize {
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            return number;
        }
        let title = format!("Number {number}");
        let request = author.form("/api/create_post", &[("title", &title), ("content", &title)]);
        let answer = author.try_send(request).await.expect("an answer");
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    0
}

/// Reads as fast as answers come over one connection, until an answer says that it closes,
/// then over the next; counts the answers, and returns over how many connections they came.
async fn read(address: SocketAddr, stop: Arc<AtomicBool>, answers: Arc<AtomicUsize>) -> usize {
    let mut connections = 0;
    while !stop.load(Ordering::Relaxed) {
        let stream = TcpStream::connect(address).await.expect("a connection");
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await.expect("HTTP");
        let connection = tokio::spawn(connection);
        connections += 1;
        let mut is_open = true;
        while is_open && !stop.load(Ordering::Relaxed) {
            let request = Request::get("/api/list_posts").header(HOST, address.to_string());
            let request = request.body(Body::empty()).expect("a request");
            let answer = in_time("an answer", sender.send_request(request)).await.expect("an answer");
            assert_eq!(answer.status(), 200);
            is_open = answer.headers().get("connection").is_none_or(|value| value != "close");
            to_bytes(Body::new(answer.into_body()), usize::MAX).await.expect("a whole answer");
            answers.fetch_add(1, Ordering::Relaxed);
            is_open = is_open && sender.ready().await.is_ok();
        }
        drop(sender);
        connection.await.expect("no panic").expect("an orderly end");
    }
    connections
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_replaced_behind_its_socket_loses_no_request() {
    let site = Kept::new();
    let mut served = site.serve().await;
    assert_eq!(served.address, site.address());
    let stop = Arc::new(AtomicBool::new(false));
    let mut people = Vec::new();
    for name in ["ada", "bob"] {
        let mut author = Client::browser(site.address(), false);
        assert_eq!(author.sign_up(name).await.status, 303);
        people.push(tokio::spawn(publish(author.as_script(), Arc::clone(&stop))));
    }
    let answers = [(); 3].map(|()| Arc::new(AtomicUsize::new(0)));
    let readers = answers
        .each_ref()
        .map(|answers| tokio::spawn(read(site.address(), Arc::clone(&stop), Arc::clone(answers))));
    let all_are_answered = async || {
        let before = answers.each_ref().map(|answers| answers.load(Ordering::Relaxed));
        until("the process to answer every reader", async || {
            answers.iter().zip(before).all(|(answers, before)| answers.load(Ordering::Relaxed) > before)
        })
        .await;
    };
    for _ in 0..4 {
        all_are_answered().await;
        let first = Client::browser(site.address(), false).get("/livez").await;
        assert_eq!(first.status, 200);
        served.terminate().await;
        served = site.serve().await;
    }
    all_are_answered().await;
    stop.store(true, Ordering::Relaxed);
    let mut posts = 0;
    for person in people {
        posts += person.await.expect("every request is answered");
    }
    for reader in readers {
        let connections = reader.await.expect("every request is answered");
        assert!(connections >= 5, "{connections} connections");
    }
    served.terminate().await;
    let options = SqliteConnectOptions::new().filename(site.byline.folder().join("byline.db"));
    let mut database = options.connect().await.expect("the database");
    let stored: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM posts").fetch_one(&mut database).await.expect("a count");
    assert_eq!(usize::try_from(stored), Ok(posts), "each was stored once");
}

#[tokio::test]
async fn a_socket_that_is_handed_over_goes_to_no_program_that_the_site_starts() {
    let site = Kept::new();
    let served = site.serve().await;
    let descriptor = std::fs::read_to_string(format!("/proc/{}/fdinfo/3", served.pid())).expect("it is open");
    let flags = descriptor.lines().find_map(|line| line.strip_prefix("flags:")).expect("its flags");
    let flags = u32::from_str_radix(flags.trim(), 8).expect("octal");
    assert_ne!(flags & 0o2_000_000, 0, "O_CLOEXEC is in {flags:o}");
    served.terminate().await;
}

#[tokio::test]
async fn what_is_handed_over_and_is_no_single_listening_socket_is_refused() {
    let site = Kept::new();
    let two = r#"exec 3<&0 4<&0; export LISTEN_PID=$$ LISTEN_FDS=2; exec "$0" "$@""#;
    let serve = async |mut command: Command| {
        command.stdout(Stdio::piped());
        let ended = in_time("the end", command.output()).await.expect("it ends");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Ended { code: ended.status.code(), stdout: text(ended.stdout), stderr: text(ended.stderr) }
    };
    serve(site.command(two)).await.failed_with(&["LISTEN_FDS", "2 sockets"]);

    let connected = std::net::TcpStream::connect(site.address()).expect("a connection");
    let file = std::fs::File::open("/dev/null").expect("a file");
    for other in [OwnedFd::from(connected), OwnedFd::from(file)] {
        let mut command = site.command(HAND_OVER);
        command.stdin(Stdio::from(other));
        serve(command).await.failed_with(&["LISTEN_FDS", "no listening socket of TCP"]);
    }
}

#[tokio::test]
async fn a_socket_for_another_process_is_left_alone() {
    let site = Kept::new();
    let script =
        r#"exec 3<&0 </dev/null; export LISTEN_PID=1 LISTEN_FDS=1; exec "$0" "$@" --listen 127.0.0.1:0"#;
    let served = Byline::serve_by(site.command(script)).await;
    assert_ne!(served.address, site.address());
    served.terminate().await;
}

#[tokio::test]
async fn a_manager_hears_that_the_site_is_ready_that_it_answers_and_that_it_stops() {
    let byline = Byline::in_an_empty_folder();
    let path = byline.folder().join("notify");
    let socket = UnixDatagram::bind(&path).expect("a socket");
    let mut command = byline.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "300000");
    let served = Byline::serve_by(command).await;
    let hear = async || {
        let mut message = [0; 256];
        let length = in_time("a message", socket.recv(&mut message)).await.expect("a message");
        String::from_utf8_lossy(&message[..length]).into_owned()
    };
    assert_eq!(hear().await, "READY=1");
    for _ in 0..3 {
        assert_eq!(hear().await, "WATCHDOG=1");
    }
    served.ask_to_stop().await;
    while hear().await != "STOPPING=1" {}
    let log = served.ended().await;
    assert!(!log.contains("/livez"), "the log says nothing of what the site asks itself: {log}");
}

#[tokio::test]
async fn a_process_with_a_watchdog_for_another_one_says_only_that_it_is_ready_and_stops() {
    let byline = Byline::in_an_empty_folder();
    let path = byline.folder().join("notify");
    let socket = UnixDatagram::bind(&path).expect("a socket");
    let mut command = byline.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "1000").env("WATCHDOG_PID", "1");
    let served = Byline::serve_by(command).await;
    assert_eq!(Client::browser(served.address, false).get("/livez").await.status, 200);
    served.terminate().await;
    let mut heard = Vec::new();
    let mut message = [0; 256];
    while let Ok(length) = socket.try_recv(&mut message) {
        heard.push(String::from_utf8_lossy(&message[..length]).into_owned());
    }
    assert_eq!(heard, ["READY=1", "STOPPING=1"]);
}

#[tokio::test]
async fn credentials_of_a_unit_count_where_nothing_else_is_set() {
    let byline = Byline::in_an_empty_folder();
    let credentials = byline.folder().join("credentials");
    std::fs::create_dir(&credentials).expect("a folder");
    std::fs::write(credentials.join("byline_database-url"), "sqlite://loaded.db\n").expect("a file");
    std::fs::write(credentials.join("byline-mail-transport"), "smtp://mail.example:port\n").expect("a file");
    let migrate = |arguments: &[&str]| {
        let mut command = byline.command(&[&["migrate"], arguments].concat());
        command.env("CREDENTIALS_DIRECTORY", &credentials);
        Ended::of(command, "")
    };
    migrate(&[]).await.failed_with(&["mail.transport-file", "byline-mail-transport"]);
    let said = migrate(&["--mail-transport", "none"]).await.succeeded();
    assert_eq!(said, "sqlite://loaded.db is up to date.\n");
    let said =
        migrate(&["--mail-transport", "none", "--database-url", "sqlite://named.db"]).await.succeeded();
    assert_eq!(said, "sqlite://named.db is up to date.\n");
}

#[tokio::test]
async fn a_service_takes_changed_settings_when_its_operator_asks_for_it() {
    let byline = Byline::in_an_empty_folder();
    let file = byline.folder().join("byline.toml");
    let write = |text: &str| std::fs::write(&file, text).expect("a file");
    write("[site]\nname = \"First\"\ndescription = \"Of the file\"\n");
    let notified = byline.folder().join("notify");
    let _manager = UnixDatagram::bind(&notified).expect("a socket");
    let mut command = byline.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("NOTIFY_SOCKET", &notified);
    let served = Byline::serve_by(command).await;
    let mut reader = Client::browser(served.address, false);
    let mut title = async || reader.page("/").await.texts("h1").concat();
    assert_eq!(title().await, "First");
    byline.run(&["site", "set", "description", "Of the command"], "").await.succeeded();

    write("max-listeners = 7\n[site]\nname = \"Second\"\ndescription = \"Of the file again\"\n");
    served.signal("HUP").await;
    until("the new name", async || title().await == "Second").await;
    let page = Client::browser(served.address, false).page("/").await;
    assert!(page.text("main").contains("Of the command"), "what was set counts before the file");
    // What is wrong changes nothing, not even what is right beside it.
    write("max-listeners = 0\n[site]\nname = \"Wrong\"\n");
    served.signal("HUP").await;
    for _ in 0..20 {
        assert_eq!(title().await, "Second");
    }
    // A pipe to which nobody writes keeps neither the next reload nor the end of the process waiting.
    std::fs::remove_file(&file).expect("the file");
    let made = Command::new("mkfifo").arg(&file).status().await.expect("mkfifo runs");
    assert!(made.success());
    served.signal("HUP").await;
    for _ in 0..20 {
        assert_eq!(title().await, "Second");
    }
    std::fs::remove_file(&file).expect("the pipe");
    write("max-listeners = 7\n[site]\nname = \"Third\"\n");
    served.signal("HUP").await;
    until("the third name", async || title().await == "Third").await;
    let log = served.terminate().await;
    assert!(log.contains("the settings stay as they were"), "{log}");
    assert!(log.contains("no regular file"), "{log}");
    assert!(log.contains("these settings have changed and need a restart"), "{log}");
    assert!(log.contains("max-listeners"), "{log}");
}
