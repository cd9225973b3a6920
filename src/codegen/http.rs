//! `/account/api/…`: the files for a browser.

use axum::{
    extract::{Path, Request, State},
    http::{HeaderValue, StatusCode, header::CONTENT_DISPOSITION},
    response::Response,
};

use super::{Backend, Codegen, File};
use crate::{
    credentials::{Actor, Caller},
    error::AppError,
    server::{
        Site,
        calls::see_other,
        database::internal,
        forms::log_in_first,
        headers::{refusal, uncached},
        pages::wants_html,
    },
};

/// A file for whoever is signed in.
pub async fn download(
    State(site): State<Site>,
    Path(name): Path<String>,
    caller: Caller,
    request: Request,
) -> Response {
    match file(&site, &name, &caller.actor).await {
        Ok(response) => response,
        Err(AppError::NotSignedIn) if wants_html(request.headers()) => {
            see_other(&log_in_first(request.uri().path()))
        }
        Err(error) => refusal(&error, wants_html(request.headers())),
    }
}

async fn file(site: &Site, name: &str, actor: &Actor) -> Result<Response, AppError> {
    actor.user()?;
    let file = File::parse(name).ok_or(AppError::NotFound)?;
    let codegen = Codegen::new(Backend::of(site).await?)?;
    let mut response = uncached(StatusCode::OK, file.content_type(), codegen.contents(file));
    let base = name.rsplit('/').next().unwrap_or(name);
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{base}\"")).map_err(internal)?;
    response.headers_mut().insert(CONTENT_DISPOSITION, disposition);
    Ok(response)
}
