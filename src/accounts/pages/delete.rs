//! `/account/delete`.

use leptos::prelude::*;

use super::AccountNav;
use crate::{
    accounts::show_password::ShowPassword,
    error::Field,
    http::context::actor,
    ui::{ErrorSummary, FormState, IslandScripts, PageTitle, TextField, load},
};

#[component]
pub fn DeleteAccountPage() -> impl IntoView {
    let form = expect_context::<FormState>();
    let failed = form.error.is_some();
    load(async move {
        let username = actor().user()?.username.to_string();
        let chosen = form.value(Field::Posts.name());
        let error = form.error_at(Field::Posts);
        let is_invalid = error.is_some();
        let choice = |value: &'static str, label: &'static str| {
            let id =
                if value == "delete" { Field::Posts.name().to_owned() } else { format!("posts-{value}") };
            let checked = chosen.as_deref() == Some(value);
            view! {
                <div class="choice">
                    <input
                        id=id.clone()
                        type="radio"
                        name=Field::Posts.name()
                        value=value
                        checked=checked
                        aria-invalid=is_invalid.then_some("true")
                        aria-describedby=is_invalid.then_some("posts-error")
                    />
                    <label for=id>{label}</label>
                </div>
            }
        };
        Ok(view! {
            <PageTitle text=if failed { "Error: Delete account" } else { "Delete account" }.to_owned() />
            <AccountNav />
            <div class="narrow">
                <h1>"Delete account"</h1>
                <ErrorSummary />
                <p>
                    "You are signed out everywhere at once. After seven days the account is deleted for good. "
                    "Log in before then, and nothing is deleted."
                </p>
                <p>"Copies that whoever runs this site has made for emergencies are kept until they are replaced. "
                    <a href="/account/export">"Export your data"</a>" first, if you want to keep it."</p>
                <form method="post" action="/account/delete" novalidate>
                    <input type="hidden" name="username" autocomplete="username" value=username />
                    <fieldset class="field" class:invalid=is_invalid>
                        <legend>"Your posts"</legend>
                        {error.map(|error| view! { <p class="field-error" id="posts-error"><span class="visually-hidden">"Error: "</span>{error}</p> })}
                        {choice("delete", "Delete them as well")}
                        {choice("keep", "Keep them, under the name “deleted-author”")}
                    </fieldset>
                    <TextField field=Field::Password kind="password" autocomplete="current-password">
                        <ShowPassword of=Field::Password.name().to_owned() />
                    </TextField>
                    <button class="button danger" type="submit">"Delete account"</button>
                </form>
            </div>
            <IslandScripts />
        })
    })
}
