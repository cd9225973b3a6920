//! Sessions as rows (security rows S1 to S5): a hashed id, an idle and an absolute
//! end, and an owner that SQL can search for.

use std::{collections::HashMap, fmt, time::Duration};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sqlx::FromRow;
use tower_sessions::{
    SessionStore,
    session::{Id, Record},
    session_store::{Error, Result},
};

use crate::{
    clock,
    credentials::{BegunFrom, LastUse, User, UserId, last_use},
    database::{Database, Db, execute, internal, on_engine},
    error::AppError,
    site::Site,
    text::hex,
    timestamp::Timestamp,
};

/// Without a request for this long, a session is over (ASVS 7.3.1).
pub const IDLE: Duration = Duration::from_secs(2 * 60 * 60);
/// After this time a session ends in any case (ASVS 7.3.2).
pub const ABSOLUTE: Duration = Duration::from_secs(24 * 60 * 60);

/// As [`IDLE`] and [`ABSOLUTE`], for people who asked to stay signed in (S4).
pub const REMEMBERED: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// Where a session has the person who is signed in.
pub(super) const USER: &str = "user";
/// What a session knows of its login: [`Login`].
pub(super) const LOGIN: &str = "login";

/// How a session began. Sessions of an older Byline have none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// When the person logged in.
    pub at: Timestamp,
    /// When they showed last that it is them: by a password or a passkey.
    pub confirmed_at: Timestamp,
    /// Whether they asked to stay signed in.
    pub remembered: bool,
    pub from: BegunFrom,
}

impl Login {
    /// How long the session lives unused, and in any case.
    pub(super) const fn lives(&self) -> (Duration, Duration) {
        if self.remembered { (REMEMBERED, REMEMBERED) } else { (IDLE, ABSOLUTE) }
    }
}

/// A session as its owner finds it in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedSession {
    /// Names the session; nobody can use it as a cookie.
    pub handle: String,
    pub login: Option<Login>,
    pub created_at: Timestamp,
    pub last_seen_at: Timestamp,
}

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

/// A session as its row has it.
#[derive(Clone)]
struct Row {
    id_hash: Vec<u8>,
    user_id: Option<String>,
    data: String,
    idle: Duration,
    absolute: Duration,
}

/// What is read of a session.
#[derive(FromRow)]
struct Active {
    data: String,
    /// That of the person now.
    username: Option<String>,
    ends_at: i64,
    last_seen_at: i64,
}

impl RowStore {
    #[must_use]
    pub fn new(site: &Site) -> Self {
        Self { database: site.database.clone(), uses: site.part::<LastUse>().clone() }
    }

    fn row(record: &Record) -> Result<Row> {
        let user: Option<User> = record
            .data
            .get(USER)
            .map(|user| serde_json::from_value(user.clone()))
            .transpose()
            .map_err(|error| Error::Decode(error.to_string()))?;
        let login: Option<Login> = record
            .data
            .get(LOGIN)
            .map(|login| serde_json::from_value(login.clone()))
            .transpose()
            .map_err(|error| Error::Decode(error.to_string()))?;
        let (idle, absolute) = login.as_ref().map_or((IDLE, ABSOLUTE), Login::lives);
        let data = serde_json::to_string(&record.data).map_err(|error| Error::Encode(error.to_string()))?;
        let user_id = user.map(|user| user.id.as_str().to_owned());
        Ok(Row { id_hash: id_hash(&record.id), user_id, data, idle, absolute })
    }

