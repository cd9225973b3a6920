//! One connection: its credential, its subscriptions, and its messages.

use std::{collections::HashMap, net::IpAddr, ops::ControlFlow, time::Duration};

use async_graphql::{Response, ServerError, parser::types::OperationType};
use axum::{
    extract::ws::{CloseFrame, Message, WebSocket},
    http::StatusCode,
};
use futures::{
    FutureExt, SinkExt, StreamExt,
    stream::{self, AbortHandle, BoxStream, SelectAll},
};
use serde::Serialize;
use serde_json::{
    Value, json,
    value::{RawValue, to_raw_value},
};
use tokio::{
    task::yield_now,
    time::{MissedTickBehavior, interval_at, timeout},
};

use super::{
    protocol::{ClientMessage, OfferedCredential, Protocol},
    queue::{Answer, FULL, Queue},
};
use crate::{
    credentials::{Actor, Caller, HeaderCredential, UserSession, caller::CredentialError},
    error::AppError,
    graphql::{
        errors::{ApiError, Wording},
        limits,
        operation::{Operation, Parameters, PrepareError, is_nothing},
        payload::{Failed, NOBODY, Payload},
        subscriptions::OperationEvent,
    },
    http::listener_slots::ListenerSlot,
    http::{limits::WRITE_TIME, turns::Client},
    site::Site,
};

/// How long a client may take to begin.
const INIT_TIME: Duration = Duration::from_secs(10);
/// AppSync's clients give up after five minutes of silence; proxies sooner.
const KEEP_ALIVE: Duration = Duration::from_secs(25);
/// How often the credentials are verified again.
const CHECK: Duration = Duration::from_secs(20);
/// The most events that are written before other connections get the thread.
const MAX_EVENTS_AT_ONCE: usize = 32;
/// Close codes of `graphql-transport-ws` (its PROTOCOL.md). AppSync's clients
/// ignore codes.
mod code {
    pub const GOING_AWAY: u16 = 1001;
    /// Of RFC 6455, as the one before. The library graphql-ws does not connect again after it.
    pub const TOO_BIG: u16 = 1009;
    /// Of RFC 6455's registry. Clients of both protocols connect again after it.
    pub const TRY_AGAIN_LATER: u16 = 1013;
    pub const BAD_REQUEST: u16 = 4400;
    pub const UNAUTHORIZED: u16 = 4401;
    pub const FORBIDDEN: u16 = 4403;
    pub const INIT_TIMEOUT: u16 = 4408;
    pub const SUBSCRIBER_EXISTS: u16 = 4409;
    pub const TOO_MANY_INIT: u16 = 4429;
}

/// The request that opened the connection.
pub struct UpgradeRequest {
    /// Its credential.
    pub offered: OfferedCredential,
    /// Whether the client connects again by itself, with a new token, when the
    /// connection ends. aws-amplify 5 and 6 do
    /// (<https://github.com/aws-amplify/amplify-js/pull/10235>), and for them an
    /// error ends the subscription. For older versions the end of the connection does.
    pub reconnects: bool,
    /// The session of the browser, if it is a page of this site.
    pub session: Option<UserSession>,
    /// Where it comes from.
    pub address: Option<IpAddr>,
}

/// A connection and what it subscribed to.
pub struct Connection {
    site: Site,
    protocol: Protocol,
    wording: Wording,
    upgrade: UpgradeRequest,
    /// The caller, once known. With AppSync, every start has its own credential.
    caller: Option<Caller>,
    /// All operations of this connection take their turns as this client.
    client: Client,
    operations: HashMap<String, Running>,
    queue: Queue,
    /// The events of all subscriptions. While it waits, a subscription holds
    /// nothing that others wait for.
    events: SelectAll<BoxStream<'static, (String, Option<OperationEvent>)>>,
}

enum Running {
    Once,
    /// In the list of subscriptions.
    Subscription {
        /// Who started it; only in AppSync's protocol.
        caller: Option<Caller>,
        handle: AbortHandle,
        _place: ListenerSlot,
    },
}

/// The connection ends, with a code and a reason if any.
struct End(Option<(u16, String)>);

