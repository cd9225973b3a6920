//! Hostile loads: each has a duration and a bounded number of connections. They use
//! another address of this machine than the well-behaved clients.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use axum::{body::Body, http::Request};
use futures::{future::BoxFuture, future::join_all};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

use crate::support::{Byline, Client, Served, Socket};

/// The address of hostile connections.
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 66);
/// Posts that a search has to read.
const LONG_POSTS: usize = 60;
/// Posts whose images are more than the memory for images takes.
const POSTS_WITH_IMAGES: usize = 90;

pub struct Site {
    byline: Byline,
    served: Served,
    pub author: Client,
    hostile: Vec<Client>,
    pub key: String,
    pub post: String,
    /// Where it is read.
    pub post_page: String,
    heavy_page: String,
    images: Vec<String>,
}

impl Site {
    pub async fn open() -> Self {
        let byline = Byline::in_an_empty_folder();
        let key = byline.run(&["api-key", "create", "--public"], "").await.succeeded().trim().to_owned();
        let served = byline.serve(&[]).await;
        let browser = Client::browser(served.address, false);
        let mut author = browser.clone();
        assert_eq!(author.sign_up("ada").await.status, 303);
        let mut hostile = Vec::new();
        for name in ["eve", "mallory", "trudy"] {
            let mut client = browser.clone();
            assert_eq!(client.sign_up(name).await.status, 303);
            hostile.push(client);
        }
        let post = author.publish("Read me", "Some *words* to read.").await;
        let heavy = hostile[0].publish("Heavy", &format!("{}a", "> ".repeat(20_000))).await;
        let long = "lorem ipsum ".repeat(8_000);
        for number in 0..LONG_POSTS {
            hostile[0].publish(&format!("Long {number}"), &long).await;
        }
        let mut images = Vec::new();
        for number in 0..POSTS_WITH_IMAGES {
            let post = hostile[1].publish(&format!("{number} {}", "ẫỗạ ".repeat(48)), "").await;
            let image = author.get_once(&format!("/previews/posts/{post}/0.png")).await;
            images.push(image.location().to_owned());
        }
        let page_of =
            async |id: &str| author.clone().get_once(&format!("/posts/{id}")).await.location().to_owned();
        let (post_page, heavy_page) = (page_of(&post).await, page_of(&heavy).await);
        Self { byline, served, author, hostile, key, post, post_page, heavy_page, images }
    }

    pub fn address(&self) -> SocketAddr {
        self.served.address
    }

    pub fn browser(&self) -> Client {
        Client::browser(self.address(), false)
    }

    /// Ends the site; checks that it had no internal error.
    pub async fn close(self) {
        let log = self.served.terminate().await;
        let trouble = log.lines().find(|line| line.contains("panic") || line.contains("internal error"));
        assert_eq!(trouble, None);
        drop(self.byline);
    }

    async fn connect(&self) -> std::io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((ELSEWHERE, 0).into())?;
        socket.connect(self.address()).await
    }

    /// Sends a request over a connection of its own and takes the answer, whatever it is.
    async fn request(&self, request: Request<Body>) {
        let Ok(stream) = self.connect().await else { return };
        let exchange = async {
            let (mut sender, connection) =
                hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.ok()?;
            tokio::spawn(connection);
            let answer = sender.send_request(request).await.ok()?;
            axum::body::to_bytes(Body::new(answer.into_body()), usize::MAX).await.ok()
        };
        let _ = tokio::time::timeout(Duration::from_secs(20), exchange).await;
    }

    /// A WebSocket by `graphql-transport-ws`, if the site lets one in soon.
    async fn socket(&self) -> Option<Socket> {
        let open = async {
            let opened = Socket::try_open(&self.browser(), "/graphql", "graphql-transport-ws", &[]).await;
            let mut socket = opened.ok()?;
            let init = json!({ "type": "connection_init", "payload": { "x-api-key": self.key } });
            socket.say_text(&init.to_string()).await;
            Some(socket)
        };
        tokio::time::timeout(Duration::from_secs(5), open).await.ok().flatten()
    }

    fn by_key(&self, body: String) -> Request<Body> {
        let request = Request::builder().method("POST").uri("/graphql").header("x-api-key", &self.key);
        let request = request.header("content-type", "application/json");
        request.header("host", self.address().to_string()).body(Body::from(body)).expect("a request")
    }

    fn get(&self, path: &str) -> Request<Body> {
        self.browser().request(axum::http::Method::GET, path).body(Body::empty()).expect("a request")
    }
}

