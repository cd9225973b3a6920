//! Every door, which is a place where outside text enters. Each is tried with the worst
//! texts of its grammar, at the largest accepted size and at half of it: no stack
//! overflows, nothing panics, no answer is an internal error, and twice the text costs
//! about twice the time.
//!
//! The doors are tried on `byline` itself, whose threads get half of their default
//! stack. The CPU time of the process is compared, so other load on the machine does not
//! matter.

mod grammar;
mod list;
mod source;

use std::{
    collections::BTreeSet,
    fs,
    time::{Duration, Instant},
};

use axum::{body::Body, http::Request};
use serde_json::{Value, json};

use self::{
    grammar::Worst,
    list::{DOORS, OURS},
};
use crate::support::{Answer, Byline, Client, Ended, Served, Socket, in_time, try_exchange, try_open};

/// Bytes of stack for each thread; the standard library gives 2 MiB.
const STACK: &str = "1048576";
/// How much more the double text may cost: twice, and a margin.
const GROWTH: f64 = 3.0;
/// What is not worth comparing: the kernel counts CPU time in ticks of 10 ms,
/// and a request costs something whatever is in it.
const NOISE: Duration = Duration::from_millis(60);
/// How often it is measured again before it counts as grown too much.
const TRIES: usize = 4;

/// One place where outside text enters.
pub struct Door {
    /// Its name in the message of a failing test.
    pub name: &'static str,
    /// The functions of the source that parse what comes in here, as
    /// `file::Type::function`.
    pub parses: &'static [&'static str],
    /// How much is let in, or of what has no limit of its own, plenty.
    pub bytes: usize,
    /// The worst texts of its grammar.
    pub worst: fn(usize) -> Vec<Worst>,
    /// How a text reaches it.
    pub way: Way,
}

