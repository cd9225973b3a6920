//! Calls of server functions: by a script, which gets JSON and a status, and
//! by a form, which gets a redirect or its page back.
//!
//! Leptos 0.8 answers every error with 500 and sends a form back to its
//! `Referer` with the error in the address. Here a call always runs as a
//! script's, and one place turns its outcome into the right answer.

use axum::{
    Extension,
    body::{Body, Bytes, to_bytes},
    extract::{Path, Request, State},
    http::{
        HeaderMap, HeaderValue, Method, StatusCode, Uri,
        header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, LOCATION, SET_COOKIE},
    },
    response::Response,
};
use leptos::{
    prelude::provide_context,
    server_fn::{axum::get_server_fn_service, error::FromServerFnError},
};
use serde_json::Value;
use tower_sessions::Session;
use url::form_urlencoded;

use super::{
    bodies,
    forms::{Form, FormState, Values, log_in_first},
    headers::{refusal, uncached, wrong_method},
    limits,
    pages::{self, PageInput},
};
use crate::{
    credentials::{Actor, Caller, FormToKeep, RequestCredential, UserSession},
    database::internal,
    error::AppError,
    http::headers::wants_html,
    site::Site,
};

const FORM: &str = "application/x-www-form-urlencoded";

/// `/api/{name}`.
pub async fn call(State(site): State<Site>, session: Session, request: Request) -> Response {
    let endpoint = request.uri().path().to_owned();
    let headers = request.headers().clone();
    let html = wants_html(&headers);
    match Form::of_endpoint(&endpoint) {
        Some(form) if html && request.method() == Method::POST => {
            submit(site, session, form, Values::new(), request).await
        }
        _ => match by_script(&site, session, &endpoint, request).await {
            Ok(answer) => uncached(StatusCode::OK, "application/json", answer),
            Err(CallError::MethodNotAllowed { allow }) => wrong_method(&headers, allow),
            Err(CallError::By(error)) => refusal(&error, html),
        },
    }
}

/// `POST` to the page of a form. What the path says (which post) counts more
/// than what was typed.
pub async fn submit(
    site: Site,
    session: Session,
    form: Form,
    from_path: Values,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let credential = RequestCredential::in_extensions(&head.extensions).clone();
    // A text is taken from whoever has no session, too: it is kept for its author.
    let anyone = form.is_for_anyone() || form.holds_text();
    let check = may_send(&site, &credential, &session, anyone);
    let mut typed = match bodies::read_body_if(check, body, max_body(form.endpoint())).await {
        Ok(body) => form_urlencoded::parse(&body).into_owned().collect::<Values>(),
        Err(AppError::NotSignedIn) => return see_other(&log_in_first(&form.page(&from_path))),
        Err(error) => return refusal(&error, true),
    };
    typed.extend(from_path);
    let arguments = form_urlencoded::Serializer::new(String::new()).extend_pairs(&typed).finish();
    typed.remove("password");

    let context = match CallContext::of(&site, credential, session).await {
        Ok(context) => context,
        Err(error) => return with_text(&site, Actor::Anonymous, form, typed, error).await,
    };
    let outcome = limits::in_time(run(&site, &context, form.endpoint(), &Method::POST, arguments)).await;
    let outcome = outcome.and_then(|answer| serde_json::from_slice::<Value>(&answer).map_err(internal));
    let https = site.public_url.is_https();
    match outcome {
        Ok(answer) if form == Form::CreateApiKey => {
            shown_once(&site, context.actor, form, &typed, answer).await
        }
        Ok(answer) => {
            let done = form.done(&typed, &answer);
            if let (Ok(user), Some(id)) = (context.actor.user(), typed.remove(Form::KEPT))
                && let Err(error) = context.session.forget_kept(&site.database, user, id).await
            {
                tracing::warn!(%error, "a text that has been saved stays kept");
            }
            let mut response = see_other(&done.location);
            if let Some(notice) = done.notice {
                response.headers_mut().append(SET_COOKIE, notice.cookie(https));
            }
            response
        }
        Err(AppError::NotSignedIn) => {
            let page = form.page(&typed);
            // The session may have ended in another tab, cookie and all; that
            // somebody was writing, only the form itself still knows.
            if let Some(author) = typed.get(Form::AUTHOR).filter(|_| form.holds_text()).cloned() {
                let to_keep = FormToKeep { page: page.clone(), author, values: typed.clone() };
                let error = match context.session.keep(&site.database, to_keep).await {
                    Ok(true) => None,
                    Ok(false) => Some(AppError::NotSignedIn),
                    Err(error) => Some(error),
                };
                if let Some(error) = error {
                    return with_text(&site, context.actor, form, typed, error).await;
                }
            }
            see_other(&log_in_first(&page))
        }
        Err(error) => again(&site, context.actor, form, typed, error).await,
    }
}

