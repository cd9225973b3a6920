//! The file of a backup: a tar file, compressed by zstd, with a seal at its end.
//!
//! `zstd -d` and `tar` open it too. The seal is a frame that zstd skips: the SHA-256
//! of every byte before it. So any byte that has changed is found.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufReader, Read, Seek, Write},
    path::Path,
};

use sha2::{Digest, Sha256};

use super::{
    encryption::{self, Identity, Keys, Output},
    location::Location,
    manifest::{BackupError, Manifest, Packed},
};
use crate::{database::owner_only, text::hex};

/// The first entry, which describes the others.
const MANIFEST: &str = "manifest.json";
/// The database, a file of SQLite.
pub(super) const DATABASE: &str = "byline.db";
/// The key of what is sealed in it, if it was asked for.
pub(super) const KEY: &str = "byline.db.key";
/// The entries in their order.
const KNOWN: [&str; 2] = [DATABASE, KEY];

/// The beginning of whatever zstd makes.
const ZSTD: [u8; 4] = 0xFD2F_B528_u32.to_le_bytes();
/// A frame that zstd skips (RFC 8878, 3.1.2), of 32 bytes.
const SEAL: [u8; 8] = [0x5E, 0x2A, 0x4D, 0x18, 32, 0, 0, 0];
const SEAL_LENGTH: u64 = SEAL.len() as u64 + 32;
const LEVEL: i32 = 3;
/// Bytes of a manifest at most.
const MANIFEST_LENGTH: u64 = 1 << 20;

/// Reads the file in the folder to its end.
///
/// # Errors
/// What the disk says.
pub(super) fn describe(folder: &Path, name: &str) -> io::Result<Packed> {
    let mut reader = HashedReader::new(File::open(folder.join(name))?);
    let bytes = io::copy(&mut reader, &mut io::sink())?;
    Ok(Packed { name: name.to_owned(), bytes, sha256: reader.sha256() })
}

/// Writes a new file, encrypted for `keys` if there are any, and returns once it is on the
/// disk.
pub(super) fn pack(manifest: &Manifest, folder: &Path, into: &Path, keys: Option<&Keys>) -> io::Result<()> {
    let described = serde_json::to_vec_pretty(manifest)?;
    let writer = HashedWriter { inner: Output::new(into, keys)?, sha256: Sha256::new() };
    let mut tar = tar::Builder::new(zstd::Encoder::new(writer, LEVEL)?);
    let mut add = |name: &str, bytes: u64, content: &mut dyn Read| {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes);
        header.set_mode(0o600);
        header.set_mtime(u64::try_from(manifest.made_at.millis() / 1000).unwrap_or(0));
        tar.append_data(&mut header, name, content)
    };
    add(MANIFEST, described.len() as u64, &mut described.as_slice())?;
    for packed in &manifest.files {
        let content = File::open(folder.join(&packed.name))?;
        add(&packed.name, packed.bytes, &mut content.take(packed.bytes))?;
    }
    let mut writer = tar.into_inner()?.finish()?;
    writer.write_all(&SEAL)?;
    let HashedWriter { mut inner, sha256 } = writer;
    inner.write_all(&sha256.finalize())?;
    inner.finish()
}

/// Checks every byte of the backup, and writes its files into the folder. If it is
/// encrypted, one of the identities has to open it. `at` is where the backup is for people:
/// `backup` may be a local copy.
pub(super) fn unpack(
    backup: &Path,
    at: &Location,
    folder: &Path,
    identities: &[Identity],
) -> Result<Manifest, BackupError> {
    let failed = |cause| BackupError::read(at, cause);
    if !encryption::is_encrypted(backup).map_err(failed)? {
        return unpack_open(File::open(backup).map_err(failed)?, at, folder);
    }
    let open = folder.join("decrypted");
    encryption::decrypt(backup, at, &open, identities)?;
    let manifest = unpack_open(File::open(&open).map_err(failed)?, at, folder)?;
    fs::remove_file(open).map_err(failed)?;
    Ok(manifest)
}

