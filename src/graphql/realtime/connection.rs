//! One connection: who it is, what it subscribed to, and what it is told.

use std::{collections::HashMap, ops::ControlFlow, time::Duration};

use async_graphql::{Response as Outcome, parser::types::OperationType};
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures::{
    StreamExt, poll,
    stream::{self, AbortHandle, BoxStream, SelectAll},
};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::{MissedTickBehavior, interval_at, timeout};

use super::{
    super::{
        errors::{ApiError, Wording},
        http::{self, Asked, Payload, Unready},
        order,
    },
    protocol::{Heard, Offered, Protocol},
};
use crate::{
    credentials::{
        Actor, Caller, UserSession,
        caller::{Explicit, Refused},
    },
    server::{Site, limits::WRITE_TIME},
};

/// For the client to begin.
const INIT_TIME: Duration = Duration::from_secs(10);
/// Clients of AppSync give up after five minutes of silence; proxies sooner.
const BEAT: Duration = Duration::from_secs(30);
/// How often it is asked whether the credentials still hold.
const CHECK: Duration = Duration::from_secs(20);
/// Subscriptions of a connection at most, as AppSync has it.
const OPERATIONS: usize = 100;

/// Codes of `graphql-transport-ws` (its PROTOCOL.md); AppSync's clients only
/// look whether the connection is there.
mod code {
    pub const GOING_AWAY: u16 = 1001;
    pub const BAD_REQUEST: u16 = 4400;
    pub const UNAUTHORIZED: u16 = 4401;
    pub const FORBIDDEN: u16 = 4403;
    pub const INIT_TIMEOUT: u16 = 4408;
    pub const SUBSCRIBER_EXISTS: u16 = 4409;
    pub const TOO_MANY_INIT: u16 = 4429;
}

/// What came with the request that opened the connection.
pub struct Greeting {
    /// What it brought to prove who it is.
    pub offered: Offered,
    /// The session of the browser, if it is a page of this site.
    pub session: Option<UserSession>,
}

/// A connection and what it subscribed to.
pub struct Connection {
    site: Site,
    protocol: Protocol,
    wording: Wording,
    greeting: Greeting,
    /// Who asks, once that is known; by AppSync, every start says it again.
    caller: Option<Caller>,
    operations: HashMap<String, Operation>,
    outcomes: SelectAll<BoxStream<'static, (String, Option<Outcome>)>>,
}

struct Operation {
    caller: Caller,
    handle: AbortHandle,
}

/// The connection ends, perhaps with a word.
struct End(Option<(u16, String)>);

type Step = ControlFlow<End>;

fn end(code: u16, reason: impl Into<String>) -> Step {
    Step::Break(End(Some((code, reason.into()))))
}

/// What clients are shown whose credential has been withdrawn.
const WITHDRAWN: &str = "Token has expired.";

impl Connection {
    /// Over a WebSocket that is about to open.
    pub fn new(site: Site, protocol: Protocol, wording: Wording, greeting: Greeting) -> Self {
        let (caller, operations, outcomes) = (None, HashMap::new(), SelectAll::new());
        Self { site, protocol, wording, greeting, caller, operations, outcomes }
    }

    /// Talks until one of the two has had enough.
    pub async fn run(mut self, mut socket: WebSocket) {
        let End(last) = self.talk(&mut socket).await;
        if let Some((code, reason)) = last {
            let close = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
            // Whoever is gone need not be told.
            let _ = timeout(WRITE_TIME, socket.send(close)).await;
        }
    }

    async fn talk(&mut self, socket: &mut WebSocket) -> End {
        let site = self.site.clone();
        let mut stopping = std::pin::pin!(site.bus.closed());
        let begun = tokio::time::Instant::now();
        let mut beat = interval_at(begun + BEAT, BEAT);
        let mut check = interval_at(begun + CHECK, CHECK);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut init = std::pin::pin!(tokio::time::sleep(INIT_TIME));
        loop {
            let step = tokio::select! {
                message = socket.recv() => match message {
                    Some(Ok(Message::Text(text))) => self.hear(socket, &text).await,
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => Step::Continue(()),
                    Some(Ok(Message::Binary(_))) => end(code::BAD_REQUEST, "Send text"),
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return End(None),
                },
                Some((id, outcome)) = self.outcomes.next(), if !self.outcomes.is_empty() => {
                    self.tell(socket, id, outcome).await
                }
                _ = beat.tick(), if self.caller.is_some() => send(socket, &self.protocol.beat()).await,
                _ = check.tick() => self.check(socket).await,
                () = &mut init, if self.caller.is_none() => end(code::INIT_TIMEOUT, "Connection initialisation timeout"),
                () = &mut stopping => end(code::GOING_AWAY, "The site is about to stop"),
            };
            if let Step::Break(end) = step {
                return end;
            }
        }
    }

