//! Codes that are mailed: for a new account, for a new password, for another address.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    parts::{AccessTokenInput, Attribute, TOKEN, check_client, recently_logged_in},
    problem::Problem,
};
use crate::{
    accounts::domain::{Email, Login, address, one_time::Code, recovery, verification},
    credentials::{
        Actor, RequestSource,
        token::{self, VerifiedToken},
    },
    error::AppError,
    site::Site,
};

/// The code of a mail, as the parameter `name` of a call.
fn code(raw: Option<SecretString>, name: &'static str) -> Result<Code, Problem> {
    let raw = raw.ok_or_else(|| Problem::missing(name))?;
    Code::parse(raw.expose_secret()).map_err(|_| Problem::wrong_code())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ConfirmSignUp {
    client_id: String,
    #[serde(default)]
    username: String,
    confirmation_code: Option<SecretString>,
}

/// Where no mail is sent, a new account needs no code, and every code is accepted:
/// forms of aws-amplify-react ask for one after every sign-up and then go on to the
/// login. The answer is the same for everybody, so it does not show who has an account.
pub(super) async fn confirm_sign_up(
    site: &Site,
    input: ConfirmSignUp,
    source: &RequestSource,
) -> Result<Value, Problem> {
    check_client(&input.client_id)?;
    if !site.mailer().is_on() {
        return Ok(json!({}));
    }
    let login = Login::parse(&input.username)?;
    let code = code(input.confirmation_code, "ConfirmationCode")?;
    verification::sign_up_by_code(site, &login, &code, source).await?;
    Ok(json!({}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct NamedInput {
    client_id: String,
    #[serde(default)]
    username: String,
}

/// Where a code goes is not said in more than that it is a mail: the answer is the same
/// for a name that nobody has.
fn delivery() -> Value {
    json!({
        "CodeDeliveryDetails": {
            "AttributeName": "email", "DeliveryMedium": "EMAIL", "Destination": "***",
        },
    })
}

/// The answer to a sign-up that waits for its code.
pub(super) fn sign_up_waits(id: &str) -> Value {
    let mut answer = delivery();
    answer["UserConfirmed"] = json!(false);
    answer["UserSub"] = json!(id);
    answer
}

pub(super) async fn resend_confirmation_code(
    site: &Site,
    input: NamedInput,
    source: &RequestSource,
) -> Result<Value, Problem> {
    check_client(&input.client_id)?;
    if !site.mailer().is_on() {
        return Ok(json!({}));
    }
    let login = Login::parse(&input.username)?;
    verification::send_sign_up_again(site, &login, source).await?;
    Ok(delivery())
}

pub(super) async fn forgot_password(
    site: &Site,
    input: NamedInput,
    source: &RequestSource,
) -> Result<Value, Problem> {
    check_client(&input.client_id)?;
    if !site.mailer().is_on() {
        return Err(Problem::parameter(
            "This site cannot send you a code. Ask whoever runs it for a new password.",
        ));
    }
    recovery::ask(site, Login::parse(&input.username)?, source).await?;
    Ok(delivery())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ConfirmForgotPassword {
    client_id: String,
    #[serde(default)]
    username: String,
    confirmation_code: Option<SecretString>,
    password: Option<SecretString>,
}

/// Refuses every code where none is ever sent.
pub(super) async fn confirm_forgot_password(
    site: &Site,
    input: ConfirmForgotPassword,
    source: &RequestSource,
) -> Result<Value, Problem> {
    check_client(&input.client_id)?;
    if !site.mailer().is_on() {
        return Err(Problem::wrong_code());
    }
    let login = Login::parse(&input.username)?;
    let code = code(input.confirmation_code, "ConfirmationCode")?;
    let password = input.password.ok_or_else(|| Problem::missing("Password"))?;
    recovery::set_password_by_code(site, &login, &code, &password, source).await?;
    Ok(json!({}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UpdateUserAttributes {
    access_token: SecretString,
    #[serde(default)]
    user_attributes: Vec<Attribute>,
}

/// Of the attributes only the address is kept. Where mail is sent, the new one counts
/// once it is confirmed.
pub(super) async fn update_user_attributes(
    site: &Site,
    input: UpdateUserAttributes,
    source: &RequestSource,
) -> Result<Value, Problem> {
    let VerifiedToken { user, email, .. } = recently_logged_in(site, &input.access_token).await?;
    let mut wanted = input.user_attributes.iter().filter(|attribute| attribute.name == "email");
    let Some(raw) = wanted.next().and_then(|attribute| attribute.value.as_deref()) else {
        return Err(Problem::parameter("Only email can be changed."));
    };
    let wanted = Email::parse(raw)?;
    if wanted.as_str() == &*email {
        return Ok(json!({ "CodeDeliveryDetailsList": [] }));
    }
    address::ask(site, &user, wanted, TOKEN, source).await?;
    let details = delivery()["CodeDeliveryDetails"].clone();
    let details = if site.mailer().is_on() { vec![details] } else { Vec::new() };
    Ok(json!({ "CodeDeliveryDetailsList": details }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AttributeCode {
    access_token: SecretString,
    attribute_name: String,
    code: Option<SecretString>,
}

fn check_attribute(name: &str) -> Result<(), Problem> {
    if name == "email" { Ok(()) } else { Err(Problem::parameter("Only email can be verified.")) }
}

pub(super) async fn get_attribute_code(
    site: &Site,
    input: AttributeCode,
    source: &RequestSource,
) -> Result<Value, Problem> {
    let VerifiedToken { user, .. } = token::verify(site, &input.access_token).await?;
    check_attribute(&input.attribute_name)?;
    verification::send_again(site, &Actor::User(user), None, source).await.map_err(|error| match error {
        AppError::MailIsOff => Problem::parameter("This site cannot send you a code."),
        other => other.into(),
    })?;
    Ok(delivery())
}

pub(super) async fn verify_attribute(
    site: &Site,
    input: AttributeCode,
    source: &RequestSource,
) -> Result<Value, Problem> {
    let VerifiedToken { user, .. } = token::verify(site, &input.access_token).await?;
    check_attribute(&input.attribute_name)?;
    let code = code(input.code, "Code")?;
    verification::address_by_code(site, &user, &code, source).await?;
    Ok(json!({}))
}

/// No device is ever remembered.
pub(super) async fn list_devices(site: &Site, input: AccessTokenInput) -> Result<Value, Problem> {
    token::verify(site, &input.access_token).await?;
    Ok(json!({ "Devices": [] }))
}
