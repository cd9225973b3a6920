//! Passwords: which ones may be chosen, and none that can be printed.

use std::fmt;

/// A password as typed at login: not empty, not absurdly long.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

/// A password that is good enough to be chosen (security row P4).
#[derive(Clone, PartialEq, Eq)]
pub struct NewPassword(String);

/// Why a text is no password. The words are the ones a form shows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Nothing was entered.
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

impl Password {
    /// In bytes.
    const MAX_BYTES: usize = 1024;

    /// Any text of 1 to 1,024 bytes, as it is: nothing is trimmed or folded.
    ///
    /// # Errors
    /// [`PasswordError::Empty`], [`PasswordError::TooLong`].
    pub fn parse(raw: &str) -> Result<Self, PasswordError> {
        match raw.len() {
            0 => Err(PasswordError::Empty),
            1..=Self::MAX_BYTES => Ok(Self(raw.to_owned())),
            _ => Err(PasswordError::TooLong),
        }
    }

    /// The bytes to hash.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl NewPassword {
    /// Long enough to need no estimate (NIST SP 800-63B-4, 3.1.1.2).
    const ANY_CHARS: usize = 15;
    const MIN_CHARS: usize = 8;
    /// zxcvbn looks at no more than this; its time grows with the square.
    const ESTIMATED_CHARS: usize = 72;

    /// 15 characters of anything, or 8 and more that zxcvbn finds hard to
    /// guess (score 3 of 4) given `about`, what is known of the person.
    ///
    /// # Errors
    /// [`PasswordError`] names the broken rule, with a reason in words.
    pub fn parse(raw: &str, about: &[&str]) -> Result<Self, PasswordError> {
        let password = Password::parse(raw)?;
        let chars = raw.chars().count();
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
            let estimate = zxcvbn::zxcvbn(raw, &known);
            if estimate.score() < zxcvbn::Score::Three {
                let reason = estimate.feedback().and_then(zxcvbn::feedback::Feedback::warning).map_or_else(
                    || "This password is easy to guess.".to_owned(),
                    |warning| warning.to_string(),
                );
                return Err(PasswordError::Guessable(reason));
            }
        }
        Ok(Self(password.0))
    }

    /// The bytes to hash.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// A password that was right once is kept, even if it could not be chosen today.
impl From<Password> for NewPassword {
    fn from(password: Password) -> Self {
        Self(password.0)
    }
}

/// What may be chosen may be typed.
impl From<NewPassword> for Password {
    fn from(password: NewPassword) -> Self {
        Self(password.0)
    }
}

/// Neither type shows what it holds, in a log or anywhere.
macro_rules! redacted {
    ($($name:ident)*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )*};
}
redacted! { Password NewPassword }

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
        assert_eq!(choose(&"x".repeat(1025)), Err(PasswordError::TooLong));
    }

    #[test]
    fn a_short_password_must_be_hard_to_guess() {
        assert_eq!(choose("a1B$9kq"), Err(PasswordError::TooShort));
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
        assert_ne!(Password::parse(&format!("{long}a")), Password::parse(&format!("{long}b")));
        assert_eq!(Password::parse(" x ").unwrap().as_bytes(), b" x ");
    }

    #[test]
    fn a_password_is_never_printed() {
        let password = NewPassword::parse("correct horse battery", &[]).unwrap();
        assert!(!format!("{password:?}").contains("horse"));
    }
}
