//! Subscriptions over WebSockets, with two protocols: AppSync's, with the three
//! handshakes of Amplify's clients; and `graphql-transport-ws` of the graphql-ws
//! library, which allows queries and mutations too.
//!
//! A connection is one task, with another task for each query or mutation that
//! runs. The task of the connection waits for its client, so it must hold nothing
//! that others wait for. It writes each message at once and waits until the client
//! has read it. Meanwhile nothing is collected for that client except the few
//! events that [`Broadcast`](crate::posts::events::broadcast::Broadcast) holds for
//! everyone, and the answers of the few queries that run. A client that is too
//! slow gets an error.

mod connection;
mod protocol;
mod queue;

use axum::{
    Extension,
    extract::{Query, Request, State, ws::WebSocketUpgrade},
    http::{
        Extensions, HeaderMap, HeaderValue, StatusCode,
        header::{CONNECTION, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE},
    },
    response::Response,
};
use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use hyper::upgrade::OnUpgrade;
use serde::Deserialize;
use serde_json::Value;
use tower_sessions::Session;

use super::{
    errors::{Shape, Wording},
    limits,
};
use crate::{
    credentials::{RequestCredential, UserSession},
    error::AppError,
    http::{
        headers,
        layers::client_address::ClientAddress,
        origin::{self, Source},
    },
    site::Site,
    telemetry::RequestId,
};
use connection::{Connection, UpgradeRequest};
use protocol::{OfferedCredential, Protocol};
use queue::FULL;

/// Bytes that are read from a connection at once. tungstenite allocates and zeroes
/// a buffer of this size whenever it checks for input, also before each message
/// that it sends. With its default of 128 KiB this was a third of the cost of
/// sending an event to a subscriber.
const READ_BUFFER: usize = 4 * 1024;

/// The query parameters of AppSync's clients from before 2023.
#[derive(Debug, Deserialize)]
pub struct Address {
    header: Option<String>,
}

/// `GET /graphql` and `/graphql/realtime`, to become a WebSocket.
pub async fn connect(
    State(site): State<Site>,
    Extension(request_id): Extension<RequestId>,
    client: Option<Extension<ClientAddress>>,
    Query(address): Query<Address>,
    session: Option<Extension<Session>>,
    request: Request,
) -> Response {
    use axum::extract::FromRequest as _;

    let head = request.headers().clone();
    let writing = request.extensions().clone();
    let source = origin::source(&site.public_url, &request);
    let Ok(upgrade) = WebSocketUpgrade::from_request(request, &site).await else {
        return no_websocket();
    };
    let Some(protocol) = protocols(&head).filter_map(Protocol::named).max() else {
        let reason = "name the subprotocol graphql-ws or graphql-transport-ws".to_owned();
        return headers::refusal(&AppError::BadRequest { reason }, false);
    };
    let client = client.map(|Extension(ClientAddress(address))| address);
    let Some(place) = site.bus().listener_slot(client) else {
        return headers::refusal(&AppError::Busy { retry_after: FULL }, false);
    };
    let in_protocol = protocols(&head).find_map(|name| name.strip_prefix("header-").map(str::to_owned));
    let reconnects = in_protocol.is_some();
    let offered = address.header.or(in_protocol).map(|encoded| decode(&encoded));
    let upgrade_request = UpgradeRequest {
        reconnects,
        offered: offered.unwrap_or_else(|| OfferedCredential::of(RequestCredential::in_extensions(&writing))),
        // A browser sends the cookie with every page that opens a connection
        // (security row C2).
        session: session
            .filter(|_| source == Source::Own)
            .map(|Extension(session)| UserSession::new(session)),
        address: client,
    };
    let shape = match protocol {
        Protocol::AppSync => Shape::AppSync,
        Protocol::TransportWs => Shape::Specification,
    };
    let wording = Wording { shape, request_id: request_id.to_string() };
    let upgrade = upgrade
        .protocols([protocol.name()])
        .max_message_size(limits::MESSAGE_BYTES)
        .max_frame_size(limits::MESSAGE_BYTES)
        .read_buffer_size(READ_BUFFER);
    let response = upgrade.on_upgrade(async move |socket| {
        let _place = place;
        Connection::new(site, protocol, wording, upgrade_request).run(socket).await;
    });
    keep_header_case(writing, response)
}

/// Writes the names of headers in the answer with the letters that the client
/// uses. They have no case (RFC 9110, 5.1), but gql for Python 4 looks only for
/// `Sec-WebSocket-Protocol`, and without it assumes the older protocol. hyper
/// keeps the letters of a request in a private extension and uses it when an
/// answer has it. Until it has an API for that
/// (<https://github.com/hyperium/hyper/issues/2695>), the extensions are
/// copied.
fn keep_header_case(mut of_request: Extensions, mut response: Response) -> Response {
    of_request.remove::<OnUpgrade>();
    response.extensions_mut().extend(of_request);
    response
}

/// The answer to a request that does not open a WebSocket (RFC 9110, 15.5.22).
fn no_websocket() -> Response {
    let reason = "open a WebSocket here, of version 13".to_owned();
    let mut response = headers::refusal(&AppError::BadRequest { reason }, false);
    *response.status_mut() = StatusCode::UPGRADE_REQUIRED;
    let headers = response.headers_mut();
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    response
}

/// The subprotocols that a client speaks, in its order (RFC 6455, 11.3.4).
fn protocols(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers
        .get_all(SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}

/// JSON in base64 of either alphabet, with or without padding, because clients
/// differ. Anything else is an invalid credential.
fn decode(encoded: &str) -> OfferedCredential {
    const LENIENT: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    const ENGINE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);
    let url_safe = encoded.replace('+', "-").replace('/', "_");
    let json = ENGINE.decode(url_safe).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    json.filter(Value::is_object)
        .map_or_else(OfferedCredential::unreadable, |json| OfferedCredential::of_json(&json))
}
