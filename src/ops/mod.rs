//! Tasks on a whole site or a whole account: an operator starts them, or the clock, or
//! the person whose account it is.

pub mod backup;
pub mod copy;
pub mod deletions;
pub mod demo;
pub mod doctor;
pub mod export;
pub mod housekeeping;
pub mod import;
pub mod local;
