//! The server functions of posts: stable endpoints under `/api/`.
//!
//! Each parses its arguments, calls one use case and returns its result.
//! Arguments are a form (`application/x-www-form-urlencoded`), results are JSON;
//! [`crate::error::AppError`] gives the status. Reads are GET.

use leptos::{prelude::*, server_fn::codec::GetUrl};

use super::{Page, Post};
use crate::error::AppError;

/// One page of all posts, of those of `author`, or of those with a `tag`, newest first.
/// `older` or `newer` is a [`Cursor`](super::Cursor) from an earlier page.
///
/// # Errors
///
/// [`AppError::BadRequest`] when the text is no cursor, and for a tag together with an
/// author; [`AppError::NotFound`] where nobody has the name of the author.
#[server(endpoint = "/list_posts", prefix = "/api", input = GetUrl)]
pub async fn list_posts(
    older: Option<String>,
    newer: Option<String>,
    #[server(default)] author: Option<String>,
    #[server(default)] tag: Option<String>,
) -> Result<Page, AppError> {
    server::list(older, newer, author, tag).await
}

/// One page of the signed-in author's own posts, newest first.
///
/// # Errors
///
/// [`AppError::NotSignedIn`]; [`AppError::BadRequest`] when the text is no
/// cursor.
#[server(endpoint = "/my_posts", prefix = "/api", input = GetUrl)]
pub async fn my_posts(older: Option<String>, newer: Option<String>) -> Result<Page, AppError> {
    server::mine(older, newer).await
}

/// One post.
///
/// # Errors
/// [`AppError::NotFound`].
#[server(endpoint = "/get_post", prefix = "/api", input = GetUrl)]
pub async fn get_post(id: String) -> Result<Post, AppError> {
    server::get(id).await
}

/// Publishes a post of the person who is signed in. `tags` are separated by commas;
/// `address` is the last part of its address, which is made from the title otherwise. The same `idempotency_key`
/// (any text up to 64 characters) from the same author makes one post, however
/// often it is sent.
///
/// # Errors
/// [`AppError::NotSignedIn`]; [`AppError::Invalid`] with every broken rule;
/// [`AppError::KeyReused`] when the key came before with another text.
#[server(endpoint = "/create_post", prefix = "/api")]
pub async fn create_post(
    title: String,
    #[server(default)] content: String,
    #[server(default)] tags: Option<String>,
    #[server(default)] address: Option<String>,
    #[server(default)] idempotency_key: Option<String>,
) -> Result<Post, AppError> {
    server::create(title, content, tags, address, idempotency_key).await
}

/// Changes a post of one's own. `version` is the version that the edit is based
/// on. Without `tags` or `address`, these stay; an earlier address leads to the new one.
///
/// # Errors
/// [`AppError::NotSignedIn`], [`AppError::Forbidden`], [`AppError::NotFound`],
/// [`AppError::Invalid`]; [`AppError::Conflict`] with the post as it stands if
/// it was saved in between.
#[server(endpoint = "/update_post", prefix = "/api")]
pub async fn update_post(
    id: String,
    version: i64,
    title: String,
    #[server(default)] content: String,
    #[server(default)] tags: Option<String>,
    #[server(default)] address: Option<String>,
) -> Result<Post, AppError> {
    server::update(id, version, title, content, tags, address).await
}

/// Deletes a post that is one's own. Sent again with the same
/// `idempotency_key`, it says yes again.
///
/// # Errors
/// [`AppError::NotSignedIn`], [`AppError::Forbidden`], [`AppError::NotFound`].
#[server(endpoint = "/delete_post", prefix = "/api")]
pub async fn delete_post(
    id: String,
    #[server(default)] idempotency_key: Option<String>,
) -> Result<(), AppError> {
    server::delete(id, idempotency_key).await
}

/// Publishes a post again that its author has deleted in the last 30 days. Under its
/// address, unless that has been taken since. Sent twice, it is done once.
///
/// # Errors
/// [`AppError::NotSignedIn`]; [`AppError::EmailNotConfirmed`]; [`AppError::NotFound`],
/// also for another's; [`AppError::Busy`].
#[server(endpoint = "/restore_post", prefix = "/api")]
pub async fn restore_post(id: String) -> Result<Post, AppError> {
    server::restore(id).await
}

