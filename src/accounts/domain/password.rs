//! Passwords: which are allowed. None can be printed.

use std::iter;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use unicode_normalization::UnicodeNormalization;

use crate::{database::internal, error::AppError};

/// A password as given at login: not empty, not absurdly long.
#[derive(Clone, Debug)]
pub struct Password {
    normal: SecretString,
    /// As it was typed, where that is something else. Before passwords had a
    /// normal form, this was what was hashed.
    typed: Option<SecretString>,
}

/// A password that is good enough to be chosen (security row P4), in its normal
/// form.
#[derive(Clone, Debug)]
pub struct NewPassword(SecretString);

/// Why a text is no password. The words are the ones a form shows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    #[error("Enter a password")]
    Empty,
    /// Fewer than 8 characters.
    #[error("Password must be 8 characters or more")]
    TooShort,
    /// More than 1 KiB; refused before hashing, never cut.
    #[error("Password must be 1,024 bytes or fewer")]
    TooLong,
    /// Under 15 characters and easy to guess; the reason in words.
    #[error("{0} Use 15 characters or more, or a password that is harder to guess")]
    Guessable(String),
}

/// The one form in which a password is counted and hashed, so that it is the
/// same on every system (NIST SP 800-63B-4, 3.1.1.2). It follows the profile
/// OpaqueString of RFC 8265, 4.2.2: NFC, because some systems send an accent
/// apart from its letter, and every space becomes the plain one. NFKC would be
/// wrong: it makes different characters equal, and it makes eighteen characters
/// of a single one, which would then count as a long password.
fn normal_form(raw: &str) -> String {
    let with_plain_spaces = raw.chars().map(|c| match c {
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => ' ',
        other => other,
    });
    with_plain_spaces.nfc().collect()
}

impl Password {
    /// In bytes.
    const MAX_BYTES: usize = 1024;

    /// Any text of 1 to 1,024 bytes, in its normal form or as it was typed:
    /// nothing is trimmed, no letter folded.
    ///
    /// # Errors
    /// [`PasswordError::Empty`], [`PasswordError::TooLong`].
    pub fn parse(raw: &str) -> Result<Self, PasswordError> {
        let normal = normal_form(raw);
        match normal.len().min(raw.len()) {
            0 => Err(PasswordError::Empty),
            1..=Self::MAX_BYTES => {
                Ok(Self { typed: (raw != normal).then(|| raw.into()), normal: normal.into() })
            }
            _ => Err(PasswordError::TooLong),
        }
    }

    /// The bytes that may have been hashed, the normal form first. The number,
    /// one or two, depends on the password that was typed alone, so the time of
    /// a verification shows nothing.
    pub fn forms(&self) -> impl Iterator<Item = &[u8]> {
        iter::once(&self.normal).chain(&self.typed).map(|form| form.expose_secret().as_bytes())
    }
}

impl NewPassword {
    /// One that nobody knows, for an account that does without: 256 random bits.
    pub(super) fn random() -> Result<Self, AppError> {
        let mut bits = [0; 32];
        getrandom::fill(&mut bits).map_err(internal)?;
        Ok(Self(BASE64_URL_SAFE_NO_PAD.encode(bits).into()))
    }

    /// Long enough to need no estimate (NIST SP 800-63B-4, 3.1.1.2).
    const ANY_CHARS: usize = 15;
    const MIN_CHARS: usize = 8;
    /// zxcvbn looks at no more than this; its time grows with the square.
    const ESTIMATED_CHARS: usize = 72;

