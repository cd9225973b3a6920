//! The server functions of posts: stable endpoints under `/api/`.
//!
//! Each parses its arguments, calls one use case and returns its result.
//! Arguments are a form (`application/x-www-form-urlencoded`), results are JSON;
//! [`crate::error::AppError`] gives the status. Reads are GET.

use leptos::{prelude::*, server_fn::codec::GetUrl};

use super::{Page, Post, found::SearchPage};
use crate::error::AppError;

/// One page of all posts, or of those of `author`, newest first. `older` or `newer` is
/// a [`Cursor`](super::Cursor) from an earlier page.
///
/// # Errors
///
/// [`AppError::BadRequest`] when the text is no cursor; [`AppError::NotFound`] where
/// nobody has the name of the author.
#[server(endpoint = "/list_posts", prefix = "/api", input = GetUrl)]
pub async fn list_posts(
    older: Option<String>,
    newer: Option<String>,
    #[server(default)] author: Option<String>,
) -> Result<Page, AppError> {
    server::list(older, newer, author).await
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

/// One page of the posts that have all words of `q` in title or text, whoever wrote them.
/// Posts with all words in the title come first, and then all others; both newest first.
/// `after` is `more` of an earlier page.
///
/// # Errors
/// [`AppError::Invalid`] without a word, or with more than 100 characters;
/// [`AppError::BadRequest`] when `after` is no place; [`AppError::Busy`].
#[server(endpoint = "/search_posts", prefix = "/api", input = GetUrl)]
pub async fn search_posts(
    #[server(default)] q: String,
    #[server(default)] after: Option<String>,
) -> Result<SearchPage, AppError> {
    server::search(q, after).await
}

/// One post.
///
/// # Errors
/// [`AppError::NotFound`].
#[server(endpoint = "/get_post", prefix = "/api", input = GetUrl)]
pub async fn get_post(id: String) -> Result<Post, AppError> {
    server::get(id).await
}

/// Publishes a post of the person who is signed in. The same `idempotency_key`
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
    #[server(default)] idempotency_key: Option<String>,
) -> Result<Post, AppError> {
    server::create(title, content, idempotency_key).await
}

/// Changes a post of one's own. `version` is the version that the edit is based
/// on.
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
) -> Result<Post, AppError> {
    server::update(id, version, title, content).await
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
    use super::{AppError, Page, Post, SearchPage};
    use crate::{
        database::idempotency::IdempotencyKey,
        http::context::{actor, client, site},
        posts::{
            PageRequest, PostId,
            domain::{Change, Guard, NewPost, PostText, preview, search, service, trash},
            found::SearchPlace,
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
    ) -> Result<Page, AppError> {
        let (site, actor, request) = (site(), actor(), page_request(older, newer)?);
        let Some(author) = author else { return service::list(&site, &actor, request).await };
        let author = Username::try_from(author).map_err(|_| AppError::NotFound)?;
        Ok(service::list_of_author(&site, &actor, author, request).await?.1)
    }

    pub(super) async fn mine(older: Option<String>, newer: Option<String>) -> Result<Page, AppError> {
        service::list_own(&site(), &actor(), page_request(older, newer)).await
    }

    pub(super) async fn search(q: String, after: Option<String>) -> Result<SearchPage, AppError> {
        let after = after.as_deref().map(str::parse::<SearchPlace>).transpose();
        let words = search::SearchWords::parse(&q).map_err(AppError::from);
        search::search(&site(), &actor(), &client(), words, after.map_err(AppError::from)).await
    }

    pub(super) async fn get(id: String) -> Result<Post, AppError> {
        // An id that cannot be one is the id of no post.
        service::get(&site(), &actor(), &PostId::parse(&id).ok_or(AppError::NotFound)?).await
    }

    pub(super) async fn create(
        title: String,
        content: String,
        key: Option<String>,
    ) -> Result<Post, AppError> {
        let new = PostText::parse(&title, &content).map(NewPost::from);
        service::create(&site(), &actor(), new.map_err(AppError::from), IdempotencyKey::optional(key)).await
    }

    pub(super) async fn update(
        id: String,
        version: i64,
        title: String,
        content: String,
    ) -> Result<Post, AppError> {
        let change = PostText::parse(&title, &content).map(Change::from).map_err(AppError::from);
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
