//! A subscriber over a WebSocket.

use std::time::Duration;

use axum::http::HeaderValue;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message, client::IntoClientRequest},
};

use super::{Client, in_time};

pub struct Socket(WebSocketStream<TcpStream>);

/// What the site sends.
#[derive(Debug, PartialEq)]
pub enum Heard {
    Said(Value),
    /// The connection is over; with a code, if it said one.
    Closed(Option<u16>),
}

impl Socket {
    /// Opens a connection; the status of the answer where the site refuses.
    pub async fn try_open(
        client: &Client,
        path: &str,
        protocols: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, u16> {
        let address = client.address();
        let mut request = format!("ws://{address}{path}").into_client_request().expect("an address");
        request.headers_mut().insert("sec-websocket-protocol", protocols.parse().expect("a header"));
        for (name, value) in headers {
            request.headers_mut().append(*name, HeaderValue::from_str(value).expect("a header"));
        }
        let stream = TcpStream::connect(address).await.expect("a connection");
        match in_time("a WebSocket to open", client_async(request, stream)).await {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(error) => panic!("{path}: {error}"),
        }
    }

    /// Opens a connection by `graphql-transport-ws` and begins with `payload`.
    pub async fn transport(client: &Client, payload: Value) -> Self {
        let mut socket =
            Self::try_open(client, "/graphql", "graphql-transport-ws", &[]).await.expect("it opens");
        socket.say(json!({ "type": "connection_init", "payload": payload })).await;
        assert_eq!(socket.said().await, json!({ "type": "connection_ack" }));
        socket
    }

    /// Opens a connection as AppSync's newest clients do, and begins.
    pub async fn appsync(client: &Client, credential: &Value) -> Self {
        let protocols =
            format!("graphql-ws, header-{}", BASE64_URL_SAFE_NO_PAD.encode(credential.to_string()));
        let mut socket =
            Self::try_open(client, "/graphql/realtime", &protocols, &[]).await.expect("it opens");
        socket.begin().await;
        socket
    }

    /// Begins with AppSync's protocol.
    pub async fn begin(&mut self) {
        self.say(json!({ "type": "connection_init" })).await;
        let ack = self.said().await;
        assert_eq!(ack["type"], "connection_ack", "{ack}");
        assert_eq!(ack["payload"]["connectionTimeoutMs"], 300_000);
        assert_eq!(self.hear_anything().await, Heard::Said(json!({ "type": "ka" })));
    }

    /// Starts a subscription by AppSync's protocol; the answer.
    pub async fn start(&mut self, id: &str, document: &str, credential: &Value) -> Value {
        let data = json!({ "query": document, "variables": {} }).to_string();
        let payload = json!({ "data": data, "extensions": { "authorization": credential } });
        self.say(json!({ "id": id, "type": "start", "payload": payload })).await;
        self.said().await
    }

    /// Starts an operation by `graphql-transport-ws`, and waits until the site
    /// has taken it in.
    pub async fn subscribe(&mut self, id: &str, document: &str) {
        self.say(json!({ "id": id, "type": "subscribe", "payload": { "query": document } })).await;
        self.say(json!({ "type": "ping" })).await;
        assert_eq!(self.said().await, json!({ "type": "pong" }), "{document}");
    }

    pub async fn say(&mut self, message: Value) {
        self.0.send(Message::text(message.to_string())).await.expect("the site listens");
    }

    /// Says anything, which the site may close the connection over.
    pub async fn say_text(&mut self, text: impl Into<String>) {
        let _ = self.0.send(Message::text(text.into())).await;
    }

    /// Says all of it in one packet, or as few as it fits into.
    pub async fn say_all(&mut self, messages: impl IntoIterator<Item = Value>) {
        for message in messages {
            self.0.feed(Message::text(message.to_string())).await.expect("the site listens");
        }
        self.0.flush().await.expect("the site listens");
    }

    /// The next that is said within a minute, apart from signs of life.
    pub async fn hear(&mut self) -> Heard {
        let heard = tokio::time::timeout(Duration::from_secs(60), self.hear_what_matters()).await;
        heard.expect("the site says something that matters within a minute")
    }

    async fn hear_what_matters(&mut self) -> Heard {
        loop {
            let heard = self.hear_anything().await;
            let is_sign_of_life =
                ["ping", "ka"].iter().any(|sign| heard == Heard::Said(json!({ "type": sign })));
            if !is_sign_of_life {
                return heard;
            }
        }
    }

    /// The next message, keep-alive included.
    pub async fn hear_anything(&mut self) -> Heard {
        loop {
            match in_time("the site to say something", self.0.next()).await {
                Some(Ok(Message::Text(text))) => {
                    return Heard::Said(serde_json::from_str(&text).expect("JSON"));
                }
                Some(Ok(Message::Close(frame))) => {
                    return Heard::Closed(frame.map(|frame| frame.code.into()));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Heard::Closed(None),
            }
        }
    }

    /// The next message that is no keep-alive.
    pub async fn said(&mut self) -> Value {
        match self.hear().await {
            Heard::Said(said) => said,
            closed @ Heard::Closed(_) => panic!("nothing was said: {closed:?}"),
        }
    }
}
