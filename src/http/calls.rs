//! Calls of server functions: by a script, which gets JSON and a status, and by a
//! form, which gets a redirect or its page again.
//!
//! Leptos 0.8 answers every error with 500
//! (<https://github.com/leptos-rs/leptos/pull/4536>) and sends a form back to its
//! `Referer` with the error in the URL
//! (<https://github.com/leptos-rs/leptos/issues/3298>). Here every call runs as a
//! script's call, and one place turns its outcome into the right answer.

use axum::{
    Extension,
    body::{Body, Bytes, to_bytes},
    extract::{Path, Request, State},
    http::{
        HeaderMap, HeaderValue, Method, StatusCode, Uri,
        header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, LOCATION, SET_COOKIE},
        request::Parts,
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
    forms::{Form, Notice, Then},
    headers::{refusal, uncached, wrong_method},
    limits,
    pages::{self, PageInput},
    source::source,
};
use crate::{
    credentials::{Actor, Caller, FormToKeep, RequestCredential, RequestSource, UserSession},
    database::internal,
    error::AppError,
    http::headers::wants_html,
    site::Site,
    ui::{FormState, Values, confirm_first, log_in_first},
};

const FORM: &str = "application/x-www-form-urlencoded";

/// `/api/{name}`.
pub async fn call(State(site): State<Site>, session: Session, request: Request) -> Response {
    let endpoint = request.uri().path().to_owned();
    let headers = request.headers().clone();
    let html = wants_html(&headers);
    match site.forms().of_endpoint(&endpoint) {
        Some(form) if html && request.method() == Method::POST => {
            submit(site, session, form, Vec::new(), request).await
        }
        _ => match by_script(&site, session, &endpoint, request).await {
            Ok(answer) => uncached(StatusCode::OK, "application/json", answer),
            Err(CallError::MethodNotAllowed { allow }) => wrong_method(&headers, allow),
            Err(CallError::By(error)) => refusal(&error, html),
        },
    }
}

/// `POST` to the page of a form. Values of the path (which post) take precedence
/// over typed ones.
pub async fn submit(
    site: Site,
    session: Session,
    form: &'static Form,
    from_path: Vec<(String, String)>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let credential = RequestCredential::in_extensions(&head.extensions).clone();
    let source = source(&head);
    // A text is accepted without a session too: it is kept for its author.
    let anyone = form.call.is_for_anyone || form.holds_text;
    let check = may_send(&site, &credential, &session, anyone);
    let body = match bodies::read_body_if(check, body, form.call.max_body).await {
        Ok(body) => body,
        Err(AppError::NotSignedIn) => {
            return see_other(&log_in_first(&form.page(&from_path.into_iter().collect())));
        }
        // What was typed is in the browser alone, so the page says how to get it back.
        Err(error @ AppError::TooLarge { .. }) => {
            let caller = match CallContext::of(&site, credential, session, source).await {
                Ok(context) => context.caller,
                Err(_) => Caller::anonymous(),
            };
            let typed = from_path.into_iter().collect();
            return with_text(&site, caller, form, typed, error).await;
        }
        Err(error) => return refusal(&error, true),
    };
    let mut typed: Values = form_urlencoded::parse(&body).into_owned().collect();
    let arguments = match String::from_utf8(body.into()) {
        Ok(body) => with_path(body, &from_path),
        Err(_) => return refusal(&not_utf_8(), true),
    };
    for (name, value) in from_path {
        typed.set(&name, value);
    }
    // What is left of it, in the body, is not zeroed: the HTTP server has other
    // copies of the bytes.
    for secret in Form::SECRETS {
        typed.remove(secret);
    }

    let context = match CallContext::of(&site, credential, session, source).await {
        Ok(context) => context,
        Err(error) => return with_text(&site, Caller::anonymous(), form, typed, error).await,
    };
    let outcome = limits::in_time(run(&site, &context, form.call.endpoint, &Method::POST, arguments)).await;
    let outcome = outcome.and_then(|answer| serde_json::from_slice::<Value>(&answer).map_err(internal));
    let https = site.public_url.is_https();
    match outcome {
        Ok(answer) => {
            let (location, notice) = match form.then {
                Then::ShowOnce => return shown_once(&site, context.caller, form, &typed, answer).await,
                Then::GoTo(location) => (location(&typed, &answer), form.notice),
                Then::GoToWith(location) => location(&typed, &answer),
            };
            if let (Ok(user), Some(id)) = (context.caller.actor.user(), typed.remove(Form::KEPT))
                && let Err(error) = context.session.forget_kept(&site.database, user, id).await
            {
                tracing::warn!(%error, "a text that has been saved stays kept");
            }
            let response = see_other(&location);
            match notice {
                Some(notice) => noticed(response, notice, https),
                None => response,
            }
        }
        Err(AppError::NotSignedIn) => {
            let page = form.page(&typed);
            // The session and its cookie may have ended in another tab; then
            // only the form itself knows who was writing.
            if let Some(author) = typed.get(Form::AUTHOR).filter(|_| form.holds_text) {
                let to_keep =
                    FormToKeep { page: page.clone(), author: author.to_owned(), values: typed.clone() };
                let error = match context.session.keep(&site.database, to_keep).await {
                    Ok(true) => None,
                    Ok(false) => Some(AppError::NotSignedIn),
                    Err(error) => Some(error),
                };
                if let Some(error) = error {
                    return with_text(&site, context.caller, form, typed, error).await;
                }
                return noticed(see_other(&log_in_first(&page)), Notice::LOG_IN_TO_SAVE, https);
            }
            see_other(&log_in_first(&page))
        }
        Err(AppError::ConfirmIdentity) => see_other(&confirm_first(&form.page(&typed))),
        Err(error) => show_form_again(&site, context.caller, form, typed, error).await,
    }
}

