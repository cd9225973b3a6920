//! Logins: `InitiateAuth`, and `RespondToAuthChallenge` for those of two steps.

use std::collections::HashMap;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    parts::{authenticated, check_client, refresh_token_is_wrong},
    problem::Problem,
};
use crate::{
    accounts::domain::{
        Authenticated, LogIn, Login, Password, PendingLogIn, service, srp, two_factor::SecondFactorCode,
    },
    credentials::{
        RequestSource,
        srp::parse as parse_number,
        token::{Client, service as tokens},
    },
    error::AppError,
    site::Site,
};

/// Of a challenge whose state is in its parameters. Clients send back what they were
/// given, and expect something.
const NO_SESSION: &str = "the-challenge-has-it-all";

type Parameters = HashMap<String, Option<SecretString>>;

fn parameter<'a>(parameters: &'a Parameters, name: &str) -> Result<&'a SecretString, Problem> {
    let given = parameters.get(name).and_then(Option::as_ref);
    given.filter(|value| !value.expose_secret().is_empty()).ok_or_else(|| Problem::missing(name))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct InitiateAuth {
    client_id: String,
    auth_flow: String,
    #[serde(default)]
    auth_parameters: Parameters,
}

pub(super) async fn initiate_auth(
    site: &Site,
    input: InitiateAuth,
    source: &RequestSource,
) -> Result<Value, Problem> {
    check_client(&input.client_id)?;
    let given = &input.auth_parameters;
    match input.auth_flow.as_str() {
        "USER_PASSWORD_AUTH" => by_password(site, given, source).await,
        "USER_SRP_AUTH" => by_proof(site, given).await,
        // The client says how; one that does not is asked.
        "USER_AUTH" => match given.get("PREFERRED_CHALLENGE").and_then(Option::as_ref) {
            Some(preferred) => by_choice(site, preferred.expose_secret(), given, source).await,
            None => {
                parameter(given, "USERNAME")?;
                Ok(choice(site))
            }
        },
        // Two names of one flow.
        "REFRESH_TOKEN_AUTH" | "REFRESH_TOKEN" => {
            let raw = parameter(given, "REFRESH_TOKEN")?;
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
        flow => {
            let other =
                if srp::is_on(site) { "USER_SRP_AUTH or USER_PASSWORD_AUTH" } else { "USER_PASSWORD_AUTH" };
            Err(Problem::parameter(format_args!("{flow} flow not enabled for this client. Use {other}.")))
        }
    }
}

/// The ways to log in that there are.
fn choice(site: &Site) -> Value {
    let ways: &[&str] = if srp::is_on(site) { &["PASSWORD_SRP", "PASSWORD"] } else { &["PASSWORD"] };
    json!({
        "ChallengeName": "SELECT_CHALLENGE",
        "AvailableChallenges": ways,
        "ChallengeParameters": {},
        "Session": NO_SESSION,
    })
}

async fn by_choice(
    site: &Site,
    way: &str,
    given: &Parameters,
    source: &RequestSource,
) -> Result<Value, Problem> {
    match way {
        "PASSWORD" => by_password(site, given, source).await,
        "PASSWORD_SRP" => by_proof(site, given).await,
        _ => {
            parameter(given, "USERNAME")?;
            Ok(choice(site))
        }
    }
}

async fn by_password(site: &Site, given: &Parameters, source: &RequestSource) -> Result<Value, Problem> {
    let login = Login::parse(parameter(given, "USERNAME")?.expose_secret())?;
    let password = Password::parse(parameter(given, "PASSWORD")?.expose_secret())
        .map_err(|_| Problem::wrong_password())?;
    go_on(site, service::begin_log_in(site, login, password, source).await?, source).await
}

/// The first step by SRP.
async fn by_proof(site: &Site, given: &Parameters) -> Result<Value, Problem> {
    if !srp::is_on(site) {
        return Err(Problem::parameter(
            "USER_SRP_AUTH flow not enabled for this client. Use USER_PASSWORD_AUTH.",
        ));
    }
    let login = Login::parse(parameter(given, "USERNAME")?.expose_secret())?;
    let client_public = parse_number(parameter(given, "SRP_A")?.expose_secret())
        .ok_or_else(|| Problem::parameter("SRP_A is no number of the group"))?;
    let challenge = srp::begin(site, &login, &client_public).await?;
    Ok(json!({
        "ChallengeName": "PASSWORD_VERIFIER",
        "ChallengeParameters": {
            "USERNAME": challenge.name,
            "USER_ID_FOR_SRP": challenge.name,
            "SALT": challenge.salt,
            "SRP_B": challenge.public,
            "SECRET_BLOCK": BASE64_STANDARD.encode(challenge.block),
        },
        "Session": NO_SESSION,
    }))
}

/// Tokens, or the second step.
async fn go_on(site: &Site, log_in: LogIn, source: &RequestSource) -> Result<Value, Problem> {
    match log_in {
        LogIn::Done(person) => begin_family(site, &person, source).await,
        LogIn::SecondFactor(pending) => Ok(json!({
            "ChallengeName": "SOFTWARE_TOKEN_MFA",
            "ChallengeParameters": { "USER_ID_FOR_SRP": pending.user.username.as_str() },
            "Session": pending.seal(site).await?,
        })),
    }
}

async fn begin_family(site: &Site, person: &Authenticated, source: &RequestSource) -> Result<Value, Problem> {
    let tokens = service::begin_family(site, Client::Amplify, person, source).await?;
    Ok(authenticated(&tokens, Some(&tokens.refresh)))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RespondToAuthChallenge {
    client_id: String,
    challenge_name: String,
    session: Option<SecretString>,
    #[serde(default)]
    challenge_responses: Parameters,
}

pub(super) async fn respond_to_auth_challenge(
    site: &Site,
    input: RespondToAuthChallenge,
    source: &RequestSource,
) -> Result<Value, Problem> {
    check_client(&input.client_id)?;
    let given = &input.challenge_responses;
    match input.challenge_name.as_str() {
        "PASSWORD_VERIFIER" => {
            let raw = |name| parameter(given, name).map(ExposeSecret::expose_secret);
            let bytes = |name| raw(name).map(|raw| BASE64_STANDARD.decode(raw).unwrap_or_default());
            let block = bytes("PASSWORD_CLAIM_SECRET_BLOCK")?;
            let proof = bytes("PASSWORD_CLAIM_SIGNATURE")?;
            // A part of what is proven, and nothing else: the clock of a client may be
            // wrong, and the challenge has a time of its own.
            let timestamp = raw("TIMESTAMP")?;
            let proven =
                srp::finish(site, &block, timestamp, &proof, source).await.map_err(session_is_over)?;
            go_on(site, proven.go_on(site).await?, source).await
        }
        "SELECT_CHALLENGE" => {
            by_choice(site, parameter(given, "ANSWER")?.expose_secret(), given, source).await
        }
        "SOFTWARE_TOKEN_MFA" => {
            let session = input.session.as_ref().ok_or_else(|| Problem::missing("Session"))?;
            let code = SecondFactorCode::parse(parameter(given, "SOFTWARE_TOKEN_MFA_CODE")?.expose_secret())
                .map_err(|_| Problem::wrong_code())?;
            let pending = PendingLogIn::open(site, session.expose_secret()).await?;
            let pending = pending.ok_or_else(|| session_is_over(AppError::NotSignedIn))?;
            let person =
                service::finish_log_in(site, &pending, &code, source).await.map_err(session_is_over)?;
            begin_family(site, &person, source).await
        }
        name => Err(Problem::parameter(format_args!("There is no challenge {name} here."))),
    }
}

fn session_is_over(error: AppError) -> Problem {
    match error {
        AppError::NotSignedIn => {
            Problem::new("NotAuthorizedException", "Invalid session for the user, session is expired.")
        }
        other => other.into(),
    }
}
