//! The resolvers of queries.

use std::time::Duration;

use async_graphql::dynamic::{FieldValue, ResolverContext};

use super::{
    call::{Call, Outcome, argument, id, number, text},
    errors::ApiError,
    filter_input, limits,
    nodes::{self, ModelPostConnection, PostConnection},
    page_token::List,
};
use crate::{
    clock,
    error::AppError,
    posts::{
        Cursor, Post,
        domain::{
            DeletedPost,
            filter::{Attribute, Comparison, Filter, Test},
            policy, service,
            store::{ChangesSince, Listing, Selection},
        },
    },
    timestamp::Timestamp,
};

pub async fn get_post(ctx: &ResolverContext<'_>, call: &Call<'_>) -> Outcome {
    // A caller without permission must not learn a rule; a text that cannot be
    // an id is the id of no post.
    policy::visible_owner(call.actor).map_err(|error| call.refused(error))?;
    let Some(id) = id(argument(ctx, "id")) else { return Ok(None) };
    match service::get_visible(call.site, call.actor, &id).await {
        Ok(post) => Ok(Some(nodes::post(post))),
        Err(AppError::NotFound) => Ok(None),
        Err(error) => Err(call.refused(error)),
    }
}

pub async fn list_posts(ctx: &ResolverContext<'_>, call: &Call<'_>) -> Outcome {
    let content = ctx.ctx.look_ahead().field("items").field("content").exists();
    let find = async |PageWanted { filter, after, limit }| {
        let selection = Selection { owner: None, filter, after, limit, content };
        service::select_visible(call.site, call.actor, call.client, selection).await
    };
    let (posts, next) = generated_page(ctx, call, None, find).await?;
    Ok(Some(nodes::value(ModelPostConnection::new(posts, next))))
}

/// Transactions that began before an answer was made may end after it: what
/// they changed carries an earlier time.
const UNDER_WAY: Duration = Duration::from_secs(15);

pub async fn sync_posts(ctx: &ResolverContext<'_>, call: &Call<'_>) -> Outcome {
    let started_at = clock::before(UNDER_WAY);
    // Before the time for which deletions are remembered: return everything.
    let since = number(ctx, "lastSync")
        .map(|millis| Timestamp::from_micros(millis.saturating_mul(1000)))
        .filter(|since| *since > clock::before(DeletedPost::KEPT));
    let find = async |PageWanted { filter, after, limit }| {
        let wanted = ChangesSince { owner: None, filter, since, after, limit };
        service::changes(call.site, call.actor, call.client, wanted).await
    };
    let (changed, next) = generated_page(ctx, call, since, find).await?;
    Ok(Some(nodes::value(ModelPostConnection::of_changes(changed, next, started_at))))
}

/// What the arguments of a generated list ask for.
struct PageWanted {
    filter: Filter,
    after: Option<Cursor>,
    limit: usize,
}

/// What `find` returns for the arguments of a generated list, and the
/// `nextToken` that continues there. The token is only for this list of this
/// caller.
async fn generated_page<T>(
    ctx: &ResolverContext<'_>,
    call: &Call<'_>,
    since: Option<Timestamp>,
    find: impl AsyncFnOnce(PageWanted) -> Result<Listing<T>, AppError>,
) -> Result<(Vec<T>, Option<String>), ApiError> {
    let whose = policy::visible_owner(call.actor).map_err(|error| call.refused(error))?;
    let filter = filter_input::parse(argument(ctx, "filter"))?;
    let secret = call.site.secret().await.map_err(|error| call.refused(error))?;
    let list = List {
        operation: call.field,
        owner: whose.map_or("", |user| user.id.as_str()),
        filter: &filter,
        since: since.map(Timestamp::micros),
    };
    let after = text(ctx, "nextToken").map(|token| list.cursor(secret, token)).transpose()?;
    let limit = limits::page(number(ctx, "limit"));
    let listing = find(PageWanted { filter: filter.clone(), after, limit }).await;
    let Listing { posts, next } = listing.map_err(|error| call.refused(error))?;
    Ok((posts, next.map(|cursor| list.token(secret, &cursor))))
}

pub async fn all_posts(ctx: &ResolverContext<'_>, call: &Call<'_>) -> Outcome {
    let after = after(ctx)?;
    let listing = service::select(call.site, call.actor, call.client, selection(ctx, after.clone())?).await;
    Ok(Some(connection(listing.map_err(|error| call.refused(error))?, after.is_some())))
}

pub async fn my_posts(ctx: &ResolverContext<'_>, call: &Call<'_>) -> Outcome {
    call.actor.user().map_err(|error| call.refused(error))?;
    let after = after(ctx)?;
    let listing =
        service::select_own(call.site, call.actor, call.client, selection(ctx, after.clone())?).await;
    Ok(Some(connection(listing.map_err(|error| call.refused(error))?, after.is_some())))
}

fn after(ctx: &ResolverContext<'_>) -> Result<Option<Cursor>, ApiError> {
    let wrong = |_| ApiError::invalid("after is not a cursor of this list.");
    text(ctx, "after").map(|raw| raw.parse().map_err(wrong)).transpose()
}

/// What the arguments of one of Byline's own lists ask for.
fn selection(ctx: &ResolverContext<'_>, after: Option<Cursor>) -> Result<Selection, ApiError> {
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
    let limit = limits::page(number(ctx, "first").or(Some(limits::FIRST)));
    Ok(Selection { owner: None, filter: Filter::All(filters), after, limit, content })
}

fn connection(listing: Listing<Post>, has_previous: bool) -> FieldValue<'static> {
    nodes::value(PostConnection::new(listing.posts, listing.next.is_some(), has_previous))
}

/// Refuses a text that is too long or has U+0000.
fn sound(text: &str) -> Result<String, ApiError> {
    if text.contains('\0') || text.chars().count() > limits::SEARCH_CHARS {
        Err(ApiError::invalid(format!(
            "Search for {} characters at most, without U+0000.",
            limits::SEARCH_CHARS
        )))
    } else {
        Ok(text.to_owned())
    }
}

pub async fn me(_: &ResolverContext<'_>, call: &Call<'_>) -> Outcome {
    Ok(call.actor.user().ok().cloned().map(nodes::value))
}
