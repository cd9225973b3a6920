//! Refresh tokens (security row J3): opaque, and stored only as hashes.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretSlice};
use sha2::{Digest, Sha256};

use crate::{credentials::Secret, database::internal, error::AppError};

/// 256 random bits.
#[derive(Clone, Debug)]
pub struct RefreshToken(SecretSlice<u8>);

impl RefreshToken {
    /// The first of a family.
    pub(super) fn random() -> Result<Self, AppError> {
        let mut bytes = vec![0; 32];
        getrandom::fill(&mut bytes).map_err(internal)?;
        Ok(Self(bytes.into()))
    }

    /// Parses a token that [`Self::reveal`] wrote.
    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        BASE64_URL_SAFE_NO_PAD.decode(raw).ok()?.try_into().ok().map(Self::new)
    }

    fn new(bytes: [u8; 32]) -> Self {
        Self(bytes.to_vec().into())
    }

    /// The successor of this token. It is derived, so a second call gets the
    /// same one although no token is stored. Only the site can derive it.
    pub(super) fn child(&self, secret: &Secret) -> Self {
        Self::new(secret.seal("refresh token", &[self.0.expose_secret()]))
    }

    /// The hash that is stored in place of the token.
    pub(super) fn hash(&self) -> Vec<u8> {
        Sha256::digest(self.0.expose_secret()).to_vec()
    }

    #[must_use]
    pub fn reveal(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.0.expose_secret())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_was_written_and_is_not_printed() {
        let token = RefreshToken::new([7; 32]);
        let raw = token.reveal();
        let read = RefreshToken::parse(&raw).expect("a token");
        assert_eq!(read.hash(), token.hash());
        let printed = format!("{read:?}");
        assert!(!printed.contains(&raw) && !printed.contains('7'), "{printed}");
    }
}