type Step = ControlFlow<End>;

fn end(code: u16, reason: impl Into<String>) -> Step {
    Step::Break(End(Some((code, reason.into()))))
}

/// The message to clients whose credential has ended.
const WITHDRAWN: &str = "Token has expired.";

impl Connection {
    /// A connection for a WebSocket that is about to open.
    pub fn new(site: Site, protocol: Protocol, wording: Wording, upgrade: UpgradeRequest) -> Self {
        let client = site.turns().client(upgrade.address);
        let queue = Queue::new(site.clone(), client.clone());
        let (caller, operations, events) = (None, HashMap::new(), SelectAll::new());
        Self { site, protocol, wording, upgrade, caller, client, operations, queue, events }
    }

    /// Runs until one of the two sides ends it.
    pub async fn run(mut self, mut socket: WebSocket) {
        let End(last) = self.serve(&mut socket).await;
        if let Some((code, reason)) = last {
            let close = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
            // A client that is gone gets no message.
            let _ = timeout(WRITE_TIME, socket.send(close)).await;
        }
    }

    async fn serve(&mut self, socket: &mut WebSocket) -> End {
        let site = self.site.clone();
        let mut stopping = std::pin::pin!(site.bus().closed());
        let begun = tokio::time::Instant::now();
        let mut beat = interval_at(begun + KEEP_ALIVE, KEEP_ALIVE);
        let mut check = interval_at(begun + CHECK, CHECK);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut init = std::pin::pin!(tokio::time::sleep(INIT_TIME));
        loop {
            let step = tokio::select! {
                message = socket.recv(), if self.queue.has_room() => match message {
                    Some(Ok(Message::Text(text))) => self.handle_message(socket, &text).await,
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => Step::Continue(()),
                    Some(Ok(Message::Binary(_))) => end(code::BAD_REQUEST, "Send text"),
                    Some(Ok(Message::Close(_))) | None => return End(None),
                    Some(Err(error)) => return End(unreadable(error)),
                },
                Some((id, event)) = self.events.next(), if !self.events.is_empty() => {
                    self.send_all_ready(socket, id, event).await
                }
                answer = self.queue.done() => self.answer(socket, answer).await,
                _ = beat.tick(), if self.caller.is_some() => send(socket, &self.protocol.keep_alive()).await,
                _ = check.tick() => self.check(socket).await,
                () = &mut init, if self.caller.is_none() => end(code::INIT_TIMEOUT, "Connection initialisation timeout"),
                () = &mut stopping => end(code::GOING_AWAY, "The site is about to stop"),
            };
            if let Step::Break(end) = step {
                return end;
            }
        }
    }

    async fn handle_message(&mut self, socket: &mut WebSocket, text: &str) -> Step {
        match self.protocol.read(text) {
            ClientMessage::Init(_) if self.caller.is_some() => {
                end(code::TOO_MANY_INIT, "Too many initialisation requests")
            }
            ClientMessage::Init(offered) => self.begin(socket, &offered).await,
            ClientMessage::Start { .. } if self.caller.is_none() => end(code::UNAUTHORIZED, "Unauthorized"),
            ClientMessage::Start { id, .. } if self.operations.contains_key(&id) => match self.protocol {
                Protocol::AppSync => self.refuse(socket, &id, &ApiError::duplicate()).await,
                Protocol::TransportWs => {
                    end(code::SUBSCRIBER_EXISTS, format!("Subscriber for {} already exists", short(&id)))
                }
            },
            ClientMessage::Start { id, parameters: Some(parameters), offered } => {
                self.start(socket, id, parameters, &offered, text.len()).await
            }
            ClientMessage::Start { id, parameters: None, .. } => {
                let error = ApiError::malformed("payload.data must be a text of JSON with a query.");
                self.refuse(socket, &id, &error).await
            }
            ClientMessage::Stop { id } => match (self.forget(&id), self.protocol) {
                (true, Protocol::AppSync) => send(socket, &self.protocol.complete(&id)).await,
                _ => Step::Continue(()),
            },
            ClientMessage::Ping => send(socket, &json!({ "type": "pong" })).await,
            ClientMessage::NoReply => Step::Continue(()),
            ClientMessage::Invalid => end(code::BAD_REQUEST, "Invalid message"),
        }
    }

