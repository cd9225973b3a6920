//! `/account/password`.

use leptos::prelude::*;

use super::{AccountNav, new_password::NewPasswordField};
use crate::{
    accounts::show_password::ShowPassword,
    error::Field,
    http::context::actor,
    ui::{ErrorSummary, FormState, IslandScripts, PageTitle, TextField, load},
};

#[component]
pub fn PasswordPage() -> impl IntoView {
    let failed = expect_context::<FormState>().error.is_some();
    load(async move {
        let username = actor().user()?.username.to_string();
        Ok(view! {
            <PageTitle text=if failed { "Error: Password" } else { "Password" }.to_owned() />
            <AccountNav />
            <div class="narrow">
                <h1>"Password"</h1>
                <ErrorSummary />
                <p>"A new password signs you out everywhere but here."</p>
                <form method="post" action="/account/password" novalidate>
                    <input type="hidden" name="username" autocomplete="username" value=username />
                    <TextField field=Field::CurrentPassword kind="password" autocomplete="current-password">
                        <ShowPassword of=Field::CurrentPassword.name().to_owned() />
                    </TextField>
                    <NewPasswordField field=Field::NewPassword />
                    <button class="button" type="submit">"Change password"</button>
                </form>
            </div>
            <IslandScripts />
        })
    })
}
