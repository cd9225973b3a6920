//! The paths of feeds, of the map of the site and of `/robots.txt`. What is sent is the same
//! for everyone, so it is made once per change and kept as pages are.

use axum::{
    Router,
    body::Bytes,
    extract::{Extension, Path, Request, State},
    http::{
        HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE},
        request::Parts,
    },
    response::{IntoResponse, Response},
    routing::get,
};

use super::{atom, feed::Feed, json, robots, sitemap, sitemap::Map};
use crate::{
    credentials::RequestCredential,
    error::AppError,
    http::{
        headers::{only_get, refusal, wants_html},
        layers::client_address::ClientAddress,
        limits,
        page_cache::Key,
        shared_answers::{CachePolicy, Keep, SharedAnswer},
    },
    posts::{
        Tag,
        address::{BEFORE_USERNAME, FeedFormat, FeedOf},
    },
    site::Site,
    username::Username,
};

/// As of a page, but the cookie of a reader changes nothing.
const FEED: CachePolicy = CachePolicy {
    content_type: "application/octet-stream",
    cache_control: "public, no-cache",
    vary: Some("accept-encoding"),
    revalidated: true,
    dated: true,
    unbounded: false,
};

const MAP: CachePolicy = CachePolicy { content_type: "application/xml; charset=utf-8", ..FEED };

/// Crawlers may keep the rules for a day (RFC 9309, 2.4).
const RULES_KEPT: &str = "public, max-age=86400";

pub fn routes() -> Router<Site> {
    FeedFormat::ALL
        .into_iter()
        .fold(Router::new(), |routes, format| {
            let handler = |parse: fn(&str) -> Option<FeedOf>| {
                let answer = move |State(site): State<Site>, path: Option<Path<String>>, request: Request| {
                    let of = parse(path.as_deref().map_or("", String::as_str));
                    // Without its body, which cannot be shared between threads.
                    let (head, _) = request.into_parts();
                    async move { feed_or_error(&site, format, of, &head).await }
                };
                get(answer).fallback(only_get)
            };
            let (all, file) = (FeedOf::Everyone.address(format), format.file());
            routes
                .route(&all, handler(|_| Some(FeedOf::Everyone)))
                // A text that cannot be a name is the name of nobody.
                .route(
                    &format!("/{BEFORE_USERNAME}{{username}}/{file}"),
                    handler(|name| Username::parse_known(name).ok().map(FeedOf::Author)),
                )
                .route(
                    &format!("/tags/{{tag}}/{file}"),
                    handler(|tag| Tag::try_from(tag.to_owned()).ok().map(FeedOf::Tag)),
                )
        })
        .route(sitemap::PATH, get(map).fallback(only_get))
        .route("/robots.txt", get(rules).fallback(only_get))
}

async fn feed_or_error(site: &Site, format: FeedFormat, of: Option<FeedOf>, head: &Parts) -> Response {
    let answer = match of {
        Some(of) => feed(site, format, of, head).await,
        None => Err(AppError::NotFound),
    };
    answer.unwrap_or_else(|error| refusal(&error, wants_html(&head.headers)))
}

async fn feed(site: &Site, format: FeedFormat, of: FeedOf, head: &Parts) -> Result<Response, AppError> {
    let actor = RequestCredential::in_extensions(&head.extensions).everyone(site).await?;
    let name = of.address(format);
    let content_type = match format {
        FeedFormat::Atom => "application/atom+xml; charset=utf-8",
        // JSON is UTF-8 and has no such parameter (RFC 8259, 11).
        FeedFormat::Json => FeedFormat::Json.media_type(),
    };
    let make = async {
        let feed = limits::in_time(Feed::read(site, &actor, format, &of)).await?;
        let body = match format {
            FeedFormat::Atom => atom::write(&feed)?,
            FeedFormat::Json => json::write(&feed)?,
        };
        // The counter of lists stands for posts. The end of an account without any would
        // not be noticed.
        let keep = if feed.entries.is_empty() { Keep::Never } else { Keep::UntilChanged };
        Ok((answer(body), keep))
    };
    let policy = CachePolicy { content_type, ..FEED };
    site.pages().get_feed(key(site, name), &head.headers, &policy, make).await
}

/// `GET /sitemap.xml`.
async fn map(
    State(site): State<Site>,
    client: Option<Extension<ClientAddress>>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    let answer = async {
        let actor = RequestCredential::in_extensions(&head.extensions).everyone(&site).await?;
        let map = Map::of_query(head.uri.query())?;
        let client = site.turns().client(client.map(|Extension(ClientAddress(address))| address));
        let policy = CachePolicy { unbounded: map.is_piece(), ..MAP };
        let make = async {
            let body = limits::in_time(map.write(&site, &actor, &client)).await?;
            Ok((answer(body), Keep::UntilChanged))
        };
        site.pages().get_feed(key(&site, map.path()), &head.headers, &policy, make).await
    };
    answer.await.unwrap_or_else(|error| refusal(&error, wants_html(&head.headers)))
}

async fn rules(State(site): State<Site>) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8")),
        (CACHE_CONTROL, HeaderValue::from_static(RULES_KEPT)),
    ];
    (headers, robots::write(&site)).into_response()
}

/// The counter is read here, before anything else is.
fn key(site: &Site, name: String) -> Option<Key> {
    let generation = site.bus().changes.lists()?;
    Some(Key { generation, name })
}

fn answer(body: Bytes) -> SharedAnswer {
    SharedAnswer::new(StatusCode::OK, body)
}
