//! The operations, as Cognito's API reference describes them. Each parses its
//! input, calls one use case and formats the answer.

use std::collections::HashMap;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::problem::Problem;
use crate::{
    accounts::domain::{Email, Login, NewAccount, NewPassword, Password, service, service::Spared},
    credentials::{
        RequestSource,
        token::{
            self, ACCESS_TIME, CLIENT_ID, Client, RefreshToken, VerifiedToken, service as tokens,
            service::Tokens,
        },
    },
    error::AppError,
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
        "ConfirmSignUp" => confirm_sign_up(input(body)?),
        "ResendConfirmationCode" => resend_confirmation_code(input(body)?),
        "InitiateAuth" => initiate_auth(site, input(body)?, source).await,
        "GetTokensFromRefreshToken" => get_tokens_from_refresh_token(site, input(body)?).await,
        "GetUser" => get_user(site, input(body)?).await,
        "RevokeToken" => revoke_token(site, input(body)?).await,
        "GlobalSignOut" => global_sign_out(site, input(body)?).await,
        "ForgotPassword" => forgot_password(input(body)?),
        "ConfirmForgotPassword" => confirm_forgot_password(input(body)?),
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

/// Refuses a client id that is not Byline's own.
fn check_client(id: &str) -> Result<(), Problem> {
    if id == CLIENT_ID { Ok(()) } else { Err(Problem::unknown_client(id)) }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SignUp {
    client_id: String,
    username: String,
    password: SecretString,
    user_attributes: Option<Vec<Attribute>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attribute {
    name: String,
    value: Option<String>,
}

impl SignUp {
    /// The value of an attribute. The clients before aws-amplify 6 send null for
    /// a field of the form that was left empty.
    fn attribute(&self, name: &str) -> Option<&str> {
        let mut given = self.user_attributes.iter().flatten();
        given.find(|attribute| attribute.name == name)?.value.as_deref()
    }
}

/// A new account is confirmed at once, because Byline sends no mail. Of the
/// attributes only the address is kept.
async fn sign_up(site: &Site, input: SignUp, source: &RequestSource) -> Result<Value, Problem> {
    check_client(&input.client_id)?;
    let raw_email = input.attribute("email").unwrap_or_default();
    let username = Username::parse(&input.username)?;
    let email = Email::parse(raw_email)?;
    let password = NewPassword::parse(input.password.expose_secret(), &[&input.username, raw_email])?;
    let user = service::sign_up(site, NewAccount { username, email, password }, None, source).await?;
    Ok(json!({ "UserConfirmed": true, "UserSub": user.id.as_str() }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ClientIdInput {
    client_id: String,
}

/// Accepts every code, because nothing has to be confirmed. Forms of
/// aws-amplify-react ask for a code after every sign-up and then go on to the
/// login. The answer is the same for everybody, so it does not show who has an
/// account.
fn confirm_sign_up(input: ClientIdInput) -> Result<Value, Problem> {
    check_client(&input.client_id)?;
    Ok(json!({}))
}

/// Likewise. No code is sent, so there is no word of where it went.
fn resend_confirmation_code(input: ClientIdInput) -> Result<Value, Problem> {
    check_client(&input.client_id)?;
    Ok(json!({}))
}

fn forgot_password(input: ClientIdInput) -> Result<Value, Problem> {
    check_client(&input.client_id)?;
    Err(Problem::parameter("This site cannot send you a code. Ask whoever runs it for a new password."))
}

/// Refuses every code, because none is ever sent.
fn confirm_forgot_password(input: ClientIdInput) -> Result<Value, Problem> {
    check_client(&input.client_id)?;
    Err(Problem::new("CodeMismatchException", "Invalid verification code provided, please try again."))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InitiateAuth {
    client_id: String,
    auth_flow: String,
    #[serde(default)]
    auth_parameters: HashMap<String, Option<SecretString>>,
}

impl InitiateAuth {
    fn parameter(&self, name: &str) -> Result<&SecretString, Problem> {
        let given = self.auth_parameters.get(name).and_then(Option::as_ref);
        given.filter(|value| !value.expose_secret().is_empty()).ok_or_else(|| Problem::missing(name))
    }
}

async fn initiate_auth(site: &Site, input: InitiateAuth, source: &RequestSource) -> Result<Value, Problem> {
    check_client(&input.client_id)?;
    match input.auth_flow.as_str() {
        "USER_PASSWORD_AUTH" => {
            let login = Login::parse(input.parameter("USERNAME")?.expose_secret())?;
            let password = Password::parse(input.parameter("PASSWORD")?.expose_secret())
                .map_err(|_| Problem::wrong_password())?;
            let tokens =
                service::log_in_program(site, Client::Amplify, login, password, None, source).await?;
            Ok(authenticated(&tokens, Some(&tokens.refresh)))
        }
        // Two names of one flow.
        "REFRESH_TOKEN_AUTH" | "REFRESH_TOKEN" => {
            let raw = input.parameter("REFRESH_TOKEN")?;
            // Not rotated, unless the family was rotated before. Clients that use
            // this flow may ignore a new refresh token: aws-amplify 3, 4 and 5
            // take it, but the first releases of 6 keep the old one, and rotation
            // would sign their people out at the second refresh. The price is that
            // a copied token is not detected; it ends with its family, after 30
            // days at the latest. Version 6.15.4 and newer ask by
            // GetTokensFromRefreshToken (https://github.com/aws-amplify/amplify-js/pull/14427).
            // From then on this flow rotates as well, so a page that moves from
            // version 5 to 6 keeps its login.
            let tokens = tokens::renew(site, raw).await?.ok_or_else(refresh_token_is_wrong)?;
            let is_newer = tokens.refresh.reveal().expose_secret() != raw.expose_secret();
            Ok(authenticated(&tokens, is_newer.then_some(&tokens.refresh)))
        }
        flow => Err(Problem::parameter(format_args!(
            "{flow} flow not enabled for this client. Use USER_PASSWORD_AUTH."
        ))),
    }
}

fn refresh_token_is_wrong() -> Problem {
    Problem::new("NotAuthorizedException", "Invalid Refresh Token")
}

/// Plain texts, because an answer is copied several times until it is sent.
fn authenticated(tokens: &Tokens, refresh_token: Option<&RefreshToken>) -> Value {
    let mut result = json!({
        "AccessToken": tokens.access.expose_secret(),
        "IdToken": tokens.id.expose_secret(),
        "TokenType": "Bearer",
        "ExpiresIn": ACCESS_TIME.as_secs(),
    });
    if let Some(refresh_token) = refresh_token {
        result["RefreshToken"] = refresh_token.reveal().expose_secret().into();
    }
    json!({ "AuthenticationResult": result, "ChallengeParameters": {} })
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

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AccessTokenInput {
    access_token: SecretString,
}

async fn get_user(site: &Site, input: AccessTokenInput) -> Result<Value, Problem> {
    let VerifiedToken { user, email, .. } = token::verify(site, &input.access_token).await?;
    let attribute = |name: &str, value: &str| json!({ "Name": name, "Value": value });
    Ok(json!({
        "Username": user.username.as_str(),
        "UserAttributes": [
            attribute("sub", user.id.as_str()),
            attribute("email", &email),
            attribute("email_verified", "false"),
        ],
    }))
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
    service::sign_out_everywhere(site, user.id).await?;
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
