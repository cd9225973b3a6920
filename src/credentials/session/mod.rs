//! Sessions (security rows S1 to S5): a person who has signed in with a browser.
//!
//! A client holds the id of a session in a cookie, which tower-sessions reads; code
//! gets the session of its request as a [`UserSession`]. The database has the hash
//! of the id, and what the session contains ([`store`]). From a session to who
//! asks: [`verify()`]. Forms that arrived too late wait in [`kept`] for the next
//! login.

mod handle;
mod verify;

pub mod kept;
pub mod store;

pub use handle::{HeldLogIn, KeepSignedIn, UserSession};
pub use verify::{VerifiedSession, still_holds, verify};