fn unpack_open(mut file: File, at: &Location, folder: &Path) -> Result<Manifest, BackupError> {
    let failed = |cause| BackupError::read(at, cause);
    let damaged = |what: &str| BackupError::Damaged { at: at.clone(), what: what.to_owned() };
    let content = check_seal(&mut file, at)?;
    file.rewind().map_err(failed)?;
    let zstd = zstd::Decoder::new(file.take(content)).map_err(failed)?;
    let mut archive = tar::Archive::new(zstd);
    let entries = archive.entries().map_err(failed)?;
    let mut manifest: Option<Manifest> = None;
    let mut unpacked = 0;
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let name = entry.path_bytes().into_owned();
        let Some(manifest) = &manifest else {
            if name != MANIFEST.as_bytes() {
                return Err(BackupError::Foreign(at.clone()));
            }
            let read: Manifest = serde_json::from_reader(entry.take(MANIFEST_LENGTH))
                .map_err(|_| damaged("its manifest cannot be read"))?;
            if read.format != Manifest::FORMAT {
                return Err(BackupError::Newer { at: at.clone(), byline: read.byline });
            }
            manifest = Some(read);
            continue;
        };
        let expected = manifest.files.get(unpacked).filter(|file| file.name.as_bytes() == name);
        let expected = expected.filter(|file| KNOWN.get(unpacked) == Some(&file.name.as_str()));
        let Some(packed) = expected else {
            return Err(damaged("it has files that its manifest does not name"));
        };
        let mut options = OpenOptions::new();
        let new = owner_only(options.write(true).create_new(true)).open(folder.join(&packed.name));
        let mut new = new.map_err(failed)?;
        let mut reader = HashedReader::new(entry.take(packed.bytes.saturating_add(1)));
        let bytes = io::copy(&mut reader, &mut new).map_err(failed)?;
        if bytes != packed.bytes || reader.sha256() != packed.sha256 {
            return Err(damaged("a file in it is not what its manifest says"));
        }
        unpacked += 1;
    }
    let manifest = manifest.ok_or_else(|| BackupError::Foreign(at.clone()))?;
    if unpacked == 0 || unpacked != manifest.files.len() {
        return Err(damaged("a file that its manifest names is missing"));
    }
    Ok(manifest)
}

/// Whether what begins so may be replaced, because a backup does.
pub(super) fn begins_as_backup(head: &[u8]) -> bool {
    head.starts_with(&ZSTD) || encryption::is_encrypted_backup(head)
}

/// Checks the seal; the length of what is before it.
fn check_seal(file: &mut File, at: &Location) -> Result<u64, BackupError> {
    let failed = |cause| BackupError::read(at, cause);
    let length = file.metadata().map_err(failed)?.len();
    let mut start = Vec::new();
    Read::by_ref(file).take(ZSTD.len() as u64).read_to_end(&mut start).map_err(failed)?;
    if start != ZSTD {
        return Err(BackupError::Foreign(at.clone()));
    }
    let Some(content) = length.checked_sub(SEAL_LENGTH) else {
        return Err(BackupError::CutOff(at.clone()));
    };
    file.rewind().map_err(failed)?;
    let mut reader = HashedReader::new(BufReader::with_capacity(1 << 16, &mut *file).take(content + 8));
    io::copy(&mut reader, &mut io::sink()).map_err(failed)?;
    let sha256 = reader.sha256.finalize();
    file.seek(io::SeekFrom::Start(content)).map_err(failed)?;
    let mut end = Vec::new();
    Read::by_ref(file).take(SEAL_LENGTH + 1).read_to_end(&mut end).map_err(failed)?;
    match end.split_at_checked(SEAL.len()) {
        Some((seal, hash)) if seal == SEAL && hash == sha256.as_slice() => Ok(content),
        Some((seal, _)) if seal != SEAL => Err(BackupError::CutOff(at.clone())),
        _ => {
            let what = "its bytes have changed since it was made".to_owned();
            Err(BackupError::Damaged { at: at.clone(), what })
        }
    }
}

struct HashedWriter {
    inner: Output,
    sha256: Sha256,
}

impl Write for HashedWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.sha256.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

struct HashedReader<R> {
    inner: R,
    sha256: Sha256,
}

impl<R: Read> HashedReader<R> {
    fn new(inner: R) -> Self {
        Self { inner, sha256: Sha256::new() }
    }

    /// Of what was read, in hexadecimal digits.
    fn sha256(self) -> String {
        hex(&self.sha256.finalize())
    }
}

impl<R: Read> Read for HashedReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.sha256.update(&into[..read]);
        Ok(read)
    }
}
