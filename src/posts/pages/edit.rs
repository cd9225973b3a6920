//! `/my-posts/new` and `/my-posts/{id}/edit`: the editor.

use leptos::prelude::*;

use super::post_id;
use crate::{
    error::{AppError, Field},
    http::{
        context::{actor, site},
        forms::Form,
    },
    posts::{
        Post, PostId,
        domain::{conflicting, service},
        editor::EditorTools,
    },
    ui::{ErrorSummary, FormState, IdempotencyInput, IslandScripts, PageTitle, TextArea, TextField, load},
};

const MARKDOWN_HINT: &str = "Markdown: *emphasis*, **strong**, # heading, > quote, [text](https://…)";

const TAGS_HINT: &str = "Separate them by commas. Readers find posts by them.";

/// The id of the editor's form.
const EDITOR: &str = "editor";

#[component]
pub fn NewPostPage() -> impl IntoView {
    load(async move {
        actor().user()?;
        let sent_before = match expect_context::<FormState>().error {
            Some(AppError::KeyReused { made }) => Some(published_before(made).await?),
            _ => None,
        };
        Ok(view! {
            <Editor
                heading="New post"
                action="/my-posts/new".to_owned()
                title=String::new()
                content=String::new()
                tags=String::new()
                slug=String::new()
                version=0
                submit="Publish"
                cancel="/my-posts".to_owned()
                below=sent_before.map(|post| view! { <PublishedBefore post /> }.into_any())
            >
                <IdempotencyInput />
            </Editor>
        })
    })
}

/// The post that the form has published already, if it still exists and belongs to the actor.
async fn published_before(made: Option<String>) -> Result<Option<Post>, AppError> {
    let Some(id) = made.and_then(|id| PostId::parse(&id)) else { return Ok(None) };
    match service::own(&site(), &actor(), &id).await {
        Ok(post) => Ok(Some(post)),
        Err(AppError::NotFound | AppError::Forbidden) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Shows what happened to the text that the form contained before, and how to
/// publish the present text instead: the button sends the same form to the
/// editor of that post.
#[component]
fn PublishedBefore(post: Option<Post>) -> impl IntoView {
    match post {
        Some(post) => view! {
            <section class="notice" aria-labelledby="sent-before">
                <h2 id="sent-before">"The earlier text of this form is published"</h2>
                <p>
                    "It is the post “"<a href=post.address()><bdi>{post.title.to_string()}</bdi></a>
                    "”. What is in the form now can become a post of its own, or take the place of that one."
                </p>
                <p class="actions">
                    <button
                        class="link-button"
                        type="submit"
                        formaction=format!("/my-posts/{}/edit", post.id)
                        name="version"
                        value=post.version.to_string()
                    >
                        "Save it as a change to that post"
                    </button>
                </p>
            </section>
        }
        .into_any(),
        None => view! {
            <section class="notice"><p>"The earlier text of this form was published and has been deleted since."</p></section>
        }
        .into_any(),
    }
}

/// Changes a post; for its owner alone.
#[component]
pub fn EditPostPage() -> impl IntoView {
    let id = post_id();
    load(async move {
        let id = PostId::parse(&id).ok_or(AppError::NotFound)?;
        let post = service::own(&site(), &actor(), &id).await?;
        let form = expect_context::<FormState>();
        let saved_meanwhile = form.error.as_ref().and_then(conflicting);
        // After a conflict the next save is a decision, made with both texts in sight.
        let version = match &saved_meanwhile {
            Some(current) => current.version,
            None => form.value("version").and_then(|raw| raw.parse().ok()).unwrap_or(post.version),
        };
        Ok(view! {
            <Editor
                heading="Edit post"
                action=format!("/my-posts/{id}/edit")
                title=post.title.to_string()
                content=post.text().to_string()
                tags=post.tags.typed()
                slug=post.slug.as_ref().map(ToString::to_string).unwrap_or_default()
                version
                submit="Save changes"
                cancel=post.address()
                above=saved_meanwhile.map(|post| view! { <SavedMeanwhile post /> }.into_any())
            >
                <input type="hidden" name="version" value=version.to_string() />
            </Editor>
        })
    })
}

#[component]
fn Editor(
    heading: &'static str,
    /// Where the form is sent; it also tells local drafts apart.
    action: String,
    title: String,
    content: String,
    /// As an author types them.
    tags: String,
    /// The last part of the address; empty for a new post.
    slug: String,
    /// The version the edit starts from; 0 for a new post.
    version: i64,
    submit: &'static str,
    cancel: String,
    /// Shown before the text.
    #[prop(optional_no_strip)]
    above: Option<AnyView>,
    /// Other buttons. They are below the form's own button, because Enter presses the
    /// first one (HTML 4.10.21.2).
    #[prop(optional_no_strip)]
    below: Option<AnyView>,
    children: Children,
) -> impl IntoView {
    let form = expect_context::<FormState>();
    let failed = form.error.is_some();
    let page = action.clone();
    let username = actor().user().map(|user| user.username.to_string()).unwrap_or_default();
    let address_hint = if slug.is_empty() {
        "The last part of the address. Leave it empty, and it is made from the title."
    } else {
        "The last part of the address. Links to the present one go on working when you change it."
    };
    let page_title = if failed { format!("Error: {heading}") } else { heading.to_owned() };
    view! {
        <PageTitle text=page_title />
        <h1>{heading}</h1>
        <ErrorSummary />
        {above}
        <form class="editor" id=EDITOR method="post" action=action novalidate>
            {children()}
            <input type="hidden" name=Form::AUTHOR value=username.clone() />
            {form.value(Form::KEPT).map(|id| view! { <input type="hidden" name=Form::KEPT value=id /> })}
            <TextField field=Field::Title autocomplete="on" value=title />
            <TextArea field=Field::Content hint=MARKDOWN_HINT value=content />
            <TextField field=Field::Tags hint=TAGS_HINT autocomplete="off" value=tags />
            <TextField field=Field::Address hint=address_hint autocomplete="off" value=slug />
            <div class="button-row">
                <button class="button" type="submit">{submit}</button>
                <a href=cancel>"Cancel"</a>
            </div>
            {below}
            <EditorTools page username version unsaved=!form.values.is_empty() />
        </form>
        <IslandScripts />
    }
}

/// The other text of a conflict, to read and to copy from.
#[component]
fn SavedMeanwhile(post: Post) -> impl IntoView {
    view! {
        <section class="conflict" aria-labelledby="conflict-title">
            <h2 id="conflict-title">"The saved post"</h2>
            <p>
                "This is what is published now. Your own text is in the form and has not been saved. \
                 Take over what you want to keep, then save: your text will replace this one."
            </p>
            <p class="field">
                <label for="saved-title">"Saved title"</label>
                <input id="saved-title" readonly dir="auto" value=post.title.to_string() />
            </p>
            <p class="field">
                <label for="saved-content">"Saved content"</label>
                <textarea
                    id="saved-content"
                    readonly
                    rows="8"
                    dir="auto"
                    inner_html=crate::ui::text_area_html(post.text().as_str())
                ></textarea>
            </p>
        </section>
    }
}
