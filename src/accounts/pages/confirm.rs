//! `/account/confirm`.

use leptos::prelude::*;

use super::{PasskeyConfirmation, next, next_input};
use crate::{
    accounts::{domain::passkeys, show_password::ShowPassword},
    error::Field,
    http::context::{actor, site},
    ui::{ErrorSummary, FormState, IslandScripts, PageTitle, TextField, load},
};

/// Asks for the password once more, before an account is changed (security row S4).
#[component]
pub fn ConfirmPage() -> impl IntoView {
    let next = next();
    let failed = expect_context::<FormState>().error.is_some();
    load(async move {
        let actor = actor();
        let user = actor.user()?;
        let username = user.username.to_string();
        let has_passkey = !passkeys::list(&site(), user).await?.passkeys.is_empty();
        Ok(view! {
            <PageTitle text=if failed { "Error: Confirm it is you" } else { "Confirm it is you" }.to_owned() />
            <div class="narrow">
                <h1>"Confirm it is you"</h1>
                <ErrorSummary />
                <p>"You change something important about your account. Enter your password again; that holds for ten minutes."</p>
                <form method="post" action="/account/confirm" novalidate>
                    {next_input(next.as_ref())}
                    // Password managers look for it beside the password.
                    <input type="hidden" name="username" autocomplete="username" value=username />
                    <TextField field=Field::Password kind="password" autocomplete="current-password">
                        <ShowPassword of=Field::Password.name().to_owned() />
                    </TextField>
                    <button class="button" type="submit">"Continue"</button>
                </form>
                {has_passkey.then(|| view! { <PasskeyConfirmation next=next.clone() /> })}
            </div>
            <IslandScripts />
        })
    })
}
