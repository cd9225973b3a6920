//! A wave of spam is swept away at once: every account that was made from one network in a
//! short time is locked, and its posts are hidden. All of it can be undone.
//!
//! What is to be done is stored first, and then done item by item, each in one transaction
//! with its new state. So a sweep that is broken off goes on where it was ([`finish`]), and
//! an undo touches only what the sweep has changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    time::Duration,
};

use ipnet::IpNet;
use sqlx::FromRow;
use uuid::Uuid;

use super::{
    hidden::{self, HiddenReason},
    service::change,
};
use crate::{
    accounts::domain::{
        audit::{self, AuditKind},
        logins,
        running::{self, InCharge},
        store as accounts,
    },
    clock,
    credentials::UserId,
    database::{Db, execute, on_engine},
    error::AppError,
    posts::PostId,
    site::Site,
    timestamp::Timestamp,
};

/// Rows of the audit log that are looked through.
const ROWS: i64 = 20_000;
/// Accounts of one sweep at most.
const ACCOUNTS: usize = 500;

/// Accounts that were made from one network since a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wave {
    pub network: IpNet,
    pub since: Timestamp,
}

/// The text is no network of the size that a wave may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "Enter an address such as 192.0.2.7, or a network such as 192.0.2.0/24 or 2001:db8::/32, not larger than /16 or /32"
)]
pub struct NetworkError;

/// The text is no number of minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Enter a whole number of minutes from 1 to {}, which is a week", MAX_MINUTES)]
pub struct MinutesError;

/// A week.
const MAX_MINUTES: u64 = 7 * 24 * 60;

impl Wave {
    /// The network of an address (of IPv6 its /64), or one that is written as such.
    ///
    /// # Errors
    /// [`NetworkError`].
    pub fn network(raw: &str) -> Result<IpNet, NetworkError> {
        let raw = raw.trim();
        let network = match raw.parse::<IpAddr>() {
            Ok(address) => IpNet::new(address, if address.is_ipv4() { 32 } else { 64 }),
            Err(_) => return raw.parse::<IpNet>().map_err(|_| NetworkError).and_then(small_enough),
        };
        network.map(|network| network.trunc()).map_err(|_| NetworkError)
    }

    /// The time so many minutes ago.
    ///
    /// # Errors
    /// [`MinutesError`].
    pub fn since(raw: &str) -> Result<Timestamp, MinutesError> {
        match raw.trim().parse::<u64>() {
            Ok(minutes @ 1..=MAX_MINUTES) => Ok(clock::before(Duration::from_secs(minutes * 60))),
            _ => Err(MinutesError),
        }
    }
}

fn small_enough(network: IpNet) -> Result<IpNet, NetworkError> {
    let least = if network.addr().is_ipv4() { 16 } else { 32 };
    if network.prefix_len() < least { Err(NetworkError) } else { Ok(network.trunc()) }
}

/// An account of a wave.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Suspect {
    pub id: String,
    pub username: String,
    /// Microseconds since 1970 UTC.
    pub created_at: i64,
    pub posts: i64,
}

/// The accounts of a wave, as one sweep takes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspects {
    /// The newest first, [`ACCOUNTS`] at most.
    pub listed: Vec<Suspect>,
    /// How many more there are, which are left for the next sweep.
    pub more: usize,
}

/// The accounts of a wave. Whoever is in charge of the site
/// is none of them, and neither is an account that is locked already.
///
/// # Errors
/// [`AppError::Busy`].
pub async fn suspects(site: &Site, wave: &Wave) -> Result<Suspects, AppError> {
    let db = &mut site.database.read().await?;
    let rows: Vec<(String, String)> = on_engine!(db => sqlx::query_as(
            "SELECT user_id, address FROM audit WHERE at >= $1 AND kind = $2 AND user_id IS NOT NULL
             ORDER BY id DESC LIMIT $3",
        )
        .bind(wave.since.micros())
        .bind(AuditKind::SignedUp.name())
        .bind(ROWS)
        .fetch_all(db)
        .await?);
    let is_of_wave =
        |address: &str| address.parse().is_ok_and(|address: IpAddr| wave.network.contains(&address));
    let ids: BTreeSet<String> =
        rows.into_iter().filter(|(_, address)| is_of_wave(address)).map(|(id, _)| id).collect();
    let new: Vec<Suspect> = on_engine!(db => sqlx::query_as(
            "SELECT id, username, created_at, (SELECT COUNT(*) FROM posts p WHERE p.owner_id = u.id) AS posts
             FROM users u WHERE created_at >= $1 AND is_admin = 0 AND locked_at IS NULL
             ORDER BY created_at DESC LIMIT $2",
        )
        .bind(wave.since.micros())
        .bind(ROWS)
        .fetch_all(db)
        .await?);
    let mut listed: Vec<_> = new.into_iter().filter(|suspect| ids.contains(&suspect.id)).collect();
    let more = listed.len().saturating_sub(ACCOUNTS);
    listed.truncate(ACCOUNTS);
    Ok(Suspects { listed, more })
}

