//! The logo and the icon of the site as readers get them, below `/assets/logo/` and
//! `/assets/icon/`, and `/favicon.ico`.

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, Request, State},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION},
    },
    response::{IntoResponse, Response},
    routing::get,
};

use super::{
    domain::served,
    http::{tag, unchanging},
};
use crate::{
    config::SiteSettings,
    error::AppError,
    http::{
        assets, etag,
        headers::{only_get, refusal, wants_html},
        limits,
    },
    site::Site,
    site_settings::{
        self,
        pictures::{self, PictureSetting, SMALL_ICON, file_name},
    },
};

/// How long browsers keep `/favicon.ico`. Pages name the icon by what is in it.
const FAVICON_KEPT: &str = "public, max-age=86400";

pub fn routes() -> Router<Site> {
    PictureSetting::ALL.into_iter().fold(Router::new(), |routes, setting| {
        let handler = move |State(site): State<Site>, Path(file): Path<String>, headers: HeaderMap| async move {
            file_of(&site, setting, &file, &headers).await
        };
        routes.route(setting.path(), get(handler).fallback(only_get))
    })
}

/// A file of a picture. One of an earlier picture leads to the present one, which another
/// process may have got a moment ago.
async fn file_of(site: &Site, setting: PictureSetting, file: &str, headers: &HeaderMap) -> Response {
    let settings = site.settings();
    let is_present = setting.in_force(&settings).is_some_and(|picture| file.starts_with(picture.hash()));
    let found = limits::in_time(async {
        match is_present {
            true => served::site_file(site, file).await,
            // Not from memory: it may have been removed.
            false => pictures::file(site, file).await,
        }
    });
    match found.await {
        // Whoever has the file needs no bytes of it: its name says what is in it.
        Ok(_) if etag::is_known(headers, &tag(file)) => unchanging(file, "image/png", None),
        Ok(body) => unchanging(file, "image/png", Some(body)),
        Err(AppError::NotFound) => match limits::in_time(site_settings::in_force(site)).await {
            Ok(values) => elsewhere(setting, &SiteSettings::of_what_fits(&values), file),
            Err(error) => refusal(&error, wants_html(headers)),
        },
        Err(error) => refusal(&error, wants_html(headers)),
    }
}

fn elsewhere(setting: PictureSetting, settings: &SiteSettings, file: &str) -> Response {
    let present = setting.in_force(settings).map(|picture| setting.present_address(picture, file));
    let is_itself = |address: &String| address.ends_with(&format!("/{file}"));
    match present.filter(|address| !is_itself(address)) {
        Some(address) => {
            (StatusCode::FOUND, [(CACHE_CONTROL, "no-store"), (LOCATION, &address)]).into_response()
        }
        None => (StatusCode::NOT_FOUND, [(CACHE_CONTROL, "no-store")], "not found\n").into_response(),
    }
}

/// `/favicon.ico`, which browsers and crawlers ask for by its name: the icon of the site, or
/// Byline's.
pub async fn favicon(State(site): State<Site>, request: Request) -> Response {
    let settings = site.settings();
    let Some(icon) = &settings.icon else { return assets::root(request).await };
    let name = file_name(icon, (SMALL_ICON, SMALL_ICON));
    match limits::in_time(served::site_file(&site, &name)).await {
        Ok(png) => {
            let headers = [
                (CONTENT_TYPE, HeaderValue::from_static("image/x-icon")),
                (CACHE_CONTROL, HeaderValue::from_static(FAVICON_KEPT)),
            ];
            (headers, Body::from(ico(&png))).into_response()
        }
        // Another process has changed it a moment ago.
        Err(_) => assets::root(request).await,
    }
}

/// A PNG as the one image of an ICO, which is what the path promises.
fn ico(png: &Bytes) -> Vec<u8> {
    const HEAD: u32 = 22;
    let side = u8::try_from(SMALL_ICON).unwrap_or_default();
    let length = u32::try_from(png.len()).unwrap_or_default();
    // One image; its sides, no palette, one plane of 32 bits, its length, and where it begins.
    let mut file = vec![0, 0, 1, 0, 1, 0, side, side, 0, 0, 1, 0, 32, 0];
    file.extend(length.to_le_bytes());
    file.extend(HEAD.to_le_bytes());
    file.extend_from_slice(png);
    file
}