    async fn begin(&mut self, socket: &mut WebSocket, offered: &OfferedCredential) -> Step {
        match self.initial_caller(offered).await {
            Ok(caller) => {
                self.caller = Some(caller);
                send(socket, &self.protocol.ack()).await?;
                match self.protocol {
                    Protocol::AppSync => send(socket, &self.protocol.keep_alive()).await,
                    Protocol::TransportWs => Step::Continue(()),
                }
            }
            Err(failed) => {
                let known = failed.status == StatusCode::UNAUTHORIZED;
                if self.protocol == Protocol::AppSync {
                    let mut refused = self.wording.whole(&failed.error);
                    // Clients try again after any but 400, 401 and 403.
                    refused["errorCode"] = failed.status.as_u16().into();
                    let payload = json!({ "errors": [refused] });
                    send(socket, &json!({ "type": "connection_error", "payload": payload })).await?;
                }
                if known {
                    end(code::FORBIDDEN, "Forbidden")
                } else {
                    end(code::TRY_AGAIN_LATER, "Try again later")
                }
            }
        }
    }

    /// The caller: by the offered credential, else by that of the upgrade request,
    /// else by the session.
    async fn initial_caller(&mut self, offered: &OfferedCredential) -> Result<Caller, Failed> {
        let explicit = offered.explicit().or_else(|| self.upgrade.offered.explicit());
        let session = self.upgrade.session.as_ref().filter(|_| self.protocol == Protocol::TransportWs);
        caller(&self.site, explicit, session).await
    }

    async fn start(
        &mut self,
        socket: &mut WebSocket,
        id: String,
        parameters: Parameters,
        offered: &OfferedCredential,
        bytes: usize,
    ) -> Step {
        let (own, kinds) = match self.protocol {
            // The credential of the connection does not count for operations.
            Protocol::AppSync => match caller(&self.site, offered.explicit(), None).await {
                Ok(caller) => (Some(caller), [OperationType::Subscription].as_slice()),
                Err(failed) => return self.refuse(socket, &id, &failed.error).await,
            },
            Protocol::TransportWs => (
                None,
                [OperationType::Subscription, OperationType::Query, OperationType::Mutation].as_slice(),
            ),
        };
        let Some(caller) = own.as_ref().or(self.caller.as_ref()) else {
            return end(code::UNAUTHORIZED, "Unauthorized");
        };
        // The credential may have ended since the connection began.
        if own.is_none() {
            match caller.still_holds(&self.site).await {
                Ok(true) => {}
                Ok(false) => return end(code::FORBIDDEN, WITHDRAWN),
                Err(error) => return self.refuse(socket, &id, &ApiError::of_request(&error)).await,
            }
        }
        if self.operations.len() >= limits::OPERATIONS {
            let words = format!("A connection can have {} operations at a time.", limits::OPERATIONS);
            return self.refuse(socket, &id, &ApiError::too_much(words)).await;
        }
        let operation =
            match Operation::prepare(&self.site, &caller.actor, &self.client, parameters, kinds).await {
                Ok(operation) => operation,
                Err(error) => return self.send_prepare_error(socket, &id, error).await,
            };
        if !operation.is_subscription() {
            self.operations.insert(id.clone(), Running::Once);
            self.queue.push(id, bytes, operation);
            return Step::Continue(());
        }
        let Some(place) = self.site.bus().subscription_slot(self.upgrade.address) else {
            let busy = AppError::Busy { retry_after: FULL };
            return self.refuse(socket, &id, &ApiError::of_request(&busy)).await;
        };
        let subscription = match operation.subscribe().await {
            Ok(subscription) => subscription,
            Err(error) => return self.send_prepare_error(socket, &id, error).await,
        };
        if let Some(started) = self.protocol.started(&id) {
            send(socket, &started).await?;
        }
        let events = subscription.events().map(Some).chain(stream::once(async { None }));
        let (events, handle) = stream::abortable(events);
        let of = id.clone();
        self.events.push(events.map(move |event| (of.clone(), event)).boxed());
        self.operations.insert(id, Running::Subscription { caller: own, handle, _place: place });
        Step::Continue(())
    }

