//! Tokens for programs (security rows J1 to J3): a signed access token that is
//! valid for minutes, and an opaque refresh token that gets the next one. Both
//! belong to a family, which begins with a password. When a family ends, all of
//! its tokens end at once.

mod claims;
mod client;
mod eddsa;
mod refresh_token;
mod store;

pub mod keys;
pub mod service;

use jsonwebtoken::decode_header;

use super::{
    User,
    trust::{Name, Verified},
};
use crate::{clock, error::AppError, site::Site, timestamp::Timestamp};
use claims::TokenUse;
pub use claims::{ACCESS_TIME, Parties};
pub use client::{CLIENT_ID, Client, TokenError};
pub use refresh_token::RefreshToken;
use store::Holder;
pub use store::{end_all, forget_ended};

/// The holder of a token that was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedToken {
    /// As the database has them now.
    pub user: User,
    /// As the database has it now.
    pub email: String,
    /// The family of the token, for [`still_holds`].
    pub family: String,
    /// The key that signed the token, for [`still_holds`].
    pub kid: String,
    /// When the token expires, or its family ends.
    pub expires_at: Timestamp,
}

#[derive(Debug, Default)]
pub struct KnownTokens(Verified<KnownToken>);

struct KnownToken {
    token: VerifiedToken,
    token_use: TokenUse,
}

/// Verifies an access token: first signature and claims, then whether the
/// database has its family and its key. So a revoked token, and one by a leaked
/// key, are refused at once. The result is trusted until a credential ends
/// ([`super::trust`]), and no longer than the token and its family are valid.
pub async fn verify(site: &Site, raw: &str) -> Result<VerifiedToken, TokenError> {
    verify_for(site, raw, &[TokenUse::Access]).await
}

/// [`verify`] for the GraphQL API, which also accepts an id token, as AppSync
/// does.
pub async fn verify_either(site: &Site, raw: &str) -> Result<VerifiedToken, TokenError> {
    verify_for(site, raw, &[TokenUse::Access, TokenUse::Id]).await
}

async fn verify_for(site: &Site, raw: &str, uses: &[TokenUse]) -> Result<VerifiedToken, TokenError> {
    let KnownTokens(known_tokens) = site.part();
    let name = Name::of(raw);
    let take = |known: &KnownToken| uses.contains(&known.token_use).then(|| known.token.clone());
    if let Some(Some(token)) = known_tokens.recall(name, site, take).await {
        return Ok(token);
    }
    let as_of = site.trust().known();
    let kid = decode_header(raw).ok().and_then(|header| header.kid).ok_or(TokenError::Malformed)?;
    let key_set = site.keys().with(&kid, &site.database).await?;
    let key = key_set.verifying(&kid, clock::now()).ok_or(TokenError::Malformed)?;
    let claims = claims::read(raw, key, site.part(), uses)?;
    let found = store::holder_by_key(&mut site.database.read().await?, &claims.family, &kid).await?;
    let (holder, has_key) = found.ok_or(TokenError::Expired)?;
    if !has_key || holder.user.id.as_str() != claims.user_id {
        return Err(TokenError::Malformed);
    }
    let expires_at = claims.expires_at.min(holder.expires_at);
    let Holder { user, email, family, .. } = holder;
    let token = VerifiedToken { user, email, family, kid, expires_at };
    let known = KnownToken { token: token.clone(), token_use: claims.token_use };
    known_tokens.keep(name, as_of, expires_at, known).await;
    Ok(token)
}

/// Whether a [`VerifiedToken`] is still valid, for a connection that lasts
/// longer than a request: its family has not ended and its key was not removed.
pub async fn still_holds(site: &Site, family: &str, kid: &str) -> Result<bool, AppError> {
    store::lives(&mut site.database.read().await?, family, kid).await
}
