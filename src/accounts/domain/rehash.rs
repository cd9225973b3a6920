//! Hashes a password again that was right.

use super::{Password, hashing::Priority, srp, store};
use crate::{credentials::User, site::Site};

/// Stores the password with the current cost and in its normal form (security
/// row P2); returns the hash that is valid now. A failure is logged and does
/// not refuse the login.
pub(super) async fn rehash(site: &Site, user: &User, password: Password, old: String) -> String {
    let outcome = async {
        // From now on there are hashes of several costs, see [`super::costs`].
        site.secret().await?;
        let verifier = srp::make(site, user, &password, Priority::Known).await?;
        let hash = site.hasher().hash(password.into(), Priority::Known).await?;
        site.database
            .write((user.id.clone(), old.clone(), hash, verifier), |db, (id, old, hash, verifier)| {
                Box::pin(async move {
                    if store::replace_hash(db, &id, &old, &hash).await? {
                        srp::store(db, &id, &hash, verifier.as_ref()).await?;
                    }
                    Ok(hash)
                })
            })
            .await
    };
    outcome.await.unwrap_or_else(|error| {
        tracing::warn!(%error, "the password was not hashed again; the next login tries");
        old
    })
}
