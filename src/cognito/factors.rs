//! The second factor of a login, and the deletion of an account.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    parts::{AccessTokenInput, TOKEN, recently_logged_in},
    problem::Problem,
};
use crate::{
    accounts::domain::{
        account::{self, PostsOfDeleted},
        two_factor::{self, SecondFactorCode},
    },
    credentials::{RequestSource, User},
    error::AppError,
    site::Site,
};

/// What Cognito calls it.
const SOFTWARE_TOKEN: &str = "SOFTWARE_TOKEN_MFA";

/// Makes a secret for an app; it counts once [`verify_software_token`] has seen a code.
pub(super) async fn associate_software_token(site: &Site, input: AccessTokenInput) -> Result<Value, Problem> {
    let user = recently_logged_in(site, &input.access_token).await?.user;
    let secret = two_factor::begin_set_up(site, &user).await.map_err(|error| match error {
        AppError::Invalid { .. } => Problem::parameter("This site has no second factor."),
        other => other.into(),
    })?;
    Ok(json!({ "SecretCode": secret.base32().expose_secret() }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct VerifySoftwareToken {
    access_token: SecretString,
    user_code: SecretString,
}

/// Turns it on. Clients of Cognito show no recovery codes; people make new ones on
/// the site.
pub(super) async fn verify_software_token(
    site: &Site,
    input: VerifySoftwareToken,
    source: &RequestSource,
) -> Result<Value, Problem> {
    let user = recently_logged_in(site, &input.access_token).await?.user;
    let wrong = || Problem::new("EnableSoftwareTokenMFAException", "Code mismatch");
    let code = SecondFactorCode::parse(input.user_code.expose_secret()).map_err(|_| wrong())?;
    two_factor::turn_on(site, &user, &code, None, TOKEN, source).await.map_err(|error| match error {
        AppError::Invalid { .. } => wrong(),
        other => other.into(),
    })?;
    Ok(json!({ "Status": "SUCCESS" }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SetUserMfaPreference {
    access_token: SecretString,
    software_token_mfa_settings: Option<MfaSettings>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MfaSettings {
    #[serde(default)]
    enabled: bool,
}

async fn is_on(site: &Site, user: &User) -> Result<bool, AppError> {
    two_factor::is_on(&mut site.database.read().await?, &user.id).await
}

/// On once an app was verified; off where it is switched off.
pub(super) async fn set_user_mfa_preference(
    site: &Site,
    input: SetUserMfaPreference,
    source: &RequestSource,
) -> Result<Value, Problem> {
    let user = recently_logged_in(site, &input.access_token).await?.user;
    let is_on = is_on(site, &user).await?;
    match input.software_token_mfa_settings {
        Some(MfaSettings { enabled: true }) if !is_on => {
            return Err(Problem::parameter("User has not verified software token mfa"));
        }
        Some(MfaSettings { enabled: false }) => two_factor::turn_off(site, &user, TOKEN, source).await?,
        _ => {}
    }
    Ok(json!({}))
}

/// What [`super::operations`] tells of it in `GetUser`.
pub(super) async fn settings(site: &Site, user: &User) -> Result<Vec<&'static str>, AppError> {
    Ok(if is_on(site, user).await? { vec![SOFTWARE_TOKEN] } else { Vec::new() })
}

/// The account is closed at once; it and its posts are deleted after seven days, unless
/// its owner logs in before.
pub(super) async fn delete_user(
    site: &Site,
    input: AccessTokenInput,
    source: &RequestSource,
) -> Result<Value, Problem> {
    let user = recently_logged_in(site, &input.access_token).await?.user;
    account::close(site, user, PostsOfDeleted::Delete, TOKEN, source).await?;
    Ok(json!({}))
}
