//! Answers a request for a page with a complete document.

use std::{
    any::Any,
    future::poll_fn,
    net::IpAddr,
    sync::{Arc, OnceLock},
};

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{
        HeaderValue, Method, StatusCode, Uri,
        header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, LOCATION, RETRY_AFTER, SET_COOKIE},
        request::Parts,
    },
    response::Response,
};
use futures::future::BoxFuture;
use leptos::prelude::{AnyView, Owner, provide_context};
use serde_json::Value;
use tower_sessions::Session;

use super::{
    cookies::{self, cookie},
    forms::{Form, Notice},
    headers::{refusal, retry_after, wrong_method},
    layers::client_address::ClientAddress,
    limits,
};
use crate::{
    credentials::{Caller, KeptForm, RequestCredential, User, UserSession},
    database::internal,
    error::AppError,
    site::Site,
    ui::FormState,
};

/// The component that makes a whole document. It belongs to a module above this
/// one.
#[derive(Clone, Copy, Debug)]
pub struct Document(pub fn() -> AnyView);

/// The data of the page, if it has been read already. The page knows the type.
#[derive(Clone, Debug)]
pub struct Preloaded(pub Option<Arc<dyn Any + Send + Sync>>);

/// Makes a page that is the same for every reader without rendering the whole
/// document, if possible. The features implement it; see [`crate::start`].
#[derive(Clone, Copy, Debug)]
pub struct Shortcut(pub for<'a> fn(&'a Site, &'a Uri) -> BoxFuture<'a, ShortcutResult>);

/// The result of a [`Shortcut`].
#[derive(Debug)]
pub enum ShortcutResult {
    /// The page.
    Page(String),
    /// It is at this path, for ever.
    Moved(String),
    /// It has to be rendered, with this data.
    Render(Preloaded),
}

/// The answer of a server function that only this page shows.
#[derive(Clone, Debug)]
pub struct ShownOnce(pub Option<Value>);

/// The address of whoever asked for this page, for limits; absent for a page that is made
/// for everyone.
#[derive(Clone, Copy, Debug)]
pub struct ReaderAddress(pub Option<IpAddr>);

/// The input of a page, besides the database.
#[derive(Clone, Debug)]
pub struct PageInput {
    /// Path and query.
    pub uri: Uri,
    pub caller: Caller,
    /// A form that comes back with what was typed.
    pub form: Option<FormState>,
    /// Other kept forms of the person who is signed in.
    pub waiting: Vec<KeptForm>,
    pub notice: Option<&'static Notice>,
    /// See [`ShownOnce`].
    pub shown_once: Option<Value>,
    /// Shown instead of the page.
    pub error: Option<AppError>,
    /// See [`Preloaded`].
    pub preloaded: Preloaded,
    /// See [`ReaderAddress`].
    pub address: ReaderAddress,
}

impl PageInput {
    /// A page without a form or a notice.
    #[must_use]
    pub const fn of(uri: Uri, caller: Caller) -> Self {
        Self {
            uri,
            caller,
            form: None,
            waiting: Vec::new(),
            notice: None,
            shown_once: None,
            error: None,
            preloaded: Preloaded(None),
            address: ReaderAddress(None),
        }
    }
}

/// Serves every path that no other route has.
pub async fn page(State(site): State<Site>, session: Session, request: Request) -> Response {
    let (head, _) = request.into_parts();
    if !matches!(head.method, Method::GET | Method::HEAD) {
        return wrong_method(&head.headers, "GET, HEAD");
    }
    let session = UserSession::new(session);
    let input = match input(&site, &session, &head).await {
        Ok(input) => input,
        Err(error) => return refusal(&error, true),
    };
    let restored = input.form.as_ref().and_then(|form| form.value(Form::KEPT));
    let mut response = render(&site, input).await;
    // Only if somebody really sees it.
    let shown = head.method == Method::GET && !head.headers.contains_key("sec-purpose");
    if let Some(id) = restored
        && shown
        && response.status() == StatusCode::OK
        && let Err(error) = session.kept_was_shown(&site.database, id).await
    {
        tracing::warn!(%error, "a kept text is shown once more");
    }
    // A redirect does not say it; the page behind it will.
    if cookie(&head.headers, cookies::NOTICE).is_some() && !response.status().is_redirection() {
        response.headers_mut().append(SET_COOKIE, Notice::removal(site.public_url.is_https()));
    }
    response
}

