//! Backups in an object store.
//!
//! A backup is made and verified on this machine, and then uploaded in parts. An object is
//! there only when all of its parts are, so nothing half-made is ever seen. What is there is
//! read back and compared, and only then is the backup made.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::body::Bytes;
use futures::StreamExt;
use object_store::{
    ObjectStoreExt, PutPayload,
    aws::AmazonS3,
    multipart::{MultipartStore, PartId},
};
use sha2::{Digest, Sha256};
use tokio::time::sleep;

use super::{
    encryption::HEAD,
    file,
    location::Location,
    manifest::{BackupError, Packed},
};
use crate::{
    database::owner_only,
    objects::{Completion, ObjectError, ObjectUrl, Stores, in_time},
    text::hex,
};

/// The longest time for a question whose answer is short.
const ASK_TIME: Duration = Duration::from_secs(15);
/// Bytes of a part, unless the backup is so long that its parts have to be longer. One is in
/// memory at a time.
const PART: u64 = 8 << 20;
/// S3 takes so many parts.
const PARTS: u64 = 10_000;
/// The longest time for a part of [`PART`] bytes; longer ones get as much more. The whole
/// upload has no limit, because it is as long as the site is large.
const PART_TIME: Duration = Duration::from_secs(120);
/// The pauses after which a part is sent again.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];
/// The longest time until a store has put the parts together.
const COMPLETE_TIME: Duration = Duration::from_secs(600);
/// The longest time until the next bytes arrive.
const IDLE_TIME: Duration = Duration::from_secs(60);
/// The longest time for the end of an upload that is given up.
const ABORT_TIME: Duration = Duration::from_secs(2);

/// The upload that is under way, for whoever has to give it up.
#[derive(Clone, Debug, Default)]
pub struct Uploading(Arc<Mutex<Option<Upload>>>);

#[derive(Clone, Debug)]
struct Upload {
    client: Arc<AmazonS3>,
    url: ObjectUrl,
    id: String,
}

impl Uploading {
    fn set(&self, upload: Option<Upload>) -> Option<Upload> {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *current, upload)
    }

    /// Lets the store forget the parts of an upload that is not finished. A store that does
    /// not answer keeps them, until a rule of the bucket ends incomplete uploads.
    pub(super) async fn abort(&self) {
        let Some(Upload { client, url, id }) = self.set(None) else { return };
        let abort = async { Ok(client.abort_multipart(url.key(), &id).await?) };
        if let Err(error) = in_time(ABORT_TIME, abort).await {
            tracing::warn!(
                %url, %error,
                "the parts of an upload that failed could not be removed; let a rule of the bucket end incomplete uploads"
            );
        }
    }
}

/// The bytes of an object, and whether it begins as a backup does. `None` if there is none.
///
/// # Errors
/// [`ObjectError`]
pub(super) async fn find(stores: &Stores, url: &ObjectUrl) -> Result<Option<(u64, bool)>, ObjectError> {
    let client = stores.bucket(url.bucket())?;
    let asked = in_time(ASK_TIME, async { Ok(client.head(url.key()).await?) }).await;
    let bytes = match asked {
        Ok(found) => found.size,
        Err(ObjectError::Missing) => {
            // The answer to a HEAD has no body, which would say that the bucket is missing.
            let asked = in_time(ASK_TIME, async { Ok(client.get(url.key()).await?) }).await;
            return match asked {
                Ok(_) | Err(ObjectError::Missing) => Ok(None),
                Err(error) => Err(error),
            };
        }
        Err(error) => return Err(error),
    };
    if bytes == 0 {
        return Ok(Some((0, false)));
    }
    let head = async { Ok(client.get_range(url.key(), 0..bytes.min(HEAD)).await?) };
    Ok(Some((bytes, file::begins_as_backup(&in_time(ASK_TIME, head).await?))))
}

