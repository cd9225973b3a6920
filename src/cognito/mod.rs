//! `/cognito`: sign-up and login in the protocol of Amazon Cognito, for the
//! clients of AWS Amplify and their ready-made forms.
//!
//! `X-Amz-Target` names the operation; request and answer are JSON (AWS JSON
//! protocol 1.1).

mod challenges;
mod codes;
mod factors;
mod operations;
mod parts;
mod problem;

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header::RETRY_AFTER},
    response::Response,
    routing::post,
};
use serde_json::{Value, json};

pub use problem::Problem;

use crate::{
    credentials::RequestSource,
    http::{bodies, headers, limits, source::source},
    site::Site,
};

/// Where operations are posted to, below the public URL.
pub const PATH: &str = "/cognito";

const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
/// The name of the service before the operation's.
const SERVICE: &str = "AWSCognitoIdentityProviderService.";

/// The endpoint, with and without the slash that some clients put behind it.
pub fn routes() -> Router<Site> {
    let post_only = |request: Request| async move { headers::wrong_method(request.headers(), "POST") };
    let endpoint = post(call).fallback(post_only);
    Router::new().route(PATH, endpoint.clone()).route(&format!("{PATH}/"), endpoint)
}

/// `POST /`: clients for phones take a bare host for an endpoint. Everything else that is
/// posted there is no form of this site.
pub async fn call_at_root(state: State<Site>, request: Request) -> Response {
    if request.headers().contains_key(TARGET) {
        call(state, request).await
    } else {
        headers::wrong_method(request.headers(), "GET, HEAD")
    }
}

async fn call(State(site): State<Site>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let target = head.headers.get(TARGET).and_then(|value| value.to_str().ok());
    let outcome = match target.and_then(|target| target.strip_prefix(SERVICE)) {
        Some(operation) => run(&site, operation, body, &source(&head)).await,
        None => Err(Problem::unknown_operation()),
    };
    match outcome {
        Ok(value) => answer(StatusCode::OK, &value),
        Err(problem) => refusal(&problem),
    }
}

async fn run(site: &Site, operation: &str, body: Body, source: &RequestSource) -> Result<Value, Problem> {
    let body = bodies::read_body(body, limits::ACCOUNT_BODY).await?;
    // The limit is outside of the operations, whose errors are of another type.
    limits::in_time(async { Ok(operations::run(site, operation, &body, source).await) }).await?
}

fn answer(status: StatusCode, body: &Value) -> Response {
    headers::uncached(status, "application/x-amz-json-1.1", body.to_string())
}

fn refusal(problem: &Problem) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = answer(status, &json!({ "__type": problem.name, "message": problem.message }));
    let fields = response.headers_mut();
    fields.insert(headers::X_AMZN_ERRORTYPE, HeaderValue::from_static(problem.name));
    if let Some(seconds) = problem.retry_after {
        fields.insert(RETRY_AFTER, seconds.into());
    }
    response
}
