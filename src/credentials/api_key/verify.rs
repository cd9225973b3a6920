//! From an API key to who asks.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use secrecy::{ExposeSecret, SecretString};

use super::{ApiKey, store};
use crate::{
    clock,
    credentials::{
        LastUse, last_use,
        trust::{Name, Verified},
    },
    error::AppError,
    site::Site,
    timestamp::Timestamp,
};

/// An API key that was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedKey {
    pub id: String,
    /// From then on it is refused.
    pub expires_at: Timestamp,
}

/// Verifies an API key: first its format, then whether the database has its
/// hash. `None` for a malformed, unknown, expired or revoked one, without saying
/// which. The primary database is asked, so every process refuses a revoked key
/// at once; a valid key is trusted until a credential ends
/// ([`crate::credentials::trust`]).
pub async fn verify(site: &Site, raw: &SecretString) -> Result<Option<VerifiedKey>, AppError> {
    let Some(key) = ApiKey::parse(raw.expose_secret()) else { return Ok(None) };
    let KnownKeys(known_keys) = site.part();
    let name = Name::of(raw);
    if let Some(key) = known_keys.recall(name, site, |known| known.used(site)).await {
        return Ok(Some(key));
    }
    // Boxed, because few requests need it, and all would move its memory.
    Box::pin(look_up(site, key, name)).await
}

async fn look_up(site: &Site, key: ApiKey, name: Name) -> Result<Option<VerifiedKey>, AppError> {
    let KnownKeys(known_keys) = site.part();
    let as_of = site.trust().known();
    let found = store::active(&mut site.database.read().await?, &key.hash()).await?;
    let Some(active) = found else { return Ok(None) };
    let known = KnownKey::from(active);
    let key = known.used(site);
    known_keys.keep(name, as_of, key.expires_at, known).await;
    Ok(Some(key))
}

/// Whether it is still valid, for a connection that lasts longer than a request:
/// it was not revoked. The database is asked.
pub async fn still_holds(site: &Site, key: &VerifiedKey) -> Result<bool, AppError> {
    store::is_active(&mut site.database.read().await?, &key.id).await
}

/// The API keys that this process has verified.
#[derive(Debug, Default)]
pub struct KnownKeys(Verified<KnownKey>);

/// A key that was verified, and when its use was last written down.
struct KnownKey {
    key: VerifiedKey,
    /// Microseconds since 1970 UTC; 0 for never.
    noted_at: Arc<AtomicI64>,
}

impl From<store::ActiveKey> for KnownKey {
    fn from(active: store::ActiveKey) -> Self {
        let key = VerifiedKey { id: active.id, expires_at: Timestamp::from_micros(active.expires_at) };
        Self { key, noted_at: Arc::new(active.last_used_at.unwrap_or_default().into()) }
    }
}

impl KnownKey {
    /// Returns the key and notes that it was used.
    fn used(&self, site: &Site) -> VerifiedKey {
        if self.noted_at.load(Ordering::Relaxed) < last_use::just_now().micros() {
            let (database, id, noted_at) =
                (site.database.clone(), self.key.id.clone(), Arc::clone(&self.noted_at));
            site.part::<LastUse>().note("an API key", id.clone(), async move {
                let now = clock::now().micros();
                database.write(id, |db, id| Box::pin(async move { store::touch(db, &id).await })).await?;
                noted_at.store(now, Ordering::Relaxed);
                Ok(())
            });
        }
        self.key.clone()
    }
}
