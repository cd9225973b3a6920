//! The site's own style sheet (setting `site.css`).

use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::text::hex;

/// A style sheet of 64 KiB at most, and the name under which it is served.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiteCss {
    text: String,
    hash: String,
}

/// The style sheet is too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be {max} bytes or fewer", max = SiteCss::MAX_BYTES)]
pub struct SiteCssError;

impl SiteCss {
    pub const MAX_BYTES: usize = 64 << 10;

    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// A hash of the text; empty where there is none.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }
}

impl FromStr for SiteCss {
    type Err = SiteCssError;

    fn from_str(raw: &str) -> Result<Self, SiteCssError> {
        if raw.len() > Self::MAX_BYTES {
            return Err(SiteCssError);
        }
        let text = raw.trim().to_owned();
        let hash = if text.is_empty() { String::new() } else { hex(&Sha256::digest(&text)[..8]) };
        Ok(Self { text, hash })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_is_named_by_its_text_and_has_64_kib_at_most() {
        let sheet = |raw: &str| raw.parse::<SiteCss>();
        assert_eq!(sheet(" \n"), Ok(SiteCss::default()));
        let [one, two] = ["a{}", "b{}"].map(|raw| sheet(raw).expect("a sheet"));
        assert!(one.hash().len() == 16 && one.hash() != two.hash());
        assert!(sheet(&"x".repeat(64 << 10)).is_ok());
        assert_eq!(sheet(&"x".repeat((64 << 10) + 1)), Err(SiteCssError));
    }
}
