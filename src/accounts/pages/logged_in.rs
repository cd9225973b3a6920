//! `/login/done`.

use leptos::prelude::*;

use super::{next, redirect_if_signed_in, with_next};
use crate::{http::context::site, ui::PageTitle};

/// The page right after a login or a sign-up. A browser that sends the new
/// cookie is redirected at once. Without it, every page would treat the person
/// as a stranger and give no reason, so this page explains it.
#[component]
pub fn LoggedInPage() -> impl IntoView {
    let next = next();
    redirect_if_signed_in(next.as_ref());
    let address = site().public_url.set().map(ToString::to_string);
    view! {
        <PageTitle text="You are not logged in".to_owned() />
        <section class="message">
            <h1>"You are not logged in"</h1>
            <p>
                "If you have just logged in or signed up, that has worked, but your browser has not kept the \
                 cookie by which this site knows you."
            </p>
            {address.map(|address| view! {
                <p>
                    "This site is at "<a href=address.clone()>{address.clone()}</a>
                    ". If your browser shows another address, even if only http differs from https, go to that one: the cookie is kept there alone."
                </p>
            })}
            <p>"Allow this site in your browser's settings to keep cookies, then log in again."</p>
            <p><a href=with_next("/login", next.as_ref())>"Log in again"</a></p>
        </section>
    }
}
