//! Time in the core: a monotonic instant for delays, a wall-clock instant for events.
//!
//! The two are separate types, so the compiler refuses to mix them. No function here reads a clock.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// Nanoseconds on the monotonic clock of the daemon. Delays, windows and staleness use this clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Mono(pub u64);

impl Mono {
    /// The time from `earlier` to this instant; zero if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Mono) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Mono {
    type Output = Mono;
    fn add(self, by: Duration) -> Mono {
        Mono(self.0.saturating_add(nanos(by)))
    }
}

impl Sub<Duration> for Mono {
    type Output = Mono;
    fn sub(self, by: Duration) -> Mono {
        Mono(self.0.saturating_sub(nanos(by)))
    }
}

fn nanos(d: Duration) -> u64 {
    u64::try_from(d.as_nanos()).unwrap_or(u64::MAX)
}

/// An instant of the wall clock, as events store it: RFC 3339 in UTC with milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Wall(jiff::Timestamp);

impl Wall {
    /// Takes a time stamp and cuts it to milliseconds.
    #[must_use]
    pub fn from_timestamp(at: jiff::Timestamp) -> Self {
        Self::from_millis(at.as_millisecond())
    }

    /// Takes milliseconds since 1970 in UTC. A time outside the calendar becomes the nearest time inside it.
    #[must_use]
    pub fn from_millis(ms: i64) -> Self {
        // The limits are whole seconds: a time that is written reads back the same.
        let (least, most) = (jiff::Timestamp::MIN.as_second(), jiff::Timestamp::MAX.as_second());
        let ms = ms.clamp(least * 1000, most * 1000);
        Self(jiff::Timestamp::from_millisecond(ms).unwrap_or_default())
    }

    /// Returns the milliseconds since 1970 in UTC.
    #[must_use]
    pub fn millis(self) -> i64 {
        self.0.as_millisecond()
    }

    /// True if the clock that showed this instant was set. No gateway ran before 2025.
    #[must_use]
    pub fn is_set(self) -> bool {
        const CLOCK_SET_SINCE: i64 = 1_735_689_600_000;
        self.millis() >= CLOCK_SET_SINCE
    }

    /// The time stamp, for calendars and time zones.
    #[must_use]
    pub fn timestamp(self) -> jiff::Timestamp {
        self.0
    }

    /// Reads a time in RFC 3339.
    ///
    /// # Errors
    /// The error of the parser.
    pub fn parse(text: &str) -> Result<Self, jiff::Error> {
        text.parse().map(Self::from_timestamp)
    }

    /// The time that clocks in this time zone show at this instant.
    #[must_use]
    pub fn local(self, zone: &TimeZone) -> LocalTime {
        LocalTime(self.millis() + i64::from(zone.to_offset(self.0).seconds()) * 1000)
    }

    /// The time from `earlier` to this instant; zero if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Wall) -> Duration {
        let ms = self.millis().saturating_sub(earlier.millis());
        Duration::from_millis(u64::try_from(ms).unwrap_or(0))
    }

    /// Returns this instant minus a duration.
    #[must_use]
    pub fn before(self, by: Duration) -> Wall {
        Wall::from_millis(self.millis().saturating_sub(millis(by)))
    }

    /// Returns this instant plus a duration.
    #[must_use]
    pub fn after(self, by: Duration) -> Wall {
        Wall::from_millis(self.millis().saturating_add(millis(by)))
    }
}

fn millis(d: Duration) -> i64 {
    i64::try_from(d.as_millis()).unwrap_or(i64::MAX)
}

impl fmt::Display for Wall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.0)
    }
}

impl Serialize for Wall {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Wall {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        Wall::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// The date and the time of day that the clocks of a time zone show, in milliseconds since 1970-01-01 0:00 on these
/// clocks. The same time occurs twice when daylight-saving time ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalTime(i64);

impl LocalTime {
    const DAY: i64 = 86_400_000;

    /// The number of days since 1970-01-01.
    #[must_use]
    pub fn day(self) -> i64 {
        self.0.div_euclid(Self::DAY)
    }

    /// The time of day in hours, from 0 to less than 24.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "the milliseconds of a day")]
    pub fn hour(self) -> f64 {
        self.0.rem_euclid(Self::DAY) as f64 / 3_600_000.0
    }
}

/// The same instant on both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// The monotonic clock.
    pub mono: Mono,
    /// The wall clock, which can be unset or can jump.
    pub wall: Wall,
}

impl Now {
    /// Returns another instant on both clocks, given on the monotonic one. The wall clock moves by the same
    /// difference.
    #[must_use]
    pub fn at(self, mono: Mono) -> Now {
        let wall = if mono <= self.mono {
            // Events store whole milliseconds: round down to the millisecond that contains the instant.
            let ago = self.mono.since(mono).as_nanos().div_ceil(1_000_000);
            self.wall.before(Duration::from_millis(u64::try_from(ago).unwrap_or(u64::MAX)))
        } else {
            self.wall.after(mono.since(self.mono))
        };
        Now { mono, wall }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wall_prints_rfc_3339_and_reads_it_back() {
        let wall = Wall::from_millis(1_700_000_000_123);
        assert_eq!(wall.to_string(), "2023-11-14T22:13:20.123Z");
        assert_eq!(Wall::parse(&wall.to_string()).unwrap(), wall);
    }

    #[test]
    fn times_beyond_the_calendar_saturate() {
        assert!(Wall::from_millis(i64::MAX) > Wall::from_millis(0));
        assert!(Wall::from_millis(i64::MIN) < Wall::from_millis(0));
        assert_eq!(Mono(5) - Duration::from_secs(1), Mono(0));
        for end in [i64::MIN, i64::MAX] {
            let wall = Wall::from_millis(end);
            assert_eq!(Wall::parse(&wall.to_string()).unwrap(), wall);
        }
    }

    #[test]
    fn local_time_is_what_clocks_show_on_both_sides_of_a_change() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        for (at, hour) in [
            ("2027-03-28T00:30:00Z", 1.5),
            ("2027-03-28T01:30:00Z", 3.5),
            ("2027-10-31T00:30:00Z", 2.5),
            ("2027-10-31T01:30:00Z", 2.5),
            ("2027-10-31T22:45:00Z", 23.75),
        ] {
            let local = Wall::parse(at).unwrap().local(&zone);
            assert!((local.hour() - hour).abs() < 1e-9, "{at}: {local:?}");
        }
        let day = |at: &str| Wall::parse(at).unwrap().local(&zone).day();
        assert_eq!(day("2027-10-31T23:00:00Z") - day("2027-10-31T22:59:59Z"), 1);
        assert_eq!(Wall::from_millis(-1).local(&TimeZone::UTC).day(), -1);
    }

    #[test]
    fn now_moves_both_clocks() {
        let now = Now { mono: Mono(5_000_000_000), wall: Wall::from_millis(10_000) };
        let then = now.at(Mono(3_000_000_000));
        assert_eq!(then.wall.millis(), 8_000);
        assert_eq!(now.at(Mono(3_000_000_001)).wall.millis(), 8_000);
        assert_eq!(now.at(Mono(6_000_999_999)).wall.millis(), 11_000);
    }
}
