//! Who is asking, found from everything that a request contains: the session
//! cookie, an access token, an API key.
//!
//! A token or a key counts before the cookie, because browsers add cookies by
//! themselves. An invalid credential is refused; it never counts as none.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use secrecy::ExposeSecret;

use super::{Actor, HeaderCredential, RequestCredential, UserSession, api_key, token};
use crate::{clock, error::AppError, site::Site, timestamp::Timestamp};

/// Who asks, and the credential that proves it.
#[derive(Clone, Debug)]
pub struct Caller {
    pub actor: Actor,
    proof: Proof,
    /// The number of changes of credentials up to which it is known to be
    /// valid; see [`super::trust`].
    as_of: Arc<AtomicU64>,
}

#[derive(Clone, Debug)]
enum Proof {
    Nothing,
    Session(UserSession),
    Token { family: String, kid: String, expires_at: Timestamp },
    ApiKey { id: String, expires_at: Timestamp },
}

/// Why it is not known who asks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    #[error(transparent)]
    Token(#[from] token::TokenError),
    #[error("You are not authorized to make this call.")]
    ApiKey,
    /// The database could not be asked.
    #[error(transparent)]
    Error(#[from] AppError),
}

impl From<CredentialError> for AppError {
    fn from(refused: CredentialError) -> Self {
        match refused {
            CredentialError::Error(error) | CredentialError::Token(token::TokenError::Error(error)) => error,
            CredentialError::Token(refused) => Self::BadCredential { reason: refused.to_string() },
            CredentialError::ApiKey => Self::BadCredential { reason: "The API key is not valid.".to_owned() },
        }
    }
}

impl HeaderCredential {
    /// Finds out whose it is.
    pub async fn caller(&self, site: &Site) -> Result<Caller, CredentialError> {
        match self {
            Self::Token(raw) => Ok(Caller::of_token(token::verify(site, raw.expose_secret()).await?)),
            Self::ApiKey(raw) => Caller::of_api_key(site, raw.expose_secret()).await,
        }
    }

    /// [`Self::caller`] at the GraphQL API, which takes id tokens as well.
    pub async fn caller_of_graphql(&self, site: &Site) -> Result<Caller, CredentialError> {
        match self {
            Self::Token(raw) => Ok(Caller::of_token(token::verify_either(site, raw.expose_secret()).await?)),
            Self::ApiKey(raw) => Caller::of_api_key(site, raw.expose_secret()).await,
        }
    }

    /// Ends it, and with a token its family.
    ///
    /// # Errors
    ///
    /// [`AppError::ReadOnly`] for an API key, which only its owner can revoke.
    /// After any error nothing has ended.
    pub async fn end(&self, site: &Site) -> Result<(), AppError> {
        match self {
            Self::Token(raw) => token::service::revoke(site, raw.expose_secret()).await,
            Self::ApiKey(_) => Err(AppError::ReadOnly),
        }
    }
}

impl Caller {
    /// Who asks with a request.
    pub async fn of(
        site: &Site,
        credential: &RequestCredential,
        session: &UserSession,
    ) -> Result<Self, CredentialError> {
        match credential.header() {
            Some(explicit) => explicit.caller(site).await,
            None => Self::of_session(session).await.map_err(CredentialError::Error),
        }
    }

    /// [`Self::of`] at the GraphQL API, which takes id tokens as well.
    pub async fn of_graphql(
        site: &Site,
        credential: &RequestCredential,
        session: Option<&UserSession>,
    ) -> Result<Self, CredentialError> {
        match (credential.header(), session) {
            (Some(explicit), _) => explicit.caller_of_graphql(site).await,
            (None, Some(session)) => Self::of_session(session).await.map_err(CredentialError::Error),
            (None, None) => Ok(Self::by(Actor::Anonymous, Proof::Nothing)),
        }
    }

    fn of_token(verified: token::VerifiedToken) -> Self {
        let token::VerifiedToken { user, family, kid, expires_at, .. } = verified;
        Self::by(Actor::User(user), Proof::Token { family, kid, expires_at })
    }

    async fn of_api_key(site: &Site, raw: &str) -> Result<Self, CredentialError> {
        let verified = api_key::verify(site, raw).await?.ok_or(CredentialError::ApiKey)?;
        let api_key::VerifiedKey { id, expires_at } = verified;
        Ok(Self::by(Actor::ApiKey, Proof::ApiKey { id, expires_at }))
    }

    /// Who is signed in.
    pub async fn of_session(session: &UserSession) -> Result<Self, AppError> {
        Ok(match session.actor().await? {
            Actor::Anonymous => Self::by(Actor::Anonymous, Proof::Nothing),
            actor => Self::by(actor, Proof::Session(session.clone())),
        })
    }

    /// Whether both were proven by the same token or the same key.
    #[must_use]
    pub fn has_same_proof(&self, other: &Self) -> bool {
        match (&self.proof, &other.proof) {
            (
                Proof::Token { family, kid, expires_at },
                Proof::Token { family: other_family, kid: other_kid, expires_at: other_expires_at },
            ) => (family, kid, expires_at) == (other_family, other_kid, other_expires_at),
            (Proof::ApiKey { id, .. }, Proof::ApiKey { id: other, .. }) => id == other,
            _ => false,
        }
    }

    /// Whether the credential is still valid, for a connection that lasts
    /// longer than a request. For a token or a key the database is asked only
    /// after some credential has ended; for a session each time.
    pub async fn still_holds(&self, site: &Site) -> Result<bool, AppError> {
        let (Proof::Token { expires_at, .. } | Proof::ApiKey { expires_at, .. }) = &self.proof else {
            return match &self.proof {
                Proof::Session(session) => session.still_holds(&self.actor).await,
                _ => Ok(true),
            };
        };
        if *expires_at <= clock::now() {
            return Ok(false);
        }
        let trust = site.trust();
        if trust.current(&site.database).await == Some(self.as_of.load(Ordering::Acquire)) {
            return Ok(true);
        }
        let as_of = trust.known();
        let holds = match &self.proof {
            Proof::Token { family, kid, .. } => token::still_holds(site, family, kid).await?,
            Proof::ApiKey { id, .. } => api_key::still_holds(site, id).await?,
            Proof::Nothing | Proof::Session(_) => true,
        };
        if let (true, Some(as_of)) = (holds, as_of) {
            self.as_of.store(as_of, Ordering::Release);
        }
        Ok(holds)
    }

    /// With a credential whose validity was not counted yet.
    fn by(actor: Actor, proof: Proof) -> Self {
        Self { actor, proof, as_of: Arc::new(AtomicU64::new(u64::MAX)) }
    }
}
