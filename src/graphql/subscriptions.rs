//! The resolvers of subscriptions, and the serialisation of events.
//!
//! async-graphql would resolve and serialise every event once for each subscriber.
//! Here the subscription itself listens to the events. It passes an event to
//! async-graphql only if no subscriber with the same selection has it yet
//! ([`Renderings`](crate::posts::events::broadcast::Renderings)).

use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::{
    Error, Response, Value,
    dynamic::{FieldValue, ResolverContext, SubscriptionFieldFuture},
};
use futures::{Stream, StreamExt, stream, stream::BoxStream};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use tokio::sync::{
    Notify,
    broadcast::{self, error::RecvError},
    mpsc,
};

use super::{
    call::{Call, argument, text},
    errors::ApiError,
    filter_input, nodes,
};
use crate::posts::{
    domain::{Changed, PostSnapshot, filter::Filter, service},
    events::{
        EventKind,
        broadcast::{PostEvent, ShapeKey},
    },
};

type Resolver = for<'a> fn(ResolverContext<'a>) -> SubscriptionFieldFuture<'a>;

/// The resolver of a root field.
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
        let filter = event_filter(&ctx, kind).await.map_err(Error::new_with_source)?;
        let call = Call::new(&ctx, "Subscription").map_err(Error::new_with_source)?;
        let events = call
            .site
            .broadcast()
            .subscribe(call.site)
            .ok_or_else(|| Error::new_with_source(ApiError::ended()))?;
        // One at a time: the next is sent after the last was resolved.
        let (sender, receiver) = mpsc::channel(1);
        ctx.ctx.data::<Opening>()?.open(Opened { filter, events, sender });
        Ok(posts(receiver))
    })
}

fn posts<'a>(
    receiver: mpsc::Receiver<PostOrError>,
) -> impl Stream<Item = async_graphql::Result<FieldValue<'a>>> + Send {
    stream::unfold(receiver, |mut receiver| async move {
        let post = receiver.recv().await?.map(nodes::value).map_err(Error::new_with_source);
        Some((post, receiver))
    })
}

/// An event's post, or an error, from which async-graphql makes an answer.
type PostOrError = Result<Arc<Changed>, ApiError>;

/// The events that a subscription gets.
#[derive(Debug)]
struct EventFilter {
    kind: EventKind,
    owner: Option<String>,
    filter: Filter,
}

async fn event_filter(ctx: &ResolverContext<'_>, kind: EventKind) -> Result<EventFilter, ApiError> {
    let call = Call::new(ctx, "Subscription")?;
    let owner = text(ctx, "owner").map(ToOwned::to_owned);
    let owner = service::subscription_scope(call.site, call.actor, owner).await;
    let owner = owner.map_err(|error| call.error(error.into()))?;
    Ok(EventFilter { kind, owner, filter: filter_input::parse(argument(ctx, "filter"))? })
}

impl EventFilter {
    fn matches(&self, event: &PostEvent) -> bool {
        let post = PostSnapshot::from(&*event.post);
        event.kind == self.kind
            && self.owner.as_ref().is_none_or(|owner| owner == post.owner)
            && self.filter.matches(post)
    }
}

/// The result of a subscription's resolver. From then on no event is missed.
#[derive(Debug)]
pub struct Opened {
    filter: EventFilter,
    events: broadcast::Receiver<PostEvent>,
    sender: mpsc::Sender<PostOrError>,
}

#[derive(Clone, Default)]
pub struct Opening(Arc<(Mutex<Option<Opened>>, Notify)>);

impl Opening {
    fn open(&self, opened: Opened) {
        let (place, notify) = &*self.0;
        *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(opened);
        notify.notify_one();
    }

    /// Waits for the outcome of the resolver.
    pub async fn opened(&self) -> Opened {
        let (place, notify) = &*self.0;
        loop {
            notify.notified().await;
            if let Some(opened) = place.lock().unwrap_or_else(PoisonError::into_inner).take() {
                return opened;
            }
        }
    }
}

pub struct Subscription {
    shape: ShapeKey,
    opened: Opened,
    responses: BoxStream<'static, Response>,
}

/// Fields keep the order of the document.
#[derive(Serialize)]
struct Data<'a> {
    data: &'a Value,
}

pub enum OperationEvent {
    /// The payload of a message, with data.
    Payload(Arc<RawValue>),
    /// Errors, perhaps beside data.
    Outcome(Box<Response>),
}

