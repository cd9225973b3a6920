//! The island that copies what is shown once: a new API key, the link of an invitation.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlDocument, HtmlInputElement};

/// A button beside the control. Not there until it works.
#[island]
pub fn CopyKey(
    /// The id of the control to copy from.
    from: String,
    /// What the button says.
    label: String,
) -> impl IntoView {
    let ready = RwSignal::new(false);
    let said = RwSignal::new("");
    Effect::new(move |_| ready.set(true));

    let id = from.clone();
    let copy = move |_| {
        let Some(input) = document().get_element_by_id(&id) else { return };
        input.unchecked_into::<HtmlInputElement>().select();
        // Old, but it also works where a site is served by plain http, which has no `navigator.clipboard`.
        let done = document().unchecked_into::<HtmlDocument>().exec_command("copy");
        said.set(if done == Ok(true) { "Copied" } else { "Press Ctrl+C or ⌘C to copy" });
    };
    view! {
        <p class="copy">
            <button class="link-button" type="button" hidden=move || !ready.get() aria-controls=from on:click=copy>
                {label}
            </button>
            <span role="status">{move || said.get()}</span>
        </p>
    }
}
