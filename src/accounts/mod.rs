//! Accounts: who writes, and the proof.
//!
//! `api`, `mail_api`, `two_factor_api` and `passkeys_api` have the server functions;
//! `copy_key` and `show_password` are islands. With `ssr`,
//! `pages` has the screens and `domain` the use cases, the passwords and the SQL.

mod api_key;
mod passkey;
mod two_factor;
mod typed_password;

pub mod api;
pub mod copy_key;
pub mod mail_api;
pub mod passkeys_api;
pub mod show_password;
pub mod two_factor_api;

cfg_if::cfg_if! {
    if #[cfg(feature = "ssr")] {
        pub mod domain;
        pub mod factor_forms;
        pub mod forms;
        pub mod mail_forms;
        pub mod pages;
        pub mod profile;
    }
}

use serde::{Deserialize, Serialize};

use crate::username::Username;

pub use api_key::{ApiKeyDays, ApiKeyDaysError, ApiKeyName, ApiKeyNameError, ListedApiKey, NewApiKey};
pub use passkey::{ListedPasskey, PasskeyCeremony, PasskeyName, Passkeys};
pub use two_factor::{LogInAnswer, RecoveryCodes, TwoFactor};
pub use typed_password::TypedPassword;

/// What a sign-up has made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SignedUp {
    /// Nothing yet: the address has to be confirmed first, by a code that was mailed.
    Mailed {
        username: Username,
        /// The id that goes with the code.
        sign_up: String,
    },
    /// An account, and a login.
    LogIn(LogInAnswer),
}

/// What a code or a link from a mail has confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "confirmed")]
pub enum Confirmation {
    /// A sign-up; the session of the call is signed in.
    SignedUp,
    /// A sign-up that was begun elsewhere; nobody is signed in.
    SignedUpElsewhere,
    /// The address of an account.
    Address,
}

/// An account as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub username: Username,
}
