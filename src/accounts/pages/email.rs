//! `/account/email` and `/account/email/undo`.

use leptos::prelude::*;

use super::{AccountNav, asked_for};
use crate::{
    accounts::domain::{address, contact, one_time::Token, verification},
    config::Unverified,
    error::{AppError, Field},
    http::context::{actor, site},
    ui::{ErrorSummary, FormState, PageTitle, TextField, load},
};

/// The address of the person who is signed in, and a form for another.
#[component]
pub fn EmailPage() -> impl IntoView {
    let failed = expect_context::<FormState>().error.is_some();
    load(async move {
        let (site, actor) = (site(), actor());
        let user = actor.user()?;
        let found = contact::of(&mut site.database.read().await?, &user.id).await?;
        let contact = found.ok_or(AppError::NotSignedIn)?;
        let asked = verification::asked(&site, &actor).await?;
        let wanted = asked.filter(|asked| asked.email != contact.email);
        let sends_mail = site.mailer().is_on();
        let state = match (contact.is_verified, sends_mail) {
            (true, _) => view! { <p>"It is confirmed."</p> }.into_any(),
            (false, true) => view! {
                <p>"It is not confirmed yet. "<a href="/verify-email">"Confirm it"</a></p>
            }
            .into_any(),
            (false, false) => {
                view! { <p>"It is not confirmed, because this site sends no mail."</p> }.into_any()
            }
        };
        Ok(view! {
            <PageTitle text=if failed { "Error: Email" } else { "Email" }.to_owned() />
            <AccountNav />
            <div class="narrow">
                <h1>"Email"</h1>
                <ErrorSummary />
                {wanted.map(|wanted| view! {
                    <section class="notice">
                        <p>
                            "A mail is on its way to "<strong><bdi>{wanted.email}</bdi></strong>
                            ", which becomes your address once it is confirmed. "
                            <a href="/verify-email">"Enter the code"</a>
                        </p>
                    </section>
                })}
                <p>"Your address is "<strong><bdi>{contact.email}</bdi></strong>". Nobody else sees it."</p>
                {state}
                <form method="post" action="/account/email" novalidate>
                    <TextField
                        field=Field::Email
                        kind="email"
                        autocomplete="email"
                        hint=if sends_mail {
                            "The new address. It counts once you have confirmed it"
                        } else {
                            "The new address"
                        }
                    />
                    <button class="button" type="submit">"Change email"</button>
                </form>
            </div>
        })
    })
}

/// Asks before a change is undone; nothing is used up by looking at it.
#[component]
pub fn UndoEmailPage() -> impl IntoView {
    let raw = asked_for("token").unwrap_or_default();
    load(async move {
        let email = match Token::parse(&raw) {
            Some(token) => address::to_restore(&site(), &token).await?,
            None => None,
        };
        let Some(email) = email else {
            return Ok(view! {
                <PageTitle text="This link does not work any more".to_owned() />
                <section class="message">
                    <h1>"This link does not work any more"</h1>
                    <p>"A link that undoes a change of address works once, and for 72 hours. After that, ask whoever runs the site."</p>
                </section>
            }
            .into_any());
        };
        Ok(view! {
            <PageTitle text="Undo the change of your address?".to_owned() />
            <section class="message">
                <h1>"Undo the change of your address?"</h1>
                <ErrorSummary />
                <p>
                    <strong><bdi>{email}</bdi></strong>
                    " becomes the address of your account again, everybody who is signed in is signed out, and a link for a new password is mailed to you."
                </p>
                <form method="post" action="/account/email/undo">
                    <input type="hidden" name="token" value=raw />
                    <button class="button" type="submit">"Undo the change"</button>
                </form>
            </section>
        }
        .into_any())
    })
}

/// Tells people who are signed in that their address is not confirmed, where that
/// keeps them from something.
#[component]
pub fn UnconfirmedBanner() -> impl IntoView {
    let actor = actor();
    let site = site();
    let is_asked = site.mailer().is_on() && actor.user().is_ok();
    is_asked.then(|| {
        Suspend::new(async move {
            // A page without it is better than none.
            let user = actor.user().ok()?;
            let contact = contact::of(&mut site.database.read().await.ok()?, &user.id).await.ok()??;
            let why = match site.part::<Unverified>() {
                Unverified::MayWrite => ".",
                Unverified::MayNotWrite => " to write.",
            };
            (!contact.is_verified).then(|| {
                view! {
                    <div class="notice unconfirmed" role="status">
                        <p>
                            "Your address is not confirmed. "
                            <a href="/verify-email">"Confirm it"</a>{why}
                        </p>
                    </div>
                }
            })
        })
    })
}
