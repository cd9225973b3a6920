//! The parts of the editor that its scripts (`posts/editor/`) bring to life. Without
//! script they are hidden, and the form works all the same.

use leptos::prelude::*;

use crate::{assets, http::context::actor};

/// "Write" and "Preview", for windows with no room for both.
#[component]
pub fn Tabs() -> impl IntoView {
    view! {
        <div id="editor-tabs" hidden>
            <button
                id="write-tab"
                type="button"
                aria-controls="write-panel"
                data-tab="write"
            >
                "Write"
            </button>
            <button
                id="preview-tab"
                type="button"
                aria-controls="preview-panel"
                data-tab="preview"
            >
                "Preview"
            </button>
        </div>
    }
}

/// Buttons that put Markdown into the text: the name of the edit in `text_edits.js`, the
/// name for people, the keys, and the sign on the button.
const TOOLS: [(&str, &str, Option<&str>, &str); 8] = [
    ("bold", "Bold", Some("Control+B"), "B"),
    ("italic", "Italic", Some("Control+I"), "I"),
    ("link", "Link", Some("Control+K"), "Link"),
    ("heading", "Heading", None, "H"),
    ("quote", "Quote", None, "“ ”"),
    ("list", "List", None, "• –"),
    ("numberedList", "Numbered list", None, "1."),
    ("code", "Code", None, "</>"),
];

/// The toolbar above the text.
#[component]
pub fn Toolbar() -> impl IntoView {
    let tools = TOOLS.map(|(edit, name, keys, sign)| {
        let title = keys.map_or_else(|| name.to_owned(), |keys| format!("{name} ({keys})"));
        view! {
            <button type="button" data-edit=edit aria-label=name aria-keyshortcuts=keys title=title>
                <span aria-hidden="true">{sign}</span>
            </button>
        }
    });
    view! {
        <div id="toolbar" class="toolbar" role="toolbar" aria-label="Formatting" aria-controls="content" hidden>
            {tools.into_iter().collect_view()}
            <label for="picture" title="Add a picture">"Add a picture"</label>
            <input id="picture" type="file" accept="image/*" multiple />
        </div>
    }
}

/// Asks what is on a picture that was just added.
#[component]
pub fn Description() -> impl IntoView {
    view! {
        <div id="describe-picture" class="notice" role="group" aria-label="The picture you added" hidden>
            <p class="field">
                <label for="picture-description">"What is on the picture?"</label>
                <input id="picture-description" type="text" dir="auto" maxlength="500" />
            </p>
            <p class="actions">
                <button class="link-button" type="button" data-answer="add">"Add the description"</button>
                <button class="link-button" type="button" data-answer="skip">"Without one"</button>
            </p>
        </div>
    }
}

/// What became of the text, how long it is, and what its author has to decide.
#[component]
pub fn SaveStatus() -> impl IntoView {
    view! {
        <div id="editor-news" class="editor-news" role="alert" hidden></div>
        <div id="picture-news" class="editor-news" role="alert" hidden></div>
        <p class="editor-status">
            <span id="save-status" role="status"></span>
            <span id="text-size"></span>
        </p>
    }
}

/// The scripts of the editor. The first one loads the others by the addresses that it is
/// given, because their names have the hashes of their contents.
#[component]
pub fn RoomScripts() -> impl IntoView {
    let [room, text_edits, rich_text, pictures, autosave] =
        ["room.js", "text_edits.js", "rich_text.js", "pictures.js", "autosave.js"].map(assets::url);
    let preloads = [&text_edits, &rich_text, &pictures, &autosave]
        .map(|address| view! { <link rel="modulepreload" href=address.clone() /> });
    view! {
        {preloads.into_iter().collect_view()}
        <script
            type="module"
            src=room
            data-text-edits=text_edits
            data-rich-text=rich_text
            data-picture-support=pictures
            data-autosaving=autosave
        ></script>
    }
}

/// The drafts that the device keeps and the site does not have. The editor that each link
/// opens offers them.
#[component]
pub fn LocalDrafts() -> impl IntoView {
    let username = actor().user().map(|user| user.username.to_string()).unwrap_or_default();
    view! {
        <section
            id="local-drafts"
            class="notice"
            aria-labelledby="local-drafts-title"
            data-username=username
            hidden
        >
            <h2 id="local-drafts-title">"Kept on this device, not saved"</h2>
            <ul></ul>
        </section>
        <script type="module" src=assets::url("local_drafts.js")></script>
    }
}
