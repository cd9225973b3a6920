//! The client that tokens are for, and why a token is refused.

use crate::error::AppError;

/// The only client that tokens are for: whatever program a person gives their
/// password to. It has no secret (RFC 6749 2.1).
pub const CLIENT_ID: &str = "byline-web";

/// What kind of program a family is for. It shows by where the password was
/// given, and decides how the family is refreshed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// It speaks OAuth, at `/api/token`: a refresh token is used once.
    OAuth,
    /// It speaks as the clients of AWS Amplify do, at `/cognito`. Some of them
    /// keep the refresh token they have, whatever comes back; so it may be used
    /// again, until the client shows that it takes the next one.
    Amplify,
}

impl Client {
    /// As the row of a family has it. Tokens do not tell the two apart: what
    /// they say is [`CLIENT_ID`].
    pub(super) const fn stored(self) -> &'static str {
        match self {
            Self::OAuth => "byline-oauth",
            Self::Amplify => CLIENT_ID,
        }
    }
}

/// Why a token is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not one of ours, or not for this use.
    #[error("Unable to parse JWT token.")]
    Malformed,
    /// It was one of ours; its time is over, or its family has ended.
    #[error("Token has expired.")]
    Expired,
    /// The database could not be asked.
    #[error(transparent)]
    Error(#[from] AppError),
}