/// The input of a page for the person of this session.
async fn input(site: &Site, session: &UserSession, head: &Parts) -> Result<PageInput, AppError> {
    let caller = Caller::of(site, RequestCredential::in_extensions(&head.extensions), session).await?;
    let mut input = PageInput::of(head.uri.clone(), caller);
    input.address = ReaderAddress(head.extensions.get().map(|ClientAddress(address)| *address));
    input.notice = cookie(&head.headers, cookies::NOTICE).and_then(|name| site.forms().notice(name));
    if let Ok(user) = input.caller.actor.user().cloned() {
        restore_kept_form(site, session, &user, &mut input).await?;
    }
    Ok(input)
}

/// Puts a kept form back into its page: the one that the query names, or the first
/// one that was not shown yet. The others are listed, also one that was shown,
/// because that page may never have arrived.
async fn restore_kept_form(
    site: &Site,
    session: &UserSession,
    user: &User,
    input: &mut PageInput,
) -> Result<(), AppError> {
    input.waiting = session.kept(&site.database, user).await?;
    let asked = url::form_urlencoded::parse(input.uri.query().unwrap_or_default().as_bytes())
        .find_map(|(name, value)| (name == Form::KEPT).then(|| value.into_owned()));
    let here = |form: &KeptForm| {
        form.page == input.uri.path() && asked.as_ref().map_or(!form.shown, |asked| form.id == *asked)
    };
    let Some(at) = input.waiting.iter().position(here) else { return Ok(()) };
    let id = input.waiting.remove(at).id;
    if let Some(mut values) = session.kept_values(&site.database, user, &id).await? {
        values.set(Form::KEPT, id);
        input.form = Some(FormState { values, error: None });
        input.notice = Some(Notice::TEXT_KEPT);
    }
    Ok(())
}