/// A kind of hostile load.
pub struct Load {
    pub name: &'static str,
    run: for<'a> fn(&'a Site, Instant) -> BoxFuture<'a, ()>,
}

impl Load {
    /// Runs for about that time.
    pub async fn run(&self, site: &Site, time: Duration) {
        (self.run)(site, Instant::now() + time).await;
    }
}

macro_rules! load {
    ($name:literal, $run:path) => {
        Load { name: $name, run: |site, until| Box::pin($run(site, until)) }
    };
}

/// All loads, one after the other.
pub const LOADS: &[Load] = &[
    load!("documents and variables nested deeply", nested_documents),
    load!("previews that are heavy", heavy_previews),
    load!("a heavy post behind ever new addresses", heavy_pages),
    load!("images of ever other posts", images),
    load!("queries pipelined over WebSockets", pipelined_queries),
    load!("bodies that do not come", slow_bodies),
    load!("large bodies that are held open", large_bodies),
    load!("large answers that nobody takes", answers_not_taken),
    load!("searches through long texts", searches),
    load!("connections that say nothing", idle_connections),
    load!("targets that are none", odd_targets),
    load!("paths without end", long_paths),
    load!("subscriptions without number", subscriptions),
    load!("guesses at passwords", guesses),
];

/// `number` at a time, again and again until the time is over.
async fn again_and_again<'a, F: Future<Output = ()>>(
    number: usize,
    until: Instant,
    one: impl Fn(usize) -> F + Copy + 'a,
) {
    join_all((0..number).map(|lane| async move {
        let mut turn = lane;
        while Instant::now() < until {
            one(turn).await;
            turn += number;
        }
    }))
    .await;
}

/// Holds on to what was made until the time is over.
async fn hold<T>(held: T, until: Instant) {
    tokio::time::sleep_until(until.into()).await;
    drop(held);
}

async fn nested_documents(site: &Site, until: Instant) {
    let deep =
        |open: &str, close: &str, depth: usize| format!("{}{}", open.repeat(depth), close.repeat(depth));
    let document = format!("{{listPosts(filter:{}){{items{{id}}}}}}", deep("{not:", "}", 1_400));
    let doubling: String = (0..300)
        .map(|number| format!("fragment f{number} on Query{{...f{0} ...f{0}}} ", number + 1))
        .collect();
    let bodies = [
        json!({ "query": document }).to_string(),
        json!({ "query": format!("{{...f0}} {doubling}") }).to_string(),
        format!(
            "{{\"query\":\"query($f:ModelPostFilterInput){{listPosts(filter:$f){{items{{id}}}}}}\",\"variables\":{{\"f\":{}}}}}",
            deep("{\"not\":", "}", 20_000)
        ),
    ];
    again_and_again(4, until, |turn| site.request(site.by_key(bodies[turn % bodies.len()].clone()))).await;
}

async fn heavy_previews(site: &Site, until: Instant) {
    let texts = [
        format!("{}a", ">".repeat(20_000)),
        "<div>".repeat(8_000),
        "[".repeat(50_000),
        format!("{}\n{}\n{}", "|a".repeat(500), "|-".repeat(500), "|\n".repeat(20_000)),
    ];
    again_and_again(6, until, |turn| {
        let author = site.hostile[turn % site.hostile.len()].as_script();
        site.request(author.form("/api/preview_post", &[("content", &texts[turn % texts.len()])]))
    })
    .await;
}

async fn heavy_pages(site: &Site, until: Instant) {
    again_and_again(6, until, |turn| {
        site.request(site.get(&format!("{}?utm_source={turn}", site.heavy_page)))
    })
    .await;
}

async fn images(site: &Site, until: Instant) {
    again_and_again(40, until, |turn| site.request(site.get(&site.images[turn % site.images.len()]))).await;
}

