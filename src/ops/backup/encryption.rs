//! Encryption of a backup for whoever has a key of age (<https://age-encryption.org>).
//!
//! Whoever makes a backup has the public keys alone, and could not read it back. So each
//! backup is encrypted for one more key, which is made for it and thrown away once the
//! file on the disk was decrypted with it and verified.

use std::{
    collections::HashSet,
    fs::{File, OpenOptions},
    io::{self, BufReader, BufWriter, Read, Write},
    path::Path,
};

use age::{DecryptError, Decryptor, EncryptError, Encryptor, stream::StreamWriter};
use age_core::format::{FileKey, Stanza};

use super::{location::Location, manifest::BackupError};
use crate::{config::Recipient, database::owner_only};

/// What opens an encrypted backup.
pub type Identity = age::x25519::Identity;

/// The beginning of whatever age has encrypted.
const AGE: &[u8] = b"age-encryption.org/v1\n";
/// A line in the head of those that are backups. Other programs ignore what they do not know.
const MARK: &str = "byline-backup";
/// The mark is within so many bytes: each key takes 100.
pub(super) const HEAD: u64 = 1 << 16;

/// Who can open a backup.
#[derive(Clone)]
pub(super) struct Keys {
    recipients: Vec<Recipient>,
    /// Thrown away after the backup was read back.
    own: Identity,
}

impl Keys {
    /// `None` if nobody is named: then a backup is not encrypted.
    pub(super) fn of(recipients: &[Recipient]) -> Option<Self> {
        (!recipients.is_empty()).then(|| Self { recipients: recipients.to_vec(), own: Identity::generate() })
    }

    pub(super) fn own(&self) -> &Identity {
        &self.own
    }
}

/// Marks the file as a backup. It opens nothing.
struct Mark;

impl age::Recipient for Mark {
    fn wrap_file_key(&self, _: &FileKey) -> Result<(Vec<Stanza>, HashSet<String>), EncryptError> {
        let stanza = Stanza { tag: MARK.to_owned(), args: Vec::new(), body: Vec::new() };
        Ok((vec![stanza], HashSet::new()))
    }
}

/// A new file that is encrypted, or not.
pub(super) enum Output {
    Open(BufWriter<File>),
    Encrypted(StreamWriter<BufWriter<File>>),
}

impl Output {
    pub(super) fn new(path: &Path, keys: Option<&Keys>) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let file = BufWriter::new(owner_only(options.write(true).create_new(true)).open(path)?);
        let Some(keys) = keys else { return Ok(Self::Open(file)) };
        let own = keys.own.to_public();
        let recipients = keys.recipients.iter().map(|recipient| recipient as &dyn age::Recipient);
        let encryptor = Encryptor::with_recipients(recipients.chain([&own as &dyn age::Recipient, &Mark]));
        Ok(Self::Encrypted(encryptor.map_err(io::Error::other)?.wrap_output(file)?))
    }

    /// Returns once it is on the disk.
    pub(super) fn finish(self) -> io::Result<()> {
        let file = match self {
            Self::Open(file) => file,
            Self::Encrypted(stream) => stream.finish()?,
        };
        file.into_inner()?.sync_all()
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Open(file) => file.write(bytes),
            Self::Encrypted(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Open(file) => file.flush(),
            Self::Encrypted(stream) => stream.flush(),
        }
    }
}

/// Reads the keys in a file, as `age-keygen` writes it.
///
/// # Errors
/// [`BackupError`]
pub fn identities(file: &Path) -> Result<Vec<Identity>, BackupError> {
    let failed = |problem: String| BackupError::Identity { file: file.to_owned(), problem };
    let text = std::fs::read_to_string(file).map_err(|error| failed(error.to_string()))?;
    let lines = text.lines().enumerate().map(|(number, line)| (number + 1, line.trim()));
    let keys = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let parsed = keys.map(|(number, line)| {
        line.parse::<Identity>()
            .map_err(|_| failed(format!("line {number} is no secret key of age (AGE-SECRET-KEY-1…)")))
    });
    let parsed = parsed.collect::<Result<Vec<_>, _>>()?;
    if parsed.is_empty() { Err(failed("it has no key".to_owned())) } else { Ok(parsed) }
}

/// Whether a file was encrypted by age.
pub(super) fn is_encrypted(file: &Path) -> io::Result<bool> {
    Ok(head(file)?.starts_with(AGE))
}

/// Whether what begins so is a backup that was encrypted by [`Output`].
pub(super) fn is_encrypted_backup(head: &[u8]) -> bool {
    let mark = format!("\n-> {MARK}\n");
    head.starts_with(AGE) && head.windows(mark.len()).any(|line| line == mark.as_bytes())
}

/// The first [`HEAD`] bytes.
pub(super) fn head(file: &Path) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    File::open(file)?.take(HEAD).read_to_end(&mut head)?;
    Ok(head)
}

/// Decrypts a backup, which is at that location, into a new file.
pub(super) fn decrypt(
    backup: &Path,
    at: &Location,
    into: &Path,
    identities: &[Identity],
) -> Result<(), BackupError> {
    if identities.is_empty() {
        return Err(BackupError::NoIdentity(at.clone()));
    }
    let failed = |cause| BackupError::read(at, cause);
    let damaged = |what: &str| BackupError::Damaged { at: at.clone(), what: what.to_owned() };
    let file = BufReader::new(File::open(backup).map_err(failed)?);
    let identities = identities.iter().map(|identity| identity as &dyn age::Identity);
    let opened = Decryptor::new_buffered(file).and_then(|file| file.decrypt(identities));
    let mut stream = opened.map_err(|error| match error {
        DecryptError::NoMatchingKeys => BackupError::OtherIdentity(at.clone()),
        _ => damaged("the head of its encryption cannot be read"),
    })?;
    let mut options = OpenOptions::new();
    let new = owner_only(options.write(true).create_new(true)).open(into).map_err(failed)?;
    let mut new = BufWriter::new(new);
    io::copy(&mut stream, &mut new).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => damaged("its bytes have changed since it was made"),
        io::ErrorKind::UnexpectedEof => BackupError::CutOff(at.clone()),
        _ => failed(error),
    })?;
    new.flush().map_err(failed)
}
