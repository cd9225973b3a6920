//! A field of a form for which "empty" and "not sent" differ.

use serde::{Deserialize, Deserializer, Serialize};

/// A text that was sent, perhaps empty; or `None`, if it was not sent. An [`Option`] alone
/// is `None` for both, because forms have no other way to send nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Sent(pub Option<String>);

impl Sent {
    #[must_use]
    pub fn as_deref(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl<'de> Deserialize<'de> for Sent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Some(text)))
    }
}
