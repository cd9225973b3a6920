//! Ceremonies: what a browser was asked to sign. They are in the database, so that
//! any process of the site ends what another began, and none is used twice.

use std::time::Duration;

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    accounts::domain::one_time::Token,
    clock,
    credentials::{RequestSource, UserId},
    database::{Db, execute, internal, on_engine},
    error::AppError,
    http::fair_pool::network,
    site::Site,
};

/// How long a browser may take.
pub(super) const TIME: Duration = Duration::from_secs(5 * 60);

/// Of one client at most at the same time; a new one replaces the oldest. Pages of
/// login begin one for everybody, so nobody else may be kept from theirs.
const OF_A_CLIENT: i64 = 50;

/// What a ceremony is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A new passkey of somebody who is signed in.
    Add,
    /// A login by a passkey alone.
    LogIn,
    /// Somebody who is signed in shows that it is them.
    Confirm,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::LogIn => "log in",
            Self::Confirm => "confirm",
        }
    }
}

/// Whose it is: an address, or a /64 of IPv6.
fn client(source: &RequestSource) -> String {
    source.address.map(|address| network(address).to_string()).unwrap_or_default()
}

/// Stores the state of a ceremony; its id.
pub(super) async fn begin(
    site: &Site,
    kind: Kind,
    user: Option<&UserId>,
    state: &impl Serialize,
    source: &RequestSource,
) -> Result<String, AppError> {
    let id = Token::random()?;
    let state = serde_json::to_string(state).map_err(internal)?;
    site.database
        .write(
            (id.hash(), user.cloned(), state, client(source)),
            move |db, (hash, user, state, client)| {
                Box::pin(async move {
                    let now = clock::now();
                    // Those that began before the client's newest ones.
                    execute!(db => sqlx::query(
                            "DELETE FROM passkey_ceremonies WHERE client = $1 AND id_hash NOT IN
                             (SELECT id_hash FROM passkey_ceremonies WHERE client = $1 ORDER BY expires_at DESC LIMIT $2)",
                        )
                        .bind(&client)
                        .bind(OF_A_CLIENT - 1))?;
                    execute!(db => sqlx::query(
                            "INSERT INTO passkey_ceremonies (id_hash, kind, user_id, client, state, expires_at)
                             VALUES ($1, $2, $3, $4, $5, $6)",
                        )
                        .bind(hash)
                        .bind(kind.name())
                        .bind(user.as_ref().map(UserId::as_str))
                        .bind(client)
                        .bind(state)
                        .bind(now.after(TIME).micros()))?;
                    Ok(())
                })
            },
        )
        .await?;
    Ok(id.expose().to_owned())
}

/// Takes the state of a ceremony out of the database. `None` if there is none of
/// that kind and that person, or it has ended.
pub(super) async fn take<T: DeserializeOwned>(
    site: &Site,
    kind: Kind,
    user: Option<&UserId>,
    id: &str,
) -> Result<Option<T>, AppError> {
    let Some(id) = Token::parse(id) else { return Ok(None) };
    let state: Option<String> = site
        .database
        .write((id.hash(), user.cloned()), move |db, (hash, user)| {
            Box::pin(async move {
                Ok(on_engine!(db => sqlx::query_scalar(
                        "DELETE FROM passkey_ceremonies
                         WHERE id_hash = $1 AND kind = $2 AND COALESCE(user_id, '') = $3 AND expires_at > $4
                         RETURNING state",
                    )
                    .bind(&hash)
                    .bind(kind.name())
                    .bind(user.as_ref().map_or("", UserId::as_str))
                    .bind(clock::now().micros())
                    .fetch_optional(db)
                    .await?))
            })
        })
        .await?;
    state.map(|state| serde_json::from_str(&state).map_err(internal)).transpose()
}

/// Removes those that have ended.
pub async fn forget_ended(db: &mut Db) -> Result<(), AppError> {
    execute!(db => sqlx::query("DELETE FROM passkey_ceremonies WHERE expires_at <= $1")
        .bind(clock::now().micros()))?;
    Ok(())
}
