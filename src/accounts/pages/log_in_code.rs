//! `/login/code`.

use leptos::prelude::*;

use super::{next, next_input, redirect_if_signed_in, with_next};
use crate::{
    error::Field,
    ui::{ErrorSummary, FormState, PageTitle, TextField},
};

/// The second step of a login. Whoever has not done the first is sent to it when
/// they send a code.
#[component]
pub fn LogInCodePage() -> impl IntoView {
    let next = next();
    redirect_if_signed_in(next.as_ref());
    let failed = expect_context::<FormState>().error.is_some();
    view! {
        <PageTitle text=if failed { "Error: Enter your code" } else { "Enter your code" }.to_owned() />
        <div class="narrow">
            <h1>"Enter your code"</h1>
            <ErrorSummary />
            <form method="post" action="/login/code" novalidate>
                {next_input(next.as_ref())}
                <TextField
                    field=Field::Code
                    autocomplete="one-time-code"
                    hint="The six digits that your app shows now, or one of your recovery codes"
                />
                <button class="button" type="submit">"Continue"</button>
            </form>
            <p class="aside"><a href=with_next("/login", next.as_ref())>"Begin again"</a></p>
        </div>
    }
}
