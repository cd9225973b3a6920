//! `/account/two-factor`, and the pages of its forms, which show the same.

use leptos::prelude::*;

use super::{AccountNav, qr_code::QrCode};
use crate::{
    accounts::{RecoveryCodes, TwoFactor, domain::two_factor},
    error::Field,
    http::{
        context::{caller, site},
        pages::ShownOnce,
    },
    ui::{ErrorSummary, FormState, IdempotencyInput, PageTitle, TextField, load},
};

const HEADING: &str = "Two-factor authentication";

/// Turns the second factor on and off.
#[component]
pub fn TwoFactorPage() -> impl IntoView {
    let failed = expect_context::<FormState>().error.is_some();
    let ShownOnce(made) = expect_context();
    let made = made.and_then(|made| serde_json::from_value::<RecoveryCodes>(made).ok());
    load(async move {
        // The secret may be on the page, so whoever sees it has to be the person.
        let caller = caller();
        let state = two_factor::state(&site(), caller.confirmed_user()?).await?;
        Ok(view! {
            <PageTitle text=if failed { format!("Error: {HEADING}") } else { HEADING.to_owned() } />
            <AccountNav />
            <h1>{HEADING}</h1>
            <ErrorSummary />
            {made.map(|made| view! { <Made made /> })}
            <p>
                "After your password, logging in then asks for a code that an app on your phone shows. \
                 Nobody gets in with your password alone."
            </p>
            {match state {
                TwoFactor::Unavailable => view! { <Unavailable /> }.into_any(),
                TwoFactor::Off => view! { <Off /> }.into_any(),
                TwoFactor::Pending { secret, uri } => view! { <Pending secret uri /> }.into_any(),
                TwoFactor::On { recovery_codes } => view! { <On recovery_codes /> }.into_any(),
            }}
        })
    })
}

#[component]
fn Unavailable() -> impl IntoView {
    view! {
        <p>
            "It is not available here: this site has no secret key to keep such a secret with. \
             Its operator has to set "<code>"secret-key-file"</code>"."
        </p>
    }
}

#[component]
fn Off() -> impl IntoView {
    view! {
        <p>"It is "<strong>"off"</strong>"."</p>
        <form method="post" action="/account/two-factor">
            <button class="button" type="submit">"Set up"</button>
        </form>
    }
}

#[component]
fn Pending(secret: String, uri: String) -> impl IntoView {
    view! {
        <section class="narrow" aria-labelledby="set-up">
            <h2 id="set-up">"Add this site to your app"</h2>
            <p id="secret-hint">"Scan the picture with an authenticator app, or type the secret into it."</p>
            <QrCode text=uri label="QR code with the secret, for an authenticator app" />
            <div class="field">
                <label for="secret">"Secret"</label>
                <div class="control">
                    <input
                        id="secret"
                        class="secret"
                        readonly
                        value=secret
                        autocomplete="off"
                        spellcheck="false"
                        aria-describedby="secret-hint"
                    />
                </div>
            </div>
            <form method="post" action="/account/two-factor/on" novalidate>
                <IdempotencyInput />
                <TextField
                    field=Field::Code
                    autocomplete="one-time-code"
                    inputmode="numeric"
                    hint="The six digits that the app shows now"
                />
                <button class="button" type="submit">"Turn on"</button>
            </form>
        </section>
        <form method="post" action="/account/two-factor">
            <button class="link-button" type="submit">"Make another secret"</button>
        </form>
    }
}

#[component]
fn On(recovery_codes: i64) -> impl IntoView {
    view! {
        <p>"It is "<strong>"on"</strong>"."</p>
        <section aria-labelledby="codes">
            <h2 id="codes">"Recovery codes"</h2>
            <p>
                {match recovery_codes {
                    0 => "You have no recovery codes left. ".to_owned(),
                    1 => "You have one recovery code left. ".to_owned(),
                    left => format!("You have {left} recovery codes left. "),
                }}
                "Each lets you in once without the app. New ones replace those that you have."
            </p>
            <form method="post" action="/account/two-factor/codes">
                <IdempotencyInput />
                <button class="button" type="submit">"Make new recovery codes"</button>
            </form>
        </section>
        <section aria-labelledby="off">
            <h2 id="off">"Without a second factor"</h2>
            <p>"Then your password alone lets you in. The secret and the recovery codes are forgotten."</p>
            <form method="post" action="/account/two-factor/off">
                <button class="button danger" type="submit">"Turn off"</button>
            </form>
        </section>
    }
}

/// Shows new recovery codes; no later answer has them.
#[component]
fn Made(made: RecoveryCodes) -> impl IntoView {
    let codes = made.recovery_codes.into_iter().map(|code| view! { <li><code>{code}</code></li> });
    // Takes the focus, so that it is read out first and never overlooked.
    view! {
        <section class="notice new-key" aria-labelledby="made" tabindex="-1" autofocus>
            <h2 id="made">"Your recovery codes"</h2>
            <p>
                "Write them down or print them, and keep them where you will find them without your phone. \
                 They will not be shown again."
            </p>
            <ul class="recovery-codes">{codes.collect_view()}</ul>
        </section>
    }
}
