//! `/forgot-password` and `/reset-password`.

use leptos::prelude::*;

use super::{asked_for, new_password::NewPasswordField};
use crate::{
    accounts::domain::{one_time::Token, recovery},
    error::Field,
    http::context::site,
    ui::{ErrorSummary, FormState, IslandScripts, PageTitle, TextField, load},
};

#[component]
pub fn ForgotPasswordPage() -> impl IntoView {
    let failed = expect_context::<FormState>().error.is_some();
    let title = if failed { "Error: Forgot your password?" } else { "Forgot your password?" };
    view! {
        <PageTitle text=title.to_owned() />
        <div class="narrow">
            <h1>"Forgot your password?"</h1>
            {if site().mailer().is_on() {
                view! {
                    <ErrorSummary />
                    <p>"We send a link to the address of your account, with which you set a new password."</p>
                    <form method="post" action="/forgot-password" novalidate>
                        <TextField field=Field::Identifier autocomplete="username" />
                        <button class="button" type="submit">"Send instructions"</button>
                    </form>
                }
                .into_any()
            } else {
                view! {
                    <p>
                        "This site cannot send mail, so it cannot send you a link. Ask whoever runs it for a new password: they can set one."
                    </p>
                }
                .into_any()
            }}
            <p class="aside">"Remembered it? "<a href="/login">"Log in"</a></p>
        </div>
    }
}

/// Nothing is used up by looking at it: mail scanners open links.
#[component]
pub fn ResetPasswordPage() -> impl IntoView {
    let failed = expect_context::<FormState>().error.is_some();
    let raw = asked_for("token").unwrap_or_default();
    load(async move {
        let is_open = match Token::parse(&raw) {
            Some(token) => recovery::is_open(&site(), &token).await?,
            None => false,
        };
        if !is_open {
            return Ok(view! {
                <PageTitle text="This link does not work any more".to_owned() />
                <section class="message">
                    <h1>"This link does not work any more"</h1>
                    <p>
                        "A link for a new password works once, and for 30 minutes. If you have just set a new \
                         password, log in with it."
                    </p>
                    <p class="button-row">
                        <a class="button" href="/forgot-password">"Ask for another link"</a>
                        <a href="/login">"Log in"</a>
                    </p>
                </section>
            }
            .into_any());
        }
        let title = if failed { "Error: Set a new password" } else { "Set a new password" };
        Ok(view! {
            <PageTitle text=title.to_owned() />
            <div class="narrow">
                <h1>"Set a new password"</h1>
                <ErrorSummary />
                <p>"Everybody who is signed in to your account is signed out then, but for you, here."</p>
                <form method="post" action="/reset-password" novalidate>
                    <input type="hidden" name="token" value=raw />
                    <NewPasswordField field=Field::NewPassword />
                    <button class="button" type="submit">"Set password"</button>
                </form>
            </div>
            <IslandScripts />
        }
        .into_any())
    })
}
