//! `/events`: changes to posts, as server-sent events (HTML standard, section 9.2). They
//! are public, like the posts, and have ids and authors, never a text.
//!
//! ```text
//! id: 42
//! event: created
//! data: {"post":"0199…","owner":"ada"}
//! ```
//!
//! `event` is `created`, `changed` or `deleted`; or `reset`, if too much was missed and
//! the client should read the list again. A client that reconnects with `Last-Event-ID`
//! gets what it missed, from any process.

use std::{collections::VecDeque, convert::Infallible, time::Duration};

use axum::{
    Extension,
    extract::{Query, State},
    http::{HeaderMap, HeaderName, HeaderValue, header::CACHE_CONTROL},
    response::{
        IntoResponse, Response,
        sse::{Event as Message, KeepAlive, Sse},
    },
};
use futures::{Stream, stream};
use serde::Deserialize;
use tokio::sync::broadcast::{self, error::RecvError};

use super::{Event, store};
use crate::{
    error::AppError,
    http::{
        headers::{refusal, wants_html},
        layers::client_address::ClientAddress,
        limits,
        listener_slots::ListenerSlot,
    },
    site::Site,
};

/// The interval of comments that keep the connection open in proxies and detect a lost one.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// The range of times after which browsers reconnect. It is random, so that not all come
/// at once after a restart of the site.
const RETRY_MILLIS: std::ops::Range<u64> = 1000..4000;
/// `Retry-After` in seconds when all places are taken.
const FULL: u32 = 30;

/// Where a stream begins.
#[derive(Debug, Deserialize)]
pub struct Start {
    /// The last event that the client knows, such as
    /// [`Page::as_of`](crate::posts::Page::as_of). `Last-Event-ID` takes precedence.
    after: Option<String>,
}

/// `GET /events`.
pub async fn events(
    State(site): State<Site>,
    Query(start): Query<Start>,
    client: Option<Extension<ClientAddress>>,
    headers: HeaderMap,
) -> Response {
    let html = wants_html(&headers);
    let client = client.map(|Extension(ClientAddress(address))| address);
    let (Some(place), Some(live)) = (site.bus().listener_slot(client), site.bus().subscribe()) else {
        return refusal(&AppError::Busy { retry_after: FULL }, html);
    };
    let resumed = headers.get("last-event-id").and_then(|id| id.to_str().ok().map(str::to_owned));
    match limits::in_time(missed(&site, resumed.or(start.after))).await {
        Ok(missed) => respond(stream(missed, live, place)),
        Err(error) => refusal(&error, html),
    }
}

fn respond(messages: impl Stream<Item = Result<Message, Infallible>> + Send + 'static) -> Response {
    let mut response = Sse::new(messages).keep_alive(KeepAlive::new().interval(HEARTBEAT)).into_response();
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // nginx would gather events before it passes them on.
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
}

/// What a client gets before new events.
struct Missed {
    /// The id before the first of these events.
    at: i64,
    reset: bool,
    events: VecDeque<Event>,
}

async fn missed(site: &Site, after: Option<String>) -> Result<Missed, AppError> {
    // Read before the database, and after the subscription began, so that later changes
    // are received.
    let generation = site.bus().changes.lists();
    let known = site.bus().cached_newest_at(generation);
    // A value that cannot be an id counts as an unknown one.
    let after_id = after.as_ref().map(|after| after.parse().ok().filter(|id| *id >= 0));
    match (after_id, known) {
        (None, Some(newest)) => return Ok(Missed::nothing(newest)),
        (Some(Some(id)), Some(newest)) if id == newest => return Ok(Missed::nothing(newest)),
        _ => {}
    }
    let db = &mut site.database.read().await?;
    let events = match after_id {
        Some(Some(id)) => store::after(db, id).await?,
        _ => None,
    };
    if let (Some(Some(at)), Some(events)) = (after_id, events) {
        return Ok(Missed { at, reset: false, events: events.into() });
    }
    let newest = store::newest(db).await?;
    site.bus().cache_newest(generation, newest);
    Ok(Missed { reset: after.is_some(), ..Missed::nothing(newest) })
}

impl Missed {
    const fn nothing(at: i64) -> Self {
        Self { at, reset: false, events: VecDeque::new() }
    }
}

struct Listener {
    greeted: bool,
    last: i64,
    missed: Missed,
    live: broadcast::Receiver<Event>,
    /// Counts among the listeners for as long as it is here.
    _place: ListenerSlot,
}

