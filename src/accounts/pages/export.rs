//! `/account/export`.

use leptos::prelude::*;

use super::AccountNav;
use crate::{
    http::context::caller,
    ui::{PageTitle, load},
};

/// The button that gets the file; the answer to it is `ops::export`.
#[component]
pub fn ExportPage() -> impl IntoView {
    load(async move {
        caller().confirmed_user()?;
        Ok(view! {
            <PageTitle text="Export".to_owned() />
            <AccountNav />
            <div class="narrow">
                <h1>"Export"</h1>
                <p>
                    "A zip file with your posts as Markdown, and your profile, logins, API keys and recent "
                    "activity as JSON. It has no password and no key that somebody could use."
                </p>
                <form method="post" action="/account/export">
                    <button class="button" type="submit">"Download your data"</button>
                </form>
            </div>
        })
    })
}