async fn pipelined_queries(site: &Site, until: Instant) {
    let query = json!({ "query": "{ listPosts(limit: 20) { items { id title owner createdAt } } }" });
    join_all((0..3).map(|_| async {
        let Some(mut socket) = site.socket().await else { return };
        for id in 0..90 {
            let message = json!({ "type": "subscribe", "id": id.to_string(), "payload": query });
            socket.say_text(&message.to_string()).await;
        }
        while Instant::now() < until {
            socket.say_text(r#"{"type":"ping"}"#).await;
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }))
    .await;
}

/// Many connections, on each of which this is sent and nothing else.
async fn opened(site: &Site, number: usize, head: &str) -> Vec<TcpStream> {
    let mut streams = Vec::new();
    for _ in 0..number {
        let open = async {
            let mut stream = site.connect().await.ok()?;
            stream.write_all(head.as_bytes()).await.ok()?;
            Some(stream)
        };
        if let Ok(Some(stream)) = tokio::time::timeout(Duration::from_millis(500), open).await {
            streams.push(stream);
        }
    }
    streams
}

async fn slow_bodies(site: &Site, until: Instant) {
    let head = format!(
        "POST /login HTTP/1.1\r\nhost: {0}\r\norigin: http://{0}\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         content-length: 1000\r\n\r\nident",
        site.address()
    );
    hold(opened(site, 1_060, &head).await, until).await;
}

async fn large_bodies(site: &Site, until: Instant) {
    let head = format!(
        "POST /api/create_post HTTP/1.1\r\nhost: {0}\r\norigin: http://{0}\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: 1300000\r\n\r\n",
        site.address()
    );
    let mut streams = opened(site, 200, &head).await;
    let piece = vec![b'x'; 1_250_000];
    let sent = join_all(streams.iter_mut().map(|stream| stream.write_all(&piece)));
    let _ = tokio::time::timeout_at(until.into(), sent).await;
    hold(streams, until).await;
}

async fn answers_not_taken(site: &Site, until: Instant) {
    let body = json!({ "query": "{ listPosts(limit: 10) { items { content } } }" }).to_string();
    let head = format!(
        "POST /graphql HTTP/1.1\r\nhost: {}\r\nx-api-key: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        site.address(),
        site.key,
        body.len()
    );
    hold(opened(site, 200, &head).await, until).await;
}

async fn searches(site: &Site, until: Instant) {
    let one = |alias: usize| {
        format!("a{alias}: allPosts(first: 1, search: \"nowhere to be found {alias}\") {{ nodes {{ id }} }}")
    };
    let body = json!({ "query": format!("{{ {} {} {} }}", one(1), one(2), one(3)) }).to_string();
    again_and_again(8, until, |_| site.request(site.by_key(body.clone()))).await;
}

async fn idle_connections(site: &Site, until: Instant) {
    hold(opened(site, 1_300, "").await, until).await;
}

async fn odd_targets(site: &Site, until: Instant) {
    let targets = [
        "GET evil.example:80",
        "CONNECT evil.example:80",
        "OPTIONS *",
        "GET *",
        "GET http://evil.example",
        "GET //",
        "GET /%",
    ];
    again_and_again(4, until, |turn| async move {
        let head = format!(
            "{} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n",
            targets[turn % targets.len()],
            site.address()
        );
        let exchange = async {
            let mut stream = site.connect().await?;
            stream.write_all(head.as_bytes()).await?;
            stream.read_to_end(&mut Vec::new()).await
        };
        let _ = tokio::time::timeout(Duration::from_secs(5), exchange).await;
    })
    .await;
}

async fn long_paths(site: &Site, until: Instant) {
    let path = format!("/{}", "a".repeat(60_000));
    again_and_again(4, until, |_| site.request(site.get(&path))).await;
}

async fn subscriptions(site: &Site, until: Instant) {
    let payload = json!({ "query": "subscription { onCreatePost { id title content owner createdAt } }" });
    let mut sockets = Vec::new();
    while sockets.len() < 60
        && let Some(mut socket) = site.socket().await
    {
        for id in 0..10 {
            let message = json!({ "type": "subscribe", "id": id.to_string(), "payload": payload });
            socket.say_text(&message.to_string()).await;
        }
        sockets.push(socket);
    }
    hold(sockets, until).await;
}

async fn guesses(site: &Site, until: Instant) {
    again_and_again(40, until, |turn| {
        let guess = format!("a guess at a password {turn}");
        site.request(
            site.browser().as_script().form("/api/log_in", &[("identifier", "ada"), ("password", &guess)]),
        )
    })
    .await;
}
