//! Errors in AppSync's format: `errorType` beside `message`, not in `extensions`.

use async_graphql::{Error, PathSegment, Pos, ServerError, dynamic::ResolverContext};
use serde_json::{Value, json};

use super::nodes;
use crate::{error::AppError, posts::domain::conflicting};

#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// AppSync's `errorType`.
    pub error_type: &'static str,
    pub message: String,
    /// The object as it is stored, for a conflict.
    pub data: Value,
}

impl ApiError {
    const UNAUTHORIZED: &'static str = "Unauthorized";
    const UNAUTHORIZED_CALL: &'static str = "UnauthorizedException";
    const CONDITION_FAILED: &'static str = "DynamoDB:ConditionalCheckFailedException";
    const CONFLICT: &'static str = "ConflictUnhandled";
    const VALIDATION: &'static str = "ValidationException";
    const INTERNAL: &'static str = "InternalFailure";
    const BUSY: &'static str = "ServiceUnavailableException";

    fn new(error_type: &'static str, message: impl Into<String>) -> Self {
        Self { error_type, message: message.into(), data: Value::Null }
    }

    /// An argument breaks a rule that its type does not tell.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Self::VALIDATION, message)
    }

    /// This credential may not use that field, or not so.
    pub fn unauthorized(field: &str, object: &str) -> Self {
        Self::new(Self::UNAUTHORIZED, format!("Not Authorized to access {field} on type {object}"))
    }

    /// More happened than a slow client could be told.
    pub fn fell_behind() -> Self {
        Self::new("SlowConsumer", "Too much happened before it could be delivered. Subscribe again.")
    }

    /// An operation with that id runs already.
    pub fn duplicate() -> Self {
        Self::new("DuplicatedOperationError", "An operation of this id is running.")
    }

    /// Whether a retry may succeed.
    pub fn is_transient(&self) -> bool {
        self.error_type == Self::BUSY
    }

    /// The site stops or restarts.
    pub fn ended() -> Self {
        Self::new(Self::BUSY, "The subscription has ended. Subscribe again.")
    }

    /// The document asks for more than the limits allow (security row G1).
    pub fn too_much(message: impl Into<String>) -> Self {
        Self::new("QueryTooLarge", message)
    }

    /// It is unknown who asks, or they may not ask at all.
    pub fn not_authorized(message: impl Into<String>) -> Self {
        Self::new(Self::UNAUTHORIZED_CALL, message)
    }

    /// The request cannot be run as it is.
    pub fn malformed(message: impl Into<String>) -> Self {
        Self::new("MalformedHttpRequestException", message)
    }

    /// An error from before any field was reached.
    pub fn of_request(error: &AppError) -> Self {
        match error {
            AppError::Busy { .. } | AppError::WriteConflict => Self::new(Self::BUSY, error.to_string()),
            AppError::Internal => Self::new(Self::INTERNAL, error.to_string()),
            AppError::NotSignedIn | AppError::CrossSite { .. } => Self::not_authorized(error.to_string()),
            error => Self::malformed(error.to_string()),
        }
    }

    /// It took too long (security row G1).
    pub fn timeout() -> Self {
        Self::new("ExecutionTimeout", "The request took too long and was given up.")
    }

    /// The error of a use case, at a field.
    pub fn of_field(error: AppError, field: &str, object: &str) -> Self {
        match error {
            AppError::NotSignedIn | AppError::Forbidden | AppError::ReadOnly | AppError::NotFound => {
                Self::unauthorized(field, object)
            }
            error @ AppError::EmailNotConfirmed => Self::new(Self::UNAUTHORIZED, error.to_string()),
            AppError::ConditionNotMet => Self::new(Self::CONDITION_FAILED, "The conditional request failed"),
            conflict @ AppError::Conflict { .. } => Self {
                data: conflicting(&conflict)
                    .and_then(|post| nodes::whole_post(&post).into_json().ok())
                    .unwrap_or_default(),
                ..Self::new(Self::CONFLICT, "Conflict resolver rejects mutation.")
            },
            invalid @ AppError::Invalid { .. } => Self::invalid(invalid.sentences()),
            error @ (AppError::Busy { .. } | AppError::TooMany { .. } | AppError::WriteConflict) => {
                Self::new(Self::BUSY, error.to_string())
            }
            AppError::Internal => Self::new(Self::INTERNAL, AppError::Internal.to_string()),
            error => Self::invalid(error.to_string()),
        }
    }

    /// With the place in the document that it belongs to.
    pub fn at(self, ctx: &ResolverContext<'_>) -> ServerError {
        let item = ctx.ctx.item;
        ctx.ctx.set_error_path(Error::new_with_source(self).into_server_error(item.pos))
    }
}

