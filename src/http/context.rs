//! What pages and server functions find in their Leptos context.

use axum::http::{HeaderMap, Uri};
use leptos::prelude::expect_context;

use crate::{
    credentials::{Actor, UserSession},
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

/// Who asks.
///
/// # Panics
/// Outside [`super::pages`] and [`super::calls`], which provide it.
#[must_use]
pub fn actor() -> Actor {
    expect_context()
}

/// Path and query of the page.
///
/// # Panics
/// Outside [`super::pages`], which provides it.
#[must_use]
pub fn uri() -> Uri {
    expect_context()
}

/// The session of this request.
///
/// # Panics
/// Outside [`super::calls`], which provides it.
#[must_use]
pub fn session() -> UserSession {
    expect_context()
}

/// The header fields of this request.
///
/// # Panics
/// Outside [`super::calls`], which provides it.
#[must_use]
pub fn headers() -> HeaderMap {
    expect_context()
}