    /// 15 characters of any kind, or at least 8 that zxcvbn finds hard to guess
    /// (score 3 of 4), given `about`: what is known of the person.
    ///
    /// # Errors
    /// [`PasswordError`] names the broken rule, with a reason in words.
    pub fn parse(raw: &str, about: &[&str]) -> Result<Self, PasswordError> {
        let Password { normal: secret, .. } = Password::parse(raw)?;
        let normal = secret.expose_secret();
        if normal.len() > Password::MAX_BYTES {
            return Err(PasswordError::TooLong);
        }
        let chars = normal.chars().count();
        if chars < Self::MIN_CHARS {
            return Err(PasswordError::TooShort);
        }
        if chars < Self::ANY_CHARS {
            let known: Vec<&str> = about
                .iter()
                .copied()
                .chain(["byline"])
                .filter(|word| word.len() <= Self::ESTIMATED_CHARS)
                .collect();
            let estimate = zxcvbn::zxcvbn(normal, &known);
            if estimate.score() < zxcvbn::Score::Three {
                let reason = estimate.feedback().and_then(zxcvbn::feedback::Feedback::warning).map_or_else(
                    || "This password is easy to guess.".to_owned(),
                    |warning| warning.to_string(),
                );
                return Err(PasswordError::Guessable(reason));
            }
        }
        Ok(Self(secret))
    }

    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.expose_secret().as_bytes()
    }
}

/// A password that was right once is kept, even if it could not be chosen today.
impl From<Password> for NewPassword {
    fn from(password: Password) -> Self {
        Self(password.normal)
    }
}

/// Every password that may be chosen may be typed at login.
impl From<NewPassword> for Password {
    fn from(password: NewPassword) -> Self {
        Self { normal: password.0, typed: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(raw: &str) -> Result<NewPassword, PasswordError> {
        NewPassword::parse(raw, &["ada", "ada@example.org"])
    }

    #[test]
    fn fifteen_characters_of_anything_will_do() {
        assert!(choose("aaaaaaaaaaaaaaa").is_ok());
        assert!(choose(&"x".repeat(128)).is_ok());
        assert!(choose(&"x".repeat(1024)).is_ok());
        assert_eq!(choose(&"x".repeat(1025)).unwrap_err(), PasswordError::TooLong);
    }

    #[test]
    fn a_short_password_must_be_hard_to_guess() {
        assert_eq!(choose("a1B$9kq").unwrap_err(), PasswordError::TooShort);
        assert!(choose("kV9#qmz2Lw").is_ok());
        for weak in ["password", "12345678", "ada@example", "qwertyuiop", "byline2026"] {
            assert!(matches!(choose(weak), Err(PasswordError::Guessable(_))), "{weak}");
        }
    }

    #[test]
    fn the_refusal_says_why_in_words() {
        let said = choose("password").unwrap_err().to_string();
        assert!(said.contains("common password"), "{said}");
        assert!(said.contains("15 characters"), "{said}");
    }

    #[test]
    fn no_character_is_dropped() {
        let long = "x".repeat(100);
        let parse = |last: char| Password::parse(&format!("{long}{last}")).unwrap();
        assert!(!parse('a').forms().eq(parse('b').forms()));
        assert!(Password::parse(" x ").unwrap().forms().eq([b" x "]));
    }

    #[test]
    fn a_password_has_one_form_and_is_counted_in_it() {
        let forms = |raw: &str| {
            let password = Password::parse(raw).unwrap();
            password.forms().map(|form| String::from_utf8(form.to_vec()).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(forms("z\u{30c}\u{a0}x"), ["\u{17e} x", "z\u{30c}\u{a0}x"]);
        assert_eq!(forms("\u{17e} x"), ["\u{17e} x"]);
        assert_eq!(forms("\u{212b}"), ["\u{c5}", "\u{212b}"], "the sign for Ångström is its letter");
        assert_eq!(forms("x\u{b2}"), ["x\u{b2}"], "a square is no two");
        assert_eq!(
            choose(&"e\u{301}".repeat(7)).unwrap_err(),
            PasswordError::TooShort,
            "seven letters, typed as fourteen"
        );
        assert!(choose(&"e\u{301}".repeat(15)).is_ok());
        // Three bytes a syllable, typed as nine.
        assert!(choose(&"\u{1112}\u{1161}\u{11ab}".repeat(341)).is_ok());
        assert_eq!(choose(&"\u{1112}\u{1161}\u{11ab}".repeat(342)).unwrap_err(), PasswordError::TooLong);
    }

    #[test]
    fn a_password_is_never_printed() {
        let password = NewPassword::parse("correct horse battery", &[]).unwrap();
        assert!(!format!("{password:?}").contains("horse"));
    }
}
