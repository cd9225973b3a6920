//! Refuses requests that another site makes a browser send.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, header::ORIGIN},
    middleware::Next,
    response::Response,
};

use crate::{
    config::{Origin, PublicUrl},
    credentials::RequestCredential,
    error::AppError,
    http::{
        headers::{refusal, wants_html},
        origin::{SingleHeader, Source, single_header, source},
    },
    site::Site,
};

/// A layer that refuses requests that another site makes a browser send
/// (security row C1): every unsafe request of a foreign origin; and, with a
/// session cookie, a request that does not say where it comes from.
pub async fn refuse_foreign(State(site): State<Site>, request: Request, next: Next) -> Response {
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let refused = match source(&site.public_url, &request) {
        Source::Own => false,
        Source::Foreign => true,
        Source::NotStated => RequestCredential::in_extensions(request.extensions()).is_session(),
    };
    if is_safe || !refused {
        return next.run(request).await;
    }
    log_missing_public_url(&site.public_url, request.headers());
    let at = site.public_url.set().map(Origin::to_string);
    refusal(&AppError::CrossSite { at }, wants_html(request.headers()))
}

/// Behind a proxy the site cannot know how browsers reach it. If the setting is
/// missing, nobody can log in or write, so the log says it.
fn log_missing_public_url(public_url: &PublicUrl, headers: &HeaderMap) {
    if public_url.set().is_none()
        && let SingleHeader::Once(raw) = single_header(headers, &ORIGIN)
        && let Some(origin) = Origin::parse(raw)
    {
        tracing::warn!(%origin, "refused a request from there; if that is this site, set public-url to it");
    }
}
