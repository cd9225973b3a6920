//! The server functions of pictures: stable endpoints under `/api/`. The upload itself,
//! `POST /api/upload_media`, is no server function, because its body is a file
//! (`media::http`).

use leptos::{prelude::*, server_fn::codec::GetUrl};

use super::Picture;
use crate::error::AppError;

/// The pictures of the person who is signed in, the newest first, 24 at most; those before
/// the picture with the id `before`, if there is one.
///
/// # Errors
/// [`AppError::NotSignedIn`].
#[server(endpoint = "/my_media", prefix = "/api", input = GetUrl)]
pub async fn my_media(before: Option<String>) -> Result<Vec<Picture>, AppError> {
    server::list(before).await
}

/// Deletes a picture that is one's own and that no text of one's own shows.
///
/// # Errors
/// [`AppError::NotSignedIn`]; [`AppError::NotFound`], also for another's;
/// [`AppError::Invalid`] with the texts that show it.
#[server(endpoint = "/delete_media", prefix = "/api")]
pub async fn delete_media(id: String) -> Result<(), AppError> {
    server::delete(id).await
}

#[cfg(feature = "ssr")]
mod server {
    use super::{AppError, Picture};
    use crate::{
        http::context::{actor, site},
        media::domain::service,
    };

    pub(super) async fn list(before: Option<String>) -> Result<Vec<Picture>, AppError> {
        service::list(&site(), &actor(), before.as_deref()).await
    }

    pub(super) async fn delete(id: String) -> Result<(), AppError> {
        service::delete(&site(), &actor(), &id).await
    }
}
