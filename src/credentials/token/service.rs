//! The use cases of tokens.

use super::{
    RefreshToken, Refused, claims,
    store::{self, Found, Holder},
    verify,
};
use crate::{
    accounts::server::service::{Recognized, not_recognized},
    error::AppError,
    server::{Site, clock, database::internal},
};

/// What a program is given.
#[derive(Clone)]
pub struct Tokens {
    /// To be shown to the API; holds for [`super::ACCESS_TIME`].
    pub access: String,
    /// For the program itself: who it is that has logged in.
    pub id: String,
    /// To get the next ones with.
    pub refresh: RefreshToken,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens")
    }
}

/// By the keys as they are in the database now: one that was removed a moment
/// ago signs nothing more.
async fn sign(site: &Site, holder: &Holder, refresh: RefreshToken) -> Result<Tokens, AppError> {
    let ring = site.keys.fresh(&site.database).await?;
    let key = ring.signing(clock::now()).ok_or_else(|| internal("there is no key to sign with"))?;
    Ok(Tokens {
        access: claims::access_token(holder, key, &site.public_url)?,
        id: claims::id_token(holder, key, &site.public_url)?,
        refresh,
    })
}

/// Begins a family for somebody whose password was right.
///
/// # Errors
/// [`AppError::Invalid`] when the password was changed meanwhile.
pub async fn issue(site: &Site, recognized: &Recognized) -> Result<Tokens, AppError> {
    let refresh = RefreshToken::random()?;
    let family = uuid::Uuid::now_v7().to_string();
    let holder = site
        .database
        .write((family.clone(), recognized.user.id.clone(), refresh.hash()), |db, (family, user, hash)| {
            Box::pin(async move {
                store::begin(db, &family, &user, &hash).await?;
                store::holder(db, &family).await
            })
        })
        .await?
        .ok_or_else(|| internal("a new family is not there"))?;
    if !recognized.still_holds(site).await? {
        end(site, family).await?;
        return Err(not_recognized());
    }
    sign(site, &holder, refresh).await
}

/// The next tokens of a family, for its newest refresh token, which is used up
/// by it. One that was used before ends the family, since two have it: its
/// owner and somebody else. Used again within seconds, it gives the same
/// refresh token again. `None` where it does not hold.
///
/// # Errors
/// Those of the database.
pub async fn refresh(site: &Site, raw: &str) -> Result<Option<Tokens>, AppError> {
    let Some(parent) = RefreshToken::parse(raw) else { return Ok(None) };
    let child = parent.child(site.secret().await?);
    let holder = site
        .database
        .write((parent.hash(), child.hash()), |db, (parent, child)| {
            Box::pin(async move {
                match store::find(db, &parent).await? {
                    Found::Nothing => Ok(None),
                    Found::Usable(holder) => {
                        store::succeed(db, &holder.family, &parent, &child).await?;
                        Ok(Some(holder))
                    }
                    Found::JustUsed(holder) => Ok(Some(holder)),
                    Found::Stolen(family) => {
                        store::end(db, &family).await?;
                        tracing::warn!(family, "a refresh token was used twice; its family has ended");
                        Ok(None)
                    }
                }
            })
        })
        .await?;
    match holder {
        Some(holder) => sign(site, &holder, child).await.map(Some),
        None => Ok(None),
    }
}

/// As [`refresh`], for a program that keeps its refresh token: the same one
/// comes back. One that was [`refresh`]ed before ends the family here, too.
///
/// # Errors
/// Those of the database.
pub async fn renew(site: &Site, raw: &str) -> Result<Option<Tokens>, AppError> {
    let Some(token) = RefreshToken::parse(raw) else { return Ok(None) };
    let found = store::find(&mut site.database.read().await?, &token.hash()).await?;
    match found {
        Found::Nothing => Ok(None),
        Found::Usable(holder) => sign(site, &holder, token).await.map(Some),
        // By rotation, as the one who used it just now.
        Found::JustUsed(_) | Found::Stolen(_) => refresh(site, raw).await,
    }
}

/// Ends the family of a refresh token or of an access token. Of what is unknown
/// or over there is nothing left to end (RFC 7009 2.2).
///
/// # Errors
/// Those of the database; then nothing has ended.
pub async fn revoke(site: &Site, raw: &str) -> Result<(), AppError> {
    if let Some(token) = RefreshToken::parse(raw) {
        return site
            .database
            .write(token.hash(), |db, hash| Box::pin(async move { store::end_of(db, &hash).await }))
            .await;
    }
    match verify(site, raw).await {
        Ok(verified) => end(site, verified.family).await,
        Err(Refused::Malformed | Refused::Expired) => Ok(()),
        Err(Refused::Error(error)) => Err(error),
    }
}

async fn end(site: &Site, family: String) -> Result<(), AppError> {
    site.database.write(family, |db, family| Box::pin(async move { store::end(db, &family).await })).await
}