/// A sweep, as a list shows it.
#[derive(Clone, Debug, FromRow)]
pub struct ListedSweep {
    pub id: String,
    /// Microseconds since 1970 UTC.
    pub created_at: i64,
    pub credential: String,
    pub network: String,
    pub reason: String,
    pub undone_at: Option<i64>,
    /// What it has changed, and what of it is not undone.
    pub accounts: i64,
    pub posts: i64,
    /// What is still to be done, or to be undone.
    pub left: i64,
}

/// The newest sweeps.
///
/// # Errors
/// [`AppError::Busy`].
pub async fn list(site: &Site, limit: i64) -> Result<Vec<ListedSweep>, AppError> {
    let db = &mut site.database.read().await?;
    Ok(on_engine!(db => sqlx::query_as(
            "SELECT s.id, s.created_at, s.credential, s.network, s.reason, s.undone_at,
                 (SELECT COUNT(*) FROM sweep_items i
                  WHERE i.sweep_id = s.id AND i.kind = 'account' AND i.state = 'done') AS accounts,
                 (SELECT COUNT(*) FROM sweep_items i
                  WHERE i.sweep_id = s.id AND i.kind = 'post' AND i.state = 'done') AS posts,
                 (SELECT COUNT(*) FROM sweep_items i WHERE i.sweep_id = s.id
                      AND i.state = CASE WHEN s.undone_at IS NULL THEN 'planned' ELSE 'done' END) AS left
             FROM sweeps s ORDER BY s.id DESC LIMIT $1",
        )
        .bind(limit)
        .fetch_all(db)
        .await?))
}

/// Stores what is to be done with the accounts of a wave that have these names, and begins to
/// do it. The id of the sweep.
///
/// # Errors
/// [`AppError::NotFound`] where the wave has none of them; [`AppError::Busy`].
pub async fn begin(
    site: &Site,
    by: &InCharge,
    wave: &Wave,
    names: &[String],
    reason: HiddenReason,
) -> Result<(), AppError> {
    let mut chosen = suspects(site, wave).await?.listed;
    chosen.retain(|suspect| names.contains(&suspect.username));
    if chosen.is_empty() {
        return Err(AppError::NotFound);
    }
    let id = Uuid::now_v7().to_string();
    let input = (id, by.credential().to_owned(), wave.clone(), chosen, reason);
    site.database
        .write(input, |db, (id, credential, wave, chosen, reason)| {
            Box::pin(async move {
                execute!(db => sqlx::query(
                        "INSERT INTO sweeps (id, created_at, credential, network, since, reason)
                         VALUES ($1, $2, $3, $4, $5, $6)",
                    )
                    .bind(&id)
                    .bind(clock::now().micros())
                    .bind(credential)
                    .bind(wave.network.to_string())
                    .bind(wave.since.micros())
                    .bind(reason.as_str()))?;
                for suspect in chosen {
                    execute!(db => sqlx::query(
                            "INSERT INTO sweep_items (sweep_id, kind, item_id, state) VALUES ($1, 'account', $2, 'planned')",
                        )
                        .bind(&id)
                        .bind(&suspect.id))?;
                    execute!(db => sqlx::query(
                            "INSERT INTO sweep_items (sweep_id, kind, item_id, state)
                             SELECT $1, 'post', p.id, 'planned' FROM posts p WHERE p.owner_id = $2",
                        )
                        .bind(&id)
                        .bind(&suspect.id))?;
                }
                Ok(())
            })
        })
        .await?;
    go_on(site);
    Ok(())
}

