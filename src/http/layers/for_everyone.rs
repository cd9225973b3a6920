//! Pages that are the same for everyone.

use axum::{
    body::to_bytes,
    extract::{Request, State},
    http::{Method, StatusCode, header::RETRY_AFTER},
    middleware::Next,
    response::Response,
};

use crate::{
    credentials::{Caller, RequestCredential},
    http::{
        cookies::{self, cookie},
        page_cache::{self, Key},
        pages::{PageInput, Shortcut, ShortcutResult, render},
        shared_answers::SharedAnswer,
    },
    site::Site,
};

/// Readers without a cookie that matters and without another credential get the
/// pages that are the same for everyone; this names the requested one.
fn known_page_key(site: &Site, request: &Request) -> Option<Key> {
    is_plain(request).then(|| page_cache::known_key(site, request.uri())).flatten()
}

fn is_plain(request: &Request) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD)
        && RequestCredential::in_extensions(request.extensions()).is_nothing()
        && cookie(request.headers(), cookies::NOTICE).is_none()
}

/// A page that is ready in memory. Nothing else has to be looked at then.
pub fn ready<'a>(site: &'a Site, request: &'a Request) -> impl Future<Output = Option<Response>> + Send + 'a {
    // The request cannot be held across an await, because its body is not
    // `Sync`.
    let (key, headers) = (known_page_key(site, request), request.headers());
    async move {
        let page = site.pages().ready(&key?, headers).await?;
        // Where there is no page, the layers may know where it is now.
        (page.status() != StatusCode::NOT_FOUND).then_some(page)
    }
}

/// Renders a page that is the same for everyone once, before sessions or
/// anything else is read.
pub async fn for_everyone(State(site): State<Site>, request: Request, next: Next) -> Response {
    let uri = is_plain(&request).then(|| request.uri().clone());
    let key = match uri {
        Some(uri) => page_cache::find_key(&site, &uri).await,
        None => None,
    };
    let Some(key) = key else {
        return next.run(request).await;
    };
    // Parameters that somebody appended to the URL do not reach the page.
    let input = PageInput::of(key.name.parse().unwrap_or_default(), Caller::anonymous());
    let (head, _) = request.into_parts();
    let Shortcut(shortcut) = site.part();
    // Boxed, because the cache moves it several times.
    let made = Box::pin(async {
        match shortcut(&site, &input.uri).await {
            ShortcutResult::Moved(path) => SharedAnswer::moved(&path),
            ShortcutResult::Page(html) => SharedAnswer::new(StatusCode::OK, html.into()),
            ShortcutResult::Render(preloaded) => {
                rendered(render(&site, PageInput { preloaded, ..input }).await).await
            }
        }
    });
    site.pages().get(key, &head.headers, made).await
}

async fn rendered(response: Response) -> SharedAnswer {
    let (head, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let page = SharedAnswer::new(head.status, body);
    page.retry_after(head.headers.get(RETRY_AFTER).cloned())
}
