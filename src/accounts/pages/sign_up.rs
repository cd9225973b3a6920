//! `/signup`.

use leptos::prelude::*;

use super::{new_password::NewPasswordField, next, next_input, redirect_if_signed_in, with_next};
use crate::{
    error::{AppError, Field},
    http::context::site,
    ui::{ErrorSummary, FormState, IdempotencyInput, IslandScripts, PageTitle, TextField},
};

#[component]
pub fn SignUpPage() -> impl IntoView {
    let next = next();
    redirect_if_signed_in(next.as_ref());
    if !site().settings().sign_up.is_open() {
        return view! { <NoSignUps /> }.into_any();
    }
    let failed = expect_context::<FormState>().error.is_some();
    view! {
        <PageTitle text=if failed { "Error: Sign up" } else { "Sign up" }.to_owned() />
        <div class="narrow">
            <h1>"Sign up"</h1>
            <ErrorSummary />
            <form method="post" action="/signup" novalidate>
                {next_input(next.as_ref())}
                <IdempotencyInput />
                <TextField
                    field=Field::Username
                    autocomplete="username"
                    hint="Shown with your posts: 3 to 30 letters a to z, numbers, hyphens or underscores"
                />
                <TextField
                    field=Field::Email
                    kind="email"
                    autocomplete="email"
                    hint="For logging in. Nobody else sees it"
                />
                <NewPasswordField field=Field::Password />
                <button class="button" type="submit">"Sign up"</button>
            </form>
            <p class="aside">"Have an account? "<a href=with_next("/login", next.as_ref())>"Log in instead"</a></p>
        </div>
        <IslandScripts />
    }
    .into_any()
}

/// Where whoever runs the site makes the accounts.
#[component]
fn NoSignUps() -> impl IntoView {
    view! {
        <PageTitle text="Sign up".to_owned() />
        <div class="narrow">
            <h1>"Sign up"</h1>
            <p>{AppError::SignUpClosed.to_string()}</p>
            <p class="aside">"Have an account? "<a href="/login">"Log in instead"</a></p>
        </div>
    }
}
