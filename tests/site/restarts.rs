//! A PostgreSQL that crashes or hangs under a busy site, and a process that is killed
//! beside another one.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    body::Body,
    http::{Method, Request},
};
use byline_cluster::{Cluster, Options};
use futures::future::join_all;
use tokio::{
    sync::mpsc,
    task::{JoinHandle, block_in_place},
};

use crate::support::{
    Answer, Client, Listener, PASSWORD, Probe, Several, TestDatabase, Told, cluster, in_time,
    postgres_database, until,
};

/// Nobody waits longer for an answer, whatever it is: the 15 s in which the site gives up on
/// making one, and some for a machine that has other work as well.
const HANG: Duration = Duration::from_secs(20);

/// A server that loses nothing, of which the test is the master, with one database.
async fn own_server() -> (Cluster, TestDatabase) {
    let cluster = cluster(Options { durable: true, ..Options::default() }).await;
    cluster.create_database("byline").expect("a database");
    let database = TestDatabase::at(&cluster.url("byline"));
    (cluster, database)
}

/// What may come back while a database or a process comes and goes.
enum Outcome {
    Done(Answer),
    /// 503, with the time to retry.
    Later,
    /// The connection broke.
    Gone,
}

/// Anything else, and whatever comes late, is a failure.
async fn ask(client: &mut Client, request: Request<Body>) -> Outcome {
    let what = format!("{} {}", request.method(), request.uri());
    let since = Instant::now();
    let answer = client.try_send(request).await;
    assert!(since.elapsed() < HANG, "{what} took {:?}", since.elapsed());
    match answer {
        Some(answer) if answer.status == 503 => {
            assert!(answer.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0), "{what}");
            Outcome::Later
        }
        Some(answer) => {
            assert!([200, 303].contains(&answer.status), "{what}: {} {}", answer.status, answer.text());
            Outcome::Done(answer)
        }
        None => Outcome::Gone,
    }
}

fn get(client: &Client, path: &str) -> Request<Body> {
    client.request(Method::GET, path).body(Body::empty()).expect("a request")
}

/// Authors and readers who never pause.
struct Load {
    stop: Arc<AtomicBool>,
    acknowledged: mpsc::UnboundedReceiver<(String, String)>,
    people: Vec<JoinHandle<()>>,
}

impl Load {
    /// At every process, each person beginning at another one. The connections
    /// to a process that `dies` may break; its authors go to the next one.
    async fn start(site: &Several, dies: Option<Client>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (tell, acknowledged) = mpsc::unbounded_channel();
        let mut people = Vec::new();
        for (number, name) in ["ada", "bob", "eve", "kim"].into_iter().enumerate() {
            let author = site.author(name).await;
            let mut doors = site.at_each(&author);
            doors.rotate_left(number % 2);
            let mut readers = site.at_each(&site.browser());
            readers.rotate_left(number % 2);
            let reader = if number % 2 == 0 { doors[1].clone() } else { readers[0].clone() };
            let dies = dies.as_ref().map(Client::address);
            people.push(tokio::spawn(write(doors, dies, name, Arc::clone(&stop), tell.clone())));
            people.push(tokio::spawn(read(reader, dies.is_some(), Arc::clone(&stop))));
        }
        Self { stop, acknowledged, people }
    }

    /// Waits for so many more acknowledged posts; their ids and titles.
    async fn more(&mut self, count: usize) -> Vec<(String, String)> {
        let mut posts = Vec::new();
        in_time("more acknowledged posts", async {
            while posts.len() < count {
                match self.acknowledged.recv().await {
                    Some(post) => posts.push(post),
                    None => break,
                }
            }
        })
        .await;
        posts
    }

    /// Ends it; returns what else was confirmed.
    async fn end(mut self) -> Vec<(String, String)> {
        self.stop.store(true, Ordering::Relaxed);
        for person in self.people {
            person.await.expect("nobody was treated badly");
        }
        let mut posts = Vec::new();
        while let Ok(post) = self.acknowledged.try_recv() {
            posts.push(post);
        }
        posts
    }
}

/// Publishes as fast as answers come, as a program and by the form in turn.
/// What was not answered is sent again under the same key.
async fn write(
    mut doors: Vec<Client>,
    dies: Option<std::net::SocketAddr>,
    name: &str,
    stop: Arc<AtomicBool>,
    tell: mpsc::UnboundedSender<(String, String)>,
) {
    for number in 0.. {
        let title = format!("{name} {number}");
        let key = title.replace(' ', "-");
        let fields = [("title", title.as_str()), ("content", &title), ("idempotency_key", &key)];
        let id = loop {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            doors.rotate_left(1);
            let mut door = if number % 2 == 0 { doors[0].as_script() } else { doors[0].clone() };
            let path = if number % 2 == 0 { "/api/create_post" } else { "/my-posts/new" };
            let request = door.form(path, &fields);
            match ask(&mut door, request).await {
                Outcome::Done(answer) if answer.status == 200 => {
                    break answer.json()["id"].as_str().expect("an id").to_owned();
                }
                Outcome::Done(answer) => {
                    break answer.location().strip_prefix("/posts/").expect("on to the post").to_owned();
                }
                Outcome::Later => {}
                Outcome::Gone => {
                    let gone = doors.remove(0).address();
                    assert_eq!(Some(gone), dies, "a process hung up");
                }
            }
        };
        tell.send((id, title)).expect("the test listens");
    }
}

