//! E-mail addresses, in the one form in which they are unique.

use std::fmt;

use unicode_normalization::{
    UnicodeNormalization,
    char::{canonical_combining_class, is_combining_mark},
};

/// An address: NFKC, lower case, the domain in its ASCII form (UTS #46), so
/// that one mailbox has one account (security row P6).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Email(String);

/// Why a text is no address. The words are the ones a form shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmailError {
    #[error("Enter an email address")]
    Empty,
    /// Not of the form `name@example.com`.
    #[error("Enter an email address in the form name@example.com")]
    Malformed,
}

impl Email {
    /// In bytes, from RFC 5321 4.5.3.1: path 256 less its brackets; local part 64.
    const MAX_BYTES: usize = 254;
    const MAX_LOCAL_BYTES: usize = 64;

    /// Canonical form first, then the rules; comments and quoted local parts
    /// of RFC 5322 are refused.
    pub fn parse(raw: &str) -> Result<Self, EmailError> {
        let text: String = raw.trim().nfkc().collect::<String>().to_lowercase().nfkc().collect();
        if text.is_empty() {
            return Err(EmailError::Empty);
        }
        let (local, domain) = text.rsplit_once('@').ok_or(EmailError::Malformed)?;
        let domain = idna::domain_to_ascii_strict(domain).map_err(|_| EmailError::Malformed)?;
        let local_fits = (1..=Self::MAX_LOCAL_BYTES).contains(&local.len()) && local.split('.').all(is_atom);
        let domain_fits = domain.contains('.') && domain.split('.').all(|label| !label.is_empty());
        let address = format!("{local}@{domain}");
        if local_fits && domain_fits && address.len() <= Self::MAX_BYTES {
            Ok(Self(address))
        } else {
            Err(EmailError::Malformed)
        }
    }

    /// The canonical text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `atext` of RFC 5322 3.2.3, and words of any script (RFC 6531 3.3), but only
/// their letters, marks and digits. So an address has nothing that ends a
/// header, is invisible, or changes the direction of the text beside it.
fn is_atom(atom: &str) -> bool {
    let mut before = None;
    atom.chars().all(|c| {
        let fits = match c {
            c if is_ignorable(c) => false,
            c if c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) => true,
            // A mark needs a letter that it stands with (RFC 5891 4.2.3.2).
            c if is_combining_mark(c) => before.is_some(),
            // Joiners, which scripts of India write behind a virama (RFC 5892 A.1, A.2).
            '\u{200c}' | '\u{200d}' => before.is_some_and(|c| canonical_combining_class(c) == VIRAMA),
            // Signs within words of Catalan, Greek, Hebrew and Japanese (RFC 5892 A.3 to A.7).
            '\u{b7}' | '\u{375}' | '\u{5f3}' | '\u{5f4}' | '\u{30fb}' => true,
            _ => false,
        };
        before = Some(c);
        fits
    }) && before.is_some()
}

/// The class of the signs that take a vowel away (UAX #44, table 15).
const VIRAMA: u8 = 9;

/// Letters and marks that are not seen (`Default_Ignorable_Code_Point`): with
/// one of them, two addresses would look alike.
const fn is_ignorable(c: char) -> bool {
    matches!(c,
        '\u{34f}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{e0100}'..='\u{e01ef}')
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_mailbox_has_one_form() {
        for raw in ["Ada@Example.ORG", " ada@example.org ", "ａｄａ@example.org", "ada@EXAMPLE.org"] {
            assert_eq!(Email::parse(raw).unwrap().as_str(), "ada@example.org", "{raw}");
        }
        assert_eq!(Email::parse("ada@bücher.example").unwrap().as_str(), "ada@xn--bcher-kva.example");
    }

    #[test]
    fn words_of_every_script_are_an_address() {
        for (raw, canonical) in [
            ("संपर्क@डाटामेल.भारत", "संपर्क@xn--c2bd4bq1db8d.xn--h2brj9c"),
            ("nguye\u{302}\u{303}n@example.org", "nguyễn@example.org"),
            ("Пётр@почта.рф", "пётр@xn--80a1acny.xn--p1ai"),
            ("مُحَمَّد@example.org", "مُحَمَّد@example.org"),
            ("ผู้ใช้@example.org", "ผู้ใช้@example.org"),
            ("ক্ষ@example.org", "ক্ষ@example.org"),
            ("ශ්\u{200d}රී@example.org", "ශ්\u{200d}රී@example.org"),
            ("גרש׳@example.org", "גרש׳@example.org"),
            ("用户@例子.广告", "用户@xn--fsqu00a.xn--4rr70v"),
            ("한글@example.org", "한글@example.org"),
            ("\u{130}x@example.org", "i\u{307}x@example.org"),
        ] {
            assert_eq!(Email::parse(raw).map(|email| email.to_string()), Ok(canonical.to_owned()), "{raw}");
        }
        // 64 octets of a local part, however few characters they are (RFC 5321 4.5.3.1.1).
        assert!(Email::parse(&format!("{}@example.org", "क".repeat(21))).is_ok());
        assert!(Email::parse(&format!("{}@example.org", "क".repeat(22))).is_err());
    }

    #[test]
    fn what_deceives_or_breaks_a_header_is_no_address() {
        for raw in [
            "a\u{202e}b@example.org",
            "a\u{2066}b@example.org",
            "a\u{200b}b@example.org",
            "a\u{200d}b@example.org",
            "a\u{ad}b@example.org",
            "a\u{feff}b@example.org",
            "a\u{34f}b@example.org",
            "a\u{fe0f}b@example.org",
            "a\u{3164}b@example.org",
            "a\u{e0041}b@example.org",
            "a\u{a0}b@example.org",
            "a\u{3000}b@example.org",
            "a\u{2028}b@example.org",
            "a\u{85}b@example.org",
            "a\u{0}b@example.org",
            "a\u{7f}b@example.org",
            "a\u{378}b@example.org",
            "a\u{e000}b@example.org",
            "a\u{ffff}b@example.org",
            "\u{301}a@example.org",
            "a.\u{301}b@example.org",
            "a\u{201d}b@example.org",
            "a\u{ff1c}b@example.org",
        ] {
            assert_eq!(Email::parse(raw), Err(EmailError::Malformed), "{raw:?}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for raw in [
            "ada",
            "@example.org",
            "ada@",
            "ada@localhost",
            "a b@example.org",
            "a@b@",
            "a..b@example.org",
            ".a@example.org",
            "a@exa mple.org",
            "a@-x.org",
            "a@x..org",
            "<a@example.org>",
            "a@example.org\nBcc: b@example.org",
        ] {
            assert_eq!(Email::parse(raw), Err(EmailError::Malformed), "{raw:?}");
        }
        assert_eq!(Email::parse("  "), Err(EmailError::Empty));
        assert_eq!(Email::parse(&format!("{}@example.org", "a".repeat(65))), Err(EmailError::Malformed));
    }

    proptest! {
        #[test]
        fn every_address_that_parses_is_canonical(raw in "[A-Za-z.+]{1,10}@[A-Za-z-]{1,9}\\.[a-zA-Zü]{2,5}|.{0,40}|\\PC{1,12}@example\\.org") {
            if let Ok(email) = Email::parse(&raw) {
                prop_assert_eq!(Email::parse(email.as_str()), Ok(email.clone()));
                prop_assert!(!email.as_str().contains(char::is_whitespace));
                prop_assert!(!email.as_str().contains(['<', '>', '"', ',', ';', ':', '\r', '\n']));
                prop_assert!(!email.as_str().contains(char::is_control));
            }
        }
    }
}
