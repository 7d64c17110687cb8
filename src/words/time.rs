//! Time as the core sees it: a monotonic instant for delays, a wall-clock instant for records.
//!
//! The two are types of their own and cannot be mixed; nothing here asks a clock.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Nanoseconds on the monotonic clock since the program started. Delays, windows and staleness run on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Mono(pub u64);

impl Mono {
    /// The time from `earlier` to here; zero when `earlier` is later.
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

/// An instant of the wall clock, as records carry it: RFC 3339 in UTC with milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Wall(jiff::Timestamp);

impl Wall {
    /// From a time stamp, cut to milliseconds.
    #[must_use]
    pub fn from_timestamp(at: jiff::Timestamp) -> Self {
        Self::from_millis(at.as_millisecond())
    }

    /// From milliseconds since 1970 in UTC; times no calendar holds become its nearest end.
    #[must_use]
    pub fn from_millis(ms: i64) -> Self {
        // The ends in whole seconds: what is written reads back the same.
        let (least, most) = (jiff::Timestamp::MIN.as_second(), jiff::Timestamp::MAX.as_second());
        let ms = ms.clamp(least * 1000, most * 1000);
        Self(jiff::Timestamp::from_millisecond(ms).unwrap_or_default())
    }

    /// Milliseconds since 1970 in UTC.
    #[must_use]
    pub fn millis(self) -> i64 {
        self.0.as_millisecond()
    }

    /// Whether a clock that shows this instant can have been set: no gateway ran before 2025.
    #[must_use]
    pub fn is_set(self) -> bool {
        const CLOCK_SET_SINCE: i64 = 1_735_689_600_000;
        self.millis() >= CLOCK_SET_SINCE
    }

    /// The underlying time stamp, for calendars.
    #[must_use]
    pub fn timestamp(self) -> jiff::Timestamp {
        self.0
    }

    /// Reads RFC 3339.
    ///
    /// # Errors
    /// The parser's words on what is wrong.
    pub fn parse(text: &str) -> Result<Self, jiff::Error> {
        text.parse().map(Self::from_timestamp)
    }

    /// The time from `earlier` to here; zero when `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Wall) -> Duration {
        let ms = self.millis().saturating_sub(earlier.millis());
        Duration::from_millis(u64::try_from(ms).unwrap_or(0))
    }

    /// This instant moved back by a duration.
    #[must_use]
    pub fn before(self, by: Duration) -> Wall {
        Wall::from_millis(self.millis().saturating_sub(millis(by)))
    }

    /// This instant moved on by a duration.
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

/// One instant on both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// The monotonic clock.
    pub mono: Mono,
    /// The wall clock, which may be unset or stepped.
    pub wall: Wall,
}

impl Now {
    /// The same instant as seen `mono`: the wall clock is moved by the difference.
    #[must_use]
    pub fn at(self, mono: Mono) -> Now {
        let wall = if mono <= self.mono {
            // Records know milliseconds: the one in which the instant lies.
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
    fn now_moves_both_clocks() {
        let now = Now { mono: Mono(5_000_000_000), wall: Wall::from_millis(10_000) };
        let then = now.at(Mono(3_000_000_000));
        assert_eq!(then.wall.millis(), 8_000);
        assert_eq!(now.at(Mono(3_000_000_001)).wall.millis(), 8_000);
        assert_eq!(now.at(Mono(6_000_999_999)).wall.millis(), 11_000);
    }
}
