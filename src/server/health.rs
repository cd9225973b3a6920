//! Whether the process lives, and whether it can do its work.

use axum::{extract::State, response::Response};

use super::{Site, database::on, headers::refusal};
use crate::error::AppError;

/// `/livez`: 200 as long as the process answers at all. Restarting it would
/// not bring a database back.
pub async fn livez() -> &'static str {
    "ok\n"
}

/// `/readyz`, and `/healthz` for those who ask by that name: 200 when the
/// database can be read, else 503 with `Retry-After`. A proxy sends requests
/// elsewhere meanwhile.
pub async fn readyz(State(site): State<Site>) -> Result<&'static str, Response> {
    match read(&site).await {
        Ok(()) => Ok("ok\n"),
        Err(error) => {
            tracing::warn!(%error, "the database cannot be read");
            Err(refusal(&AppError::Busy { retry_after: 2 }, false))
        }
    }
}

async fn read(site: &Site) -> Result<(), AppError> {
    let db = &mut site.database.read().await?;
    let one = "SELECT COUNT(*) FROM (SELECT 1 FROM posts LIMIT 1) AS one";
    on!(db => sqlx::query_scalar::<_, i64>(one).fetch_one(db).await?);
    Ok(())
}
