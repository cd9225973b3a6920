//! One post sent to all subscribers, compared with a server that writes the same
//! message to as many bare WebSockets, one after the other.

use std::{
    fs,
    io::Write,
    mem,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use axum::http::HeaderValue;
use futures::{SinkExt, StreamExt};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinSet,
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream, accept_async, client_async,
    tungstenite::{Message, Utf8Bytes, client::IntoClientRequest},
};

use crate::{
    api::{self, Post, TokenAuthor},
    http,
    load::{Asking, Worker, percentile},
    measure::Bench,
    meter::{CpuTime, Meter},
    server::Server,
};

/// Subscribers: as many as Byline accepts by default.
pub(crate) const SUBSCRIBERS: usize = 1000;
/// How often they are told of a post, after once to warm up.
const ROUNDS: usize = 10;
/// For a round, and for a socket to open.
const PATIENCE: Duration = Duration::from_secs(20);
/// Open files of a process: a socket each, and room for all else.
const FILES: usize = 4 * SUBSCRIBERS;
/// How a subscriber calls what it subscribed to.
const SUBSCRIPTION: &str = "1";
/// A sign of life of Byline's, in the protocol's words.
const BEAT: &str = r#"{"type":"ping"}"#;

type Socket = WebSocketStream<TcpStream>;

/// How long it took until the last had heard of it.
pub(crate) struct FanOut {
    /// Until the author was answered, half of the rounds took no longer; bare
    /// sockets have no author.
    pub(crate) answered: Option<Duration>,
    /// Until the last had heard of it, half of the rounds took no longer.
    pub(crate) p50: Duration,
    /// The longest of the rounds.
    pub(crate) worst: Duration,
    measured: Duration,
    cpu: CpuTime,
    /// In bytes.
    pub(crate) peak_memory: u64,
}

impl FanOut {
    /// The time for one delivery.
    pub(crate) fn once(&self, of: impl FnOnce(&CpuTime) -> Duration) -> Duration {
        of(&self.cpu).div_f64((ROUNDS * SUBSCRIBERS) as f64)
    }

    /// The share of the time that the subscribers were busy.
    pub(crate) fn load_busy(&self) -> f64 {
        self.cpu.load.as_secs_f64() / self.measured.as_secs_f64()
    }
}

/// Lets this process, and those that it starts from now on, open enough files.
fn allow_files() -> Result<()> {
    let mut prlimit = Command::new("prlimit");
    prlimit.args(["--pid", &std::process::id().to_string(), &format!("--nofile={FILES}:")]);
    let status = prlimit.stdout(Stdio::null()).status().context("prlimit")?;
    ensure!(status.success(), "{FILES} open files must be allowed (`ulimit -Hn`)");
    Ok(())
}

/// Byline tells of posts. The last message is returned, too.
pub(crate) async fn byline(bench: &Bench) -> Result<(FanOut, Utf8Bytes)> {
    allow_files()?;
    let servers = bench.servers.byline(&bench.posts.copy()?, 1)?;
    let server = servers.first().context("no server was started")?;
    let mut sockets = Vec::new();
    for _ in 0..SUBSCRIBERS {
        let subscribing = subscribe(server.address, &bench.key);
        sockets.push(timeout(PATIENCE, subscribing).await.context("subscribing takes too long")??);
    }
    // Later than that, since a connection that is not used ends.
    let author = TokenAuthor::sign_up(1, &[server.address]).await?.pop().context("nobody signed up")?;
    rounds(author, Audience::seat(sockets), bench, server).await
}

/// A server that knows nothing but the message.
pub(crate) async fn bare(bench: &Bench, message: &Utf8Bytes) -> Result<FanOut> {
    allow_files()?;
    let server = bench.servers.bare_sockets(message, SUBSCRIBERS)?;
    let mut sockets = Vec::new();
    for _ in 0..SUBSCRIBERS {
        sockets.push(
            timeout(PATIENCE, open(server.address, "/", None)).await.context("opening takes too long")??,
        );
    }
    let trigger = Trigger { stream: connect(server.address).await?, message: message.clone() };
    Ok(rounds(trigger, Audience::seat(sockets), bench, &server).await?.0)
}

