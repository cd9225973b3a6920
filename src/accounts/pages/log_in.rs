//! `/login`.

use leptos::prelude::*;

use super::{next, next_input, passkeys::PasskeyLogIn, redirect_if_signed_in, with_next};
use crate::{
    accounts::show_password::ShowPassword,
    error::Field,
    http::context::site,
    ui::{ErrorSummary, FormState, IslandScripts, PageTitle, TextField},
};

#[component]
pub fn LogInPage() -> impl IntoView {
    let next = next();
    redirect_if_signed_in(next.as_ref());
    let form = expect_context::<FormState>();
    let (failed, keep) = (form.error.is_some(), form.value("keep_signed_in").is_some());
    view! {
        <PageTitle text=if failed { "Error: Log in" } else { "Log in" }.to_owned() />
        <div class="narrow">
            <h1>"Log in"</h1>
            <ErrorSummary />
            <form method="post" action="/login" novalidate>
                {next_input(next.as_ref())}
                <TextField field=Field::Identifier autocomplete="username webauthn" />
                <TextField field=Field::Password kind="password" autocomplete="current-password" wrong_with=Field::Identifier>
                    <ShowPassword of=Field::Password.name().to_owned() />
                </TextField>
                <div class="choice">
                    <input id="keep_signed_in" name="keep_signed_in" type="checkbox" value="yes" checked=keep />
                    <label for="keep_signed_in">"Keep me signed in"</label>
                </div>
                <button class="button" type="submit">"Log in"</button>
            </form>
            <PasskeyLogIn next=next.clone() />
            <p class="aside"><a href="/forgot-password">"Forgot your password?"</a></p>
            {site().settings().sign_up.is_open().then(|| view! {
                <p class="aside">"New here? "<a href=with_next("/signup", next.as_ref())>"Make an account"</a></p>
            })}
        </div>
        <IslandScripts />
    }
}
