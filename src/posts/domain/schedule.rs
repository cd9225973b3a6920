//! The time at which a post is to be published, as its author types it.

use std::time::Duration;

use time::{
    OffsetDateTime, PrimitiveDateTime, UtcOffset, format_description::well_known::Rfc3339,
    macros::format_description,
};

use crate::{clock, timestamp::Timestamp};

/// The furthest time to come.
const FURTHEST: Duration = Duration::from_secs(10 * 366 * 24 * 60 * 60);

/// A time that an author typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublishTime {
    pub at: Timestamp,
    /// How many minutes their clock is before UTC.
    pub utc_offset: i64,
}

/// Why a text is no such time. The words are the ones a form shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublishTimeError {
    #[error("Enter a date and a time, like 2026-12-24T18:00")]
    Unreadable,
    #[error("Choose your distance from UTC, like +01:00")]
    Offset,
    #[error("Choose a time to come, within ten years")]
    NotToCome,
}

impl PublishTime {
    /// A local date and time as a browser sends it (HTML 2.3.5.7), with the distance from
    /// UTC beside it; or with the distance in it (RFC 3339), as a program sends it. `None`
    /// for an empty text.
    ///
    /// # Errors
    /// A sentence for the form.
    pub fn parse(raw: &str, utc_offset: Option<&str>) -> Result<Option<Self>, PublishTimeError> {
        let raw = raw.trim();
        if raw.is_empty() {
            return Ok(None);
        }
        let at = match OffsetDateTime::parse(raw, &Rfc3339) {
            Ok(at) => at,
            Err(_) => local(raw)?.assume_offset(offset(utc_offset.unwrap_or_default())?),
        };
        let utc_offset = i64::from(at.offset().whole_seconds() / 60);
        let at = Timestamp::try_from(at).map_err(|_| PublishTimeError::Unreadable)?;
        Ok(Some(Self { at, utc_offset }))
    }

    /// Whether a post can be published then.
    ///
    /// # Errors
    /// [`PublishTimeError::NotToCome`].
    pub fn check(self) -> Result<Self, PublishTimeError> {
        let now = clock::now();
        if self.at > now && self.at <= now.after(FURTHEST) {
            Ok(self)
        } else {
            Err(PublishTimeError::NotToCome)
        }
    }
}

fn local(raw: &str) -> Result<PrimitiveDateTime, PublishTimeError> {
    let minutes = format_description!("[year]-[month]-[day]T[hour]:[minute]");
    let seconds = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");
    let raw = raw.replacen(' ', "T", 1);
    let parsed = PrimitiveDateTime::parse(&raw, minutes).or_else(|_| PrimitiveDateTime::parse(&raw, seconds));
    parsed.map_err(|_| PublishTimeError::Unreadable)
}

fn offset(raw: &str) -> Result<UtcOffset, PublishTimeError> {
    match raw.trim() {
        "" | "Z" | "UTC" => Ok(UtcOffset::UTC),
        raw => {
            let format = format_description!("[offset_hour sign:mandatory]:[offset_minute]");
            UtcOffset::parse(raw, format).map_err(|_| PublishTimeError::Offset)
        }
    }
}

/// A time as the control of a form has it, on the clock of its author.
#[must_use]
pub fn shown(at: Timestamp, utc_offset: i64) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]");
    let there = Timestamp::from_micros(at.micros().saturating_add(utc_offset.saturating_mul(60_000_000)));
    there.date_time().format(format).unwrap_or_default()
}

/// A distance from UTC in minutes, as people write it: `+05:30`.
#[must_use]
pub fn shown_offset(minutes: i64) -> String {
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(raw: &str, offset: &str) -> Result<(String, i64), PublishTimeError> {
        let time = PublishTime::parse(raw, Some(offset))?.expect("a time");
        Ok((time.at.rfc3339(), time.utc_offset))
    }

    #[test]
    fn a_time_is_read_on_the_clock_of_its_author() {
        for (raw, offset, utc, minutes) in [
            ("2026-12-24T18:00", "+01:00", "2026-12-24T17:00:00Z", 60),
            ("2026-12-24T18:00", "", "2026-12-24T18:00:00Z", 0),
            ("2026-12-24T18:00:30", "-03:30", "2026-12-24T21:30:30Z", -210),
            ("2026-12-24 18:00", "+05:45", "2026-12-24T12:15:00Z", 345),
            ("2026-12-24T18:00:00+02:00", "-11:00", "2026-12-24T16:00:00Z", 120),
        ] {
            assert_eq!(at(raw, offset), Ok((utc.to_owned(), minutes)), "{raw} {offset}");
        }
        assert_eq!(PublishTime::parse("  ", None), Ok(None));
        assert_eq!(at("tomorrow", ""), Err(PublishTimeError::Unreadable));
        assert_eq!(at("2026-02-30T18:00", ""), Err(PublishTimeError::Unreadable));
        assert_eq!(at("9999-12-31T23:59:59-23:59", ""), Err(PublishTimeError::Unreadable));
        assert_eq!(at("2026-12-24T18:00", "one hour"), Err(PublishTimeError::Offset));
    }

    #[test]
    fn what_is_shown_is_read_as_the_same_time() {
        for (micros, minutes) in
            [(1_800_000_000_000_000, 330), (1_790_000_040_000_000, -210), (1_900_000_020_000_000, 0)]
        {
            let micros = micros - micros % 60_000_000;
            let raw = shown(Timestamp::from_micros(micros), minutes);
            let read =
                PublishTime::parse(&raw, Some(&shown_offset(minutes))).expect("a time").expect("a time");
            assert_eq!((read.at.micros(), read.utc_offset), (micros, minutes), "{raw}");
        }
    }

    #[test]
    fn a_post_is_published_at_a_time_to_come() {
        let time = |at| PublishTime { at, utc_offset: 0 };
        assert!(time(clock::now().after(Duration::from_secs(60))).check().is_ok());
        for wrong in [clock::now().before(Duration::from_secs(1)), clock::now().after(FURTHEST * 2)] {
            assert_eq!(time(wrong).check(), Err(PublishTimeError::NotToCome));
        }
    }
}
