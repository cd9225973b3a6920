//! `POST /graphql`, and how every answer there is written.
//!
//! Clients that accept `application/graphql-response+json` are answered by the
//! GraphQL-over-HTTP specification; all others as AppSync does, with 200 for
//! whatever could be read.

use async_graphql::{Response as Outcome, ServerError, parser::types::OperationType};
use axum::{
    Extension, Router,
    extract::{Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{ACCEPT, CONTENT_TYPE, ORIGIN, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    middleware::{Next, from_fn, from_fn_with_state},
    response::Response,
    routing::{self, post},
};
use serde::{Deserialize as _, Serialize};
use serde_json::{Map, Value, json};
use tower_sessions::{Session, SessionManagerLayer};

use super::{
    errors::{ApiError, Shape, Wording},
    get,
    kept::{Answered, Asked},
    operation::{Operation, Parameters, Unready},
    realtime,
};
use crate::{
    credentials::{
        Actor, Caller, RequestCredential, UserSession, caller::CredentialError, session::store::RowStore,
    },
    error::AppError,
    http::{
        bodies, headers,
        layers::{
            client_address::ClientAddress, credentials::strip_ambient_credentials, cross_site,
            session::repair_session_response,
        },
        limits as server_limits, origin,
        shared_answers::Terms,
    },
    site::Site,
    telemetry::RequestId,
};

const JSON: &str = "application/json";
const GRAPHQL_JSON: &str = "application/graphql-response+json";
/// [`JSON`] and [`GRAPHQL_JSON`] as `Content-Type`.
const APPSYNC_TYPE: &str = "application/json; charset=utf-8";
const SPECIFICATION_TYPE: &str = "application/graphql-response+json; charset=utf-8";
const AMAZON_REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// Where the API is, below the public URL.
pub const PATH: &str = "/graphql";

/// When a field may be asked for again that could not be answered, in seconds.
const COME_AGAIN: &str = "2";

/// How long an answer by `POST` may be kept: by nobody, for any time.
const POSTED: Terms = Terms {
    content_type: APPSYNC_TYPE,
    cache_control: "no-store",
    vary: None,
    revalidated: false,
    made_up: true,
};

/// What AppSync says to whoever brings no credential.
pub(super) const NOBODY: &str = "Valid authorization header not provided.";

/// The routes of the API. A browser's session counts here, too, for requests
/// of the site's own pages.
pub fn routes(site: &Site, sessions: SessionManagerLayer<RowStore>) -> Router<Site> {
    let wrong_method = |request: Request| async move {
        headers::wrong_method(request.headers(), "GET, HEAD, POST, OPTIONS")
    };
    let get_only = |request: Request| async move { headers::wrong_method(request.headers(), "GET, OPTIONS") };
    Router::new()
        .route(PATH, post(answer).get(get::answer).fallback(wrong_method))
        .route(&format!("{PATH}/realtime"), routing::get(realtime::connect).fallback(get_only))
        .layer(sessions)
        .layer(from_fn_with_state(site.public_url.is_https(), repair_session_response))
        .layer(from_fn_with_state(site.clone(), cross_site::refuse_foreign))
        .layer(from_fn(skip_csrf_without_session))
        .layer(from_fn(strip_ambient_credentials))
}

/// Whoever brings no session gets 401, from wherever the request comes.
async fn skip_csrf_without_session(mut request: Request, next: Next) -> Response {
    if !RequestCredential::in_extensions(request.extensions()).is_session() {
        for name in [ORIGIN, origin::SEC_FETCH_SITE] {
            request.headers_mut().remove(name);
        }
    }
    next.run(request).await
}

/// `POST /graphql`.
async fn answer(
    State(site): State<Site>,
    session: Session,
    Extension(request_id): Extension<RequestId>,
    client: Option<Extension<ClientAddress>>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let wording = wording(&head.headers, request_id);
    let outcome = async {
        require_json(&head.headers)?;
        let credential = RequestCredential::in_extensions(&head.extensions);
        // Whoever brings nothing need not send the rest.
        if credential.is_nothing() {
            return Err(Failed::unauthorized(NOBODY));
        }
        let session = UserSession::new(session);
        let check = async {
            match Caller::of_graphql(&site, credential, &session.apart(&site)).await?.actor {
                Actor::Anonymous => Err(Failed::unauthorized(NOBODY)),
                _ => Ok(()),
            }
        };
        let body = bodies::read_body_if(check, body, server_limits::POST_BODY).await?;
        // Asked once the body is here: a slow upload cannot outlive a logout.
        let caller = Caller::of_graphql(&site, credential, &session).await.map_err(Failed::from)?;
        if caller.actor == Actor::Anonymous {
            return Err(Failed::unauthorized(NOBODY));
        }
        let asked = Asked::by_post(&body).filter(|_| caller.actor == Actor::ApiKey);
        if let Some(asked) = asked
            && let Some(kept) = site.api().kept.ready(&site.bus().changes, asked).await
        {
            return Ok(Answered::Shared(kept));
        }
        let kinds = [OperationType::Query, OperationType::Mutation];
        let client = site.turns().client(client.map(|Extension(ClientAddress(address))| address));
        match Operation::prepare(&site, &caller.actor, &client, read(&body)?, &kinds).await {
            Ok(operation) => Ok(run(&site, asked, operation).await?),
            Err(Unready::Mistake(response)) => Ok(Answered::Alone(response)),
            Err(Unready::Refused(error)) => Err(error.into()),
            Err(Unready::WrongKind(_)) => Err(ApiError::malformed(
                "Subscriptions go through a WebSocket, queries and mutations through POST.",
            )
            .into()),
        }
    }
    .await;
    respond(&wording, &head.headers, &POSTED, outcome)
}

/// Runs an operation; `asked` is what an API key may be given from memory for.
///
/// # Errors
/// Those of [`Operation::answer`].
pub(super) async fn run(
    site: &Site,
    asked: Option<Asked>,
    operation: Operation,
) -> Result<Answered, ApiError> {
    match asked {
        Some(asked) => site.api().kept.answer(site, asked, operation).await,
        None => operation.answer().await.map(Answered::alone),
    }
}

/// How the answers to a request are written.
pub(super) fn wording(headers: &HeaderMap, request_id: RequestId) -> Wording {
    Wording { shape: shape(headers), request_id: request_id.to_string() }
}

/// What came of a request with these headers.
pub(super) fn respond(
    wording: &Wording,
    request: &HeaderMap,
    terms: &Terms,
    outcome: Result<Answered, Failed>,
) -> Response {
    let mut response = match outcome {
        Ok(Answered::Shared(answer)) => {
            answer.respond(request, &Terms { content_type: content_type(wording.shape), ..*terms })
        }
        Ok(Answered::Alone(outcome)) => executed(wording, &outcome),
        Err(failed) => failed.respond(wording),
    };
    if let Ok(id) = HeaderValue::from_str(&wording.request_id) {
        response.headers_mut().insert(AMAZON_REQUEST_ID, id);
    }
    response
}

/// The first that is named of the two kinds of JSON; AppSync's for whoever
/// takes anything.
fn shape(headers: &HeaderMap) -> Shape {
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let named = accept.split(',').map(|range| range.split(';').next().unwrap_or_default().trim());
    match named.into_iter().find(|range| [JSON, GRAPHQL_JSON].contains(range)) {
        Some(GRAPHQL_JSON) => Shape::Specification,
        _ => Shape::AppSync,
    }
}

/// Whatever else a form can send from a foreign page (security row C3).
fn require_json(headers: &HeaderMap) -> Result<(), Failed> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut parts = content_type.split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case(JSON));
    let is_utf8 = parts.all(|parameter| match parameter.split_once('=') {
        Some((name, value)) if name.eq_ignore_ascii_case("charset") => {
            value.trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    });
    if is_json && is_utf8 {
        Ok(())
    } else {
        let error = ApiError::malformed("Send application/json in UTF-8.");
        Err(Failed::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, error))
    }
}

