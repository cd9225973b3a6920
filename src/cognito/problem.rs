//! Errors with Cognito's names.

use crate::{
    accounts::domain::{EmailError, LoginError, PasswordError},
    credentials::token::TokenError,
    error::{AppError, Field},
    username::UsernameError,
};

/// Why an operation did not happen: Cognito's name for it, and a sentence that
/// front ends show to people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// AWS's name for it: `NotAuthorizedException` and the like.
    pub name: &'static str,
    pub message: String,
    pub status: u16,
    /// In seconds.
    pub retry_after: Option<u32>,
}

impl Problem {
    /// A refusal; Cognito answers all of them with 400.
    pub(super) fn new(name: &'static str, message: impl ToString) -> Self {
        Self { name, message: message.to_string(), status: 400, retry_after: None }
    }

    /// Of one sentence for unknown people and wrong passwords (security row P5).
    pub(super) fn wrong_password() -> Self {
        Self::new("NotAuthorizedException", "Incorrect username or password.")
    }

    pub(super) fn wrong_code() -> Self {
        Self::new("CodeMismatchException", "Invalid verification code provided, please try again.")
    }

    pub(super) fn parameter(message: impl ToString) -> Self {
        Self::new("InvalidParameterException", message)
    }

    pub(super) fn missing(parameter: &str) -> Self {
        Self::parameter(format_args!("Missing required parameter {parameter}"))
    }

    pub(super) fn unknown_client(id: &str) -> Self {
        Self::new("ResourceNotFoundException", format_args!("User pool client {id} does not exist."))
    }

    pub(super) fn unknown_operation() -> Self {
        Self::new("UnknownOperationException", "There is no such operation here.")
    }
}

impl From<AppError> for Problem {
    fn from(error: AppError) -> Self {
        let (message, retry_after) = (error.to_string(), error.retry_after());
        let refused = |name| Self { name, message: message.clone(), status: 400, retry_after };
        match error {
            AppError::Invalid { errors } => Self::of_fields(errors.into_iter().map(|e| (e.field, e.message))),
            AppError::NotSignedIn
            | AppError::BadCredential { .. }
            | AppError::Forbidden
            | AppError::ReadOnly
            | AppError::ConfirmIdentity => refused("NotAuthorizedException"),
            AppError::Busy { .. } | AppError::WriteConflict => refused("TooManyRequestsException"),
            AppError::TooMany { .. } => Self { status: 429, ..refused("TooManyRequestsException") },
            AppError::AccountLocked => Self::new("NotAuthorizedException", "User is disabled."),
            AppError::SignUpClosed | AppError::InvitationNeeded => {
                Self::new("NotAuthorizedException", "SignUp is not permitted for this user pool")
            }
            AppError::SignUpNotConfirmed { .. } => {
                Self::new("UserNotConfirmedException", "User is not confirmed.")
            }
            AppError::Internal => Self { status: 500, ..refused("InternalErrorException") },
            error => Self { status: error.status(), ..refused("InvalidParameterException") },
        }
    }
}

impl Problem {
    /// A rule that was broken; the first counts, since there is room for one.
    fn of_fields(mut errors: impl Iterator<Item = (Field, String)>) -> Self {
        match errors.next() {
            Some((Field::Identifier, _)) | None => Self::wrong_password(),
            Some((Field::Code, _)) => Self::wrong_code(),
            Some((Field::Password | Field::NewPassword, message)) => Self::password_rule(message),
            // What is checked in the database is whether it is taken.
            Some((Field::Username | Field::Email, message)) => {
                Self::new("UsernameExistsException", format_args!("{message}."))
            }
            Some((_, message)) => Self::parameter(message),
        }
    }

    fn password_rule(message: impl ToString) -> Self {
        let message = message.to_string();
        let end = if message.ends_with('.') { "" } else { "." };
        Self::new(
            "InvalidPasswordException",
            format_args!("Password did not conform with policy: {message}{end}"),
        )
    }
}

impl From<PasswordError> for Problem {
    fn from(error: PasswordError) -> Self {
        Self::password_rule(error)
    }
}

impl From<UsernameError> for Problem {
    fn from(error: UsernameError) -> Self {
        Self::parameter(format_args!("{error}."))
    }
}

impl From<EmailError> for Problem {
    fn from(error: EmailError) -> Self {
        Self::parameter(format_args!("{error}."))
    }
}

impl From<LoginError> for Problem {
    fn from(_: LoginError) -> Self {
        Self::missing("USERNAME")
    }
}

impl From<TokenError> for Problem {
    fn from(refused: TokenError) -> Self {
        match refused {
            TokenError::Malformed => Self::new("NotAuthorizedException", "Invalid Access Token"),
            TokenError::Expired => Self::new("NotAuthorizedException", "Access Token has expired"),
            TokenError::Error(error) => error.into(),
        }
    }
}
