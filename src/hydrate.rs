//! The entry point of the WebAssembly build.

use wasm_bindgen::prelude::wasm_bindgen;

/// Prepares the module; `boot.js` calls it once and then wakes each island.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_islands();
}
