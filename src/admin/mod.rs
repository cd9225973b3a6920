//! `/admin`: what whoever is in charge of the site sees and does in a browser. The use cases
//! are those of the command line ([`crate::accounts::domain::running`],
//! [`crate::posts::domain::hidden`], [`crate::site_settings`]).
//!
//! To everybody else, all of it is 404 ([`gate`]). Each page and each server function asks
//! again who it is, so that nothing depends on the gate alone.

pub mod api;
pub mod forms;
pub mod gate;
pub mod pages;
pub mod pictures;
mod settings;
