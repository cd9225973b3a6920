//! `POST /graphql`.

use async_graphql::parser::types::OperationType;
use axum::{
    Extension, Router,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    middleware::{Next, from_fn_with_state},
    response::Response,
    routing::{self, post},
};
use serde_json::Value;
use tower::ServiceExt;
use tower_sessions::{Session, SessionManagerLayer};

use super::{
    answer_cache::{QueryAnswer, RequestHash},
    errors::ApiError,
    get,
    operation::Parameters,
    payload::{APPSYNC_TYPE, Failed, JSON, NOBODY, NotRun, respond, run, wording, wrong_parameters},
    realtime,
};
use crate::{
    credentials::{Actor, Caller, RequestCredential, UserSession, session::store::RowStore},
    http::{
        bodies, headers,
        layers::{
            client_address::ClientAddress, credentials::strip_ambient, cross_site,
            session::repair_session_response,
        },
        limits as server_limits,
        shared_answers::CachePolicy,
    },
    site::Site,
    telemetry::RequestId,
};

/// Where the API is, below the public URL.
pub const PATH: &str = "/graphql";

/// Answers by `POST` may not be cached.
const POST_CACHE_POLICY: CachePolicy = CachePolicy {
    content_type: APPSYNC_TYPE,
    cache_control: "no-store",
    vary: None,
    revalidated: false,
    dated: false,
    unbounded: true,
};

/// The routes of the API. Here a browser's session counts too, for the site's own
/// pages.
pub fn routes(site: &Site, sessions: SessionManagerLayer<RowStore>) -> Router<Site> {
    let with_session = endpoints()
        .layer(sessions)
        .layer(from_fn_with_state(site.public_url.is_https(), repair_session_response))
        .layer(from_fn_with_state(site.clone(), cross_site::refuse_foreign))
        .with_state(site.clone());
    endpoints().layer(from_fn_with_state(with_session, route_sessions))
}

fn endpoints() -> Router<Site> {
    let wrong_method = |request: Request| async move {
        headers::wrong_method(request.headers(), "GET, HEAD, POST, OPTIONS")
    };
    let get_only = |request: Request| async move { headers::wrong_method(request.headers(), "GET, OPTIONS") };
    Router::new()
        .route(PATH, post(answer).get(get::answer).fallback(wrong_method))
        .route(&format!("{PATH}/realtime"), routing::get(realtime::connect).fallback(get_only))
}

/// Sends only requests whose session counts through the layers of sessions, because
/// each layer clones all that are below it. For all others, cookies and origin do
/// not matter; without a credential they get 401.
async fn route_sessions(State(with_session): State<Router>, mut request: Request, next: Next) -> Response {
    if !RequestCredential::in_extensions(request.extensions()).is_session() {
        strip_ambient(&mut request);
        return next.run(request).await;
    }
    match with_session.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// `POST /graphql`.
async fn answer(
    State(site): State<Site>,
    session: Option<Extension<Session>>,
    Extension(request_id): Extension<RequestId>,
    client: Option<Extension<ClientAddress>>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let wording = wording(&head.headers, request_id);
    let outcome = async {
        require_json(&head.headers)?;
        let credential = RequestCredential::in_extensions(&head.extensions);
        // A request without a credential need not send the rest.
        if credential.is_nothing() {
            return Err(Failed::unauthorized(NOBODY));
        }
        let session = session.map(|Extension(session)| UserSession::new(session));
        let check = async {
            let apart = session.as_ref().map(|session| session.apart(&site));
            match Caller::of_graphql(&site, credential, apart.as_ref()).await?.actor {
                Actor::Anonymous => Err(Failed::unauthorized(NOBODY)),
                _ => Ok(()),
            }
        };
        let body = bodies::read_body_if(check, body, server_limits::POST_BODY).await?;
        // Verified once the body is here, so that a slow upload cannot outlive a logout.
        let caller = Caller::of_graphql(&site, credential, session.as_ref()).await.map_err(Failed::from)?;
        if caller.actor == Actor::Anonymous {
            return Err(Failed::unauthorized(NOBODY));
        }
        let asked = RequestHash::by_post(&body).filter(|_| caller.actor == Actor::ApiKey);
        if let Some(asked) = asked
            && let Some(kept) = site.api().cache.ready(&site.bus().changes, asked).await
        {
            return Ok(QueryAnswer::Shared(kept));
        }
        let kinds = [OperationType::Query, OperationType::Mutation];
        let client = client.map(|Extension(client)| client);
        let ran = run(&site, &caller.actor, client, asked, read(&body)?, &kinds).await;
        ran.map_err(|error| match error {
            NotRun::Failed(failed) => failed,
            NotRun::WrongKind(_) => ApiError::malformed(
                "Subscriptions go through a WebSocket, queries and mutations through POST.",
            )
            .into(),
        })
    }
    .await;
    respond(&wording, &head.headers, &POST_CACHE_POLICY, outcome)
}

/// Everything else can be sent by a form of a foreign page (security row C3).
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
