//! The outermost layer: every request gets an id, one line in the log and an
//! answer, whatever happens inside.
//!
//! Not tower-http's `SetRequestIdLayer` and `PropagateRequestIdLayer` (read at
//! 0.6.11): they accept an `X-Request-Id` of the client, which could be the id of
//! any other log line. They store the id as a header of the request, which costs
//! more than a number, and the log needs the id outside of requests too.

use std::{sync::Arc, time::Instant};

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue},
    middleware::Next,
    response::Response,
};

use super::{
    client_address::{ClientAddress, client_address},
    cors, for_everyone, panics,
};
use crate::{
    http::{
        answers,
        connections::Connection,
        headers::{refusal, secure, wants_html},
        origin, speculation, target,
    },
    site::Site,
    telemetry::{RequestId, VALUE_BYTES, cut, in_request},
};

/// Names the request in the answer and in the log.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Bytes of a method in the log; the longest that is registered has 17.
const METHOD_BYTES: usize = 32;

/// The outermost layer: gives the request an id, refuses invalid targets,
/// catches panics, counts the answer until it is read, adds the headers that
/// every answer has, counts the request by its route, writes the
/// log line, and tells a collector of traces.
///
/// The line has method, path, status, time and address; never a query, a cookie
/// or a body.
pub async fn observe(State(site): State<Site>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = RequestId::next();
    let target = origin::check_host(&request).and_then(|()| target::normalize(&mut request));
    let counts = site.request_counts().of(&request);
    let begun = site.tracer().begin(&request, &site.trusted_proxies);
    let method = request.method().clone();
    let path = cut(request.uri().path(), VALUE_BYTES).into_owned();
    let client = client_address(&request, &site.trusted_proxies);
    if let Some(address) = client {
        request.extensions_mut().insert(ClientAddress(address));
    }
    request.extensions_mut().insert(id);
    let connection = request.extensions().get::<Arc<Connection>>().cloned();
    let html = wants_html(request.headers());

    let answer = async {
        target?;
        if let Some(answer) = cors::answer_to_preflight(&request) {
            return Ok(answer);
        }
        if let Some(page) = for_everyone::ready(&site, &request).await {
            return Ok(page);
        }
        let made = panics::catch_panic(next.run(request)).await?;
        answers::hold(site.part(), made, client, connection.as_ref()).await
    };
    let mut response = in_request(id, answer).await.unwrap_or_else(|error| refusal(&error, html));

    let hsts = site.public_url.is_https().then(|| site.settings().hsts.header()).flatten();
    secure(response.headers_mut(), hsts);
    speculation::announce(response.headers_mut());
    let (status, took) = (response.status(), started.elapsed());
    counts.answered(status, took);
    if let Some(begun) = begun {
        site.tracer().end(begun, id, counts.labels(), &path, status);
    }
    let id = id.to_string();
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    // Without a connection, Byline itself has asked, for a static site. It says what came of that.
    if connection.is_none() {
        return response;
    }
    tracing::info!(
        id,
        method = %cut(method.as_str(), METHOD_BYTES),
        path,
        status = status.as_u16(),
        micros = took.as_micros() as u64,
        client = client.map(tracing::field::display),
        "request"
    );
    response
}