async fn read(mut reader: Client, may_break: bool, stop: Arc<AtomicBool>) {
    for path in ["/", "/api/list_posts", "/my-posts"].into_iter().cycle() {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let request = get(&reader, path);
        if matches!(ask(&mut reader, request).await, Outcome::Gone) {
            assert!(may_break, "a process hung up");
            return;
        }
    }
}

/// Every acknowledged post is there as it was sent, and no wish was granted twice.
async fn assert_all_stored(database: &TestDatabase, acknowledged: &[(String, String)]) {
    let Probe::Postgres(db) = &mut database.probe().await else { panic!("a server") };
    let rows: Vec<(String, String, String, i64)> =
        sqlx::query_as("SELECT id, title, content, version FROM posts")
            .fetch_all(db)
            .await
            .expect("the posts");
    let stored: HashMap<_, _> = rows.iter().map(|(id, title, ..)| (id, title)).collect();
    for (id, title) in acknowledged {
        assert_eq!(stored.get(id), Some(&title), "acknowledged as {id}");
    }
    let mut titles: Vec<_> = rows.iter().map(|(_, title, ..)| title).collect();
    titles.sort();
    titles.dedup();
    assert_eq!(titles.len(), rows.len(), "each wish once");
    assert!(rows.iter().all(|(_, title, content, version)| title == content && *version == 1));
}

/// What a listener has heard since it came is what the table says, each once and in order.
async fn assert_heard_all(site: &Several, listeners: Vec<Listener>) {
    let mut events = site.events().await;
    for mut listener in listeners {
        events.retain(|(id, _)| *id > listener.greeting.id);
        let told = listener.until(events.last().expect("an event").0).await;
        let heard: Vec<_> = told.iter().map(|told| (told.id, told.fact())).collect();
        assert_eq!(heard, events);
    }
}

async fn listen_at_each(site: &Several) -> Vec<Listener> {
    join_all(site.at_each(&site.browser()).iter().map(Listener::open)).await
}

async fn is_ready(client: &mut Client) -> bool {
    let request = get(client, "/readyz");
    matches!(ask(client, request).await, Outcome::Done(_))
}

