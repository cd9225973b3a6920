//! `byline serve` on a file, killed again and again while it writes. Afterwards
//! everything that it confirmed is there, and nothing is incomplete.
//!
//! `TORTURE_ROUNDS` sets how often (`cargo xtask torture`), `TORTURE_SEED` chooses the
//! moments.

use std::{collections::HashMap, env, fmt, time::Duration};

use futures::future::join_all;
use tokio::sync::mpsc;

use crate::support::{Byline, Client, Probe, TestDatabase};

/// Each adds posts and edits one of them, both at the same time.
const AUTHORS: [&str; 3] = ["ada", "bob", "eve"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_that_is_killed_has_everything_it_acknowledged() {
    let rounds: u32 = env::var("TORTURE_ROUNDS").map_or(5, |rounds| rounds.parse().expect("a number"));
    let mut chance = Chance::new();
    let byline = Byline::in_an_empty_folder();
    let file = byline.folder().join("byline.db");
    let database = TestDatabase::at(&format!("sqlite://{}", file.display()));

    let mut served = byline.serve(&[]).await;
    let mut book = Book::default();
    let (mut authors, mut first) = (Vec::new(), Vec::new());
    for name in AUTHORS {
        let mut author = Client::browser(served.address, false).as_script();
        let email = format!("{name}@example.org");
        let account = [("username", name), ("email", &email), ("password", "a long pass phrase of three")];
        assert_eq!(author.submit("/api/sign_up", &account).await.status, 200);
        let text = Text { title: format!("Edited by {name}"), content: String::new(), version: 1 };
        let id = create(&mut author, &text).await.expect("an answer");
        first.push((id.clone(), text));
        authors.push((author, id));
    }
    book.compare(&mut database.probe().await, first, Vec::new()).await;

    let (mut acknowledged, mut by_the_way) = (0, 0);
    for round in 1..=rounds {
        let (tell, mut told) = mpsc::unbounded_channel();
        let writers: Vec<_> = authors
            .iter()
            .flat_map(|(author, id)| {
                let author = author.at(served.address);
                let creates = create_without_end(author.clone(), round, Chance(chance.next()), tell.clone());
                let edited = (id.clone(), book.posts[id].clone());
                let edits = edit_without_end(author, edited, Chance(chance.next()), tell.clone());
                [tokio::spawn(creates), tokio::spawn(edits)]
            })
            .collect();
        drop(tell);

        let mut answers = Vec::new();
        for _ in 0..=chance.below(60) {
            answers.push(told.recv().await.expect("the writers go on until the kill"));
        }
        tokio::time::sleep(Duration::from_micros(chance.below(5000))).await;
        let log = served.kill().await;
        assert!(!log.contains("internal error") && !log.contains("panic"), "{log}");
        let unanswered: Vec<_> =
            join_all(writers).await.into_iter().map(|ended| ended.expect("no panic")).collect();
        while let Ok(answer) = told.try_recv() {
            answers.push(answer);
        }

        // The next process reads back the log; we look from beside it.
        served = byline.serve(&[]).await;
        acknowledged += answers.len();
        let of_round: Vec<_> = answers.iter().map(|(id, _)| id.clone()).collect();
        let mut probe = database.probe().await;
        assert!(probe.is_sound().await, "round {round}: the file is damaged");
        by_the_way += book.compare(&mut probe, answers, unanswered).await;
        let mut reader = Client::browser(served.address, false).as_script();
        assert_eq!(reader.get("/api/list_posts").await.status, 200);
        for id in of_round {
            let post = reader.get(&format!("/api/get_post?id={id}")).await.json();
            assert_eq!(Text::of(&post), book.posts[&id], "round {round}");
        }
        if round % 20 == 0 && round < rounds {
            println!("{round} kills, {acknowledged} acknowledged writes, all there");
        }
    }

    served.terminate().await;
    assert!(database.probe().await.is_sound().await, "after a stop in order");
    println!(
        "{rounds} kills, {acknowledged} acknowledged writes, none lost; \
         {by_the_way} more were on the disk when the kill came before their answer"
    );
}

/// A post as it must be stored.
#[derive(Clone, PartialEq, Eq)]
struct Text {
    title: String,
    content: String,
    version: i64,
}

impl Text {
    fn of(post: &serde_json::Value) -> Self {
        let text = |name: &str| post[name].as_str().expect("a text").to_owned();
        let version = post["version"].as_i64().expect("a number");
        Self { title: text("title"), content: text("content"), version }
    }
}

/// Without the content, which is long.
impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}, version {}, {} bytes", self.title, self.version, self.content.len())
    }
}

/// What the site has answered: the id, and what is there now.
type Wrote = (String, Text);

/// What a writer had asked for when the kill came: an edit if there is an id.
type IdempotentOperation = (Option<String>, Text);

