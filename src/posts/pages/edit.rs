//! `/my-posts/new` and `/my-posts/{id}/edit`: the editor.

use leptos::prelude::*;

use super::{
    parts::WAITING,
    post_id,
    writing_room::{Description, RoomScripts, SaveStatus, Tabs, Toolbar},
};
use crate::{
    error::{AppError, Field},
    http::{
        context::{actor, site},
        forms::{Form, Notice},
    },
    posts::{
        DraftPost, Language, Post, PostId, PostOrDraft, Tags, address,
        domain::{conflicting, draft_posts, schedule},
        drafts::{FIELDS, NEW_POST},
        editor::EditorTools,
        forms::SAVED_IN_EDITOR,
    },
    ui::{
        ErrorSummary, FormState, IdempotencyInput, IslandScripts, PageTitle, SelectField, TextArea,
        TextField, load,
    },
};

const MARKDOWN_HINT: &str = "Markdown: *emphasis*, **strong**, # heading, > quote, [text](https://…)";

const TAGS_HINT: &str = "Separate them by commas. Readers find posts by them.";

/// Distances of clocks from UTC, in minutes: every one that is in use, and the half hours between.
fn utc_offsets() -> impl Iterator<Item = i64> {
    const QUARTERS: [i64; 3] = [5 * 60 + 45, 8 * 60 + 45, 12 * 60 + 45];
    let mut offsets: Vec<i64> = (-24..=28).map(|half_hours| half_hours * 30).chain(QUARTERS).collect();
    offsets.sort_unstable();
    offsets.into_iter()
}

/// What can be chosen as the language of a post.
fn languages() -> Vec<(&'static str, String)> {
    let names = Language::all().map(|language| (language.tag(), language.name().to_owned()));
    [("", "As found from the text".to_owned())].into_iter().chain(names).collect()
}

/// The id of the editor's form.
const EDITOR: &str = "editor";

#[component]
pub fn NewPostPage() -> impl IntoView {
    load(async move {
        actor().user()?;
        let sent_before = match expect_context::<FormState>().error {
            Some(AppError::KeyReused { made }) => Some(made_before(made).await?),
            _ => None,
        };
        Ok(view! {
            <Editor
                editing=Editing::New
                below=sent_before.map(|made| view! { <MadeBefore made /> }.into_any())
            />
        })
    })
}

