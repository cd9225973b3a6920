//! The SQL of token families.

use std::time::Duration;

use sqlx::FromRow;

use super::Client;
use crate::{
    clock,
    credentials::{BegunFrom, User, UserId},
    database::{Db, execute, internal, on_engine},
    error::AppError,
    timestamp::Timestamp,
    username::Username,
};

/// How long a family lives, however often it is refreshed (ASVS 7.3.2).
const FAMILY_TIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// A refresh token may be used again for so long: by the other tab, or by
/// whom the answer did not reach.
pub(super) const GRACE: Duration = Duration::from_secs(10);

/// The person to whom a family belongs.
#[derive(Clone, Debug)]
pub(super) struct Holder {
    pub(super) family: String,
    pub(super) user: User,
    pub(super) email: String,
    /// Whether they have proven that the address is theirs.
    pub(super) is_email_verified: bool,
    /// When the password was given.
    pub(super) began_at: Timestamp,
    pub(super) expires_at: Timestamp,
}

#[derive(FromRow)]
struct HolderRow {
    id: String,
    created_at: i64,
    expires_at: i64,
    user_id: String,
    username: String,
    email: String,
    email_verified_at: Option<i64>,
}

#[derive(FromRow)]
struct ByKeyRow {
    #[sqlx(flatten)]
    holder: HolderRow,
    has_key: bool,
}

#[derive(FromRow)]
struct RefreshTokenRow {
    #[sqlx(flatten)]
    holder: HolderRow,
    used_at: Option<i64>,
    once: bool,
}

impl TryFrom<HolderRow> for Holder {
    type Error = AppError;

    fn try_from(row: HolderRow) -> Result<Self, AppError> {
        let username = Username::try_from(row.username)
            .map_err(|error| internal(format_args!("a stored username breaks the rules: {error}")))?;
        Ok(Self {
            family: row.id,
            user: User { id: UserId::from_stored(row.user_id), username },
            email: row.email,
            is_email_verified: row.email_verified_at.is_some(),
            began_at: Timestamp::from_micros(row.created_at),
            expires_at: Timestamp::from_micros(row.expires_at),
        })
    }
}

/// Begins a family with its first refresh token.
pub(super) async fn begin(
    db: &mut Db,
    family: &str,
    user: &UserId,
    client: Client,
    hash: &[u8],
    from: &BegunFrom,
) -> Result<(), AppError> {
    let now = clock::now();
    execute!(db => sqlx::query(
            "INSERT INTO token_families (id, user_id, client_id, created_at, expires_at, last_used_at, address, user_agent)
             VALUES ($1, $2, $3, $4, $5, $4, $6, $7)",
        )
        .bind(family)
        .bind(user.as_str())
        .bind(client.stored())
        .bind(now.micros())
        .bind(now.after(FAMILY_TIME).micros())
        .bind(&from.address)
        .bind(&from.user_agent))?;
    insert(db, family, hash, now).await
}

async fn insert(db: &mut Db, family: &str, hash: &[u8], now: Timestamp) -> Result<(), AppError> {
    execute!(db => sqlx::query("INSERT INTO refresh_tokens (hash, family_id, created_at) VALUES ($1, $2, $3)")
        .bind(hash)
        .bind(family)
        .bind(now.micros()))?;
    Ok(())
}

/// The holder of a family that has not ended.
pub(super) async fn holder(db: &mut Db, family: &str) -> Result<Option<Holder>, AppError> {
    let row: Option<HolderRow> = on_engine!(db => sqlx::query_as(
            "SELECT f.id, f.created_at, f.expires_at, f.user_id, u.username, u.email, u.email_verified_at
             FROM token_families f JOIN users u ON u.id = f.user_id WHERE f.id = $1 AND f.expires_at > $2",
        )
        .bind(family)
        .bind(clock::now().micros())
        .fetch_optional(db)
        .await?);
    row.map(Holder::try_from).transpose()
}

/// The holder of a family that has not ended, if the key exists: a leaked key
/// is removed, and this is how every process that has it in memory notices. One
/// statement, because every request with a token runs it.
pub(super) async fn holder_by_key(
    db: &mut Db,
    family: &str,
    kid: &str,
) -> Result<Option<(Holder, bool)>, AppError> {
    let row: Option<ByKeyRow> = on_engine!(db => sqlx::query_as(
            "SELECT f.id, f.created_at, f.expires_at, f.user_id, u.username, u.email, u.email_verified_at,
                    EXISTS (SELECT 1 FROM signing_keys WHERE kid = $3) AS has_key
             FROM token_families f JOIN users u ON u.id = f.user_id WHERE f.id = $1 AND f.expires_at > $2",
        )
        .bind(family)
        .bind(clock::now().micros())
        .bind(kid)
        .fetch_optional(db)
        .await?);
    row.map(|ByKeyRow { holder, has_key }| Ok((holder.try_into()?, has_key))).transpose()
}

