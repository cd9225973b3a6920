//! The forms of `/admin/settings` by which whoever is in charge gives the site a logo and an
//! icon. Each has a file, so it is no server function.

use axum::{
    Router,
    extract::{Request, State},
    http::{Uri, header::SET_COOKIE},
    response::Response,
    routing::get,
};
use tokio::time::timeout;
use tower_sessions::Session;

use super::forms;
use crate::{
    accounts::domain::running,
    credentials::Caller,
    database::internal,
    error::AppError,
    http::{
        calls::{read_from_user, see_other},
        headers::{refusal, wrong_method},
        pages::{self, PageInput},
        source::source,
    },
    media::{
        domain::site_pictures,
        http::{MAX_BODY, UPLOAD_TIME, parts},
    },
    site::Site,
    site_settings::pictures::PictureSetting,
    ui::FormState,
};

/// Where the form of a picture is sent.
#[must_use]
pub const fn page(setting: PictureSetting) -> &'static str {
    match setting {
        PictureSetting::Logo => "/admin/settings/logo",
        PictureSetting::Icon => "/admin/settings/icon",
    }
}

pub fn routes() -> Router<Site> {
    PictureSetting::ALL.into_iter().fold(Router::new(), |routes, setting| {
        let submit = move |State(site): State<Site>, session: Session, request: Request| async move {
            submit(&site, session, setting, request).await
        };
        let wrong = |request: Request| async move { wrong_method(request.headers(), "GET, HEAD, POST") };
        routes.route(page(setting), get(pages::page).post(submit).fallback(wrong))
    })
}

async fn submit(site: &Site, session: Session, setting: PictureSetting, request: Request) -> Response {
    match receive(site, session, setting, request).await {
        Ok((_, Ok(()))) => {
            let mut response = see_other(forms::SETTINGS);
            let notice = forms::PICTURE_SAVED.cookie(site.public_url.is_https());
            response.headers_mut().append(SET_COOKIE, notice);
            response
        }
        Ok((caller, Err(error @ (AppError::Invalid { .. } | AppError::Busy { .. })))) => {
            let form = Some(FormState { error: Some(error), ..FormState::default() });
            let input = PageInput { form, ..PageInput::of(Uri::from_static(page(setting)), caller) };
            pages::render(site, input).await
        }
        Ok((_, Err(error))) | Err(error) => refusal(&error, true),
    }
}

/// What has become of the file, and who has sent it.
async fn receive(
    site: &Site,
    session: Session,
    setting: PictureSetting,
    request: Request,
) -> Result<(Caller, Result<(), AppError>), AppError> {
    let (head, body) = request.into_parts();
    let (caller, body) = read_from_user(site, session, &head, body, MAX_BODY).await?;
    let by = running::in_charge(site, &caller, &source(&head)).await?;
    let parts = parts(&head.headers, body, setting.field()).await?;
    let file = match parts.into_file() {
        Ok(file) => file,
        Err(nothing) => return Ok((caller, Err(AppError::invalid(setting.field(), nothing)))),
    };
    let site = site.clone();
    // It ends in order even if the client is gone.
    let work = tokio::spawn(async move {
        let set = site_pictures::set(&site, setting, file, &by).await;
        set.map_err(|error| error.in_form(setting))
    });
    let outcome = match timeout(UPLOAD_TIME, work).await {
        Ok(done) => done.map_err(internal)?,
        Err(_) => Err(AppError::Busy { retry_after: 5 }),
    };
    Ok((caller, outcome))
}