/// Has everyone told again and again. The last message is returned, too.
async fn rounds(
    mut teller: impl Teller,
    mut audience: Audience,
    bench: &Bench,
    server: &Server,
) -> Result<(FanOut, Utf8Bytes)> {
    let meter = Meter { servers: vec![server.process()], postgres: bench.posts.process()? };
    round(&mut teller, &mut audience).await.context("while warming up")?;
    let (before, begun) = (meter.read()?, Instant::now());
    let (mut answered, mut told, mut last) = (Vec::new(), Vec::new(), Utf8Bytes::default());
    for _ in 0..ROUNDS {
        let (answer, all, message) = round(&mut teller, &mut audience).await?;
        answered.extend(answer);
        told.push(all);
        last = message;
    }
    let (cpu, measured) = (meter.read()? - before, begun.elapsed());
    answered.sort_unstable();
    told.sort_unstable();
    let fan_out = FanOut {
        answered: percentile(&answered, 50).ok(),
        p50: percentile(&told, 50)?,
        worst: percentile(&told, 100)?,
        measured,
        cpu,
        peak_memory: server.peak_memory()?,
    };
    Ok((fan_out, last))
}

/// One round: the time until the answer, the time until the last subscriber has
/// the message, and the message.
async fn round(
    teller: &mut impl Teller,
    audience: &mut Audience,
) -> Result<(Option<Duration>, Duration, Utf8Bytes)> {
    let begun = Instant::now();
    let answered = timeout(PATIENCE, teller.tell()).await.context("there is no answer")??;
    let (last, message) = timeout(PATIENCE, audience.hear()).await.context("somebody was not told")??;
    ensure!(teller.has_told(&message), "something else was told: {message}");
    Ok((answered.map(|answered| answered - begun), last - begun, message))
}

/// Something that sends a message to everyone.
trait Teller {
    /// Sends the message; returns when that was answered, if it is.
    async fn tell(&mut self) -> Result<Option<Instant>>;
    /// Whether this message is the last that was sent.
    fn has_told(&self, message: &str) -> bool;
}

impl Teller for Asking<TokenAuthor> {
    async fn tell(&mut self) -> Result<Option<Instant>> {
        self.once().await?;
        Ok(Some(Instant::now()))
    }

    fn has_told(&self, message: &str) -> bool {
        told_of(message).is_some_and(|post| self.client.last.as_ref() == Some(&post))
    }
}

/// Makes the bare server send, by one byte.
struct Trigger {
    stream: TcpStream,
    message: Utf8Bytes,
}

impl Teller for Trigger {
    async fn tell(&mut self) -> Result<Option<Instant>> {
        self.stream.write_all(b"!").await?;
        Ok(None)
    }

    fn has_told(&self, message: &str) -> bool {
        self.message == message
    }
}

/// Listens on sockets, each in a task of its own.
struct Audience {
    size: usize,
    heard: mpsc::UnboundedReceiver<(usize, Result<Delivery>)>,
    // Ends them with this.
    _listeners: JoinSet<()>,
}

/// A message that has arrived.
struct Delivery {
    at: Instant,
    message: Utf8Bytes,
}

impl Audience {
    fn seat(sockets: Vec<Socket>) -> Self {
        let (heard_by, heard) = mpsc::unbounded_channel();
        let (size, mut listeners) = (sockets.len(), JoinSet::new());
        for (listener, mut socket) in sockets.into_iter().enumerate() {
            let heard_by = heard_by.clone();
            listeners.spawn(async move {
                loop {
                    let delivery =
                        hear(&mut socket).await.map(|message| Delivery { at: Instant::now(), message });
                    let over = delivery.is_err();
                    if heard_by.send((listener, delivery)).is_err() || over {
                        return;
                    }
                }
            });
        }
        Self { size, heard, _listeners: listeners }
    }

