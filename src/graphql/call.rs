//! A call of a root field: who asks, and the arguments.

use async_graphql::{
    Value,
    dynamic::{FieldValue, ResolverContext},
};

use super::errors::ApiError;
use crate::{credentials::Actor, error::AppError, http::turns::Client, posts::PostId, site::Site};

/// What a root field answers; `None` is null.
pub type Outcome = Result<Option<FieldValue<'static>>, Refusal>;

/// Why a root field has no answer.
#[derive(Debug)]
pub enum Refusal {
    /// The use case refused.
    UseCase(AppError),
    /// An argument breaks a rule that its type does not tell.
    Argument(ApiError),
}

impl From<AppError> for Refusal {
    fn from(error: AppError) -> Self {
        Self::UseCase(error)
    }
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self::Argument(error)
    }
}

/// The request around a field: the site, who asks, and the field's name.
pub struct Call<'a> {
    pub site: &'a Site,
    pub actor: &'a Actor,
    pub client: &'a Client,
    object: &'static str,
    /// The name of the field in the schema, not its alias.
    pub field: &'a str,
}

impl<'a> Call<'a> {
    pub fn new(ctx: &ResolverContext<'a>, object: &'static str) -> Result<Self, ApiError> {
        let field = ctx.ctx.item.node.name.node.as_str();
        let missing = |_| ApiError::of_field(AppError::Internal, field, object);
        Ok(Self {
            site: ctx.ctx.data().map_err(missing)?,
            actor: ctx.ctx.data().map_err(missing)?,
            client: ctx.ctx.data().map_err(missing)?,
            object,
            field,
        })
    }

    /// A refusal, in the words of this field.
    pub fn error(&self, refusal: Refusal) -> ApiError {
        match refusal {
            Refusal::UseCase(error) => ApiError::of_field(error, self.field, self.object),
            Refusal::Argument(error) => error,
        }
    }
}

/// The value of an argument; null and absent are the same.
pub fn argument<'a>(ctx: &'a ResolverContext<'_>, name: &str) -> Option<&'a Value> {
    ctx.args.get(name).map(|value| value.as_value()).filter(|value| **value != Value::Null)
}

pub fn text<'a>(ctx: &'a ResolverContext<'_>, name: &str) -> Option<&'a str> {
    match argument(ctx, name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

pub fn number(ctx: &ResolverContext<'_>, name: &str) -> Option<i64> {
    match argument(ctx, name) {
        Some(Value::Number(number)) => number.as_i64(),
        _ => None,
    }
}

/// An id, which may be written as a number (GraphQL 3.5.5).
pub fn id(value: Option<&Value>) -> Option<PostId> {
    match value {
        Some(Value::String(id)) => PostId::parse(id),
        Some(Value::Number(id)) => PostId::parse(&id.to_string()),
        _ => None,
    }
}
