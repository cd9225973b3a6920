//! Files of pictures in an object store (setting `media.url`): S3, or a server that is
//! spoken to in the same way. A row of `media_objects` says where each file is, so files
//! of an earlier setting are still found.
//!
//! Every wait for the store has an end: a store that is away costs pictures, and nothing
//! else.

mod connector;
mod url;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::body::Bytes;
use object_store::{
    Attribute, Attributes, BackoffConfig, ObjectStore, ObjectStoreExt, PutOptions, RetryConfig,
    aws::{AmazonS3, AmazonS3Builder},
};
use secrecy::ExposeSecret;
use tokio::{sync::Semaphore, time::timeout};

use self::connector::Connector;
use crate::{
    config::{AwsVariables, MediaUrl, StartError},
    error::AppError,
    media::{address, domain::MAX_MADE},
    site::Site,
};

pub use url::ObjectUrl;

/// Objects that are read at a time.
const READING: usize = 16;
/// Readers that may wait for one of these places.
const QUEUE: usize = 256;
/// The longest wait for a place, and then for an object.
const READ_WAIT: Duration = Duration::from_secs(2);
const READ_TIME: Duration = Duration::from_secs(5);
/// Objects that are written or removed at a time.
const WRITING: usize = 8;
/// The longest wait for a place, and then until an object is written.
const WRITE_WAIT: Duration = Duration::from_secs(5);
const WRITE_TIME: Duration = Duration::from_secs(10);
/// The longest time for a removal.
const REMOVE_TIME: Duration = Duration::from_secs(5);
/// How often a request is sent again after a failure that may pass, within its time.
const RETRIES: usize = 3;
/// How often the log says that the store is away.
const SAID_EVERY: Duration = Duration::from_secs(10);

/// Seconds after which a reader may ask again.
const RETRY_AFTER: u32 = 5;

/// The object stores with files of pictures.
#[derive(Debug)]
pub struct Objects {
    place: Option<MediaUrl>,
    variables: AwsVariables,
    buckets: Mutex<HashMap<String, Arc<AmazonS3>>>,
    queue: Semaphore,
    reading: Semaphore,
    writing: Semaphore,
    said_at: Mutex<Option<Instant>>,
}

/// Why an object was not read, written or removed.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    #[error("the object store has no such object")]
    Missing,
    /// The store does not answer in time, or refuses.
    #[error("{0}")]
    Away(String),
}

impl From<ObjectError> for AppError {
    fn from(error: ObjectError) -> Self {
        match error {
            ObjectError::Missing => Self::NotFound,
            ObjectError::Away(_) => Self::PicturesAway { retry_after: RETRY_AFTER },
        }
    }
}

impl From<object_store::Error> for ObjectError {
    fn from(error: object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { .. } => Self::Missing,
            other => Self::Away(other.to_string()),
        }
    }
}

impl Site {
    /// The object stores with files of pictures.
    #[must_use]
    pub fn objects(&self) -> &Objects {
        self.part()
    }
}

impl Objects {
    /// Nothing is asked yet: a store that is away keeps no site from starting.
    ///
    /// # Errors
    /// [`StartError::Value`] for variables with which no store can be reached.
    pub fn new(place: Option<MediaUrl>, variables: AwsVariables) -> Result<Self, StartError> {
        let objects = Self {
            place,
            variables,
            buckets: Mutex::default(),
            queue: Semaphore::new(QUEUE),
            reading: Semaphore::new(READING),
            writing: Semaphore::new(WRITING),
            said_at: Mutex::default(),
        };
        if let Some(place) = &objects.place {
            objects
                .bucket(place.bucket())
                .map_err(|error| StartError::Value { setting: "media.url", problem: error.to_string() })?;
        }
        Ok(objects)
    }

    /// Where the files of new pictures go, if not into the database.
    #[must_use]
    pub fn place(&self) -> Option<&MediaUrl> {
        self.place.as_ref()
    }

    /// Reads an object. It takes a few seconds at most.
    ///
    /// # Errors
    /// [`ObjectError`]
    pub async fn read(&self, url: &ObjectUrl) -> Result<Bytes, ObjectError> {
        let reading = async {
            let _queued = self.queue.try_acquire().map_err(|_| too_many())?;
            let _place = timeout(READ_WAIT, self.reading.acquire()).await.map_err(|_| too_many())?;
            let bucket = self.bucket(url.bucket())?;
            in_time(READ_TIME, async {
                let object = bucket.get(url.key()).await?;
                if object.meta.size > MAX_MADE as u64 {
                    return Err(ObjectError::Away(format!("{url} has {} bytes", object.meta.size)));
                }
                Ok(object.bytes().await?)
            })
            .await
        };
        self.say(reading.await)
    }

