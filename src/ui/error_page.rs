//! Error pages: what happened, and where to continue.

use axum::http::{HeaderValue, StatusCode, header::RETRY_AFTER};
use leptos::prelude::*;
use leptos_axum::ResponseOptions;

use crate::{
    error::{AppError, Field},
    ui::{FormState, PageTitle, text_area_html},
};

/// An error in place of a page, with its status and the time of the next try.
#[component]
pub fn ErrorPage(error: AppError) -> impl IntoView {
    if let Some(response) = use_context::<ResponseOptions>() {
        if let Ok(status) = StatusCode::from_u16(error.status()) {
            response.set_status(status);
        }
        if let Some(seconds) = error.retry_after() {
            response.insert_header(RETRY_AFTER, HeaderValue::from(seconds));
        }
    }
    let fate = match error {
        AppError::NotSignedIn => Fate::NoRoom,
        AppError::NotFound => Fate::Gone,
        _ => Fate::NotSaved,
    };
    let sentence = match error {
        AppError::NotFound => {
            "There is nothing at this address. It may have been deleted, or the link may be misspelt."
                .to_owned()
        }
        ref other => other.to_string(),
    };
    let unread = matches!(error, AppError::TooLarge { .. });
    view! {
        <PageTitle text=error.heading().to_owned() />
        <section class="message">
            <h1>{error.heading()}</h1>
            <p>{sentence}</p>
            {unread.then(|| view! { <p>"Go back in your browser: what you typed is still there. Shorten it, or make two posts of it."</p> })}
            <p><a href="/">"Go to all posts"</a></p>
        </section>
        <UnsavedText fate />
    }
}

/// Why a text has not been saved.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    NotSaved,
    /// Too many texts wait for a login.
    NoRoom,
    /// What was edited is not there any more.
    Gone,
}

/// The text of a form that cannot come back as a form, to be copied.
#[component]
fn UnsavedText(fate: Fate) -> impl IntoView {
    let form = use_context::<FormState>().unwrap_or_default();
    let [title, content] =
        [Field::Title, Field::Content].map(|field| form.value(field.name()).unwrap_or_default());
    let advice = match fate {
        Fate::NotSaved => {
            "This is what you wrote. It has not been saved: copy it, or go back in your browser and try again."
        }
        Fate::NoRoom => {
            "This is what you wrote. It has not been saved, and there is no room to keep it until you have \
             logged in: copy it, or log in in another tab, go back in this one and send it again."
        }
        Fate::Gone => {
            "This is what you wrote. It has not been saved: copy it. If what you were editing was deleted, \
             restore it from your trash, or put the text into a new post."
        }
    };
    (!title.is_empty() || !content.is_empty()).then(|| view! {
        <section class="conflict" aria-labelledby="unsaved-title">
            <h2 id="unsaved-title">"Your text"</h2>
            <p>{advice}</p>
            {(fate == Fate::Gone).then(|| view! {
                <p class="actions">
                    <a href="/my-posts/trash">"Look into your trash"</a>
                    <a href="/my-posts/new">"New post"</a>
                </p>
            })}
            <p class="field">
                <label for="saved-title">"Title"</label>
                <input id="saved-title" readonly dir="auto" value=title />
            </p>
            <p class="field">
                <label for="saved-content">"Content"</label>
                <textarea id="saved-content" readonly rows="8" dir="auto" inner_html=text_area_html(&content)></textarea>
            </p>
        </section>
    })
}
