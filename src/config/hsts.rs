//! How long browsers come by https alone (setting `site.hsts`; RFC 6797).

use std::str::FromStr;

use axum::http::HeaderValue;

/// What `Strict-Transport-Security` says, where the site is reached by https.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hsts(Option<HeaderValue>);

/// Why a text is no such rule. The words are for the setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be off, or a number of days from 0 to 3650, and with-subdomains after it where it is to hold for every name below this one"
)]
pub struct HstsError;

impl Hsts {
    /// Two years, the least that browsers' preload lists take.
    pub const DEFAULT: &'static str = "730 with-subdomains";
    const MAX_DAYS: u32 = 3650;

    /// The header; `None` for none.
    #[must_use]
    pub fn header(&self) -> Option<HeaderValue> {
        self.0.clone()
    }
}

impl Default for Hsts {
    fn default() -> Self {
        Self(Some(HeaderValue::from_static("max-age=63072000; includeSubDomains")))
    }
}

impl FromStr for Hsts {
    type Err = HstsError;

    fn from_str(raw: &str) -> Result<Self, HstsError> {
        let mut words = raw.split_whitespace();
        let (first, second, third) = (words.next().ok_or(HstsError)?, words.next(), words.next());
        let ending = match (second, third) {
            (None, None) => "",
            (Some("with-subdomains"), None) => "; includeSubDomains",
            _ => return Err(HstsError),
        };
        if first == "off" && ending.is_empty() {
            return Ok(Self(None));
        }
        let days: u32 = first.parse().map_err(|_| HstsError)?;
        if days > Self::MAX_DAYS {
            return Err(HstsError);
        }
        let seconds = days * 24 * 60 * 60;
        HeaderValue::try_from(format!("max-age={seconds}{ending}"))
            .map(|header| Self(Some(header)))
            .map_err(|_| HstsError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_a_number_of_days_or_off() {
        let header = |raw: &str| {
            let rule = raw.parse::<Hsts>().ok()?;
            Some(rule.header().map(|header| header.to_str().expect("a text").to_owned()))
        };
        assert_eq!(Hsts::DEFAULT.parse(), Ok(Hsts::default()));
        assert_eq!(header("off"), Some(None));
        assert_eq!(header(" 365 "), Some(Some("max-age=31536000".to_owned())));
        assert_eq!(header("0 with-subdomains"), Some(Some("max-age=0; includeSubDomains".to_owned())));
        for none in ["", "x", "-1", "3651", "off with-subdomains", "1 with", "1 with-subdomains x"] {
            assert_eq!(header(none), None, "{none}");
        }
    }
}
