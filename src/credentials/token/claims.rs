//! Access and id tokens (security row J2): what they claim, how they are signed, and
//! which are accepted.

use std::time::Duration;

use jsonwebtoken::{Algorithm, Header, Validation, decode, encode, errors::ErrorKind};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::{CLIENT_ID, keys::Key, store::Holder};
use crate::{clock, config::PublicUrl, database::internal, error::AppError, timestamp::Timestamp};

/// How long an access token is valid, unless its family ends.
pub const ACCESS_TIME: Duration = Duration::from_secs(10 * 60);
/// How far the clocks of a site's processes may be apart.
const LEEWAY: Duration = Duration::from_secs(10);
/// The scope of Cognito's own logins. Without it aws-amplify 3 to 5 do not ask
/// who has logged in.
const SCOPE: &str = "aws.cognito.signin.user.admin";

/// Why a token is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not one of ours, or not for this use.
    #[error("Unable to parse JWT token.")]
    Malformed,
    /// It was valid once; it has expired, or its family has ended.
    #[error("Token has expired.")]
    Expired,
    /// The database could not be asked.
    #[error(transparent)]
    Error(#[from] AppError),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenUse {
    /// Proves who asks, at every endpoint.
    Access,
    /// Read by the program that it was given to, which may show it to the
    /// GraphQL API as well.
    Id,
}

/// The claims of a token, with Cognito's names; `token_use` is the kind.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "token_use", rename_all = "lowercase")]
enum Claims {
    Access(Access),
    Id(Id),
}

/// What both kinds of token say.
#[derive(Debug, Serialize, Deserialize)]
struct Common {
    sub: String,
    iss: String,
    /// The id of the token's family.
    origin_jti: String,
    jti: String,
    auth_time: u64,
    iat: u64,
    nbf: u64,
    exp: u64,
}

/// The claims of an access token, which is for the API.
#[derive(Debug, Serialize, Deserialize)]
struct Access {
    #[serde(flatten)]
    common: Common,
    username: String,
    aud: String,
    client_id: String,
    scope: String,
}

/// The claims of an id token, which is for the client.
#[derive(Debug, Serialize, Deserialize)]
struct Id {
    #[serde(flatten)]
    common: Common,
    aud: String,
    #[serde(rename = "cognito:username")]
    username: String,
    email: String,
    /// Always false: nothing was ever sent to the address.
    email_verified: bool,
}

impl Claims {
    /// What both say, if it is a token of this site for one of `uses`.
    fn for_one_of(self, uses: &[TokenUse], parties: &Parties) -> Option<(TokenUse, Common)> {
        let (token_use, is_for_us, common) = match self {
            Self::Access(Access { common, aud, client_id, .. }) => {
                (TokenUse::Access, aud == parties.api && client_id == CLIENT_ID, common)
            }
            Self::Id(Id { common, aud, .. }) => (TokenUse::Id, aud == CLIENT_ID, common),
        };
        (is_for_us && uses.contains(&token_use)).then_some((token_use, common))
    }
}

/// A token that was signed here, for this site, and has not expired.
#[derive(Debug)]
pub(super) struct VerifiedClaims {
    pub(super) token_use: TokenUse,
    pub(super) user_id: String,
    pub(super) family: String,
    pub(super) expires_at: Timestamp,
}

/// The issuer of a site's tokens, and the audience of access tokens.
#[derive(Debug)]
pub struct Parties {
    issuer: String,
    api: String,
}

impl Parties {
    /// Of a site that is reached by that URL and has its API at that path.
    #[must_use]
    pub fn of(url: &PublicUrl, api_path: &str) -> Self {
        Self { issuer: url.to_string(), api: format!("{url}{api_path}") }
    }
}

fn seconds(time: Timestamp) -> u64 {
    u64::try_from(time.micros() / 1_000_000).unwrap_or_default()
}

fn common(holder: &Holder, parties: &Parties) -> Common {
    let now = seconds(clock::now());
    // No token outlives its family.
    let exp = (now + ACCESS_TIME.as_secs()).min(seconds(holder.expires_at));
    Common {
        sub: holder.user.id.as_str().to_owned(),
        iss: parties.issuer.clone(),
        origin_jti: holder.family.clone(),
        jti: uuid::Uuid::new_v4().to_string(),
        auth_time: seconds(holder.began_at),
        iat: now,
        nbf: now,
        exp,
    }
}

fn sign(claims: &Claims, key: &Key) -> Result<SecretString, AppError> {
    let header = Header { kid: Some(key.kid.clone()), ..Header::new(Algorithm::EdDSA) };
    encode(&header, claims, &key.signing).map(SecretString::from).map_err(internal)
}

pub(super) fn access_token(holder: &Holder, key: &Key, parties: &Parties) -> Result<SecretString, AppError> {
    let claims = Claims::Access(Access {
        common: common(holder, parties),
        username: holder.user.username.as_str().to_owned(),
        aud: parties.api.clone(),
        client_id: CLIENT_ID.to_owned(),
        scope: SCOPE.to_owned(),
    });
    sign(&claims, key)
}

pub(super) fn id_token(holder: &Holder, key: &Key, parties: &Parties) -> Result<SecretString, AppError> {
    let claims = Claims::Id(Id {
        common: common(holder, parties),
        aud: CLIENT_ID.to_owned(),
        username: holder.user.username.as_str().to_owned(),
        email: holder.email.clone(),
        email_verified: holder.is_email_verified,
    });
    sign(&claims, key)
}

/// Reads a token that says it was signed with `key`, if it is for one of `uses`.
pub(super) fn read(
    raw: &str,
    key: &Key,
    parties: &Parties,
    uses: &[TokenUse],
) -> Result<VerifiedClaims, TokenError> {
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
    validation.set_issuer(&[&parties.issuer]);
    validation.set_audience(&[parties.api.as_str(), CLIENT_ID]);
    validation.validate_nbf = true;
    validation.leeway = LEEWAY.as_secs();
    let claims: Claims = match decode(raw, &key.verifying, &validation) {
        Ok(token) => token.claims,
        Err(error) if matches!(error.kind(), ErrorKind::ExpiredSignature) => return Err(TokenError::Expired),
        Err(_) => return Err(TokenError::Malformed),
    };
    let (token_use, common) = claims.for_one_of(uses, parties).ok_or(TokenError::Malformed)?;
    // No token is signed here with a longer life or a later start. A leaked key
    // can sign anything, and a subscription lasts until `exp`.
    let latest_iat = seconds(clock::now()).saturating_add(LEEWAY.as_secs());
    if common.iat > latest_iat || common.exp > common.iat.saturating_add(ACCESS_TIME.as_secs()) {
        return Err(TokenError::Malformed);
    }
    let exp = i64::try_from(common.exp).map_err(|_| TokenError::Malformed)?;
    Ok(VerifiedClaims {
        token_use,
        user_id: common.sub,
        family: common.origin_jti,
        expires_at: Timestamp::from_micros(exp.saturating_mul(1_000_000)),
    })
}
