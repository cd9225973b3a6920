//! The SQL of the site's settings.

use crate::{
    config::{SiteSetting, SiteValues},
    database::{Db, execute, on_engine},
    error::AppError,
    timestamp::Timestamp,
};

/// The channel of PostgreSQL's NOTIFY by which the other processes hear of a change.
pub const CHANNEL: &str = "byline_site_settings";

/// Identifies a state of the stored settings; it differs after every change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredState {
    last_changed_at: i64,
    count: i64,
}

/// What is stored. Names that this Byline does not know are a newer one's.
pub(super) async fn values(db: &mut Db) -> Result<SiteValues, AppError> {
    let rows: Vec<(String, String)> =
        on_engine!(db => sqlx::query_as("SELECT name, value FROM site_settings").fetch_all(db).await?);
    let mut values = SiteValues::default();
    for (name, value) in rows {
        if let Ok(setting) = name.parse::<SiteSetting>() {
            values.set(setting, value);
        }
    }
    Ok(values)
}

pub(super) async fn put(
    db: &mut Db,
    setting: SiteSetting,
    value: &str,
    now: Timestamp,
) -> Result<(), AppError> {
    execute!(db => sqlx::query(
            "INSERT INTO site_settings (name, value, changed_at) VALUES ($1, $2, $3)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value, changed_at = excluded.changed_at",
        )
        .bind(setting.name())
        .bind(value)
        .bind(now.micros()))?;
    Ok(())
}

pub(super) async fn remove(db: &mut Db, setting: SiteSetting) -> Result<(), AppError> {
    execute!(db => sqlx::query("DELETE FROM site_settings WHERE name = $1").bind(setting.name()))?;
    Ok(())
}

/// Tells the processes of a PostgreSQL with the commit; those of SQLite look by themselves.
pub(super) async fn tell(db: &mut Db) -> Result<(), AppError> {
    if let Db::Postgres(db) = db {
        sqlx::query("SELECT pg_notify($1, '')").bind(CHANNEL).execute(db.statements()).await?;
    }
    Ok(())
}

/// The state of what is stored.
///
/// # Errors
/// [`AppError::Busy`].
pub async fn state(db: &mut Db) -> Result<StoredState, AppError> {
    let query = "SELECT COALESCE(MAX(changed_at), 0), COUNT(*) FROM site_settings";
    let (last_changed_at, count) = on_engine!(db => sqlx::query_as(query).fetch_one(db).await?);
    Ok(StoredState { last_changed_at, count })
}
