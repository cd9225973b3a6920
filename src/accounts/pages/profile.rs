//! `/account/profile`.

use leptos::prelude::*;

use super::AccountNav;
use crate::{
    accounts::{
        domain::account::{self, AccountFacts},
        profile::Punctuation,
    },
    error::Field,
    http::context::{caller, site},
    ui::{ErrorSummary, FormState, PageTitle, SelectField, TextArea, TextField, load},
};

const PUNCTUATION: [(Punctuation, &str); 2] = [
    (Punctuation::Typographic, "As in print: “so” – it’s…"),
    (Punctuation::Plain, "As I type it: \"so\" -- it's..."),
];

#[component]
pub fn ProfilePage() -> impl IntoView {
    let failed = expect_context::<FormState>().error.is_some();
    load(async move {
        let AccountFacts { profile, punctuation, .. } = account::facts(&site(), &caller()).await?;
        Ok(view! {
            <PageTitle text=if failed { "Error: Profile" } else { "Profile" }.to_owned() />
            <AccountNav />
            <div class="narrow">
                <h1>"Profile"</h1>
                <ErrorSummary />
                <p>"Everyone may see this. Every text may stay empty."</p>
                <form method="post" action="/account/profile" novalidate>
                    <TextField
                        field=Field::DisplayName
                        autocomplete="name"
                        hint="How you want to be called: 60 characters at most"
                        value=profile.display_name.as_str().to_owned()
                        optional=true
                    />
                    <TextField
                        field=Field::About
                        autocomplete="on"
                        hint="One line: 160 characters at most"
                        value=profile.about.as_str().to_owned()
                        optional=true
                    />
                    <TextArea
                        field=Field::Links
                        hint="Your other pages, one address on each line, five at most"
                        value=profile.links.lines()
                    />
                    <SelectField
                        field=Field::Punctuation
                        hint="Readers see the result. Code is always shown as it was typed"
                        choices=PUNCTUATION.map(|(choice, words)| (choice.name(), words.to_owned())).to_vec()
                        value=punctuation.name()
                    />
                    <button class="button" type="submit">"Save profile"</button>
                </form>
            </div>
        })
    })
}
