//! The parts of a page.

use leptos::prelude::*;

use axum::http::Uri;

use super::{ErrorPage, log_in_first};
use crate::{assets, error::AppError, timestamp::Timestamp};

/// Path and query of the page.
///
/// # Panics
/// Outside a page, which is rendered where it is known.
#[must_use]
pub fn uri() -> Uri {
    expect_context()
}

/// A page whose content has to be fetched first. Errors become error pages;
/// whoever is not signed in goes to log in and comes back.
pub fn load<V: IntoView + 'static>(
    content: impl Future<Output = Result<V, AppError>> + Send + 'static,
) -> impl IntoView {
    let uri = uri();
    Suspend::new(async move {
        match content.await {
            Ok(view) => view.into_any(),
            Err(AppError::NotSignedIn) => {
                leptos_axum::redirect(&log_in_first(&uri.to_string()));
                ().into_any()
            }
            Err(error) => view! { <ErrorPage error /> }.into_any(),
        }
    })
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wake {
    /// With the page, because people work with it.
    #[default]
    AtOnce,
    /// Once the page is read and the browser has nothing else to do; not at
    /// all for whoever asks to save data.
    Idle,
}

/// Loads the islands' module; on pages that have one. All others stay free of it.
#[component]
pub fn IslandScripts(
    /// How soon.
    #[prop(optional)]
    wake: Wake,
) -> impl IntoView {
    let (module, wasm) = (assets::url("byline.js"), assets::url("byline.wasm"));
    let preload = (wake == Wake::AtOnce).then(|| view! {
        <link rel="modulepreload" href=module.clone() />
        <link rel="preload" r#as="fetch" r#type="application/wasm" crossorigin="anonymous" href=wasm.clone() />
    });
    let wake = match wake {
        Wake::AtOnce => "at-once",
        Wake::Idle => "idle",
    };
    view! {
        {preload}
        <script
            type="module"
            src=assets::url("boot.js")
            data-module=module
            data-wasm=wasm
            data-wake=wake
        ></script>
    }
}

/// "Newer posts" and "Older posts".
#[component]
pub fn Pagination(
    /// Where the page begins that follows, with what is older.
    older: Option<String>,
    /// Where the page begins that comes before, with what is newer.
    newer: Option<String>,
    path: &'static str,
) -> impl IntoView {
    let any = older.is_some() || newer.is_some();
    any.then(|| {
        view! {
            <nav class="pagination" aria-label="Pages">
                {newer.map(|cursor| view! { <a rel="prev" href=format!("{path}?newer={cursor}")>"Newer posts"</a> })}
                {older.map(|cursor| view! { <a class="older" rel="next" href=format!("{path}?older={cursor}")>"Older posts"</a> })}
            </nav>
        }
    })
}

/// A point in time, for people and programs.
#[component]
pub fn Time(at: Timestamp) -> impl IntoView {
    view! { <time datetime=at.rfc3339()>{at.day()}</time> }
}
