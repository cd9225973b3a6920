//! Who is asking, found from everything that a request contains: the session
//! cookie, an access token, an API key. How each of them is verified is in the
//! `verify` of its folder.
//!
//! A token or a key counts before the cookie, because browsers add cookies by
//! themselves. An invalid credential is refused; it never counts as none.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use secrecy::SecretString;

use super::{
    Actor, HeaderCredential, RequestCredential, User, UserSession,
    api_key::{self, VerifiedKey},
    session::{self, VerifiedSession},
    token::{self, VerifiedToken},
};
use crate::{clock, error::AppError, site::Site, timestamp::Timestamp};

/// How long a password that was typed stands for the person (ASVS 7.5.3).
const CONFIRMED_FOR: Duration = Duration::from_secs(10 * 60);

/// Whether a password or a passkey that was shown then still stands for the person
/// (security row S4).
#[must_use]
pub fn is_recent(shown_at: Timestamp) -> bool {
    shown_at > clock::before(CONFIRMED_FOR)
}

/// Who asks, and the credential that proves it.
#[derive(Clone, Debug)]
pub struct Caller {
    pub actor: Actor,
    proof: Arc<Proof>,
}

#[derive(Debug)]
struct Proof {
    credential: Credential,
    /// The number of changes of credentials up to which it is known to be
    /// valid; see [`super::trust`].
    as_of: AtomicU64,
}

/// A credential that was verified.
#[derive(Debug)]
enum Credential {
    Nothing,
    Session(VerifiedSession),
    Token(VerifiedToken),
    ApiKey(VerifiedKey),
    /// Whoever runs the site, at the command line, in the name of a person.
    Operator(User),
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

impl RequestCredential {
    /// Who asks for what is the same for everyone, which is nobody in particular. What was sent
    /// as a proof on purpose has to be one, as everywhere.
    ///
    /// # Errors
    /// [`AppError::BadCredential`].
    pub async fn everyone(&self, site: &Site) -> Result<Actor, AppError> {
        if let Some(credential) = self.header() {
            credential.caller(site).await?;
        }
        Ok(Actor::Anonymous)
    }
}

impl HeaderCredential {
    /// Finds out whose it is.
    pub async fn caller(&self, site: &Site) -> Result<Caller, CredentialError> {
        Ok(Caller::by(match self {
            Self::Token(raw) => Credential::Token(token::verify(site, raw).await?),
            Self::ApiKey(raw) => Credential::of_api_key(site, raw).await?,
        }))
    }

    /// [`Self::caller`] at the GraphQL API, which takes id tokens as well.
    pub async fn caller_of_graphql(&self, site: &Site) -> Result<Caller, CredentialError> {
        Ok(Caller::by(match self {
            Self::Token(raw) => Credential::Token(token::verify_either(site, raw).await?),
            Self::ApiKey(raw) => Credential::of_api_key(site, raw).await?,
        }))
    }

    /// Ends it, and with a token its family.
    ///
    /// # Errors
    ///
    /// [`AppError::ReadOnly`] for an API key, which only its owner can revoke.
    /// After any error nothing has ended.
    pub async fn end(&self, site: &Site) -> Result<(), AppError> {
        match self {
            Self::Token(raw) => token::service::revoke(site, raw).await,
            Self::ApiKey(_) => Err(AppError::ReadOnly),
        }
    }
}

impl Credential {
    async fn of_api_key(site: &Site, raw: &SecretString) -> Result<Self, CredentialError> {
        api_key::verify(site, raw).await?.map(Self::ApiKey).ok_or(CredentialError::ApiKey)
    }

    fn actor(&self) -> Actor {
        match self {
            Self::Nothing => Actor::Anonymous,
            Self::Session(session) => Actor::User(session.user.clone()),
            Self::Token(token) => Actor::User(token.user.clone()),
            Self::ApiKey(_) => Actor::ApiKey,
            Self::Operator(user) => Actor::User(user.clone()),
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
            None => Ok(Self::of_session(session).await?),
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
            (None, Some(session)) => Ok(Self::of_session(session).await?),
            (None, None) => Ok(Self::by(Credential::Nothing)),
        }
    }

