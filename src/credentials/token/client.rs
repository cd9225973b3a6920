//! The client that tokens are for.

/// The only client of tokens: any program that a person gives their password
/// to. It has no secret (RFC 6749 2.1).
pub const CLIENT_ID: &str = "byline-web";

/// The user pool, as clients of Amazon Cognito are told. They take the part before `_`
/// for its region. Its name, behind the `_`, is
/// part of what they hash by SRP.
pub const USER_POOL_ID: &str = "local-1_byline";

/// The kind of program that a family is for. The endpoint of the login decides
/// it, and it decides how the family is refreshed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// It speaks OAuth, at `/api/token`: a refresh token is used once.
    OAuth,
    /// A client of `/cognito`, such as those of AWS Amplify. Some of them keep
    /// their refresh token and ignore a new one. So the token may be used
    /// again, until the client shows that it takes new ones.
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
