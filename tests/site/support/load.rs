//! Authors and readers who go on while a database or a process comes and goes, and what
//! has to hold of the site afterwards.

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
use futures::future::join_all;
use tokio::{sync::mpsc, task::JoinHandle};

use super::{Answer, Client, Listener, Probe, Several, TestDatabase, Told, in_time, until};

/// Nobody waits longer for an answer, whatever it is: the 15 s in which the site gives up on
/// making one, and some for a machine that has other work as well.
pub const HANG: Duration = Duration::from_secs(20);

/// What may come back while a database or a process comes and goes.
pub enum Outcome {
    Done(Answer),
    /// 503, with the time to retry.
    Later,
    /// The connection broke.
    Gone,
}

/// Anything else, and whatever comes late, is a failure.
pub async fn ask(client: &mut Client, request: Request<Body>) -> Outcome {
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

pub fn get(client: &Client, path: &str) -> Request<Body> {
    client.request(Method::GET, path).body(Body::empty()).expect("a request")
}

/// Authors and readers who never pause.
pub struct Load {
    stop: Arc<AtomicBool>,
    acknowledged: mpsc::UnboundedReceiver<(String, String)>,
    people: Vec<JoinHandle<()>>,
}

impl Load {
    /// At every process, each person beginning at another one. The connections
    /// to a process that `dies` may break; its authors go to the next one.
    pub async fn start(site: &Several, dies: Option<Client>) -> Self {
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
    pub async fn more(&mut self, count: usize) -> Vec<(String, String)> {
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
    pub async fn end(mut self) -> Vec<(String, String)> {
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
pub async fn assert_all_stored(database: &TestDatabase, acknowledged: &[(String, String)]) {
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
pub async fn assert_heard_all(site: &Several, listeners: Vec<Listener>) {
    let mut events = site.events().await;
    for mut listener in listeners {
        events.retain(|(id, _)| *id > listener.greeting.id);
        let told = listener.until(events.last().expect("an event").0).await;
        let heard: Vec<_> = told.iter().map(|told| (told.id, told.fact())).collect();
        assert_eq!(heard, events);
    }
}

pub async fn listen_at_each(site: &Several) -> Vec<Listener> {
    join_all(site.at_each(&site.browser()).iter().map(Listener::open)).await
}

pub async fn is_ready(client: &mut Client) -> bool {
    let request = get(client, "/readyz");
    matches!(ask(client, request).await, Outcome::Done(_))
}

/// The site is as if nothing had happened: every kind of request succeeds, many
/// times, and what happens at one process is known at the other.
pub async fn assert_whole(site: &Several, author: &Client, listeners: &mut [Listener]) {
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