    /// Waits until everyone has heard one message, the same. Returns when the
    /// last did.
    async fn hear(&mut self) -> Result<(Instant, Utf8Bytes)> {
        let mut told = vec![false; self.size];
        let mut last: Option<Delivery> = None;
        for _ in 0..self.size {
            let (listener, delivery) = self.heard.recv().await.context("nobody listens")?;
            let delivery = delivery?;
            ensure!(!mem::replace(&mut told[listener], true), "somebody was told twice");
            if let Some(last) = &last {
                ensure!(
                    delivery.message == last.message,
                    "some were told {}, others {}",
                    last.message,
                    delivery.message
                );
            }
            let at = last.as_ref().map_or(delivery.at, |last| last.at.max(delivery.at));
            last = Some(Delivery { at, ..delivery });
        }
        let last = last.context("nobody listens")?;
        Ok((last.at, last.message))
    }
}

/// The post that a message of the subscription brings (`next` of
/// graphql-transport-ws); none if anything about it is wrong.
fn told_of(message: &str) -> Option<Post> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Next {
        #[serde(rename = "type")]
        kind: String,
        id: String,
        payload: api::Response<OnCreatePost>,
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "camelCase")]
    struct OnCreatePost {
        on_create_post: Post,
    }
    let next: Next = serde_json::from_str(message).ok()?;
    (next.kind == "next" && next.id == SUBSCRIPTION).then_some(next.payload.data.on_create_post)
}

/// Opens a socket and subscribes, and waits until Byline has taken that in.
async fn subscribe(server: SocketAddr, key: &str) -> Result<Socket> {
    let mut socket = open(server, "/graphql", Some("graphql-transport-ws")).await?;
    say(&mut socket, &json!({ "type": "connection_init", "payload": { "x-api-key": key } })).await?;
    expect(&mut socket, r#"{"type":"connection_ack"}"#).await?;
    let payload = json!({ "query": api::ON_CREATE });
    say(&mut socket, &json!({ "type": "subscribe", "id": SUBSCRIPTION, "payload": payload })).await?;
    say(&mut socket, &json!({ "type": "ping" })).await?;
    expect(&mut socket, r#"{"type":"pong"}"#).await?;
    Ok(socket)
}

async fn connect(server: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect(server).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Opens a socket that speaks such a protocol, if any.
async fn open(server: SocketAddr, path: &str, protocol: Option<&'static str>) -> Result<Socket> {
    let mut request = format!("ws://{}{path}", http::HOST).into_client_request()?;
    if let Some(protocol) = protocol {
        request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static(protocol));
    }
    Ok(client_async(request, connect(server).await?).await?.0)
}

async fn say(socket: &mut Socket, message: &Value) -> Result<()> {
    Ok(socket.send(Message::text(message.to_string())).await?)
}

async fn expect(socket: &mut Socket, answer: &str) -> Result<()> {
    let heard = hear(socket).await?;
    ensure!(heard == answer, "instead of {answer}: {heard}");
    Ok(())
}

/// The next message, keep-alive messages left out.
async fn hear(socket: &mut Socket) -> Result<Utf8Bytes> {
    loop {
        match socket.next().await.context("the socket was closed")?? {
            Message::Text(text) if text == BEAT => {}
            Message::Text(text) => return Ok(text),
            Message::Close(frame) => bail!("the socket was closed: {frame:?}"),
            _ => {}
        }
    }
}

/// Serves so many bare sockets.
pub(crate) fn serve_bare(message: &Path, sockets: usize) -> Result<()> {
    let message = fs::read_to_string(message)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        println!("bare sockets at http://{}", listener.local_addr()?);
        std::io::stdout().flush()?;
        write_to_all(listener, message.into(), sockets).await
    })
}

