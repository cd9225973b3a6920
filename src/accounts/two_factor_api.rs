//! The server functions of two-factor authentication, and of the second step of a
//! login.

use leptos::prelude::*;

use super::{Account, RecoveryCodes, TwoFactor, TypedPassword};
use crate::error::AppError;

/// Makes a secret for an app. Nothing changes until `turn_on_two_factor` has seen a
/// code of it.
///
/// # Errors
/// [`AppError::NotSignedIn`], [`AppError::ConfirmIdentity`]; [`AppError::Invalid`]
/// where the site has no secret key.
#[server(endpoint = "/set_up_two_factor", prefix = "/api")]
pub async fn set_up_two_factor() -> Result<TwoFactor, AppError> {
    server::set_up().await
}

/// Turns two-factor authentication on. Only this answer has the recovery codes; the
/// same call with the same `idempotency_key` gets the same ones.
///
/// # Errors
/// [`AppError::NotSignedIn`], [`AppError::ConfirmIdentity`]; [`AppError::Invalid`]
/// for a wrong code.
#[server(endpoint = "/turn_on_two_factor", prefix = "/api")]
pub async fn turn_on_two_factor(
    code: TypedPassword,
    #[server(default)] idempotency_key: Option<String>,
) -> Result<RecoveryCodes, AppError> {
    server::turn_on(String::from(code).into(), idempotency_key).await
}

/// Makes ten new recovery codes, which replace the old ones.
///
/// # Errors
/// [`AppError::NotSignedIn`], [`AppError::ConfirmIdentity`]; [`AppError::NotFound`]
/// where two-factor authentication is off.
#[server(endpoint = "/renew_recovery_codes", prefix = "/api")]
pub async fn renew_recovery_codes(
    #[server(default)] idempotency_key: Option<String>,
) -> Result<RecoveryCodes, AppError> {
    server::renew_codes(idempotency_key).await
}

/// Turns two-factor authentication off.
///
/// # Errors
/// [`AppError::NotSignedIn`], [`AppError::ConfirmIdentity`].
#[server(endpoint = "/turn_off_two_factor", prefix = "/api")]
pub async fn turn_off_two_factor() -> Result<(), AppError> {
    server::turn_off().await
}

/// The second step of a login: a code of the app, or a recovery code, within ten
/// minutes after the password.
///
/// # Errors
/// [`AppError::NotSignedIn`] where no password was entered before, or too long ago;
/// [`AppError::Invalid`] for a wrong code; [`AppError::TooMany`].
#[server(endpoint = "/log_in_code", prefix = "/api")]
pub async fn log_in_code(code: TypedPassword) -> Result<Account, AppError> {
    server::log_in_code(String::from(code).into()).await
}

#[cfg(feature = "ssr")]
mod server {
    use secrecy::{ExposeSecret, SecretString};

    use super::{Account, AppError, RecoveryCodes, TwoFactor};
    use crate::{
        accounts::domain::{
            service,
            two_factor::{self, RecoveryCode, SecondFactorCode},
        },
        database::idempotency::IdempotencyKey,
        error::Field,
        http::context::{caller, session, site, source},
    };

    fn parsed(code: &SecretString) -> Result<SecondFactorCode, AppError> {
        SecondFactorCode::parse(code.expose_secret()).map_err(|error| AppError::invalid(Field::Code, error))
    }

    fn shown(codes: &[RecoveryCode]) -> RecoveryCodes {
        RecoveryCodes { recovery_codes: codes.iter().map(RecoveryCode::text).collect() }
    }

    pub(super) async fn set_up() -> Result<TwoFactor, AppError> {
        let caller = caller();
        let user = caller.confirmed_user()?;
        two_factor::begin_set_up(&site(), user).await?;
        two_factor::state(&site(), user).await
    }

    pub(super) async fn turn_on(code: SecretString, key: Option<String>) -> Result<RecoveryCodes, AppError> {
        let caller = caller();
        let user = caller.confirmed_user()?;
        let code = parsed(&code)?;
        let key = IdempotencyKey::optional(key)?;
        Ok(shown(&two_factor::turn_on(&site(), user, &code, key, caller.credential_kind(), &source()).await?))
    }

    pub(super) async fn renew_codes(key: Option<String>) -> Result<RecoveryCodes, AppError> {
        let caller = caller();
        let user = caller.confirmed_user()?;
        let key = IdempotencyKey::optional(key)?;
        Ok(shown(&two_factor::renew_codes(&site(), user, key, caller.credential_kind(), &source()).await?))
    }

    pub(super) async fn turn_off() -> Result<(), AppError> {
        let caller = caller();
        two_factor::turn_off(&site(), caller.confirmed_user()?, caller.credential_kind(), &source()).await
    }

    pub(super) async fn log_in_code(code: SecretString) -> Result<Account, AppError> {
        let user = service::log_in_code(&site(), &session(), parsed(&code), &source()).await?;
        Ok(Account { username: user.username })
    }
}
