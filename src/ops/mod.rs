//! Tasks that the operator starts.

pub mod copy;
pub mod deletions;
pub mod demo;
pub mod export;
pub mod housekeeping;
