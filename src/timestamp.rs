//! Points in time, as they are stored and sent.

use std::{fmt, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

/// A point in time: microseconds since 1970-01-01T00:00:00Z in the database,
/// RFC 3339 on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// The time cannot be written as RFC 3339 has it, whose years have four digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a time has to be between the years 0 and 9999, in UTC")]
pub struct OutOfRange;

impl Timestamp {
    /// 0000-01-01T00:00:00Z.
    const FIRST: i64 = -62_167_219_200_000_000;
    /// 9999-12-31T23:59:59.999999Z.
    const LAST: i64 = 253_402_300_799_999_999;

    /// From microseconds since 1970 UTC, as Byline itself has stored or counted them.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// From microseconds since 1970 UTC that somebody else names.
    ///
    /// # Errors
    /// [`OutOfRange`].
    pub fn try_from_micros(micros: i64) -> Result<Self, OutOfRange> {
        if (Self::FIRST..=Self::LAST).contains(&micros) { Ok(Self(micros)) } else { Err(OutOfRange) }
    }

    /// Microseconds since 1970 UTC.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// `2026-11-23T09:05:00.123456Z`; what programs read.
    #[must_use]
    pub fn rfc3339(self) -> String {
        self.date_time().format(&Rfc3339).unwrap_or_default()
    }

    /// `2026-11-23T09:05:00.123Z`: always 24 characters between the years 0 and
    /// 9999, so that texts order as the times they stand for. `<time datetime>` takes no more
    /// digits than these (HTML, 2.3.5.4).
    #[must_use]
    pub fn rfc3339_millis(self) -> String {
        let format = time::macros::format_description!(
            "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z"
        );
        self.date_time().format(format).unwrap_or_default()
    }

    /// `Mon, 23 Nov 2026 09:05:00 GMT`; what HTTP has in headers (IMF-fixdate, RFC 9110,
    /// 5.6.7).
    #[must_use]
    pub fn http_date(self) -> String {
        let format = time::macros::format_description!(
            "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
        );
        self.date_time().format(format).unwrap_or_default()
    }

    /// Milliseconds since 1970 UTC.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// `09:05`, in UTC.
    #[must_use]
    pub fn minute(self) -> String {
        self.date_time().format(time::macros::format_description!("[hour]:[minute]")).unwrap_or_default()
    }

    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }

    #[must_use]
    pub fn before(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }

    /// The same as a date and time in UTC. Out-of-range values (before the year -9999, after 9999) read as 1970.
    #[must_use]
    pub fn date_time(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
            .to_offset(UtcOffset::UTC)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.rfc3339())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let date_time = OffsetDateTime::parse(&text, &Rfc3339).map_err(D::Error::custom)?;
        Self::try_from(date_time).map_err(D::Error::custom)
    }
}

/// With a distance from UTC, a date of a year with four digits may be one of another year.
impl TryFrom<OffsetDateTime> for Timestamp {
    type Error = OutOfRange;

    fn try_from(date_time: OffsetDateTime) -> Result<Self, OutOfRange> {
        let micros = i64::try_from(date_time.unix_timestamp_nanos().div_euclid(1000));
        micros.map_err(|_| OutOfRange).and_then(Self::try_from_micros)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wire_form_keeps_every_microsecond() {
        for micros in [0, 1, 1_700_000_000_123_456, -1] {
            let time = Timestamp::from_micros(micros);
            let json = serde_json::to_string(&time).unwrap();
            assert_eq!(serde_json::from_str::<Timestamp>(&json).unwrap(), time, "{json}");
        }
    }

    #[test]
    fn a_time_that_cannot_be_written_is_not_read() {
        let read = |text: &str| serde_json::from_str::<Timestamp>(&format!("\"{text}\""));
        for text in ["0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"] {
            assert_eq!(read(text).unwrap().rfc3339(), text);
        }
        for text in ["9999-12-31T23:59:59-23:59", "0000-01-01T00:00:00+00:01"] {
            assert!(read(text).is_err(), "{text}");
        }
        for micros in [253_402_300_800_000_000, -62_167_219_200_000_001, i64::MIN, i64::MAX] {
            assert_eq!(Timestamp::try_from_micros(micros), Err(OutOfRange), "{micros}");
        }
    }

    #[test]
    fn a_date_of_http_has_the_fixed_form() {
        assert_eq!(Timestamp::from_micros(784_111_777_999_999).http_date(), "Sun, 06 Nov 1994 08:49:37 GMT");
    }
}
