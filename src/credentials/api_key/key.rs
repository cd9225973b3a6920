//! The API key that a client holds.

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::credentials::{Secret, UserId};

/// A text with the format of an API key: `byl_`, 32 base62 characters, and 6
/// more for the CRC-32 of these 36. Scanners for leaked secrets recognise the
/// format, and a mistyped key is refused without a query.
#[derive(Clone, Debug)]
pub struct ApiKey(SecretString);

impl ApiKey {
    const PREFIX: &str = "byl_";
    /// 190 bits of randomness.
    const RANDOM_CHARS: usize = 32;
    const CHECKSUM_CHARS: usize = 6;
    /// Of the 32, 4 are shown in lists: 166 bits stay unknown.
    const HINT_CHARS: usize = 4;

    /// Checks the format alone; the database is not asked.
    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        let checksum_at = Self::PREFIX.len() + Self::RANDOM_CHARS;
        let fits = raw.len() == checksum_at + Self::CHECKSUM_CHARS
            && raw.strip_prefix(Self::PREFIX)?.bytes().all(|b| b.is_ascii_alphanumeric())
            && raw[checksum_at..] == checksum(&raw[..checksum_at]);
        fits.then(|| Self(raw.into()))
    }

    /// The key for an operation of `owner` (the site itself if absent) and the
    /// row `id`. The same three give the same key, so a form that is sent twice
    /// shows it again, although it is stored nowhere. The operation is not
    /// stored either, so the database alone does not reveal the key. An id is
    /// used once, so no operation restores a revoked key.
    pub(crate) fn derive(secret: &Secret, owner: Option<&UserId>, operation: &str, id: &str) -> Self {
        let owner = owner.map_or("", UserId::as_str);
        let seal = secret.seal("api key", &[owner.as_bytes(), operation.as_bytes(), id.as_bytes()]);
        let key = format!("{}{}", Self::PREFIX, base62(seal, Self::RANDOM_CHARS));
        let checksum = checksum(&key);
        Self((key + &checksum).into())
    }

    /// The key of the site itself in the row `id`: everyone may know it, so
    /// the site can write it again.
    pub(crate) fn public(secret: &Secret, id: &str) -> Self {
        Self::derive(secret, None, "", id)
    }

    /// The hash that is stored in place of the key.
    pub(crate) fn hash(&self) -> Vec<u8> {
        Sha256::digest(self.0.expose_secret()).to_vec()
    }

    /// The first characters, to tell the key from others.
    pub(crate) fn hint(&self) -> &str {
        &self.0.expose_secret()[..Self::PREFIX.len() + Self::HINT_CHARS]
    }
}

/// For whoever is shown the key. A plain text, because it is copied into an
/// answer or a page.
impl From<ApiKey> for String {
    fn from(key: ApiKey) -> Self {
        key.0.expose_secret().to_owned()
    }
}

fn checksum(of: &str) -> String {
    base62(crc32fast::hash(of.as_bytes()).to_be_bytes(), ApiKey::CHECKSUM_CHARS)
}

/// The last `digits` digits of a big-endian number to the base of 62.
fn base62<const BYTES: usize>(mut number: [u8; BYTES], digits: usize) -> String {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut text: Vec<char> = Vec::with_capacity(digits);
    for _ in 0..digits {
        // Long division, byte by byte; what remains is the next digit from the right.
        let mut remainder = 0;
        for byte in &mut number {
            let part = remainder * 256 + u16::from(*byte);
            // Below 256, because the remainder was below 62.
            *byte = u8::try_from(part / 62).unwrap_or_default();
            remainder = part % 62;
        }
        text.push(char::from(ALPHABET[usize::from(remainder)]));
    }
    text.into_iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reckoned by another program, from HMAC-SHA-256 and the alphabet alone.
    const KEY: &str = "byl_APKCvMUBquNjxyBTP8UkjoIA0IafyUY41VisZ4";

    fn derived(operation: &str, id: &str) -> String {
        let owner = UserId::from_stored("owner".to_owned());
        ApiKey::derive(&Secret::for_test(1), Some(&owner), operation, id).into()
    }

    #[test]
    fn a_key_has_its_form_and_begins_with_its_hint() {
        let key = derived("wish", "1");
        assert_eq!(key, KEY);
        assert_eq!(ApiKey::parse(&key).expect("a key").hint(), &key[..8]);
    }

    #[test]
    fn another_wish_row_owner_or_secret_gives_another_key() {
        let owner = UserId::from_stored("owner".to_owned());
        let keys: std::collections::BTreeSet<String> = [
            derived("wish", "1"),
            derived("other wish", "1"),
            derived("wish", "2"),
            ApiKey::derive(&Secret::for_test(1), None, "wish", "1").into(),
            ApiKey::derive(&Secret::for_test(2), Some(&owner), "wish", "1").into(),
        ]
        .into();
        assert_eq!(keys.len(), 5);
    }

    #[test]
    fn what_has_another_prefix_length_alphabet_or_checksum_is_no_key() {
        let with = |at: usize, other: &str| format!("{}{other}{}", &KEY[..at], &KEY[at + other.len()..]);
        assert!(ApiKey::parse(KEY).is_some());
        for bad in [
            String::new(),
            "byl_".to_owned(),
            KEY.to_uppercase(),
            with(0, "da2-"),
            with(10, "-"),
            with(10, "é"),
            with(10, if KEY.as_bytes()[10] == b'x' { "y" } else { "x" }),
            with(41, if KEY.as_bytes()[41] == b'x' { "y" } else { "x" }),
            format!("{KEY} "),
            format!(" {KEY}"),
            format!("{KEY}x"),
            KEY[..41].to_owned(),
        ] {
            assert!(ApiKey::parse(&bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn a_number_is_written_with_all_its_digits() {
        assert_eq!(base62([0, 0], 3), "000");
        assert_eq!(base62([0, 61], 3), "00z");
        assert_eq!(base62([1, 0], 3), "048", "256 is 4 * 62 + 8");
        assert_eq!(base62(u32::MAX.to_be_bytes(), 6), "4gfFC3");
    }

    proptest! {
        #[test]
        fn every_key_that_is_made_is_one_and_any_other_text_is_refused(
            operation in ".{0,20}", id in ".{0,20}", at in 0_usize..42, other in any::<char>(),
        ) {
            let key = derived(&operation, &id);
            prop_assert!(ApiKey::parse(&key).is_some());
            let changed: String = key.chars().enumerate().map(|(i, c)| if i == at { other } else { c }).collect();
            prop_assert_eq!(ApiKey::parse(&changed).is_some(), changed == key);
        }
    }
}