fn read(body: &[u8]) -> Result<Parameters, Failed> {
    serde_json::from_slice(body).map_err(|error| {
        let words = match serde_json::from_slice::<Value>(body) {
            Ok(Value::Array(_)) => "Send one operation at a time.".to_owned(),
            Ok(Value::Object(sent)) => return wrong_parameters(&sent, &error),
            Ok(_) => "The body must be a JSON object.".to_owned(),
            Err(error) => format!("Unable to parse the body as JSON: {error}."),
        };
        Failed::bad_request(ApiError::malformed(words))
    })
}

/// The parameters of a request, from an object that has them by their names.
pub(super) fn parameters(sent: Map<String, Value>) -> Result<Parameters, Failed> {
    Parameters::deserialize(&sent).map_err(|error| wrong_parameters(&sent, &error))
}

fn wrong_parameters(sent: &Map<String, Value>, error: &serde_json::Error) -> Failed {
    let words = if sent.get("query").is_none_or(Value::is_null) {
        "Unable to parse GraphQL query: query is missing.".to_owned()
    } else {
        format!("The request is not as GraphQL over HTTP has it: {error}.")
    };
    Failed::bad_request(ApiError::malformed(words))
}

/// A request of which no field was answered.
#[derive(Debug)]
pub(super) struct Failed {
    pub status: StatusCode,
    pub error: ApiError,
    retry_after: Option<HeaderValue>,
}

