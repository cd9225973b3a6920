//! `/my-posts/new` and `/my-posts/{id}/edit`: the editor.

use leptos::prelude::*;

use super::post_id;
use crate::{
    error::{AppError, Field},
    posts::{Post, PostId, editor::EditorTools, server::service},
    server::{
        context::{actor, site},
        forms::{Form, FormState},
    },
    ui::{ErrorSummary, IdempotencyInput, IslandScripts, PageTitle, TextArea, TextField, load},
};

const MARKDOWN_HINT: &str = "Markdown: *emphasis*, **strong**, # heading, > quote, [text](https://…)";

/// Writes a new post.
#[component]
pub fn NewPostPage() -> impl IntoView {
    load(async move {
        actor().user()?;
        Ok(view! {
            <Editor
                heading="New post"
                action="/my-posts/new".to_owned()
                title=String::new()
                content=String::new()
                version=0
                submit="Publish"
                cancel="/my-posts".to_owned()
            >
                <IdempotencyInput />
            </Editor>
        })
    })
}

/// Changes a post, for its owner alone.
#[component]
pub fn EditPostPage() -> impl IntoView {
    let id = post_id();
    load(async move {
        let id = PostId::parse(&id).ok_or(AppError::NotFound)?;
        let post = service::own(&site(), &actor(), &id).await?;
        let form = expect_context::<FormState>();
        let saved_meanwhile = match &form.error {
            Some(AppError::Conflict { current }) => Some(current.clone()),
            _ => None,
        };
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
                version
                submit="Save changes"
                cancel=format!("/posts/{id}")
                other=saved_meanwhile
            >
                <input type="hidden" name="version" value=version.to_string() />
            </Editor>
        })
    })
}

#[component]
fn Editor(
    heading: &'static str,
    /// Where the form goes; also tells local drafts apart.
    action: String,
    title: String,
    content: String,
    /// The version the edit starts from; 0 for a new post.
    version: i64,
    submit: &'static str,
    cancel: String,
    /// What somebody saved in between.
    #[prop(optional_no_strip)]
    other: Option<Box<Post>>,
    children: Children,
) -> impl IntoView {
    let failed = expect_context::<FormState>().error.is_some();
    let page = action.clone();
    let username = actor().user().map(|user| user.username.to_string()).unwrap_or_default();
    let page_title = if failed { format!("Error: {heading}") } else { heading.to_owned() };
    view! {
        <PageTitle text=page_title />
        <h1>{heading}</h1>
        <ErrorSummary />
        {other.map(|post| view! { <SavedMeanwhile post=*post /> })}
        <form class="editor" id="editor" method="post" action=action novalidate>
            {children()}
            <input type="hidden" name=Form::AUTHOR value=username.clone() />
            <TextField field=Field::Title autocomplete="off" value=title />
            <TextArea field=Field::Content hint=MARKDOWN_HINT value=content />
            <div class="button-row">
                <button class="button" type="submit">{submit}</button>
                <a href=cancel>"Cancel"</a>
            </div>
            <EditorTools page username version />
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
