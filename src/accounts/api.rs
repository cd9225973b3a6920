//! The server functions of accounts: stable endpoints under `/api/`.

use leptos::{prelude::*, server_fn::codec::GetUrl};

use super::{Account, ListedApiKey, LogInAnswer, NewApiKey, TypedPassword};
use crate::error::AppError;

/// Makes an account and signs it in. Sent again with the same
/// `idempotency_key` and the same password (a form pressed twice), it signs in
/// again.
///
/// # Errors
/// [`AppError::Invalid`] with every broken rule; [`AppError::Busy`] when too
/// many passwords are being hashed.
#[server(endpoint = "/sign_up", prefix = "/api")]
pub async fn sign_up(
    username: String,
    email: String,
    password: TypedPassword,
    #[server(default)] idempotency_key: Option<String>,
) -> Result<LogInAnswer, AppError> {
    server::sign_up(username, email, String::from(password).into(), idempotency_key).await
}

/// Signs in with a username or an e-mail address. Where the account has a second
/// factor, nobody is signed in yet: the answer says so, and `log_in_code` has to
/// follow.
///
/// # Errors
/// [`AppError::Invalid`], the same for an unknown name and a wrong password;
/// [`AppError::Busy`].
#[server(endpoint = "/log_in", prefix = "/api")]
pub async fn log_in(
    identifier: String,
    password: TypedPassword,
    #[server(default)] keep_signed_in: Option<String>,
) -> Result<LogInAnswer, AppError> {
    server::log_in(identifier, String::from(password).into(), keep_signed_in.is_some()).await
}

/// Shows once more who is signed in, by the password. Changes of an account need that
/// to be ten minutes old at most (security row S4).
///
/// # Errors
/// [`AppError::NotSignedIn`], [`AppError::Invalid`], [`AppError::Busy`],
/// [`AppError::TooMany`].
#[server(endpoint = "/confirm_identity", prefix = "/api")]
pub async fn confirm_identity(password: TypedPassword) -> Result<(), AppError> {
    server::confirm_identity(String::from(password).into()).await
}

/// Ends the session, here and for every request under way; with an access
/// token instead, that token and every other of its family.
///
/// # Errors
///
/// [`AppError::ReadOnly`] for an API key. After any error the session has not
/// ended.
#[server(endpoint = "/log_out", prefix = "/api")]
pub async fn log_out() -> Result<(), AppError> {
    server::log_out().await
}

/// Makes an API key for the person who is signed in; `days` is how long it is
/// valid, 1 to 365. Only this answer contains the key. The same call with the
/// same `idempotency_key` gets the same answer again.
///
/// # Errors
/// [`AppError::NotSignedIn`]; [`AppError::Invalid`] with every broken rule, or
/// for one key too many.
#[server(endpoint = "/create_api_key", prefix = "/api")]
pub async fn create_api_key(
    name: String,
    days: String,
    #[server(default)] idempotency_key: Option<String>,
) -> Result<NewApiKey, AppError> {
    server::create_api_key(name, days, idempotency_key).await
}

/// The API keys of the person who is signed in, newest first.
///
/// # Errors
/// [`AppError::NotSignedIn`].
#[server(endpoint = "/my_api_keys", prefix = "/api", input = GetUrl)]
pub async fn my_api_keys() -> Result<Vec<ListedApiKey>, AppError> {
    server::my_api_keys().await
}

/// Revokes an API key that is one's own. Sent again with the same
/// `idempotency_key`, it says yes again.
///
/// # Errors
/// [`AppError::NotSignedIn`], [`AppError::NotFound`].
#[server(endpoint = "/revoke_api_key", prefix = "/api")]
pub async fn revoke_api_key(
    id: String,
    #[server(default)] idempotency_key: Option<String>,
) -> Result<(), AppError> {
    server::revoke_api_key(id, idempotency_key).await
}

#[cfg(feature = "ssr")]
mod server {
    use secrecy::{ExposeSecret, SecretString};

    use super::{Account, AppError, ListedApiKey, LogInAnswer, NewApiKey};
    use crate::{
        accounts::{
            ApiKeyDays, ApiKeyName,
            domain::{Email, Login, NewAccount, NewPassword, Password, api_keys, service},
        },
        credentials::{User, api_key::ApiKeyId},
        database::idempotency::IdempotencyKey,
        error::{Field, FieldErrors},
        http::context::{actor, caller, credential, session, site, source},
        username::Username,
    };

    /// `None` where a second factor is still to come.
    fn answer(user: Option<User>) -> LogInAnswer {
        user.map_or(LogInAnswer::SecondFactor { second_factor: true }, |user| {
            LogInAnswer::Done(Account { username: user.username })
        })
    }

    pub(super) async fn sign_up(
        username: String,
        email: String,
        password: SecretString,
        key: Option<String>,
    ) -> Result<LogInAnswer, AppError> {
        let mut errors = FieldErrors::default();
        let parsed_username = errors.take(Field::Username, Username::parse(&username));
        let parsed_email = errors.take(Field::Email, Email::parse(&email));
        let parsed_password =
            errors.take(Field::Password, NewPassword::parse(password.expose_secret(), &[&username, &email]));
        let (Some(username), Some(email), Some(password)) = (parsed_username, parsed_email, parsed_password)
        else {
            return Err(errors.into_error());
        };
        let account = NewAccount { username, email, password };
        let key = IdempotencyKey::optional(key)?;
        let user = service::sign_up_and_in(&site(), &session(), account, key, &source()).await?;
        Ok(answer(user))
    }

    pub(super) async fn log_in(
        identifier: String,
        password: SecretString,
        keep_signed_in: bool,
    ) -> Result<LogInAnswer, AppError> {
        let mut errors = FieldErrors::default();
        let login = errors.take(Field::Identifier, Login::parse(&identifier));
        let password = errors.take(Field::Password, Password::parse(password.expose_secret()));
        let (Some(login), Some(password)) = (login, password) else {
            return Err(errors.into_error());
        };
        let user =
            service::log_in(&site(), &session(), login, password, keep_signed_in.into(), &source()).await?;
        Ok(answer(user))
    }

    pub(super) async fn confirm_identity(password: SecretString) -> Result<(), AppError> {
        let caller = caller();
        let user = caller.actor.user()?;
        let password = Password::parse(password.expose_secret())
            .map_err(|error| AppError::invalid(Field::Password, error))?;
        service::confirm_identity(&site(), &session(), user, password, &source()).await
    }

    pub(super) async fn log_out() -> Result<(), AppError> {
        service::log_out(&site(), &session(), credential().header()).await
    }

    pub(super) async fn create_api_key(
        name: String,
        days: String,
        key: Option<String>,
    ) -> Result<NewApiKey, AppError> {
        let mut errors = FieldErrors::default();
        let name = errors.take(Field::Name, ApiKeyName::parse(&name));
        let days = errors.take(Field::Days, ApiKeyDays::parse(&days));
        let wanted = match (name, days) {
            (Some(name), Some(days)) => Ok(api_keys::Wanted { name, days }),
            _ => Err(errors.into_error()),
        };
        api_keys::create(&site(), &actor(), wanted, IdempotencyKey::optional(key)).await
    }

    pub(super) async fn my_api_keys() -> Result<Vec<ListedApiKey>, AppError> {
        api_keys::list(&site(), &actor()).await
    }

    pub(super) async fn revoke_api_key(id: String, key: Option<String>) -> Result<(), AppError> {
        api_keys::revoke(&site(), &actor(), ApiKeyId::parse(&id), IdempotencyKey::optional(key)).await
    }
}
