//! The operations, as Cognito's API reference describes them. Each parses its
//! input, calls one use case and formats the answer.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    challenges::{initiate_auth, respond_to_auth_challenge},
    codes, factors,
    parts::{AccessTokenInput, Attribute, authenticated, check_client, refresh_token_is_wrong},
    problem::Problem,
};
use crate::{
    accounts::domain::{
        Email, NewAccount, NewPassword, Password, contact, invitations,
        logins::{self, Spared},
        pending_sign_up, service,
    },
    credentials::{
        RequestSource,
        token::{self, RefreshToken, VerifiedToken, service as tokens},
    },
    error::{AppError, Field},
    site::Site,
    username::Username,
};

/// Runs the operation of that name on a body of JSON.
pub(super) async fn run(
    site: &Site,
    operation: &str,
    body: &[u8],
    source: &RequestSource,
) -> Result<Value, Problem> {
    match operation {
        "SignUp" => sign_up(site, input(body)?, source).await,
        "ConfirmSignUp" => codes::confirm_sign_up(site, input(body)?, source).await,
        "ResendConfirmationCode" => codes::resend_confirmation_code(site, input(body)?, source).await,
        "InitiateAuth" => initiate_auth(site, input(body)?, source).await,
        "RespondToAuthChallenge" => respond_to_auth_challenge(site, input(body)?, source).await,
        "GetTokensFromRefreshToken" => get_tokens_from_refresh_token(site, input(body)?).await,
        "GetUser" => get_user(site, input(body)?).await,
        "RevokeToken" => revoke_token(site, input(body)?).await,
        "GlobalSignOut" => global_sign_out(site, input(body)?).await,
        "ForgotPassword" => codes::forgot_password(site, input(body)?, source).await,
        "ConfirmForgotPassword" => codes::confirm_forgot_password(site, input(body)?, source).await,
        "UpdateUserAttributes" => codes::update_user_attributes(site, input(body)?, source).await,
        "GetUserAttributeVerificationCode" => codes::get_attribute_code(site, input(body)?, source).await,
        "VerifyUserAttribute" => codes::verify_attribute(site, input(body)?, source).await,
        "ListDevices" => codes::list_devices(site, input(body)?).await,
        "AssociateSoftwareToken" => factors::associate_software_token(site, input(body)?).await,
        "VerifySoftwareToken" => factors::verify_software_token(site, input(body)?, source).await,
        "SetUserMFAPreference" => factors::set_user_mfa_preference(site, input(body)?, source).await,
        "DeleteUser" => factors::delete_user(site, input(body)?, source).await,
        "ChangePassword" => change_password(site, input(body)?, source).await,
        _ => Err(Problem::unknown_operation()),
    }
}

