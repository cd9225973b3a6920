//! `/account/api/…`: downloads of the generated files.

use axum::{
    extract::{Path, Query, Request, State},
    http::{HeaderValue, StatusCode, header::CONTENT_DISPOSITION},
    response::Response,
};
use clap::ValueEnum as _;
use serde::Deserialize;

use super::{DefaultAuth, File, contents};
use crate::{
    credentials::Caller,
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
    let file = File::parse(&name);
    match contents(&site, &caller.actor, file, options.default_auth()).await.and_then(attachment) {
        Ok(response) => response,
        Err(AppError::NotSignedIn) if wants_html(request.headers()) => {
            see_other(&log_in_first(request.uri().path()))
        }
        Err(error) => refusal(&error, wants_html(request.headers())),
    }
}

fn attachment((file, contents): (File, String)) -> Result<Response, AppError> {
    let mut response = uncached(StatusCode::OK, file.content_type(), contents);
    let base = file.name().rsplit('/').next().unwrap_or_default();
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{base}\"")).map_err(internal)?;
    response.headers_mut().insert(CONTENT_DISPOSITION, disposition);
    Ok(response)
}
