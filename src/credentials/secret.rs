//! A secret of the site, which seals values: nobody else can make such a seal.

use hmac::{Hmac, Mac};
use sha2::Sha256;
use tokio::sync::OnceCell;

use super::{
    sealing::{SealPurpose, Sealer},
    secret_bits::SecretBits,
};
use crate::{
    clock,
    database::{Database, execute, on_engine},
    error::AppError,
    site::Site,
};

/// 256 random bits that every process of a site shares and no answer shows.
#[derive(Clone, Debug)]
pub struct Secret(SecretBits);

/// The secret of a site, once somebody has needed it.
#[derive(Debug, Default)]
pub struct SiteSecret(OnceCell<Secret>);

impl Site {
    /// What seals the tokens of this site. Made when first needed, so that an
    /// empty database stays empty until it serves.
    pub async fn secret(&self) -> Result<&Secret, AppError> {
        let SiteSecret(secret) = self.part();
        secret.get_or_try_init(|| Secret::of_site(&self.database, self.sealer())).await
    }

    /// As [`Self::secret`], for callers that may change nothing in the
    /// database: there may be none yet.
    pub async fn secret_made_before(&self) -> Result<Option<&Secret>, AppError> {
        let SiteSecret(secret) = self.part();
        if secret.get().is_none()
            && let Some(made) = Secret::made_before(&self.database, self.sealer()).await?
        {
            // Another request may have been faster, with the same.
            let _ = secret.set(made);
        }
        Ok(secret.get())
    }
}

impl Secret {
    /// The only one there is so far; `secrets` has room for others.
    const NAME: &str = "site";

    /// The secret of the site; the first call makes it.
    async fn of_site(database: &Database, sealer: Option<&Sealer>) -> Result<Self, AppError> {
        let fresh = SecretBits::random()?.sealed(sealer, SealPurpose::SiteSecret, Self::NAME)?;
        let stored: Vec<u8> = database
            .write(fresh, |db, fresh| {
                Box::pin(async move {
                    execute!(db => sqlx::query(
                            "INSERT INTO secrets (name, value, created_at) VALUES ($1, $2, $3)
                             ON CONFLICT (name) DO NOTHING",
                        )
                        .bind(Self::NAME)
                        .bind(fresh)
                        .bind(clock::now().micros()))?;
                    Ok(on_engine!(db => sqlx::query_scalar("SELECT value FROM secrets WHERE name = $1")
                        .bind(Self::NAME)
                        .fetch_one(db)
                        .await?))
                })
            })
            .await?;
        SecretBits::opened(sealer, SealPurpose::SiteSecret, Self::NAME, stored).map(Self)
    }

    /// The secret of the site, if it was made before.
    async fn made_before(database: &Database, sealer: Option<&Sealer>) -> Result<Option<Self>, AppError> {
        let db = &mut database.read().await?;
        let stored: Option<Vec<u8>> = on_engine!(db => sqlx::query_scalar("SELECT value FROM secrets WHERE name = $1")
                .bind(Self::NAME)
                .fetch_optional(db)
                .await?);
        let opened =
            |stored| SecretBits::opened(sealer, SealPurpose::SiteSecret, Self::NAME, stored).map(Self);
        stored.map(opened).transpose()
    }

    /// HMAC-SHA-256 (RFC 2104) over `parts`, which cannot run into each other.
    /// `purpose` keeps a seal of one kind from passing as one of another.
    #[must_use]
    pub fn seal(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        self.mac_of(purpose, parts).finalize().into_bytes().into()
    }

    /// Whether that is the [`Self::seal`] of the parts, in a time that does not tell
    /// where it differs.
    #[must_use]
    pub fn has_sealed(&self, purpose: &str, parts: &[&[u8]], seal: &[u8]) -> bool {
        self.mac_of(purpose, parts).verify_slice(seal).is_ok()
    }

    fn mac_of(&self, purpose: &str, parts: &[&[u8]]) -> Hmac<Sha256> {
        let mut mac = self.hmac();
        for part in [purpose.as_bytes()].iter().chain(parts) {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac
    }

    #[cfg(test)]
    pub(crate) fn for_test(byte: u8) -> Self {
        Self(SecretBits::of([byte; 32]))
    }

    fn hmac(&self) -> Hmac<Sha256> {
        // A key of any length will do (RFC 2104, 3).
        Hmac::new_from_slice(self.0.expose())
            .unwrap_or_else(|_| unreachable!("HMAC takes keys of every length"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_depends_on_the_secret_the_purpose_and_where_each_part_ends() {
        let secret = Secret::for_test(1);
        let seal = secret.seal("page", &[b"ab", b"c"]);
        assert_eq!(seal, secret.seal("page", &[b"ab", b"c"]));
        assert_ne!(seal, secret.seal("page", &[b"a", b"bc"]));
        assert_ne!(seal, secret.seal("pag", &[b"eab", b"c"]));
        assert_ne!(seal, Secret::for_test(2).seal("page", &[b"ab", b"c"]));
    }
}
