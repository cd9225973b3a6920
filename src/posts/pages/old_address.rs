//! Paths at which posts were read before they came to this site.

use axum::{
    body::Body,
    extract::{Request, State},
    http::{
        HeaderValue, Method, StatusCode,
        header::{CACHE_CONTROL, LOCATION},
    },
    middleware::Next,
    response::Response,
};

use crate::{
    posts::domain::redirects::{self, OldPath},
    site::Site,
};

/// A layer that leads readers on to the post that was at a path elsewhere, if this site has
/// no page there. While the database does not answer, there is none.
pub async fn lead_on(State(site): State<Site>, request: Request, next: Next) -> Response {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let path = is_read.then(|| OldPath::parse(request.uri().path())).flatten();
    let response = next.run(request).await;
    let Some(path) = path.filter(|_| response.status() == StatusCode::NOT_FOUND) else { return response };
    let location = redirects::find(&site, &path).await.ok().flatten();
    let Some(location) = location.and_then(|location| HeaderValue::try_from(location).ok()) else {
        return response;
    };
    let mut moved = Response::new(Body::empty());
    *moved.status_mut() = StatusCode::PERMANENT_REDIRECT;
    moved.headers_mut().insert(LOCATION, location);
    moved.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, no-cache"));
    moved
}
