//! Sessions as rows (security rows S1 to S5): a hashed id, an idle and an absolute
//! end, and an owner that SQL can search for.

use std::{collections::HashMap, fmt, time::Duration};

use async_trait::async_trait;
use sha2::{Digest, Sha256};
use tower_sessions::{
    SessionStore,
    session::{Id, Record},
    session_store::{Error, Result},
};

use crate::{
    clock,
    credentials::{LastUse, User, UserId, last_use},
    database::{Database, Db, execute, internal, on_engine},
    error::AppError,
    site::Site,
    timestamp::Timestamp,
};

/// Without a request for this long, a session is over (ASVS 7.3.1).
pub const IDLE: Duration = Duration::from_secs(2 * 60 * 60);
/// After this time a session ends in any case (ASVS 7.3.2).
pub const ABSOLUTE: Duration = Duration::from_secs(24 * 60 * 60);

/// Where a session has the person who is signed in.
pub(super) const USER: &str = "user";

/// The rows of `sessions`.
///
/// The stores of tower-sessions upsert in `save`, so a request that runs during
/// a logout would restore the session. Here `save` only updates: a deleted row
/// stays deleted.
#[derive(Clone)]
pub struct RowStore {
    database: Database,
    uses: LastUse,
}

impl fmt::Debug for RowStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RowStore")
    }
}

/// Only this is stored, so a copy of the database opens no session (S3).
fn id_hash(id: &Id) -> Vec<u8> {
    Sha256::digest(id.0.to_le_bytes()).to_vec()
}

/// tower-sessions carries a text alone; [`cause`] reads it back.
fn backend(error: AppError) -> Error {
    Error::Backend(serde_json::to_string(&error).unwrap_or_default())
}

pub fn cause(error: &tower_sessions::session::Error) -> AppError {
    match error {
        tower_sessions::session::Error::Store(Error::Backend(text)) => {
            serde_json::from_str(text).unwrap_or_else(|_| internal(text))
        }
        other => internal(other),
    }
}

fn ago(span: Duration) -> i64 {
    clock::before(span).micros()
}

impl RowStore {
    #[must_use]
    pub fn new(site: &Site) -> Self {
        Self { database: site.database.clone(), uses: site.part::<LastUse>().clone() }
    }

    fn row(record: &Record) -> Result<(Vec<u8>, Option<String>, String)> {
        let user: Option<User> = record
            .data
            .get(USER)
            .map(|user| serde_json::from_value(user.clone()))
            .transpose()
            .map_err(|error| Error::Decode(error.to_string()))?;
        let data = serde_json::to_string(&record.data).map_err(|error| Error::Encode(error.to_string()))?;
        Ok((id_hash(&record.id), user.map(|user| user.id.as_str().to_owned()), data))
    }

    /// The content of a session, when it began and when it was last used, if it
    /// has not ended.
    async fn active(&self, id_hash: &[u8]) -> std::result::Result<Option<(String, i64, i64)>, AppError> {
        let db = &mut self.database.read().await?;
        Ok(on_engine!(db => sqlx::query_as(
                "SELECT data, created_at, last_seen_at FROM sessions
                 WHERE id_hash = $1 AND last_seen_at > $2 AND created_at > $3",
            )
            .bind(id_hash)
            .bind(ago(IDLE))
            .bind(ago(ABSOLUTE))
            .fetch_optional(db)
            .await?))
    }
}

/// Notes that a session was used, unless that was just noted.
async fn touch(db: &mut Db, id_hash: &[u8]) -> std::result::Result<(), AppError> {
    execute!(db => sqlx::query("UPDATE sessions SET last_seen_at = $1 WHERE id_hash = $2 AND last_seen_at < $3")
        .bind(clock::now().micros())
        .bind(id_hash)
        .bind(last_use::just_now().micros()))?;
    Ok(())
}

#[async_trait]
impl SessionStore for RowStore {
    async fn create(&self, record: &mut Record) -> Result<()> {
        let row = Self::row(record)?;
        // 128 random bits do not collide; if they did, the insert would fail.
        self.database
            .write(row, |db, (id_hash, user_id, data)| {
                Box::pin(async move {
                    execute!(db => sqlx::query(
                            "INSERT INTO sessions (id_hash, user_id, data, created_at, last_seen_at)
                             VALUES ($1, $2, $3, $4, $4)",
                        )
                        .bind(id_hash)
                        .bind(user_id)
                        .bind(data)
                        .bind(clock::now().micros()))?;
                    Ok(())
                })
            })
            .await
            .map_err(backend)
    }

    async fn save(&self, record: &Record) -> Result<()> {
        let row = Self::row(record)?;
        self.database
            .write(row, |db, (id_hash, user_id, data)| {
                Box::pin(async move {
                    execute!(db => sqlx::query(
                            "UPDATE sessions SET user_id = $1, data = $2, last_seen_at = $3 WHERE id_hash = $4",
                        )
                        .bind(user_id)
                        .bind(data)
                        .bind(clock::now().micros())
                        .bind(id_hash))?;
                    Ok(())
                })
            })
            .await
            .map_err(backend)
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let id_hash = id_hash(id);
        let Some((data, created_at, last_seen_at)) = self.active(&id_hash).await.map_err(backend)? else {
            return Ok(None);
        };
        if last_seen_at < last_use::just_now().micros() {
            let (database, used) = (self.database.clone(), id_hash.clone());
            self.uses.note("a session", id_hash, async move {
                database.write(used, |db, used| Box::pin(async move { touch(db, &used).await })).await
            });
        }
        let data: HashMap<String, serde_json::Value> =
            serde_json::from_str(&data).map_err(|error| Error::Decode(error.to_string()))?;
        let end = Timestamp::from_micros(created_at).after(ABSOLUTE);
        Ok(Some(Record { id: *id, data, expiry_date: end.date_time() }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        let id_hash = id_hash(id);
        self.database
            .write(id_hash, |db, id_hash| {
                Box::pin(async move {
                    execute!(db => sqlx::query("DELETE FROM sessions WHERE id_hash = $1")
                        .bind(id_hash))?;
                    Ok(())
                })
            })
            .await
            .map_err(backend)
    }
}

/// Ends every session of a person.
pub async fn end_all(db: &mut Db, user: &UserId) -> std::result::Result<(), AppError> {
    execute!(db => sqlx::query("DELETE FROM sessions WHERE user_id = $1")
        .bind(user.as_str()))?;
    Ok(())
}

/// Removes the rows of sessions that are over.
pub async fn forget_ended(db: &mut Db) -> std::result::Result<(), AppError> {
    execute!(db => sqlx::query("DELETE FROM sessions WHERE last_seen_at <= $1 OR created_at <= $2")
        .bind(ago(IDLE))
        .bind(ago(ABSOLUTE)))?;
    Ok(())
}
