//! What is done with pictures: `service` has the use cases, `store` the SQL, `reading` and
//! what it uses (`avif` in a process of its own) make the served files of an uploaded one, `studio` does that aside, `served`
//! is what readers get, `files` says where a file is, `leftovers` has the objects of no
//! picture, `moving` moves files, `gathering` brings them into a copy of the database,
//! `unused` finds what no text shows any more, `uses` says who knows the texts.
//! `site_pictures` has the logo and the icon of the site, which are no author's;
//! `site_picture_files` makes their files.

pub mod avif;
mod colors;
mod files;
mod gif;
mod jpeg;
mod limits;
mod reading;
mod refused;
mod site_picture_files;
mod store;
mod studio;

pub mod gathering;
pub mod leftovers;
pub mod moving;
pub mod served;
pub mod service;
pub mod site_pictures;
pub mod unused;
pub mod uses;
#[cfg(test)]
mod worst;

pub use files::Originals;
pub use limits::{MAX_BYTES, MAX_MADE};
pub use refused::Refused;
pub use studio::Studio;