/// Renders a page for one person, which may not be cached (security row S6).
pub async fn render(site: &Site, input: PageInput) -> Response {
    let document = limits::in_time(async { document(site, input).await });
    let mut response = document.await.unwrap_or_else(|error| refusal(&error, true));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn document(site: &Site, input: PageInput) -> Result<Response, AppError> {
    let request = Request::builder()
        .uri(&input.uri)
        .header(ACCEPT, "text/html")
        .body(Body::empty())
        .map_err(internal)?;
    let error = input.form.as_ref().and_then(|form| form.error.clone());
    let Document(app) = *site.part();
    let site = site.clone();
    // leptos_axum 0.8 awaits the rendering outside its own root owner. After
    // its first await, a view (every tag of leptos_meta, for example) would
    // then use the context of the request that the thread served last. So the
    // root is stored here and is set for every poll.
    let root = Arc::new(OnceLock::new());
    let provide = {
        let root = Arc::clone(&root);
        move || {
            if let Some(owner) = Owner::current() {
                let _ = root.set(owner);
            }
            provide_context(site.clone());
            provide_context(input.uri.clone());
            provide_context(input.caller.clone());
            provide_context(input.form.clone().unwrap_or_default());
            provide_context(input.waiting.clone());
            provide_context(input.notice);
            provide_context(ShownOnce(input.shown_once.clone()));
            provide_context(input.error.clone());
            provide_context(input.preloaded.clone());
            provide_context(input.address);
        }
    };
    let mut rendering = leptos_axum::render_app_async_with_context(provide, app)(request);
    let response = poll_fn(|context| match root.get() {
        Some(owner) => owner.with(|| rendering.as_mut().poll(context)),
        None => rendering.as_mut().poll(context),
    });
    let (mut head, body) = response.await.into_parts();
    let body = to_bytes(body, usize::MAX).await.map_err(internal)?;
    if head.headers.contains_key(LOCATION) {
        // Leptos redirects with 302, where browsers differ in what they do with a form.
        if head.status != StatusCode::PERMANENT_REDIRECT {
            head.status = StatusCode::SEE_OTHER;
        }
        return Ok(Response::from_parts(head, Body::empty()));
    }
    if let Some(error) = error
        && head.status == StatusCode::OK
    {
        head.status = StatusCode::from_u16(error.status()).unwrap_or(head.status);
        if let Some(seconds) = retry_after(&error) {
            head.headers.insert(RETRY_AFTER, seconds);
        }
    }
    head.headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    Ok(Response::from_parts(head, Body::from(without_markers(&without_inline_scripts(body)))))
}

/// The document without the comments by which Leptos finds its places again. They are no HTML
/// (`<!>`), and only islands need theirs, which become empty comments of HTML. `<` stands in a text as `&lt;`, so what looks like a
/// comment outside of a tag is one.
fn without_markers(document: &[u8]) -> Vec<u8> {
    const ISLAND: &[u8] = b"<leptos-island";
    const ISLAND_END: &[u8] = b"</leptos-island>";
    let mut kept = Vec::with_capacity(document.len());
    let (mut rest, mut islands) = (document, 0_usize);
    while let Some(at) = rest.iter().position(|byte| *byte == b'<') {
        kept.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        islands += usize::from(rest.starts_with(ISLAND));
        islands -= usize::from(rest.starts_with(ISLAND_END) && islands > 0);
        let is_comment = rest.starts_with(b"<!>") || rest.starts_with(b"<!--");
        let length = if is_comment { comment_length(rest) } else { tag_length(rest) };
        if !is_comment {
            kept.extend_from_slice(&rest[..length]);
        } else if islands > 0 {
            let is_marker = rest.starts_with(b"<!>");
            kept.extend_from_slice(if is_marker { b"<!---->" } else { &rest[..length] });
        }
        rest = &rest[length..];
    }
    kept.extend_from_slice(rest);
    kept
}

fn comment_length(rest: &[u8]) -> usize {
    const END: &[u8] = b"-->";
    if rest.starts_with(b"<!>") {
        return 3;
    }
    rest.windows(END.len()).position(|window| window == END).map_or(rest.len(), |at| at + END.len())
}

/// Up to the `>` that is in no attribute.
fn tag_length(rest: &[u8]) -> usize {
    let mut quote = None;
    for (at, byte) in rest.iter().enumerate() {
        match (quote, byte) {
            (None, b'"' | b'\'') => quote = Some(*byte),
            (Some(open), byte) if open == *byte => quote = None,
            (None, b'>') => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// Leptos appends the data of hydrated resources as inline scripts after the
/// document. Byline's islands get their data as attributes, so these scripts
/// are always empty. Without them the Content-Security-Policy needs no nonce,
/// and a page can be cached. `boot.js` defines what they would define.
fn without_inline_scripts(mut body: Bytes) -> Bytes {
    const END: &[u8] = b"</html>";
    if let Some(start) = body.windows(END.len()).rposition(|window| window == END) {
        body.truncate(start + END.len());
    }
    body
}

#[cfg(test)]
mod tests {
    use super::without_markers;

    #[test]
    fn markers_are_removed_outside_of_islands_and_texts_stay() {
        for (document, kept) in [
            ("<p>By <!>ada<!> · <!---->now</p>", "<p>By ada · now</p>"),
            ("<head><!--HEAD--><title>a</title>", "<head><title>a</title>"),
            ("<p title=\"a <!> 'b\">&lt;!></p>", "<p title=\"a <!> 'b\">&lt;!></p>"),
            (
                "<leptos-island data-a=\">\"><b><!>c</b></leptos-island><!>",
                "<leptos-island data-a=\">\"><b><!---->c</b></leptos-island>",
            ),
            ("<!DOCTYPE html><a href='>'>b</a", "<!DOCTYPE html><a href='>'>b</a"),
        ] {
            assert_eq!(String::from_utf8(without_markers(document.as_bytes())).unwrap(), kept);
        }
    }
}
