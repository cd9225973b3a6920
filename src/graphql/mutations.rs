//! The resolvers of mutations: each parses its arguments and hands them to a use
//! case, which checks the caller before it looks at them.

use async_graphql::{Name, Value, dynamic::ResolverContext, indexmap::IndexMap};

use super::{
    call::{Call, Outcome, Refusal, argument, id},
    errors::ApiError,
    filter_input, nodes,
};
use crate::{
    config::ConflictDetection,
    error::{AppError, Field, FieldErrors},
    posts::{
        Content, Title,
        domain::{Change, Changed, ContentChange, Guard, NewPost, PostText, draft_lists, service},
    },
    username::Username,
};

type Input = IndexMap<Name, Value>;

/// The argument `input`, which the schema requires.
fn input<'a>(ctx: &'a ResolverContext<'_>) -> Result<&'a Input, ApiError> {
    match argument(ctx, "input") {
        Some(Value::Object(input)) => Ok(input),
        _ => Err(ApiError::invalid("input is missing.")),
    }
}

/// The condition under which the mutation happens.
fn guard(ctx: &ResolverContext<'_>, input: &Input) -> Result<Guard, ApiError> {
    let condition = filter_input::parse(argument(ctx, "condition"))?;
    let version = match ctx.ctx.data::<ConflictDetection>() {
        // A caller that names no version has seen none.
        Ok(ConflictDetection::On) => Some(match input.get("_version") {
            Some(Value::Number(version)) => version.as_i64().unwrap_or(0),
            _ => 0,
        }),
        _ => None,
    };
    Ok(Guard { version, condition })
}

pub async fn create_post(ctx: &ResolverContext<'_>, call: &Call<'_>) -> Outcome {
    let made = service::create(call.site, call.actor, new_post(ctx), Ok(None)).await?;
    let post = draft_lists::seen_by_author(made, call.actor)?;
    Ok(Some(nodes::post(post)))
}

fn new_post(ctx: &ResolverContext<'_>) -> Result<NewPost, Refusal> {
    let input = input(ctx)?;
    // An absent owner is the caller; null is nobody.
    let owner = match input.get("owner") {
        None => None,
        Some(Value::String(name)) => Some(name.clone()),
        Some(_) => return Err(AppError::Forbidden.into()),
    };
    if !filter_input::holds_for_missing_post(argument(ctx, "condition"))? {
        return Err(AppError::ConditionNotMet.into());
    }
    let post_text = post_text(input)?;
    let id = match input.get("id") {
        None | Some(Value::Null) => None,
        given => Some(id(given).ok_or_else(no_id)?),
    };
    Ok(NewPost { id, owner, ..post_text.into() })
}

/// Title and text of a new post. A null content means no content, as does a
/// missing one.
fn post_text(input: &Input) -> Result<PostText, AppError> {
    let mut errors = FieldErrors::default();
    let title = errors.take(Field::Title, Title::parse(input.get("title").map_or("", string)));
    let content = input.get("content").and_then(|given| content(given, &mut errors));
    match title {
        Some(title) => errors.check().map(|()| PostText { title, content }),
        None => Err(errors.into_error()),
    }
}

/// A content that is given, if it is not null; a broken rule is noted.
fn content(given: &Value, errors: &mut FieldErrors) -> Option<Content> {
    match given {
        Value::String(text) => errors.take(Field::Content, Content::parse(text)),
        _ => None,
    }
}

fn no_id() -> ApiError {
    ApiError::invalid(
        "id must be 1 to 64 of the letters A to Z and a to z, numbers, hyphens and underscores.",
    )
}

pub async fn update_post(ctx: &ResolverContext<'_>, call: &Call<'_>) -> Outcome {
    let input = input(ctx)?;
    let edit = guard(ctx, input).map_err(Refusal::Argument).and_then(|guard| Ok((guard, change(input)?)));
    let post = service::update(call.site, call.actor, id(input.get("id")), edit).await?;
    Ok(Some(nodes::post(post)))
}

fn change(input: &Input) -> Result<Change, AppError> {
    let mut errors = FieldErrors::default();
    let title = match input.get("title") {
        None => None,
        // The type says that a post always has one.
        Some(title) => errors.take(Field::Title, Title::parse(string(title))),
    };
    let content = match input.get("content") {
        None => ContentChange::Keep,
        Some(given) => ContentChange::Set(content(given, &mut errors)),
    };
    let owner = match input.get("owner") {
        None => None,
        Some(Value::String(name)) => errors.take(Field::Owner, Username::parse_known(name)),
        // Nobody could change a post without an owner.
        Some(_) => return Err(AppError::Forbidden),
    };
    errors.check()?;
    Ok(Change { title, content, owner, ..Change::default() })
}

fn string(value: &Value) -> &str {
    match value {
        Value::String(text) => text,
        _ => "",
    }
}

pub async fn delete_post(ctx: &ResolverContext<'_>, call: &Call<'_>) -> Outcome {
    let input = input(ctx)?;
    let guard = guard(ctx, input).map(|guard| (guard, None)).map_err(Refusal::Argument);
    let deleted = service::delete(call.site, call.actor, id(input.get("id")), guard).await?;
    Ok(deleted.map(|post| nodes::value(Changed::Deleted(post))))
}