/// Whether the family has not ended, and the key is still there.
pub(super) async fn is_active(db: &mut Db, family: &str, kid: &str) -> Result<bool, AppError> {
    Ok(on_engine!(db => sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM token_families WHERE id = $1 AND expires_at > $2)
                AND EXISTS (SELECT 1 FROM signing_keys WHERE kid = $3)",
        )
        .bind(family)
        .bind(clock::now().micros())
        .bind(kid)
        .fetch_one(db)
        .await?))
}

/// What the database knows of a refresh token.
pub(super) enum Found {
    /// It is unknown, or its family has ended.
    Nothing,
    Usable {
        holder: Holder,
        /// Whether one use ends it.
        once: bool,
    },
    /// It was used a moment ago.
    JustUsed(Holder),
    /// It was used before, so somebody has a copy.
    Stolen(String),
}

/// Looks up a refresh token. It can be used once if its client is of that kind,
/// or once any client of that kind has used the family: a client that then
/// wants to keep its token is a different one.
pub(super) async fn find(db: &mut Db, hash: &[u8]) -> Result<Found, AppError> {
    let row: Option<RefreshTokenRow> = on_engine!(db => sqlx::query_as(
            "SELECT f.id, f.created_at, f.expires_at, f.user_id, u.username, u.email, u.email_verified_at, r.used_at,
                    f.client_id <> $3 OR EXISTS (
                        SELECT 1 FROM refresh_tokens used WHERE used.family_id = f.id AND used.used_at IS NOT NULL
                    ) AS once
             FROM refresh_tokens r JOIN token_families f ON f.id = r.family_id JOIN users u ON u.id = f.user_id
             WHERE r.hash = $1 AND f.expires_at > $2",
        )
        .bind(hash)
        .bind(clock::now().micros())
        .bind(Client::Amplify.stored())
        .fetch_optional(db)
        .await?);
    let Some(RefreshTokenRow { holder, used_at, once }) = row else { return Ok(Found::Nothing) };
    let holder = Holder::try_from(holder)?;
    Ok(match used_at.map(Timestamp::from_micros) {
        None => Found::Usable { holder, once },
        Some(used_at) if used_at > clock::before(GRACE) => Found::JustUsed(holder),
        Some(_) => Found::Stolen(holder.family),
    })
}

/// Replaces `parent` by `child`.
pub(super) async fn succeed(db: &mut Db, family: &str, parent: &[u8], child: &[u8]) -> Result<(), AppError> {
    let now = clock::now();
    execute!(db => sqlx::query("UPDATE refresh_tokens SET used_at = $1 WHERE hash = $2")
        .bind(now.micros())
        .bind(parent))?;
    execute!(db => sqlx::query("UPDATE token_families SET last_used_at = $1 WHERE id = $2")
        .bind(now.micros())
        .bind(family))?;
    insert(db, family, child, now).await
}

/// Ends a family; its refresh tokens go with it.
pub(super) async fn end(db: &mut Db, family: &str) -> Result<(), AppError> {
    execute!(db => sqlx::query("DELETE FROM token_families WHERE id = $1")
        .bind(family))?;
    Ok(())
}

/// Ends the family of a refresh token, used or not.
pub(super) async fn end_of(db: &mut Db, hash: &[u8]) -> Result<(), AppError> {
    execute!(db => sqlx::query(
            "DELETE FROM token_families WHERE id = (SELECT family_id FROM refresh_tokens WHERE hash = $1)",
        )
        .bind(hash))?;
    Ok(())
}

/// Ends every family of a person, but for the one that is named.
pub async fn end_all(db: &mut Db, user: &UserId, but: Option<&str>) -> Result<(), AppError> {
    execute!(db => sqlx::query("DELETE FROM token_families WHERE user_id = $1 AND id <> $2")
        .bind(user.as_str())
        .bind(but.unwrap_or_default()))?;
    Ok(())
}

/// A family as its owner finds it in a list.
#[derive(Clone, Debug, FromRow)]
pub struct ListedFamily {
    pub id: String,
    /// Microseconds since 1970 UTC, as the next one.
    pub created_at: i64,
    /// When it was refreshed last.
    pub last_used_at: i64,
    pub address: String,
    pub user_agent: String,
}

/// The families of a person that have not ended, the newest first.
pub async fn list(db: &mut Db, user: &UserId) -> Result<Vec<ListedFamily>, AppError> {
    Ok(on_engine!(db => sqlx::query_as(
            "SELECT id, created_at, last_used_at, address, user_agent FROM token_families
             WHERE user_id = $1 AND expires_at > $2 ORDER BY created_at DESC",
        )
        .bind(user.as_str())
        .bind(clock::now().micros())
        .fetch_all(db)
        .await?))
}

/// Ends a family of a person. Whether it was there.
pub async fn end_own(db: &mut Db, user: &UserId, family: &str) -> Result<bool, AppError> {
    let ended = execute!(db => sqlx::query("DELETE FROM token_families WHERE user_id = $1 AND id = $2")
        .bind(user.as_str())
        .bind(family))?;
    Ok(ended > 0)
}

/// Removes families that are over.
pub async fn forget_ended(db: &mut Db) -> Result<(), AppError> {
    execute!(db => sqlx::query("DELETE FROM token_families WHERE expires_at <= $1")
        .bind(clock::now().micros()))?;
    Ok(())
}
