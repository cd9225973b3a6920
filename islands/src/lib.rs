//! The islands as one WebAssembly module: what `byline` exports with its
//! feature `hydrate`, linked.

#[cfg(feature = "hydrate")]
pub use byline::hydrate::hydrate;
