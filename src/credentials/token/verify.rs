//! From a token to who asks.

use jsonwebtoken::decode_header;
use secrecy::{ExposeSecret, SecretString};

use super::{
    TokenError,
    claims::{self, TokenUse},
    store::{self, Holder},
};
use crate::{
    clock,
    credentials::{
        User,
        trust::{Name, Verified},
    },
    error::AppError,
    site::Site,
    timestamp::Timestamp,
};

/// A token that was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedToken {
    /// As the database has them now.
    pub user: User,
    /// As the database has it now.
    pub email: String,
    /// The family of the token.
    pub family: String,
    /// When the password was given.
    pub began_at: Timestamp,
    /// The key that signed the token.
    pub kid: String,
    /// When the token expires, or its family ends.
    pub expires_at: Timestamp,
}

/// Verifies an access token: first signature and claims, then whether the
/// database has its family and its key. So a revoked token, and one by a leaked
/// key, are refused at once. The result is trusted until a credential ends
/// ([`crate::credentials::trust`]), and no longer than the token and its family are
/// valid.
pub async fn verify(site: &Site, raw: &SecretString) -> Result<VerifiedToken, TokenError> {
    verify_for(site, raw, &[TokenUse::Access]).await
}

/// [`verify()`] for the GraphQL API, which also accepts an id token, as AppSync
/// does.
pub async fn verify_either(site: &Site, raw: &SecretString) -> Result<VerifiedToken, TokenError> {
    verify_for(site, raw, &[TokenUse::Access, TokenUse::Id]).await
}

async fn verify_for(site: &Site, raw: &SecretString, uses: &[TokenUse]) -> Result<VerifiedToken, TokenError> {
    let KnownTokens(known_tokens) = site.part();
    let name = Name::of(raw);
    let take = |known: &KnownToken| uses.contains(&known.token_use).then(|| known.token.clone());
    if let Some(Some(token)) = known_tokens.recall(name, site, take).await {
        return Ok(token);
    }
    // Boxed, because few requests need it, and all would move its memory.
    Box::pin(look_up(site, raw, name, uses)).await
}

async fn look_up(
    site: &Site,
    raw: &SecretString,
    name: Name,
    uses: &[TokenUse],
) -> Result<VerifiedToken, TokenError> {
    let KnownTokens(known_tokens) = site.part();
    let as_of = site.trust().known();
    let kid =
        decode_header(raw.expose_secret()).ok().and_then(|header| header.kid).ok_or(TokenError::Malformed)?;
    let key_set = site.keys().with(&kid, &site.database).await?;
    let key = key_set.verifying(&kid, clock::now()).ok_or(TokenError::Malformed)?;
    let claims = claims::read(raw.expose_secret(), key, site.part(), uses)?;
    let found = store::holder_by_key(&mut site.database.read().await?, &claims.family, &kid).await?;
    let (holder, has_key) = found.ok_or(TokenError::Expired)?;
    if !has_key || holder.user.id.as_str() != claims.user_id {
        return Err(TokenError::Malformed);
    }
    let expires_at = claims.expires_at.min(holder.expires_at);
    let Holder { user, email, family, began_at, .. } = holder;
    let token = VerifiedToken { user, email, family, began_at, kid, expires_at };
    let known = KnownToken { token: token.clone(), token_use: claims.token_use };
    known_tokens.keep(name, as_of, expires_at, known).await;
    Ok(token)
}

/// Whether it is still valid, for a connection that lasts longer than a request:
/// its family has not ended and its key was not removed. The database is asked.
pub async fn still_holds(site: &Site, token: &VerifiedToken) -> Result<bool, AppError> {
    store::is_active(&mut site.database.read().await?, &token.family, &token.kid).await
}

/// The tokens that this process has verified.
#[derive(Debug, Default)]
pub struct KnownTokens(Verified<KnownToken>);

/// A token that was verified, and of which kind it is.
struct KnownToken {
    token: VerifiedToken,
    token_use: TokenUse,
}
