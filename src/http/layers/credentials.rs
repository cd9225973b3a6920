//! Finds the credential of a request, and removes what browsers add by themselves
//! beside a credential that was sent on purpose.

use axum::{
    extract::{FromRequestParts, Request},
    http::{
        header::{COOKIE, ORIGIN},
        request::Parts,
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use tower_sessions::Session;

use crate::{
    credentials::{Caller, RequestCredential, UserSession},
    http::{
        cookies,
        headers::{refusal, wants_html},
        origin::SEC_FETCH_SITE,
    },
    site::Site,
};

/// Finds the credential of the request, right after the layer that removes
/// foreign cookies. No other code reads it from the headers.
pub fn identify(mut request: Request) -> Request {
    let credential = RequestCredential::of(request.headers(), cookies::has_session(request.headers()));
    request.extensions_mut().insert(credential);
    request
}

/// The layer that does [`strip_ambient`] to a request with an explicit credential.
pub async fn strip_ambient_credentials(mut request: Request, next: Next) -> Response {
    if RequestCredential::in_extensions(request.extensions()).header().is_some() {
        strip_ambient(&mut request);
    }
    next.run(request).await
}

/// Removes what browsers add by themselves, where no session counts: the cookies,
/// which must not count beside an explicit credential, and the origin, whose check
/// protects only requests with a cookie (security rows C1 and C3).
pub fn strip_ambient(request: &mut Request) {
    for name in [COOKIE, ORIGIN, SEC_FETCH_SITE] {
        request.headers_mut().remove(name);
    }
}

/// The caller, for handlers that read no body; or the answer to an invalid credential.
impl FromRequestParts<Site> for Caller {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Response> {
        let session = Session::from_request_parts(parts, site).await.map_err(IntoResponse::into_response)?;
        let credential = RequestCredential::in_extensions(&parts.extensions);
        let caller = Self::of(site, credential, &UserSession::new(session)).await;
        caller.map_err(|refused| refusal(&refused.into(), wants_html(&parts.headers)))
    }
}
