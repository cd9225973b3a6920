//! A listener at `/events`: server-sent events, read by the rules of the HTML standard
//! (section 9.2.6).

use axum::{
    body::{Body, BodyDataStream},
    http::{HeaderMap, Method, header::ACCEPT},
};
use futures::{StreamExt, channel::mpsc};
use serde_json::Value;
use tokio::task::JoinHandle;

use super::{Answer, Client, client::try_open, in_time};

/// A connection that hears, and reads what it hears at once.
pub struct Listener {
    pub headers: HeaderMap,
    /// The first that is said: where the listener stands, or that it must start over.
    pub greeting: Told,
    at: i64,
    told: mpsc::UnboundedReceiver<Told>,
    reading: JoinHandle<()>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    pub id: i64,
    /// Empty where the message says no more than its id.
    pub event: String,
    pub data: String,
    /// As it came, without the empty line.
    pub raw: String,
}

impl Listener {
    /// Listens from now on.
    pub async fn open(client: &Client) -> Self {
        Self::resume(client, "/events", None).await
    }

    /// Listens at `path`, as a browser does that was told `last` before it lost
    /// the connection. Returns once the site has greeted it.
    pub async fn resume(client: &Client, path: &str, last: Option<&str>) -> Self {
        Self::try_resume(client, path, last)
            .await
            .unwrap_or_else(|refused| panic!("{path}: {} {}", refused.status, refused.text()))
    }

    /// As [`Self::resume`]; what the site answers where it does not let it in.
    pub async fn try_resume(client: &Client, path: &str, last: Option<&str>) -> Result<Self, Answer> {
        let mut request = client.as_script().request(Method::GET, path);
        if let Some(headers) = request.headers_mut() {
            headers.insert(ACCEPT, "text/event-stream".parse().expect("a header"));
            if let Some(last) = last {
                headers.insert("last-event-id", last.parse().expect("a header"));
            }
        }
        let request = request.body(Body::empty()).expect("a request");
        let answered = in_time("the site to answer a listener", try_open(client.address(), request)).await;
        let (head, body) = answered.expect("an answer").into_parts();
        if head.status != 200 {
            return Err(Answer::read(head, body).await.expect("an answer"));
        }
        let (tell, mut told) = mpsc::unbounded();
        let reading = tokio::spawn(read(Body::new(body).into_data_stream(), tell));
        let greeting = in_time("the greeting", told.next()).await.expect("a greeting");
        Ok(Self { headers: head.headers, at: greeting.id, greeting, told, reading })
    }

    /// The next message; none comes twice or too late.
    pub async fn next(&mut self) -> Told {
        let told = in_time("an event", self.told.next()).await.expect("the site goes on telling");
        assert!(told.id > self.at, "{} after {}", told.id, self.at);
        self.at = told.id;
        told
    }

    /// The next `count` messages.
    pub async fn take(&mut self, count: usize) -> Vec<Told> {
        let mut told = Vec::with_capacity(count);
        while told.len() < count {
            told.push(self.next().await);
        }
        told
    }

    /// All messages up to the event `id`.
    pub async fn until(&mut self, id: i64) -> Vec<Told> {
        let mut told: Vec<Told> = Vec::new();
        while told.last().is_none_or(|last| last.id < id) {
            told.push(self.next().await);
        }
        told
    }

    /// Waits for the end of the connection; what was still said.
    pub async fn ended(mut self) -> Vec<Told> {
        in_time("the site to end the listening", async {
            let mut told = Vec::new();
            while let Some(last) = self.told.next().await {
                told.push(last);
            }
            told
        })
        .await
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

/// Passes messages on until the connection ends or nobody wants them.
async fn read(mut body: BodyDataStream, tell: mpsc::UnboundedSender<Told>) {
    let mut text = String::new();
    let mut id = 0;
    while let Some(Ok(bytes)) = body.next().await {
        text.push_str(std::str::from_utf8(&bytes).expect("UTF-8"));
        while let Some(end) = text.find("\n\n") {
            let block: String = text.drain(..end + 2).collect();
            let Some(told) = Told::parse(block.trim_end(), id) else { continue };
            id = told.id;
            if tell.unbounded_send(told).is_err() {
                return;
            }
        }
    }
}

impl Told {
    /// `None` for a sign of life. A message without an id has that of the one before.
    fn parse(block: &str, before: i64) -> Option<Self> {
        let mut told = Self { id: before, raw: block.to_owned(), ..Self::default() };
        let mut fields = 0;
        for line in block.lines().filter(|line| !line.starts_with(':')) {
            let (name, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            fields += 1;
            match name {
                "id" => told.id = value.parse().expect("a number"),
                "event" => told.event = value.to_owned(),
                "data" => told.data = value.to_owned(),
                "retry" => assert!(value.parse::<u32>().is_ok(), "{line}"),
                _ => panic!("an unknown field: {line}"),
            }
        }
        (fields > 0).then_some(told)
    }

    /// What happened, to which post, of whom; there is nothing else in it.
    pub fn fact(&self) -> (String, String, String) {
        let data: Value = serde_json::from_str(&self.data).expect("JSON");
        let names: Vec<_> = data.as_object().expect("an object").keys().cloned().collect();
        assert_eq!(names, ["owner", "post"], "{}", self.raw);
        let text = |name: &str| data[name].as_str().expect("a text").to_owned();
        (self.event.clone(), text("post"), text("owner"))
    }
}
