//! The resolvers of queries: each parses its arguments and hands them to a use
//! case, which checks the caller before it looks at them.

use std::time::Duration;

use async_graphql::{
    Value,
    dynamic::{FieldValue, ResolverContext},
};

use super::{
    call::{Call, Outcome, Refusal, argument, id, number, text},
    errors::ApiError,
    filter_input, limits,
    nodes::{self, ModelPostConnection, PostConnection},
    page_token::List,
};
use crate::{
    clock,
    error::{AppError, Parsed},
    posts::{
        Cursor, Post, Slug, Tag,
        domain::{
            DeletedPost, draft_lists,
            filter::{Attribute, Comparison, Filter, Test},
            parse_tags,
            select::{Listing, Selection},
            service,
            store::ChangesSince,
        },
    },
    timestamp::Timestamp,
};

pub async fn get_post(ctx: &ResolverContext<'_>, call: &Call<'_>) -> Outcome {
    match service::get_visible(call.site, call.actor, id(argument(ctx, "id")).as_ref()).await {
        Ok(post) => Ok(Some(nodes::post(post))),
        Err(AppError::NotFound) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

pub async fn list_posts(ctx: &ResolverContext<'_>, call: &Call<'_>) -> Outcome {
    let content = ctx.ctx.look_ahead().field("items").field("content").exists();
    let find = async |wanted: Parsed<PageWanted, Refusal>| {
        let selection = wanted.map(|PageWanted { filter, after, limit }| Selection {
            owner: None,
            tag: None,
            slug: None,
            filter,
            after,
            limit,
            content,
        });
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
    let find = async |wanted: Parsed<PageWanted, Refusal>| {
        let wanted = wanted.map(|PageWanted { filter, after, limit }| ChangesSince {
            owner: None,
            filter,
            since,
            after,
            limit,
        });
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
    find: impl AsyncFnOnce(Parsed<PageWanted, Refusal>) -> Result<Listing<T>, Refusal>,
) -> Result<(Vec<T>, Option<String>), Refusal> {
    let secret = call.site.secret().await?;
    let viewer = call.actor.user().map_or("", |user| user.id.as_str());
    let since = since.map(Timestamp::micros);
    let list = List { operation: call.field, viewer, since };
    let parse = || {
        let filter = filter_input::parse(argument(ctx, "filter"))?;
        let after = text(ctx, "nextToken").map(|token| list.cursor(secret, &filter, token)).transpose()?;
        Ok(PageWanted { filter, after, limit: limits::page(number(ctx, "limit")) })
    };
    let wanted = parse().map_err(Refusal::Argument);
    let filter = wanted.as_ref().ok().map(|wanted| wanted.filter.clone());
    let Listing { posts, next } = find(wanted).await?;
    let next = next.zip(filter);
    Ok((posts, next.map(|(cursor, filter)| list.token(secret, &filter, &cursor))))
}

/// Whether `status` is `DRAFT`, in the document or in a variable.
fn asks_for_drafts(ctx: &ResolverContext<'_>) -> bool {
    match argument(ctx, "status") {
        Some(Value::Enum(status)) => status == "DRAFT",
        Some(Value::String(status)) => status == "DRAFT",
        _ => false,
    }
}

pub async fn all_posts(ctx: &ResolverContext<'_>, call: &Call<'_>) -> Outcome {
    let after = after(ctx)?;
    let selection = selection(ctx, after.clone())?;
    if asks_for_drafts(ctx) {
        // A draft is nobody else's.
        return Ok(Some(connection(Listing { posts: Vec::new(), next: None }, after.is_some())));
    }
    let listing = service::select(call.site, call.actor, call.client, selection).await?;
    Ok(Some(connection(listing, after.is_some())))
}

pub async fn my_posts(ctx: &ResolverContext<'_>, call: &Call<'_>) -> Outcome {
    let after = after(ctx);
    let is_later = matches!(after, Ok(Some(_)));
    let selection = after.and_then(|after| selection(ctx, after)).map_err(Refusal::Argument);
    if asks_for_drafts(ctx) {
        let listing = draft_lists::select_own(call.site, call.actor, selection).await?;
        return Ok(Some(connection(listing, is_later)));
    }
    let listing = service::select_own(call.site, call.actor, call.client, selection).await?;
    Ok(Some(connection(listing, is_later)))
}

fn after(ctx: &ResolverContext<'_>) -> Result<Option<Cursor>, ApiError> {
    let wrong = |_| ApiError::invalid("after is not a cursor of this list.");
    text(ctx, "after").map(|raw| raw.parse().map_err(wrong)).transpose()
}

/// What the arguments of one of Byline's own lists ask for.
fn selection(ctx: &ResolverContext<'_>, after: Option<Cursor>) -> Result<Selection, ApiError> {
    let mut filters = vec![filter_input::parse(argument(ctx, "filter"))?];
    // Two names of one argument: `owner` as the generated operations call it.
    for username in ["owner", "author"].into_iter().filter_map(|name| text(ctx, name)) {
        filters.push(Filter::Where(Attribute::Owner, Test::Is(Comparison::Eq, sound(username)?)));
    }
    if let Some(words) = text(ctx, "search") {
        filters.push(Filter::search(&sound(words)?));
    }
    let posts = ctx.ctx.look_ahead();
    let content = posts.field("nodes").field("content").exists()
        || posts.field("edges").field("node").field("content").exists();
    let limit = limits::page(number(ctx, "first").or(Some(limits::FIRST)));
    let tag = text(ctx, "tag").map(one_tag).transpose()?;
    let slug =
        |raw: &str| Slug::parse(raw).ok_or_else(|| ApiError::invalid("slug is not the slug of a post."));
    let slug = text(ctx, "slug").map(slug).transpose()?;
    Ok(Selection { owner: None, tag, slug, filter: Filter::All(filters), after, limit, content })
}

/// A tag as people type it.
fn one_tag(raw: &str) -> Result<Tag, ApiError> {
    let tags = parse_tags(raw).map_err(|error| ApiError::invalid(format!("tag: {error}.")))?;
    tags.iter().next().cloned().ok_or_else(|| ApiError::invalid("tag is empty."))
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
