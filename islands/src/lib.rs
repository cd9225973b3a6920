//! The islands as one WebAssembly module, made from `byline` with the feature
//! `hydrate`.

#[cfg(feature = "hydrate")]
pub use byline::hydrate::hydrate;
