//! Tokens (security rows J1 to J3): a program acts for a person who has given it
//! their password.
//!
//! A client holds a signed access token, which is valid for minutes (`claims`),
//! and a refresh token, which gets the next one ([`RefreshToken`]). Both belong to a
//! family, which begins with the password; when a family ends, all of its tokens
//! end at once. The database has the families, the hashes of refresh tokens
//! ([`store`]) and the keys that sign ([`keys`]). From a token to who asks:
//! [`verify()`]. Making tokens, and ending a family: [`service`].

mod claims;
mod client;
mod eddsa;
mod refresh_token;
mod verify;

pub mod keys;
pub mod service;
pub mod store;

pub use claims::{ACCESS_TIME, Parties, TokenError};
pub use client::{CLIENT_ID, Client, USER_POOL_ID};
pub use refresh_token::RefreshToken;
pub use verify::{KnownTokens, VerifiedToken, still_holds, verify, verify_either};