    /// Sends an event and all others that are ready after it.
    async fn send_all_ready(
        &mut self,
        socket: &mut WebSocket,
        id: String,
        event: Option<OperationEvent>,
    ) -> Step {
        self.send_event(socket, id, event).await?;
        for _ in 1..MAX_EVENTS_AT_ONCE {
            let Some(Some((id, event))) = self.events.next().now_or_never() else {
                return flush(socket).await;
            };
            self.send_event(socket, id, event).await?;
        }
        flush(socket).await?;
        yield_now().await;
        Step::Continue(())
    }

    async fn send_event(
        &mut self,
        socket: &mut WebSocket,
        id: String,
        event: Option<OperationEvent>,
    ) -> Step {
        match event {
            Some(OperationEvent::Payload(payload)) => {
                feed(socket, &DataMessage { kind: self.protocol.data(), id: &id, payload: &payload }).await
            }
            Some(OperationEvent::Outcome(response)) if is_nothing(&response) => {
                self.forget(&id);
                // An error would be the end of it for clients that try again by themselves.
                let passing =
                    |error: &ServerError| error.source::<ApiError>().is_some_and(ApiError::is_transient);
                if response.errors.iter().any(passing) {
                    return end(code::TRY_AGAIN_LATER, "Try again later");
                }
                self.fail(socket, &id, &response).await
            }
            Some(OperationEvent::Outcome(response)) => self.data(socket, &id, &response).await,
            None => {
                self.forget(&id);
                send(socket, &self.protocol.complete(&id)).await
            }
        }
    }

    /// Sends the answer to a query or a mutation, and that it is complete.
    async fn answer(&mut self, socket: &mut WebSocket, answer: Answer) -> Step {
        let id = &answer.id;
        self.operations.remove(id);
        match &answer.outcome {
            Ok(response) if is_nothing(response) => self.fail(socket, id, response).await,
            Ok(response) => {
                self.data(socket, id, response).await?;
                send(socket, &self.protocol.complete(id)).await
            }
            Err(error) => self.refuse(socket, id, error).await,
        }
    }

    async fn data(&mut self, socket: &mut WebSocket, id: &str, response: &Response) -> Step {
        let Ok(payload) = to_raw_value(&Payload::new(&self.wording, response)) else {
            return Step::Continue(());
        };
        send(socket, &DataMessage { kind: self.protocol.data(), id, payload: &payload }).await
    }

    /// Returns whether it was there.
    fn forget(&mut self, id: &str) -> bool {
        match self.operations.remove(id) {
            Some(Running::Once) => self.queue.forget(id),
            Some(Running::Subscription { handle, .. }) => handle.abort(),
            None => return false,
        }
        true
    }

    async fn send_prepare_error(&mut self, socket: &mut WebSocket, id: &str, error: PrepareError) -> Step {
        match error {
            PrepareError::Mistake(response) => self.fail(socket, id, &response).await,
            PrepareError::Refused(error) => self.refuse(socket, id, &error).await,
            PrepareError::WrongKind(_) => {
                let error = ApiError::malformed("By this protocol there are subscriptions alone.");
                self.refuse(socket, id, &error).await
            }
        }
    }

    async fn refuse(&mut self, socket: &mut WebSocket, id: &str, error: &ApiError) -> Step {
        send(socket, &self.protocol.error(id, vec![self.wording.whole(error)])).await
    }

