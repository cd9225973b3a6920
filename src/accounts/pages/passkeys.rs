//! `/account/passkeys` and `/account/passkeys/{id}/remove`; and the form by which
//! one logs in with a passkey, or confirms who one is.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::{AccountNav, new_password::HINT as NEW_PASSWORD_HINT, next_input};
use crate::{
    accounts::{ListedPasskey, Passkeys, domain::passkeys},
    assets,
    error::{AppError, Field},
    http::context::{actor, site},
    ui::{ErrorSummary, FormState, Next, PageTitle, TextField, Time, load},
};

/// The signed-in person's passkeys, and a form for another.
#[component]
pub fn PasskeysPage() -> impl IntoView {
    let failed = expect_context::<FormState>().error.is_some();
    load(async move {
        let Passkeys { passkeys, has_password } = passkeys::list(&site(), actor().user()?).await?;
        let offers_without_password = has_password
            && i64::try_from(passkeys.iter().filter(|passkey| !passkey.is_refused).count())
                .is_ok_and(|count| count >= passkeys::WITHOUT_PASSWORD);
        Ok(view! {
            <PageTitle text=if failed { "Error: Passkeys" } else { "Passkeys" }.to_owned() />
            <AccountNav />
            <h1>"Passkeys"</h1>
            <ErrorSummary />
            <p>
                "With a passkey you log in as you unlock your device: by a finger, your face or a PIN. \
                 There is nothing to remember, and nothing that another site could steal."
            </p>
            {if passkeys.is_empty() {
                view! { <div class="empty"><p>"You have no passkeys."</p></div> }.into_any()
            } else {
                let entries = passkeys.into_iter().map(|passkey| view! { <Entry passkey /> }).collect_view();
                view! {
                    <section aria-labelledby="passkeys">
                        <h2 id="passkeys">"Your passkeys"</h2>
                        <div class="key-list">{entries}</div>
                    </section>
                }
                .into_any()
            }}
            {match passkeys::origin(&site()) {
                Ok(_) => view! { <Add /> }.into_any(),
                Err(reason) => view! { <p>{reason.to_string()}"."</p> }.into_any(),
            }}
            {offers_without_password.then(|| view! { <DropPassword /> })}
            {(!has_password).then(|| view! { <SetPassword /> })}
        })
    })
}

#[component]
fn Add() -> impl IntoView {
    view! {
        <section class="narrow new-key-form" aria-labelledby="add">
            <h2 id="add">"Add one"</h2>
            <NoScript />
            <form method="post" action="/account/passkeys" novalidate data-passkey="add">
                <TextField field=Field::Name autocomplete="on" hint="Where it is kept: 1 to 60 characters" />
                <Answer />
                <button id=Field::Passkey.name() class="button" type="submit">"Add a passkey"</button>
            </form>
        </section>
        <PasskeyScript />
    }
}

#[component]
fn DropPassword() -> impl IntoView {
    view! {
        <section aria-labelledby="without-password">
            <h2 id="without-password">"Without a password"</h2>
            <p>
                "You have passkeys enough to do without your password. Then nobody can guess it or \
                 take it from you, but you need one of your passkeys to log in."
            </p>
            <form method="post" action="/account/passkeys/without-password">
                <button class="button danger" type="submit">"Remove my password"</button>
            </form>
        </section>
    }
}

#[component]
fn SetPassword() -> impl IntoView {
    view! {
        <section class="narrow" aria-labelledby="set-password">
            <h2 id="set-password">"Without a password"</h2>
            <p>"Your account has no password: you log in with a passkey. You can set one at any time."</p>
            <form method="post" action="/account/passkeys/password" novalidate>
                <TextField
                    field=Field::NewPassword
                    kind="password"
                    autocomplete="new-password"
                    hint=NEW_PASSWORD_HINT
                />
                <button class="button" type="submit">"Set password"</button>
            </form>
        </section>
    }
}

