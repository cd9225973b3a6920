//! Recovery codes: for whoever has lost the app.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::credentials::{Secret, UserId};

/// A code that counts once: 80 random bits, so nobody guesses one, not even by its
/// hash. Shown and typed as sixteen letters and digits that are not taken for
/// each other (Crockford's base 32).
#[derive(Clone, PartialEq, Eq)]
pub struct RecoveryCode([u8; RecoveryCode::BYTES]);

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode")
    }
}

impl RecoveryCode {
    const BYTES: usize = 10;
    const CHARS: usize = 16;
    const ALPHABET: &'static [u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

    /// One of those that a request with this idempotency key makes. Made again
    /// from the same, so a form that is sent twice shows the same codes. Only
    /// who knows the key can make them again; the database has its hash alone.
    pub(super) fn derive(secret: &Secret, user: &UserId, key: &str, number: u8) -> Self {
        let seal = secret.seal("recovery code", &[user.as_str().as_bytes(), key.as_bytes(), &[number]]);
        let mut bytes = [0; Self::BYTES];
        bytes.copy_from_slice(&seal[..Self::BYTES]);
        Self(bytes)
    }

    /// As people type it: in any case, with hyphens and spaces anywhere, `o` for
    /// zero, `i` and `l` for one. `None` if it is none.
    pub(super) fn parse(raw: &str) -> Option<Self> {
        let mut bits: u128 = 0;
        let mut chars = 0;
        for letter in raw.chars().filter(|c| !c.is_whitespace() && *c != '-').take(Self::CHARS + 1) {
            let letter = match letter.to_ascii_lowercase() {
                'o' => '0',
                'i' | 'l' => '1',
                other => other,
            };
            let value = Self::ALPHABET.iter().position(|known| char::from(*known) == letter)?;
            bits = (bits << 5) | value as u128;
            chars += 1;
        }
        let mut bytes = [0; Self::BYTES];
        bytes.copy_from_slice(&bits.to_be_bytes()[16 - Self::BYTES..]);
        (chars == Self::CHARS).then_some(Self(bytes))
    }

    /// As it is stored.
    pub(super) fn hash(&self) -> Vec<u8> {
        Sha256::digest(self.0).to_vec()
    }

    /// As it is shown.
    #[must_use]
    pub fn text(&self) -> String {
        let mut wide = [0; 16];
        wide[16 - Self::BYTES..].copy_from_slice(&self.0);
        let bits = u128::from_be_bytes(wide);
        let mut text = String::with_capacity(Self::CHARS + 3);
        for at in 0..Self::CHARS {
            if at > 0 && at % 4 == 0 {
                text.push('-');
            }
            let value = (bits >> (5 * (Self::CHARS - 1 - at))) & 31;
            text.push(char::from(Self::ALPHABET[value as usize]));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_code_is_read_as_it_was_shown_however_it_is_typed(bytes: [u8; 10]) {
            let code = RecoveryCode(bytes);
            let text = code.text();
            prop_assert_eq!(text.len(), 19);
            for typed in [
                text.clone(),
                text.to_uppercase(),
                text.replace('-', ""),
                text.replace('-', " "),
                text.replace('0', "o").replace('1', "L"),
            ] {
                prop_assert_eq!(RecoveryCode::parse(&typed), Some(code.clone()));
            }
        }

        #[test]
        fn no_text_breaks_the_parser(raw in ".{0,40}") {
            if let Some(code) = RecoveryCode::parse(&raw) {
                prop_assert_eq!(RecoveryCode::parse(&code.text()), Some(code));
            }
        }
    }

    #[test]
    fn what_is_no_code_is_none() {
        for wrong in ["", "123456", "0123-4567-89ab-cde", "0123-4567-89ab-cdef-g", "0123-4567-89ab-cdeu"] {
            assert_eq!(RecoveryCode::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn codes_differ_by_number_key_and_person() {
        let secret = Secret::for_test(1);
        let user = |id: &str| UserId::from_stored(id.to_owned());
        let code = RecoveryCode::derive(&secret, &user("1"), "key", 0);
        assert_eq!(code, RecoveryCode::derive(&secret, &user("1"), "key", 0));
        for other in [
            RecoveryCode::derive(&secret, &user("1"), "key", 1),
            RecoveryCode::derive(&secret, &user("1"), "other", 0),
            RecoveryCode::derive(&secret, &user("2"), "key", 0),
            RecoveryCode::derive(&Secret::for_test(2), &user("1"), "key", 0),
        ] {
            assert_ne!(code, other);
        }
        assert_eq!(format!("{code:?}"), "RecoveryCode");
    }
}
