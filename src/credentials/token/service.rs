//! The use cases of tokens.

use std::{sync::Arc, time::Duration};

use secrecy::SecretString;
use tokio::time::timeout;

use super::{
    Client, RefreshToken, TokenError, claims,
    keys::KeySet,
    store::{self, Found, GRACE, Holder},
    verify,
};
use crate::{
    clock,
    credentials::{RequestSource, User},
    database::internal,
    error::AppError,
    site::Site,
};

/// What a program is given.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// For the API; valid for [`super::ACCESS_TIME`].
    pub access: SecretString,
    /// For the program itself: who it is that has logged in.
    pub id: SecretString,
    pub refresh: RefreshToken,
}

/// The time to use a refresh token. After that the client is told to come
/// again. It has to do so within [`GRACE`], because the token may be used up
/// all the same.
const USE_TIME: Duration = Duration::from_secs(3);
/// When to come again, in seconds; other parts on the way may say 5.
const USE_AGAIN: u32 = 2;
const _: () = assert!(USE_TIME.as_secs() + 5 < GRACE.as_secs());

/// The keys as they are in the database now: one that was removed a moment ago
/// signs nothing more, and what one signs that is removed a moment later is
/// claims nowhere.
async fn keys(site: &Site) -> Result<Arc<KeySet>, AppError> {
    site.keys().fresh(&site.database).await
}

fn sign(site: &Site, keys: &KeySet, holder: &Holder, refresh: RefreshToken) -> Result<Tokens, AppError> {
    let key = keys.signing(clock::now()).ok_or_else(|| internal("there is no key to sign with"))?;
    Ok(Tokens {
        access: claims::access_token(holder, key, site.part())?,
        id: claims::id_token(holder, key, site.part())?,
        refresh,
    })
}

/// A family that has just begun.
pub struct Begun {
    pub family: String,
    pub tokens: Tokens,
}

/// Begins a family for a person who has proven who they are.
pub async fn begin(
    site: &Site,
    client: Client,
    user: &User,
    source: &RequestSource,
) -> Result<Begun, AppError> {
    let refresh = RefreshToken::random()?;
    let family = uuid::Uuid::now_v7().to_string();
    let holder = site
        .database
        .write(
            (family.clone(), user.id.clone(), refresh.hash(), source.begun_from()),
            move |db, (family, user, hash, from)| {
                Box::pin(async move {
                    store::begin(db, &family, &user, client, &hash, &from).await?;
                    store::holder(db, &family).await
                })
            },
        )
        .await?
        .ok_or_else(|| internal("a new family is not there"))?;
    let tokens = sign(site, &*keys(site).await?, &holder, refresh)?;
    Ok(Begun { family, tokens })
}

/// The next tokens of a family, for its newest refresh token, which is then
/// used up. A token that was used before ends the family, because its owner and
/// somebody else have it. Used again within seconds, it gives the same refresh
/// token again. `None` if it is not valid.
///
/// # Errors
///
/// [`AppError::Busy`] after [`USE_TIME`].
pub async fn refresh(site: &Site, raw: &SecretString) -> Result<Option<Tokens>, AppError> {
    let Some(parent) = RefreshToken::parse(raw) else { return Ok(None) };
    // Everything that can fail or take long is done before the token is used
    // up: a program that is told to try again has only this one.
    let child = parent.child(site.secret().await?);
    let keys = keys(site).await?;
    let forget = site.trust().forgetting();
    let used = site.database.write_then(
        (parent.hash(), child.hash()),
        |db, (parent, child)| {
            Box::pin(async move {
                match store::find(db, &parent).await? {
                    Found::Nothing => Ok(Used::Nothing),
                    Found::Usable { holder, .. } => {
                        store::succeed(db, &holder.family, &parent, &child).await?;
                        Ok(Used::By(holder))
                    }
                    Found::JustUsed(holder) => Ok(Used::By(holder)),
                    Found::Stolen(family) => {
                        store::end(db, &family).await?;
                        tracing::warn!(family, "a refresh token was used twice; its family has ended");
                        Ok(Used::Ended)
                    }
                }
            })
        },
        move |used| match used {
            Used::Ended => forget(used),
            Used::Nothing | Used::By(_) => {}
        },
    );
    let used = timeout(USE_TIME, used).await.map_err(|_| AppError::Busy { retry_after: USE_AGAIN })??;
    match used {
        Used::By(holder) => sign(site, &keys, &holder, child).map(Some),
        Used::Nothing | Used::Ended => Ok(None),
    }
}

/// The result of using a refresh token.
enum Used {
    /// It is not valid.
    Nothing,
    /// It is used up now; this was its holder.
    By(Holder),
    /// It was a copy, so its family has ended.
    Ended,
}

/// For a program of [`Client::Amplify`] that keeps its refresh token: returns
/// the same one. In every other family this is [`refresh`], so a copy of a
/// token is detected here too.
pub async fn renew(site: &Site, raw: &SecretString) -> Result<Option<Tokens>, AppError> {
    let Some(token) = RefreshToken::parse(raw) else { return Ok(None) };
    let found = store::find(&mut site.database.read().await?, &token.hash()).await?;
    match found {
        Found::Nothing => Ok(None),
        Found::Usable { holder, once: false } => sign(site, &*keys(site).await?, &holder, token).map(Some),
        Found::Usable { once: true, .. } | Found::JustUsed(_) | Found::Stolen(_) => refresh(site, raw).await,
    }
}

/// Ends the family of a refresh token or of an access token. Of what is unknown
/// or over there is nothing left to end (RFC 7009 2.2).
///
/// # Errors
///
/// After an error nothing has ended.
pub async fn revoke(site: &Site, raw: &SecretString) -> Result<(), AppError> {
    if let Some(token) = RefreshToken::parse(raw) {
        return site
            .database
            .write_then(
                token.hash(),
                |db, hash| Box::pin(async move { store::end_of(db, &hash).await }),
                site.trust().forgetting(),
            )
            .await;
    }
    match verify(site, raw).await {
        Ok(verified) => end(site, verified.family).await,
        Err(TokenError::Malformed | TokenError::Expired) => Ok(()),
        Err(TokenError::Error(error)) => Err(error),
    }
}

/// Ends a family.
///
/// # Errors
///
/// After an error the family has not ended.
pub async fn end(site: &Site, family: String) -> Result<(), AppError> {
    site.database
        .write_then(
            family,
            |db, family| Box::pin(async move { store::end(db, &family).await }),
            site.trust().forgetting(),
        )
        .await
}