/// What an operation takes. Members that Byline has no use for (device keys,
/// metadata, analytics) are passed over, as Cognito does without them. The body
/// itself is not zeroed, because the HTTP server has other copies of its bytes.
fn input<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| {
        if error.is_data() {
            Problem::parameter(format_args!("The request is not as the operation takes it: {error}"))
        } else {
            Problem::new("SerializationException", "The body is not JSON.")
        }
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SignUp {
    client_id: String,
    username: String,
    password: SecretString,
    user_attributes: Option<Vec<Attribute>>,
}

impl SignUp {
    /// The value of an attribute. The clients before aws-amplify 6 send null for
    /// a field of the form that was left empty.
    fn attribute(&self, name: &str) -> Option<&str> {
        let mut given = self.user_attributes.iter().flatten();
        given.find(|attribute| attribute.name == name)?.value.as_deref().filter(|value| !value.is_empty())
    }
}

/// Names that are tried for somebody who signs up with an address alone.
const NAMES: u32 = 5;

/// A username from the part of an address before the `@`; from the second try on, and
/// where that part alone is none, with a number behind it.
fn username_of_address(address: &str, tried: u32) -> Result<Username, Problem> {
    let local = address.split('@').next().unwrap_or_default().to_lowercase();
    let allowed = |c: char| if matches!(c, 'a'..='z' | '0'..='9' | '_' | '-') { c } else { '-' };
    let name: String = local.chars().map(allowed).take(20).collect();
    let name = name.trim_matches('-');
    let name = if name.is_empty() { "user" } else { name };
    match Username::parse(name) {
        Ok(username) if tried == 0 => Ok(username),
        _ => Ok(Username::parse(&format!("{name}-{}", uuid::Uuid::new_v4().as_u128() % 1_000_000))?),
    }
}

/// Where no mail is sent, a new account is confirmed at once; else it waits for the code
/// from the mail, and the answer does not show whether the address has an account. Of
/// the attributes only the address is kept.
async fn sign_up(site: &Site, input: SignUp, source: &RequestSource) -> Result<Value, Problem> {
    check_client(&input.client_id)?;
    let is_address = input.username.contains('@');
    let raw_email = input.attribute("email").unwrap_or(if is_address { &input.username } else { "" });
    let email = Email::parse(raw_email)?;
    let password = NewPassword::parse(input.password.expose_secret(), &[&input.username, raw_email])?;
    if !is_address {
        let username = Username::parse(&input.username)?;
        return make(site, NewAccount { username, email, password }, source).await.map_err(Problem::from);
    }
    let mut tried = 0;
    loop {
        let username = username_of_address(&input.username, tried)?;
        let account = NewAccount { username, email: email.clone(), password: password.clone() };
        tried += 1;
        match make(site, account, source).await {
            Err(AppError::Invalid { errors })
                if tried < NAMES && errors.iter().all(|error| error.field == Field::Username) => {}
            outcome => return outcome.map_err(Problem::from),
        }
    }
}

async fn make(site: &Site, account: NewAccount, source: &RequestSource) -> Result<Value, AppError> {
    if site.mailer().is_on() {
        let id = pending_sign_up::begin(site, account, None, None, source).await?;
        return Ok(codes::sign_up_waits(&id));
    }
    invitations::may_sign_up(site, None).await?;
    let user = service::sign_up(site, account, None, source).await?;
    Ok(json!({ "UserConfirmed": true, "UserSub": user.id.as_str() }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetTokensFromRefreshToken {
    client_id: String,
    refresh_token: SecretString,
}

async fn get_tokens_from_refresh_token(
    site: &Site,
    input: GetTokensFromRefreshToken,
) -> Result<Value, Problem> {
    check_client(&input.client_id)?;
    let tokens = tokens::refresh(site, &input.refresh_token).await?.ok_or_else(refresh_token_is_wrong)?;
    let mut answer = authenticated(&tokens, Some(&tokens.refresh));
    if let Some(members) = answer.as_object_mut() {
        members.remove("ChallengeParameters");
    }
    Ok(answer)
}

async fn get_user(site: &Site, input: AccessTokenInput) -> Result<Value, Problem> {
    let VerifiedToken { user, email, .. } = token::verify(site, &input.access_token).await?;
    let contact = contact::of(&mut site.database.read().await?, &user.id).await?;
    let is_verified = contact.is_some_and(|contact| contact.is_verified);
    let attribute = |name: &str, value: &str| json!({ "Name": name, "Value": value });
    let factors = factors::settings(site, &user).await?;
    let mut answer = json!({
        "Username": user.username.as_str(),
        "UserAttributes": [
            attribute("sub", user.id.as_str()),
            attribute("email", &email),
            attribute("email_verified", if is_verified { "true" } else { "false" }),
        ],
    });
    if let Some(preferred) = factors.first() {
        answer["UserMFASettingList"] = json!(factors);
        answer["PreferredMfaSetting"] = json!(preferred);
    }
    Ok(answer)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RevokeToken {
    client_id: String,
    token: SecretString,
}

async fn revoke_token(site: &Site, input: RevokeToken) -> Result<Value, Problem> {
    check_client(&input.client_id)?;
    if RefreshToken::parse(&input.token).is_none() && token::verify(site, &input.token).await.is_ok() {
        return Err(Problem::new("UnsupportedTokenTypeException", "Only refresh tokens can be revoked."));
    }
    tokens::revoke(site, &input.token).await?;
    Ok(json!({}))
}

async fn global_sign_out(site: &Site, input: AccessTokenInput) -> Result<Value, Problem> {
    let VerifiedToken { user, .. } = token::verify(site, &input.access_token).await?;
    logins::sign_out_everywhere(site, user.id).await?;
    Ok(json!({}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ChangePassword {
    access_token: SecretString,
    previous_password: SecretString,
    proposed_password: SecretString,
}

async fn change_password(
    site: &Site,
    input: ChangePassword,
    source: &RequestSource,
) -> Result<Value, Problem> {
    let VerifiedToken { user, email, family, .. } = token::verify(site, &input.access_token).await?;
    let previous =
        Password::parse(input.previous_password.expose_secret()).map_err(|_| Problem::wrong_password())?;
    let about = [user.username.as_str(), &email];
    let proposed = NewPassword::parse(input.proposed_password.expose_secret(), &about)?;
    let spared = Spared { family: Some(family), session: None };
    service::change_password(site, user, spared, previous, proposed, source).await.map_err(|error| {
        match error {
            AppError::Invalid { .. } => Problem::wrong_password(),
            other => other.into(),
        }
    })?;
    Ok(json!({}))
}
