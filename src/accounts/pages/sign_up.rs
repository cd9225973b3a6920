//! `/signup`.

use leptos::prelude::*;

use super::{asked_for, new_password::NewPasswordField, next, next_input, redirect_if_signed_in, with_next};
use crate::{
    accounts::domain::invitations::{self, Invitation},
    error::{AppError, Field},
    http::context::site,
    ui::{ErrorSummary, FormState, IdempotencyInput, IslandScripts, PageTitle, TextField, load},
};

#[component]
pub fn SignUpPage() -> impl IntoView {
    let next = next();
    redirect_if_signed_in(next.as_ref());
    let invite = asked_for("invite");
    let failed = expect_context::<FormState>().error.is_some();
    load(async move {
        // What comes back with an error has been asked already.
        if !failed {
            let invitation = invite.as_deref().and_then(Invitation::parse);
            if let Err(error) = invitations::may_sign_up(&site(), invitation).await {
                return match error {
                    AppError::SignUpClosed | AppError::InvitationNeeded => {
                        Ok(view! { <NoSignUps error /> }.into_any())
                    }
                    error => Err(error),
                };
            }
        }
        Ok(view! {
        <PageTitle text=if failed { "Error: Sign up" } else { "Sign up" }.to_owned() />
        <div class="narrow">
            <h1>"Sign up"</h1>
            <ErrorSummary />
            <form method="post" action="/signup" novalidate>
                {next_input(next.as_ref())}
                {invite.map(|invite| view! { <input type="hidden" name="invite" value=invite /> })}
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
        .into_any())
    })
}

/// For whoever may not sign up.
#[component]
fn NoSignUps(error: AppError) -> impl IntoView {
    view! {
        <PageTitle text="Sign up".to_owned() />
        <div class="narrow">
            <h1>"Sign up"</h1>
            <p>{error.to_string()}</p>
            <p class="aside">"Have an account? "<a href="/login">"Log in instead"</a></p>
        </div>
    }
}
