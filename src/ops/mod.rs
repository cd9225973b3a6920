//! Tasks that the operator starts.

pub mod copy;
pub mod demo;
pub mod housekeeping;
