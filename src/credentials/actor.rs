//! Who is asking: the value that every use case takes.

use serde::{Deserialize, Serialize};

use crate::{error::AppError, username::Username};

/// Who is asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Nobody in particular: no credential came with the request.
    Anonymous,
    /// A program with an API key: it reads what everyone reads, and never writes.
    ApiKey,
    /// A person, by their session or by a token that was given to them.
    User(User),
}

/// A person with an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Never changes and is never used again.
    pub id: UserId,
    pub username: Username,
}

/// The id of an account: a UUIDv7.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct UserId(String);

impl Actor {
    /// The person, if there is one.
    ///
    /// # Errors
    /// [`AppError::NotSignedIn`]; [`AppError::ReadOnly`] for an API key.
    pub fn user(&self) -> Result<&User, AppError> {
        match self {
            Self::User(user) => Ok(user),
            Self::ApiKey => Err(AppError::ReadOnly),
            Self::Anonymous => Err(AppError::NotSignedIn),
        }
    }
}

impl User {
    /// With a new id, for an account that is about to be made.
    #[must_use]
    pub fn new(username: Username) -> Self {
        Self { id: UserId(uuid::Uuid::now_v7().to_string()), username }
    }

    #[cfg(test)]
    pub(crate) fn for_test(username: &str) -> Self {
        Self::new(Username::parse(username).expect("a valid username"))
    }
}

impl UserId {
    /// From a row of the database.
    #[must_use]
    pub const fn from_stored(id: String) -> Self {
        Self(id)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
