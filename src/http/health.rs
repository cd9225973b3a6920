//! Whether the process runs, and whether it can do its work.

use axum::{extract::State, response::Response};

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

/// `/readyz`, also `/healthz`: 200 if the database can be read and writes last,
/// else 503 with `Retry-After`, so that a proxy sends requests elsewhere. On a
/// full disk it is 200, because readers are served.
pub async fn readyz(State(site): State<Site>) -> Result<&'static str, Response> {
    let not_ready = |error: &dyn std::fmt::Display| {
        tracing::warn!(%error, "not ready");
        refusal(&AppError::Busy { retry_after: 2 }, false)
    };
    let mut db = site.database.health().await.map_err(|error| not_ready(&error))?;
    // First, because it says why the other fails.
    site.database.check(&mut db).await.map_err(|error| not_ready(&error))?;
    read(&mut db).await.map_err(|error| not_ready(&error))?;
    Ok("ok\n")
}

async fn read(db: &mut Db) -> Result<(), AppError> {
    let one = "SELECT COUNT(*) FROM (SELECT 1 FROM posts LIMIT 1) AS one";
    on_engine!(db => sqlx::query_scalar::<_, i64>(one).fetch_one(db).await?);
    Ok(())
}