    async fn hear(&mut self, socket: &mut WebSocket, text: &str) -> Step {
        match self.protocol.read(text) {
            Heard::Init(_) if self.caller.is_some() => {
                end(code::TOO_MANY_INIT, "Too many initialisation requests")
            }
            Heard::Init(offered) => self.begin(socket, &offered).await,
            Heard::Start { .. } if self.caller.is_none() => end(code::UNAUTHORIZED, "Unauthorized"),
            Heard::Start { id, .. } if self.operations.contains_key(&id) => {
                end(code::SUBSCRIBER_EXISTS, format!("Subscriber for {} already exists", short(&id)))
            }
            Heard::Start { id, asked, offered } => self.start(socket, id, asked, &offered).await,
            Heard::Stop { id } => match (self.operations.remove(&id), self.protocol) {
                (Some(operation), Protocol::AppSync) => {
                    operation.handle.abort();
                    send(socket, &self.protocol.complete(&id)).await
                }
                (Some(operation), Protocol::TransportWs) => {
                    operation.handle.abort();
                    Step::Continue(())
                }
                (None, _) => Step::Continue(()),
            },
            Heard::Ping => send(socket, &json!({ "type": "pong" })).await,
            Heard::Nothing => Step::Continue(()),
            Heard::Nonsense => end(code::BAD_REQUEST, "Invalid message"),
        }
    }

    async fn begin(&mut self, socket: &mut WebSocket, offered: &Offered) -> Step {
        match self.beginner(offered).await {
            Ok(caller) => {
                self.caller = Some(caller);
                send(socket, &self.protocol.ack()).await?;
                match self.protocol {
                    Protocol::AppSync => send(socket, &self.protocol.beat()).await,
                    Protocol::TransportWs => Step::Continue(()),
                }
            }
            Err(error) => {
                if self.protocol == Protocol::AppSync {
                    let mut refused = self.wording.whole(&error);
                    refused["errorCode"] = 401.into();
                    let payload = json!({ "errors": [refused] });
                    send(socket, &json!({ "type": "connection_error", "payload": payload })).await?;
                }
                end(code::FORBIDDEN, "Forbidden")
            }
        }
    }

    /// Who begins: by what is offered now, by what opened the connection, by
    /// the session, in this order.
    async fn beginner(&mut self, offered: &Offered) -> Result<Caller, ApiError> {
        let explicit = offered.explicit().or_else(|| self.greeting.offered.explicit());
        let session = self.greeting.session.as_ref().filter(|_| self.protocol == Protocol::TransportWs);
        caller(&self.site, explicit, session).await
    }

    async fn start(&mut self, socket: &mut WebSocket, id: String, asked: Asked, offered: &Offered) -> Step {
        let (caller, kinds) = match (self.protocol, &self.caller) {
            (Protocol::TransportWs, Some(caller)) => (
                Ok(caller.clone()),
                [OperationType::Subscription, OperationType::Query, OperationType::Mutation].as_slice(),
            ),
            // What opened the connection does not count for what is started on it.
            _ => {
                (caller(&self.site, offered.explicit(), None).await, [OperationType::Subscription].as_slice())
            }
        };
        let caller = match caller {
            Ok(caller) => caller,
            Err(error) => return self.refuse(socket, &id, &error).await,
        };
        if self.operations.len() >= OPERATIONS {
            let words = format!("A connection can have {OPERATIONS} subscriptions at most.");
            return self.refuse(socket, &id, &ApiError::too_much(words)).await;
        }
        let mut query = match http::prepare(&self.site, &caller.actor, asked, kinds) {
            Ok(query) => query,
            Err(Unready::Mistake(outcome)) => return self.fail(socket, &id, &outcome).await,
            Err(Unready::Refused(error)) => return self.refuse(socket, &id, &error).await,
        };
        let order = order::of(&mut query);
        let outcomes = self.site.api.schema.execute_stream(query).map(move |mut outcome| {
            order::restore(&mut outcome.data, &order);
            outcome
        });
        let mut outcomes = outcomes.boxed();
        // What subscribes does so when it is first asked, without waiting for anything.
        let first = match poll!(outcomes.next()) {
            std::task::Poll::Ready(Some(outcome)) if outcome.data == async_graphql::Value::Null => {
                return self.fail(socket, &id, &outcome).await;
            }
            std::task::Poll::Ready(first) => first,
            std::task::Poll::Pending => None,
        };
        if let Some(started) = self.protocol.started(&id) {
            send(socket, &started).await?;
        }
        let outcomes = stream::iter(first).chain(outcomes).map(Some).chain(stream::once(async { None }));
        let (outcomes, handle) = stream::abortable(outcomes);
        let of = id.clone();
        self.outcomes.push(outcomes.map(move |outcome| (of.clone(), outcome)).boxed());
        self.operations.insert(id, Operation { caller, handle });
        Step::Continue(())
    }

