//! The settings of the protocol of Amazon Cognito.

use serde::Deserialize;

/// Whether clients of Amazon Cognito may log in by SRP (setting `cognito.srp`). It needs
/// a secret key as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Srp {
    On,
    Off,
}

impl From<bool> for Srp {
    fn from(on: bool) -> Self {
        if on { Self::On } else { Self::Off }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CognitoFile {
    pub srp: Option<bool>,
}
