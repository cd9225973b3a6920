//! Style sheet, script and icons, inside the binary.
//!
//! `cargo xtask` writes them to `target/site`: those with a hash in their name
//! under `assets/`, with compressed forms (`.br`, `.gz`) beside them; those with
//! a fixed name under `root/`; and `manifest.json`, which maps a name to the name
//! with the hash. A release binary embeds the folder; a debug build reads it. In a packed
//! crate the folder is called `site` (`build.rs`).

use std::{collections::HashMap, sync::LazyLock};

use rust_embed::{Embed, EmbeddedFile};

#[derive(Embed)]
#[cfg_attr(not(packed), folder = "target/site/")]
#[cfg_attr(packed, folder = "site/")]
#[allow_missing = true]
struct Files;

static MANIFEST: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
    Files::get("manifest.json").and_then(|file| serde_json::from_slice(&file.data).ok()).unwrap_or_default()
});

/// Where an asset is served: by its hashed name, or, where cargo-leptos made
/// it, plainly under `/pkg/`.
#[must_use]
pub fn url(name: &str) -> String {
    MANIFEST.get(name).cloned().unwrap_or_else(|| format!("/pkg/{name}"))
}

/// Where an asset is that not every build has.
#[must_use]
pub fn built(name: &str) -> Option<&'static str> {
    MANIFEST.get(name).map(String::as_str)
}

/// A file by its path in the folder.
#[must_use]
pub fn file(path: &str) -> Option<EmbeddedFile> {
    Files::get(path)
}
