//! What several operations take and answer.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::problem::Problem;
use crate::credentials::token::{ACCESS_TIME, CLIENT_ID, RefreshToken, service::Tokens};

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
