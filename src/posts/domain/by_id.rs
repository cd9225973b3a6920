//! Posts by their ids. Asking costs more than the answer, above all on SQLite,
//! where each question goes to another thread and back. So nobody asks alone:
//! what is wanted while a question is under way is asked for by the next one,
//! together, on one connection.

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

/// Ids in one question. Statements are prepared for these numbers alone; what
/// is missing is filled up with the last id again.
const SIZES: [usize; 3] = [1, 4, 16];
const MOST: usize = SIZES[SIZES.len() - 1];
/// Questions under way in a lane: the next begins when so many more wait that
/// it is worth its own connection.
const QUESTIONS: usize = 2;

/// A form of a post that is read by its id.
pub trait ReadById: TryFrom<Self::Row, Error = AppError> + Send + Sync + 'static {
    /// As it is stored.
    type Row: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin;

    /// The statement up to its `WHERE`; the post is `p` in it.
    fn select() -> String;
    fn id(&self) -> &PostId;
    /// The reader that a site has for it.
    fn reader(site: &Site) -> &ById<Self>
    where
        Self: Sized;
}

/// Reads posts for all who ask.
pub struct ById<T> {
    statements: [Arc<str>; SIZES.len()],
    /// One for callers that a replica may serve, one for the others
    /// ([`Site::reader_for`]).
    lanes: [Mutex<Lane<T>>; 2],
}

struct Lane<T> {
    waiting: Vec<Waiting<T>>,
    questions: usize,
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
        let lane = || Mutex::new(Lane { waiting: Vec::new(), questions: 0 });
        Self { statements: SIZES.map(statement), lanes: [lane(), lane()] }
    }
}

impl<T: ReadById> ById<T> {
    /// The post of that id as `actor` may look at it: at least as new as
    /// everything that was answered before this is called.
    pub async fn read(&self, site: &Site, actor: &Actor, id: &PostId) -> Answer<T> {
        let (answer, answered) = oneshot::channel();
        let lane = usize::from(matches!(actor, Actor::User(_)));
        let is_worth_a_question = {
            let mut lane = self.lane(lane);
            lane.waiting.push(Waiting { id: id.clone(), answer });
            let free = lane.questions == 0
                || lane.questions < QUESTIONS && lane.waiting.len() >= lane.questions * MOST;
            lane.questions += usize::from(free);
            free
        };
        if is_worth_a_question {
            // In its own task: the caller who began may hang up while others
            // wait.
            tokio::spawn(answer_all::<T>(site.clone(), lane, actor.clone()));
        }
        answered.await.map_err(|_| internal("a post could not be read"))?
    }

    fn lane(&self, lane: usize) -> MutexGuard<'_, Lane<T>> {
        self.lanes[lane].lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn find(&self, db: &mut Db, ids: &[Waiting<T>]) -> Result<Vec<Arc<T>>, AppError> {
        let size = SIZES.iter().position(|size| *size >= ids.len()).unwrap_or(SIZES.len() - 1);
        let ids = ids.iter().chain(std::iter::repeat_n(&ids[ids.len() - 1], MOST)).take(SIZES[size]);
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

/// Answers until nobody waits in the lane.
async fn answer_all<T: ReadById>(site: Site, lane: usize, actor: Actor) {
    // Others that are about to ask come along.
    tokio::task::yield_now().await;
    loop {
        let reader = T::reader(&site);
        let mut waiting: Vec<Waiting<T>> = {
            let mut lane = reader.lane(lane);
            if lane.waiting.is_empty() {
                lane.questions -= 1;
                return;
            }
            let size = lane.waiting.len().min(MOST);
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
                // Those who came meanwhile have waited for it as well, and need not wait for the next.
                waiting.append(&mut reader.lane(lane).waiting);
                give(waiting, &Err(error));
                continue;
            }
        };
        // After a panic the closed channels tell them, and others are answered.
        let found = AssertUnwindSafe(reader.find(&mut db, &waiting)).catch_unwind().await;
        drop(db);
        if let Ok(found) = found {
            give(waiting, &found);
        }
    }
}

/// An error only says that the caller has hung up.
fn give<T: ReadById>(waiting: Vec<Waiting<T>>, found: &Result<Vec<Arc<T>>, AppError>) {
    for one in waiting {
        let answer = found.as_ref().map_err(AppError::clone);
        let _ = one.answer.send(answer.map(|posts| posts.iter().find(|post| *post.id() == one.id).cloned()));
    }
}
