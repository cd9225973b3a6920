//! The paths of the site, and the layers around them.

use axum::{
    Router,
    extract::{Path, Request, State},
    middleware::{from_fn, from_fn_with_state},
    response::Response,
    routing::{MethodRouter, any, get, post},
};
use tower::util::MapRequestLayer;
use tower_sessions::{Session, SessionManagerLayer, cookie::SameSite};

use crate::{
    admin::{self, gate},
    app, codegen, cognito,
    credentials::session::store::RowStore,
    feeds, graphql,
    http::{
        assets, calls, cookies,
        forms::Form,
        headers, health,
        layers::{
            admit, cors,
            credentials::{self, strip_ambient_credentials},
            cross_site, device_cookie, for_everyone, observe, own_cookies,
            session::repair_session_response,
            uncopied::Uncopied,
        },
        look, pages, speculation,
    },
    media, oauth,
    ops::export,
    posts::{events, images, pages::old_address},
    site::Site,
    site_settings::css,
};

pub fn router(site: Site) -> Router {
    // What Leptos spawns runs on tokio; a second call, in a test, changes nothing.
    let _ = any_spawner::Executor::init_tokio();
    site.request_counts().know_pages(app::page_patterns());
    let https = site.public_url.is_https();
    let sessions = SessionManagerLayer::new(RowStore::new(&site))
        .with_name(cookies::SESSION)
        .with_secure(https)
        .with_http_only(true)
        .with_same_site(SameSite::Lax);

    let forms = site.forms().all().fold(Router::new(), |routes, form| routes.route(form.page, page_of(form)));
    let people = forms
        .route("/", get(pages::page).post(cognito::call_at_root).fallback(headers::only_get))
        // Where people look for the list of posts.
        .route("/posts", get(async || calls::see_other("/")).fallback(headers::only_get))
        .route("/api/{name}", any(calls::call))
        .route("/my-posts/kept/{id}/discard", post(calls::discard_kept).fallback(only_post))
        .route(export::PATH, get(pages::page).post(export::download))
        .route("/account/api/{*file}", get(codegen::http::download))
        .merge(media::http::uploads())
        .merge(admin::pictures::routes())
        .merge(graphql::graphiql::routes())
        .fallback(pages::page)
        .layer(from_fn_with_state(site.clone(), gate::for_those_in_charge))
        .layer(sessions.clone())
        .layer(from_fn_with_state(https, repair_session_response))
        .layer(from_fn_with_state(https, device_cookie::device_cookie))
        .layer(from_fn_with_state(site.clone(), cross_site::refuse_foreign))
        .layer(from_fn_with_state(site.clone(), for_everyone::for_everyone))
        .layer(from_fn_with_state(site.clone(), old_address::lead_on))
        .layer(from_fn(strip_ambient_credentials));

    let files = Router::new()
        .route("/events", get(events::stream::events))
        .route(look::PATH, get(look::serve))
        .route(css::PATH, get(css::serve))
        .route("/assets/{*path}", get(assets::hashed))
        .route("/pkg/{*path}", get(assets::unhashed))
        .route("/favicon.ico", get(media::site_http::favicon))
        .route(speculation::PATH, get(speculation::rules))
        .route("/.well-known/change-password", get(change_password))
        .merge(media::http::files())
        .merge(media::site_http::routes())
        .merge(feeds::http::routes().layer(from_fn_with_state(site.clone(), old_address::lead_on)))
        .merge(images::http::routes());

    // What no cookie opens to a page of another origin.
    let programs = Router::new()
        .merge(oauth::routes())
        .merge(cognito::routes())
        .merge(graphql::http::routes(&site, sessions));

    // Health is answered however many other requests there are (security row
    // L6).
    let health = Router::new()
        .route("/healthz", get(health::readyz))
        .route("/readyz", get(health::readyz))
        .route("/livez", get(health::livez));

    // Layers in one tuple cost less than one after the other: each call of `layer`
    // boxes, and copies for each request, all that is below it.
    let (own_cookies, identify, observe) = (
        from_fn_with_state(site.clone(), own_cookies::own_cookies),
        MapRequestLayer::new(credentials::identify),
        from_fn_with_state(site.clone(), observe::observe),
    );
    // Open to scripts of other origins, whichever layer answers.
    let share = from_fn_with_state(site.clone(), cors::share);
    let for_people = (own_cookies.clone(), identify.clone(), observe.clone(), Uncopied);
    let for_programs = (own_cookies, identify, share, observe, Uncopied);
    health
        .merge(admitted(&site, files.merge(people)))
        .layer(for_people)
        .merge(admitted(&site, programs).layer(for_programs))
        .with_state(site)
}

/// Within the layer by which a request has its place and its body is counted.
fn admitted(site: &Site, routes: Router<Site>) -> Router<Site> {
    routes.layer(from_fn_with_state(site.clone(), admit::admit))
}

/// Password managers look for the page to change a password here (W3C, "A Well-Known URL
/// for Changing Passwords").
async fn change_password() -> Response {
    calls::see_other("/account/password")
}

async fn only_post(request: Request) -> Response {
    headers::wrong_method(request.headers(), "POST")
}

/// A page that takes its own form by POST.
fn page_of(form: &'static Form) -> MethodRouter<Site> {
    let submit =
        move |State(site): State<Site>,
              Path(path): Path<Vec<(String, String)>>,
              session: Session,
              request: Request| { calls::submit(site, session, form, path, request) };
    let wrong_method =
        |request: Request| async move { headers::wrong_method(request.headers(), "GET, HEAD, POST") };
    get(pages::page).post(submit).fallback(wrong_method)
}
