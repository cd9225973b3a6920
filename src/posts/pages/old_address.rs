//! Paths at which pages were before: of posts on another site, and of people under another
//! username.

use axum::{
    body::Body,
    extract::{Request, State},
    http::{
        HeaderValue, Method, StatusCode, Uri,
        header::{CACHE_CONTROL, LOCATION},
    },
    middleware::Next,
    response::Response,
};

use crate::{
    accounts::domain::store,
    credentials::Actor,
    posts::domain::redirects::{self, OldPath},
    site::Site,
    username::Username,
};

/// A layer that leads readers on to what was at a path, if this site has no page there. While
/// the database does not answer, there is none.
pub async fn lead_on(State(site): State<Site>, request: Request, next: Next) -> Response {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let address = request.uri().clone();
    let response = next.run(request).await;
    if !is_read || response.status() != StatusCode::NOT_FOUND {
        return response;
    }
    let location = where_it_is(&site, &address).await;
    let Some(location) = location.and_then(|location| HeaderValue::try_from(location).ok()) else {
        return response;
    };
    let mut moved = Response::new(Body::empty());
    *moved.status_mut() = StatusCode::PERMANENT_REDIRECT;
    moved.headers_mut().insert(LOCATION, location);
    moved.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, no-cache"));
    moved
}

async fn where_it_is(site: &Site, address: &Uri) -> Option<String> {
    let location = redirects::find(site, &OldPath::parse(address.path())?).await.ok().flatten();
    match location {
        None => UnderName::parse(address)?.now(site).await,
        location => location,
    }
}

/// An address below that of a person: `/@ada`, `/@ada/title`, `/@ada/feed.atom`.
struct UnderName {
    username: Username,
    /// What follows the name, with the query, as it was sent.
    rest: String,
}

impl UnderName {
    fn parse(address: &Uri) -> Option<Self> {
        let after = address.path_and_query()?.as_str().strip_prefix("/@")?;
        let (name, rest) = after.split_at(after.find(['/', '?']).unwrap_or(after.len()));
        Some(Self { username: Username::parse_known(name).ok()?, rest: rest.to_owned() })
    }

    /// The same address of whoever had that name before.
    async fn now(&self, site: &Site) -> Option<String> {
        let db = &mut site.reader_for(&Actor::Anonymous).await.ok()?;
        let now = store::renamed_to(db, &self.username).await.ok()??;
        Some(format!("/@{now}{}", self.rest))
    }
}
