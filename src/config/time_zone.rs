//! The time zone in which a site shows dates.

use std::{fmt, str::FromStr};

use jiff::{Zoned, tz::TimeZone};

use crate::timestamp::Timestamp;

/// The time zone of a site (setting `site.time-zone`): a name of the IANA database, which is
/// part of the program, so that a page is the same on every machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteTimeZone(TimeZone);

/// The name is that of no time zone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no time zone; write one like Europe/Berlin or UTC")]
pub struct TimeZoneError(String);

impl Default for SiteTimeZone {
    fn default() -> Self {
        Self(TimeZone::UTC)
    }
}

impl FromStr for SiteTimeZone {
    type Err = TimeZoneError;

    fn from_str(raw: &str) -> Result<Self, TimeZoneError> {
        TimeZone::get(raw.trim()).map(Self).map_err(|_| TimeZoneError(raw.to_owned()))
    }
}

impl fmt::Display for SiteTimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.iana_name().unwrap_or("UTC"))
    }
}

impl SiteTimeZone {
    /// `23 November 2026`; what people read.
    #[must_use]
    pub fn day(&self, at: Timestamp) -> String {
        self.zoned(at).strftime("%-d %B %Y").to_string()
    }

    /// `23 November 2026, 09:05 CET`; for people who want to know exactly.
    #[must_use]
    pub fn moment(&self, at: Timestamp) -> String {
        self.zoned(at).strftime("%-d %B %Y, %H:%M %Z").to_string()
    }

    /// Out-of-range values read as 1970, as [`Timestamp::date_time`] has it.
    fn zoned(&self, at: Timestamp) -> Zoned {
        jiff::Timestamp::from_microsecond(at.micros()).unwrap_or_default().to_zoned(self.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIDNIGHT: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

    #[test]
    fn a_day_is_that_of_the_zone() {
        let utc = SiteTimeZone::default();
        assert_eq!(utc.day(MIDNIGHT), "14 November 2023");
        assert_eq!(utc.moment(MIDNIGHT), "14 November 2023, 22:13 UTC");
        let berlin: SiteTimeZone = "Europe/Berlin".parse().unwrap();
        assert_eq!(berlin.moment(MIDNIGHT), "14 November 2023, 23:13 CET");
        let tokyo: SiteTimeZone = "Asia/Tokyo".parse().unwrap();
        assert_eq!(
            (tokyo.day(MIDNIGHT), tokyo.to_string()),
            ("15 November 2023".into(), "Asia/Tokyo".into())
        );
        assert!("Atlantis/Centre".parse::<SiteTimeZone>().is_err());
        assert_eq!(utc.day(Timestamp::from_micros(i64::MAX)), "1 January 1970");
    }
}
