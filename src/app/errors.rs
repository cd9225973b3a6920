//! Error pages: say what happened and where to go on.

use axum::http::StatusCode;
use leptos::prelude::*;
use leptos_axum::ResponseOptions;

use crate::{error::AppError, ui::PageTitle};

/// An error in place of a page, with its status.
#[component]
pub fn ErrorPage(error: AppError) -> impl IntoView {
    if let (Some(response), Ok(status)) =
        (use_context::<ResponseOptions>(), StatusCode::from_u16(error.status()))
    {
        response.set_status(status);
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
