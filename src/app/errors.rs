//! Error pages: say what happened and where to go on.

use axum::http::{StatusCode, header::RETRY_AFTER};
use leptos::prelude::*;
use leptos_axum::ResponseOptions;

use crate::{error::AppError, server::headers::retry_after, ui::PageTitle};

/// An error in place of a page, with its status and when to come again.
#[component]
pub fn ErrorPage(error: AppError) -> impl IntoView {
    if let Some(response) = use_context::<ResponseOptions>() {
        if let Ok(status) = StatusCode::from_u16(error.status()) {
            response.set_status(status);
        }
        if let Some(seconds) = retry_after(&error) {
            response.insert_header(RETRY_AFTER, seconds);
        }
    }
    let sentence = match error {
        AppError::NotFound => {
            "There is nothing at this address. It may have been deleted, or the link may be misspelt."
                .to_owned()
        }
        ref other => other.to_string(),
    };
    view! {
        <PageTitle text=error.heading().to_owned() />
        <section class="message">
            <h1>{error.heading()}</h1>
            <p>{sentence}</p>
            <p><a href="/">"Go to all posts"</a></p>
        </section>
    }
}
