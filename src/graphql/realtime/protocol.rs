//! The messages of both protocols.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    credentials::{HeaderCredential, RequestCredential, X_API_KEY},
    graphql::operation::Parameters,
};

/// A protocol, in ascending preference for a client that offers both. `graphql-ws`
/// is also the name of an older protocol than `graphql-transport-ws`, and a client
/// that offers both means that one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// AppSync's subprotocol `graphql-ws`: every start has its own credential.
    AppSync,
    /// The subprotocol `graphql-transport-ws`: one credential a connection.
    TransportWs,
}

/// The credential that a client offers.
#[derive(Clone, Debug, Default)]
pub struct OfferedCredential(Option<HeaderCredential>);

impl OfferedCredential {
    /// The token or the key of the request.
    pub fn of(credential: &RequestCredential) -> Self {
        Self(credential.header().cloned())
    }

    /// The credential in a JSON object with the names of headers, in any case.
    pub fn of_json(object: &Value) -> Self {
        let field = |wanted: &str| {
            let (_, value) =
                object.as_object()?.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted))?;
            Some(value.as_str().unwrap_or_default())
        };
        let (authorization, api_key) = (field("authorization"), field(X_API_KEY.as_str()));
        Self(HeaderCredential::of(authorization, api_key))
    }

    /// A credential that cannot be read.
    pub fn unreadable() -> Self {
        Self(HeaderCredential::of(Some(""), None))
    }

    /// The one that counts.
    pub const fn explicit(&self) -> Option<&HeaderCredential> {
        self.0.as_ref()
    }
}

/// A message from a client.
pub enum ClientMessage {
    /// Begins the connection, perhaps with a credential.
    Init(OfferedCredential),
    /// Starts an operation; in AppSync's protocol, with a credential. Without
    /// parameters if AppSync's text is no JSON.
    Start { id: String, parameters: Option<Parameters>, offered: OfferedCredential },
    /// Ends one operation.
    Stop { id: String },
    /// Asks for a pong.
    Ping,
    /// A message that needs no reply.
    NoReply,
    /// It cannot be parsed.
    Invalid,
}

#[derive(Deserialize)]
struct Message {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    payload: Value,
}

impl Protocol {
    /// The protocol with that name, which is case-sensitive.
    pub fn named(name: &str) -> Option<Self> {
        [Self::AppSync, Self::TransportWs].into_iter().find(|protocol| protocol.name() == name)
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::AppSync => "graphql-ws",
            Self::TransportWs => "graphql-transport-ws",
        }
    }

    /// Parses a message.
    pub fn read(self, text: &str) -> ClientMessage {
        let Ok(Message { kind, id, payload }) = serde_json::from_str(text) else {
            return ClientMessage::Invalid;
        };
        match (self, kind.as_str(), id) {
            (_, "connection_init", _) => ClientMessage::Init(OfferedCredential::of_json(&payload)),
            (Self::AppSync, "start", Some(id)) => {
                let parameters = payload["data"].as_str().and_then(|data| serde_json::from_str(data).ok());
                let offered = OfferedCredential::of_json(&payload["extensions"]["authorization"]);
                ClientMessage::Start { id, parameters, offered }
            }
            (Self::TransportWs, "subscribe", Some(id)) => match serde_json::from_value(payload) {
                Ok(parameters) => ClientMessage::Start {
                    id,
                    parameters: Some(parameters),
                    offered: OfferedCredential::default(),
                },
                Err(_) => ClientMessage::Invalid,
            },
            (Self::AppSync, "stop", Some(id)) | (Self::TransportWs, "complete", Some(id)) => {
                ClientMessage::Stop { id }
            }
            (Self::TransportWs, "ping", _) => ClientMessage::Ping,
            (Self::TransportWs, "pong", _) => ClientMessage::NoReply,
            _ => ClientMessage::Invalid,
        }
    }

    /// The answer to a client that begins.
    pub fn ack(self) -> Value {
        match self {
            Self::AppSync => {
                json!({ "type": "connection_ack", "payload": { "connectionTimeoutMs": 300_000 } })
            }
            Self::TransportWs => json!({ "type": "connection_ack" }),
        }
    }

    /// The message that keeps a connection alive.
    pub fn keep_alive(self) -> Value {
        match self {
            Self::AppSync => json!({ "type": "ka" }),
            Self::TransportWs => json!({ "type": "ping" }),
        }
    }

    /// The acknowledgement of `id`; `None` if the protocol has none.
    pub fn started(self, id: &str) -> Option<Value> {
        match self {
            Self::AppSync => Some(json!({ "type": "start_ack", "id": id })),
            Self::TransportWs => None,
        }
    }

    /// The type of a message with data.
    pub const fn data(self) -> &'static str {
        match self {
            Self::AppSync => "data",
            Self::TransportWs => "next",
        }
    }

    /// The errors of `id`, which ends the operation.
    pub fn error(self, id: &str, errors: Vec<Value>) -> Value {
        let payload = match self {
            Self::AppSync => json!({ "errors": errors }),
            Self::TransportWs => errors.into(),
        };
        json!({ "type": "error", "id": id, "payload": payload })
    }

    /// Nothing more follows for `id`.
    pub fn complete(self, id: &str) -> Value {
        json!({ "type": "complete", "id": id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_of_appsync_has_its_document_in_a_text_and_its_own_credential() {
        let text = json!({ "type": "start", "id": "1", "payload": {
            "data": json!({ "query": "subscription { onCreatePost { id } }", "variables": {} }).to_string(),
            "extensions": { "authorization": { "host": "h", "x-api-key": "byl_x" } },
        }});
        let ClientMessage::Start { id, parameters: Some(parameters), offered } =
            Protocol::AppSync.read(&text.to_string())
        else {
            panic!("no start");
        };
        assert_eq!((id.as_str(), parameters.query.as_str()), ("1", "subscription { onCreatePost { id } }"));
        let Some(HeaderCredential::ApiKey(key)) = offered.explicit() else { panic!("no key") };
        assert_eq!(secrecy::ExposeSecret::expose_secret(key), "byl_x");
    }

    #[test]
    fn a_message_of_no_protocol_is_invalid() {
        for text in ["", "[]", "{}", r#"{"type":"start"}"#, r#"{"type":"subscribe","id":"1","payload":{}}"#] {
            for protocol in [Protocol::AppSync, Protocol::TransportWs] {
                assert!(matches!(protocol.read(text), ClientMessage::Invalid), "{text}");
            }
        }
    }
}
