//! A PostgreSQL that crashes or hangs under a busy site, and a process that is killed
//! beside another one.

use std::time::Instant;

use byline_cluster::{Cluster, Options};
use futures::future::join_all;
use tokio::task::block_in_place;

use crate::support::{
    Listener, PASSWORD, Several, TestDatabase, cluster,
    load::{
        HANG, Load, Outcome, ask, assert_all_stored, assert_heard_all, assert_whole, get, listen_at_each,
    },
    postgres_database, until,
};

/// A server that loses nothing, of which the test is the master, with one database.
async fn own_server() -> (Cluster, TestDatabase) {
    let cluster = cluster(Options { durable: true, ..Options::default() }).await;
    cluster.create_database("byline").expect("a database");
    let database = TestDatabase::at(&cluster.url("byline"));
    (cluster, database)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_crashes_under_load_loses_nothing_that_was_acknowledged() {
    let (cluster, database) = own_server().await;
    assert_nothing_is_lost_by_crashes(&cluster, database).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_crashes_behind_a_pooler_loses_nothing_that_was_acknowledged() {
    let (cluster, database) = own_server().await;
    let pooler = block_in_place(|| cluster.pooler(4)).unwrap_or_else(|error| panic!("{error}"));
    assert_nothing_is_lost_by_crashes(&cluster, database.behind(pooler.url("byline"))).await;
}

async fn assert_nothing_is_lost_by_crashes(cluster: &Cluster, database: TestDatabase) {
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
    // A pooler waits for a moment before it tries the server again.
    until("readers to be served", async || reader.get("/").await.status == 200).await;
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
