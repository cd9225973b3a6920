//! Who asks, found out from everything that a request brings: the session
//! cookie, an access token, an API key.
//!
//! Of two, the one that was sent on purpose counts and the cookie is ignored,
//! as browsers add that by themselves. One that does not hold is refused and
//! never passes for none.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use axum::http::{HeaderMap, HeaderName, header::AUTHORIZATION};

use super::{Actor, UserSession, api_key, token};
use crate::{clock, error::AppError, site::Site, timestamp::Timestamp};

/// Carries an API key.
pub const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Who asks, and what proves it.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who.
    pub actor: Actor,
    proof: Proof,
    /// Up to which change of credentials it is known to hold; see [`super::trust`].
    as_of: Arc<AtomicU64>,
}

#[derive(Clone, Debug)]
enum Proof {
    Nothing,
    Session(UserSession),
    Token { family: String, kid: String, expires_at: Timestamp },
    ApiKey { id: String, expires_at: Timestamp },
}

/// A credential that was sent on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderCredential<'a> {
    /// An access token, or an id token for the GraphQL API.
    Token(&'a str),
    /// An API key.
    ApiKey(&'a str),
}

/// Why nobody knows who asks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// The token does not hold.
    #[error(transparent)]
    Token(#[from] token::TokenError),
    /// The API key does not hold.
    #[error("You are not authorized to make this call.")]
    ApiKey,
    /// It could not be looked up.
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

impl<'a> HeaderCredential<'a> {
    /// What the header fields `authorization` and `x-api-key` say. With both,
    /// the token counts: it says more. `Basic` is none of ours: a proxy in
    /// front of the site asked for it.
    #[must_use]
    pub fn of(authorization: Option<&'a str>, api_key: Option<&'a str>) -> Option<Self> {
        let token = authorization.filter(|value| !is_basic(value));
        match (token, api_key) {
            (Some(raw), _) => {
                let bare = match raw.trim_start().split_once(' ') {
                    Some((scheme, bare)) if scheme.eq_ignore_ascii_case("bearer") => bare,
                    _ => raw,
                };
                Some(Self::Token(bare.trim()))
            }
            (None, Some(key)) => Some(Self::ApiKey(key.trim())),
            (None, None) => None,
        }
    }

    /// [`Self::of`] the headers of a request. What is no text is no credential
    /// that could hold, and neither is one of two: whichever counted, the other
    /// would pass for none.
    #[must_use]
    pub fn of_headers(headers: &'a HeaderMap) -> Option<Self> {
        let texts = |name| headers.get_all(name).into_iter().map(|value| value.to_str().unwrap_or_default());
        Self::of(only(texts(AUTHORIZATION).filter(|value| !is_basic(value))), only(texts(X_API_KEY)))
    }

    /// Finds out whose it is.
    ///
    /// # Errors
    /// [`CredentialError`].
    pub async fn caller(self, site: &Site) -> Result<Caller, CredentialError> {
        match self {
            Self::Token(raw) => Ok(Caller::of_token(token::verify(site, raw).await?)),
            Self::ApiKey(raw) => Caller::of_api_key(site, raw).await,
        }
    }

    /// [`Self::caller`] at the GraphQL API, which takes id tokens as well.
    ///
    /// # Errors
    /// [`CredentialError`].
    pub async fn caller_of_graphql(self, site: &Site) -> Result<Caller, CredentialError> {
        match self {
            Self::Token(raw) => Ok(Caller::of_token(token::verify_either(site, raw).await?)),
            Self::ApiKey(raw) => Caller::of_api_key(site, raw).await,
        }
    }

    /// Ends it, and with a token its family.
    ///
    /// # Errors
    /// [`AppError::ReadOnly`] for an API key, which is its owner's to revoke;
    /// those of the database, and then nothing has ended.
    pub async fn end(self, site: &Site) -> Result<(), AppError> {
        match self {
            Self::Token(raw) => token::service::revoke(site, raw).await,
            Self::ApiKey(_) => Err(AppError::ReadOnly),
        }
    }
}

/// The one value of a header; an empty one where there are several.
fn only<'a>(mut values: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let first = values.next()?;
    Some(if values.next().is_none() { first } else { "" })
}

/// Whether it has that scheme (RFC 7617), and nothing behind it: two fields may
/// have been joined by a comma on the way. Clients of AppSync send a token
/// without any scheme.
fn is_basic(authorization: &str) -> bool {
    authorization
        .trim_start()
        .split_once(' ')
        .is_some_and(|(scheme, rest)| scheme.eq_ignore_ascii_case("basic") && !rest.contains(','))
}

impl Caller {
    /// Who asks with a request.
    ///
    /// # Errors
    /// [`CredentialError`].
    pub async fn of(
        site: &Site,
        headers: &HeaderMap,
        session: &UserSession,
    ) -> Result<Self, CredentialError> {
        match HeaderCredential::of_headers(headers) {
            Some(explicit) => explicit.caller(site).await,
            None => Self::of_session(session).await.map_err(CredentialError::Error),
        }
    }

    /// [`Self::of`] at the GraphQL API, which takes id tokens as well.
    ///
    /// # Errors
    /// [`CredentialError`].
    pub async fn of_graphql(
        site: &Site,
        headers: &HeaderMap,
        session: &UserSession,
    ) -> Result<Self, CredentialError> {
        match HeaderCredential::of_headers(headers) {
            Some(explicit) => explicit.caller_of_graphql(site).await,
            None => Self::of_session(session).await.map_err(CredentialError::Error),
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
    ///
    /// # Errors
    /// Those of the database.
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

    /// Whether the credential still holds, for whoever stays longer than a
    /// request takes. Of a token and a key the database is asked again only
    /// after a credential has ended; of a session each time, as at its use.
    ///
    /// # Errors
    /// Those of the database.
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

    /// Proven by something of which nobody knows yet for how long it holds.
    fn by(actor: Actor, proof: Proof) -> Self {
        Self { actor, proof, as_of: Arc::new(AtomicU64::new(u64::MAX)) }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn a_token_comes_with_a_scheme_or_without_and_counts_more_than_a_key() {
        for raw in ["a.b.c", "Bearer a.b.c", "bearer a.b.c", " BEARER  a.b.c "] {
            assert_eq!(
                HeaderCredential::of(Some(raw), Some("byl_x")),
                Some(HeaderCredential::Token("a.b.c")),
                "{raw:?}"
            );
        }
        assert_eq!(HeaderCredential::of(None, Some("byl_x")), Some(HeaderCredential::ApiKey("byl_x")));
        assert_eq!(HeaderCredential::of(None, None), None);
    }

    #[test]
    fn an_empty_or_unreadable_credential_is_one_all_the_same() {
        assert_eq!(HeaderCredential::of(Some(""), None), Some(HeaderCredential::Token("")));
        let mut headers = HeaderMap::new();
        headers.insert(X_API_KEY, HeaderValue::from_bytes(b"\xff").unwrap());
        assert_eq!(HeaderCredential::of_headers(&headers), Some(HeaderCredential::ApiKey("")));
    }

    #[test]
    fn what_a_proxy_asked_for_is_not_taken_for_ours() {
        assert_eq!(HeaderCredential::of(Some("Basic YTpi"), None), None);
        assert_eq!(
            HeaderCredential::of(Some("Basic YTpi"), Some("byl_x")),
            Some(HeaderCredential::ApiKey("byl_x"))
        );
    }

    #[test]
    fn one_credential_of_two_in_a_header_does_not_hide_the_other() {
        let of = |name: HeaderName, values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(name.clone(), HeaderValue::from_str(value).unwrap());
            }
            HeaderCredential::of_headers(&headers).map(|explicit| format!("{explicit:?}"))
        };
        let (token, unreadable) = (Some("Token(\"a.b.c\")".to_owned()), Some("Token(\"\")".to_owned()));
        assert_eq!(of(AUTHORIZATION, &["Basic YTpi", "Bearer a.b.c"]), token);
        assert_eq!(of(AUTHORIZATION, &["a.b.c", "Basic YTpi"]), token);
        assert_eq!(of(AUTHORIZATION, &["Basic YTpi", "basic YTpi"]), None);
        assert_eq!(of(AUTHORIZATION, &["a.b.c", "Basic YTpi", "Bearer a.b.c"]), unreadable);
        assert_ne!(of(AUTHORIZATION, &["Basic YTpi, Bearer a.b.c"]), None);
        assert_eq!(of(X_API_KEY, &["byl_x", "byl_y"]), Some("ApiKey(\"\")".to_owned()));
    }
}