/// What the form has made already, if it still exists and belongs to the actor.
async fn made_before(made: Option<String>) -> Result<Option<PostOrDraft>, AppError> {
    let Some(id) = made.and_then(|id| PostId::parse(&id)) else { return Ok(None) };
    match draft_posts::own_post_or_draft(&site(), &actor(), &id).await {
        Ok(made) => Ok(Some(made)),
        Err(AppError::NotFound | AppError::Forbidden) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Shows what became of the text that the form contained before, and how to save the
/// present one in its place: the button sends the same form to the editor of that post or
/// draft. While it is there, no script saves the text by itself (`editor/autosave.js`).
#[component]
fn MadeBefore(made: Option<PostOrDraft>) -> impl IntoView {
    let Some(made) = made else {
        return view! {
            <section class="notice">
                <p>"What the earlier text of this form became has been deleted since."</p>
            </section>
        }
        .into_any();
    };
    let editor = format!("/my-posts/{}", made.id());
    let (what, heading, address, action, title, version) = match made {
        PostOrDraft::Published(post) => (
            "post",
            "The earlier text of this form is published",
            post.address(),
            format!("{editor}/edit"),
            String::from(post.title),
            post.version,
        ),
        PostOrDraft::Draft(draft) => (
            "draft",
            "The earlier text of this form is a draft",
            format!("{editor}/edit"),
            format!("{editor}/draft"),
            draft.shown_title().to_owned(),
            draft.version,
        ),
    };
    view! {
        <section class="notice" aria-labelledby="sent-before">
            <h2 id="sent-before">{heading}</h2>
            <p>
                {format!("It is the {what} “")}<a href=address><bdi>{title}</bdi></a>
                "”. What is in the form now can become a post of its own, or take the place of that one."
            </p>
            <p class="actions">
                <button
                    class="link-button"
                    type="submit"
                    formaction=action
                    name="version"
                    value=version.to_string()
                >
                    {format!("Save it as a change to that {what}")}
                </button>
            </p>
        </section>
    }
    .into_any()
}

/// Changes a post or a draft; for its owner alone.
#[component]
pub fn EditPostPage() -> impl IntoView {
    let id = post_id();
    load(async move {
        let id = PostId::parse(&id).ok_or(AppError::NotFound)?;
        let editing = match draft_posts::own_post_or_draft(&site(), &actor(), &id).await? {
            PostOrDraft::Published(post) => Editing::Published(post),
            PostOrDraft::Draft(draft) => Editing::Draft(draft),
        };
        let form = expect_context::<FormState>();
        let saved_meanwhile = form.error.as_ref().and_then(|error| {
            let post = conflicting(error).map(Saved::from);
            post.or_else(|| draft_posts::conflicting(error).map(Saved::from))
        });
        Ok(view! {
            <Editor
                editing
                // After a conflict the next save is a decision, made with both texts in sight.
                version=saved_meanwhile.as_ref().map(|saved| saved.version)
                above=saved_meanwhile.map(|saved| view! { <SavedMeanwhile saved /> }.into_any())
            />
        })
    })
}

/// What the editor has in it.
enum Editing {
    New,
    Draft(DraftPost),
    Published(Post),
}

impl Editing {
    const fn heading(&self) -> &'static str {
        match self {
            Self::New => "New post",
            Self::Draft(_) => "Edit draft",
            Self::Published(_) => "Edit post",
        }
    }

    /// Whether it waits for approval.
    const fn waits(&self) -> bool {
        matches!(self, Self::Draft(DraftPost { waits_since: Some(_), .. }))
    }

    fn id(&self) -> Option<&PostId> {
        match self {
            Self::New => None,
            Self::Draft(draft) => Some(&draft.id),
            Self::Published(post) => Some(&post.id),
        }
    }

    /// The page of the editor, which tells local drafts apart.
    fn page(&self) -> String {
        self.id().map_or_else(|| NEW_POST.to_owned(), |id| format!("/my-posts/{id}/edit"))
    }

    /// Where the form is sent, unless a button says otherwise.
    fn action(&self) -> String {
        match self {
            Self::Draft(draft) => format!("/my-posts/{}/publish", draft.id),
            Self::New | Self::Published(_) => self.page(),
        }
    }

    /// What the scripts of the writing room call it.
    const fn name(&self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Draft(_) => "draft",
            Self::Published(_) => "published",
        }
    }

    /// 0 for a new post.
    const fn version(&self) -> i64 {
        match self {
            Self::New => 0,
            Self::Draft(draft) => draft.version,
            Self::Published(post) => post.version,
        }
    }

    fn title(&self) -> String {
        match self {
            Self::New => String::new(),
            Self::Draft(draft) => draft.title.clone(),
            Self::Published(post) => post.title.to_string(),
        }
    }

    fn content(&self) -> String {
        match self {
            Self::New => String::new(),
            Self::Draft(draft) => draft.content.to_string(),
            Self::Published(post) => post.text().to_string(),
        }
    }

    fn tags(&self) -> String {
        match self {
            Self::New => String::new(),
            Self::Draft(draft) => draft.tags.typed(),
            Self::Published(post) => post.tags.typed(),
        }
    }

    fn language(&self) -> Option<Language> {
        match self {
            Self::New => None,
            Self::Draft(draft) => draft.language,
            Self::Published(post) => post.language,
        }
    }

    fn slug(&self) -> String {
        let slug = match self {
            Self::New => None,
            Self::Draft(draft) => draft.slug.as_ref(),
            Self::Published(post) => post.slug.as_ref(),
        };
        slug.map(ToString::to_string).unwrap_or_default()
    }
}

