//! Who is asking, and the proof: a session, a token or an API key.
//!
//! Their three folders are alike: `mod.rs` says what the credential is; a file has
//! the value that a client holds (`session/handle.rs`, `token/claims.rs` and
//! `token/refresh_token.rs`, `api_key/key.rs`); `verify.rs` finds who asks, and
//! whether that still holds; `store.rs` has the SQL. [`caller`] calls the three.

mod actor;
mod last_use;
mod request;
mod secret;
mod secret_bits;
mod source;

pub mod api_key;
pub mod caller;
pub mod sealing;
pub mod session;
pub mod srp;
pub mod token;
pub mod trust;

pub use actor::{Actor, User, UserId};
pub use caller::Caller;
pub use last_use::LastUse;
pub use request::{HeaderCredential, RequestCredential, X_API_KEY};
pub use secret::{Secret, SiteSecret};
pub use session::{
    HeldLogIn, UserSession,
    kept::{FormToKeep, KeptForm, kept_forms_of_renamed},
};
pub use source::{BegunFrom, DeviceHash, IssuedDevice, RequestSource};

#[cfg(test)]
mod tests;
