//! What every way to compile the islands needs.

use std::{env, process::Command};

/// The target triple of the browser half.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// The rustc that cargo uses for this machine's own target.
pub(crate) fn rustc() -> Command {
    Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
}