/// Undoes a sweep: what it locked is opened, what it hid is published. Sent twice, it says yes
/// again. The audit log has who undid it, also for [`finish`], which may go on after a restart.
///
/// # Errors
/// [`AppError::NotFound`], [`AppError::Busy`].
pub async fn undo(site: &Site, by: &InCharge, id: &str) -> Result<(), AppError> {
    let is_new = site
        .database
        .write((by.clone(), id.to_owned()), |db, (by, id)| {
            Box::pin(async move {
                let begun = execute!(db => sqlx::query(
                        "UPDATE sweeps SET undone_at = $2 WHERE id = $1 AND undone_at IS NULL",
                    )
                    .bind(&id)
                    .bind(clock::now().micros()))?;
                if begun == 0 {
                    return if exists(db, &id).await? { Ok(false) } else { Err(AppError::NotFound) };
                }
                by.note_own(db, AuditKind::SweepUndone, &id).await?;
                let planned =
                    "UPDATE sweep_items SET state = 'undone' WHERE sweep_id = $1 AND state = 'planned'";
                execute!(db => sqlx::query(planned).bind(id))?;
                Ok(true)
            })
        })
        .await?;
    // Two that work on the same posts would both note what they restore.
    if is_new {
        go_on(site);
    }
    Ok(())
}

async fn exists(db: &mut Db, id: &str) -> Result<bool, AppError> {
    Ok(on_engine!(db => sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM sweeps WHERE id = $1)")
        .bind(id)
        .fetch_one(db)
        .await?))
}

/// Works on what is left, while the request that asked for it is answered.
fn go_on(site: &Site) {
    let site = site.clone();
    tokio::spawn(async move {
        if let Err(error) = finish(&site).await {
            tracing::warn!(%error, "a sweep is not finished yet; it is tried again in ten minutes");
        }
    });
}

#[derive(Clone, Debug, FromRow)]
struct Item {
    sweep_id: String,
    kind: String,
    item_id: String,
    credential: String,
    reason: String,
    /// When the sweep was asked to be undone.
    undone_at: Option<i64>,
}

/// Does what is left of all sweeps.
///
/// # Errors
/// [`AppError::Busy`].
pub async fn finish(site: &Site) -> Result<(), AppError> {
    // What cannot be done now is not tried again in the same round.
    let mut tried = BTreeSet::new();
    let mut doers: BTreeMap<(String, Option<i64>), InCharge> = BTreeMap::new();
    loop {
        let items = left(&mut site.database.read().await?).await?;
        let mut is_new = false;
        for item in items {
            let name = (item.sweep_id.clone(), item.kind.clone(), item.item_id.clone(), item.undone_at);
            if !tried.insert(name) {
                continue;
            }
            is_new = true;
            let deed = (item.sweep_id.clone(), item.undone_at);
            let by = match doers.get(&deed) {
                Some(by) => by.clone(),
                None => {
                    let by = doer(&mut site.database.read().await?, &item).await?;
                    doers.insert(deed, by.clone());
                    by
                }
            };
            match (item.kind.as_str(), item.undone_at.is_some()) {
                ("account", undone) => account(site, &by, item, !undone).await?,
                (_, false) => hide(site, &by, item).await?,
                (_, true) => restore(site, &by, item).await?,
            }
        }
        if !is_new {
            return Ok(());
        }
    }
}

/// Who swept, or who undid the sweep.
async fn doer(db: &mut Db, item: &Item) -> Result<InCharge, AppError> {
    let noted = match item.undone_at.map(Timestamp::from_micros) {
        Some(at) => audit::first_since(db, at, AuditKind::SweepUndone, &item.sweep_id).await?,
        None => None,
    };
    Ok(match noted {
        Some(row) => InCharge::recorded(row.credential, row.request_id),
        // Earlier versions did not note who undid a sweep.
        None => InCharge::recorded(item.credential.clone(), String::new()),
    })
}

/// Accounts first, so that nobody publishes meanwhile.
async fn left(db: &mut Db) -> Result<Vec<Item>, AppError> {
    Ok(on_engine!(db => sqlx::query_as(
            "SELECT i.sweep_id, i.kind, i.item_id, s.credential, s.reason, s.undone_at
             FROM sweep_items i JOIN sweeps s ON s.id = i.sweep_id
             WHERE i.state = CASE WHEN s.undone_at IS NULL THEN 'planned' ELSE 'done' END
             ORDER BY i.kind, i.sweep_id, i.item_id LIMIT 500",
        )
        .fetch_all(db)
        .await?))
}

