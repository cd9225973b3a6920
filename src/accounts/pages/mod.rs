//! The screens of accounts.

mod account;
mod api_keys;
mod confirm;
mod delete;
mod email;
mod export;
mod forgot_password;
mod log_in;
mod log_in_code;
mod log_out;
mod logged_in;
mod new_password;
mod passkeys;
mod password;
mod profile;
mod qr_code;
mod sessions;
mod sign_up;
mod two_factor;
mod verify_email;

pub use account::AccountPage;
pub use api_keys::{ApiKeysPage, RevokeApiKeyPage};
pub use confirm::ConfirmPage;
pub use delete::DeleteAccountPage;
pub use email::{EmailPage, UnconfirmedBanner, UndoEmailPage};
pub use export::ExportPage;
pub use forgot_password::{ForgotPasswordPage, ResetPasswordPage};
pub use log_in::LogInPage;
pub use log_in_code::LogInCodePage;
pub use log_out::LogOutPage;
pub use logged_in::LoggedInPage;
pub use passkeys::{PasskeyConfirmation, PasskeysPage, RemovePasskeyPage};
pub use password::PasswordPage;
pub use profile::ProfilePage;
pub use sessions::{EndLoginPage, SessionsPage};
pub use sign_up::SignUpPage;
pub use two_factor::TwoFactorPage;
pub use verify_email::VerifyEmailPage;

use leptos::prelude::*;
use url::form_urlencoded;

use crate::{
    credentials::Actor,
    http::context::actor,
    ui::{self, FormState, Next, uri},
};

#[component]
pub fn AccountNav() -> impl IntoView {
    let path = uri().path().to_owned();
    let link = move |href: &'static str, text: &'static str| {
        let is_own = path == href;
        // Everything else of the account begins on its first page.
        let is_above = href == "/account" && !path.starts_with("/account/api");
        let current = if is_own { Some("page") } else { is_above.then_some("true") };
        view! { <li><a href=href aria-current=current>{text}</a></li> }
    };
    view! {
        <nav class="account-nav" aria-label="Account">
            <ul>
                {link("/account", "Account")}
                {link("/account/api-keys", "API keys")}
                {link("/account/api", "API")}
            </ul>
        </nav>
    }
}

/// Where to go afterwards: from the form that came back, or from `?next=`.
fn next() -> Option<Next> {
    asked_for("next").as_deref().and_then(Next::parse)
}

/// A value that goes with a page: from the form that came back, or from the query.
fn asked_for(name: &str) -> Option<String> {
    let typed = expect_context::<FormState>().value(name);
    // Decoded here: leptos_router 0.8 decodes a query twice and so loses percent signs
    // (https://github.com/leptos-rs/leptos/pull/4731).
    let asked = || {
        let uri = uri();
        let mut pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        pairs.find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
    };
    typed.or_else(asked)
}

/// Redirects people who are signed in: they do not need these pages.
fn redirect_if_signed_in(next: Option<&Next>) {
    if let Actor::User(_) = actor() {
        leptos_axum::redirect(next.map_or("/my-posts", Next::as_str));
    }
}

/// The same target for the other of the two pages.
fn with_next(path: &str, next: Option<&Next>) -> String {
    match next {
        Some(next) => ui::with_next(path, next.as_str()),
        None => path.to_owned(),
    }
}

/// Keeps the target of `?next=` in the form.
fn next_input(next: Option<&Next>) -> impl IntoView + use<> {
    next.map(|next| view! { <input type="hidden" name="next" value=next.as_str().to_owned() /> })
}
