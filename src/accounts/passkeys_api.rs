//! The server functions of passkeys. Each ceremony has two: the first says what the
//! browser is to sign, the second takes what it has signed.

use leptos::{prelude::*, server_fn::codec::GetUrl};

use super::{Account, ListedPasskey, PasskeyCeremony, Passkeys, TypedPassword};
use crate::error::AppError;

/// The passkeys of the person who is signed in, oldest first.
///
/// # Errors
/// [`AppError::NotSignedIn`].
#[server(endpoint = "/my_passkeys", prefix = "/api", input = GetUrl)]
pub async fn my_passkeys() -> Result<Passkeys, AppError> {
    server::list().await
}

/// Begins to add a passkey.
///
/// # Errors
/// [`AppError::NotSignedIn`], [`AppError::ConfirmIdentity`];
/// [`AppError::BadRequest`] where the site has no passkeys.
#[server(endpoint = "/begin_passkey", prefix = "/api")]
pub async fn begin_passkey() -> Result<PasskeyCeremony, AppError> {
    server::begin_adding().await
}

/// Adds the passkey that the browser has made: `credential` is its JSON. The same
/// call again gets the same passkey.
///
/// # Errors
/// [`AppError::NotSignedIn`], [`AppError::ConfirmIdentity`]; [`AppError::Invalid`].
#[server(endpoint = "/add_passkey", prefix = "/api")]
pub async fn add_passkey(
    #[server(default)] name: String,
    #[server(default)] ceremony: String,
    #[server(default)] credential: String,
) -> Result<ListedPasskey, AppError> {
    server::add(name, ceremony, credential).await
}

/// Removes a passkey that is one's own. Twice is once.
///
/// # Errors
/// [`AppError::NotSignedIn`], [`AppError::ConfirmIdentity`]; [`AppError::Invalid`]
/// if an account without password would have fewer than two.
#[server(endpoint = "/remove_passkey", prefix = "/api")]
pub async fn remove_passkey(id: String) -> Result<(), AppError> {
    server::remove(id).await
}

/// Begins a login by a passkey.
///
/// # Errors
/// [`AppError::BadRequest`] where the site has no passkeys.
#[server(endpoint = "/begin_passkey_log_in", prefix = "/api")]
pub async fn begin_passkey_log_in() -> Result<PasskeyCeremony, AppError> {
    server::begin_log_in().await
}

/// Signs in by a passkey alone.
///
/// # Errors
/// [`AppError::Invalid`], the same for every reason.
#[server(endpoint = "/log_in_by_passkey", prefix = "/api")]
pub async fn log_in_by_passkey(
    #[server(default)] ceremony: String,
    #[server(default)] credential: String,
    #[server(default)] keep_signed_in: Option<String>,
) -> Result<Account, AppError> {
    server::log_in(ceremony, credential, keep_signed_in.is_some()).await
}

/// Begins to confirm by a passkey who one is.
///
/// # Errors
/// [`AppError::NotSignedIn`]; [`AppError::BadRequest`] where the site has no
/// passkeys.
#[server(endpoint = "/begin_passkey_confirmation", prefix = "/api")]
pub async fn begin_passkey_confirmation() -> Result<PasskeyCeremony, AppError> {
    server::begin_confirmation().await
}

/// Confirms by a passkey who one is, as a password does.
///
/// # Errors
/// [`AppError::NotSignedIn`]; [`AppError::Invalid`], the same for every reason.
#[server(endpoint = "/confirm_by_passkey", prefix = "/api")]
pub async fn confirm_by_passkey(
    #[server(default)] ceremony: String,
    #[server(default)] credential: String,
) -> Result<(), AppError> {
    server::confirm(ceremony, credential).await
}

/// Lets the account do without its password.
///
/// # Errors
/// [`AppError::NotSignedIn`], [`AppError::ConfirmIdentity`]; [`AppError::Invalid`]
/// with fewer than two passkeys.
#[server(endpoint = "/drop_password", prefix = "/api")]
pub async fn drop_password() -> Result<(), AppError> {
    server::drop_password().await
}

/// Gives the account a password again that does without one.
///
/// # Errors
/// [`AppError::NotSignedIn`], [`AppError::ConfirmIdentity`]; [`AppError::Invalid`];
/// [`AppError::Forbidden`] for an account that has a password.
#[server(endpoint = "/set_password", prefix = "/api")]
pub async fn set_password(new_password: TypedPassword) -> Result<(), AppError> {
    server::set_password(String::from(new_password).into()).await
}

#[cfg(feature = "ssr")]
mod server {
    use secrecy::SecretString;

    use super::{Account, AppError, ListedPasskey, PasskeyCeremony, Passkeys};
    use crate::{
        accounts::{
            PasskeyName,
            domain::{passkeys, service},
        },
        error::Field,
        http::context::{actor, caller, session, site, source},
    };

    pub(super) async fn list() -> Result<Passkeys, AppError> {
        passkeys::list(&site(), actor().user()?).await
    }

    pub(super) async fn begin_adding() -> Result<PasskeyCeremony, AppError> {
        let caller = caller();
        passkeys::begin_adding(&site(), caller.confirmed_user()?, &source()).await
    }

    pub(super) async fn add(
        name: String,
        ceremony: String,
        credential: String,
    ) -> Result<ListedPasskey, AppError> {
        let caller = caller();
        let user = caller.confirmed_user()?;
        let name = PasskeyName::parse(&name).map_err(|error| AppError::invalid(Field::Name, error));
        passkeys::add(&site(), user, name, &ceremony, &credential, caller.credential_kind(), &source()).await
    }

    pub(super) async fn remove(id: String) -> Result<(), AppError> {
        let caller = caller();
        passkeys::remove(&site(), caller.confirmed_user()?, id, caller.credential_kind(), &source()).await
    }

    pub(super) async fn begin_log_in() -> Result<PasskeyCeremony, AppError> {
        passkeys::begin_log_in(&site(), &source()).await
    }

    pub(super) async fn log_in(
        ceremony: String,
        credential: String,
        keep_signed_in: bool,
    ) -> Result<Account, AppError> {
        let (site, source) = (site(), source());
        let person = passkeys::authenticate(&site, &ceremony, &credential, &source).await?;
        let user = service::sign_in(&site, &session(), person, keep_signed_in.into(), &source).await?;
        Ok(Account { username: user.username })
    }

    pub(super) async fn begin_confirmation() -> Result<PasskeyCeremony, AppError> {
        passkeys::begin_confirmation(&site(), actor().user()?, &source()).await
    }

    pub(super) async fn confirm(ceremony: String, credential: String) -> Result<(), AppError> {
        let (session, actor) = (session(), actor());
        let user = actor.user()?;
        service::confirm_by_passkey(&site(), &session, user, &ceremony, &credential, &source()).await
    }

    pub(super) async fn set_password(proposed: SecretString) -> Result<(), AppError> {
        let caller = caller();
        passkeys::set_password(
            &site(),
            caller.confirmed_user()?,
            &proposed,
            caller.credential_kind(),
            &source(),
        )
        .await
    }

    pub(super) async fn drop_password() -> Result<(), AppError> {
        let caller = caller();
        passkeys::drop_password(&site(), caller.confirmed_user()?, caller.credential_kind(), &source()).await
    }
}
