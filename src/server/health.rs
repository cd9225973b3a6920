//! Whether the process can do its work.

use axum::{extract::State, http::StatusCode};

use super::Site;

/// 200 when the database can be read, else 503.
pub async fn healthz(State(site): State<Site>) -> (StatusCode, &'static str) {
    let read = sqlx::query_scalar::<_, i64>("SELECT COUNT(*) FROM (SELECT 1 FROM posts LIMIT 1) AS one")
        .fetch_one(site.database.reader());
    match read.await {
        Ok(_) => (StatusCode::OK, "ok\n"),
        Err(error) => {
            tracing::error!(%error, "the database cannot be read");
            (StatusCode::SERVICE_UNAVAILABLE, "the database cannot be read\n")
        }
    }
}