/// Refuses an object that is not to be replaced, before a backup is made in vain.
///
/// # Errors
/// [`BackupError`]
pub(super) async fn may_be_written(
    stores: &Stores,
    url: &ObjectUrl,
    replace: bool,
) -> Result<(), BackupError> {
    let location = || Location::Object(url.clone());
    match find(stores, url).await.map_err(|cause| BackupError::store(url, cause))? {
        None => Ok(()),
        Some(_) if !replace => Err(BackupError::Exists(location())),
        Some((_, true)) => Ok(()),
        Some((_, false)) => Err(BackupError::NotReplaced(location())),
    }
}

/// Uploads a verified backup, and reads it back.
///
/// Unless it replaces another, the store is asked to refuse the end of the upload if there
/// is an object of this name. S3 does that. A server that does not know this replaces what
/// somebody else has put there since [`may_be_written`].
///
/// # Errors
/// [`BackupError`]; then the object is not there, except for [`BackupError::NotReadBack`].
pub(super) async fn upload(
    stores: &Stores,
    (backup, packed): (&Path, &Packed),
    url: &ObjectUrl,
    replace: bool,
    uploading: &Uploading,
) -> Result<(), BackupError> {
    let failed = |cause| BackupError::store(url, cause);
    let completion = if replace { Completion::Replaces } else { Completion::NeverReplaces };
    let client = stores.client(url.bucket(), completion).map_err(failed)?;
    let begin = async { Ok(client.create_multipart(url.key()).await?) };
    let id = in_time(ASK_TIME, begin).await.map_err(failed)?;
    uploading.set(Some(Upload { client: Arc::clone(&client), url: url.clone(), id: id.clone() }));
    let parts = match send(&client, (backup, packed.bytes), url, &id).await {
        Ok(parts) => parts,
        Err(error) => {
            uploading.abort().await;
            return Err(error);
        }
    };
    let mut completed = complete(&client, url, &id, parts.clone()).await;
    if let Err(ObjectError::Away(problem)) = &completed
        && is_not_implemented(problem)
    {
        // This server cannot refuse. That there was no such object was asked before.
        let client = stores.bucket(url.bucket()).map_err(failed)?;
        completed = complete(&client, url, &id, parts).await;
    }
    // The local file was unpacked and compared with its manifest after its hash was
    // computed. If what the store gives back has this length and this SHA-256, it is the same
    // file, and everything that was found in the one is in the other.
    let read_back = read(stores, url, Some(packed.bytes), |_| Ok(())).await;
    let is_same = read_back
        .as_ref()
        .is_ok_and(|(bytes, sha256)| (*bytes, sha256.as_str()) == (packed.bytes, packed.sha256.as_str()));
    match completed {
        // Also where the answer of the store was lost, and it was asked again.
        _ if is_same => {
            uploading.set(None);
            Ok(())
        }
        Ok(()) => {
            uploading.set(None);
            match read_back {
                Err(cause) => Err(BackupError::NotReadBack { url: url.clone(), cause }),
                Ok(_) => {
                    let removed = stores.remove(url, ASK_TIME).await;
                    if let Err(error) = removed {
                        tracing::warn!(%url, %error, "an object that is no whole backup could not be removed");
                    }
                    let what = "the object store gives back other bytes than it was sent".to_owned();
                    Err(BackupError::Damaged { at: Location::Object(url.clone()), what })
                }
            }
        }
        Err(cause) => {
            uploading.abort().await;
            Err(match cause {
                ObjectError::Exists => BackupError::Exists(Location::Object(url.clone())),
                cause => BackupError::store(url, cause),
            })
        }
    }
}

async fn complete(
    client: &AmazonS3,
    url: &ObjectUrl,
    id: &String,
    parts: Vec<PartId>,
) -> Result<(), ObjectError> {
    in_time(COMPLETE_TIME, async { Ok(client.complete_multipart(url.key(), id, parts).await.map(drop)?) })
        .await
}

/// Whether a server says that it does not know a header.
fn is_not_implemented(problem: &str) -> bool {
    problem.contains("NotImplemented") || problem.contains("501 Not Implemented")
}