/// A new key has nowhere to wait for the next page: it is shown in the answer
/// to the form.
async fn shown_once(site: &Site, actor: Actor, form: Form, typed: &Values, answer: Value) -> Response {
    let input = || {
        let uri = form.page(typed).parse::<Uri>().map_err(internal)?;
        let made = serde_json::from_value(answer).map_err(internal)?;
        Ok(PageInput { made: Some(made), ..PageInput::of(uri, actor) })
    };
    match input() {
        Ok(input) => pages::render(site, input).await,
        Err(error) => refusal(&error, true),
    }
}

/// The page of the form with what was typed and what is wrong, or, where
/// typing helps nothing, the page of the error.
async fn again(site: &Site, actor: Actor, form: Form, typed: Values, error: AppError) -> Response {
    let Ok(uri) = form.page(&typed).parse::<Uri>() else {
        return refusal(&error, true);
    };
    if !form.comes_back(&error) {
        return with_text(site, actor, form, typed, error).await;
    }
    let form = Some(FormState { values: typed, error: Some(error) });
    pages::render(site, PageInput { form, ..PageInput::of(uri, actor) }).await
}

/// The page of an error, and on it the text that was written, to be copied.
async fn with_text(site: &Site, actor: Actor, form: Form, typed: Values, error: AppError) -> Response {
    let Ok(uri) = form.page(&typed).parse::<Uri>() else {
        return refusal(&error, true);
    };
    let values = if form.holds_text() { typed } else { Values::new() };
    let form = Some(FormState { values, error: None });
    pages::render(site, PageInput { form, error: Some(error), ..PageInput::of(uri, actor) }).await
}

/// `POST /my-posts/kept/{id}/discard`: its author gives a kept text up.
pub async fn discard_kept(
    State(site): State<Site>,
    Path(id): Path<String>,
    session: Session,
    Extension(credential): Extension<RequestCredential>,
) -> Response {
    let context = match CallContext::of(&site, credential, session).await {
        Ok(context) => context,
        Err(error) => return refusal(&error, true),
    };
    let Ok(user) = context.actor.user() else { return see_other(&log_in_first("/my-posts")) };
    match context.session.forget_kept(&site.database, user, id).await {
        Ok(()) => see_other("/my-posts"),
        Err(error) => refusal(&error, true),
    }
}

