//! What people see of their passkeys, and what their browsers are asked.

use serde::{Deserialize, Serialize};

use super::ApiKeyName;
use crate::timestamp::Timestamp;

/// What its owner calls a passkey: by the rules for API keys.
pub type PasskeyName = ApiKeyName;

/// A passkey as its owner finds it in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedPasskey {
    pub id: String,
    pub name: String,
    pub created_at: Timestamp,
    /// Absent if it never was.
    pub last_used_at: Option<Timestamp>,
    /// It was copied, and opens nothing any more.
    pub is_refused: bool,
}

/// The passkeys of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passkeys {
    /// Oldest first.
    pub passkeys: Vec<ListedPasskey>,
    /// Whether the account has a password beside them.
    pub has_password: bool,
}

/// What a browser is asked to do with a passkey.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasskeyCeremony {
    /// Names the ceremony in the answer. It is valid once, for five minutes.
    pub ceremony: String,
    /// For `PublicKeyCredential.parseCreationOptionsFromJSON`, or
    /// `parseRequestOptionsFromJSON`.
    pub options: serde_json::Value,
}
