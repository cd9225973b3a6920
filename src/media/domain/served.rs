//! Files as readers get them. A few are kept in memory for a short time.

use std::{sync::Arc, time::Duration};

use axum::body::Bytes;
use moka::future::Cache;

use super::files::{self, Place};
use crate::{config::PageMemory, error::AppError, objects::ObjectError, site::Site, site_settings::pictures};

/// How long a file is kept. Another process may have deleted the picture meanwhile.
const KEPT: Duration = Duration::from_secs(30);

/// Files that were read a moment ago. Requests for the same file share one reading.
#[derive(Debug)]
pub struct ServedFiles(Cache<String, Bytes>);

impl ServedFiles {
    #[must_use]
    pub fn new(memory: PageMemory) -> Self {
        let weight = |name: &String, body: &Bytes| u32::try_from(name.len() + body.len()).unwrap_or(u32::MAX);
        Self(Cache::builder().max_capacity(memory.pictures()).weigher(weight).time_to_live(KEPT).build())
    }

    /// Forgets every file: a picture was deleted.
    pub(super) fn forget(&self) {
        self.0.invalidate_all();
    }
}

impl Site {
    /// Files of pictures in memory.
    #[must_use]
    pub fn served_files(&self) -> &ServedFiles {
        self.part()
    }
}

/// The file of that name.
///
/// # Errors
/// [`AppError::NotFound`]; [`AppError::Busy`]; [`AppError::PicturesAway`].
pub async fn file(site: &Site, name: &str) -> Result<Bytes, AppError> {
    let ServedFiles(files) = site.served_files();
    let file = files.try_get_with_by_ref(name, read(site, name)).await;
    file.map_err(|error: Arc<AppError>| AppError::clone(&error))
}

/// The file of that name of the site's logo or icon.
///
/// # Errors
/// [`AppError::NotFound`]; [`AppError::Busy`].
pub async fn site_file(site: &Site, name: &str) -> Result<Bytes, AppError> {
    let ServedFiles(files) = site.served_files();
    // No name of a picture of an author has a slash.
    let file = files.try_get_with(format!("site/{name}"), pictures::file(site, name)).await;
    file.map_err(|error: Arc<AppError>| AppError::clone(&error))
}

async fn read(site: &Site, name: &str) -> Result<Bytes, AppError> {
    let mut before = None;
    loop {
        // No connection is held while the object store is asked.
        let found = files::find(&mut site.database.read().await?, name).await?;
        let url = match found.ok_or(AppError::NotFound)? {
            Place::Database(body) => return Ok(body.into()),
            Place::Object(url) => url,
        };
        match site.objects().read(&url).await {
            Ok(body) => return Ok(body),
            Err(error) if before.as_ref() == Some(&url) => {
                if let ObjectError::Missing = error {
                    tracing::error!(%url, "a file of a picture is not in the object store");
                }
                return Err(error.into());
            }
            // The file may have been moved or deleted meanwhile.
            Err(ObjectError::Missing) => before = Some(url),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Whether there is a file of that name, wherever it is.
///
/// # Errors
/// [`AppError::NotFound`]; [`AppError::Busy`].
pub async fn exists(site: &Site, name: &str) -> Result<(), AppError> {
    let exists = files::exists(&mut site.database.read().await?, name).await?;
    if exists { Ok(()) } else { Err(AppError::NotFound) }
}
