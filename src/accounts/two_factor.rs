//! What people see of their second factor.

use serde::{Deserialize, Serialize};

use super::Account;

/// How it stands with two-factor authentication. A plain text for the secret,
/// because it is copied into a page; but it is not printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum TwoFactor {
    /// The site has no key to seal secrets with.
    Unavailable,
    Off,
    /// It was set up, but no code was entered yet.
    Pending {
        /// For an app, in base 32.
        secret: String,
        /// The same as an address, for a QR code.
        uri: String,
    },
    On {
        /// How many were not used yet.
        recovery_codes: i64,
    },
}

impl std::fmt::Debug for TwoFactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Unavailable => "Unavailable",
            Self::Off => "Off",
            Self::Pending { .. } => "Pending",
            Self::On { .. } => "On",
        })
    }
}

/// New recovery codes, which are shown this once; they are not printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveryCodes {
    /// Ten, each of which replaces a code of the app once.
    pub recovery_codes: Vec<String>,
}

impl std::fmt::Debug for RecoveryCodes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecoveryCodes")
    }
}

/// The answer to a right password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum LogInAnswer {
    /// The person is signed in.
    Done(Account),
    /// Nobody is signed in yet: `/api/log_in_code` has to follow within ten minutes.
    SecondFactor {
        /// Always true.
        second_factor: bool,
    },
    /// Nobody is signed in: the sign-up waits for the code from its mail, which
    /// `/api/verify_email` takes.
    NotConfirmed {
        /// The id that goes with the code.
        sign_up: String,
    },
}