/// The next page shows the notice.
fn noticed(mut response: Response, notice: &Notice, https: bool) -> Response {
    response.headers_mut().append(SET_COOKIE, notice.cookie(https));
    response
}

/// Shows a new key in the answer to the form, because it is stored nowhere and so
/// no later page could show it.
async fn shown_once(site: &Site, caller: Caller, form: &Form, typed: &Values, answer: Value) -> Response {
    let input = || {
        let uri = form.page(typed).parse::<Uri>().map_err(internal)?;
        Ok(PageInput { shown_once: Some(answer), ..PageInput::of(uri, caller) })
    };
    match input() {
        Ok(input) => pages::render(site, input).await,
        Err(error) => refusal(&error, true),
    }
}

/// The page of the form with the typed text and the mistakes. If the sender cannot
/// correct anything, the page of the error.
async fn show_form_again(
    site: &Site,
    caller: Caller,
    form: &Form,
    typed: Values,
    error: AppError,
) -> Response {
    let Ok(uri) = form.page(&typed).parse::<Uri>() else {
        return refusal(&error, true);
    };
    if !form.is_shown_again(&error) {
        return with_text(site, caller, form, typed, error).await;
    }
    let form = Some(FormState { values: typed, error: Some(error) });
    pages::render(site, PageInput { form, ..PageInput::of(uri, caller) }).await
}

/// The page of an error, and on it the text that was written, to be copied.
async fn with_text(site: &Site, caller: Caller, form: &Form, typed: Values, error: AppError) -> Response {
    let Ok(uri) = form.page(&typed).parse::<Uri>() else {
        return refusal(&error, true);
    };
    let values = if form.holds_text { typed } else { Values::default() };
    let form = Some(FormState { values, error: None });
    pages::render(site, PageInput { form, error: Some(error), ..PageInput::of(uri, caller) }).await
}

/// `POST /my-posts/kept/{id}/discard`: the author discards a kept text.
pub async fn discard_kept(
    State(site): State<Site>,
    Path(id): Path<String>,
    session: Session,
    Extension(credential): Extension<RequestCredential>,
) -> Response {
    let context = match CallContext::of(&site, credential, session, RequestSource::default()).await {
        Ok(context) => context,
        Err(error) => return refusal(&error, true),
    };
    let Ok(user) = context.caller.actor.user() else { return see_other(&log_in_first("/my-posts")) };
    match context.session.forget_kept(&site.database, user, id).await {
        Ok(()) => see_other("/my-posts"),
        Err(error) => refusal(&error, true),
    }
}

