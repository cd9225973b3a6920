//! What a sign-up and a confirmation have done.

use serde::{Deserialize, Serialize};

use super::two_factor::LogInAnswer;
use crate::username::Username;

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
