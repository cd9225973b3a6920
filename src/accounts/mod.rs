//! Accounts: who writes, and the proof.
//!
//! `api`, `mail_api`, `two_factor_api` and `passkeys_api` have the server functions;
//! `copy_key` and `show_password` are islands. With `ssr`,
//! `pages` has the screens and `domain` the use cases, the passwords and the SQL.

mod api_key;
mod passkey;
mod signed_up;
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
pub use signed_up::{Confirmation, SignedUp};
pub use two_factor::{LogInAnswer, RecoveryCodes, TwoFactor};
pub use typed_password::TypedPassword;

/// An account as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub username: Username,
}