/// Gives an item another state, if it still has the one before. Whether it had.
async fn set_state(db: &mut Db, item: &Item, from: &str, to: &str) -> Result<bool, AppError> {
    let changed = execute!(db => sqlx::query(
            "UPDATE sweep_items SET state = $5
             WHERE sweep_id = $1 AND kind = $2 AND item_id = $3 AND state = $4",
        )
        .bind(&item.sweep_id)
        .bind(&item.kind)
        .bind(&item.item_id)
        .bind(from)
        .bind(to))?;
    Ok(changed > 0)
}

async fn account(site: &Site, by: &InCharge, item: Item, locked: bool) -> Result<(), AppError> {
    let id = UserId::from_stored(item.item_id.clone());
    site.database
        .write_then(
            (id.clone(), by.clone(), item),
            move |db, (id, by, item)| {
                Box::pin(async move {
                    let (from, to) = if locked { ("planned", "done") } else { ("done", "undone") };
                    if !set_state(db, &item, from, to).await? {
                        return Ok(());
                    }
                    let user = accounts::find_by_id(db, &id).await?;
                    let changed = match &user {
                        Some(user) => running::set_locked(db, &by, user, locked).await?,
                        None => false,
                    };
                    if locked && !changed {
                        set_state(db, &item, "done", "unchanged").await?;
                    }
                    Ok(())
                })
            },
            site.trust().forgetting(),
        )
        .await?;
    if locked { logins::sign_out_everywhere(site, id).await } else { Ok(()) }
}

async fn hide(site: &Site, by: &InCharge, item: Item) -> Result<(), AppError> {
    let reason = HiddenReason::parse(&item.reason).map_err(|_| AppError::Internal)?;
    let id = PostId::parse(&item.item_id).ok_or(AppError::NotFound)?;
    let owner = hidden::owner_of_published(&mut site.database.read().await?, &id).await?;
    change(site, (owner, by.clone(), id, reason, item), |db, (owner, by, id, reason, item)| {
        Box::pin(async move {
            // Its author, or somebody in charge, may have been faster.
            let state = if owner.is_some() { "done" } else { "unchanged" };
            let (true, Some(owner)) = (set_state(db, &item, "planned", state).await?, owner) else {
                return Ok(((), None));
            };
            match hidden::hide_in(db, &by, &owner, &id, &reason).await {
                Ok(event) => Ok(((), Some(event))),
                Err(AppError::NotFound) => {
                    set_state(db, &item, "done", "unchanged").await?;
                    Ok(((), None))
                }
                Err(error) => Err(error),
            }
        })
    })
    .await
}

async fn restore(site: &Site, by: &InCharge, item: Item) -> Result<(), AppError> {
    let id = PostId::parse(&item.item_id).ok_or(AppError::NotFound)?;
    match hidden::restore(site, by, &id).await {
        Ok(_) | Err(AppError::NotFound) => {}
        Err(error) => return Err(error),
    }
    site.database
        .write(item, |db, item| {
            Box::pin(async move { set_state(db, &item, "done", "undone").await.map(drop) })
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_an_address_or_a_range_of_bounded_size() {
        let network = |raw| Wave::network(raw).map(|network| network.to_string());
        assert_eq!(network(" 192.0.2.7 ").as_deref(), Ok("192.0.2.7/32"));
        assert_eq!(network("192.0.2.7/24").as_deref(), Ok("192.0.2.0/24"));
        assert_eq!(network("2001:db8::1").as_deref(), Ok("2001:db8::/64"));
        for wrong in ["", "192.0.2", "0.0.0.0/0", "10.0.0.0/8", "2001::/16", "all"] {
            assert_eq!(network(wrong), Err(NetworkError), "{wrong}");
        }
    }

    #[test]
    fn a_wave_is_of_a_week_at_most() {
        assert!(Wave::since("60").is_ok());
        for wrong in ["", "0", "-1", "10081", "1.5", "hour"] {
            assert_eq!(Wave::since(wrong), Err(MinutesError), "{wrong}");
        }
    }
}
