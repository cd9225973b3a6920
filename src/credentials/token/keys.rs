//! The keys that sign tokens (security row J1): Ed25519. One key signs, and older
//! ones still verify.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use ed25519_dalek::SigningKey;
use jsonwebtoken::{DecodingKey, EncodingKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;

use super::eddsa::key_pair;
use crate::{
    clock,
    credentials::{
        sealing::{SealPurpose, Sealer},
        secret_bits::SecretBits,
    },
    database::{Database, Db, execute, on_engine},
    error::AppError,
    site::Site,
    timestamp::Timestamp,
};

/// Clients may cache the public keys for this time (`max-age`), so a new key
/// signs only after it.
pub const PUBLISHED_FOR: Duration = Duration::from_secs(5 * 60);
/// A key verifies for this time after its successor has begun to sign: longer
/// than any token is valid.
const OVERLAP: Duration = Duration::from_secs(60 * 60);
/// Keys are read again after this time at the latest …
const STALE: Duration = Duration::from_secs(60);
/// … and for a kid that is not among them no more often than this, so that
/// invented ones cost no reading each.
const RELOAD: Duration = Duration::from_secs(1);

pub struct Key {
    /// Its RFC 7638 thumbprint.
    pub kid: String,
    /// Zeroed when it is dropped, and not printed.
    pub(super) signing: EncodingKey,
    pub(super) verifying: DecodingKey,
    public: [u8; 32],
    created_at: Timestamp,
    signs_from: Timestamp,
}

/// What a key does at a given time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStatus {
    /// Published, and not signing yet.
    Announced,
    /// Signing; the only one.
    Signs,
    /// It verifies what it signed before, and signs no more.
    Verifies,
}

/// A key as `byline keys list` shows it.
#[derive(Debug)]
pub struct SigningKeyInfo {
    pub kid: String,
    pub created_at: Timestamp,
    /// When it begins to sign, or began to.
    pub signs_from: Timestamp,
    pub status: KeyStatus,
}

/// The keys of a site as this process knows them.
pub struct Keys {
    known: Mutex<Option<Known>>,
    /// What opens their seeds.
    sealer: Option<Sealer>,
}

struct Known {
    since: Instant,
    key_set: Arc<KeySet>,
}

/// All keys, the oldest first; never empty.
pub(super) struct KeySet(Vec<Key>);

/// From when on a new key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// When everybody can know it; the others verify for another hour.
    InTurn,
    /// At once, and all others are gone: one of them is in wrong hands.
    Now,
}

impl Key {
    fn from_seed(seed: &SecretBits, created_at: Timestamp, signs_from: Timestamp) -> Self {
        let public = SigningKey::from_bytes(seed.expose()).verifying_key().to_bytes();
        let (signing, verifying) = key_pair(seed.expose(), &public);
        Self { kid: thumbprint(&public), signing, verifying, public, created_at, signs_from }
    }

    /// RFC 7517 4, RFC 8037 2.
    fn jwk(&self) -> Value {
        json!({
            "kty": "OKP",
            "crv": "Ed25519",
            "x": BASE64_URL_SAFE_NO_PAD.encode(self.public),
            "kid": self.kid,
            "use": "sig",
            "alg": "EdDSA",
        })
    }
}

/// RFC 7638 3, with the members that RFC 8037 2 asks for.
fn thumbprint(public: &[u8; 32]) -> String {
    let x = BASE64_URL_SAFE_NO_PAD.encode(public);
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#)))
}

impl KeySet {
    /// The newest key whose time to sign has come. The very first needs no
    /// wait, because nobody can have cached another.
    fn signing_place(&self, now: Timestamp) -> usize {
        self.0.iter().rposition(|key| key.signs_from <= now).unwrap_or_default()
    }

    pub(super) fn signing(&self, now: Timestamp) -> Option<&Key> {
        self.0.get(self.signing_place(now))
    }

    /// Every key that is not over, with its status.
    fn active(&self, now: Timestamp) -> impl Iterator<Item = (&Key, KeyStatus)> {
        let signing = self.signing_place(now);
        self.0.iter().enumerate().filter_map(move |(place, key)| {
            let is_over = || self.0[place + 1..].iter().any(|later| later.signs_from.after(OVERLAP) <= now);
            match place.cmp(&signing) {
                std::cmp::Ordering::Less if is_over() => None,
                std::cmp::Ordering::Less => Some((key, KeyStatus::Verifies)),
                std::cmp::Ordering::Equal => Some((key, KeyStatus::Signs)),
                std::cmp::Ordering::Greater => Some((key, KeyStatus::Announced)),
            }
        })
    }

