//! Recorded readings in a file: a time and a column a point, whatever the separator and the time's format.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::cli::error::CliError;
use crate::words::{Outcome, Wall};

/// How times are written.
#[derive(Debug, Clone, PartialEq)]
enum TimeStyle {
    /// With an offset from UTC.
    Rfc3339,
    /// Date and time of day in a time zone.
    Civil(TimeZone),
    /// Since 1970, in this many milliseconds.
    Unix(f64),
}

impl TimeStyle {
    fn told_by(first: &str, zone: &TimeZone) -> Option<Self> {
        if let Ok(number) = first.parse::<f64>() {
            // Seconds reach this number in the year 5138, milliseconds had it in 1973.
            let unit = if number.abs() >= 1e11 { 1.0 } else { 1000.0 };
            return number.is_finite().then_some(Self::Unix(unit));
        }
        if first.parse::<Timestamp>().is_ok() {
            return Some(Self::Rfc3339);
        }
        first.parse::<DateTime>().is_ok().then(|| Self::Civil(zone.clone()))
    }

    fn read(&self, text: &str) -> Option<Wall> {
        match self {
            Self::Rfc3339 => Some(Wall::from_millis(text.parse::<Timestamp>().ok()?.as_millisecond())),
            Self::Civil(zone) => {
                let civil = text.parse::<DateTime>().ok()?;
                let at = zone.to_ambiguous_timestamp(civil).compatible().ok()?;
                Some(Wall::from_millis(at.as_millisecond()))
            }
            #[expect(
                clippy::cast_possible_truncation,
                reason = "saturates, and is far beyond the calendar then"
            )]
            Self::Unix(unit) => {
                let number: f64 = text.parse().ok()?;
                number.is_finite().then(|| Wall::from_millis((number * unit).round() as i64))
            }
        }
    }
}

/// A recording that is being read.
pub(super) struct Recording {
    reader: csv::Reader<BufReader<File>>,
    name: String,
    /// Every column's name, the time's included.
    pub columns: Vec<String>,
    /// The time's place among them.
    pub time: usize,
    style: Option<TimeStyle>,
    zone: TimeZone,
}

const TIMES: [&str; 5] = ["time", "timestamp", "datetime", "date_time", "ts"];

impl Recording {
    /// Opens a recording; the separator is told by its header.
    pub fn open(path: &str, time: Option<&str>, timezone: &str) -> Result<Self, CliError> {
        let zone =
            TimeZone::get(timezone).map_err(|e| CliError::usage(format!("--timezone {timezone}: {e}")))?;
        let name = path.to_owned();
        let missing =
            |e: &dyn std::fmt::Display| CliError::Other(Outcome::NoSuchThing, format!("{name}: {e}"));
        let mut file = BufReader::with_capacity(1 << 16, File::open(path).map_err(|e| missing(&e))?);
        let mut header = String::new();
        // A header is short: what is longer is no table.
        file.by_ref().take(1 << 16).read_line(&mut header).map_err(|e| missing(&e))?;
        file.rewind()?;
        let separator =
            [b';', b'\t', b','].into_iter().max_by_key(|s| header.bytes().filter(|b| b == s).count());
        let mut reader = csv::ReaderBuilder::new().delimiter(separator.unwrap_or(b',')).from_reader(file);
        let columns: Vec<String> = reader
            .headers()
            .map_err(|e| CliError::usage(format!("{name}: {e}")))?
            .iter()
            .map(|c| c.trim().trim_start_matches('\u{feff}').to_owned())
            .collect();
        let found = columns.iter().position(|c| match time {
            Some(time) => c == time,
            None => TIMES.contains(&c.to_lowercase().as_str()),
        });
        let Some(time) = found else {
            return Err(CliError::usage(format!(
                "{name}: there is no column {}; its columns are {}; name the one with the times: --time-column NAME",
                time.unwrap_or("time"),
                columns.join(", ")
            )));
        };
        Ok(Self { reader, name, columns, time, style: None, zone })
    }

    /// Reads every row in order: its time and its cells.
    pub fn rows(&mut self, mut take: impl FnMut(Wall, &csv::StringRecord)) -> Result<u64, CliError> {
        let mut record = csv::StringRecord::new();
        let mut rows = 0;
        loop {
            let more = self.reader.read_record(&mut record);
            if !more.map_err(|e| CliError::usage(format!("{}: {e}", self.name)))? {
                return Ok(rows);
            }
            let text = record.get(self.time).unwrap_or("").trim();
            if self.style.is_none() {
                self.style = TimeStyle::told_by(text, &self.zone);
            }
            let at = self.style.as_ref().and_then(|style| style.read(text));
            let Some(at) = at else { return Err(self.no_time(&record, text)) };
            rows += 1;
            take(at, &record);
        }
    }

    fn no_time(&self, record: &csv::StringRecord, text: &str) -> CliError {
        let line = record.position().map_or(0, csv::Position::line);
        let wanted = match &self.style {
            None => "an RFC 3339 time, YYYY-MM-DD HH:MM:SS, or Unix seconds or milliseconds",
            Some(TimeStyle::Rfc3339) => "an RFC 3339 time, as the first row has it",
            Some(TimeStyle::Civil(_)) => "YYYY-MM-DD HH:MM:SS, as the first row has it",
            Some(TimeStyle::Unix(_)) => "a Unix time, as the first row has it",
        };
        CliError::usage(format!("{}:{line}: '{text}' is not a time; it should be {wanted}", self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(first: &str, text: &str, expected: &str) {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let style = TimeStyle::told_by(first, &zone).unwrap();
        assert_eq!(style.read(text).map(|w| w.to_string()).unwrap_or_default(), expected);
    }

    #[test]
    fn the_first_row_tells_how_times_are_written() {
        check("2020-03-01T15:44:06Z", "2020-03-01T16:44:07.5+01:00", "2020-03-01T15:44:07.500Z");
        check("2020-03-01 15:44:06", "2020-03-01 15:44:06.25", "2020-03-01T14:44:06.250Z");
        check("2020-07-01 15:44", "2020-07-01T15:44:06", "2020-07-01T13:44:06.000Z");
        check("1583077446", "1583077446.5", "2020-03-01T15:44:06.500Z");
        check("1583077446500", "1583077446501", "2020-03-01T15:44:06.501Z");
        check("2020-03-01 15:44:06", "1583077446", "");
        check("1583077446", "nan", "");
        assert_eq!(TimeStyle::told_by("yesterday", &TimeZone::UTC), None);
    }
}
