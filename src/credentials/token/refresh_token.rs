//! Refresh tokens (security row J3): opaque, and stored only as hashes.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::{
    credentials::{Secret, secret_bits::SecretBits},
    error::AppError,
};

/// The refresh token that a client holds: 256 random bits.
#[derive(Clone, Debug)]
pub struct RefreshToken(SecretBits);

impl RefreshToken {
    /// The first of a family.
    pub(super) fn random() -> Result<Self, AppError> {
        SecretBits::random().map(Self)
    }

    /// Parses a token that [`Self::reveal`] wrote.
    #[must_use]
    pub fn parse(raw: &SecretString) -> Option<Self> {
        SecretBits::from_bytes(BASE64_URL_SAFE_NO_PAD.decode(raw.expose_secret()).ok()?).map(Self)
    }

    /// The successor of this token. It is derived, so a second call gets the
    /// same one although no token is stored. Only the site can derive it.
    pub(super) fn child(&self, secret: &Secret) -> Self {
        Self(SecretBits::of(secret.seal("refresh token", &[self.0.expose()])))
    }

    /// The hash that is stored in place of the token.
    pub(super) fn hash(&self) -> Vec<u8> {
        Sha256::digest(self.0.expose()).to_vec()
    }

    /// For whoever is given the token.
    #[must_use]
    pub fn reveal(&self) -> SecretString {
        BASE64_URL_SAFE_NO_PAD.encode(self.0.expose()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_was_written() {
        let token = RefreshToken(SecretBits::of([7; 32]));
        let raw = token.reveal();
        let read = RefreshToken::parse(&raw).expect("a token");
        assert_eq!(read.hash(), token.hash());
        assert_eq!(read.reveal().expose_secret(), raw.expose_secret());
    }
}
