//! The server functions of accounts: stable endpoints under `/api/`.

use leptos::{prelude::*, server_fn::codec::GetUrl};

use super::{ListedApiKey, LogInAnswer, NewApiKey, SignedUp, TypedPassword};
use crate::error::AppError;

/// Makes an account and signs it in. Where mail is sent, the account is made once its
/// address is confirmed ([`verify_email`](super::mail_api::verify_email)), and nobody
/// is signed in before; the answer is the same whether or not the address has an
/// account. Sent again with the same
/// `idempotency_key` and the same password (a form pressed twice), it signs in
/// again. `invite` is the token of an invitation, where one is needed.
///
/// # Errors
/// [`AppError::Invalid`] with every broken rule; [`AppError::SignUpClosed`],
/// [`AppError::InvitationNeeded`]; [`AppError::Busy`] when too many passwords are being
/// hashed.
#[server(endpoint = "/sign_up", prefix = "/api")]
pub async fn sign_up(
    username: String,
    email: String,
    password: TypedPassword,
    #[server(default)] idempotency_key: Option<String>,
    #[server(default)] invite: Option<String>,
) -> Result<SignedUp, AppError> {
    server::sign_up(username, email, String::from(password).into(), idempotency_key, invite).await
}

/// Signs in with a username or an e-mail address. Where the account has a second
/// factor, nobody is signed in yet: the answer says so, and `log_in_code` has to
/// follow. Where the sign-up was not confirmed, the answer has its id, and
/// `verify_email` has to follow.
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

/// Changes the password of the person who is signed in, and ends every other session
/// and every program's login.
///
/// # Errors
/// [`AppError::NotSignedIn`], [`AppError::Invalid`], [`AppError::Busy`],
/// [`AppError::TooMany`].
#[server(endpoint = "/change_password", prefix = "/api")]
pub async fn change_password(
    current_password: TypedPassword,
    new_password: TypedPassword,
) -> Result<(), AppError> {
    server::change_password(String::from(current_password).into(), String::from(new_password).into()).await
}

/// Stores what the person who is signed in tells about themselves; `links` has one a
/// line. `punctuation` is `typographic` or `plain`, and stays if it is absent.
///
/// # Errors
/// [`AppError::NotSignedIn`], [`AppError::Invalid`].
#[server(endpoint = "/save_profile", prefix = "/api")]
pub async fn save_profile(
    #[server(default)] display_name: String,
    #[server(default)] about: String,
    #[server(default)] links: String,
    #[server(default)] punctuation: Option<String>,
) -> Result<(), AppError> {
    server::save_profile(display_name, about, links, punctuation).await
}

/// Ends one of the person's own sessions or programs' logins, by the id in the list.
///
/// # Errors
/// [`AppError::NotSignedIn`].
#[server(endpoint = "/end_login", prefix = "/api")]
pub async fn end_login(id: String) -> Result<(), AppError> {
    server::end_login(id).await
}

/// Ends every session and every program's login of the person, but for the one that
/// asks.
///
/// # Errors
/// [`AppError::NotSignedIn`].
#[server(endpoint = "/end_other_logins", prefix = "/api")]
pub async fn end_other_logins() -> Result<(), AppError> {
    server::end_other_logins().await
}

