//! A call of a root field: who asks, and the arguments.

use async_graphql::{
    Value,
    dynamic::{FieldValue, ResolverContext},
};

use super::errors::ApiError;
use crate::{credentials::Actor, error::AppError, http::turns::Client, posts::PostId, site::Site};

/// What a root field answers; `None` is null.
pub type Outcome = Result<Option<FieldValue<'static>>, ApiError>;

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

    /// What a use case refused, in the words of this field.
    pub fn refused(&self, error: AppError) -> ApiError {
        ApiError::of_field(error, self.field, self.object)
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
