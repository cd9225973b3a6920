//! `/logout`, for who comes by its address. A link must not log anybody out, so it asks.

use leptos::prelude::*;

use crate::{credentials::Actor, http::context::actor, ui::PageTitle};

#[component]
pub fn LogOutPage() -> impl IntoView {
    if !matches!(actor(), Actor::User(_)) {
        leptos_axum::redirect("/");
    }
    view! {
        <PageTitle text="Log out".to_owned() />
        <section class="message">
            <h1>"Log out?"</h1>
            <p>"You will be logged out in this browser alone."</p>
            <form method="post" action="/logout" class="button-row">
                <button class="button" type="submit">"Log out"</button>
                <a href="/">"Stay logged in"</a>
            </form>
        </section>
    }
}