    /// Writes a new object.
    ///
    /// # Errors
    /// [`ObjectError::Away`]; whether it was written is not known then.
    pub async fn write(&self, url: &ObjectUrl, body: Bytes) -> Result<(), ObjectError> {
        let writing = async {
            let _place = timeout(WRITE_WAIT, self.writing.acquire()).await.map_err(|_| too_many())?;
            let bucket = self.bucket(url.bucket())?;
            let mut attributes = Attributes::new();
            let name = url.key().filename().unwrap_or_default();
            if let Some(media_type) = address::media_type(name) {
                attributes.insert(Attribute::ContentType, media_type.into());
            }
            let options = PutOptions { attributes, ..PutOptions::default() };
            in_time(WRITE_TIME, async {
                bucket.put_opts(url.key(), body.into(), options).await?;
                Ok(())
            })
            .await
        };
        self.say(writing.await)
    }

    /// Removes an object; one that is not there is removed already.
    ///
    /// # Errors
    /// [`ObjectError::Away`]
    pub async fn remove(&self, url: &ObjectUrl) -> Result<(), ObjectError> {
        let removing = async {
            let _place = timeout(WRITE_WAIT, self.writing.acquire()).await.map_err(|_| too_many())?;
            let bucket = self.bucket(url.bucket())?;
            in_time(REMOVE_TIME, async {
                match bucket.delete(url.key()).await.map_err(ObjectError::from) {
                    Err(ObjectError::Missing) => Ok(()),
                    outcome => outcome,
                }
            })
            .await
        };
        self.say(removing.await)
    }

    /// Asks the store of new pictures for an object that is not there.
    ///
    /// # Errors
    /// [`ObjectError::Away`]
    async fn ask(&self, place: &MediaUrl) -> Result<(), ObjectError> {
        let bucket = self.bucket(place.bucket())?;
        let nothing = format!("{}is-anybody-there", place.start());
        let nothing =
            ObjectUrl::from_stored(&nothing).map_err(|error| ObjectError::Away(error.to_string()))?;
        match in_time(READ_TIME, async { Ok(bucket.head(nothing.key()).await?) }).await {
            Err(error @ ObjectError::Away(_)) => Err(error),
            Ok(_) | Err(ObjectError::Missing) => Ok(()),
        }
    }

    /// The client of a bucket. It keeps its connections.
    fn bucket(&self, name: &str) -> Result<Arc<AmazonS3>, ObjectError> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = buckets.get(name) {
            return Ok(Arc::clone(bucket));
        }
        let mut builder = AmazonS3Builder::new();
        // As `AmazonS3Builder::from_env` does it.
        for (variable, value) in &self.variables.0 {
            if let Ok(key) = variable.to_ascii_lowercase().parse() {
                builder = builder.with_config(key, value.expose_secret());
            }
        }
        let backoff = BackoffConfig {
            init_backoff: Duration::from_millis(50),
            max_backoff: Duration::from_millis(500),
            base: 2.,
        };
        let bucket = builder
            .with_bucket_name(name)
            .with_http_connector(Connector)
            .with_retry(RetryConfig { backoff, max_retries: RETRIES, retry_timeout: WRITE_TIME })
            // Not every server can remove several at once.
            .with_disable_bulk_delete(true)
            .build()?;
        Ok(Arc::clone(buckets.entry(name.to_owned()).or_insert(Arc::new(bucket))))
    }

    /// Lets the log say, now and then, why the store is away.
    fn say<T>(&self, outcome: Result<T, ObjectError>) -> Result<T, ObjectError> {
        if let Err(ObjectError::Away(error)) = &outcome {
            let mut said_at = self.said_at.lock().unwrap_or_else(PoisonError::into_inner);
            if said_at.is_none_or(|at| at.elapsed() >= SAID_EVERY) {
                *said_at = Some(Instant::now());
                tracing::warn!(error, "the object store of the pictures does not answer as it should");
            }
        }
        outcome
    }
}

fn too_many() -> ObjectError {
    ObjectError::Away("too many files wait for it".to_owned())
}

async fn in_time<T>(
    time: Duration,
    work: impl Future<Output = Result<T, ObjectError>>,
) -> Result<T, ObjectError> {
    let late = || ObjectError::Away(format!("no answer within {} s", time.as_secs()));
    timeout(time, work).await.map_err(|_| late())?
}

/// Asks the object store once, and lets the log say whether it answers. The site is
/// served meanwhile, and if it does not.
pub async fn say_whether_it_answers(site: Site) {
    let Some(place) = site.objects().place() else { return };
    match site.objects().ask(place).await {
        Ok(()) => tracing::info!(%place, "the object store of the pictures answers"),
        Err(error) => tracing::error!(
            %place, %error,
            "the object store of the pictures does not answer as it should: the site is served without them"
        ),
    }
}