    /// The key of that name, if what it signed counts.
    pub(super) fn verifying(&self, kid: &str, now: Timestamp) -> Option<&Key> {
        self.active(now).map(|(key, _)| key).find(|key| key.kid == kid)
    }
}

impl Site {
    #[must_use]
    pub fn keys(&self) -> &Keys {
        self.part()
    }
}

impl Keys {
    #[must_use]
    pub const fn new(sealer: Option<Sealer>) -> Self {
        Self { known: Mutex::const_new(None), sealer }
    }

    /// The keys as they are in the database. A site that has none gets its first.
    pub(super) async fn fresh(&self, database: &Database) -> Result<Arc<KeySet>, AppError> {
        let mut known = self.known.lock().await;
        self.load(&mut known, database).await
    }

    /// The keys, with the one of that name, if there is such a one.
    pub(super) async fn with(&self, kid: &str, database: &Database) -> Result<Arc<KeySet>, AppError> {
        let mut known = self.known.lock().await;
        if let Some(Known { since, key_set }) = &*known {
            let patience = if key_set.verifying(kid, clock::now()).is_some() { STALE } else { RELOAD };
            if since.elapsed() < patience {
                return Ok(Arc::clone(key_set));
            }
        }
        self.load(&mut known, database).await
    }

    async fn load(&self, known: &mut Option<Known>, database: &Database) -> Result<Arc<KeySet>, AppError> {
        let sealer = self.sealer.as_ref();
        let mut key_set = read(&mut database.read().await?, sealer).await?;
        if key_set.0.is_empty() {
            let now = clock::now();
            let first = NewRow::of(&SecretBits::random()?, sealer, now, now)?;
            database
                .write(first, |db, first| {
                    Box::pin(async move {
                        let is_first = on_engine!(db => sqlx::query_scalar::<_, i64>("SELECT COUNT(*) FROM signing_keys")
                            .fetch_one(db)
                            .await?)
                            == 0;
                        if is_first { insert(db, &first).await } else { Ok(()) }
                    })
                })
                .await?;
            key_set = read(&mut database.read().await?, sealer).await?;
        }
        let key_set = Arc::new(key_set);
        *known = Some(Known { since: Instant::now(), key_set: Arc::clone(&key_set) });
        Ok(key_set)
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys")
    }
}

async fn read(db: &mut Db, sealer: Option<&Sealer>) -> Result<KeySet, AppError> {
    let rows: Vec<(String, Vec<u8>, i64, i64)> = on_engine!(db => sqlx::query_as(
            "SELECT kid, seed, created_at, signs_from FROM signing_keys ORDER BY generation",
        )
        .fetch_all(db)
        .await?);
    let keys = rows.into_iter().map(|(kid, seed, created_at, signs_from)| {
        let seed = SecretBits::opened(sealer, SealPurpose::SigningKey, &kid, seed)?;
        let (created_at, signs_from) =
            (Timestamp::from_micros(created_at), Timestamp::from_micros(signs_from));
        Ok(Key::from_seed(&seed, created_at, signs_from))
    });
    keys.collect::<Result<_, _>>().map(KeySet)
}

/// A key as its row has it.
#[derive(Clone)]
struct NewRow {
    kid: String,
    /// Sealed, where the site has a key for that.
    seed: Vec<u8>,
    created_at: Timestamp,
    signs_from: Timestamp,
}

impl NewRow {
    fn of(
        seed: &SecretBits,
        sealer: Option<&Sealer>,
        created_at: Timestamp,
        signs_from: Timestamp,
    ) -> Result<Self, AppError> {
        let kid = Key::from_seed(seed, created_at, signs_from).kid;
        let seed = seed.sealed(sealer, SealPurpose::SigningKey, &kid)?;
        Ok(Self { kid, seed, created_at, signs_from })
    }
}