impl Subscription {
    /// A subscription whose `responses` come from the events that it is given.
    pub fn new(shape: ShapeKey, opened: Opened, responses: BoxStream<'static, Response>) -> Self {
        Self { shape, opened, responses }
    }

    /// Its events, until it ends.
    pub fn events(self) -> impl Stream<Item = OperationEvent> + Send + 'static {
        stream::unfold(self, |mut this| async move { Some((this.next().await?, this)) })
    }

    async fn next(&mut self) -> Option<OperationEvent> {
        loop {
            let event = match self.opened.events.recv().await {
                Ok(event) => event,
                Err(RecvError::Lagged(_)) => return self.resolve(Err(ApiError::fell_behind())).await,
                Err(RecvError::Closed) => return self.resolve(Err(ApiError::ended())).await,
            };
            match event.renderings.get(&self.shape) {
                Some(Some(payload)) => return Some(OperationEvent::Payload(payload)),
                Some(None) => continue,
                None => {}
            }
            if !self.opened.filter.matches(&event) {
                event.renderings.keep(self.shape, None);
                continue;
            }
            let told = self.resolve(Ok(event.post)).await;
            if let Some(OperationEvent::Payload(payload)) = &told {
                event.renderings.keep(self.shape, Some(Arc::clone(payload)));
            }
            return told;
        }
    }

    async fn resolve(&mut self, post: PostOrError) -> Option<OperationEvent> {
        // An error means that the responses have ended; then the next line
        // returns.
        let _ = self.opened.sender.send(post).await;
        let response = self.responses.next().await?;
        Some(match to_raw_value(&Data { data: &response.data }) {
            Ok(payload) if response.errors.is_empty() => OperationEvent::Payload(payload.into()),
            _ => OperationEvent::Outcome(Box::new(response)),
        })
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::value;

    use super::*;
    use crate::{
        posts::{Post, PostId, Title, events::broadcast::Renderings},
        timestamp::Timestamp,
    };

    fn event(title: &str) -> PostEvent {
        let now = Timestamp::from_micros(0);
        let post = Post {
            slug: None,
            tags: Default::default(),
            language: None,
            id: PostId::parse("p").unwrap(),
            title: Title::parse(title).unwrap(),
            content: None,
            owner: "ada".to_owned(),
            version: 1,
            created_at: now,
            updated_at: now,
        };
        let (post, renderings) = (Arc::new(Changed::Post(post)), Arc::new(Renderings::default()));
        PostEvent { kind: EventKind::Created, post, renderings }
    }

    /// A subscription whose answers contain the title and the name of the
    /// subscription that resolved it.
    fn subscription(sender: &broadcast::Sender<PostEvent>, shape: u8, name: &'static str) -> Subscription {
        let (resolved, receiver) = mpsc::channel(1);
        let filter = EventFilter { kind: EventKind::Created, owner: None, filter: Filter::EVERYTHING };
        let opened = Opened { filter, events: sender.subscribe(), sender: resolved };
        let responses =
            stream::unfold(receiver, move |mut receiver: mpsc::Receiver<PostOrError>| async move {
                let post = receiver.recv().await?.expect("an event");
                let title = PostSnapshot::from(&*post).title;
                Some((Response::new(value!({ "title": title, "by": name })), receiver))
            });
        Subscription::new([shape; 32], opened, responses.boxed())
    }

    async fn told(subscription: &mut Subscription) -> String {
        match subscription.next().await.expect("an event") {
            OperationEvent::Payload(payload) => payload.get().to_owned(),
            OperationEvent::Outcome(outcome) => panic!("{outcome:?}"),
        }
    }

    #[tokio::test]
    async fn equal_subscriptions_share_one_answer() {
        let sender = broadcast::Sender::new(8);
        let mut first = subscription(&sender, 1, "first");
        let mut same = subscription(&sender, 1, "same");
        let mut other = subscription(&sender, 2, "other");
        for title in ["One", "Two"] {
            sender.send(event(title)).expect("they listen");
            let payload = |by: &str| format!(r#"{{"data":{{"title":"{title}","by":"{by}"}}}}"#);
            assert_eq!(told(&mut first).await, payload("first"));
            assert_eq!(told(&mut same).await, payload("first"));
            assert_eq!(told(&mut other).await, payload("other"));
        }
    }
}
