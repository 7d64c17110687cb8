//! Durations as people write them: `500ms`, `5s`, `1m30s`, `2000h`, `7d`.

use std::time::Duration;

/// Reads a duration. The units are `d`, `h`, `m` (or `min`), `s` and `ms`: from the largest to the smallest, each at
/// most once.
///
/// # Errors
/// A sentence that shows how to write a duration.
///
/// ```
/// use std::time::Duration;
/// assert_eq!(andon::words::parse_duration("1m30s"), Ok(Duration::from_secs(90)));
/// assert!(andon::words::parse_duration("5").is_err());
/// ```
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    const MEANT: &str = "write a number and a unit, as 500ms, 5s, 1m30s, 2000h or 7d";
    // Labels of equipment often say `10min` for `10m`.
    const UNITS: [(&str, u64); 6] =
        [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("min", 60_000), ("s", 1_000), ("ms", 1)];
    let mut rest = text.trim();
    let mut total: u64 = 0;
    let mut units = UNITS.iter();
    if rest.is_empty() {
        return Err(MEANT.to_owned());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, tail) = rest.split_at(digits);
        let end = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, next) = tail.split_at(end);
        let Some((_, factor)) = units.by_ref().find(|(name, _)| *name == unit) else {
            return Err(MEANT.to_owned());
        };
        let millis = scaled(number, *factor).ok_or_else(|| MEANT.to_owned())?;
        total = total.checked_add(millis).ok_or_else(|| "this duration is too long".to_owned())?;
        rest = next.trim_start();
    }
    Ok(Duration::from_millis(total))
}

/// Returns `number * factor` exactly, for a decimal number with at most three decimal places.
fn scaled(number: &str, factor: u64) -> Option<u64> {
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || part.len() > 3 {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    let mut value = whole.checked_mul(factor)?;
    if !part.is_empty() {
        let places = u32::try_from(part.len()).ok()?;
        let part: u64 = part.parse().ok()?;
        value = value.checked_add(part.checked_mul(factor)? / 10_u64.checked_pow(places)?)?;
    }
    Some(value)
}

/// Writes a duration in the form that [`parse_duration`] reads, with at most two units.
#[must_use]
pub fn render_duration(d: Duration) -> String {
    let ms = d.as_millis();
    let (seconds, rest) = (ms / 1000, ms % 1000);
    let parts = [
        (seconds / 86_400, "d"),
        (seconds / 3_600 % 24, "h"),
        (seconds / 60 % 60, "m"),
        (seconds % 60, "s"),
        (if seconds < 10 { rest } else { 0 }, "ms"),
    ];
    let text: String = parts
        .iter()
        .skip_while(|(n, _)| *n == 0)
        .take(2)
        .filter(|(n, _)| *n > 0)
        .map(|(n, unit)| format!("{n}{unit}"))
        .collect();
    if text.is_empty() { "0s".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, ms: Option<u64>) {
        assert_eq!(parse_duration(text).ok().map(|d| d.as_millis()), ms.map(u128::from), "{text}");
    }

    #[test]
    fn reads() {
        check("500ms", Some(500));
        check("1.5s", Some(1500));
        check("1m30s", Some(90_000));
        check("7d", Some(604_800_000));
        check("10min", Some(600_000));
        check("1h30min", Some(5_400_000));
        check("5", None);
        check("", None);
        check("s", None);
        check("30s1m", None);
        check("5 parsec", None);
        check("99999999999999999999d", None);
    }

    #[test]
    fn writes_what_it_reads() {
        for text in ["500ms", "5s", "1m30s", "7d", "2d4h", "1s500ms", "0s"] {
            assert_eq!(render_duration(parse_duration(text).unwrap()), text);
        }
    }
}