/// Redirects a browser, which then uses `GET`.
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
    let source = source(&head);
    let (method, arguments) = match head.method {
        Method::GET | Method::HEAD if reads => (Method::GET, head.uri.query().unwrap_or_default().to_owned()),
        Method::POST if writes => {
            let (max_body, anyone) = site.forms().limits_of(endpoint);
            let check = may_send(site, &credential, &session, anyone);
            let body = bodies::read_body_if(check, body, max_body).await?;
            (Method::POST, arguments(&head.headers, &body)?)
        }
        _ if reads => return Err(CallError::MethodNotAllowed { allow: "GET, HEAD" }),
        _ if writes => return Err(CallError::MethodNotAllowed { allow: "POST" }),
        _ => return Err(AppError::NotFound.into()),
    };
    let context = CallContext::of(site, credential, session, source).await?;
    Ok(limits::in_time(run(site, &context, endpoint, &method, arguments)).await?)
}

fn not_utf_8() -> AppError {
    AppError::BadRequest { reason: "the body is not UTF-8".to_owned() }
}

/// The body of a form with the parameters of its path, which replace fields of
/// the same names. The fields stay as they arrived; the server function decodes
/// them.
fn with_path(body: String, from_path: &[(String, String)]) -> String {
    if from_path.is_empty() {
        return body;
    }
    let is_from_path = |pair: &&str| {
        let typed = form_urlencoded::parse(pair.as_bytes()).next();
        typed.is_some_and(|(typed, _)| from_path.iter().any(|(name, _)| *name == typed))
    };
    let mut arguments = form_urlencoded::Serializer::new(String::new()).extend_pairs(from_path).finish();
    for pair in body.split('&').filter(|pair| !is_from_path(pair)) {
        arguments.push('&');
        arguments.push_str(pair);
    }
    arguments
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
        FORM => String::from_utf8(body.to_vec()).map_err(|_| not_utf_8()),
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
                    Value::Array(values) => {
                        for value in values {
                            let Value::String(text) = value else {
                                return Err(bad("a list has texts"));
                            };
                            form.append_pair(&format!("{name}[]"), text);
                        }
                    }
                    Value::Object(_) => return Err(bad("arguments are texts, numbers and lists of texts")),
                }
            }
            Ok(form.finish())
        }
        _ => Err(bad("send application/x-www-form-urlencoded or application/json")),
    }
}

/// Checks the sender before the body is read.
///
/// # Errors
///
/// [`AppError::NotSignedIn`] unless `anyone` may send one;
/// [`AppError::BadCredential`] for an invalid credential.
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

/// A body by somebody who is signed in, for what is no server function, and who that is once
/// the body has arrived (security row S5). The sender is checked before, too.
///
/// # Errors
/// [`AppError::NotSignedIn`], [`AppError::BadCredential`]; [`AppError::TooLarge`] and the
/// like for the body.
pub async fn read_from_user(
    site: &Site,
    session: Session,
    head: &Parts,
    body: Body,
    max_body: usize,
) -> Result<(Caller, Bytes), AppError> {
    let credential = RequestCredential::in_extensions(&head.extensions).clone();
    let check = may_send(site, &credential, &session, false);
    let body = bodies::read_body_if(check, body, max_body).await?;
    let context = CallContext::of(site, credential, session, source(head)).await?;
    Ok((context.caller, body))
}

/// The Leptos context of a server function: the caller and the credential.
struct CallContext {
    caller: Caller,
    session: UserSession,
    credential: RequestCredential,
    source: RequestSource,
}

impl CallContext {
    /// Must be called after the body is read, so that a session that ended
    /// meanwhile does not count (security row S5).
    async fn of(
        site: &Site,
        credential: RequestCredential,
        session: Session,
        source: RequestSource,
    ) -> Result<Self, AppError> {
        let session = UserSession::new(session);
        let caller = limits::in_time(async { Ok(Caller::of(site, &credential, &session).await?) }).await?;
        Ok(Self { caller, session, credential, source })
    }
}

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
    let CallContext { caller, session, credential, source } = context;
    let (site, caller, session, credential, source) =
        (site.clone(), caller.clone(), session.clone(), credential.clone(), source.clone());
    let provide = move || {
        provide_context(site.clone());
        provide_context(caller.clone());
        provide_context(source.clone());
        provide_context(session.clone());
        provide_context(credential.clone());
    };
    let response = leptos_axum::handle_server_fns_with_context(provide, request).await;
    let (head, body) = axum::response::IntoResponse::into_response(response).into_parts();
    let body = to_bytes(body, usize::MAX).await.map_err(internal)?;
    if head.status.is_success() { Ok(body) } else { Err(AppError::de(body)) }
}
