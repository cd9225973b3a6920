//! The server functions of accounts that need mail: stable endpoints under `/api/`.

use leptos::prelude::*;

use super::{Confirmation, LogInAnswer, TypedPassword};
use crate::error::AppError;

/// Mails a link that sets a new password to the person of that name, if there is
/// one; the answer is the same if not.
///
/// # Errors
/// [`AppError::MailIsOff`]; [`AppError::Invalid`] for an empty name.
#[server(endpoint = "/forgot_password", prefix = "/api")]
pub async fn forgot_password(identifier: String) -> Result<(), AppError> {
    server::forgot_password(identifier).await
}

/// Sets a new password by the token of a link, ends every session and every family
/// of tokens, and signs in.
///
/// # Errors
/// [`AppError::Invalid`] for a link that does not work, or a password that is not
/// good enough; [`AppError::Busy`].
#[server(endpoint = "/reset_password", prefix = "/api")]
pub async fn reset_password(token: String, new_password: TypedPassword) -> Result<LogInAnswer, AppError> {
    server::reset_password(token, String::from(new_password).into()).await
}

/// Confirms an address: by the `token` of a link, or by the `code` of the same mail.
/// With a code goes the session or the token of the person whose address it is, or
/// the `sign_up` of the answer to `sign_up`.
///
/// # Errors
/// [`AppError::Invalid`] for a link or a code that does not work.
#[server(endpoint = "/verify_email", prefix = "/api")]
pub async fn verify_email(
    #[server(default)] code: Option<String>,
    #[server(default)] token: Option<String>,
    #[server(default)] sign_up: Option<String>,
) -> Result<Confirmation, AppError> {
    server::verify_email(code, token, sign_up).await
}

/// Mails another code for what [`verify_email`] confirms by one.
///
/// # Errors
/// [`AppError::MailIsOff`].
#[server(endpoint = "/resend_code", prefix = "/api")]
pub async fn resend_code(#[server(default)] sign_up: Option<String>) -> Result<(), AppError> {
    server::resend_code(sign_up).await
}

/// Asks for another address for the person who is signed in. Where mail is sent, it
/// counts once it is confirmed by [`verify_email`].
///
/// # Errors
/// [`AppError::NotSignedIn`]; [`AppError::ConfirmIdentity`]; [`AppError::Invalid`].
#[server(endpoint = "/change_email", prefix = "/api")]
pub async fn change_email(email: String) -> Result<(), AppError> {
    server::change_email(email).await
}

/// Restores the address from before a change by the token of a link, and ends every
/// session and every family of tokens.
///
/// # Errors
/// [`AppError::Invalid`] for a link that does not work.
#[server(endpoint = "/undo_email", prefix = "/api")]
pub async fn undo_email(token: String) -> Result<(), AppError> {
    server::undo_email(token).await
}

#[cfg(feature = "ssr")]
mod server {
    use secrecy::SecretString;

    use super::{AppError, Confirmation, LogInAnswer};
    use crate::{
        accounts::{
            api::answer,
            domain::{
                Email, Login, address,
                one_time::{Code, Token},
                recovery,
                verification::{self, Confirmed},
            },
        },
        error::Field,
        http::context::{actor, caller, session, site, source},
    };

    pub(super) async fn forgot_password(identifier: String) -> Result<(), AppError> {
        site().mailer().must_be_on()?;
        let login = Login::parse(&identifier).map_err(|error| AppError::invalid(Field::Identifier, error))?;
        recovery::ask(&site(), login, &source()).await
    }

    pub(super) async fn reset_password(
        token: String,
        proposed: SecretString,
    ) -> Result<LogInAnswer, AppError> {
        let user =
            recovery::set_password(&site(), &session(), Token::parse(&token), &proposed, &source()).await?;
        Ok(answer(user))
    }

    pub(super) async fn verify_email(
        code: Option<String>,
        token: Option<String>,
        sign_up: Option<String>,
    ) -> Result<Confirmation, AppError> {
        let confirmed = match token.filter(|token| !token.is_empty()) {
            Some(token) => {
                verification::by_link(&site(), &session(), Token::parse(&token), &source()).await?
            }
            None => {
                let code = Code::parse(&code.unwrap_or_default());
                let code = code.map_err(|error| AppError::invalid(Field::Code, error))?;
                verification::by_code(&site(), &actor(), &session(), sign_up, &code, &source()).await?
            }
        };
        Ok(match confirmed {
            Confirmed::SignedUp(_) => Confirmation::SignedUp,
            Confirmed::SignedUpElsewhere(_) => Confirmation::SignedUpElsewhere,
            Confirmed::Address => Confirmation::Address,
        })
    }

    pub(super) async fn resend_code(sign_up: Option<String>) -> Result<(), AppError> {
        verification::send_again(&site(), &actor(), sign_up, &source()).await
    }

    pub(super) async fn change_email(email: String) -> Result<(), AppError> {
        let caller = caller();
        let user = caller.confirmed_user()?;
        let email = Email::parse(&email).map_err(|error| AppError::invalid(Field::Email, error))?;
        address::ask(&site(), user, email, caller.credential_kind(), &source()).await
    }

    pub(super) async fn undo_email(token: String) -> Result<(), AppError> {
        address::undo(&site(), Token::parse(&token), &source()).await
    }
}
