//! What whoever runs the site starts.

pub mod copy;
pub mod demo;
pub mod housekeeping;