impl Failed {
    pub fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, ApiError::not_authorized(message))
    }

    fn bad_request(error: ApiError) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error)
    }

    pub fn new(status: StatusCode, error: ApiError) -> Self {
        Self { status, error, retry_after: None }
    }

    fn respond(&self, wording: &Wording) -> Response {
        let body = json!({ "errors": [wording.whole(&self.error)] });
        let mut response = json_response(wording.shape, self.status, body.to_string());
        let fields = response.headers_mut();
        fields.insert(headers::X_AMZN_ERRORTYPE, HeaderValue::from_static(self.error.error_type));
        if let Some(seconds) = &self.retry_after {
            fields.insert(RETRY_AFTER, seconds.clone());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            fields.insert(WWW_AUTHENTICATE, headers::BAD_TOKEN);
        }
        response
    }
}

impl From<AppError> for Failed {
    fn from(error: AppError) -> Self {
        let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, retry_after: headers::retry_after(&error), error: ApiError::of_request(&error) }
    }
}

impl From<ApiError> for Failed {
    fn from(error: ApiError) -> Self {
        Self::bad_request(error)
    }
}

impl From<CredentialError> for Failed {
    fn from(refused: CredentialError) -> Self {
        match AppError::from(refused.clone()) {
            AppError::BadCredential { .. } => Self::unauthorized(refused.to_string()),
            error => error.into(),
        }
    }
}

/// An answer of the executor: fields, errors at fields, or mistakes in the document.
fn executed(wording: &Wording, outcome: &Outcome) -> Response {
    let payload = Payload::new(wording, outcome);
    let reached_no_field =
        !outcome.errors.is_empty() && outcome.errors.iter().all(|error| error.path.is_empty());
    match wording.shape {
        Shape::Specification if reached_no_field => {
            let body = json!({ "errors": payload.errors });
            json_response(wording.shape, StatusCode::BAD_REQUEST, body.to_string())
        }
        _ => {
            let body = serde_json::to_string(&payload).unwrap_or_default();
            let mut response = json_response(wording.shape, StatusCode::OK, body);
            if outcome.errors.iter().any(is_passing) {
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(COME_AGAIN));
            }
            response
        }
    }
}

fn is_passing(error: &ServerError) -> bool {
    error.source::<ApiError>().is_some_and(ApiError::is_passing)
}

/// Data and errors of an answer. Fields keep the order of the document
/// (GraphQL 7.2.2).
#[derive(Serialize)]
pub(super) struct Payload<'a> {
    data: &'a async_graphql::Value,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Value>,
}

impl<'a> Payload<'a> {
    pub fn new(wording: &Wording, outcome: &'a Outcome) -> Self {
        let errors = outcome.errors.iter().map(|error| wording.error(error)).collect();
        Self { data: &outcome.data, errors }
    }
}

fn json_response(shape: Shape, status: StatusCode, body: String) -> Response {
    headers::uncached(status, content_type(shape), body)
}

const fn content_type(shape: Shape) -> &'static str {
    match shape {
        Shape::AppSync => APPSYNC_TYPE,
        Shape::Specification => SPECIFICATION_TYPE,
    }
}
