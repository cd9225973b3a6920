//! The island that lets people see what they type.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;

/// A button beside the password field. Not there until it works.
#[island]
pub fn ShowPassword(
    /// The id of the control.
    of: String,
) -> impl IntoView {
    let ready = RwSignal::new(false);
    let shown = RwSignal::new(false);
    Effect::new(move |_| ready.set(true));

    let id = of.clone();
    let toggle = move |_| {
        let Some(input) = document().get_element_by_id(&id) else { return };
        let input: HtmlInputElement = input.unchecked_into();
        shown.update(|shown| *shown = !*shown);
        input.set_type(if shown.get() { "text" } else { "password" });
    };
    view! {
        <button
            class="link-button"
            type="button"
            hidden=move || !ready.get()
            aria-controls=of
            on:click=toggle
        >
            {move || if shown.get() { "Hide password" } else { "Show password" }}
        </button>
    }
}