    /// Who is signed in.
    pub async fn of_session(session: &UserSession) -> Result<Self, AppError> {
        let verified = session::verify(session).await?;
        Ok(Self::by(verified.map_or(Credential::Nothing, Credential::Session)))
    }

    /// Nobody in particular.
    #[must_use]
    pub fn anonymous() -> Self {
        Self::by(Credential::Nothing)
    }

    /// Whoever runs the site, in the name of a person.
    #[must_use]
    pub fn operator(user: User) -> Self {
        Self::by(Credential::Operator(user))
    }

    /// The person, if they have shown in the last ten minutes that it is them, by a
    /// password or a passkey (security row S4).
    ///
    /// # Errors
    /// As [`Actor::user`]; [`AppError::ConfirmIdentity`].
    pub fn confirmed_user(&self) -> Result<&User, AppError> {
        let user = self.actor.user()?;
        let confirmed_at = match &self.proof.credential {
            Credential::Session(session) => session.confirmed_at,
            Credential::Token(token) => Some(token.began_at),
            Credential::Operator(_) => Some(clock::now()),
            Credential::Nothing | Credential::ApiKey(_) => None,
        };
        match confirmed_at {
            Some(at) if is_recent(at) => Ok(user),
            _ => Err(AppError::ConfirmIdentity),
        }
    }

    /// What kind of credential it is, for the audit log.
    #[must_use]
    pub fn credential_kind(&self) -> &'static str {
        match &self.proof.credential {
            Credential::Nothing => "none",
            Credential::Session(_) => "session",
            Credential::Token(_) => "access token",
            Credential::ApiKey(_) => "API key",
            Credential::Operator(_) => "command line",
        }
    }

    /// The name of the session that asks in the list of its owner, if it is one.
    #[must_use]
    pub fn session_handle(&self) -> Option<String> {
        match &self.proof.credential {
            Credential::Session(session) => session.handle(),
            _ => None,
        }
    }

    /// The token family that asks, if it is one.
    #[must_use]
    pub fn family(&self) -> Option<&str> {
        match &self.proof.credential {
            Credential::Token(token) => Some(&token.family),
            _ => None,
        }
    }

    /// With a credential whose validity was not counted yet.
    fn by(credential: Credential) -> Self {
        let actor = credential.actor();
        Self { actor, proof: Arc::new(Proof { credential, as_of: AtomicU64::new(u64::MAX) }) }
    }

    /// Whether both were proven by the same token or the same key.
    #[must_use]
    pub fn has_same_proof(&self, other: &Self) -> bool {
        match (&self.proof.credential, &other.proof.credential) {
            (Credential::Token(token), Credential::Token(other)) => {
                (&token.family, &token.kid, token.expires_at) == (&other.family, &other.kid, other.expires_at)
            }
            (Credential::ApiKey(key), Credential::ApiKey(other)) => key.id == other.id,
            _ => false,
        }
    }

    /// Whether the credential is still valid, for a connection that lasts
    /// longer than a request.
    pub async fn still_holds(&self, site: &Site) -> Result<bool, AppError> {
        match &self.proof.credential {
            Credential::Nothing | Credential::Operator(_) => Ok(true),
            Credential::Session(session) => session::still_holds(session).await,
            Credential::Token(token) => {
                self.ask_unless_trusted(site, token.expires_at, token::still_holds(site, token)).await
            }
            Credential::ApiKey(key) => {
                self.ask_unless_trusted(site, key.expires_at, api_key::still_holds(site, key)).await
            }
        }
    }

    /// Asks the database only if some credential has ended since it was asked.
    async fn ask_unless_trusted(
        &self,
        site: &Site,
        expires_at: Timestamp,
        ask: impl Future<Output = Result<bool, AppError>>,
    ) -> Result<bool, AppError> {
        if expires_at <= clock::now() {
            return Ok(false);
        }
        let trust = site.trust();
        if trust.current(&site.database).await == Some(self.proof.as_of.load(Ordering::Acquire)) {
            return Ok(true);
        }
        let as_of = trust.known();
        let holds = ask.await?;
        if let (true, Some(as_of)) = (holds, as_of) {
            self.proof.as_of.store(as_of, Ordering::Release);
        }
        Ok(holds)
    }
}