/// Waits for so many sockets. The connection after them asks, by each byte,
/// that the message be written to all of them, and ends it when it ends.
async fn write_to_all(listener: TcpListener, message: Utf8Bytes, sockets: usize) -> Result<()> {
    let mut audience = Vec::new();
    for _ in 0..sockets {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        audience.push(accept_async(stream).await?);
    }
    let (mut trigger, _) = listener.accept().await?;
    while trigger.read(&mut [0]).await? > 0 {
        for socket in &mut audience {
            socket.send(Message::Text(message.clone())).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sockets to a server of bare ones, and the connection that asks it.
    async fn bare(message: &str, sockets: usize) -> (Vec<Socket>, Trigger) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let server = listener.local_addr().unwrap();
        tokio::spawn(write_to_all(listener, message.into(), sockets));
        let mut opened = Vec::new();
        for _ in 0..sockets {
            opened.push(open(server, "/", None).await.unwrap());
        }
        (opened, Trigger { stream: connect(server).await.unwrap(), message: message.into() })
    }

    fn run(test: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { timeout(PATIENCE, test).await.unwrap() });
    }

    #[test]
    fn a_round_ends_when_everyone_has_heard_it() {
        run(async {
            let (sockets, mut trigger) = bare("news", 3).await;
            let mut audience = Audience::seat(sockets);
            for _ in 0..2 {
                let (answered, all, message) = round(&mut trigger, &mut audience).await.unwrap();
                assert_eq!((answered, message.as_str()), (None, "news"));
                assert!(all > Duration::ZERO);
            }
        });
    }

    #[test]
    fn signs_of_life_are_not_what_is_told() {
        run(async {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
            let server = listener.local_addr().unwrap();
            let teller = tokio::spawn(async move {
                let mut socket = accept_async(listener.accept().await.unwrap().0).await.unwrap();
                for message in [BEAT, "news"] {
                    socket.send(Message::text(message)).await.unwrap();
                }
                socket
            });
            let mut audience = Audience::seat(vec![open(server, "/", None).await.unwrap()]);
            assert_eq!(audience.hear().await.unwrap().1, "news");
            drop(teller.await.unwrap());
        });
    }

    #[test]
    fn who_is_told_something_else_fails_the_round() {
        run(async {
            let (mut sockets, mut trigger) = bare("news", 2).await;
            let (mut others, mut other) = bare("rumours", 1).await;
            sockets.append(&mut others);
            let mut audience = Audience::seat(sockets);
            other.tell().await.unwrap();
            let error = round(&mut trigger, &mut audience).await.unwrap_err();
            assert!(error.to_string().contains("rumours"), "{error:#}");
        });
    }

    #[test]
    fn who_is_told_twice_does_not_stand_for_another() {
        run(async {
            let (mut sockets, mut trigger) = bare("news", 1).await;
            let (mut silent, _silent) = bare("news", 1).await;
            sockets.append(&mut silent);
            let mut audience = Audience::seat(sockets);
            trigger.tell().await.unwrap();
            trigger.tell().await.unwrap();
            let error = audience.hear().await.unwrap_err();
            assert!(error.to_string().contains("twice"), "{error:#}");
        });
    }

    #[test]
    fn a_socket_that_ends_fails_the_round() {
        run(async {
            let (mut sockets, mut trigger) = bare("news", 1).await;
            let (mut ended, other) = bare("news", 1).await;
            sockets.append(&mut ended);
            drop(other);
            let mut audience = Audience::seat(sockets);
            assert!(round(&mut trigger, &mut audience).await.is_err());
        });
    }

    #[test]
    fn only_a_post_without_errors_was_told_of() {
        let post = json!({
            "id": "a", "title": "T", "content": "C", "owner": "ada",
            "createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-01T00:00:00.000Z",
        });
        let data = json!({ "onCreatePost": post });
        let next = json!({ "type": "next", "id": SUBSCRIPTION, "payload": { "data": data } });
        assert!(told_of(&next.to_string()).is_some());
        let errors = json!([{ "message": "You fell behind." }]);
        for wrong in [
            json!({ "type": "next", "id": SUBSCRIPTION, "payload": { "data": data, "errors": errors } }),
            json!({ "type": "next", "id": SUBSCRIPTION, "payload": { "data": { "onCreatePost": null } } }),
            json!({ "type": "next", "id": "2", "payload": { "data": data } }),
            json!({ "type": "data", "id": SUBSCRIPTION, "payload": { "data": data } }),
            json!({ "type": "error", "id": SUBSCRIPTION, "payload": errors }),
            json!({ "type": "complete", "id": SUBSCRIPTION }),
        ] {
            assert!(told_of(&wrong.to_string()).is_none(), "{wrong}");
        }
    }
}
