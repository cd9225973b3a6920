//! The format of answers and of refusals.
//!
//! Clients that accept `application/graphql-response+json` get the format of the
//! GraphQL-over-HTTP specification. All others get AppSync's, with status 200 for
//! every request that could be read.

use async_graphql::{Response as Outcome, ServerError, parser::types::OperationType};
use axum::{
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{ACCEPT, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::Response,
};
use futures::future::BoxFuture;
use serde::{Deserialize as _, Serialize};
use serde_json::{Map, Value, json};

use super::{
    answer_cache::{QueryAnswer, RequestHash},
    errors::{ApiError, Shape, Wording},
    operation::{Operation, Parameters, PrepareError},
};
use crate::{
    credentials::{Actor, caller::CredentialError},
    error::AppError,
    http::{headers, layers::client_address::ClientAddress, shared_answers::CachePolicy},
    site::Site,
    telemetry::RequestId,
};

pub(super) const JSON: &str = "application/json";

const GRAPHQL_JSON: &str = "application/graphql-response+json";

/// [`JSON`] and [`GRAPHQL_JSON`] as `Content-Type`.
pub(super) const APPSYNC_TYPE: &str = "application/json; charset=utf-8";

const SPECIFICATION_TYPE: &str = "application/graphql-response+json; charset=utf-8";

const AMAZON_REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// The `Retry-After` of an answer with a transient error.
const RETRY_AFTER_SECONDS: &str = "2";

/// AppSync's message for a request without a credential.
pub(super) const NOBODY: &str = "Valid authorization header not provided.";

/// Why a request has no answer.
pub(super) enum NotRun {
    /// Operations of its kind have to be sent in another way.
    WrongKind(OperationType),
    Failed(Failed),
}

impl<F: Into<Failed>> From<F> for NotRun {
    fn from(failed: F) -> Self {
        Self::Failed(failed.into())
    }
}

/// Runs the operation of a request, if it is of one of `kinds`. With `asked`, the
/// request of an API key, the answer may come from the cache.
///
/// Boxed, because its future is large: a request that is answered from memory
/// would otherwise move that much memory as well, a tenth of its time.
pub(super) fn run<'a>(
    site: &'a Site,
    actor: &'a Actor,
    client: Option<ClientAddress>,
    asked: Option<RequestHash>,
    parameters: Parameters,
    kinds: &'a [OperationType],
) -> BoxFuture<'a, Result<QueryAnswer, NotRun>> {
    Box::pin(async move {
        let client = site.turns().client(client.map(|ClientAddress(address)| address));
        let operation = match Operation::prepare(site, actor, &client, parameters, kinds).await {
            Ok(operation) => operation,
            Err(PrepareError::Mistake(response)) => return Ok(QueryAnswer::Alone(response)),
            Err(PrepareError::Refused(error)) => return Err(error.into()),
            Err(PrepareError::WrongKind(kind)) => return Err(NotRun::WrongKind(kind)),
        };
        Ok(match asked {
            Some(asked) => site.api().cache.answer(site, asked, operation).await?,
            None => operation.answer().await.map(QueryAnswer::alone)?,
        })
    })
}

/// The format of errors in the answer to such a request.
pub(super) fn wording(headers: &HeaderMap, request_id: RequestId) -> Wording {
    Wording { shape: shape(headers), request_id: request_id.to_string() }
}

/// The answer to a request with these headers.
pub(super) fn respond(
    wording: &Wording,
    request: &HeaderMap,
    policy: &CachePolicy,
    outcome: Result<QueryAnswer, Failed>,
) -> Response {
    let mut response = match outcome {
        Ok(QueryAnswer::Shared(answer)) => {
            answer.respond(request, &CachePolicy { content_type: content_type(wording.shape), ..*policy })
        }
        Ok(QueryAnswer::Alone(outcome)) => executed(wording, &outcome),
        Err(failed) => failed.respond(wording),
    };
    if let Ok(id) = HeaderValue::from_str(&wording.request_id) {
        response.headers_mut().insert(AMAZON_REQUEST_ID, id);
    }
    response
}

/// The format of the first of the two media types in `Accept`; AppSync's without
/// either.
fn shape(headers: &HeaderMap) -> Shape {
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let named = accept.split(',').map(|range| range.split(';').next().unwrap_or_default().trim());
    match named.into_iter().find(|range| [JSON, GRAPHQL_JSON].contains(range)) {
        Some(GRAPHQL_JSON) => Shape::Specification,
        _ => Shape::AppSync,
    }
}

/// The parameters of a request, from an object that has them by their names.
pub(super) fn parameters(sent: Map<String, Value>) -> Result<Parameters, Failed> {
    Parameters::deserialize(&sent).map_err(|error| wrong_parameters(&sent, &error))
}

pub(super) fn wrong_parameters(sent: &Map<String, Value>, error: &serde_json::Error) -> Failed {
    let words = if sent.get("query").is_none_or(Value::is_null) {
        "Unable to parse GraphQL query: query is missing.".to_owned()
    } else {
        format!("The request is not as GraphQL over HTTP has it: {error}.")
    };
    Failed::bad_request(ApiError::malformed(words))
}

/// A request that failed before any field.
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

    pub(super) fn bad_request(error: ApiError) -> Self {
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
            if outcome.errors.iter().any(is_transient) {
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
            }
            response
        }
    }
}

fn is_transient(error: &ServerError) -> bool {
    error.source::<ApiError>().is_some_and(ApiError::is_transient)
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
