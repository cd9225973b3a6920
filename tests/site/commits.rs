//! Changes of posts that wait for each other: they share a commit, in order, and
//! one that fails is undone alone.

use byline::{
    database::{COMMIT_ORDER_LOCK, Db},
    error::AppError,
};
use futures::future::{BoxFuture, join_all};
use serde_json::{Value, json};

use crate::support::{
    Answer, Credential, Listener, Probe, Running, Several, TestDatabase, postgres_database, until,
};

const CREATE: &str = "mutation($input: CreatePostInput!) { createPost(input: $input) { id title } }";
const UPDATE: &str = "mutation($input: UpdatePostInput!) { updatePost(input: $input) { id title } }";
const EVENTS_BY_ID: &str = "SELECT p.title FROM events e JOIN posts p ON p.id = e.post_id ORDER BY e.id";

const SPOIL: &str = "UPDATE posts SET title = 'Spoilt'";

/// Connections that wait for a lock of somebody else.
const WAITING: &str = "SELECT COUNT(*) FROM pg_stat_activity
     WHERE datname = current_database() AND wait_event_type = 'Lock'";

/// Nobody else writes for as long as this is there.
struct Held(Probe);

impl Held {
    async fn by(mut probe: Probe) -> Self {
        match &mut probe {
            Probe::Sqlite(_) => probe.execute("BEGIN IMMEDIATE").await,
            Probe::Postgres(_) => {
                probe.execute(&format!("SELECT pg_advisory_lock({COMMIT_ORDER_LOCK})")).await
            }
        };
        Self(probe)
    }

    async fn release(mut self) {
        match &mut self.0 {
            Probe::Sqlite(_) => self.0.execute("COMMIT").await,
            Probe::Postgres(_) => {
                self.0.execute(&format!("SELECT pg_advisory_unlock({COMMIT_ORDER_LOCK})")).await
            }
        };
    }
}

/// Changes every post, and fails after that.
fn spoil(db: &mut Db, (): ()) -> BoxFuture<'_, Result<(), AppError>> {
    Box::pin(async move {
        match db {
            Db::Sqlite(db) => sqlx::query(SPOIL).execute(&mut **db).await.map(drop)?,
            Db::Postgres(db) => sqlx::query(SPOIL).execute(db.statements()).await.map(drop)?,
        }
        Err(AppError::Forbidden)
    })
}

/// Time for whatever was sent to have come to where it waits: the same process
/// answers so many others meanwhile.
async fn others_are_served(site: &Running) {
    for _ in 0..60 {
        assert_eq!(site.script().get("/api/list_posts").await.status, 200);
    }
}

fn new(title: &str) -> Value {
    json!({ "input": { "title": title, "content": "Text" } })
}

async fn send(site: &Running, by: &Credential, document: &str, variables: Value) -> Answer {
    site.graphql_with(by, document, variables).await
}