/// Two that add the same generation at the same time meet in its primary key,
/// and the later one runs again.
async fn insert(db: &mut Db, row: &NewRow) -> Result<(), AppError> {
    execute!(db => sqlx::query(
            "INSERT INTO signing_keys (generation, kid, seed, created_at, signs_from)
             SELECT COALESCE(MAX(generation), 0) + 1, $1, $2, $3, $4 FROM signing_keys WHERE TRUE
             ON CONFLICT (generation) DO NOTHING",
        )
        .bind(&row.kid)
        .bind(&row.seed)
        .bind(row.created_at.micros())
        .bind(row.signs_from.micros()))?;
    Ok(())
}

/// Makes the next key and returns its kid.
pub async fn rotate(site: &Site, rotation: Rotation) -> Result<String, AppError> {
    let seed = SecretBits::random()?;
    let now = clock::now();
    let signs_from = match rotation {
        Rotation::InTurn => now.after(PUBLISHED_FOR),
        Rotation::Now => now,
    };
    let row = NewRow::of(&seed, site.sealer(), now, signs_from)?;
    site.database
        .write_then(
            (row, rotation),
            |db, (row, rotation)| {
                Box::pin(async move {
                    insert(db, &row).await?;
                    if rotation == Rotation::Now {
                        execute!(db => sqlx::query("DELETE FROM signing_keys WHERE kid <> $1")
                            .bind(&row.kid))?;
                    }
                    Ok(row.kid)
                })
            },
            site.trust().forgetting(),
        )
        .await
}

/// Every key that signs, will sign, or verifies; the oldest first.
pub async fn list(site: &Site) -> Result<Vec<SigningKeyInfo>, AppError> {
    let now = clock::now();
    Ok(read(&mut site.database.read().await?, site.sealer())
        .await?
        .active(now)
        .map(|(key, status)| SigningKeyInfo {
            kid: key.kid.clone(),
            created_at: key.created_at,
            signs_from: key.signs_from,
            status,
        })
        .collect())
}

/// The public halves as a JWK set (RFC 7517 5), read from the database, so
/// that a new key is published at once by every process.
pub async fn published(keys: &Keys, database: &Database) -> Result<Value, AppError> {
    let key_set = keys.fresh(database).await?;
    let keys: Vec<_> = key_set.active(clock::now()).map(|(key, _)| key.jwk()).collect();
    Ok(json!({ "keys": keys }))
}

/// Removes keys that no longer verify.
pub async fn forget_old(db: &mut Db) -> Result<(), AppError> {
    execute!(db => sqlx::query(
            "DELETE FROM signing_keys WHERE EXISTS
             (SELECT 1 FROM signing_keys AS later
              WHERE later.generation > signing_keys.generation AND later.signs_from <= $1)",
        )
        .bind(clock::before(OVERLAP).micros()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kid_is_the_thumbprint_of_rfc_8037() {
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        let public = BASE64_URL_SAFE_NO_PAD.decode(x).unwrap().try_into().unwrap();
        assert_eq!(thumbprint(&public), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn one_key_signs_and_its_forerunner_verifies_for_an_hour() {
        let start = Timestamp::from_micros(1_700_000_000_000_000);
        let at = |seconds| start.after(Duration::from_secs(seconds));
        let key_set = KeySet(
            [(1, at(0)), (2, at(300))]
                .map(|(byte, signs_from)| Key::from_seed(&SecretBits::of([byte; 32]), at(0), signs_from))
                .into(),
        );
        let duties = |now| key_set.active(now).map(|(_, status)| status).collect::<Vec<_>>();
        assert_eq!(duties(at(0)), [KeyStatus::Signs, KeyStatus::Announced]);
        assert_eq!(duties(at(299)), [KeyStatus::Signs, KeyStatus::Announced]);
        assert_eq!(duties(at(300)), [KeyStatus::Verifies, KeyStatus::Signs]);
        assert_eq!(duties(at(300 + 3599)), [KeyStatus::Verifies, KeyStatus::Signs]);
        assert_eq!(duties(at(300 + 3600)), [KeyStatus::Signs]);
        // A clock that goes slower than the one the first key was made by.
        let earlier = start.before(Duration::from_secs(5));
        assert_eq!(duties(earlier), [KeyStatus::Signs, KeyStatus::Announced]);
    }
}