    /// A session that has not ended.
    async fn active(&self, id_hash: &[u8]) -> std::result::Result<Option<Active>, AppError> {
        let db = &mut self.database.read().await?;
        Ok(on_engine!(db => sqlx::query_as(
                "SELECT s.data, u.username, s.created_at + s.absolute AS ends_at, s.last_seen_at
                 FROM sessions s LEFT JOIN users u ON u.id = s.user_id
                 WHERE s.id_hash = $1 AND s.last_seen_at + s.idle > $2 AND s.created_at + s.absolute > $2",
            )
            .bind(id_hash)
            .bind(clock::now().micros())
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
            .write(row, |db, row| {
                Box::pin(async move {
                    let now = clock::now();
                    execute!(db => sqlx::query(
                            "INSERT INTO sessions (id_hash, user_id, data, created_at, last_seen_at, idle, absolute)
                             VALUES ($1, $2, $3, $4, $4, $5, $6)",
                        )
                        .bind(row.id_hash)
                        .bind(row.user_id)
                        .bind(row.data)
                        .bind(now.micros())
                        .bind(micros(row.idle))
                        .bind(micros(row.absolute)))?;
                    Ok(())
                })
            })
            .await
            .map_err(backend)
    }

    async fn save(&self, record: &Record) -> Result<()> {
        let row = Self::row(record)?;
        self.database
            .write(row, |db, row| {
                Box::pin(async move {
                    execute!(db => sqlx::query(
                            "UPDATE sessions SET user_id = $1, data = $2, last_seen_at = $3, idle = $5,
                                absolute = $6 WHERE id_hash = $4",
                        )
                        .bind(row.user_id)
                        .bind(row.data)
                        .bind(clock::now().micros())
                        .bind(row.id_hash)
                        .bind(micros(row.idle))
                        .bind(micros(row.absolute)))?;
                    Ok(())
                })
            })
            .await
            .map_err(backend)
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let id_hash = id_hash(id);
        let Some(active) = self.active(&id_hash).await.map_err(backend)? else { return Ok(None) };
        let Active { data, username, ends_at, last_seen_at } = active;
        if last_seen_at < last_use::just_now().micros() {
            let (database, used) = (self.database.clone(), id_hash.clone());
            self.uses.note("a session", id_hash, async move {
                database.write(used, |db, used| Box::pin(async move { touch(db, &used).await })).await
            });
        }
        let mut data: HashMap<String, serde_json::Value> =
            serde_json::from_str(&data).map_err(|error| Error::Decode(error.to_string()))?;
        // The person may have been given another name since they logged in.
        if let (Some(serde_json::Value::Object(user)), Some(username)) = (data.get_mut(USER), username) {
            user.insert("username".to_owned(), username.into());
        }
        let end = Timestamp::from_micros(ends_at);
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

fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

/// The name of a session in the list of its owner.
pub(super) fn handle(id: &Id) -> String {
    hex(&id_hash(id))
}

/// No bytes for what is not hexadecimal.
fn unhex(text: &str) -> Vec<u8> {
    let byte = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    (0..text.len()).step_by(2).map(byte).collect::<Option<_>>().unwrap_or_default()
}

/// The sessions of a person that have not ended, the newest first.
pub async fn list(db: &mut Db, user: &UserId) -> std::result::Result<Vec<ListedSession>, AppError> {
    let rows: Vec<(Vec<u8>, String, i64, i64)> = on_engine!(db => sqlx::query_as(
            "SELECT id_hash, data, created_at, last_seen_at FROM sessions
             WHERE user_id = $1 AND last_seen_at + idle > $2 AND created_at + absolute > $2 ORDER BY created_at DESC",
        )
        .bind(user.as_str())
        .bind(clock::now().micros())
        .fetch_all(db)
        .await?);
    let listed = |(id_hash, data, created_at, last_seen_at): (Vec<u8>, String, i64, i64)| ListedSession {
        handle: hex(&id_hash),
        login: serde_json::from_str::<serde_json::Value>(&data)
            .ok()
            .and_then(|mut data| serde_json::from_value(data.get_mut(LOGIN)?.take()).ok()),
        created_at: Timestamp::from_micros(created_at),
        last_seen_at: Timestamp::from_micros(last_seen_at),
    };
    Ok(rows.into_iter().map(listed).collect())
}

/// Ends one session of a person, by the name that their list has. Whether it was
/// there.
pub async fn end(db: &mut Db, user: &UserId, handle: &str) -> std::result::Result<bool, AppError> {
    let ended = execute!(db => sqlx::query("DELETE FROM sessions WHERE user_id = $1 AND id_hash = $2")
        .bind(user.as_str())
        .bind(unhex(handle)))?;
    Ok(ended > 0)
}

/// Ends every session of a person, but for the one with that name.
pub async fn end_all(db: &mut Db, user: &UserId, but: Option<&str>) -> std::result::Result<(), AppError> {
    execute!(db => sqlx::query("DELETE FROM sessions WHERE user_id = $1 AND id_hash <> $2")
        .bind(user.as_str())
        .bind(but.map(unhex).unwrap_or_default()))?;
    Ok(())
}

/// Removes the rows of sessions that are over.
pub async fn forget_ended(db: &mut Db) -> std::result::Result<(), AppError> {
    execute!(db => sqlx::query("DELETE FROM sessions WHERE last_seen_at + idle <= $1 OR created_at + absolute <= $1")
        .bind(clock::now().micros()))?;
    Ok(())
}
