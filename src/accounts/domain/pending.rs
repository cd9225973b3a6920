//! A login between its two steps: the password was right, the code is still to come.

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::hashing::fingerprint;
use crate::{
    clock,
    credentials::{Secret, User},
    database::internal,
    error::AppError,
    site::Site,
    timestamp::Timestamp,
};

/// What the site still needs a second factor for. It can be stored anywhere, as a
/// text that only this site can make ([`Self::seal`]), so any of its processes
/// finishes the login. Alone it proves nothing but that the password was known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingLogIn {
    pub user: User,
    /// The [`fingerprint`] of its hash: a new password ends it.
    password: [u8; 32],
    /// In microseconds since 1970 UTC.
    begun_at: i64,
}

impl PendingLogIn {
    /// How long a person may take to enter the code.
    pub const TIME: Duration = Duration::from_secs(10 * 60);
    const PURPOSE: &'static str = "pending log-in";

    /// After a password was right, whose stored hash is `hash`.
    pub(super) fn begun(user: User, hash: &str) -> Self {
        Self { user, password: fingerprint(hash), begun_at: clock::now().micros() }
    }

    /// Whether the password is still the one that was right.
    pub(super) fn is_of(&self, hash: &str) -> bool {
        self.password == fingerprint(hash)
    }

    pub(super) fn is_over(&self) -> bool {
        Timestamp::from_micros(self.begun_at).after(Self::TIME) <= clock::now()
    }

    /// As a text of visible ASCII, under a seal of the site.
    pub async fn seal(&self, site: &Site) -> Result<String, AppError> {
        self.sealed_by(site.secret().await?)
    }

    fn sealed_by(&self, secret: &Secret) -> Result<String, AppError> {
        let json = serde_json::to_vec(self).map_err(internal)?;
        let seal = secret.seal(Self::PURPOSE, &[&json]);
        Ok(format!("{}.{}", BASE64_URL_SAFE_NO_PAD.encode(&json), BASE64_URL_SAFE_NO_PAD.encode(seal)))
    }

    /// From a text of [`Self::seal`]; `None` for any other, and when it is over.
    pub async fn open(site: &Site, raw: &str) -> Result<Option<Self>, AppError> {
        let Some(secret) = site.secret_made_before().await? else { return Ok(None) };
        Ok(Self::opened_by(secret, raw).filter(|pending| !pending.is_over()))
    }

    fn opened_by(secret: &Secret, raw: &str) -> Option<Self> {
        let (json, seal) = raw.split_once('.')?;
        let json = BASE64_URL_SAFE_NO_PAD.decode(json).ok()?;
        let seal = BASE64_URL_SAFE_NO_PAD.decode(seal).ok()?;
        let is_ours = secret.has_sealed(Self::PURPOSE, &[&json], &seal);
        is_ours.then(|| serde_json::from_slice(&json).ok()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pending_login_is_opened_by_its_own_site_and_unchanged_alone() {
        let pending = PendingLogIn::begun(User::for_test("ada"), "hash");
        let text = pending.sealed_by(&Secret::for_test(1)).unwrap();
        assert_eq!(PendingLogIn::opened_by(&Secret::for_test(1), &text), Some(pending.clone()));
        assert_eq!(PendingLogIn::opened_by(&Secret::for_test(2), &text), None);
        for at in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            // The last character of base64 has bits that mean nothing; the decoder refuses them.
            assert_eq!(PendingLogIn::opened_by(&Secret::for_test(1), &changed), None, "byte {at}");
        }
        for wrong in ["", ".", "a.b", &text[..text.len() - 1], &format!("{text}A")] {
            assert_eq!(PendingLogIn::opened_by(&Secret::for_test(1), wrong), None, "{wrong}");
        }
    }

    #[test]
    fn it_ends_with_the_password_and_after_ten_minutes() {
        let mut pending = PendingLogIn::begun(User::for_test("ada"), "hash");
        assert!(pending.is_of("hash") && !pending.is_of("another") && !pending.is_over());
        pending.begun_at -= 600_000_000;
        assert!(pending.is_over());
    }
}
