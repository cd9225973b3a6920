//! Seals and opens with the keys of a site.

use std::{
    fmt,
    path::Path,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Instant,
};

use chacha20poly1305::aead::{Aead, Payload};
use secrecy::SecretSlice;

use super::keys::{self, KeyId, SealKey};
use crate::{
    config::{SecretKeyError, SecretKeySource},
    database::internal,
    error::AppError,
};

/// The first byte of a sealed value: this format.
const FORMAT: u8 = 1;
const NONCE_BYTES: usize = 24;
const HEAD_BYTES: usize = 1 + size_of::<KeyId>() + NONCE_BYTES;
/// What the cipher adds to prove that nothing was changed.
const TAG_BYTES: usize = 16;
/// Bytes at the beginning of a sealed value that name its key, as a database counts.
pub(super) const KEY_BYTES: i32 = 1 + size_of::<KeyId>() as i32;
/// Bytes of the shortest sealed value, as a database counts.
pub(super) const MIN_BYTES: i32 = (HEAD_BYTES + TAG_BYTES) as i32;

/// What a secret is for. A value that was sealed for one purpose opens for no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealPurpose {
    /// The seed of a key that signs tokens.
    SigningKey,
    /// The secret of the site ([`crate::credentials::Secret`]).
    SiteSecret,
    /// The verifier of a password by SRP.
    SrpVerifier,
    /// The state of a login by SRP that is under way.
    SrpHandshake,
    /// The secret of an authenticator app.
    TotpSecret,
    /// A mail that waits to be sent, which may contain a link that opens an account.
    Letter,
}

impl SealPurpose {
    const fn name(self) -> &'static str {
        match self {
            Self::SigningKey => "signing key",
            Self::SiteSecret => "site secret",
            Self::SrpVerifier => "srp verifier",
            Self::SrpHandshake => "srp handshake",
            Self::TotpSecret => "totp secret",
            Self::Letter => "letter",
        }
    }
}

/// Seals and opens secrets. Cheap to clone.
#[derive(Clone)]
pub struct Sealer(Arc<Inner>);

struct Inner {
    source: SecretKeySource,
    /// The first one seals; never empty.
    keys: RwLock<Vec<SealKey>>,
    /// When the keys were read again last.
    read_at: Mutex<Instant>,
}

impl Sealer {
    /// Over the keys of a source, of which there is one at least.
    pub(super) fn new(source: SecretKeySource, keys: Vec<SealKey>) -> Self {
        Self(Arc::new(Inner { source, keys: keys.into(), read_at: Instant::now().into() }))
    }

