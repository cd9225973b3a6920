//! The paths of drawn images, below `/previews/`. Everyone gets the same.

use axum::{
    Router,
    body::Body,
    extract::{Path, Request, State},
    http::{HeaderValue, StatusCode, header::LOCATION, request::Parts},
    response::Response,
    routing::get,
};

use super::{FOLDER, card_of_post, card_of_site, path_of_post, path_of_site};
use crate::{
    credentials::RequestCredential,
    drawing::Card,
    error::AppError,
    http::{
        etag,
        headers::{only_get, refusal, uncached, wants_html},
        limits,
    },
    media::http::{tag, unchanging},
    posts::{PostId, domain::service},
    site::Site,
};

pub fn routes() -> Router<Site> {
    Router::new()
        .route(&format!("{FOLDER}/posts/{{id}}/{{file}}"), get(of_post).fallback(only_get))
        .route(&format!("{FOLDER}/site/{{file}}"), get(of_site).fallback(only_get))
}

async fn of_post(
    State(site): State<Site>,
    Path((id, _)): Path<(String, String)>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    let image = async {
        let reader = RequestCredential::in_extensions(&head.extensions).everyone(&site).await?;
        let id = PostId::parse(&id).ok_or(AppError::NotFound)?;
        let post = limits::in_time(service::summary(&site, &reader, &id)).await?;
        let card = card_of_post(&site.settings().identity, &post);
        let path = path_of_post(&id, &card);
        answer(&site, &head, &path, card).await
    };
    image.await.unwrap_or_else(|error| refusal(&error, wants_html(&head.headers)))
}

async fn of_site(State(site): State<Site>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    let image = async {
        RequestCredential::in_extensions(&head.extensions).everyone(&site).await?;
        let card = card_of_site(&site.settings().identity);
        let path = path_of_site(&card);
        answer(&site, &head, &path, card).await
    };
    image.await.unwrap_or_else(|error| refusal(&error, wants_html(&head.headers)))
}

/// The image, if it is asked for by its path; else where it is now.
async fn answer(site: &Site, head: &Parts, path: &str, card: Card) -> Result<Response, AppError> {
    if head.uri.path() != path {
        return Ok(elsewhere(path));
    }
    let name = path.rsplit('/').next().unwrap_or_default();
    let body = match etag::is_known(&head.headers, &tag(name)) {
        true => None,
        false => Some(limits::in_time(site.drawn_images().image(card)).await?),
    };
    Ok(unchanging(name, "image/png", body))
}

/// A title may change and change back, so nobody keeps where its image was found.
fn elsewhere(path: &str) -> Response {
    let mut response = uncached(StatusCode::FOUND, "text/plain; charset=utf-8", Body::empty());
    if let Ok(location) = HeaderValue::from_str(path) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}
