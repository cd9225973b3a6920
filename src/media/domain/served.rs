//! Files as readers get them. A few are kept in memory for a short time.

use std::{sync::Arc, time::Duration};

use axum::body::Bytes;
use moka::future::Cache;

use super::store;
use crate::{config::PageMemory, error::AppError, site::Site};

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
/// [`AppError::NotFound`]; [`AppError::Busy`].
pub async fn file(site: &Site, name: &str) -> Result<Bytes, AppError> {
    let read = async {
        let body = store::file(&mut site.database.read().await?, name).await?;
        body.map(Bytes::from).ok_or(AppError::NotFound)
    };
    let ServedFiles(files) = site.served_files();
    files.try_get_with_by_ref(name, read).await.map_err(|error: Arc<AppError>| AppError::clone(&error))
}
