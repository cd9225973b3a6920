//! `/account/api/…`: downloads of the generated files.

use axum::{
    extract::{Path, Query, Request, State},
    http::{HeaderValue, StatusCode, header::CONTENT_DISPOSITION},
    response::Response,
};
use clap::ValueEnum as _;
use serde::Deserialize;

use super::{Backend, Codegen, DefaultAuth, File};
use crate::{
    credentials::{Actor, Caller},
    database::internal,
    error::AppError,
    http::{
        calls::see_other,
        headers::{refusal, uncached, wants_html},
    },
    site::Site,
    ui::log_in_first,
};

/// The query of a download.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct FileOptions {
    default_auth: Option<String>,
}

impl FileOptions {
    fn default_auth(&self) -> Result<DefaultAuth, AppError> {
        let Some(name) = &self.default_auth else { return Ok(DefaultAuth::default()) };
        let reason = "default-auth is api-key or user-pools";
        DefaultAuth::from_str(name, false).map_err(|_| AppError::BadRequest { reason: reason.to_owned() })
    }
}

/// Answers with a file, if somebody is signed in.
pub async fn download(
    State(site): State<Site>,
    Path(name): Path<String>,
    Query(options): Query<FileOptions>,
    caller: Caller,
    request: Request,
) -> Response {
    match file(&site, &name, &options, &caller.actor).await {
        Ok(response) => response,
        Err(AppError::NotSignedIn) if wants_html(request.headers()) => {
            see_other(&log_in_first(request.uri().path()))
        }
        Err(error) => refusal(&error, wants_html(request.headers())),
    }
}

async fn file(site: &Site, name: &str, options: &FileOptions, actor: &Actor) -> Result<Response, AppError> {
    actor.user()?;
    let file = File::parse(name).ok_or(AppError::NotFound)?;
    let codegen = Codegen::new(Backend::of(site, options.default_auth()?).await?)?;
    let mut response = uncached(StatusCode::OK, file.content_type(), codegen.contents(file));
    let base = name.rsplit('/').next().unwrap_or(name);
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{base}\"")).map_err(internal)?;
    response.headers_mut().insert(CONTENT_DISPOSITION, disposition);
    Ok(response)
}