/// Asks for the deletion of the person's account; `posts` is `delete` or `keep`. A
/// login within seven days undoes it.
///
/// # Errors
/// [`AppError::NotSignedIn`], [`AppError::Invalid`], [`AppError::Busy`],
/// [`AppError::TooMany`].
#[server(endpoint = "/delete_account", prefix = "/api")]
pub async fn delete_account(
    #[server(default)] posts: String,
    password: TypedPassword,
) -> Result<(), AppError> {
    server::delete_account(posts, String::from(password).into()).await
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
pub(super) use server::answer;

#[cfg(feature = "ssr")]
mod server {
    use secrecy::{ExposeSecret, SecretString};

    use super::{AppError, ListedApiKey, LogInAnswer, NewApiKey, SignedUp};
    use crate::{
        accounts::{
            Account, ApiKeyDays, ApiKeyName,
            domain::{
                Email, Login, NewAccount, NewPassword, Password,
                account::{self, PostsOfDeleted},
                api_keys,
                invitations::Invitation,
                logins,
                logins::Spared,
                pending_sign_up, service,
            },
            profile::{About, DisplayName, Links, Profile, Punctuation},
        },
        credentials::{User, api_key::ApiKeyId},
        database::idempotency::IdempotencyKey,
        error::{Field, FieldErrors},
        http::context::{actor, caller, credential, session, site, source},
        username::Username,
    };

    /// `None` where a second factor is still to come.
    pub(in crate::accounts) fn answer(user: Option<User>) -> LogInAnswer {
        user.map_or(LogInAnswer::SecondFactor { second_factor: true }, |user| {
            LogInAnswer::Done(Account { username: user.username })
        })
    }

    pub(super) async fn sign_up(
        username: String,
        email: String,
        password: SecretString,
        key: Option<String>,
        invite: Option<String>,
    ) -> Result<SignedUp, AppError> {
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
        let invitation = invite.as_deref().and_then(Invitation::parse);
        let site = site();
        if site.mailer().is_on() {
            let username = account.username.clone();
            let id = pending_sign_up::begin(&site, account, invitation, key, &source()).await?;
            session().begin_sign_up(&id).await?;
            return Ok(SignedUp::Mailed { username, sign_up: id });
        }
        let user = service::sign_up_and_in(&site, &session(), account, invitation, key, &source()).await?;
        Ok(SignedUp::LogIn(answer(user)))
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
        let session = session();
        match service::log_in(&site(), &session, login, password, keep_signed_in.into(), &source()).await {
            Err(AppError::SignUpNotConfirmed { sign_up }) => {
                session.begin_sign_up(&sign_up).await?;
                Ok(LogInAnswer::NotConfirmed { sign_up })
            }
            outcome => outcome.map(answer),
        }
    }

    pub(super) async fn confirm_identity(password: SecretString) -> Result<(), AppError> {
        let caller = caller();
        let user = caller.actor.user()?;
        let password = Password::parse(password.expose_secret())
            .map_err(|error| AppError::invalid(Field::Password, error))?;
        service::confirm_identity(&site(), &session(), user, password, &source()).await
    }

    pub(super) async fn change_password(current: SecretString, new: SecretString) -> Result<(), AppError> {
        let (site, caller, session, source) = (site(), caller(), session(), source());
        let user = caller.actor.user()?;
        let email = account::facts(&site, &caller).await?.email;
        let mut errors = FieldErrors::default();
        let current = errors.take(Field::CurrentPassword, Password::parse(current.expose_secret()));
        let about = [user.username.as_str(), &email];
        let new = errors.take(Field::NewPassword, NewPassword::parse(new.expose_secret(), &about));
        let (Some(current), Some(new)) = (current, new) else { return Err(errors.into_error()) };
        let spared = Spared::of(&caller);
        let is_session = spared.family.is_none();
        service::change_password(&site, user.clone(), spared, current, new, &source).await?;
        if is_session { session.confirm(user, &source).await } else { Ok(()) }
    }

    pub(super) async fn save_profile(
        display_name: String,
        about: String,
        links: String,
        punctuation: Option<String>,
    ) -> Result<(), AppError> {
        let mut errors = FieldErrors::default();
        let display_name = errors.take(Field::DisplayName, DisplayName::parse(&display_name));
        let about = errors.take(Field::About, About::parse(&about));
        let links = errors.take(Field::Links, Links::parse(&links));
        let punctuation =
            punctuation.map(|punctuation| errors.take(Field::Punctuation, Punctuation::parse(&punctuation)));
        let profile = match (display_name, about, links) {
            (Some(display_name), Some(about), Some(links)) if punctuation != Some(None) => {
                Ok((Profile { display_name, about, links }, punctuation.flatten()))
            }
            _ => Err(errors.into_error()),
        };
        account::save_profile(&site(), &caller(), profile, &source()).await
    }

    pub(super) async fn end_login(id: String) -> Result<(), AppError> {
        logins::end(&site(), &caller(), id, &source()).await
    }

    pub(super) async fn end_other_logins() -> Result<(), AppError> {
        logins::end_others(&site(), &caller(), &source()).await
    }

    pub(super) async fn delete_account(posts: String, password: SecretString) -> Result<(), AppError> {
        let caller = caller();
        caller.actor.user()?;
        let mut errors = FieldErrors::default();
        let posts = errors.take(Field::Posts, PostsOfDeleted::parse(&posts));
        let password = errors.take(Field::Password, Password::parse(password.expose_secret()));
        let (Some(posts), Some(password)) = (posts, password) else { return Err(errors.into_error()) };
        account::ask_for_deletion(&site(), &caller, &session(), posts, password, &source()).await
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
        api_keys::create(&site(), &caller(), wanted, IdempotencyKey::optional(key), &source()).await
    }

    pub(super) async fn my_api_keys() -> Result<Vec<ListedApiKey>, AppError> {
        api_keys::list(&site(), &actor()).await
    }

    pub(super) async fn revoke_api_key(id: String, key: Option<String>) -> Result<(), AppError> {
        api_keys::revoke(&site(), &caller(), ApiKeyId::parse(&id), IdempotencyKey::optional(key), &source())
            .await
    }
}
