//! The keys that seal: read from their source, made when they are missing.

use std::{
    fs,
    io::{self, Write},
    path::Path,
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::{
    config::{SecretKeyError, SecretKeySource},
    credentials::secret_bits::SecretBits,
    database::require_regular,
};

/// Keys that are read from one source at most: the one that seals, and older ones.
const MAX_KEYS: usize = 8;

/// Tells keys apart in what they have sealed. It says nothing of the key.
pub(super) type KeyId = [u8; 8];

/// A key of 256 bits.
pub(super) struct SealKey {
    pub(super) id: KeyId,
    pub(super) cipher: XChaCha20Poly1305,
    bits: SecretBits,
}

impl SealKey {
    fn of(bits: SecretBits) -> Self {
        let hash = Sha256::new().chain_update(b"byline secret key id").chain_update(bits.expose()).finalize();
        let mut id = KeyId::default();
        id.copy_from_slice(&hash[..8]);
        Self { id, cipher: XChaCha20Poly1305::new(bits.expose().into()), bits }
    }

    fn random() -> Result<Self, SecretKeyError> {
        SecretBits::random().map(Self::of).map_err(|error| SecretKeyError::Database(error.to_string()))
    }

    fn line(&self) -> SecretString {
        format!("{}\n", BASE64_STANDARD.encode(self.bits.expose())).into()
    }
}

/// The keys of a source, the one that seals first; none where none is configured.
/// A missing file beside the database is made.
pub(super) fn load(source: &SecretKeySource) -> Result<Vec<SealKey>, SecretKeyError> {
    match source {
        SecretKeySource::Nowhere => Ok(Vec::new()),
        SecretKeySource::Given(keys) => parse(keys, source),
        SecretKeySource::Named(path) => read(path, source),
        SecretKeySource::BesideDatabase(path) => {
            if !path.exists() {
                make(path).map_err(file_error(path))?;
            }
            read(path, source)
        }
    }
}

fn file_error(path: &Path) -> impl Fn(io::Error) -> SecretKeyError + '_ {
    move |cause| SecretKeyError::File { path: path.display().to_string(), cause }
}

fn read(path: &Path, source: &SecretKeySource) -> Result<Vec<SealKey>, SecretKeyError> {
    // It is read again while the site is served, which nothing may keep waiting.
    let text = require_regular(path).and_then(|()| fs::read_to_string(path));
    let text = text.map_err(|cause| match cause.kind() {
        io::ErrorKind::NotFound => SecretKeyError::Missing { path: path.display().to_string() },
        _ => file_error(path)(cause),
    })?;
    let text = SecretString::from(text);
    warn_of_readers(path);
    parse(&text, source)
}

fn parse(text: &SecretString, source: &SecretKeySource) -> Result<Vec<SealKey>, SecretKeyError> {
    let malformed = || SecretKeyError::Malformed { place: source.to_string() };
    let key = |word: &str| {
        let bytes = BASE64_STANDARD.decode(word).map_err(|_| malformed())?;
        SecretBits::from_bytes(bytes).map(SealKey::of).ok_or_else(malformed)
    };
    let keys: Vec<_> =
        text.expose_secret().split_whitespace().take(MAX_KEYS).map(key).collect::<Result<_, _>>()?;
    if keys.is_empty() { Err(malformed()) } else { Ok(keys) }
}

/// Makes a file with a new key, unless another process is faster.
fn make(path: &Path) -> io::Result<()> {
    let key = SealKey::random().map_err(io::Error::other)?;
    let other = format!("{}.{}", path.display(), uuid::Uuid::new_v4());
    let other = Path::new(&other);
    let made = write_privately(other, &key.line()).and_then(|()| match fs::hard_link(other, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    });
    fs::remove_file(other)?;
    made.and_then(|()| sync_folder(path))
}

/// Puts a new key before those of the file, and keeps one older key, so that a
/// process that is still using it can be understood.
pub(super) fn rotate(path: &Path, source: &SecretKeySource) -> Result<(), SecretKeyError> {
    let mut keys = vec![SealKey::random()?];
    keys.extend(read(path, source)?.into_iter().take(1));
    write(path, &keys)
}

/// Writes a file with these keys; one that is there is replaced as a whole.
pub(super) fn write(path: &Path, keys: &[SealKey]) -> Result<(), SecretKeyError> {
    let lines: SecretString =
        keys.iter().map(|key| key.line().expose_secret().to_owned()).collect::<String>().into();
    let other = format!("{}.{}", path.display(), uuid::Uuid::new_v4());
    let other = Path::new(&other);
    write_privately(other, &lines)
        .and_then(|()| fs::rename(other, path))
        .and_then(|()| sync_folder(path))
        .map_err(file_error(path))
}

#[cfg(unix)]
fn write_privately(path: &Path, text: &SecretString) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;

    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.expose_secret().as_bytes())?;
    file.sync_all()
}

#[cfg(not(unix))]
fn write_privately(path: &Path, text: &SecretString) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(text.expose_secret().as_bytes())?;
    file.sync_all()
}

/// The name of a new file is on the disk only then.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::File::open(folder)?.sync_all()
}

/// A key that everybody on the machine can read protects little.
fn warn_of_readers(path: &Path) {
    if can_be_read_by_everybody(path) {
        tracing::warn!("everybody on this machine can read {}: set its mode to 0600", path.display());
    }
}

/// Whether everybody on this machine can read or change a file.
#[cfg(unix)]
#[must_use]
pub fn can_be_read_by_everybody(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;

    fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o007 != 0)
}

/// Not known on this system.
#[cfg(not(unix))]
#[must_use]
pub fn can_be_read_by_everybody(_: &Path) -> bool {
    false
}

/// How long the keys are not read again, however many unknown ones are asked for.
pub(super) const RELOAD: Duration = Duration::from_secs(1);
