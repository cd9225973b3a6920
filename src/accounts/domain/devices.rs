//! The browsers and the addresses from which a person has logged in.

use std::time::Duration;

use crate::{
    clock,
    credentials::{RequestSource, Secret, UserId},
    database::{Db, execute, on_engine},
    error::AppError,
    http::fair_pool::network,
};

/// After this time without a login it is forgotten.
const REMEMBERED: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// How the database names browser and address of a request.
fn names(secret: &Secret, source: &RequestSource) -> (Option<[u8; 32]>, Option<[u8; 32]>) {
    let browser = source.device().map(|device| secret.seal("device", &[&device.0]));
    let address = source
        .address
        .map(|address| secret.seal("address of a login", &[network(address).to_string().as_bytes()]));
    (browser, address)
}

/// The browser of a request, else its address, if somebody has logged in with it before
/// to the account of that id, username or address.
pub async fn known(
    db: &mut Db,
    secret: &Secret,
    account: &str,
    source: &RequestSource,
) -> Result<Option<[u8; 32]>, AppError> {
    let (browser, address) = names(secret, source);
    let known: Vec<Vec<u8>> = on_engine!(db => sqlx::query_scalar(
            "SELECT d.device FROM known_devices d JOIN users u ON u.id = d.user_id
             WHERE (u.id = $1 OR u.username = $1 OR u.email = $1) AND d.device IN ($2, $3)",
        )
        .bind(account)
        .bind(browser.unwrap_or_default().as_slice())
        .bind(address.unwrap_or_default().as_slice())
        .fetch_all(db)
        .await?);
    let is_known = |name: &[u8; 32]| known.iter().any(|known| known == name);
    Ok(browser.filter(is_known).or(address.filter(is_known)))
}

/// Notes that a person has logged in from there. `true` if it is new to the account,
/// which has others.
pub async fn remember(
    db: &mut Db,
    secret: &Secret,
    user: &UserId,
    source: &RequestSource,
) -> Result<bool, AppError> {
    let (browser, address) = names(secret, source);
    let before: Vec<Vec<u8>> = on_engine!(db => sqlx::query_scalar(
            "SELECT device FROM known_devices WHERE user_id = $1",
        )
        .bind(user.as_str())
        .fetch_all(db)
        .await?);
    let is_known = [browser, address].iter().flatten().any(|name| before.iter().any(|known| known == name));
    let now = clock::now().micros();
    for name in [browser, address].into_iter().flatten() {
        execute!(db => sqlx::query(
                "INSERT INTO known_devices (user_id, device, first_at, last_used_at) VALUES ($1, $2, $3, $3)
                 ON CONFLICT (user_id, device) DO UPDATE SET last_used_at = $3",
            )
            .bind(user.as_str())
            .bind(name.as_slice())
            .bind(now))?;
    }
    Ok(!is_known && !before.is_empty())
}

/// Forgets what was not used for long.
pub async fn forget_old(db: &mut Db) -> Result<(), AppError> {
    execute!(db => sqlx::query("DELETE FROM known_devices WHERE last_used_at <= $1")
        .bind(clock::before(REMEMBERED).micros()))?;
    Ok(())
}
