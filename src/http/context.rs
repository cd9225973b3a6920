//! The Leptos context of pages and server functions.

use leptos::prelude::{expect_context, use_context};

use crate::{
    credentials::{Actor, Caller, RequestCredential, RequestSource, UserSession},
    http::{pages::ReaderAddress, turns::Client},
    site::Site,
};

/// The site of this request.
///
/// # Panics
/// Outside [`super::pages`] and [`super::calls`], which provide it.
#[must_use]
pub fn site() -> Site {
    expect_context()
}

/// The actor of this request.
///
/// # Panics
///
/// Outside [`super::pages`] and [`super::calls`], which provide it.
#[must_use]
pub fn actor() -> Actor {
    caller().actor
}

/// The session of this request.
///
/// # Panics
/// Outside [`super::calls`], which provides it.
#[must_use]
pub fn session() -> UserSession {
    expect_context()
}

/// The credential of this request.
///
/// # Panics
///
/// Outside [`super::calls`], which provides it.
#[must_use]
pub fn credential() -> RequestCredential {
    expect_context()
}

/// Who asks, and how that was proven.
///
/// # Panics
///
/// Outside [`super::pages`] and [`super::calls`], which provide it.
#[must_use]
pub fn caller() -> Caller {
    expect_context()
}

/// Where this request comes from.
///
/// # Panics
///
/// Outside [`super::calls`], which provides it.
#[must_use]
pub fn source() -> RequestSource {
    expect_context()
}

/// Who reads, for turns: this request.
///
/// # Panics
/// Outside [`super::pages`] and [`super::calls`], which provide what it needs.
#[must_use]
pub fn client() -> Client {
    let of_page = use_context().and_then(|ReaderAddress(address)| address);
    let address = of_page.or_else(|| use_context::<RequestSource>()?.address);
    site().turns().client(address)
}
