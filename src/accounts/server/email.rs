//! E-mail addresses in the one form under which they are unique.

use std::fmt;

use unicode_normalization::UnicodeNormalization;

/// An address: NFKC, lower case, the domain in its ASCII form (UTS #46), so
/// that one mailbox has one account (security row P6).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Email(String);

/// Why a text is no address. The words are the ones a form shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmailError {
    /// Nothing was entered.
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
    ///
    /// # Errors
    /// [`EmailError`] names the broken rule.
    pub fn parse(raw: &str) -> Result<Self, EmailError> {
        let text: String = raw.trim().nfkc().collect::<String>().to_lowercase();
        if text.is_empty() {
            return Err(EmailError::Empty);
        }
        let (local, domain) = text.rsplit_once('@').ok_or(EmailError::Malformed)?;
        let domain = idna::domain_to_ascii_strict(domain).map_err(|_| EmailError::Malformed)?;
        let local_fits = (1..=Self::MAX_LOCAL_BYTES).contains(&local.len())
            && local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atom));
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

/// `atext` of RFC 5322 3.2.3, with letters and digits of any script (RFC 6531 3.3).
fn is_atom(c: char) -> bool {
    c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c)
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
        fn every_address_that_parses_is_canonical(raw in "[A-Za-z.+]{1,10}@[A-Za-z-]{1,9}\\.[a-zA-Zü]{2,5}|.{0,40}") {
            if let Ok(email) = Email::parse(&raw) {
                prop_assert_eq!(Email::parse(email.as_str()), Ok(email.clone()));
                prop_assert!(!email.as_str().contains(char::is_whitespace));
                prop_assert!(!email.as_str().contains(['<', '>', '"', ',', ';', ':', '\r', '\n']));
            }
        }
    }
}
