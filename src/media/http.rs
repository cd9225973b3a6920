//! `POST /api/upload_media`, the form of the same at `/account/media`, and the files below
//! `/media/`.

use std::time::Duration;

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{Path, Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode, Uri,
        header::{
            CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, SET_COOKIE,
        },
    },
    response::{IntoResponse, Response},
    routing::{get, post},
};
use futures::stream;
use multer::Multipart;
use serde_json::json;
use tokio::time::timeout;
use tower_sessions::Session;

use super::{
    Alt, Picture, address,
    domain::{
        MAX_BYTES, Refused, served,
        service::{self, Upload},
    },
    forms,
};
use crate::{
    credentials::Caller,
    database::internal,
    error::{AppError, Field, FieldErrors, Parsed},
    http::{
        calls::{read_from_user, see_other},
        etag,
        headers::{only_get, refusal, wants_html, wrong_method},
        limits,
        pages::{self, PageInput},
    },
    site::Site,
    ui::{FormState, Values, log_in_first},
};

/// The file, and room for the parts around it and the description.
pub const MAX_BODY: usize = MAX_BYTES + limits::ACCOUNT_BODY;

/// The longest time until the client is answered: a picture may wait for another, which may
/// be large.
pub const UPLOAD_TIME: Duration = Duration::from_secs(25);

/// Nothing runs in a file that is opened by itself.
const NOTHING_RUNS: &str = "default-src 'none'; sandbox";
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// The paths that need a session: uploads.
pub fn uploads() -> Router<Site> {
    let only_post = |request: Request| async move { wrong_method(request.headers(), "POST") };
    let form = get(pages::page)
        .post(submit)
        .fallback(|request: Request| async move { wrong_method(request.headers(), "GET, HEAD, POST") });
    Router::new().route("/api/upload_media", post(upload).fallback(only_post)).route(forms::PAGE, form)
}

/// The paths that everyone may read.
pub fn files() -> Router<Site> {
    Router::new().route("/media/{name}", get(file).fallback(only_get))
}

/// A file of a picture. It never changes, so whoever has it need not ask again.
async fn file(State(site): State<Site>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some(media_type) = address::media_type(&name) else {
        return refusal(&AppError::NotFound, wants_html(&headers));
    };
    let found = limits::in_time(async {
        // Whoever has the file needs no bytes of it.
        if etag::is_known(&headers, &tag(&name)) {
            return served::exists(&site, &name).await.map(|()| None);
        }
        served::file(&site, &name).await.map(Some)
    });
    match found.await {
        Ok(body) => unchanging(&name, media_type, body),
        Err(error) => refusal(&error, wants_html(&headers)),
    }
}

/// The tag of a file of that name, which has nothing but letters, digits, hyphens and a dot.
#[must_use]
pub fn tag(name: &str) -> HeaderValue {
    header(format!("\"{name}\""))
}

/// A file of pixels that never changes and that pages of other sites may show; without its
/// bytes for whoever has it.
#[must_use]
pub fn unchanging(name: &str, media_type: &'static str, body: Option<Bytes>) -> Response {
    let mut response = match body {
        None => StatusCode::NOT_MODIFIED.into_response(),
        Some(body) => {
            let mut response = Response::new(Body::from(body));
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
            response
        }
    };
    let headers = response.headers_mut();
    headers.insert(ETAG, tag(name));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(FOR_EVER));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(NOTHING_RUNS));
    headers.insert(CONTENT_DISPOSITION, header(format!("inline; filename=\"{name}\"")));
    // Feeds and previews are read on pages of other sites.
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("cross-origin"),
    );
    response
}

fn header(text: String) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}

/// `POST /api/upload_media`.
async fn upload(State(site): State<Site>, session: Session, request: Request) -> Response {
    if wants_html(request.headers()) {
        return submit(State(site), session, request).await;
    }
    match receive(&site, session, request).await {
        Ok(Received { outcome: Ok(picture), .. }) => Json(answer(&picture)).into_response(),
        Ok(Received { outcome: Err(error), .. }) | Err(error) => refusal(&error, false),
    }
}

fn answer(picture: &Picture) -> serde_json::Value {
    json!({
        "id": picture.id,
        "url": picture.url,
        "width": picture.width,
        "height": picture.height,
        "markdown": picture.markdown,
    })
}