#[component]
fn Editor(
    editing: Editing,
    /// The version that the next save replaces, if it is another than the form's.
    #[prop(default = None)]
    version: Option<i64>,
    /// Shown before the text.
    #[prop(optional_no_strip)]
    above: Option<AnyView>,
    /// Other buttons. They are below the form's own buttons, because Enter presses the
    /// first one (HTML 4.10.21.2).
    #[prop(optional_no_strip)]
    below: Option<AnyView>,
) -> impl IntoView {
    let form = expect_context::<FormState>();
    let notice = expect_context::<Option<&'static Notice>>();
    let just_saved = notice.is_some_and(|notice| SAVED_IN_EDITOR.contains(&notice));
    let heading = editing.heading();
    let page_title = if form.error.is_some() { format!("Error: {heading}") } else { heading.to_owned() };
    let username = actor().user().map(|user| user.username.to_string()).unwrap_or_default();
    let typed = form.value("version").and_then(|raw| raw.parse().ok());
    let version = version.or(typed).unwrap_or(editing.version());
    let names_version = match &editing {
        Editing::New => view! { <IdempotencyInput /> }.into_any(),
        _ => view! { <input type="hidden" name="version" value=version.to_string() /> }.into_any(),
    };
    let address_hint = match &editing {
        Editing::Published(_) => {
            "The last part of the address. Links to the present one go on working when you change it."
        }
        _ => "The last part of the address. Leave it empty, and it is made from the title.",
    };
    let revisions = editing.id().map(|id| {
        view! { <a href=format!("/my-posts/{id}/revisions")>"Versions"</a> }
    });
    view! {
        <PageTitle text=page_title />
        <h1>{heading}</h1>
        <ErrorSummary />
        {editing.waits().then(|| view! {
            <section class="notice" aria-labelledby="waiting">
                <h2 id="waiting">"Waiting for approval"</h2>
                <p>{WAITING}</p>
            </section>
        })}
        {above}
        <form
            class="editor"
            id=EDITOR
            method="post"
            action=editing.action()
            novalidate
            data-editing=editing.name()
            data-id=editing.id().map(ToString::to_string)
            data-page=editing.page()
            data-fields=FIELDS.join(" ")
        >
            {names_version}
            <input type="hidden" name=Form::AUTHOR value=username.clone() />
            {form.value(Form::KEPT).map(|id| view! { <input type="hidden" name=Form::KEPT value=id /> })}
            <Tabs />
            <div class="columns">
                <div class="write" id="write-panel">
                    <TextField field=Field::Title autocomplete="on" value=editing.title() />
                    <Toolbar />
                    <Description />
                    <TextArea field=Field::Content hint=MARKDOWN_HINT value=editing.content() />
                    <div class="details">
                        <TextField field=Field::Tags hint=TAGS_HINT autocomplete="on" value=editing.tags() optional=true />
                        <TextField
                            field=Field::Address
                            hint=address_hint
                            autocomplete="on"
                            value=editing.slug()
                            optional=true
                        />
                        <SelectField
                            field=Field::Language
                            hint="Screen readers speak it, and browsers offer to translate from it."
                            choices=languages()
                            value=editing.language().map_or("", Language::tag)
                        />
                        <PublishAt editing=&editing />
                    </div>
                </div>
                <EditorTools
                    page=editing.page()
                    username
                    version
                    unsaved=!form.values.is_empty()
                    just_saved
                />
            </div>
            <div class="editor-bar">
                <SaveStatus />
                <div class="button-row">
                    <Buttons editing=&editing />
                    {revisions}
                </div>
            </div>
            {below}
        </form>
        <IslandScripts />
        <RoomScripts />
    }
}

/// The buttons of the form. Enter in a field presses the first one, which publishes nothing
/// that is not published.
#[component]
fn Buttons<'a>(editing: &'a Editing) -> impl IntoView + use<> {
    match editing {
        Editing::New => view! {
            <button class="button secondary" type="submit" formaction="/my-posts/new/draft" data-does="save">"Save draft"</button>
            <button class="button" type="submit" data-does="publish">"Publish"</button>
            <a href="/my-posts">"Cancel"</a>
        }
        .into_any(),
        Editing::Draft(draft) => view! {
            <button class="button secondary" type="submit" formaction=format!("/my-posts/{}/draft", draft.id) data-does="save">
                "Save draft"
            </button>
            <button class="button" type="submit" data-does="publish">"Publish"</button>
            <a href="/my-posts/drafts">"Cancel"</a>
            {draft.waits_since.is_some().then(|| view! {
                <button class="button secondary" type="submit" formaction=format!("/my-posts/{}/unpublish", draft.id)>
                    "Do not publish"
                </button>
            })}
            <a class="danger" href=address::of_deletion(&draft.id)>"Delete post"</a>
        }
        .into_any(),
        Editing::Published(post) => view! {
            <button class="button" type="submit" data-does="change">"Save changes"</button>
            <button class="button secondary" type="submit" formaction=format!("/my-posts/{}/unpublish", post.id)>
                "Unpublish"
            </button>
            <a href=post.address()>"Cancel"</a>
        }
        .into_any(),
    }
}

