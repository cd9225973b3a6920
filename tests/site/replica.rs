//! A read replica: it may serve readers without a session, and nobody notices when it
//! is behind or away.

use byline_cluster::{Cluster, Options};
use tokio::task::block_in_place;

use crate::support::{Client, Several, TestDatabase, cluster, until};

/// A server, its replica, and a site of two processes on both.
struct Replicated {
    site: Several,
    replica: Cluster,
    primary: Cluster,
}

impl Replicated {
    async fn start() -> Self {
        let primary = cluster(Options::default()).await;
        let replica = block_in_place(|| {
            primary.create_database("byline")?;
            primary.replica()
        })
        .unwrap_or_else(|error| panic!("{error}"));
        let database = TestDatabase::at(&primary.url("byline"));
        let site = Several::start(database, 2, &["--read-database-url", &replica.url("byline")]).await;
        Self { site, replica, primary }
    }

    fn replica(&self, statement: &str) -> String {
        block_in_place(|| self.replica.psql("byline", statement)).expect("the replica answers")
    }

    /// Changes a title on the primary alone, behind the site's back: from now
    /// on the title that somebody reads says which server it came from.
    async fn tell_apart(&self, title: &str) {
        self.replica("SELECT pg_wal_replay_pause()");
        until("the replica to stand still", async || {
            self.replica("SELECT pg_get_wal_replay_pause_state()") == "paused"
        })
        .await;
        self.site.database.tamper(&format!("UPDATE posts SET title = '{title} on the primary'")).await;
    }

    /// Lets the replica go on, and waits until it has everything.
    async fn resume(&self) {
        self.replica("SELECT pg_wal_replay_resume()");
        let end = block_in_place(|| self.primary.psql("byline", "SELECT pg_current_wal_lsn()"));
        let caught_up = format!("SELECT pg_last_wal_replay_lsn() >= '{}'", end.expect("the primary answers"));
        until("the replica to catch up", async || self.replica(&caught_up) == "t").await;
    }
}

/// The titles in the list, which a script gets anew each time.
async fn listed(client: &Client) -> Vec<String> {
    let answer = client.as_script().get("/api/list_posts").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let posts = answer.json()["posts"].as_array().expect("posts").clone();
    posts.iter().map(|post| post["title"].as_str().expect("a title").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_are_served_by_the_replica_and_never_see_less_than_was_shown() {
    let site = Replicated::start().await;
    let ada = site.site.author("ada").await;
    let (author, reader) = (site.site.at(&ada, 0), site.site.at(&site.site.browser(), 0));
    let post = author.clone().publish("First", "").await;
    site.resume().await;

    site.tell_apart("First").await;
    assert_eq!(listed(&reader).await, ["First"], "the replica serves readers");
    let read = reader.as_script().get(&format!("/api/get_post?id={post}")).await.json();
    assert_eq!(read["title"], "First", "of a post, too");
    assert_eq!(listed(&author).await, ["First on the primary"], "the primary serves who is signed in");

    // The replica stands still and misses what this process has shown.
    author.clone().publish("Second", "").await;
    assert_eq!(listed(&author).await, ["Second", "First on the primary"], "an author's own write, at once");
    for _ in 0..5 {
        assert_eq!(listed(&reader).await, ["Second", "First on the primary"]);
        assert_eq!(reader.clone().page("/").await.texts("article h2"), ["Second", "First on the primary"]);
    }
    // The other process hears of it, and from then on shows it as well.
    let elsewhere = site.site.at(&reader, 1);
    until("the other process to know", async || listed(&elsewhere).await.len() == 2).await;
    for _ in 0..5 {
        assert_eq!(listed(&elsewhere).await.len(), 2, "what was shown stays");
    }

    site.resume().await;
    site.tell_apart("Third").await;
    assert_eq!(listed(&reader).await, ["Second", "First on the primary"], "the replica serves again");
    assert_eq!(listed(&author).await, ["Third on the primary"; 2]);
    site.replica("SELECT pg_wal_replay_resume()");
    site.site.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_are_served_while_the_replica_is_away() {
    let site = Replicated::start().await;
    let ada = site.site.author("ada").await;
    let (author, reader) = (site.site.at(&ada, 0), site.site.at(&site.site.browser(), 0));
    author.clone().publish("First", "").await;
    site.resume().await;
    assert_eq!(listed(&reader).await, ["First"]);

    block_in_place(|| site.replica.stop_immediately()).expect("a stop");
    for number in 0..10 {
        let title = format!("While it is away {number}");
        author.clone().publish(&title, "").await;
        assert_eq!(listed(&reader).await[0], title);
        assert_eq!(reader.clone().page("/").await.texts("article h2")[0], title);
        assert_eq!(reader.clone().get("/readyz").await.status, 200);
    }

    block_in_place(|| site.replica.start_again()).expect("a start");
    site.resume().await;
    site.tell_apart("Back").await;
    until("the replica to serve again", async || listed(&reader).await[0] == "While it is away 9").await;
    assert_eq!(listed(&author).await[0], "Back on the primary");
    site.replica("SELECT pg_wal_replay_resume()");
    site.site.stop().await;
}