/// Sends part after part.
async fn send(
    client: &AmazonS3,
    (backup, bytes): (&Path, u64),
    url: &ObjectUrl,
    id: &String,
) -> Result<Vec<PartId>, BackupError> {
    let length = part_length(bytes);
    let time = PART_TIME.saturating_mul(u32::try_from(length / PART).unwrap_or(u32::MAX));
    let mut parts = Vec::new();
    for (index, start) in (0..bytes).step_by(usize::try_from(length).unwrap_or(usize::MAX)).enumerate() {
        let file = backup.to_owned();
        let read = tokio::task::spawn_blocking(move || read_part(&file, start, length)).await;
        let part = read.unwrap_or_else(|ended| Err(io::Error::other(ended)));
        let part = part.map_err(|cause| BackupError::read(&Location::File(backup.to_owned()), cause))?;
        let mut pauses = PAUSES.into_iter();
        let sent = loop {
            let payload = PutPayload::from(part.clone());
            let sending = async { Ok(client.put_part(url.key(), id, index, payload).await?) };
            match (in_time(time, sending).await, pauses.next()) {
                (Err(ObjectError::Away(_)), Some(pause)) => sleep(pause).await,
                (outcome, _) => break outcome,
            }
        };
        parts.push(sent.map_err(|cause| BackupError::store(url, cause))?);
    }
    Ok(parts)
}

/// Bytes of each part but the last of a backup of so many bytes.
fn part_length(bytes: u64) -> u64 {
    bytes.div_ceil(PARTS).div_ceil(PART).max(1) * PART
}

fn read_part(file: &Path, start: u64, length: u64) -> io::Result<Bytes> {
    let mut file = File::open(file)?;
    file.seek(SeekFrom::Start(start))?;
    let mut part = Vec::new();
    file.take(length).read_to_end(&mut part)?;
    Ok(part.into())
}

/// Reads a whole object; its bytes and their SHA-256 in hexadecimal digits. If only one of
/// that length is wanted, another is not read, and has no hash.
async fn read(
    stores: &Stores,
    url: &ObjectUrl,
    wanted: Option<u64>,
    mut each: impl FnMut(&[u8]) -> Result<(), ObjectError>,
) -> Result<(u64, String), ObjectError> {
    let client = stores.bucket(url.bucket())?;
    let object = in_time(ASK_TIME, async { Ok(client.get(url.key()).await?) }).await?;
    if wanted.is_some_and(|wanted| wanted != object.meta.size) {
        return Ok((object.meta.size, String::new()));
    }
    let mut chunks = object.into_stream();
    let (mut bytes, mut sha256) = (0, Sha256::new());
    while let Some(chunk) = in_time(IDLE_TIME, async { Ok(chunks.next().await.transpose()?) }).await? {
        bytes += chunk.len() as u64;
        sha256.update(&chunk);
        each(&chunk)?;
    }
    Ok((bytes, hex(&sha256.finalize())))
}

/// Writes an object into a new file.
///
/// # Errors
/// [`BackupError`]
pub(super) async fn download(stores: &Stores, url: &ObjectUrl, into: &Path) -> Result<(), BackupError> {
    let location = Location::Object(url.clone());
    let failed = |cause| BackupError::read(&location, cause);
    let mut options = std::fs::OpenOptions::new();
    let mut file = owner_only(options.write(true).create_new(true)).open(into).map_err(failed)?;
    let mut problem = None;
    let written = read(stores, url, None, |chunk| {
        file.write_all(chunk).map_err(|cause| {
            problem = Some(cause);
            ObjectError::Missing
        })
    })
    .await;
    match (written, problem) {
        (_, Some(cause)) => Err(failed(cause)),
        (Err(cause), None) => Err(BackupError::store(url, cause)),
        (Ok(_), None) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_has_no_more_parts_than_s3_takes() {
        for bytes in [1, PART, PART + 1, PART * PARTS, PART * PARTS + 1, 5 << 40] {
            let length = part_length(bytes);
            assert!(length.is_multiple_of(PART) && bytes.div_ceil(length) <= PARTS, "{bytes}: {length}");
        }
        assert_eq!(part_length(PART * PARTS), PART);
    }
}
