//! What is done with pictures: `service` has the use cases, `store` the SQL, `reading` and
//! what it uses make the served files of an uploaded one, `studio` does that aside, `served` is what readers get,
//! `unused` finds what no text shows any more, `uses` says who knows the texts.

mod colors;
mod gif;
mod jpeg;
mod limits;
mod reading;
mod refused;
mod store;
mod studio;

pub mod served;
pub mod service;
pub mod unused;
pub mod uses;
#[cfg(test)]
mod worst;

pub use limits::MAX_BYTES;
pub use refused::Refused;
pub use studio::Studio;