    /// Seals a secret of `owner`: the key of its row.
    pub fn seal(&self, purpose: SealPurpose, owner: &str, secret: &[u8]) -> Result<Vec<u8>, AppError> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(internal)?;
        let bound = bound_to(purpose, owner);
        let payload = Payload { msg: secret, aad: &bound };
        let keys = self.0.keys.read().unwrap_or_else(PoisonError::into_inner);
        let key = keys.first().ok_or_else(|| internal("there is no key to seal with"))?;
        let sealed = key.cipher.encrypt(&nonce.into(), payload).map_err(internal)?;
        Ok([&[FORMAT][..], &key.id, &nonce, &sealed].concat())
    }

    /// Opens what was sealed for the same purpose and the same owner.
    ///
    /// # Errors
    /// [`AppError::Internal`] if it was changed, moved, or sealed with a key that
    /// is not here.
    pub fn open_sealed(
        &self,
        purpose: SealPurpose,
        owner: &str,
        sealed: &[u8],
    ) -> Result<SecretSlice<u8>, AppError> {
        let id = key_id(sealed).ok_or_else(|| internal("a secret is not sealed"))?;
        if let Some(opened) = self.try_open(id, purpose, owner, sealed) {
            return opened;
        }
        // Another process has replaced the key.
        self.read_again();
        self.try_open(id, purpose, owner, sealed)
            .unwrap_or_else(|| Err(internal("a secret is sealed with a key that is not here")))
    }

    /// As [`Self::open_sealed`], for what a client sends: `None`, and nothing in the
    /// log, if it is not ours.
    #[must_use]
    pub fn open_if_ours(&self, purpose: SealPurpose, owner: &str, sealed: &[u8]) -> Option<SecretSlice<u8>> {
        let id = key_id(sealed)?;
        if let Some(opened) = self.decrypt(id, purpose, owner, sealed) {
            return opened.ok();
        }
        self.read_again();
        self.decrypt(id, purpose, owner, sealed)?.ok()
    }

    /// `None` if the key is not here.
    fn try_open(
        &self,
        id: KeyId,
        purpose: SealPurpose,
        owner: &str,
        sealed: &[u8],
    ) -> Option<Result<SecretSlice<u8>, AppError>> {
        Some(self.decrypt(id, purpose, owner, sealed)?.map_err(internal))
    }

    fn decrypt(
        &self,
        id: KeyId,
        purpose: SealPurpose,
        owner: &str,
        sealed: &[u8],
    ) -> Option<Result<SecretSlice<u8>, chacha20poly1305::Error>> {
        let keys = self.0.keys.read().unwrap_or_else(PoisonError::into_inner);
        let key = keys.iter().find(|key| key.id == id)?;
        let (nonce, body) = sealed[1 + id.len()..].split_first_chunk::<NONCE_BYTES>()?;
        let bound = bound_to(purpose, owner);
        let opened = key.cipher.decrypt(&(*nonce).into(), Payload { msg: body, aad: &bound });
        Some(opened.map(SecretSlice::from))
    }

    /// Whether it has the key with this id.
    pub(super) fn has_key(&self, id: &KeyId) -> bool {
        self.0.keys.read().unwrap_or_else(PoisonError::into_inner).iter().any(|key| key.id == *id)
    }

    fn read_again(&self) {
        let mut read_at = self.0.read_at.lock().unwrap_or_else(PoisonError::into_inner);
        if read_at.elapsed() < keys::RELOAD {
            return;
        }
        *read_at = Instant::now();
        match keys::load(&self.0.source) {
            Ok(keys) if !keys.is_empty() => {
                *self.0.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "the secret keys were not read again"),
        }
    }

    /// Writes the keys into a new file that only its owner can read.
    pub fn write_keys(&self, path: &Path) -> Result<(), SecretKeyError> {
        keys::write(path, &self.0.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes a new key, where the keys are in a file, and reads them all again.
    pub(super) fn renew(&self) -> Result<(), SecretKeyError> {
        if let Some(path) = self.0.source.file() {
            keys::rotate(path, &self.0.source)?;
        }
        *self.0.keys.write().unwrap_or_else(PoisonError::into_inner) = keys::load(&self.0.source)?;
        Ok(())
    }
}

/// The id of the key that sealed a value; `None` for what is not sealed.
pub(super) fn key_id(value: &[u8]) -> Option<KeyId> {
    key_of_head(value).filter(|_| value.len() >= HEAD_BYTES + TAG_BYTES)
}

/// As [`key_id`], where only the beginning of the value was read.
pub(super) fn key_of_head(head: &[u8]) -> Option<KeyId> {
    let (format, rest) = head.split_first()?;
    rest.first_chunk().copied().filter(|_| *format == FORMAT)
}

/// Each part is preceded by its length, so two pairs never have the same encoding.
fn bound_to(purpose: SealPurpose, owner: &str) -> Vec<u8> {
    let mut bound = Vec::new();
    for part in [purpose.name(), owner] {
        bound.extend((part.len() as u64).to_be_bytes());
        bound.extend(part.as_bytes());
    }
    bound
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sealer").field(&self.0.source).finish()
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn sealer(keys: &str) -> Sealer {
        let source = SecretKeySource::Given(keys.into());
        let keys = keys::load(&source).unwrap();
        Sealer::new(source, keys)
    }

    const ONE: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
    const TWO: &str = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";

    #[test]
    fn a_secret_opens_for_its_purpose_and_its_owner_alone() {
        let sealer = sealer(ONE);
        let sealed = sealer.seal(SealPurpose::TotpSecret, "ada", b"secret").unwrap();
        assert!(!sealed.windows(6).any(|bytes| bytes == b"secret"));
        let open = |purpose, owner, sealed: &[u8]| sealer.open_sealed(purpose, owner, sealed);
        let opened = open(SealPurpose::TotpSecret, "ada", &sealed).unwrap();
        assert_eq!(opened.expose_secret(), b"secret");
        assert!(open(SealPurpose::TotpSecret, "eve", &sealed).is_err());
        assert!(open(SealPurpose::SrpVerifier, "ada", &sealed).is_err());
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert!(open(SealPurpose::TotpSecret, "ada", &changed).is_err(), "byte {place}");
        }
        for length in 0..sealed.len() {
            assert!(open(SealPurpose::TotpSecret, "ada", &sealed[..length]).is_err(), "{length} bytes");
        }
        assert_ne!(sealed, sealer.seal(SealPurpose::TotpSecret, "ada", b"secret").unwrap());
    }

    #[test]
    fn an_older_key_still_opens_and_the_first_one_seals() {
        let sealed = sealer(ONE).seal(SealPurpose::SigningKey, "k", b"seed").unwrap();
        let both = sealer(&format!("{TWO}\n{ONE}\n"));
        assert_eq!(both.open_sealed(SealPurpose::SigningKey, "k", &sealed).unwrap().expose_secret(), b"seed");
        let anew = both.seal(SealPurpose::SigningKey, "k", b"seed").unwrap();
        assert!(sealer(TWO).open_sealed(SealPurpose::SigningKey, "k", &anew).is_ok());
        assert!(sealer(TWO).open_sealed(SealPurpose::SigningKey, "k", &sealed).is_err());
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for wrong in ["", " ", "AQEB", "not base64!", &format!("{ONE} x")] {
            let source = SecretKeySource::Given(wrong.into());
            assert!(matches!(keys::load(&source), Err(SecretKeyError::Malformed { .. })), "{wrong}");
        }
    }
}
