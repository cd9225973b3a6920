//! What `/admin` is to those who are not in charge of the site: nothing.

use axum::{
    extract::{Request, State},
    http::Method,
    middleware::Next,
    response::Response,
};
use tower_sessions::Session;

use crate::{
    accounts::domain::running,
    credentials::{Caller, RequestCredential, RequestSource, UserSession},
    error::AppError,
    http::headers::{refusal, wants_html},
    site::Site,
};

/// Where the server functions of this module are.
pub const CALLS: &str = "/api/admin_";

fn is_ours(path: &str) -> bool {
    path == "/admin" || path.starts_with("/admin/") || path.starts_with(CALLS)
}

/// A layer that answers 404 to whoever is not in charge, before a body is read and whatever
/// the method. A page that somebody opens is left to the page itself, which then is the same
/// as any other that does not exist.
pub async fn for_those_in_charge(
    State(site): State<Site>,
    session: Session,
    request: Request,
    next: Next,
) -> Response {
    let is_opened = matches!(*request.method(), Method::GET | Method::HEAD);
    let path = request.uri().path();
    if !is_ours(path) || (is_opened && !path.starts_with(CALLS)) {
        return next.run(request).await;
    }
    let html = wants_html(request.headers());
    let credential = RequestCredential::in_extensions(request.extensions()).clone();
    let allowed = async {
        let caller = Caller::of(&site, &credential, &UserSession::new(session)).await?;
        running::in_charge(&site, &caller, &RequestSource::default()).await
    };
    match allowed.await {
        Ok(_) => next.run(request).await,
        Err(error @ (AppError::NotFound | AppError::BadCredential { .. } | AppError::Busy { .. })) => {
            refusal(&error, html)
        }
        Err(_) => refusal(&AppError::NotFound, html),
    }
}