/// Sends a browser on, to be followed by `GET` whatever came.
pub fn see_other(location: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let location = HeaderValue::from_str(location).unwrap_or(HeaderValue::from_static("/"));
    response.headers_mut().insert(LOCATION, location);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

enum CallError {
    MethodNotAllowed { allow: &'static str },
    By(AppError),
}

impl From<AppError> for CallError {
    fn from(error: AppError) -> Self {
        Self::By(error)
    }
}

async fn by_script(
    site: &Site,
    session: Session,
    endpoint: &str,
    request: Request,
) -> Result<Bytes, CallError> {
    let reads = get_server_fn_service(endpoint, Method::GET).is_some();
    let writes = get_server_fn_service(endpoint, Method::POST).is_some();
    let (head, body) = request.into_parts();
    let credential = RequestCredential::in_extensions(&head.extensions).clone();
    let (method, arguments) = match head.method {
        Method::GET | Method::HEAD if reads => (Method::GET, head.uri.query().unwrap_or_default().to_owned()),
        Method::POST if writes => {
            let anyone = Form::of_endpoint(endpoint).is_some_and(Form::is_for_anyone);
            let check = may_send(site, &credential, &session, anyone);
            let body = bodies::read_body_if(check, body, max_body(endpoint)).await?;
            (Method::POST, arguments(&head.headers, &body)?)
        }
        _ if reads => return Err(CallError::MethodNotAllowed { allow: "GET, HEAD" }),
        _ if writes => return Err(CallError::MethodNotAllowed { allow: "POST" }),
        _ => return Err(AppError::NotFound.into()),
    };
    let context = CallContext::of(site, credential, session).await?;
    Ok(limits::in_time(run(site, &context, endpoint, &method, arguments)).await?)
}

/// The arguments as a form, which is what server functions read. Programs may
/// send a flat JSON object instead.
///
/// # Errors
/// [`AppError::BadRequest`] for anything else.
pub fn arguments(headers: &HeaderMap, body: &[u8]) -> Result<String, AppError> {
    let bad = |reason: &str| AppError::BadRequest { reason: reason.to_owned() };
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or(FORM);
    match content_type.split(';').next().unwrap_or_default().trim() {
        FORM => String::from_utf8(body.to_vec()).map_err(|_| bad("the body is not UTF-8")),
        "application/json" => {
            let Ok(Value::Object(object)) = serde_json::from_slice(body) else {
                return Err(bad("the body is not a JSON object"));
            };
            let mut form = form_urlencoded::Serializer::new(String::new());
            for (name, value) in &object {
                match value {
                    Value::Null => {}
                    Value::String(text) => drop(form.append_pair(name, text)),
                    Value::Bool(_) | Value::Number(_) => drop(form.append_pair(name, &value.to_string())),
                    Value::Array(_) | Value::Object(_) => return Err(bad("arguments are texts and numbers")),
                }
            }
            Ok(form.finish())
        }
        _ => Err(bad("send application/x-www-form-urlencoded or application/json")),
    }
}

fn max_body(endpoint: &str) -> usize {
    if endpoint.ends_with("_post") { limits::POST_BODY } else { limits::ACCOUNT_BODY }
}

/// Whether it is worth while to wait for a body: nobody sends a post only to
/// learn that they are not signed in.
///
/// # Errors
/// [`AppError::NotSignedIn`] where `anyone` may not send one; a credential that
/// does not hold; those of the database.
async fn may_send(
    site: &Site,
    credential: &RequestCredential,
    session: &Session,
    anyone: bool,
) -> Result<(), AppError> {
    if anyone && credential.header().is_none() {
        return Ok(());
    }
    let session = UserSession::new(session.clone()).apart(site);
    let caller = limits::in_time(async { Ok(Caller::of(site, credential, &session).await?) }).await?;
    match caller.actor {
        Actor::Anonymous => Err(AppError::NotSignedIn),
        _ => Ok(()),
    }
}

/// What a server function finds in its Leptos context: who calls, and what
/// they brought to prove it.
struct CallContext {
    actor: Actor,
    session: UserSession,
    credential: RequestCredential,
}

impl CallContext {
    /// Asked with the body already read: a session that ended while it arrived
    /// has ended (security row S5).
    async fn of(site: &Site, credential: RequestCredential, session: Session) -> Result<Self, AppError> {
        let session = UserSession::new(session);
        let caller = limits::in_time(async { Ok(Caller::of(site, &credential, &session).await?) }).await?;
        Ok(Self { actor: caller.actor, session, credential })
    }
}

/// Runs a server function.
async fn run(
    site: &Site,
    context: &CallContext,
    endpoint: &str,
    method: &Method,
    arguments: String,
) -> Result<Bytes, AppError> {
    let (uri, body) = if method == Method::GET {
        (format!("{endpoint}?{arguments}"), Body::empty())
    } else {
        (endpoint.to_owned(), Body::from(arguments))
    };
    let request = Request::builder()
        .method(method)
        .uri(uri)
        .header(ACCEPT, "application/json")
        .header(CONTENT_TYPE, FORM)
        .body(body)
        .map_err(|_| AppError::BadRequest { reason: "the query is not a form".into() })?;
    let CallContext { actor, session, credential } = context;
    let (site, actor, session, credential) =
        (site.clone(), actor.clone(), session.clone(), credential.clone());
    let provide = move || {
        provide_context(site.clone());
        provide_context(actor.clone());
        provide_context(session.clone());
        provide_context(credential.clone());
    };
    let response = leptos_axum::handle_server_fns_with_context(provide, request).await;
    let (head, body) = axum::response::IntoResponse::into_response(response).into_parts();
    let body = to_bytes(body, usize::MAX).await.map_err(internal)?;
    if head.status.is_success() { Ok(body) } else { Err(AppError::de(body)) }
}