async fn create(author: &mut Client, text: &Text) -> Option<String> {
    let fields = [("title", text.title.as_str()), ("content", &text.content)];
    let answer = author.try_send(author.form("/api/create_post", &fields)).await?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let post = answer.json();
    assert_eq!(Text::of(&post), *text);
    Some(post["id"].as_str().expect("an id").to_owned())
}

async fn create_without_end(
    mut author: Client,
    round: u32,
    mut chance: Chance,
    tell: mpsc::UnboundedSender<Wrote>,
) -> IdempotentOperation {
    for number in 1.. {
        let text =
            Text { title: format!("Round {round}, post {number}"), content: chance.content(), version: 1 };
        match create(&mut author, &text).await {
            Some(id) => tell.send((id, text)).expect("the test listens"),
            None => return (None, text),
        }
    }
    unreachable!("the kill comes first")
}

async fn edit_without_end(
    mut author: Client,
    (id, mut text): Wrote,
    mut chance: Chance,
    tell: mpsc::UnboundedSender<Wrote>,
) -> IdempotentOperation {
    loop {
        let version = text.version.to_string();
        text = Text { content: chance.content(), version: text.version + 1, ..text };
        text.title = format!("Version {}", text.version);
        let fields =
            [("id", id.as_str()), ("version", &version), ("title", &text.title), ("content", &text.content)];
        let Some(answer) = author.try_send(author.form("/api/update_post", &fields)).await else {
            return (Some(id), text);
        };
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(Text::of(&answer.json()), text);
        tell.send((id.clone(), text.clone())).expect("the test listens");
    }
}

/// What the site has confirmed.
#[derive(Default)]
struct Book {
    posts: HashMap<String, Text>,
    /// The newest event.
    as_of: i64,
}

impl Book {
    /// Compares what is stored with the book and the `answers` since. What had
    /// not been answered may be there or not, but whole; it is then taken into
    /// the book. Returns how many.
    async fn compare(
        &mut self,
        probe: &mut Probe,
        answers: Vec<Wrote>,
        mut unanswered: Vec<IdempotentOperation>,
    ) -> usize {
        let Probe::Sqlite(db) = probe else { panic!("a file") };
        let rows: Vec<(String, String, String, i64)> =
            sqlx::query_as("SELECT id, title, content, version FROM posts")
                .fetch_all(&mut *db)
                .await
                .expect("the posts");
        let stored: HashMap<_, _> = rows
            .into_iter()
            .map(|(id, title, content, version)| (id, Text { title, content, version }))
            .collect();

        let before = self.posts.clone();
        self.posts.extend(answers);
        let mut by_the_way = 0;
        for (id, text) in &stored {
            let known = self.posts.remove(id);
            if known.as_ref() != Some(text) {
                let wish = (known.is_some().then(|| id.clone()), text.clone());
                let place = unanswered.iter().position(|unanswered| *unanswered == wish);
                unanswered
                    .swap_remove(place.unwrap_or_else(|| panic!("{id}: {text:?} instead of {known:?}")));
                by_the_way += 1;
            }
        }
        assert!(self.posts.is_empty(), "acknowledged and lost: {:?}", self.posts);
        self.posts = stored;

        // A change and its event are one: each version since has its own.
        let changed: HashMap<_, _> = self
            .posts
            .iter()
            .map(|(id, text)| (id, text.version, before.get(id).map_or(0, |text| text.version)))
            .filter(|(_, new, old)| new > old)
            .map(|(id, new, old)| (id.clone(), (new - old, i64::from(old == 0))))
            .collect();
        let events: Vec<(String, i64, i64, i64)> = sqlx::query_as(
            "SELECT post_id, COUNT(*), SUM(kind = 'created'), MAX(id) FROM events WHERE id > $1 GROUP BY post_id",
        )
        .bind(self.as_of)
        .fetch_all(&mut *db)
        .await
        .expect("the events");
        self.as_of = events.iter().map(|(.., newest)| *newest).max().unwrap_or(self.as_of);
        let told: HashMap<_, _> =
            events.into_iter().map(|(id, events, created, _)| (id, (events, created))).collect();
        assert_eq!(told, changed);
        by_the_way
    }
}

/// Random numbers from a seed (splitmix64).
struct Chance(u64);

impl Chance {
    fn new() -> Self {
        let seed = env::var("TORTURE_SEED")
            .map_or_else(|_| uuid::Uuid::new_v4().as_u64_pair().0, |seed| seed.parse().expect("a number"));
        println!("TORTURE_SEED={seed}");
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// A text of up to a few pages of the file, now and then of many.
    fn content(&mut self) -> String {
        let words = if self.below(20) == 0 { 4000 } else { self.below(400) };
        let word = format!("{:016x} ", self.next());
        word.repeat(words as usize).trim_end().to_owned()
    }
}
