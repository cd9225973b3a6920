//! API keys (security row K1): with one, a program reads what everyone reads. It
//! never writes.
//!
//! A client holds the key as a text ([`ApiKey`]). The database has its hash, its
//! owner and its expiry ([`store`]). Byline keeps no key, but can derive one again
//! from the secret of the site. From a key to who asks: [`verify()`].

mod id;
mod key;
mod public;
mod verify;

pub mod store;

pub use id::ApiKeyId;
pub use key::ApiKey;
pub use public::public_key;
pub use verify::{KnownKeys, VerifiedKey, still_holds, verify};
