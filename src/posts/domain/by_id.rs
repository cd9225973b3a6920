//! Reads posts by id, many with one query. On SQLite each query goes to another
//! thread and back, which costs more than the query. So ids that are requested
//! while a query runs are read together by the next query, on one connection.

use std::{
    fmt,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures::FutureExt;
use sqlx::{AssertSqlSafe, FromRow, postgres::PgRow, sqlite::SqliteRow};
use tokio::sync::oneshot;

use crate::{
    credentials::Actor,
    database::{Db, internal, on_engine},
    error::AppError,
    posts::PostId,
    site::Site,
};

/// The possible numbers of ids in one query, each with its own prepared statement.
/// Missing ids are filled with the last one.
const BATCH_SIZES: [usize; 3] = [1, 4, 16];
const MAX_BATCH: usize = BATCH_SIZES[BATCH_SIZES.len() - 1];
/// The most queries of a lane at a time. The second one begins only if enough ids
/// wait to justify another connection.
const MAX_QUERIES: usize = 2;

/// A type that is read from the database by the id of a post.
pub trait ReadById: TryFrom<Self::Row, Error = AppError> + Send + Sync + 'static {
    /// Its row.
    type Row: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin;

    /// The statement up to its `WHERE`; the post is `p` in it.
    fn select() -> String;
    fn id(&self) -> &PostId;
    /// The site's reader for this type.
    fn reader(site: &Site) -> &ById<Self>
    where
        Self: Sized;
}

/// Reads posts by id for all requests.
pub struct ById<T> {
    statements: [Arc<str>; BATCH_SIZES.len()],
    /// The first lane is for callers that a replica may serve, the second for all
    /// others ([`Site::reader_for`]).
    lanes: [Mutex<Lane<T>>; 2],
}

struct Lane<T> {
    waiting: Vec<Waiting<T>>,
    queries: usize,
}

struct Waiting<T> {
    id: PostId,
    answer: oneshot::Sender<Answer<T>>,
}

type Answer<T> = Result<Option<Arc<T>>, AppError>;

impl<T> fmt::Debug for ById<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ById")
    }
}

impl<T: ReadById> Default for ById<T> {
    fn default() -> Self {
        let statement = |size: usize| {
            let ids: Vec<String> = (1..=size).map(|number| format!("${number}")).collect();
            format!("{} WHERE p.id IN ({})", T::select(), ids.join(", ")).into()
        };
        let lane = || Mutex::new(Lane { waiting: Vec::new(), queries: 0 });
        Self { statements: BATCH_SIZES.map(statement), lanes: [lane(), lane()] }
    }
}

impl<T: ReadById> ById<T> {
    /// The post with this id, as `actor` may see it. It is at least as new as every
    /// earlier answer.
    pub async fn read(&self, site: &Site, actor: &Actor, id: &PostId) -> Answer<T> {
        let (answer, answered) = oneshot::channel();
        let lane = usize::from(matches!(actor, Actor::User(_)));
        let starts_query = {
            let mut lane = self.lane(lane);
            lane.waiting.push(Waiting { id: id.clone(), answer });
            let free = lane.queries == 0
                || lane.queries < MAX_QUERIES && lane.waiting.len() >= lane.queries * MAX_BATCH;
            lane.queries += usize::from(free);
            free
        };
        if starts_query {
            // In its own task, because this caller may hang up while others wait.
            tokio::spawn(answer_all::<T>(site.clone(), lane, actor.clone()));
        }
        answered.await.map_err(|_| internal("a post could not be read"))?
    }

    fn lane(&self, lane: usize) -> MutexGuard<'_, Lane<T>> {
        self.lanes[lane].lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn find(&self, db: &mut Db, ids: &[Waiting<T>]) -> Result<Vec<Arc<T>>, AppError> {
        let size = BATCH_SIZES.iter().position(|size| *size >= ids.len()).unwrap_or(BATCH_SIZES.len() - 1);
        let ids =
            ids.iter().chain(std::iter::repeat_n(&ids[ids.len() - 1], MAX_BATCH)).take(BATCH_SIZES[size]);
        let rows = on_engine!(db => {
            let mut query = sqlx::query_as::<_, T::Row>(AssertSqlSafe(Arc::clone(&self.statements[size])));
            for one in ids {
                query = query.bind(one.id.as_str().to_owned());
            }
            query.fetch_all(db).await?
        });
        rows.into_iter().map(|row| T::try_from(row).map(Arc::new)).collect()
    }
}

/// Runs queries until nobody waits in the lane.
async fn answer_all<T: ReadById>(site: Site, lane: usize, actor: Actor) {
    // Requests that are about to arrive join this query.
    tokio::task::yield_now().await;
    loop {
        let reader = T::reader(&site);
        let mut waiting: Vec<Waiting<T>> = {
            let mut lane = reader.lane(lane);
            if lane.waiting.is_empty() {
                lane.queries -= 1;
                return;
            }
            let size = lane.waiting.len().min(MAX_BATCH);
            lane.waiting.drain(..size).collect()
        };
        // Ids whose callers have hung up are not read.
        waiting.retain(|one| !one.answer.is_closed());
        if waiting.is_empty() {
            continue;
        }
        let mut db = match site.reader_for(&actor).await {
            Ok(db) => db,
            Err(error) => {
                // Those who came meanwhile get the error too, and need not wait for the next attempt.
                waiting.append(&mut reader.lane(lane).waiting);
                send_answers(waiting, &Err(error));
                continue;
            }
        };
        // After a panic the callers see closed channels, and the loop goes on.
        let found = AssertUnwindSafe(reader.find(&mut db, &waiting)).catch_unwind().await;
        drop(db);
        if let Ok(found) = found {
            send_answers(waiting, &found);
        }
    }
}

/// Sends each caller its post. An error only means that the caller has hung up.
fn send_answers<T: ReadById>(waiting: Vec<Waiting<T>>, found: &Result<Vec<Arc<T>>, AppError>) {
    for one in waiting {
        let answer = found.as_ref().map_err(AppError::clone);
        let _ = one.answer.send(answer.map(|posts| posts.iter().find(|post| *post.id() == one.id).cloned()));
    }
}
