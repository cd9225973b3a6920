//! The parts of a page.

use leptos::prelude::*;

use axum::http::Uri;

use super::{ErrorPage, confirm_first, log_in_first};
use crate::{assets, error::AppError, site::Site, timestamp::Timestamp};

/// Path and query of the page.
///
/// # Panics
///
/// Outside a page.
#[must_use]
pub fn uri() -> Uri {
    expect_context()
}

/// A page whose content has to be loaded first. Errors become error pages;
/// people who are not signed in are sent to the login and come back.
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
            Err(AppError::ConfirmIdentity) => {
                leptos_axum::redirect(&confirm_first(&uri.to_string()));
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
    /// When the page is loaded and the browser is idle; never for people who
    /// ask to save data.
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
    /// The cursor of the page before, with newer posts.
    newer: Option<String>,
    #[prop(into)] path: String,
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
    let settings = expect_context::<Site>().settings();
    let zone = &settings.time_zone;
    view! { <time datetime=at.rfc3339_millis() title=zone.moment(at)>{zone.day(at)}</time> }
}
