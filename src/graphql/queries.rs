//! The resolvers of queries.

use std::time::Duration;

use async_graphql::{
    Value,
    dynamic::{FieldFuture, FieldValue, ResolverContext},
};

use super::{
    errors::ApiError,
    filter_input, limits,
    nodes::{self, ModelPostConnection, PostConnection},
    page_token::List,
};
use crate::{
    credentials::{Actor, User, UserId},
    error::AppError,
    posts::{
        Cursor, PostId,
        server::{
            filter::{Attribute, Comparison, Filter, Test},
            policy, service,
            store::{ChangesSince, DeletedPost, Selection},
        },
    },
    server::{Site, clock},
    timestamp::Timestamp,
};

/// The request around a field: the site, who asks, and how the field is named.
pub struct Call<'a> {
    pub site: &'a Site,
    pub actor: &'a Actor,
    object: &'static str,
    field: &'a str,
}

impl<'a> Call<'a> {
    /// Of a field of `object`.
    pub fn new(ctx: &ResolverContext<'a>, object: &'static str) -> Result<Self, ApiError> {
        let field = ctx.ctx.item.node.name.node.as_str();
        let missing = |_| ApiError::of_field(AppError::Internal, field, object);
        Ok(Self {
            site: ctx.ctx.data().map_err(missing)?,
            actor: ctx.ctx.data().map_err(missing)?,
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

fn text<'a>(ctx: &'a ResolverContext<'_>, name: &str) -> Option<&'a str> {
    match argument(ctx, name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

fn number(ctx: &ResolverContext<'_>, name: &str) -> Option<i64> {
    match argument(ctx, name) {
        Some(Value::Number(number)) => number.as_i64(),
        _ => None,
    }
}

/// An id may be written as a number (GraphQL 3.5.5).
pub fn id(value: Option<&Value>) -> Option<PostId> {
    match value {
        Some(Value::String(id)) => PostId::parse(id),
        Some(Value::Number(id)) => PostId::parse(&id.to_string()),
        _ => None,
    }
}

/// `getPost`.
pub fn get_post(ctx: ResolverContext<'_>) -> FieldFuture<'_> {
    FieldFuture::new(async move {
        let outcome = async {
            let call = Call::new(&ctx, "Query")?;
            // Whoever may not ask learns no rule; what cannot be an id is the id of no post.
            policy::sight(call.actor).map_err(|error| call.refused(error))?;
            let Some(id) = id(argument(&ctx, "id")) else { return Ok(None) };
            match service::get_in_sight(call.site, call.actor, &id).await {
                Ok(post) => Ok(Some(nodes::post(post))),
                Err(AppError::NotFound) => Ok(None),
                Err(error) => Err(call.refused(error)),
            }
        }
        .await;
        nodes::or_null(&ctx, outcome)
    })
}

/// `listPosts`.
pub fn list_posts(ctx: ResolverContext<'_>) -> FieldFuture<'_> {
    FieldFuture::new(async move {
        let outcome = async {
            let call = Call::new(&ctx, "Query")?;
            let owner =
                policy::sight(call.actor).map_err(|error| call.refused(error))?.map(|user| user.id.clone());
            let filter = filter_input::parse(argument(&ctx, "filter"))?;
            let secret = call.site.secret().await.map_err(|error| call.refused(error))?;
            let list = List {
                operation: "listPosts",
                owner: owner.as_ref().map_or("", UserId::as_str),
                filter: &filter,
                since: None,
            };
            let after = text(&ctx, "nextToken").map(|token| list.cursor(secret, token)).transpose()?;
            let selection = Selection {
                owner: owner.clone(),
                filter: filter.clone(),
                after,
                limit: limits::page(number(&ctx, "limit")),
                content: ctx.ctx.look_ahead().field("items").field("content").exists(),
            };
            let listing = service::select(call.site, call.actor, &selection).await;
            let listing = listing.map_err(|error| call.refused(error))?;
            let next = listing.next.map(|cursor| list.token(secret, &cursor));
            Ok(Some(nodes::value(ModelPostConnection::new(listing.posts, next))))
        }
        .await;
        nodes::or_null(&ctx, outcome)
    })
}

/// Transactions that began before an answer was made may end after it: what
/// they changed carries an earlier time.
const UNDER_WAY: Duration = Duration::from_secs(15);

/// `syncPosts`.
pub fn sync_posts(ctx: ResolverContext<'_>) -> FieldFuture<'_> {
    FieldFuture::new(async move {
        let outcome = async {
            let call = Call::new(&ctx, "Query")?;
            let owner =
                policy::sight(call.actor).map_err(|error| call.refused(error))?.map(|user| user.id.clone());
            let filter = filter_input::parse(argument(&ctx, "filter"))?;
            // Longer ago than deletions are remembered: everything anew.
            let since = number(&ctx, "lastSync")
                .map(|millis| Timestamp::from_micros(millis.saturating_mul(1000)))
                .filter(|since| *since > clock::before(DeletedPost::KEPT));
            let secret = call.site.secret().await.map_err(|error| call.refused(error))?;
            let list = List {
                operation: "syncPosts",
                owner: owner.as_ref().map_or("", UserId::as_str),
                filter: &filter,
                since: since.map(Timestamp::micros),
            };
            let after = text(&ctx, "nextToken").map(|token| list.cursor(secret, token)).transpose()?;
            let started_at = clock::before(UNDER_WAY);
            let limit = limits::page(number(&ctx, "limit"));
            let wanted = ChangesSince { owner: None, filter: filter.clone(), since, after, limit };
            let listing = service::changes(call.site, call.actor, wanted).await;
            let listing = listing.map_err(|error| call.refused(error))?;
            let next = listing.next.map(|cursor| list.token(secret, &cursor));
            Ok(Some(nodes::value(ModelPostConnection::of_changes(listing.posts, next, started_at))))
        }
        .await;
        nodes::or_null(&ctx, outcome)
    })
}

/// `allPosts`.
pub fn all_posts(ctx: ResolverContext<'_>) -> FieldFuture<'_> {
    FieldFuture::new(async move {
        let outcome = async {
            let call = Call::new(&ctx, "Query")?;
            connection(&ctx, &call, None).await.map(Some)
        }
        .await;
        nodes::or_null(&ctx, outcome)
    })
}

/// `myPosts`.
pub fn my_posts(ctx: ResolverContext<'_>) -> FieldFuture<'_> {
    FieldFuture::new(async move {
        let outcome = async {
            let call = Call::new(&ctx, "Query")?;
            let user = call.actor.user().map_err(|error| call.refused(error))?;
            connection(&ctx, &call, Some(user)).await.map(Some)
        }
        .await;
        nodes::or_null(&ctx, outcome)
    })
}

async fn connection(
    ctx: &ResolverContext<'_>,
    call: &Call<'_>,
    owner: Option<&User>,
) -> Result<FieldValue<'static>, ApiError> {
    let wrong = |what: &str| ApiError::invalid(format!("{what} is not a cursor of this list."));
    let after =
        text(ctx, "after").map(|raw| raw.parse::<Cursor>().map_err(|_| wrong("after"))).transpose()?;
    let mut filters = vec![filter_input::parse(argument(ctx, "filter"))?];
    if let Some(username) = text(ctx, "owner") {
        filters.push(Filter::Where(Attribute::Owner, Test::Is(Comparison::Eq, sound(username)?)));
    }
    if let Some(words) = text(ctx, "search") {
        filters.push(Filter::search(&sound(words)?));
    }
    let posts = ctx.ctx.look_ahead();
    let content = posts.field("nodes").field("content").exists()
        || posts.field("edges").field("node").field("content").exists();
    let has_previous = after.is_some();
    let limit = limits::page(number(ctx, "first").or(Some(limits::FIRST)));
    let owner = owner.map(|user| user.id.clone());
    let selection = Selection { owner, filter: Filter::All(filters), after, limit, content };
    let listing =
        service::select(call.site, call.actor, &selection).await.map_err(|error| call.refused(error))?;
    Ok(nodes::value(PostConnection::new(listing.posts, listing.next.is_some(), has_previous)))
}

/// Characters of a search at most; each of its words is looked for in every text.
const SEARCH_CHARS: usize = 200;

/// A text that the database can look for.
fn sound(text: &str) -> Result<String, ApiError> {
    if text.contains('\0') || text.chars().count() > SEARCH_CHARS {
        Err(ApiError::invalid(format!("Search for {SEARCH_CHARS} characters at most, without U+0000.")))
    } else {
        Ok(text.to_owned())
    }
}

/// `me`.
pub fn me(ctx: ResolverContext<'_>) -> FieldFuture<'_> {
    FieldFuture::new(async move {
        let outcome = Call::new(&ctx, "Query").map(|call| call.actor.user().ok().cloned().map(nodes::value));
        nodes::or_null(&ctx, outcome)
    })
}