#[component]
fn Entry(passkey: ListedPasskey) -> impl IntoView {
    let ListedPasskey { id, name, created_at, last_used_at, is_refused } = passkey;
    let heading = format!("passkey-{id}");
    let labelled_by = heading.clone();
    view! {
        <article class="entry" aria-labelledby=labelled_by>
            <h3 id=heading.clone()><bdi>{name}</bdi></h3>
            <dl class="facts">
                <div><dt>"Made"</dt><dd><Time at=created_at /></dd></div>
                <div>
                    <dt>"Last used"</dt>
                    <dd>{match last_used_at {
                        Some(at) => view! { <Time at /> }.into_any(),
                        None => "never".into_any(),
                    }}</dd>
                </div>
            </dl>
            {is_refused.then(|| view! {
                <p class="field-error">
                    "This passkey was copied: its counter went back. It is refused, for you as well. \
                     Remove it and add another."
                </p>
            })}
            <p class="actions">
                <a class="danger" href=format!("/account/passkeys/{id}/remove") aria-describedby=heading>"Remove"</a>
            </p>
        </article>
    }
}

/// Asks before a passkey is gone.
#[component]
pub fn RemovePasskeyPage() -> impl IntoView {
    let id = use_params_map().with_untracked(|params| params.get("id").unwrap_or_default());
    let failed = expect_context::<FormState>().error.is_some();
    load(async move {
        let Passkeys { passkeys, .. } = passkeys::list(&site(), actor().user()?).await?;
        let passkey = passkeys.into_iter().find(|passkey| passkey.id == id).ok_or(AppError::NotFound)?;
        let title = if failed { "Error: Remove this passkey?" } else { "Remove this passkey?" };
        Ok(view! {
            <PageTitle text=title.to_owned() />
            <section class="message">
                <h1>"Remove this passkey?"</h1>
                <ErrorSummary />
                <p>
                    "“"<bdi>{passkey.name}</bdi>"” will not let you in any more. Remove it from your device \
                     too: this site cannot do that."
                </p>
                <form method="post" action=format!("/account/passkeys/{}/remove", passkey.id) class="button-row">
                    <button id=Field::Passkey.name() class="button danger" type="submit">"Remove passkey"</button>
                    <a href="/account/passkeys">"Keep it"</a>
                </form>
            </section>
        })
    })
}

/// "Log in with a passkey"; nothing where the site has no passkeys.
#[component]
pub fn PasskeyLogIn(next: Option<Next>) -> impl IntoView {
    passkeys::origin(&site()).ok().map(|_| {
        view! {
            <Ask kind="log-in" action="/login/passkey" next button="Log in with a passkey" />
        }
    })
}

/// "Use a passkey", to confirm who one is; nothing where the site has no passkeys.
#[component]
pub fn PasskeyConfirmation(next: Option<Next>) -> impl IntoView {
    passkeys::origin(&site()).ok().map(|_| {
        view! {
            <Ask kind="confirm" action="/account/confirm/passkey" next button="Use a passkey" />
        }
    })
}

#[component]
fn Ask(kind: &'static str, action: &'static str, next: Option<Next>, button: &'static str) -> impl IntoView {
    view! {
        <form method="post" action=action novalidate class="passkey" data-passkey=kind>
            {next_input(next.as_ref())}
            // As the box beside the password says; the script copies it.
            <input type="hidden" name="keep_signed_in" />
            <Answer />
            <button id=Field::Passkey.name() class="button" type="submit">{button}</button>
            <NoScript />
        </form>
        <PasskeyScript />
    }
}

/// What the script fills in, and where it says what went wrong.
#[component]
fn Answer() -> impl IntoView {
    view! {
        <input type="hidden" name="ceremony" />
        <input type="hidden" name="credential" />
        <p class="field-error" role="alert" data-passkey-problem></p>
    }
}

#[component]
fn NoScript() -> impl IntoView {
    view! {
        <noscript><p>"Passkeys need JavaScript, which your browser does not run here."</p></noscript>
    }
}

#[component]
fn PasskeyScript() -> impl IntoView {
    view! { <script type="module" src=assets::url("passkeys.js")></script> }
}
