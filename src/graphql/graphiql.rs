//! `/graphiql`: a page to try the API. Its script and its style sheet are bundled
//! from `graphiql/` and embedded like every other asset; the page has the same
//! Content-Security-Policy as all others.

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
    routing::get,
};

use super::{http::PATH as API_PATH, schema::sdl};
use crate::{
    assets,
    config::SiteSettings,
    credentials::{Actor, Caller},
    error::AppError,
    http::headers::{only_get, refusal, uncached, wants_html},
    site::Site,
    site_settings::pictures::{LARGE_ICON, icon_address},
    ui::log_in_first,
};

const PATH: &str = "/graphiql";
const SCHEMA_PATH: &str = "/graphiql/schema.graphql";

/// The page, and the schema that it explains; both are for everyone.
pub fn routes() -> Router<Site> {
    Router::new().route(PATH, get(page).fallback(only_get)).route(SCHEMA_PATH, get(schema).fallback(only_get))
}

async fn page(State(site): State<Site>, caller: Caller, headers: HeaderMap) -> Response {
    match document(&caller.actor, &site.settings()) {
        Some(document) => uncached(StatusCode::OK, "text/html; charset=utf-8", document),
        None => refusal(&AppError::NotFound, wants_html(&headers)),
    }
}

async fn schema(State(site): State<Site>) -> Response {
    let sdl = sdl(site.api().conflict_detection).join("\n");
    uncached(StatusCode::OK, "text/plain; charset=utf-8", sdl)
}

/// `None` where the site was built without Node, which bundles the script.
fn document(actor: &Actor, settings: &SiteSettings) -> Option<String> {
    let site_name = html_escape::encode_text(settings.identity.name.as_str());
    let (icon, icon_type) = match &settings.icon {
        Some(icon) => (icon_address(icon, LARGE_ICON), "image/png"),
        None => (assets::url("icon.svg"), "image/svg+xml"),
    };
    let (script, style) = (assets::built("graphiql.js")?, assets::built("graphiql.css")?);
    let (who, signed_in) = match actor {
        Actor::User(user) => {
            let name = html_escape::encode_text(user.username.as_str());
            (format!("You ask as <strong>{name}</strong>, or with"), " data-signed-in")
        }
        Actor::Anonymous | Actor::ApiKey => {
            (format!("<a href=\"{}\">Log in</a>, or ask with", log_in_first(PATH)), "")
        }
    };
    Some(format!(
        r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>GraphiQL – {site_name}</title>
<link rel="stylesheet" href="{style}">
<link rel="icon" type="{icon_type}" href="{icon}">
<script type="module" src="{script}"></script>
</head>
<body>
<header class="bar">
<a class="site-name" href="/">{site_name}</a>
<h1>GraphiQL</h1>
<form action="{PATH}">
<p>{who}</p>
<label for="credential">an API key or access token</label>
<input id="credential" type="password" autocomplete="off" spellcheck="false" placeholder="none">
</form>
</header>
<main id="graphiql" data-endpoint="{API_PATH}" data-schema="{SCHEMA_PATH}"{signed_in}>
<noscript><p>This page needs script; the API itself does not.</p></noscript>
</main>
</body>
</html>
"#
    ))
}