pub enum Way {
    /// A form of the whole text, by an author.
    Form(&'static str),
    /// One field of a form, beside others that are right.
    Field {
        path: &'static str,
        field: &'static str,
        others: &'static [(&'static str, &'static str)],
    },
    /// A body of JSON.
    Json(&'static str),
    /// The document of a GraphQL operation.
    Document,
    /// A value in the variables of this document, in the place of `$worst`.
    Variable(&'static str),
    /// A text in the variables of this document.
    TextVariable(&'static str),
    /// The value of a header of a request.
    Header {
        path: &'static str,
        name: &'static str,
        before: &'static str,
    },
    /// The target of a request, behind this.
    Target(&'static str),
    /// The target of a request whose answer does not end, behind this.
    Stream(&'static str),
    /// A message to a WebSocket by this subprotocol.
    Message(&'static str),
    Settings,
    /// An argument of this command.
    Argument(&'static [&'static str]),
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_worst_markdown_overflows_nothing_and_costs_about_its_length() {
    enter_by(list::MARKDOWN).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_worst_of_graphql_overflows_nothing_and_costs_about_its_length() {
    enter_by(list::GRAPHQL).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_worst_body_overflows_nothing_and_costs_about_its_length() {
    enter_by(list::BODIES).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_worst_target_or_header_overflows_nothing_and_costs_about_its_length() {
    enter_by(list::HEADS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_worst_message_overflows_nothing_and_costs_about_its_length() {
    enter_by(list::MESSAGES).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_worst_setting_overflows_nothing_and_costs_about_its_length() {
    enter_by(list::OPERATOR).await;
}

async fn enter_by(doors: &[Door]) {
    let mut visitor = Visitor::arrive().await;
    let (mut tried, mut wrong) = (0, Vec::new());
    for door in doors {
        let begun = Instant::now();
        for (half, whole) in (door.worst)(door.bytes / 2).into_iter().zip((door.worst)(door.bytes)) {
            if let Err(problem) = visitor.compare(door, &half, &whole).await {
                wrong.push(format!("{}, {}: {problem}", door.name, whole.what));
                if visitor.served.cpu_time().is_none() {
                    visitor = Visitor::arrive().await;
                }
            }
            tried += 1;
        }
        println!("{:<50} {:>6} ms", door.name, begun.elapsed().as_millis());
    }
    assert!(wrong.is_empty(), "{} of {tried}: {wrong:#?}", wrong.len());
    visitor.leave().await;
}

#[test]
fn every_place_that_parses_outside_text_stands_behind_a_door() {
    let found = source::places();
    let behind_doors = DOORS.iter().copied().flatten().flat_map(|door| door.parses);
    let ours = OURS.iter().map(|(place, _)| place);
    let known: BTreeSet<String> = behind_doors.chain(ours).map(ToString::to_string).collect();
    let missing: Vec<_> = found.difference(&known).collect();
    assert!(
        missing.is_empty(),
        "these parse, and no door of tests/site/doors/list.rs has them: {missing:#?}"
    );
    let gone: Vec<_> = known.difference(&found).collect();
    assert!(gone.is_empty(), "tests/site/doors/list.rs names what does not parse any more: {gone:#?}");
}

/// An author at a browser, and a program with a key.
struct Visitor {
    byline: Byline,
    served: Served,
    author: Client,
    key: String,
}

impl Visitor {
    async fn arrive() -> Self {
        let byline = Byline::in_an_empty_folder();
        let key = byline.run(&["api-key", "create", "--public"], "").await.succeeded().trim().to_owned();
        let script = format!("RUST_MIN_STACK={STACK} exec \"$0\" \"$@\"");
        let served = byline.serve_in_shell(&script, &["--trusted-proxies", "127.0.0.1"]).await;
        let mut author = Client::browser(served.address, false);
        assert_eq!(author.sign_up("ada").await.status, 303);
        Self { byline, served, author, key }
    }

    /// Sends both; the larger one may not cost much more than twice as much.
    async fn compare(&self, door: &Door, half: &Worst, whole: &Worst) -> Result<(), String> {
        let mut seen = Vec::new();
        for _ in 0..TRIES {
            let (half, whole) = (self.cost(door, half).await?, self.cost(door, whole).await?);
            if whole <= half.mul_f64(GROWTH) + NOISE {
                return Ok(());
            }
            seen.push((half, whole));
        }
        Err(format!("twice the text costs too much more: {seen:?}"))
    }

    /// The CPU time that the site spends on a text.
    async fn cost(&self, door: &Door, worst: &Worst) -> Result<Duration, String> {
        let text = &worst.text;
        match door.way {
            Way::Settings => {
                let file = self.byline.folder().join("worst.toml");
                fs::write(&file, text).expect("a file");
                return self.run(&["migrate", "--config", "worst.toml"]).await;
            }
            Way::Argument(command) => {
                let arguments: Vec<_> = command.iter().copied().chain([text.as_str()]).collect();
                return self.run(&arguments).await;
            }
            _ => {}
        }
        let before = self.served.cpu_time();
        match door.way {
            Way::Message(protocol) => self.say(protocol, text).await,
            Way::Stream(_) => {
                let Some(request) = self.request(door, text) else { return Ok(Duration::ZERO) };
                let head = in_time("the head of an answer", try_open(self.served.address, request)).await;
                match head {
                    Ok(head) if head.status().is_server_error() => return Err(head.status().to_string()),
                    _ => {}
                }
            }
            _ => {
                if let Some(request) = self.request(door, text) {
                    // Whoever sends too much may find the connection closed before the answer.
                    let answer = try_exchange(self.served.address, request).await;
                    if let Ok(Answer { status, body, .. }) = answer {
                        let said = String::from_utf8_lossy(&body[..body.len().min(500)]).into_owned();
                        if status >= 500 {
                            return Err(format!("{status} {said}"));
                        }
                    }
                }
            }
        }
        let (Some(before), Some(after)) = (before, self.served.cpu_time()) else {
            return Err("the site is gone".to_owned());
        };
        Ok(after - before)
    }

    /// `None` where the text cannot be sent that way.
    fn request(&self, door: &Door, text: &str) -> Option<Request<Body>> {
        let post = |path| self.author.as_script().request(axum::http::Method::POST, path);
        let by_key = |body: Value| {
            let request = Request::builder().method("POST").uri("/graphql");
            let request = request.header("x-api-key", &self.key).header("content-type", "application/json");
            request.header("host", self.served.address.to_string()).body(Body::from(body.to_string()))
        };
        const FORM: &str = "application/x-www-form-urlencoded";
        let request = match door.way {
            Way::Form(path) => post(path).header("content-type", FORM).body(Body::from(text.to_owned())),
            Way::Field { path, field, others } => {
                let fields = others.iter().copied().chain([(field, text)]);
                let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
                post(path).header("content-type", FORM).body(Body::from(body))
            }
            Way::Json(path) => {
                let request = post(path).header("content-type", "application/json");
                request
                    .header("x-amz-target", "AWSCognitoIdentityProviderService.InitiateAuth")
                    .body(Body::from(text.to_owned()))
            }
            Way::Document => by_key(json!({ "query": text })),
            Way::TextVariable(document) => {
                by_key(json!({ "query": document, "variables": { "worst": text } }))
            }
            Way::Variable(document) => {
                let body = format!("{{\"query\":{},\"variables\":{{\"worst\":{text}}}}}", json!(document));
                let request =
                    Request::builder().method("POST").uri("/graphql").header("x-api-key", &self.key);
                let request = request.header("content-type", "application/json");
                request.header("host", self.served.address.to_string()).body(Body::from(body))
            }
            Way::Header { path, name, before } => {
                let method = if name.starts_with("access-control") { "OPTIONS" } else { "GET" };
                let request = self.author.request(method.parse().expect("a method"), path);
                let request =
                    if name == "host" { Request::builder().method(method).uri(path) } else { request };
                request.header(name, format!("{before}{text}")).body(Body::empty())
            }
            Way::Target(before) | Way::Stream(before) => {
                self.author.request(axum::http::Method::GET, &format!("{before}{text}")).body(Body::empty())
            }
            Way::Message(_) | Way::Settings | Way::Argument(_) => unreachable!("not by a request"),
        };
        request.ok()
    }

    async fn say(&self, protocol: &str, text: &str) {
        let headers = [("x-api-key", self.key.as_str())];
        let Ok(mut socket) = Socket::try_open(&self.author, "/graphql", protocol, &headers).await else {
            return;
        };
        socket.say(json!({ "type": "connection_init", "payload": { "x-api-key": self.key } })).await;
        socket.hear_anything().await;
        socket.say_text(text).await;
        // Whatever was said is answered before this is, or the connection is closed.
        socket.say_text("{\"type\":\"ping\"}").await;
        socket.hear_anything().await;
    }

    /// Runs a command to its end with a small stack; its CPU time.
    async fn run(&self, arguments: &[&str]) -> Result<Duration, String> {
        let mut shell = self
            .byline
            .command_in_shell("ulimit -s 1024; \"$0\" \"$@\"; code=$?; times; exit $code", arguments);
        shell.env("RUST_MIN_STACK", STACK);
        let ended = Ended::of(shell, "").await;
        if !matches!(ended.code, Some(0..=2)) || ended.stderr.contains("panicked") {
            return Err(format!("{:?} {}", ended.code, short(&ended.stderr)));
        }
        Ok(children_time(&ended.stdout))
    }

    async fn leave(self) {
        let log = self.served.terminate().await;
        assert!(!log.contains("panic") && !log.contains("internal error"), "{}", short(&log));
    }
}

/// From the second line of `times`: the CPU time of the shell's children.
fn children_time(stdout: &str) -> Duration {
    let line = stdout.trim_end().lines().last().unwrap_or_default();
    line.split_whitespace()
        .map(|time| {
            let (minutes, seconds) = time.trim_end_matches('s').split_once('m').expect("a time of `times`");
            let number = |text: &str| text.parse::<f64>().expect("a number");
            Duration::from_secs_f64(number(minutes) * 60.0 + number(seconds))
        })
        .sum()
}

fn short(text: &str) -> String {
    text.chars().take(600).collect()
}
