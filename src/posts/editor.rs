//! The islands of the editor: a preview while writing, and drafts that survive a
//! closed tab.
//!
//! The form itself is plain HTML, and the islands only listen to it. So a text that
//! was typed before the script arrived counts, and without script only these two
//! are missing.
//!
//! The scripts in `editor/` are the writing room: toolbar, keys, clipboard, pictures,
//! tabs, and the saves of a draft on the site. They tell the islands by events of the
//! form: `saved` when the site has the text, `set-aside` before another text replaces it.

use std::time::Duration;

use leptos::{leptos_dom::helpers::TimeoutHandle, prelude::*, task::spawn_local};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{
    Element, Event, HtmlInputElement, HtmlTextAreaElement,
    js_sys::{Date, Reflect},
};

use super::{
    Content,
    api::preview_post,
    drafts::{self, Draft, DraftStore, Found, Saved, StoredDraft, fresh_id},
    open_drafts,
};
use crate::text::counted;

/// After the last key, so that a word is not rendered letter by letter.
const PAUSE: Duration = Duration::from_millis(300);

/// The controls of the form.
struct Fields {
    content: HtmlTextAreaElement,
    /// The version that a save replaces; a new post has none.
    version: Option<HtmlInputElement>,
}

impl Fields {
    fn find() -> Option<Self> {
        let version = document().query_selector("#editor > input[name=version]").ok().flatten();
        Some(Self {
            content: control("content")?.unchecked_into(),
            version: version.map(JsCast::unchecked_into),
        })
    }

    /// Their values as a draft.
    fn typed(&self) -> Draft {
        self.read(|control| property(control, "value"))
    }

    fn read(&self, value: fn(&Element) -> Option<String>) -> Draft {
        let version = self.version.as_ref().and_then(|input| input.value().parse().ok());
        Draft::of(version.unwrap_or(0), &|name| Some(value(&control(name)?).unwrap_or_default()))
    }

    /// Whether the fields still have the server's values.
    fn untouched(&self) -> bool {
        self.typed().same(&self.read(default_value))
    }

    /// The page of the editor. It is another once a new post is a draft on the site.
    fn page() -> Option<String> {
        form()?.get_attribute("data-page")
    }

    fn fill_in(&self, draft: &Draft) {
        for (name, value) in draft.fields() {
            let Some(control) = control(name) else { continue };
            let _ = Reflect::set(&control, &"value".into(), &value.into());
            // From now on the zone of a time is that which its author has chosen.
            if let Ok(change) = Event::new("change") {
                let _ = control.dispatch_event(&change);
            }
        }
        self.begun_from(draft);
    }

    /// Sets the version of the form to that of the draft. Otherwise the draft would
    /// overwrite what was saved since it was begun.
    fn begun_from(&self, draft: &Draft) {
        if let Some(version) = &self.version {
            version.set_value(&draft.version.to_string());
        }
    }
}

fn form() -> Option<Element> {
    document().get_element_by_id("editor")
}

/// A control has its name as its id.
fn control(name: &str) -> Option<Element> {
    document().get_element_by_id(name)
}

/// A property that inputs, lists and text areas have alike.
fn property(control: &Element, name: &str) -> Option<String> {
    Reflect::get(control, &name.into()).ok()?.as_string()
}

fn default_value(control: &Element) -> Option<String> {
    let option = |chosen| control.query_selector(chosen).ok().flatten();
    // Of a list it is the option that is marked, or else the first one.
    match option("option[selected]").or_else(|| option("option")) {
        Some(option) => property(&option, "value"),
        None => property(control, "defaultValue"),
    }
}

fn too_long(content: &str) -> Option<String> {
    let chars = content.chars().count();
    (chars > Content::MAX_CHARS).then(|| {
        format!(
            "Content must be {} characters or fewer; this one has {chars}. Shorten it first",
            Content::MAX_CHARS
        )
    })
}

/// Listens as long as the page lives.
fn listen(form: &Element, event: &str, heard: Closure<dyn FnMut(Event)>) {
    let _ = form.add_event_listener_with_callback(event, heard.as_ref().unchecked_ref());
    heard.forget();
}

