//! `nextToken`: where the next page begins. It is sealed, so that it continues
//! only the list that it was made for.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

use super::errors::ApiError;
use crate::{
    credentials::Secret,
    posts::{Cursor, domain::filter::Filter},
};

/// Bytes of the seal that are kept; 128 bits are out of reach of guessing.
const SEAL_BYTES: usize = 16;

/// A list that is paged through: which operation, whose posts, which of them.
#[derive(Debug)]
pub struct List<'a> {
    /// The field.
    pub operation: &'a str,
    /// Empty for everyone's posts.
    pub owner: &'a str,
    pub filter: &'a Filter,
    /// For a list of changes: since when.
    pub since: Option<i64>,
}

impl List<'_> {
    /// The token of a place in this list.
    pub fn token(&self, secret: &Secret, cursor: &Cursor) -> String {
        let cursor = cursor.to_string();
        let mut token = self.seal(secret, &cursor).to_vec();
        token.extend_from_slice(cursor.as_bytes());
        BASE64_URL_SAFE_NO_PAD.encode(token)
    }

    /// The place in this list that a token stands for.
    ///
    /// # Errors
    ///
    /// A token of another list or caller, or a forged one.
    pub fn cursor(&self, secret: &Secret, token: &str) -> Result<Cursor, ApiError> {
        let wrong = || ApiError::invalid("Invalid pagination token given.");
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).map_err(|_| wrong())?;
        let (seal, cursor) = bytes.split_at_checked(SEAL_BYTES).ok_or_else(wrong)?;
        let cursor = std::str::from_utf8(cursor).map_err(|_| wrong())?;
        // The data behind it is public, so the time of this comparison reveals
        // nothing important.
        if seal != self.seal(secret, cursor) {
            return Err(wrong());
        }
        cursor.parse().map_err(|_| wrong())
    }

    fn seal(&self, secret: &Secret, cursor: &str) -> [u8; SEAL_BYTES] {
        let filter = format!("{:?} since {:?}", self.filter, self.since);
        let parts = [self.operation, self.owner, &filter, cursor].map(str::as_bytes);
        let mut seal = [0; SEAL_BYTES];
        seal.copy_from_slice(&secret.seal("page token", &parts)[..SEAL_BYTES]);
        seal
    }
}