/// The site is as if nothing had happened: every kind of request succeeds, many
/// times, and what happens at one process is known at the other.
async fn assert_whole(site: &Several, author: &Client, listeners: &mut [Listener]) {
    for mut author in site.at_each(author) {
        let mut reader = author.without_cookies();
        until("the site to be ready", async || is_ready(&mut reader).await).await;
        for round in 0..25 {
            let post = author.publish("Back", "").await;
            let edit = format!("/my-posts/{post}/edit");
            for path in ["/api/my_posts", &edit] {
                assert_eq!(author.get(path).await.status, 200, "{path} for its author, {round}");
            }
            for path in ["/", "/api/list_posts", &format!("/api/get_post?id={post}"), "/readyz"] {
                assert_eq!(reader.get(path).await.status, 200, "{path} for a reader, {round}");
            }
        }
        assert_eq!(reader.log_in("ada").await.status, 303);
    }

    let mut doors = site.at_each(author);
    let mut readers = site.at_each(&author.without_cookies());
    let post = doors[0].publish("Before the edit", "").await;
    let path = format!("/posts/{post}");
    until("the other process to keep pages", async || {
        readers[1].get(&path).await.header("cache-control") == "public, no-cache"
    })
    .await;
    let edit = [("version", "1"), ("title", "After the edit")];
    assert_eq!(doors[0].submit(&format!("/my-posts/{post}/edit"), &edit).await.status, 303);
    for reader in &mut readers {
        until("the page to have it", async || reader.page(&path).await.texts("h1") == ["After the edit"])
            .await;
        until("the list to have it", async || {
            reader.page("/").await.texts(".entry h2")[0] == "After the edit"
        })
        .await;
    }
    let newest = site.events().await.last().expect("an event").clone();
    for listener in listeners {
        let told: Vec<Told> = listener.until(newest.0).await;
        assert_eq!(told.last().expect("an event").fact(), newest.1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_crashes_under_load_loses_nothing_that_was_acknowledged() {
    let (cluster, database) = own_server().await;
    let site = Several::start(database, 2, &[]).await;
    let listeners = listen_at_each(&site).await;
    let mut load = Load::start(&site, None).await;
    let mut acknowledged = Vec::new();
    for _ in 0..3 {
        acknowledged.extend(load.more(20).await);
        block_in_place(|| cluster.restart_immediately()).expect("a restart");
    }
    acknowledged.extend(load.more(20).await);
    acknowledged.extend(load.end().await);
    println!("3 crashes of the server, {} acknowledged posts", acknowledged.len());

    assert_heard_all(&site, listeners).await;
    let mut reader = site.browser();
    let page = reader.page("/").await;
    assert_eq!(page.count("article"), 20, "a full page of them");
    let database = site.stop().await;
    assert_all_stored(&database, &acknowledged).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_crash_of_the_server_the_site_is_whole_without_being_started_again() {
    let (cluster, database) = own_server().await;
    let site = Several::start(database, 2, &[]).await;
    let mut listeners = listen_at_each(&site).await;
    let ada = site.author("ada").await;
    // Many connections that the crash will break.
    let crowd = (0..24).map(|number| {
        let mut author = site.at(&ada, number % 2);
        async move { author.publish("Before", "").await }
    });
    join_all(crowd).await;
    block_in_place(|| cluster.restart_immediately()).expect("a restart");
    assert_whole(&site, &ada, &mut listeners).await;
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_server_is_away_everyone_is_told_to_come_again() {
    let (cluster, database) = own_server().await;
    let site = Several::start(database, 2, &[]).await;
    let mut listeners = listen_at_each(&site).await;
    let ada = site.author("ada").await;
    let post = site.at(&ada, 0).publish("Title", "Text").await;
    block_in_place(|| cluster.stop_immediately()).expect("a stop");

    let reader = site.at(&site.browser(), 1);
    let author = site.at(&ada, 1);
    assert_eq!(reader.clone().get("/livez").await.status, 200, "the process itself lives");
    let text = [("title", "Away"), ("content", "Kept words")];
    let login = [("identifier", "ada"), ("password", PASSWORD)];
    let edit = format!("/my-posts/{post}/edit");
    let requests = [
        (&reader, get(&reader, "/readyz")),
        (&reader, get(&reader, "/healthz")),
        (&reader, get(&reader, "/events")),
        (&reader, get(&reader, "/")),
        (&reader, reader.form("/login", &login)),
        (&reader, reader.form("/api/log_in", &login)),
        (&author, get(&author, "/")),
        (&author, get(&author, "/my-posts")),
        (&author, get(&author, &edit)),
        (&author, author.form("/my-posts/new", &text)),
        (&author, author.form(&edit, &text)),
        (&author, author.form("/logout", &[])),
    ];
    let answers = requests.map(async |(client, request)| {
        let what = format!("{} {}", request.method(), request.uri());
        let since = Instant::now();
        let answer = client.clone().try_send(request).await.expect("an answer");
        assert!(since.elapsed() < HANG, "{what} took {:?}", since.elapsed());
        assert_eq!(answer.status, 503, "{what}: {}", answer.text());
        assert!(answer.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0), "{what}");
        if answer.header("content-type").starts_with("text/html") {
            let page = answer.page();
            let said = [page.texts("h1"), page.texts(".error-summary")].concat().join(" ");
            assert!(said.contains("too busy") || said.contains("Too busy"), "{what}: {}", answer.text());
            let wrote = what.starts_with("POST /my-posts/");
            assert_eq!(answer.text().contains("Kept words"), wrote, "{what} keeps what was written");
        }
        assert!(answer.cookies().all(|cookie| !cookie.contains("Max-Age=0")), "{what} ends no session");
    });
    join_all(answers).await;

    block_in_place(|| cluster.start_again()).expect("a start");
    assert_whole(&site, &ada, &mut listeners).await;
    let database = site.stop().await;
    assert_eq!(database.count("SELECT COUNT(*) FROM posts WHERE title = 'Away'").await, 0);
    assert_eq!(database.count("SELECT version FROM posts WHERE title = 'Title'").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_waits_long_for_a_lock_or_a_connection_is_told_to_come_again() {
    let site = Several::start(postgres_database().await, 1, &["--database-connections", "2"]).await;
    let mut ada = site.author("ada").await;
    let mut listener = Listener::open(&site.browser()).await;
    let post = ada.publish("Title", "Text").await;
    // Once it has come back from the database, nothing drops what is kept.
    listener.next().await;
    let mut reader = site.browser();
    let kept = reader.page("/").await.texts("article h2");
    assert_eq!(kept, ["Title"]);

    let mut other = site.database.probe().await;
    other.execute("BEGIN").await;
    other.execute("LOCK TABLE posts IN ACCESS EXCLUSIVE MODE").await;
    let edit = [("id", post.as_str()), ("version", "1"), ("title", "New"), ("content", "")];
    let script = ada.as_script();
    let requests = [
        get(&script, "/api/list_posts"),
        script.form("/api/create_post", &edit[2..]),
        script.form("/api/update_post", &edit),
        get(&ada, &format!("/posts/{post}")),
        get(&ada, "/my-posts"),
        ada.form("/my-posts/new", &edit[2..]),
    ];
    let refused = requests.map(async |request| {
        let what = format!("{} {}", request.method(), request.uri());
        assert!(matches!(ask(&mut ada.clone(), request).await, Outcome::Later), "{what} waits for the lock");
    });
    let readers = async {
        assert_eq!(reader.get("/livez").await.status, 200);
        assert_eq!(reader.page("/").await.texts("article h2"), kept, "what is kept is there for readers");
    };
    futures::join!(join_all(refused), readers);
    other.execute("ROLLBACK").await;

    let answer = ada.as_script().submit("/api/update_post", &edit).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(reader.page("/").await.texts("article h2"), ["New"]);
    let (database, log) = site.stop_and_read().await;
    assert_eq!(database.count("SELECT COUNT(*) FROM posts").await, 1, "what was refused was not done");
    assert_eq!(database.count("SELECT COUNT(*) FROM events").await, 2);
    for cause in ["pool timed out", "canceling statement due to statement timeout"] {
        assert!(log.contains(cause), "no {cause:?} in {log}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_dies_leaves_a_site_that_goes_on() {
    let mut site = Several::start(postgres_database().await, 2, &[]).await;
    let mut listeners = listen_at_each(&site).await;
    let dies = site.at(&site.browser(), 0);
    let mut load = Load::start(&site, Some(dies)).await;
    let mut acknowledged = load.more(40).await;
    site.kill(0).await;
    acknowledged.extend(load.more(80).await);
    acknowledged.extend(load.end().await);
    println!("1 kill of a process, {} acknowledged posts", acknowledged.len());

    assert_heard_all(&site, listeners.split_off(1)).await;
    let database = site.stop().await;
    assert_all_stored(&database, &acknowledged).await;
}

/// Breaks the connections by which the processes hear of changes, and no other.
async fn deafen(site: &Several) {
    let listening = "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity
         WHERE datname = current_database() AND (query LIKE 'LISTEN%' OR query = 'SELECT 1')";
    until("the processes to listen", async || site.database.count(listening).await > 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_lost_its_listening_connection_catches_up() {
    let site = Several::start(postgres_database().await, 2, &[]).await;
    let listeners = listen_at_each(&site).await;
    let ada = site.author("ada").await;
    let post = site.at(&ada, 0).publish("Edit 1", "").await;
    let path = format!("/posts/{post}");
    let mut readers = site.at_each(&site.browser());
    for version in 1..=6 {
        let title = format!("Edit {}", version + 1);
        let edit = [("version", version.to_string()), ("title", title.clone())];
        let edit = edit.each_ref().map(|(name, value)| (*name, value.as_str()));
        deafen(&site).await;
        let mut author = site.at(&ada, version % 2);
        assert_eq!(author.submit(&format!("/my-posts/{post}/edit"), &edit).await.status, 303);
        for reader in &mut readers {
            until("the page to have it", async || reader.page(&path).await.texts("h1") == [title.as_str()])
                .await;
        }
    }
    for reader in &mut readers {
        until("pages to be kept again", async || {
            reader.get(&path).await.header("cache-control") == "public, no-cache"
        })
        .await;
    }
    assert_heard_all(&site, listeners).await;
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_put_back_to_an_earlier_state_is_followed_from_there() {
    let site = Several::start(postgres_database().await, 2, &[]).await;
    let ada = site.author("ada").await;
    let mut author = site.at(&ada, 0);
    for title in ["Kept", "Lost 1", "Lost 2", "Lost 3"] {
        author.publish(title, "").await;
    }
    let mut reader = site.at(&site.browser(), 1);
    until("a reader at the second to see all", async || reader.page("/").await.count("article") == 4).await;
    let listeners = listen_at_each(&site).await;

    let mut probe = site.database.probe().await;
    for back in [
        "DELETE FROM events WHERE id > (SELECT MIN(id) FROM events)",
        "DELETE FROM posts WHERE title LIKE 'Lost%'",
        "SELECT setval(pg_get_serial_sequence('events', 'id'), (SELECT MAX(id) FROM events))",
    ] {
        probe.execute(back).await;
    }
    deafen(&site).await;
    for listener in listeners {
        assert_eq!(listener.ended().await, [], "who listened has to start over");
    }
    until("what is lost to be gone", async || reader.page("/").await.texts("article h2") == ["Kept"]).await;
    author.publish("After that", "").await;
    until("what is new to be there", async || reader.page("/").await.texts("article h2")[0] == "After that")
        .await;
    site.stop().await;
}