    /// Sends the errors of an operation that is invalid, not allowed, or failed.
    async fn fail(&mut self, socket: &mut WebSocket, id: &str, outcome: &Response) -> Step {
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

    /// Ends subscriptions whose credential is no longer valid. If the database does
    /// not answer, the next check tries again.
    async fn check(&mut self, socket: &mut WebSocket) -> Step {
        match (self.protocol, &self.caller) {
            (Protocol::AppSync, _) => {
                let over = self.operations_with_ended_credential().await;
                if self.upgrade.reconnects && !over.is_empty() {
                    return end(code::GOING_AWAY, WITHDRAWN);
                }
                self.withdraw(socket, over).await
            }
            (Protocol::TransportWs, Some(caller)) if has_ended(caller, &self.site).await => {
                let all = self.operations.keys().cloned().collect();
                self.withdraw(socket, all).await?;
                // Nothing could be begun on it any more.
                end(code::FORBIDDEN, WITHDRAWN)
            }
            (Protocol::TransportWs, _) => Step::Continue(()),
        }
    }

    async fn withdraw(&mut self, socket: &mut WebSocket, operations: Vec<String>) -> Step {
        for id in operations {
            self.forget(&id);
            self.refuse(socket, &id, &ApiError::not_authorized(WITHDRAWN)).await?;
        }
        Step::Continue(())
    }

    /// The operations whose credential has ended. Verifies each credential once.
    async fn operations_with_ended_credential(&mut self) -> Vec<String> {
        let mut asked: Vec<(&Caller, bool)> = Vec::new();
        let mut over = Vec::new();
        for (id, operation) in &self.operations {
            let Running::Subscription { caller: Some(caller), .. } = operation else { continue };
            let known = asked.iter().find(|(other, _)| other.has_same_proof(caller)).map(|(_, over)| *over);
            let is_over = match known {
                Some(is_over) => is_over,
                None => {
                    let is_over = has_ended(caller, &self.site).await;
                    asked.push((caller, is_over));
                    is_over
                }
            };
            if is_over {
                over.push(id.clone());
            }
        }
        over
    }
}

/// What a client is told whose message could not be read; `None` if it is gone.
fn unreadable(error: axum::Error) -> Option<(u16, String)> {
    match error.into_inner().downcast_ref::<tungstenite::Error>()? {
        tungstenite::Error::Capacity(_) => {
            let reason = format!("A message can have {} bytes at most", limits::MESSAGE_BYTES);
            Some((code::TOO_BIG, reason))
        }
        _ => None,
    }
}

async fn has_ended(caller: &Caller, site: &Site) -> bool {
    matches!(caller.still_holds(site).await, Ok(false))
}

/// The caller. Fails without a valid credential.
async fn caller(
    site: &Site,
    explicit: Option<&HeaderCredential>,
    session: Option<&UserSession>,
) -> Result<Caller, Failed> {
    let found = match (explicit, session) {
        (Some(explicit), _) => explicit.caller_of_graphql(site).await,
        (None, Some(session)) => Caller::of_session(session).await.map_err(CredentialError::Error),
        (None, None) => return Err(nobody()),
    };
    match found {
        Ok(caller) if caller.actor == Actor::Anonymous => Err(nobody()),
        Ok(caller) => Ok(caller),
        Err(refused) => Err(refused.into()),
    }
}

fn nobody() -> Failed {
    Failed::unauthorized(NOBODY)
}

/// The beginning of an id, for the reason of a close frame (RFC 6455 5.5: 125 bytes in all).
fn short(id: &str) -> String {
    id.chars().filter(char::is_ascii_graphic).take(40).collect()
}

#[derive(Serialize)]
struct DataMessage<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    id: &'a str,
    payload: &'a RawValue,
}

/// Sends a message. A client that does not read it in [`WRITE_TIME`] is gone.
async fn send(socket: &mut WebSocket, message: &impl Serialize) -> Step {
    feed(socket, message).await?;
    flush(socket).await
}

/// Buffers a message, and waits if the buffer has to be sent first.
async fn feed(socket: &mut WebSocket, message: &impl Serialize) -> Step {
    let text = serde_json::to_string(message).unwrap_or_default();
    step_of(timeout(WRITE_TIME, socket.feed(Message::Text(text.into()))).await)
}

async fn flush(socket: &mut WebSocket) -> Step {
    step_of(timeout(WRITE_TIME, socket.flush()).await)
}

fn step_of<E>(outcome: Result<Result<(), axum::Error>, E>) -> Step {
    match outcome {
        Ok(Ok(())) => Step::Continue(()),
        _ => Step::Break(End(None)),
    }
}
