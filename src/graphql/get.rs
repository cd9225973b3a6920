//! `GET /graphql`: queries in the address (GraphQL over HTTP, 5.3), so that
//! programs and caches can revalidate an answer that they have.
//!
//! Any page can make a browser send a GET with its cookies. So only a key or a
//! token counts here, and mutations have to be posted (security row C3).

use async_graphql::parser::types::OperationType;
use axum::{
    Extension,
    body::{Body, to_bytes},
    extract::{Request, State},
    handler::Handler,
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, UPGRADE, VARY},
        request::Parts,
    },
    response::Response,
};
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::{
    answer_cache::{QueryAnswer, RequestHash},
    errors::ApiError,
    operation::Parameters,
    payload::{self, Failed, NOBODY, NotRun},
    realtime,
};
use crate::{
    credentials::{Actor, RequestCredential},
    http::{etag, shared_answers::CachePolicy},
    site::Site,
    telemetry::RequestId,
};

/// An answer is for the caller alone. It is revalidated each time, because the data
/// and the caller's rights may have changed.
const CACHE_POLICY: CachePolicy = CachePolicy {
    content_type: "",
    cache_control: "private, no-cache",
    vary: None,
    revalidated: true,
    dated: false,
    unbounded: true,
};
const VARIES: HeaderValue = HeaderValue::from_static("authorization, x-api-key, accept, accept-encoding");

/// A query, or the opening of a WebSocket: clients of 2020 open theirs here.
pub async fn answer(
    State(site): State<Site>,
    Extension(request_id): Extension<RequestId>,
    request: Request,
) -> Response {
    if asks_for_websocket(request.headers()) {
        return realtime::connect.call(request, site).await;
    }
    let (head, _) = request.into_parts();
    let wording = payload::wording(&head.headers, request_id);
    let outcome = run(&site, &head).await;
    let is_to_be_tagged = matches!(&outcome, Ok(QueryAnswer::Alone(outcome)) if outcome.errors.is_empty());
    let mut response = payload::respond(&wording, &head.headers, &CACHE_POLICY, outcome);
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
    }
    response.headers_mut().append(VARY, VARIES);
    if is_to_be_tagged { revalidated(&head.headers, response).await } else { response }
}

fn asks_for_websocket(headers: &HeaderMap) -> bool {
    let named = headers.get_all(UPGRADE).iter().filter_map(|value| value.to_str().ok());
    named.flat_map(|value| value.split(',')).any(|protocol| protocol.trim().eq_ignore_ascii_case("websocket"))
}

async fn run(site: &Site, head: &Parts) -> Result<QueryAnswer, Failed> {
    let Some(explicit) = RequestCredential::in_extensions(&head.extensions).header() else {
        return Err(Failed::unauthorized(NOBODY));
    };
    let caller = explicit.caller_of_graphql(site).await?;
    let query = head.uri.query().unwrap_or_default();
    let asked = RequestHash::by_get(query).filter(|_| caller.actor == Actor::ApiKey);
    if let Some(asked) = asked
        && let Some(kept) = site.api().cache.ready(&site.bus().changes, asked).await
    {
        return Ok(QueryAnswer::Shared(kept));
    }
    let parameters = parameters(query)?;
    let client = head.extensions.get().copied();
    let ran = payload::run(site, &caller.actor, client, asked, parameters, &[OperationType::Query]).await;
    ran.map_err(|error| match error {
        NotRun::Failed(failed) => failed,
        NotRun::WrongKind(OperationType::Mutation) => {
            let error = ApiError::malformed("Mutations go through POST.");
            Failed::new(StatusCode::METHOD_NOT_ALLOWED, error)
        }
        NotRun::WrongKind(_) => ApiError::malformed("Subscriptions go through a WebSocket.").into(),
    })
}

/// The parameters of an address: texts, and JSON where they are objects.
fn parameters(query: &str) -> Result<Parameters, Failed> {
    let wrong = |words: String| Failed::from(ApiError::malformed(words));
    let mut sent = Map::new();
    let mut replaced = 0;
    for (name, text) in form_urlencoded::parse(query.as_bytes()) {
        replaced += replacement_characters(&text);
        let value = match name.as_ref() {
            "query" | "operationName" => Value::String(text.into_owned()),
            "variables" | "extensions" if text.is_empty() => Value::Null,
            "variables" | "extensions" => serde_json::from_str(&text)
                .map_err(|error| wrong(format!("Unable to parse {name} as JSON: {error}.")))?,
            _ => continue,
        };
        if sent.insert(name.to_string(), value).is_some() {
            return Err(wrong(format!("The address has {name} twice.")));
        }
    }
    // Invalid UTF-8 was replaced, which would change the query.
    let written = replacement_characters(query) + query.to_ascii_uppercase().matches("%EF%BF%BD").count();
    if replaced > written {
        return Err(wrong("The address is not percent-encoded UTF-8.".to_owned()));
    }
    payload::parameters(sent)
}

fn replacement_characters(text: &str) -> usize {
    text.matches(char::REPLACEMENT_CHARACTER).count()
}

/// The answer with its tag, or that the client has it already.
async fn revalidated(asked: &HeaderMap, response: Response) -> Response {
    let (mut head, body) = response.into_parts();
    // The body is in memory, so this neither waits nor fails.
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let etag = etag::of(&body);
    let is_known = etag::is_known(asked, &etag);
    head.headers.insert(CACHE_CONTROL, HeaderValue::from_static(CACHE_POLICY.cache_control));
    head.headers.insert(ETAG, etag);
    if is_known {
        head.status = StatusCode::NOT_MODIFIED;
        head.headers.remove(CONTENT_TYPE);
        head.headers.remove(CONTENT_LENGTH);
        return Response::from_parts(head, Body::empty());
    }
    Response::from_parts(head, Body::from(body))
}
