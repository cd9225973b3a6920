//! The server side of accounts.

mod email;
mod log_in;
mod password;
mod pending;
mod rehash;
mod same_time;

pub mod account;
pub mod address;
pub mod api_keys;
pub mod audit;
pub mod contact;
pub mod costs;
pub mod device_name;
pub mod devices;
pub(crate) mod hash_threads;
pub mod hashing;
pub mod invitations;
mod letters;
pub mod logins;
pub mod mails;
pub mod one_time;
pub mod passkeys;
pub mod pending_sign_up;
pub mod recovery;
pub mod running;
pub mod service;
pub mod srp;
pub mod store;
pub mod throttle;
pub mod two_factor;
pub mod verification;

pub use email::{Email, EmailError};
pub use log_in::{Authenticated, LogIn, RightPassword};
pub use password::{NewPassword, Password, PasswordError};
pub use pending::PendingLogIn;

use crate::{
    error::{AppError, Field},
    username::Username,
};

/// Everything a new account needs, parsed.
#[derive(Debug)]
pub struct NewAccount {
    /// Unique.
    pub username: Username,
    /// Unique.
    pub email: Email,
    /// Good enough by [`NewPassword::parse`].
    pub password: NewPassword,
}

/// How someone names themselves at login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    Username(Username),
    Email(Email),
    /// By something that can be neither. It is verified against no account, so
    /// that it takes as long and gets the same answer.
    Nobody(String),
}

/// The same for an unknown name and for a wrong password.
#[must_use]
pub fn not_authenticated() -> AppError {
    AppError::invalid(Field::Identifier, "Username, email or password is wrong")
}

/// Nothing was entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Enter your username or email")]
pub struct LoginError;

impl Login {
    /// An `@` makes it an address.
    ///
    /// # Errors
    /// [`LoginError`] for an empty field only.
    pub fn parse(raw: &str) -> Result<Self, LoginError> {
        if raw.trim().is_empty() {
            return Err(LoginError);
        }
        Ok(if raw.contains('@') {
            Email::parse(raw).map_or_else(|_| Self::Nobody(raw.to_owned()), Self::Email)
        } else {
            Username::parse_known(raw).map_or_else(|_| Self::Nobody(raw.to_owned()), Self::Username)
        })
    }

    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Username(name) => name.as_str(),
            Self::Email(email) => email.as_str(),
            Self::Nobody(raw) => raw,
        }
    }
}