    async fn tell(&mut self, socket: &mut WebSocket, id: String, outcome: Option<Outcome>) -> Step {
        match outcome {
            Some(outcome) if outcome.data == async_graphql::Value::Null => {
                self.forget(&id);
                self.fail(socket, &id, &outcome).await
            }
            Some(outcome) => {
                let errors = outcome.errors.iter().map(|error| self.wording.error(error)).collect();
                let payload = Payload { data: &outcome.data, errors };
                let message = DataMessage { kind: self.protocol.data(), id: &id, payload };
                send(socket, &message).await
            }
            None => {
                self.forget(&id);
                send(socket, &self.protocol.complete(&id)).await
            }
        }
    }

    fn forget(&mut self, id: &str) {
        if let Some(operation) = self.operations.remove(id) {
            operation.handle.abort();
        }
    }

    async fn refuse(&mut self, socket: &mut WebSocket, id: &str, error: &ApiError) -> Step {
        send(socket, &self.protocol.error(id, vec![self.wording.whole(error)])).await
    }

    /// The document is wrong, or may not be run, or could not go on.
    async fn fail(&mut self, socket: &mut WebSocket, id: &str, outcome: &Outcome) -> Step {
        let errors: Vec<Value> = outcome
            .errors
            .iter()
            .map(|error| match (self.protocol, error.source::<ApiError>()) {
                // AppSync says no more than this here.
                (Protocol::AppSync, Some(known)) => self.wording.whole(known),
                _ => self.wording.error(error),
            })
            .collect();
        send(socket, &self.protocol.error(id, errors)).await
    }

    /// Ends what rests on a credential that holds no longer. Where the database
    /// does not say, the next turn asks again.
    async fn check(&mut self, socket: &mut WebSocket) -> Step {
        let mut over = Vec::new();
        for (id, operation) in &self.operations {
            if matches!(operation.caller.still_holds(&self.site).await, Ok(false)) {
                over.push(id.clone());
            }
        }
        for id in over {
            self.forget(&id);
            self.refuse(socket, &id, &ApiError::not_authorized(WITHDRAWN)).await?;
        }
        match (&self.caller, self.protocol) {
            // Nothing could be begun on it any more.
            (Some(caller), Protocol::TransportWs)
                if matches!(caller.still_holds(&self.site).await, Ok(false)) =>
            {
                end(code::FORBIDDEN, WITHDRAWN)
            }
            _ => Step::Continue(()),
        }
    }
}

/// Whoever that proves to be; nobody is refused.
async fn caller(
    site: &Site,
    explicit: Option<Explicit<'_>>,
    session: Option<&UserSession>,
) -> Result<Caller, ApiError> {
    let found = match (explicit, session) {
        (Some(explicit), _) => explicit.caller(site).await,
        (None, Some(session)) => Caller::of_session(session).await.map_err(Refused::Error),
        (None, None) => return Err(nobody()),
    };
    match found {
        Ok(caller) if caller.actor == Actor::Anonymous => Err(nobody()),
        Ok(caller) => Ok(caller),
        Err(refused) => Err(http::not_let_in(refused)),
    }
}

fn nobody() -> ApiError {
    ApiError::not_authorized(http::NOBODY)
}

/// What of an id fits into the reason of a close frame (RFC 6455 5.5: 125 bytes in all).
fn short(id: &str) -> String {
    id.chars().filter(char::is_ascii_graphic).take(40).collect()
}

#[derive(Serialize)]
struct DataMessage<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    id: &'a str,
    payload: Payload<'a>,
}

/// A client that takes nothing for so long is gone.
async fn send(socket: &mut WebSocket, message: &impl Serialize) -> Step {
    let text = serde_json::to_string(message).unwrap_or_default();
    match timeout(WRITE_TIME, socket.send(Message::Text(text.into()))).await {
        Ok(Ok(())) => Step::Continue(()),
        _ => Step::Break(End(None)),
    }
}
