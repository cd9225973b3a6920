//! Removes what has ended, and finishes what was left to be done, now and then.

use std::time::Duration;

use crate::{
    accounts::domain::{audit, devices, invitations, one_time, passkeys, srp, throttle},
    credentials::{
        api_key::store as api_key_store,
        session::{kept, store as session_store},
        token,
    },
    database::idempotency,
    mail,
    media::domain::unused,
    ops::deletions,
    posts::{
        domain::{rendered, reports, slugs, store as posts, sweeps, trash},
        events,
    },
    site::Site,
};

const EVERY: Duration = Duration::from_secs(10 * 60);

/// Cleans up periodically until the process ends. A failure is logged, and the
/// work is tried again the next time.
pub async fn run(site: Site) {
    let mut turns = tokio::time::interval(EVERY);
    loop {
        turns.tick().await;
        let outcome = site.database.write((), |db, ()| {
            Box::pin(async move {
                session_store::forget_ended(db).await?;
                throttle::forget_old(db).await?;
                devices::forget_old(db).await?;
                audit::forget_old(db).await?;
                kept::forget_old(db).await?;
                api_key_store::forget_expired(db).await?;
                token::store::forget_ended(db).await?;
                token::keys::forget_old(db).await?;
                passkeys::forget_ended(db).await?;
                srp::forget_ended(db).await?;
                idempotency::forget_old(db).await?;
                mail::forget_given_up(db).await?;
                one_time::forget_expired(db).await?;
                invitations::forget_old(db).await?;
                posts::forget_deleted(db).await?;
                trash::forget_old(db).await?;
                reports::forget_old(db).await?;
                events::store::forget_old(db).await
            })
        });
        if let Err(error) = outcome.await {
            tracing::warn!(%error, "cleaning up failed; it is tried again in ten minutes");
        }
        if let Err(error) = deletions::run(&site).await {
            tracing::warn!(%error, "an account is not deleted yet; it is tried again in ten minutes");
        }
        if let Err(error) = sweeps::finish(&site).await {
            tracing::warn!(%error, "a sweep is not finished yet; it is tried again in ten minutes");
        }
        if let Err(error) = slugs::backfill(&site.database).await {
            tracing::warn!(%error, "some posts have no address below their author yet; it is tried again in ten minutes");
        }
        if let Err(error) = unused::run(&site).await {
            tracing::warn!(%error, "unused pictures are not removed yet; it is tried again in ten minutes");
        }
        if let Err(error) = rendered::backfill(&site).await {
            tracing::warn!(%error, "some posts are rendered when they are asked for; it is tried again in ten minutes");
        }
    }
}