/// The messages of one listener. The stream ends when the site stops, or when the client
/// falls behind; it may reconnect and resume.
fn stream(
    missed: Missed,
    live: broadcast::Receiver<Event>,
    place: ListenerSlot,
) -> impl Stream<Item = Result<Message, Infallible>> {
    let listener = Listener { greeted: false, last: missed.at, missed, live, _place: place };
    stream::unfold(listener, |mut listener| async move {
        if !listener.greeted {
            listener.greeted = true;
            let message = Message::default().retry(retry()).id(listener.last.to_string());
            let message = if listener.missed.reset { message.event("reset").data("{}") } else { message };
            return Some((Ok(message), listener));
        }
        let event = loop {
            match listener.missed.events.pop_front() {
                Some(event) => break event,
                None => match listener.live.recv().await {
                    // Read from the table already.
                    Ok(event) if event.id <= listener.last => {}
                    Ok(event) => break event,
                    Err(RecvError::Lagged(behind)) => {
                        tracing::debug!(behind, "a listener is too slow and is dropped");
                        return None;
                    }
                    Err(RecvError::Closed) => return None,
                },
            }
        };
        listener.last = event.id;
        Some((Ok(message(&event)), listener))
    })
}

fn retry() -> Duration {
    let spread = RETRY_MILLIS.end - RETRY_MILLIS.start;
    Duration::from_millis(RETRY_MILLIS.start + uuid::Uuid::new_v4().as_u64_pair().0 % spread)
}

fn message(event: &Event) -> Message {
    let data = serde_json::json!({ "post": event.post, "owner": event.owner }).to_string();
    Message::default().id(event.id.to_string()).event(event.kind.name()).data(data)
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, BodyDataStream};
    use futures::StreamExt;

    use super::*;
    use crate::{
        database::Engine,
        posts::{
            PostId,
            events::{Bus, EventKind},
        },
    };

    fn event(id: i64) -> Event {
        Event {
            id,
            kind: EventKind::Created,
            post: PostId::parse("p").unwrap(),
            owner: "ada".to_owned().try_into().unwrap(),
        }
    }

    fn listen(bus: &Bus, at: i64, events: Vec<Event>) -> BodyDataStream {
        let missed = Missed { at, reset: false, events: events.into() };
        let body: Body =
            respond(stream(missed, bus.subscribe().unwrap(), bus.listener_slot(None).unwrap())).into_body();
        body.into_data_stream()
    }

    async fn next(body: &mut BodyDataStream) -> Option<String> {
        Some(String::from_utf8(body.next().await?.unwrap().to_vec()).unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn a_listener_to_whom_nothing_happens_gets_a_sign_of_life_every_15_seconds() {
        let bus = Bus::new(Engine::Sqlite, 1);
        let mut body = listen(&bus, 7, Vec::new());
        let greeting = next(&mut body).await.unwrap();
        assert!(greeting.starts_with("retry: ") && greeting.ends_with("\nid: 7\n\n"), "{greeting:?}");
        for _ in 0..3 {
            let since = tokio::time::Instant::now();
            assert_eq!(next(&mut body).await.unwrap(), ":\n\n");
            assert_eq!(since.elapsed().as_secs(), 15);
        }
    }

    #[tokio::test]
    async fn a_listener_gets_what_it_missed_and_then_what_is_new_each_once() {
        let bus = Bus::new(Engine::Sqlite, 1);
        let mut body = listen(&bus, 7, vec![event(8), event(9)]);
        bus.committed(Some(&event(9)));
        bus.committed(Some(&event(10)));
        let mut heard = Vec::new();
        for _ in 0..4 {
            heard.push(next(&mut body).await.unwrap());
        }
        let ids: Vec<_> =
            heard.iter().filter_map(|text| text.lines().find(|line| line.starts_with("id"))).collect();
        assert_eq!(ids, ["id: 7", "id: 8", "id: 9", "id: 10"]);
        assert_eq!(heard[1], "id: 8\nevent: created\ndata: {\"owner\":\"ada\",\"post\":\"p\"}\n\n");
    }

    #[tokio::test]
    async fn a_listener_that_does_not_read_is_dropped_and_gives_its_place_back() {
        let bus = Bus::new(Engine::Sqlite, 1);
        let mut body = listen(&bus, 0, Vec::new());
        assert!(bus.listener_slot(None).is_none(), "one listener is the limit");
        for id in 1..=1000 {
            bus.committed(Some(&event(id)));
        }
        while next(&mut body).await.is_some() {}
        drop(body);
        assert!(bus.listener_slot(None).is_some());
    }

    #[tokio::test]
    async fn a_site_that_stops_ends_every_listening() {
        let bus = Bus::new(Engine::Sqlite, 2);
        let mut body = listen(&bus, 0, Vec::new());
        next(&mut body).await;
        bus.close();
        assert_eq!(next(&mut body).await, None);
        assert!(bus.subscribe().is_none());
    }
}