/// Preview and drafts, beside the fields.
#[island]
pub fn EditorTools(
    /// The path of the editor.
    page: String,
    username: String,
    /// The version that the edit starts from.
    version: i64,
    /// Whether the form came with a text that is saved nowhere.
    unsaved: bool,
    /// Whether it has what its author has sent just now.
    just_saved: bool,
) -> impl IntoView {
    let store = StoredValue::new(DraftStore::of(&username, &page));
    let author = StoredValue::new(username);
    let page = StoredValue::new(page);
    let title = RwSignal::new(String::new());
    // The id of this editor's own draft, once it has one.
    let own = StoredValue::new(String::new());
    let offered = RwSignal::new(Vec::<StoredDraft>::new());
    let preview = RwSignal::new(String::new());
    let trouble = RwSignal::new(None::<String>);
    let status = RwSignal::new("");
    let ready = RwSignal::new(false);
    let timer = StoredValue::new(None::<TimeoutHandle>);
    // Answers may overtake each other; only the newest counts.
    let asked = StoredValue::new(0_u32);

    let show = move || {
        let Some(fields) = Fields::find() else { return };
        let Draft { content, title: typed, .. } = fields.typed();
        title.set(typed);
        asked.update_value(|asked| *asked += 1);
        let this = asked.get_value();
        if let Some(problem) = too_long(&content) {
            trouble.set(Some(problem));
            return;
        }
        if !window().navigator().on_line() {
            trouble.set(Some("No preview while you are offline.".to_owned()));
            return;
        }
        spawn_local(async move {
            let answer = preview_post(content).await;
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

    let work_on = move |id: String| {
        if own.get_value() != id {
            open_drafts::hold(&store.with_value(|store| store.key(&id)));
            own.set_value(id);
        }
    };

    let keep = move |draft: &Draft| {
        if own.with_value(String::is_empty) {
            work_on(fresh_id());
        }
        let saved = store.with_value(|store| store.save(&own.get_value(), draft));
        status.set(match saved {
            Saved::Under(id) => {
                work_on(id);
                "Draft kept on this device"
            }
            Saved::Empty => "",
            Saved::Failed => "No draft is kept: this browser has no room for it, or may keep nothing",
        });
    };

    let changed = move || {
        if let Some(fields) = Fields::find() {
            keep(&fields.typed());
        }
        timer.update_value(|timer| {
            if let Some(earlier) = timer.take() {
                earlier.clear();
            }
            *timer = set_timeout_with_handle(show, PAUSE).ok();
        });
    };

    // The site has the text that the fields had when they were sent.
    let saved_by_site = move || {
        let (Some(fields), Some(now_at)) = (Fields::find(), Fields::page()) else { return };
        store.with_value(|store| store.discard(&own.get_value()));
        if page.get_value() != now_at {
            store.set_value(DraftStore::of(&author.get_value(), &now_at).with_editor());
            page.set_value(now_at);
            own.set_value(String::new());
        }
        if fields.untouched() {
            status.set("");
        } else {
            keep(&fields.typed());
        }
    };

    // What is in the fields stays a draft of this device, and another one begins.
    let set_aside = move || {
        if let Some(fields) = Fields::find() {
            keep(&fields.typed());
            work_on(fresh_id());
        }
    };

    // A text that is in the form already stays: from the server, restored by the
    // browser, or typed early.
    let look_through = move |held: Vec<String>| {
        let (Some(fields), Some(store)) = (Fields::find(), store.try_get_value()) else { return };
        let form = fields.typed();
        let open: Vec<_> = held.iter().filter_map(|key| store.id(key)).map(str::to_owned).collect();
        let open: Vec<_> = open.into_iter().filter(|id| *id != own.get_value()).collect();
        let saved = !unsaved && fields.untouched();
        // What has just been saved may have come back in other words, as tags do.
        let in_other_words = saved && just_saved;
        let is_same = |draft: &Draft| draft.same(&form) || (in_other_words && draft.same_text(&form));
        let mut stored = store.all();
        stored.retain(|kept| kept.id != own.get_value());
        let Found { offered: others, same } = Found::among(stored, &open, &is_same);
        offered.set(others);
        if saved && !form.is_empty() {
            // It may have been typed there before it was a draft on the site.
            DraftStore::of(&author.get_value(), drafts::NEW_POST).forget(&is_same);
        }
        for kept in same {
            let again = store.get(&own.get_value()).is_some_and(|mine| mine.draft.same(&form));
            if saved || again {
                // Its text is in another draft.
                store.discard(&kept.id);
            } else {
                if !unsaved {
                    fields.begun_from(&kept.draft);
                }
                store.take_over(&kept);
                work_on(kept.id);
            }
        }
        if own.get_value().is_empty() {
            work_on(fresh_id());
            if !saved {
                keep(&form);
            }
        }
    };

    // A text that is too long to be sent would be gone with the page.
    let submitted = move |event: Event| {
        let Some(fields) = Fields::find() else { return };
        if let Some(problem) = too_long(&fields.content.value()) {
            event.prevent_default();
            // A preview that is still on its way would take the message away.
            asked.update_value(|asked| *asked += 1);
            trouble.set(Some(problem));
            let _ = fields.content.focus();
        }
    };

    Effect::new(move |_| {
        ready.set(true);
        store.update_value(|store| *store = store.clone().with_editor());
        open_drafts::held(look_through);
        if let Some(form) = form() {
            listen(&form, "input", Closure::new(move |_: Event| changed()));
            listen(&form, "submit", Closure::new(submitted));
            listen(&form, "saved", Closure::new(move |_: Event| saved_by_site()));
            listen(&form, "set-aside", Closure::new(move |_: Event| set_aside()));
        }
        show();
    });

    // The editor continues with the restored draft. Its own draft is stored and
    // takes the place of that one.
    let restore = move |kept: StoredDraft| {
        let (Some(fields), Some(store)) = (Fields::find(), store.try_get_value()) else { return };
        // Another editor may have gone on with it.
        let kept = store.get(&kept.id).unwrap_or(kept);
        let mine = store.get(&own.get_value());
        offered.update(|offered| {
            offered.retain(|other| other.id != kept.id);
            if let Some(mine) = mine {
                offered.insert(0, mine);
            }
        });
        store.take_over(&kept);
        fields.fill_in(&kept.draft);
        work_on(kept.id);
        // As if its author had typed it.
        if let (Some(form), Ok(input)) = (form(), Event::new("input")) {
            let _ = form.dispatch_event(&input);
        }
    };
    let discard = move |id: String| {
        store.with_value(|store| store.discard(&id));
        offered.update(|offered| offered.retain(|other| other.id != id));
    };

    view! {
        <div class="editor-tools" hidden=move || !ready.get()>
            <p class="draft-status" role="status">{move || status.get()}</p>
            {move || offered.with(|all| !all.is_empty()).then(|| view! {
                <div class="notice draft-offer" role="region" aria-label="Unsaved drafts">
                    <p>"On this device, unsaved:"</p>
                    <ul>
                        {offered.get().into_iter().map(|kept| {
                            let label = format!("draft-{}", kept.id);
                            let described_by = label.clone();
                            let (text, again, id) = (described(&kept, version), kept.clone(), kept.id);
                            view! {
                                <li>
                                    <span id=label dir="auto">{text}</span>
                                    <span class="actions">
                                        <button
                                            class="link-button"
                                            type="button"
                                            aria-describedby=described_by.clone()
                                            on:click=move |_| restore(again.clone())
                                        >
                                            "Restore the draft"
                                        </button>
                                        <button
                                            class="link-button"
                                            type="button"
                                            aria-describedby=described_by
                                            on:click=move |_| discard(id.clone())
                                        >
                                            "Discard the draft"
                                        </button>
                                    </span>
                                </li>
                            }
                        }).collect_view()}
                    </ul>
                </div>
            })}
            // It can be scrolled, so the keyboard has to reach it.
            <section
                id="preview-panel"
                class="preview"
                aria-labelledby="preview-title"
                data-label="preview-title"
                tabindex="0"
            >
                <h2 id="preview-title">"Preview"</h2>
                {move || trouble.get().map(|trouble| view! { <p class="field-error" role="status">{trouble}</p> })}
                <p class="preview-heading" dir="auto">{move || title.get()}</p>
                <div class="prose" inner_html=move || preview.get()></div>
            </section>
        </div>
    }
}

/// Describes a draft by title, size, and the time when it was typed.
fn described(kept: &StoredDraft, version: i64) -> String {
    let title = kept.draft.title.trim();
    let title = if title.is_empty() { "Untitled" } else { title };
    let chars = kept.draft.content.chars().count();
    let at: String =
        Date::new(&(kept.at as f64).into()).to_locale_string("en-GB", &JsValue::UNDEFINED).into();
    let older =
        if kept.draft.version == version { "" } else { ", begun from an earlier version of this post" };
    format!("{title}, {}, {at}{older}", counted(chars, "character"))
}

/// Removes the drafts of the text that has just been saved, and no others. It is on
/// the page after saving.
#[island]
pub fn ForgetDraft(
    username: String,
    /// The paths of the editors it may have been written in.
    pages: Vec<String>,
    /// The [`Draft::hash`] of what was saved.
    hash: String,
) -> impl IntoView {
    Effect::new(move |_| {
        let is_saved = |draft: &Draft| Draft::hash(&draft.title, &draft.content).as_ref() == Some(&hash);
        for page in &pages {
            DraftStore::of(&username, page).forget(&is_saved);
        }
    });
}