fn error_type(answer: &Answer) -> String {
    match &answer.json()["errors"] {
        Value::Null => "none".to_owned(),
        errors => errors[0]["errorType"].as_str().unwrap_or("unknown").to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn posts_that_wait_together_share_a_commit_and_keep_the_order_of_their_events() {
    const POSTS: usize = 20;
    let database = postgres_database().await;
    let beside = TestDatabase::at(database.url_text());
    let site = Several::start(database, 1, &[]).await;
    let ada = site.author("ada").await;
    let mut listener = Listener::open(&site.browser()).await;
    let mut held = Held::by(beside.probe().await).await;
    let creates = join_all((0..POSTS).map(|number| {
        let mut script = ada.as_script();
        async move {
            let text = [("title", format!("Post {number}")), ("content", String::new())];
            let text: Vec<_> = text.iter().map(|(name, value)| (*name, value.as_str())).collect();
            script.submit("/api/create_post", &text).await.status
        }
    }));
    let release = async {
        until("the first to wait", async || held.0.number(WAITING).await > 0).await;
        let mut reader = site.browser().as_script();
        for _ in 0..60 {
            assert_eq!(reader.get("/api/list_posts").await.status, 200);
        }
        assert_eq!(held.0.number(WAITING).await, 1, "one of the process waits for all");
        assert_eq!(held.0.number("SELECT COUNT(*) FROM events").await, 0, "nothing is committed");
        held.release().await;
    };
    let (answers, ()) = futures::join!(creates, release);
    assert_eq!(answers, [200; POSTS]);

    let events = site.events().await;
    let told = listener.take(POSTS).await;
    let facts: Vec<_> = told.iter().map(|told| (told.id, told.fact())).collect();
    assert_eq!(facts, events, "listeners hear of them in the order of their numbers");
    let database = site.stop().await;
    let commits = database.count("SELECT COUNT(DISTINCT xmin::text) FROM posts").await;
    assert!((1..=4).contains(&commits), "{POSTS} posts in {commits} commits");
    let apart =
        "SELECT COUNT(*) FROM posts p JOIN events e ON e.post_id = p.id WHERE p.xmin::text <> e.xmin::text";
    assert_eq!(database.count(apart).await, 0, "each event is of the commit of its post");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_post_that_breaks_a_rule_does_not_undo_the_others_of_its_commit() {
    let site = Running::start().await;
    site.author("ada").await;
    site.author("bob").await;
    let (ada, bob) = (site.token_of("ada").await, site.token_of("bob").await);
    let taken = json!({ "input": { "id": "taken", "title": "Taken" } });
    assert_eq!(error_type(&send(&site, &ada, CREATE, taken.clone()).await), "none");

    let held = Held::by(site.probe().await).await;
    let good = join_all((0..8).map(|number| {
        let (site, ada) = (&site, &ada);
        async move { send(site, ada, CREATE, new(&format!("Good {number}"))).await }
    }));
    let bad = join_all((0..6).map(|number| {
        let (site, ada, bob, taken) = (&site, &ada, &bob, taken.clone());
        async move {
            match number % 3 {
                // The database itself says no, and PostgreSQL ends the transaction by it.
                0 => (send(site, ada, CREATE, taken).await, "DynamoDB:ConditionalCheckFailedException"),
                1 => {
                    let of_another = json!({ "input": { "id": "taken", "title": "Bob's" } });
                    (send(site, bob, UPDATE, of_another).await, "Unauthorized")
                }
                _ => {
                    let missing = json!({ "input": { "id": "missing", "title": "None" } });
                    (send(site, ada, UPDATE, missing).await, "Unauthorized")
                }
            }
        }
    }));
    // Of what has changed something before it fails, nothing is left either.
    let half_done = join_all((0..3).map(|_| site.site.database.write_in_order((), spoil, |()| ())));
    let release = async {
        others_are_served(&site).await;
        held.release().await;
    };
    let (good, bad, half_done, ()) = futures::join!(good, bad, half_done, release);
    assert_eq!(half_done, [Err(AppError::Forbidden), Err(AppError::Forbidden), Err(AppError::Forbidden)]);
    for answer in good {
        assert_eq!(error_type(&answer), "none", "{}", answer.text());
    }
    for (answer, expected) in bad {
        assert_eq!(error_type(&answer), expected, "{}", answer.text());
    }
    let mut titles = site.probe().await.texts(EVENTS_BY_ID).await;
    titles.sort();
    let expected: Vec<_> =
        (0..8).map(|number| format!("Good {number}")).chain(["Taken".to_owned()]).collect();
    assert_eq!(titles, expected, "one event for each post that is there");
    assert_eq!(site.count("SELECT COUNT(*) FROM posts").await, 9);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_post_with_a_conflict_is_created_and_so_are_the_others() {
    let site = Running::start().await;
    site.author("ada").await;
    let ada = site.token_of("ada").await;
    let mut probe = site.probe().await;
    let Probe::Postgres(_) = &probe else { return };
    let back = json!({ "input": { "id": "back", "title": "Back" } });
    assert_eq!(error_type(&send(&site, &ada, CREATE, back.clone()).await), "none");
    let delete = "mutation { deletePost(input: { id: \"back\" }) { id } }";
    assert_eq!(error_type(&site.graphql(&ada, delete).await), "none");

    // As the housekeeping does, while the post comes back.
    probe.execute("BEGIN").await;
    probe.execute("UPDATE deleted_posts SET title = ''").await;
    let again = send(&site, &ada, CREATE, back);
    let others = join_all((0..5).map(|number| {
        let (site, ada) = (&site, &ada);
        async move { send(site, ada, CREATE, new(&format!("Other {number}"))).await }
    }));
    let commit = async {
        let mut looks = site.probe().await;
        until("it to wait", async || looks.number(WAITING).await > 0).await;
        probe.execute("COMMIT").await;
    };
    let (again, others, ()) = futures::join!(again, others, commit);
    for answer in others.iter().chain([&again]) {
        assert_eq!(error_type(answer), "none", "{}", answer.text());
    }
    assert_eq!(site.count("SELECT COUNT(*) FROM posts").await, 6);
    assert_eq!(site.count("SELECT COUNT(*) FROM events WHERE kind = 'created'").await, 7);
}
