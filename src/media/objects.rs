//! Files of pictures in an object store (setting `media.url`): S3, or a server that is
//! spoken to in the same way. A row of `media_objects` says where each file is, so files
//! of an earlier setting are still found.
//!
//! Every wait for the store has an end: a store that is away costs pictures, and nothing
//! else.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::body::Bytes;
use object_store::{Attribute, Attributes, ObjectStore, ObjectStoreExt, PutOptions};
use tokio::{sync::Semaphore, time::timeout};

use crate::{
    config::{AwsVariables, StartError, StoreUrl},
    database::internal,
    error::AppError,
    media::{
        address::{self, Hash},
        domain::MAX_MADE,
    },
    objects::{ObjectError, ObjectUrl, Stores, in_time},
    site::Site,
};

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
/// How often the log says that the store is away.
const SAID_EVERY: Duration = Duration::from_secs(10);

/// Seconds after which a reader may ask again.
const RETRY_AFTER: u32 = 5;

/// The object stores with files of pictures.
#[derive(Debug)]
pub struct Objects {
    place: Option<StoreUrl>,
    stores: Stores,
    queue: Semaphore,
    reading: Semaphore,
    writing: Semaphore,
    said_at: Mutex<Option<Instant>>,
}

impl From<ObjectError> for AppError {
    fn from(error: ObjectError) -> Self {
        match error {
            ObjectError::Missing => Self::NotFound,
            _ => Self::PicturesAway { retry_after: RETRY_AFTER },
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
    pub fn new(place: Option<StoreUrl>, variables: AwsVariables) -> Result<Self, StartError> {
        let objects = Self {
            place,
            stores: Stores::new(variables),
            queue: Semaphore::new(QUEUE),
            reading: Semaphore::new(READING),
            writing: Semaphore::new(WRITING),
            said_at: Mutex::default(),
        };
        if let Some(place) = &objects.place {
            objects
                .stores
                .bucket(place.bucket())
                .map_err(|error| StartError::Value { setting: "media.url", problem: error.to_string() })?;
        }
        Ok(objects)
    }

    /// Where the files of new pictures go, if not into the database.
    #[must_use]
    pub fn place(&self) -> Option<&StoreUrl> {
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
            self.stores.read(url, MAX_MADE, READ_TIME).await
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
            let bucket = self.stores.bucket(url.bucket())?;
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
            self.stores.remove(url, REMOVE_TIME).await
        };
        self.say(removing.await)
    }

    /// Asks the store of new pictures for an object that is not there.
    ///
    /// # Errors
    /// [`ObjectError::Away`]
    async fn ask(&self, place: &StoreUrl) -> Result<(), ObjectError> {
        let bucket = self.stores.bucket(place.bucket())?;
        let nothing = format!("{}is-anybody-there", place.start());
        let nothing =
            ObjectUrl::from_stored(&nothing).map_err(|error| ObjectError::Away(error.to_string()))?;
        match in_time(READ_TIME, async { Ok(bucket.head(nothing.key()).await?) }).await {
            Ok(_) | Err(ObjectError::Missing) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Lets the log say, now and then, why the store is away.
    fn say<T>(&self, outcome: Result<T, ObjectError>) -> Result<T, ObjectError> {
        if let Err(error) = &outcome
            && !matches!(error, ObjectError::Missing)
        {
            let mut said_at = self.said_at.lock().unwrap_or_else(PoisonError::into_inner);
            if said_at.is_none_or(|at| at.elapsed() >= SAID_EVERY) {
                *said_at = Some(Instant::now());
                tracing::warn!(%error, "the object store of the pictures does not answer as it should");
            }
        }
        outcome
    }
}

fn too_many() -> ObjectError {
    ObjectError::Away("too many files wait for it".to_owned())
}

/// The address of a new object: a file of that name, of the picture with that hash. No two
/// uploads have the same, so what one process removes, another cannot have uploaded again
/// meanwhile.
///
/// # Errors
/// [`AppError::Internal`] for a name that is none of a file.
pub fn new_object(place: &StoreUrl, hash: &Hash, name: &str) -> Result<ObjectUrl, AppError> {
    let wrong = || internal("an object gets no other name than that of a file");
    if address::media_type(name).is_none() {
        return Err(wrong());
    }
    let upload = uuid::Uuid::now_v7().simple();
    ObjectUrl::below(place, &format!("{}/{upload}/{name}", hash.as_str())).ok_or_else(wrong)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_below_the_prefix_and_no_two_uploads_have_the_same() {
        let place: StoreUrl = "s3://pictures/of/blog".parse().unwrap();
        let hash = Hash::of(b"a picture");
        let name = format!("{}-1x1.png", hash.as_str());
        let new = || new_object(&place, &hash, &name).unwrap();
        let (one, other) = (new(), new());
        assert_ne!(one, other);
        assert_eq!(one.bucket(), "pictures");
        let start = format!("s3://pictures/of/blog/{}/", hash.as_str());
        assert!(
            one.to_string().starts_with(&start) && one.to_string().ends_with(&format!("/{name}")),
            "{one}"
        );
        for name in ["../../x", "..", ".", "", "a/../../b", "/x", "a//b"] {
            assert!(new_object(&place, &Hash::of(b""), name).is_err(), "{name}");
        }
    }
}