/// The format of the errors in one answer.
#[derive(Clone, Debug)]
pub struct Wording {
    pub shape: Shape,
    /// Shown if the fault is Byline's, to find the cause in the log.
    pub request_id: String,
}

/// Clients of `application/json` expect AppSync's format, those that ask for
/// `application/graphql-response+json` the one of the GraphQL specification
/// (section 7.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    AppSync,
    /// The specification's; `errorType` moves to `extensions`.
    Specification,
}

impl Wording {
    pub fn error(&self, error: &ServerError) -> Value {
        match error.source::<ApiError>() {
            Some(known) => self.write(known, &error.path, &error.locations),
            None => self.mistake(error),
        }
    }

    /// An error that belongs to the request as a whole.
    pub fn whole(&self, error: &ApiError) -> Value {
        match self.shape {
            Shape::AppSync if self.info(error).is_null() => {
                json!({ "errorType": error.error_type, "message": error.message })
            }
            _ => self.write(error, &[], &[]),
        }
    }

    fn info(&self, error: &ApiError) -> Value {
        let ours = matches!(error.error_type, ApiError::INTERNAL | ApiError::BUSY);
        if ours { json!({ "requestId": self.request_id }) } else { Value::Null }
    }

    fn write(&self, error: &ApiError, path: &[PathSegment], positions: &[Pos]) -> Value {
        let path = if path.is_empty() { Value::Null } else { json!(path) };
        let info = self.info(error);
        match self.shape {
            Shape::AppSync => json!({
                "path": path,
                "data": error.data,
                "errorType": error.error_type,
                "errorInfo": info,
                "locations": self.locations(positions),
                "message": error.message,
            }),
            Shape::Specification => {
                let mut written = json!({
                    "message": error.message,
                    "extensions": { "errorType": error.error_type, "errorInfo": info, "data": error.data },
                });
                if !path.is_null() {
                    written["path"] = path;
                    written["locations"] = self.locations(positions);
                }
                written
            }
        }
    }

    /// The document is wrong, or does not fit the schema.
    fn mistake(&self, error: &ServerError) -> Value {
        match self.shape {
            Shape::AppSync => json!({
                "path": null,
                "locations": self.locations(&error.locations),
                "message": format!("Validation error of type {}: {}", kind_of_mistake(&error.message), error.message),
            }),
            Shape::Specification => {
                json!({ "message": error.message, "locations": self.locations(&error.locations) })
            }
        }
    }

    fn locations(&self, positions: &[Pos]) -> Value {
        positions
            .iter()
            .map(|pos| match self.shape {
                Shape::AppSync => json!({ "line": pos.line, "column": pos.column, "sourceName": null }),
                Shape::Specification => json!({ "line": pos.line, "column": pos.column }),
            })
            .collect()
    }
}

/// graphql-java's name for what async-graphql, `document` and `roots` say in words.
fn kind_of_mistake(message: &str) -> &'static str {
    const KINDS: [(&str, &str); 14] = [
        ("Unknown field", "FieldUndefined"),
        ("Unknown argument", "UnknownArgument"),
        ("Unknown type", "UnknownType"),
        ("Unknown fragment", "UndefinedFragment"),
        ("Unknown directive", "UnknownDirective"),
        ("Invalid value for argument", "WrongType"),
        ("is required but not provided", "MissingFieldArgument"),
        ("must have a selection of subfields", "SubSelectionRequired"),
        ("must not have a selection", "SubSelectionNotAllowed"),
        ("is not defined", "UndefinedVariable"),
        ("is not used", "UnusedVariable"),
        ("is never used", "UnusedFragment"),
        ("cannot have @skip or @include", "ForbidSkipAndIncludeOnSubscriptionRoot"),
        ("can have one root field only", "SubscriptionMultipleRootFields"),
    ];
    let known = KINDS.iter().find(|(words, _)| message.contains(words));
    known.map_or("InvalidSyntax", |(_, kind)| kind)
}
