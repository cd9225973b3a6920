//! Whether the process runs, and whether it can do its work.

use axum::{extract::State, response::Response};
use futures::future::BoxFuture;

use super::headers::refusal;
use crate::{
    database::{Db, on_engine},
    error::AppError,
    site::Site,
};

/// `/livez`: 200 as long as the process answers. A restart would not repair a
/// database.
pub async fn livez() -> &'static str {
    "ok\n"
}

/// What is said beside "ok", in whole lines: nothing that makes the site unready.
pub struct MoreHealth(pub for<'a> fn(&'a Site, &'a mut Db) -> BoxFuture<'a, Result<String, AppError>>);

/// `/readyz`, also `/healthz`: 200 if the database can be read and writes last,
/// else 503 with `Retry-After`, so that a proxy sends requests elsewhere. On a
/// full disk it is 200, because readers are served, and a line says so.
pub async fn readyz(State(site): State<Site>) -> Result<String, Response> {
    let checked = usable_database(&site).await.map_err(|error| {
        tracing::warn!(error, "not ready");
        refusal(&AppError::Busy { retry_after: 2 }, false)
    });
    let mut db = checked?;
    let MoreHealth(more) = site.part();
    let more = more(&site, &mut db).await.unwrap_or_else(|error| {
        tracing::warn!(%error, "what else /readyz says cannot be read");
        String::new()
    });
    let disk = if site.database.is_disk_full() { "disk: full\n" } else { "" };
    Ok(format!("ok\n{disk}{more}"))
}

/// A connection that no request uses, if the database can be read and writes last.
///
/// # Errors
/// Why not.
pub async fn usable_database(site: &Site) -> Result<Db, String> {
    let mut db = site.database.health().await.map_err(|error| error.to_string())?;
    // First, because it says why the other fails.
    site.database.check(&mut db).await.map_err(|error| error.to_string())?;
    read(&mut db).await.map_err(|error| error.to_string())?;
    Ok(db)
}

async fn read(db: &mut Db) -> Result<(), AppError> {
    let one = "SELECT COUNT(*) FROM (SELECT 1 FROM posts LIMIT 1) AS one";
    on_engine!(db => sqlx::query_scalar::<_, i64>(one).fetch_one(db).await?);
    Ok(())
}