/// The form at `/account/media`.
async fn submit(State(site): State<Site>, session: Session, request: Request) -> Response {
    match receive(&site, session, request).await {
        Ok(Received { outcome: Ok(_), .. }) => {
            let mut response = see_other(forms::PAGE);
            response.headers_mut().append(SET_COOKIE, forms::ADDED.cookie(site.public_url.is_https()));
            response
        }
        Err(AppError::NotSignedIn) | Ok(Received { outcome: Err(AppError::NotSignedIn), .. }) => {
            see_other(&log_in_first(forms::PAGE))
        }
        Ok(Received { caller, alt, outcome: Err(error) }) => {
            let values = Values::from_iter([(Field::Alt.name().to_owned(), alt)]);
            let form = Some(FormState { values, error: Some(error) });
            let input = PageInput { form, ..PageInput::of(Uri::from_static(forms::PAGE), caller) };
            pages::render(&site, input).await
        }
        Err(error) => refusal(&error, true),
    }
}

/// A body that has arrived, and what became of it.
struct Received {
    caller: Caller,
    /// As it was typed.
    alt: String,
    outcome: Result<Picture, AppError>,
}

async fn receive(site: &Site, session: Session, request: Request) -> Result<Received, AppError> {
    let (head, body) = request.into_parts();
    let (caller, body) = read_from_user(site, session, &head, body, MAX_BODY).await?;
    let parts = parts(&head.headers, body, Field::File).await;
    let alt = parts.as_ref().map(|parts| parts.alt.clone()).unwrap_or_default();
    let upload = parts.and_then(Parts::parse);
    let (site, actor) = (site.clone(), caller.actor.clone());
    // It ends in order even if the client is gone: sent again, the picture is there.
    let work = tokio::spawn(async move { service::upload(&site, &actor, upload).await });
    let outcome = match timeout(UPLOAD_TIME, work).await {
        Ok(done) => done.map_err(internal)?,
        Err(_) => Err(AppError::Busy { retry_after: 5 }),
    };
    Ok(Received { caller, alt, outcome })
}

/// The fields of a form with a file as they arrived.
#[derive(Debug, Default)]
pub struct Parts {
    file: Option<Bytes>,
    alt: String,
}

impl Parts {
    /// The file, which has something in it.
    ///
    /// # Errors
    /// [`Refused::Nothing`].
    pub fn into_file(self) -> Result<Bytes, Refused> {
        self.file.filter(|file| !file.is_empty()).ok_or(Refused::Nothing)
    }

    fn parse(mut self) -> Parsed<Upload> {
        let mut errors = FieldErrors::default();
        let alt = std::mem::take(&mut self.alt);
        let file = errors.take(Field::File, self.into_file());
        let alt = errors.take(Field::Alt, Alt::parse(&alt));
        match (file, alt) {
            (Some(file), Some(alt)) => Ok(Upload { file, alt }),
            _ => Err(errors.into_error()),
        }
    }
}

/// Reads a form with a file in the control `file` (RFC 7578).
///
/// # Errors
/// [`AppError::BadRequest`].
pub async fn parts(headers: &HeaderMap, body: Bytes, file: Field) -> Result<Parts, AppError> {
    let bad = |reason: &str| AppError::BadRequest { reason: reason.to_owned() };
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let boundary = multer::parse_boundary(content_type).map_err(|_| {
        bad(&format!("send multipart/form-data with the picture in the field \"{}\"", file.name()))
    })?;
    let body = stream::once(async { Ok::<_, std::convert::Infallible>(body) });
    let mut form = Multipart::new(body, boundary);
    let mut parts = Parts::default();
    while let Some(field) = form.next_field().await.map_err(|_| bad("the form is incomplete"))? {
        let name = field.name().unwrap_or_default().to_owned();
        let value = field.bytes().await.map_err(|_| bad("the form is incomplete"))?;
        match name.as_str() {
            name if name == file.name() && parts.file.is_some() => {
                return Err(bad("send one picture at a time"));
            }
            name if name == file.name() => parts.file = Some(value),
            "alt" => {
                parts.alt = String::from_utf8(value.to_vec()).map_err(|_| bad("the text is not UTF-8"))?
            }
            _ => {}
        }
    }
    Ok(parts)
}
