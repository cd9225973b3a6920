//! The resolvers of subscriptions.

use async_graphql::{
    Error,
    dynamic::{FieldValue, ResolverContext, SubscriptionFieldFuture},
};
use futures::{Stream, stream};
use tokio::sync::broadcast::{self, error::RecvError};

use super::{
    call::{Call, argument, text},
    errors::ApiError,
    filter_input, nodes,
    operation::Listening,
};
use crate::{
    posts::server::{Facts, feed::News, filter::Filter, service},
    server::events::EventKind,
};

type Resolver = for<'a> fn(ResolverContext<'a>) -> SubscriptionFieldFuture<'a>;

/// What answers a field.
pub fn resolver(field: &str) -> Option<Resolver> {
    Some(match field {
        "onCreatePost" => |ctx| on(ctx, EventKind::Created),
        "onUpdatePost" => |ctx| on(ctx, EventKind::Changed),
        "onDeletePost" => |ctx| on(ctx, EventKind::Deleted),
        _ => return None,
    })
}

fn on(ctx: ResolverContext<'_>, kind: EventKind) -> SubscriptionFieldFuture<'_> {
    SubscriptionFieldFuture::new(async move {
        let wanted = wanted(&ctx, kind).await.map_err(Error::new_with_source)?;
        let call = Call::new(&ctx, "Subscription").map_err(Error::new_with_source)?;
        let news =
            call.site.feed.subscribe(call.site).ok_or_else(|| Error::new_with_source(ApiError::ended()))?;
        if let Ok(listening) = ctx.ctx.data::<Listening>() {
            listening.begin();
        }
        Ok(posts(wanted, news))
    })
}

/// What a subscription is told of.
struct Wanted {
    kind: EventKind,
    /// Only posts of this person.
    owner: Option<String>,
    filter: Filter,
}

async fn wanted(ctx: &ResolverContext<'_>, kind: EventKind) -> Result<Wanted, ApiError> {
    let call = Call::new(ctx, "Subscription")?;
    let filter = filter_input::parse(argument(ctx, "filter"))?;
    let owner = text(ctx, "owner").map(ToOwned::to_owned);
    let owner = service::audible(call.site, call.actor, owner).await;
    Ok(Wanted { kind, owner: owner.map_err(|error| call.refused(error))?, filter })
}

impl Wanted {
    fn holds(&self, news: &News) -> bool {
        let post = Facts::from(&*news.post);
        news.kind == self.kind
            && self.owner.as_ref().is_none_or(|owner| owner == post.owner)
            && self.filter.matches(post)
    }
}

fn posts<'a>(
    wanted: Wanted,
    news: broadcast::Receiver<News>,
) -> impl Stream<Item = async_graphql::Result<FieldValue<'a>>> + Send {
    stream::unfold(Some((wanted, news)), |state| async move {
        let (wanted, mut news) = state?;
        loop {
            return Some(match news.recv().await {
                Ok(one) if !wanted.holds(&one) => continue,
                Ok(one) => (Ok(nodes::value(one.post)), Some((wanted, news))),
                Err(RecvError::Lagged(_)) => (Err(Error::new_with_source(ApiError::fell_behind())), None),
                Err(RecvError::Closed) => (Err(Error::new_with_source(ApiError::ended())), None),
            });
        }
    })
}
