//! `/verify-email`.

use leptos::prelude::*;

use super::asked_for;
use crate::{
    accounts::domain::{one_time::Token, verification},
    credentials::Actor,
    error::{AppError, Field},
    http::context::{actor, site},
    ui::{ErrorSummary, FormState, PageTitle, TextField, load, log_in_first},
};

/// With the token of a link: a button that confirms, because mail scanners open
/// links. Without: a field for the code.
#[component]
pub fn VerifyEmailPage() -> impl IntoView {
    let failed = expect_context::<FormState>().error.is_some();
    let (token, sign_up) = (asked_for("token"), asked_for("sign_up"));
    load(async move {
        let page = match token.filter(|token| !token.is_empty()) {
            Some(raw) => by_link(raw).await?,
            None => by_code(sign_up).await?,
        };
        let title = if failed { "Error: Confirm your address" } else { "Confirm your address" };
        Ok(view! {
            <PageTitle text=title.to_owned() />
            <div class="narrow">
                <h1>"Confirm your address"</h1>
                {page}
            </div>
        })
    })
}

async fn by_link(raw: String) -> Result<AnyView, AppError> {
    let asked = match Token::parse(&raw) {
        Some(token) => verification::peek(&site(), &token).await?,
        None => None,
    };
    let Some(asked) = asked else {
        return Ok(view! {
            <p>
                "This link does not work any more: it works once, and for 30 minutes. If you have confirmed your \
                 address already, there is nothing to do."
            </p>
            <p class="button-row">
                <a class="button" href="/login">"Log in"</a>
                <a href="/verify-email">"Ask for another mail"</a>
            </p>
        }
        .into_any());
    };
    Ok(view! {
        <ErrorSummary />
        <p>
            "Is "<strong><bdi>{asked.email}</bdi></strong>" the address of your account “"
            <bdi>{asked.username}</bdi>"”?"
        </p>
        <form method="post" action="/verify-email">
            <input type="hidden" name="token" value=raw />
            <button class="button" type="submit">"Confirm"</button>
        </form>
    }
    .into_any())
}

async fn by_code(sign_up: Option<String>) -> Result<AnyView, AppError> {
    let sign_up = sign_up.filter(|id| !id.is_empty());
    let asked = verification::asked(&site(), &actor()).await?;
    let is_signed_in = matches!(actor(), Actor::User(_));
    let what = match asked {
        Some(asked) => view! {
            <p>"Enter the code from the mail to "<strong><bdi>{asked.email}</bdi></strong>"."</p>
        }
        .into_any(),
        None if is_signed_in => {
            return Ok(view! {
                <p>"Your address is confirmed. There is nothing to do."</p>
                <p><a href="/account/email">"Your address"</a></p>
            }
            .into_any());
        }
        None if sign_up.is_some() => view! {
            <p>
                "We have sent a mail to the address that you gave. Enter the code in it, or open its link. The account is made then."
            </p>
        }
        .into_any(),
        None => {
            return Ok(view! {
                <p>
                    "Open the link in the mail, or "
                    <a href=log_in_first("/verify-email")>"log in"</a>" to enter the code. If you have just signed up, \
                     and the mail is lost, sign up again."
                </p>
                <p><a href="/signup">"Sign up"</a></p>
            }
            .into_any());
        }
    };
    let hidden = |id: Option<String>| id.map(|id| view! { <input type="hidden" name="sign_up" value=id /> });
    Ok(view! {
        <ErrorSummary />
        {what}
        <form method="post" action="/verify-email" novalidate>
            {hidden(sign_up.clone())}
            <TextField
                field=Field::Code
                autocomplete="one-time-code"
                inputmode="numeric"
                hint="Six digits. They count for 30 minutes"
            />
            <button class="button" type="submit">"Confirm"</button>
        </form>
        {if site().mailer().is_on() {
            view! {
                <form class="aside" method="post" action="/verify-email/send">
                    {hidden(sign_up)}
                    <p>"No mail, or none yet? Look among the unwanted ones, or let us send another."</p>
                    <button class="link-button" type="submit">"Send another mail"</button>
                </form>
            }
            .into_any()
        } else {
            view! { <p class="aside">"This site cannot send mail just now. Ask whoever runs it."</p> }.into_any()
        }}
    }
    .into_any())
}
