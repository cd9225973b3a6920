//! Only so many requests are worked on at once (security row L6).

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};

use crate::{
    error::AppError,
    http::{
        bodies::ActiveRequest,
        headers::{refusal, wants_html},
    },
    site::Site,
};

/// The layer that lets requests in: each gets a place among those under way,
/// and a body that is counted.
pub async fn admit(State(site): State<Site>, request: Request, next: Next) -> Response {
    let Some(place) = site.request_slot() else {
        return refusal(&AppError::Busy { retry_after: 2 }, wants_html(request.headers()));
    };
    let active = ActiveRequest::new(&site, place);
    let response = next.run(active.count_body(request)).await;
    active.end();
    response
}
