//! A password on its way from a form to a server function.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A password as a form sends it. It is not printed, although the arguments of a
/// server function can be. The server wraps it in a type that is zeroed before it
/// does anything else with it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TypedPassword(String);

impl From<String> for TypedPassword {
    fn from(raw: String) -> Self {
        Self(raw)
    }
}

impl From<TypedPassword> for String {
    fn from(password: TypedPassword) -> Self {
        password.0
    }
}

impl fmt::Debug for TypedPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TypedPassword")
    }
}
