//! Instants as people write them: RFC 3339, a date or date and time at the gateway, or how long ago.

use jiff::civil;
use jiff::tz::TimeZone;

use crate::words::{Wall, parse_duration};

/// Reads `2026-03-01`, `2026-03-01 14:00`, RFC 3339, or `30d` for 30 days before `now`.
///
/// # Errors
/// What was meant.
pub(super) fn when(text: &str, zone: &TimeZone, now: Wall) -> Result<Wall, String> {
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
