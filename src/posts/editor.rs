//! The islands of the editor: a preview while writing, and drafts that
//! survive a closed tab.
//!
//! The form itself is plain HTML. These only listen to it, so what was typed
//! before the script arrived counts, and without script nothing is missing
//! but them.

#![expect(missing_docs, reason = "#[island] makes an undocumented struct of each island's properties")]

use std::time::Duration;

use leptos::{leptos_dom::helpers::TimeoutHandle, prelude::*, task::spawn_local};
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{HtmlInputElement, HtmlTextAreaElement};

use super::{
    Content,
    api::preview_post,
    drafts::{Draft, Drafts, Shelf},
};

/// After the last key, so that a word is not rendered letter by letter.
const PAUSE: Duration = Duration::from_millis(300);

/// What the two fields hold.
fn typed(version: i64) -> Option<Draft> {
    let title: HtmlInputElement = document().get_element_by_id("title")?.unchecked_into();
    let content: HtmlTextAreaElement = document().get_element_by_id("content")?.unchecked_into();
    Some(Draft { version, title: title.value(), content: content.value() })
}

fn fill_in(draft: &Draft) {
    if let (Some(title), Some(content)) =
        (document().get_element_by_id("title"), document().get_element_by_id("content"))
    {
        title.unchecked_into::<HtmlInputElement>().set_value(&draft.title);
        content.unchecked_into::<HtmlTextAreaElement>().set_value(&draft.content);
    }
}

/// Preview, drafts and a count, below the fields.
#[island]
pub fn EditorTools(
    /// The path of the editor.
    page: String,
    /// Whose drafts.
    username: String,
    /// The version that the edit starts from.
    version: i64,
) -> impl IntoView {
    let shelf = StoredValue::new(Shelf::of(&username, &page));
    let drafts = RwSignal::new(Drafts::default());
    let started = StoredValue::new(None::<Draft>);
    let preview = RwSignal::new(String::new());
    let trouble = RwSignal::new(None::<String>);
    let status = RwSignal::new(String::new());
    let ready = RwSignal::new(false);
    let timer = StoredValue::new(None::<TimeoutHandle>);
    // Answers may overtake each other; only the newest counts.
    let asked = StoredValue::new(0_u32);

    let show = move || {
        let Some(draft) = typed(version) else { return };
        asked.update_value(|asked| *asked += 1);
        let this = asked.get_value();
        let chars = draft.content.chars().count();
        if chars > Content::MAX_CHARS {
            trouble.set(Some(format!(
                "The content has {chars} characters; {} are the limit.",
                Content::MAX_CHARS
            )));
            return;
        }
        spawn_local(async move {
            let answer = preview_post(draft.content).await;
            if asked.try_get_value() == Some(this) {
                match answer {
                    Ok(html) => {
                        trouble.set(None);
                        preview.set(html);
                    }
                    Err(error) => trouble.set(Some(format!("No preview: {error}"))),
                }
            }
        });
    };

    let keep = move || {
        let kept = shelf.with_value(|shelf| drafts.with_untracked(|drafts| shelf.save(drafts)));
        status.set(if kept { "Draft kept on this device" } else { "" }.to_owned());
    };

    let changed = move || {
        if let Some(draft) = typed(version) {
            drafts.update_untracked(|drafts| drafts.type_in(draft));
        }
        keep();
        timer.update_value(|timer| {
            if let Some(earlier) = timer.take() {
                earlier.clear();
            }
            *timer = set_timeout_with_handle(show, PAUSE).ok();
        });
    };

    Effect::new(move |_| {
        ready.set(true);
        // Whatever stands in the form now, from the server or typed early, is
        // the start; a stored draft is offered, never put in silently.
        if let Some(form) = typed(version) {
            drafts.set(shelf.with_value(Shelf::load).opened(&form));
            started.set_value(Some(form));
        }
        if let Some(form) = document().get_element_by_id("editor") {
            let listener = Closure::<dyn FnMut()>::new(changed);
            let _ = form.add_event_listener_with_callback("input", listener.as_ref().unchecked_ref());
            // Lives as long as the page.
            listener.forget();
        }
        show();
    });

    let restore = move |_| {
        let (Some(form), Some(started)) = (typed(version), started.get_value()) else { return };
        let restored = drafts.try_update(|drafts| drafts.restore(form, &started)).flatten();
        if let Some(draft) = restored {
            fill_in(&draft);
            changed();
        }
    };
    let discard = move |_| {
        drafts.update(Drafts::discard);
        keep();
        status.set(String::new());
    };

    view! {
        <div class="editor-tools" hidden=move || !ready.get()>
            <p class="draft-status" role="status">{move || status.get()}</p>
            {move || drafts.with(|drafts| drafts.offered().cloned()).map(|draft| view! {
                <div class="notice draft-offer" role="region" aria-label="Unsaved draft">
                    <p>
                        {if draft.version == version {
                            "There is an unsaved draft of this post on this device."
                        } else {
                            "There is an unsaved draft on this device, begun from an earlier version of this post."
                        }}
                    </p>
                    <p class="actions">
                        <button class="link-button" type="button" on:click=restore>"Restore the draft"</button>
                        <button class="link-button" type="button" on:click=discard>"Discard the draft"</button>
                    </p>
                </div>
            })}
            <section class="preview" aria-labelledby="preview-title">
                <h2 id="preview-title">"Preview"</h2>
                {move || trouble.get().map(|trouble| view! { <p class="field-error" role="status">{trouble}</p> })}
                <div class="prose" inner_html=move || preview.get()></div>
            </section>
        </div>
    }
}

/// Removes the draft of what has just been saved; on the page after it.
#[island]
pub fn ForgetDraft(
    /// Whose draft.
    username: String,
    /// The editor it was written in.
    page: String,
) -> impl IntoView {
    let shelf = Shelf::of(&username, &page);
    Effect::new(move |_| shelf.clear());
}