/// The time at which it is to be published, for what is not published.
#[component]
fn PublishAt<'a>(editing: &'a Editing) -> impl IntoView + use<> {
    let (time, utc_offset) = match editing {
        Editing::Published(_) => return None,
        Editing::New => (None, 0),
        Editing::Draft(draft) => (draft.publish_at, draft.utc_offset),
    };
    let hint = match editing {
        Editing::Draft(DraftPost { is_scheduled: true, .. }) => {
            "It is published then. Empty the field and save the draft, and it is not."
        }
        _ => "Leave it empty to publish at once.",
    };
    let form = expect_context::<FormState>();
    let offset = form.value("utc_offset").unwrap_or_else(|| schedule::shown_offset(utc_offset));
    let options = utc_offsets()
        .map(|known| {
            let shown = schedule::shown_offset(known);
            let is_selected = shown == offset;
            view! { <option value=shown.clone() selected=is_selected>{format!("UTC{shown}")}</option> }
        })
        .collect_view();
    let value = time.map(|time| schedule::shown(time, utc_offset)).unwrap_or_default();
    Some(view! {
        <div class="publish-at">
            <TextField field=Field::PublishAt kind="datetime-local" hint=hint autocomplete="on" value optional=true />
            <div class="field">
                <label for="utc_offset">"Time zone"</label>
                <select id="utc_offset" name="utc_offset">{options}</select>
            </div>
        </div>
    })
}

/// What was saved in between.
struct Saved {
    title: String,
    content: String,
    tags: Tags,
    language: Option<Language>,
    version: i64,
    is_published: bool,
}

impl From<Post> for Saved {
    fn from(post: Post) -> Self {
        let content = post.text().to_string();
        let Post { title, tags, language, version, .. } = post;
        Self { title: title.into(), content, tags, language, version, is_published: true }
    }
}

impl From<DraftPost> for Saved {
    fn from(draft: DraftPost) -> Self {
        Self {
            title: draft.title,
            content: draft.content.into(),
            tags: draft.tags,
            language: draft.language,
            version: draft.version,
            is_published: false,
        }
    }
}

/// The other text of a conflict, to read and to copy from.
#[component]
fn SavedMeanwhile(saved: Saved) -> impl IntoView {
    let chosen = saved.language.map_or("", Language::tag);
    let language = languages().into_iter().find(|(tag, _)| *tag == chosen).map(|(_, name)| name);
    let (heading, what) = match saved.is_published {
        true => ("The saved post", "This is what is published now."),
        false => ("The saved draft", "This was saved from another editor."),
    };
    view! {
        <section class="conflict" aria-labelledby="conflict-title">
            <h2 id="conflict-title">{heading}</h2>
            <p>
                {what}" Your own text is in the form and has not been saved. \
                 Take over what you want to keep, then save: your text will replace this one."
            </p>
            <p class="field">
                <label for="saved-title">"Saved title"</label>
                <input id="saved-title" readonly dir="auto" value=saved.title />
            </p>
            <p class="field">
                <label for="saved-content">"Saved content"</label>
                <textarea
                    id="saved-content"
                    readonly
                    rows="8"
                    dir="auto"
                    inner_html=crate::ui::text_area_html(&saved.content)
                ></textarea>
            </p>
            <p class="field">
                <label for="saved-tags">"Saved tags"</label>
                <input id="saved-tags" readonly dir="auto" value=saved.tags.typed() />
            </p>
            <p class="field">
                <label for="saved-language">"Saved language"</label>
                <input id="saved-language" readonly value=language />
            </p>
        </section>
    }
}