/// The HTML that a Markdown text becomes when it is published, with a word on
/// what is not shown; what the editor's preview shows. For signed-in people,
/// since it costs computing, and eight texts of one person at once.
///
/// # Errors
/// [`AppError::NotSignedIn`]; [`AppError::Invalid`] for a text over the limit;
/// [`AppError::Busy`].
#[server(endpoint = "/preview_post", prefix = "/api")]
pub async fn preview_post(#[server(default)] content: String) -> Result<String, AppError> {
    server::preview(content).await
}

#[cfg(feature = "ssr")]
mod server {
    use super::{AppError, Page, Post};
    use crate::{
        database::idempotency::IdempotencyKey,
        http::context::{actor, site},
        posts::{
            PageRequest, PostId,
            domain::{Change, Guard, NewPost, Written, parse_tags, preview, service, trash},
        },
        username::Username,
    };

    fn page_request(older: Option<String>, newer: Option<String>) -> Result<PageRequest, AppError> {
        Ok(PageRequest::parse(older.as_deref(), newer.as_deref())?)
    }

    pub(super) async fn list(
        older: Option<String>,
        newer: Option<String>,
        author: Option<String>,
        tag: Option<String>,
    ) -> Result<Page, AppError> {
        let (site, actor, request) = (site(), actor(), page_request(older, newer)?);
        match (author, tag) {
            (None, None) => service::list(&site, &actor, request).await,
            (Some(author), None) => {
                let author = Username::try_from(author).map_err(|_| AppError::NotFound)?;
                Ok(service::list_of_author(&site, &actor, author, request).await?.1)
            }
            (None, Some(tag)) => {
                let tags =
                    parse_tags(&tag).map_err(|error| AppError::BadRequest { reason: error.to_string() })?;
                let tag = tags.iter().next().ok_or(AppError::NotFound)?;
                service::list_of_tag(&site, &actor, tag, request).await
            }
            (Some(_), Some(_)) => {
                Err(AppError::BadRequest { reason: "send author or tag, not both".to_owned() })
            }
        }
    }

    pub(super) async fn mine(older: Option<String>, newer: Option<String>) -> Result<Page, AppError> {
        service::list_own(&site(), &actor(), page_request(older, newer)).await
    }

    pub(super) async fn get(id: String) -> Result<Post, AppError> {
        // An id that cannot be one is the id of no post.
        service::get(&site(), &actor(), &PostId::parse(&id).ok_or(AppError::NotFound)?).await
    }

    pub(super) async fn create(
        title: String,
        content: String,
        tags: Option<String>,
        address: Option<String>,
        key: Option<String>,
    ) -> Result<Post, AppError> {
        let written = Written::parse(&title, &content, tags.as_deref(), address.as_deref());
        let new = written.map(NewPost::from).map_err(AppError::from);
        service::create(&site(), &actor(), new, IdempotencyKey::optional(key)).await
    }

    pub(super) async fn update(
        id: String,
        version: i64,
        title: String,
        content: String,
        tags: Option<String>,
        address: Option<String>,
    ) -> Result<Post, AppError> {
        let written = Written::parse(&title, &content, tags.as_deref(), address.as_deref());
        let change = written.map(Change::from).map_err(AppError::from);
        let edit = change.map(|change| (Guard::version(version), change));
        service::update(&site(), &actor(), PostId::parse(&id), edit).await
    }

    pub(super) async fn delete(id: String, key: Option<String>) -> Result<(), AppError> {
        let input = IdempotencyKey::optional(key).map(|key| (Guard::NONE, key));
        service::delete(&site(), &actor(), PostId::parse(&id), input).await.map(drop)
    }

    pub(super) async fn restore(id: String) -> Result<Post, AppError> {
        let (site, actor) = (site(), actor());
        actor.user()?;
        trash::restore(&site, &actor, &PostId::parse(&id).ok_or(AppError::NotFound)?).await
    }

    pub(super) async fn preview(content: String) -> Result<String, AppError> {
        preview::preview(&site(), &actor(), &content).await
    }
}
