//! What several operations take and answer.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::problem::Problem;
use crate::{
    credentials::{
        caller,
        token::{self, ACCESS_TIME, CLIENT_ID, RefreshToken, VerifiedToken, service::Tokens},
    },
    site::Site,
};

/// Refuses a client id that is not Byline's own.
pub(super) fn check_client(id: &str) -> Result<(), Problem> {
    if id == CLIENT_ID { Ok(()) } else { Err(Problem::unknown_client(id)) }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Attribute {
    pub name: String,
    pub value: Option<String>,
}

pub(super) fn refresh_token_is_wrong() -> Problem {
    Problem::new("NotAuthorizedException", "Invalid Refresh Token")
}

/// Plain texts, because an answer is copied several times until it is sent.
pub(super) fn authenticated(tokens: &Tokens, refresh_token: Option<&RefreshToken>) -> Value {
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
pub(super) struct AccessTokenInput {
    pub access_token: SecretString,
}

/// The credential of every change that is asked for here, for the audit log.
pub(super) const TOKEN: &str = "access token";

/// The holder of a token whose login is not older than ten minutes, for important
/// changes (security row S4).
pub(super) async fn recently_logged_in(site: &Site, token: &SecretString) -> Result<VerifiedToken, Problem> {
    let verified = token::verify(site, token).await?;
    if caller::is_recent(verified.began_at) {
        Ok(verified)
    } else {
        Err(Problem::new(
            "NotAuthorizedException",
            "Log in again: this needs a login of the last ten minutes.",
        ))
    }
}
