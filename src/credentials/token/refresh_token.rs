//! Refresh tokens (security row J3): opaque, and stored only as hashes.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use crate::{credentials::Secret, database::internal, error::AppError};

/// 256 random bits.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken([u8; 32]);

impl RefreshToken {
    /// The first of a family.
    pub(super) fn random() -> Result<Self, AppError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(internal)?;
        Ok(Self(bytes))
    }

    /// Parses a token that [`Self::reveal`] wrote.
    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        BASE64_URL_SAFE_NO_PAD.decode(raw).ok()?.try_into().ok().map(Self)
    }

    /// The successor of this token. It is derived, so a second call gets the
    /// same one although no token is stored. Only the site can derive it.
    pub(super) fn child(&self, secret: &Secret) -> Self {
        Self(secret.seal("refresh token", &[&self.0]))
    }

    /// The hash that is stored in place of the token.
    pub(super) fn hash(&self) -> Vec<u8> {
        Sha256::digest(self.0).to_vec()
    }

    #[must_use]
    pub fn reveal(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.0)
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken(…)")
    }
}
