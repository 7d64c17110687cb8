//! Reads and formats times in the gateway's time zone.

use jiff::civil;
use jiff::tz::TimeZone;

use crate::words::{Wall, parse_duration};

/// A parameter of a query: its name, and its value; `None` leaves the parameter out.
pub(super) type Parameter = (&'static str, Option<String>);

/// The period of the past that a command shows.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Period {
    /// Start of the period: 30d for 30 days ago, 2026-03-01, 2026-03-01T14:00, or RFC 3339
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// End of the period, written as --since [default: now]
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
}

impl Period {
    /// Returns start and end as parameters of a query. The gateway has defaults for those that are missing.
    ///
    /// # Errors
    /// A sentence with the accepted formats, if a text has none of these.
    pub(super) fn query(&self, zone: &TimeZone, now: Wall) -> Result<[Parameter; 2], String> {
        let instant = |text: &Option<String>| {
            text.as_ref().map(|t| when(t, zone, now).map(|at| at.to_string())).transpose()
        };
        Ok([("since", instant(&self.since)?), ("until", instant(&self.until)?)])
    }
}

/// Reads a time: `2026-03-01`, `2026-03-01 14:00`, RFC 3339, or `30d` for 30 days before `now`.
///
/// # Errors
/// A sentence with the accepted formats, if the text has none of these.
fn when(text: &str, zone: &TimeZone, now: Wall) -> Result<Wall, String> {
    if let Ok(at) = Wall::parse(text) {
        return Ok(at);
    }
    if let Ok(ago) = parse_duration(text) {
        return Ok(now.before(ago));
    }
    let at = text
        .parse::<civil::DateTime>()
        .or_else(|_| text.parse::<civil::Date>().map(|d| d.at(0, 0, 0, 0)))
        .ok()
        .and_then(|at| at.to_zoned_datetime(zone.clone()).ok());
    at.map(|at| Wall::from_timestamp(at.timestamp())).ok_or_else(|| {
        format!(
            "\"{text}\" is not a time: write 30d for 30 days ago, 2026-03-01, 2026-03-01T14:00 or RFC 3339"
        )
    })
}

/// Converts the times in a sentence of the gateway from UTC to the gateway's time zone.
pub(super) fn local_times(text: &str, zone: &TimeZone) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(end) = rest.find('Z') {
        let (before, after) = (rest.get(..end).unwrap_or(""), rest.get(end + 1..).unwrap_or(""));
        // The length of `2026-03-01T14:00:00`, without and with milliseconds.
        let instant = [19, 23].into_iter().find_map(|length| {
            let begin = end.checked_sub(length)?;
            let at = Wall::parse(rest.get(begin..=end)?).ok()?;
            Some((begin, at))
        });
        match instant {
            Some((begin, at)) => {
                out.push_str(before.get(..begin).unwrap_or(""));
                out.push_str(&local(at, zone));
            }
            None => {
                out.push_str(before);
                out.push('Z');
            }
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Formats a time in the gateway's time zone.
pub(super) fn local(at: Wall, zone: &TimeZone) -> String {
    at.timestamp().to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_in_sentences_are_told_in_the_gateways_time() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        for (text, expected) in [
            (
                "shelved until 2026-03-01T13:00:00.000Z by eva: Zug",
                "shelved until 2026-03-01 14:00:00 by eva: Zug",
            ),
            ("2026-07-01T13:00:00Z, 2026-07-01T14:00:00.500Z", "2026-07-01 15:00:00, 2026-07-01 16:00:00"),
            ("Z", "Z"),
            (
                "pump 7 at 25:00:00Z, Zone é2026-99-01T13:00:00Z",
                "pump 7 at 25:00:00Z, Zone é2026-99-01T13:00:00Z",
            ),
            ("", ""),
        ] {
            assert_eq!(local_times(text, &zone), expected);
        }
    }

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let now = Wall::parse("2026-03-31T12:00:00Z").unwrap();
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let found = when(text, &zone, now).ok().map(|at| at.to_string());
        assert_eq!(found.as_deref(), expected, "{text}");
    }

    #[test]
    fn times_that_people_write() {
        check("30d", Some("2026-03-01T12:00:00.000Z"));
        check("2026-03-01", Some("2026-02-28T23:00:00.000Z"));
        check("2026-03-30 14:00", Some("2026-03-30T12:00:00.000Z"));
        check("2026-03-01T14:00:00+01:00", Some("2026-03-01T13:00:00.000Z"));
        check("yesterday", None);
    }

    #[test]
    fn a_period_is_told_by_its_ends_that_are_given() {
        let now = Wall::parse("2026-03-31T12:00:00Z").unwrap();
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let period = Period { since: Some("1d".to_owned()), until: None };
        let since = Some("2026-03-30T12:00:00.000Z".to_owned());
        assert_eq!(period.query(&zone, now).unwrap(), [("since", since), ("until", None)]);
        let period = Period { until: Some("soon".to_owned()), ..period };
        assert!(period.query(&zone, now).unwrap_err().starts_with("\"soon\" is not a time"));
    }
}
