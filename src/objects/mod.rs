//! Object stores: S3, or servers that are spoken to in the same way. The variables `AWS_…`
//! say how they are reached.
//!
//! `media` keeps files of pictures there, `ops` backups. Every wait for a store has an end.

mod connector;
mod url;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::body::Bytes;
use object_store::{
    BackoffConfig, ObjectStoreExt, RetryConfig,
    aws::{AmazonS3, AmazonS3Builder},
};
use secrecy::ExposeSecret;
use tokio::time::timeout;

use self::connector::Connector;
use crate::config::AwsVariables;

pub use connector::Completion;
pub use url::ObjectUrl;

/// How often a request is sent again after a failure that may pass.
const RETRIES: usize = 3;
/// No request is sent again after that time.
const RETRY_TIME: Duration = Duration::from_secs(10);

/// Why an object was not read, written or removed, in words for whoever runs the site.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    #[error("the object store has no such object")]
    Missing,
    #[error("the object store has no such bucket; make it, or correct its name")]
    NoBucket,
    /// The store knows the key, or not, and does not let it do this.
    #[error(
        "the object store refuses this key; look at AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and at what the key may do ({0})"
    )]
    Refused(String),
    /// There is one already, and none was to be replaced.
    #[error("the object store has such an object already")]
    Exists,
    /// The store does not answer in time, or not as it should.
    #[error(
        "the object store does not answer as it should; look whether it runs, and at AWS_ENDPOINT_URL ({0})"
    )]
    Away(String),
    /// The variables `AWS_…` reach no store.
    #[error("{0}")]
    Variables(String),
}

impl From<object_store::Error> for ObjectError {
    fn from(error: object_store::Error) -> Self {
        use object_store::Error;

        match error {
            // Both are 404; only the text of the answer says which.
            Error::NotFound { source, .. } if source.to_string().contains("NoSuchBucket") => Self::NoBucket,
            Error::NotFound { .. } => Self::Missing,
            Error::PermissionDenied { source, .. } | Error::Unauthenticated { source, .. } => {
                Self::Refused(reason(&source.to_string()))
            }
            Error::AlreadyExists { .. } | Error::Precondition { .. } => Self::Exists,
            other => Self::Away(reason(&other.to_string())),
        }
    }
}

/// What the store has said, in one line: the code in its answer, if there is one.
fn reason(text: &str) -> String {
    let code = text.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
    match code {
        Some((code, _)) => format!("it says {code}"),
        None => text.split_whitespace().collect::<Vec<_>>().join(" "),
    }
}

/// Clients of object stores, one for each bucket. They keep their connections, which belong
/// to the runtime that they were made in: another runtime needs clients of its own.
#[derive(Debug)]
pub struct Stores {
    variables: AwsVariables,
    buckets: Mutex<HashMap<(String, Completion), Arc<AmazonS3>>>,
}

impl Stores {
    /// Nothing is asked yet.
    #[must_use]
    pub fn new(variables: AwsVariables) -> Self {
        Self { variables, buckets: Mutex::default() }
    }

    /// The client of a bucket.
    ///
    /// # Errors
    /// [`ObjectError::Variables`] if they reach no store.
    pub fn bucket(&self, name: &str) -> Result<Arc<AmazonS3>, ObjectError> {
        self.client(name, Completion::Replaces)
    }

    /// As [`Self::bucket`]; what the end of an upload of several parts does with an object
    /// that is there already.
    ///
    /// # Errors
    /// As [`Self::bucket`].
    pub fn client(&self, name: &str, completion: Completion) -> Result<Arc<AmazonS3>, ObjectError> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (name.to_owned(), completion);
        if let Some(bucket) = buckets.get(&key) {
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
            .with_http_connector(Connector(completion))
            .with_retry(RetryConfig { backoff, max_retries: RETRIES, retry_timeout: RETRY_TIME })
            // Not every server can remove several at once.
            .with_disable_bulk_delete(true)
            .build()
            .map_err(|error| ObjectError::Variables(error.to_string()))?;
        Ok(Arc::clone(buckets.entry(key).or_insert(Arc::new(bucket))))
    }

    /// Reads an object of `most` bytes at most, within `time`. A longer one is none that
    /// Byline has written, and counts as missing.
    ///
    /// # Errors
    /// [`ObjectError`]
    pub async fn read(&self, url: &ObjectUrl, most: usize, time: Duration) -> Result<Bytes, ObjectError> {
        let bucket = self.bucket(url.bucket())?;
        in_time(time, async {
            let object = bucket.get(url.key()).await?;
            if object.meta.size > most as u64 {
                tracing::warn!(%url, bytes = object.meta.size, "an object is longer than Byline writes them");
                return Err(ObjectError::Missing);
            }
            Ok(object.bytes().await?)
        })
        .await
    }

    /// Removes an object, within `time`; one that is not there is removed already.
    ///
    /// # Errors
    /// [`ObjectError`]
    pub async fn remove(&self, url: &ObjectUrl, time: Duration) -> Result<(), ObjectError> {
        let bucket = self.bucket(url.bucket())?;
        in_time(time, async {
            match bucket.delete(url.key()).await.map_err(ObjectError::from) {
                Err(ObjectError::Missing) => Ok(()),
                outcome => outcome,
            }
        })
        .await
    }
}

/// Waits so long for the answer of a store.
///
/// # Errors
/// [`ObjectError::Away`] if it takes longer.
pub async fn in_time<T>(
    time: Duration,
    work: impl Future<Output = Result<T, ObjectError>>,
) -> Result<T, ObjectError> {
    let late = || ObjectError::Away(format!("no answer within {} s", time.as_secs()));
    timeout(time, work).await.map_err(|_| late())?
}
