//! Reads a recording: a file with a column of times and one column for each point, in many separators, encodings and
//! time formats.

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read};

use encoding_rs_io::DecodeReaderBytesBuilder;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::cli::error::CliError;
use crate::detect::{Column, Replay};
use crate::profile::{encoding_of, text_of};
use crate::words::{Outcome, Wall};

/// The year 1990, in milliseconds since 1970. Earlier times are probably counted from another start, or are days of a
/// spreadsheet.
const EARLIEST_MS: i64 = 631_152_000_000;

/// The number of bytes at the beginning of a file that show its encoding, header and separator.
const LOOKED_AT: u64 = 1 << 16;

/// The format of the times in a recording.
#[derive(Debug, Clone, PartialEq)]
enum TimeStyle {
    /// RFC 3339, with an offset from UTC.
    Rfc3339,
    /// Date and time of day in a time zone.
    Civil(TimeZone),
    /// A number since 1970. The value is the length of its unit, in milliseconds.
    Unix(f64),
}

impl TimeStyle {
    /// Finds the format from the first time. `unit` is the unit in the header, in milliseconds; `None` if the header has no
    /// unit.
    fn told_by(first: &str, unit: Option<f64>, zone: &TimeZone) -> Option<Self> {
        if let Ok(number) = first.parse::<f64>() {
            // As seconds, 1e11 is the year 5138; as milliseconds, it is 1973. The same holds for the other units.
            let by_size = match number.abs() {
                n if n >= 1e17 => 1e-6,
                n if n >= 1e14 => 1e-3,
                n if n >= 1e11 => 1.0,
                _ => 1000.0,
            };
            return number.is_finite().then_some(Self::Unix(unit.unwrap_or(by_size)));
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
                reason = "a number that is too large saturates, far beyond the calendar"
            )]
            Self::Unix(unit) => {
                let number: f64 = text.parse().ok()?;
                number.is_finite().then(|| Wall::from_millis((number * unit).round() as i64))
            }
        }
    }
}

/// The options for reading a recording.
pub(super) struct HowToRead<'a> {
    /// The name of the column with the times; `None`: one of the usual names ([`TIMES`]).
    pub time_column: Option<&'a str>,
    /// The time zone of times without a zone.
    pub timezone: &'a str,
    /// True if times before 1990 are accepted.
    pub is_old: bool,
}

/// A recording that is being read.
pub(super) struct Recording {
    reader: csv::Reader<Box<dyn Read>>,
    name: String,
    /// The names of all columns, including the column with the times.
    pub columns: Vec<String>,
    /// The index of the column with the times.
    pub time: usize,
    /// True if the separator is not a comma, so that a comma in a number is a decimal comma.
    pub has_decimal_commas: bool,
    /// The format of the times; `None` until the first row is read.
    style: Option<TimeStyle>,
    /// The unit in the header, in milliseconds; `None` if the header has no unit.
    unit: Option<f64>,
    /// The time zone of times without a zone, and of daily profiles.
    pub zone: TimeZone,
    is_old: bool,
    /// Lines to add to the line number of the CSV reader: the lines before the header, and a correction for CR LF.
    skipped_lines: u64,
}

/// The usual names of a column with times, in lower case.
const TIMES: [&str; 5] = ["time", "timestamp", "datetime", "date_time", "ts"];

/// Splits a header into its name in lower case and the unit in brackets, in milliseconds; `None` if there is no unit.
fn time_name(column: &str) -> (String, Option<f64>) {
    let (name, bracket) = match column.find(['(', '[']) {
        Some(at) => column.split_at(at),
        None => (column, ""),
    };
    let unit = match bracket.trim_matches(|c: char| !c.is_alphanumeric()) {
        "s" | "sec" | "seconds" => Some(1000.0),
        "ms" => Some(1.0),
        "us" | "µs" => Some(1e-3),
        "ns" => Some(1e-6),
        _ => None,
    };
    (name.trim().to_lowercase(), unit)
}

/// Returns the number of empty and comment lines before the header, and the separator: the character that occurs most
/// often in the header, and equally often in the first row.
fn shape(begin: &str) -> (u64, u8) {
    let is_before = |l: &&str| l.trim().is_empty() || l.starts_with("//") || l.starts_with('#');
    let skipped = begin.lines().take_while(is_before).count();
    let mut lines = begin.lines().skip(skipped);
    let (header, row) = (lines.next().unwrap_or(""), lines.next().unwrap_or(""));
    let count = |line: &str, s: u8| line.bytes().filter(|b| *b == s).count();
    let separator = [b',', b'\t', b';'].into_iter().max_by_key(|s| {
        let in_header = count(header, *s);
        (in_header > 0 && in_header == count(row, *s), in_header)
    });
    (skipped as u64, separator.unwrap_or(b','))
}

impl Recording {
    /// Opens a recording, and finds its encoding, its separator and its columns.
    pub fn open(path: &str, how: &HowToRead<'_>) -> Result<Self, CliError> {
        let zone = TimeZone::get(how.timezone)
            .map_err(|e| CliError::usage(format!("--timezone {}: {e}", how.timezone)))?;
        let name = path.to_owned();
        let missing =
            |e: &dyn std::fmt::Display| CliError::Other(Outcome::NoSuchThing, format!("{name}: {e}"));
        let mut file = File::open(path).map_err(|e| missing(&e))?;
        let mut begin = Vec::new();
        file.by_ref().take(LOOKED_AT).read_to_end(&mut begin).map_err(|e| missing(&e))?;
        let text = text_of(&begin).0;
        let (skipped, separator) = shape(text.trim_start_matches('\u{feff}'));
        // After CR LF, the CSV reader counts one line too few.
        let skipped_lines = skipped + u64::from(text.contains("\r\n"));
        let encoding = encoding_of(&begin, (begin.len() as u64) < LOOKED_AT);
        let decoded = DecodeReaderBytesBuilder::new()
            .encoding(Some(encoding.unwrap_or(encoding_rs::UTF_8)))
            .bom_override(true)
            .build(Cursor::new(begin).chain(file));
        let mut lines = BufReader::with_capacity(1 << 16, decoded);
        for _ in 0..skipped {
            lines.read_line(&mut String::new()).map_err(|e| missing(&e))?;
        }
        let mut reader =
            csv::ReaderBuilder::new().delimiter(separator).from_reader(Box::new(lines) as Box<dyn Read>);
        let columns: Vec<String> = reader
            .headers()
            .map_err(|e| CliError::usage(format!("{name}: {e}")))?
            .iter()
            .map(|c| c.trim().trim_start_matches('\u{feff}').to_owned())
            .collect();
        let found = columns.iter().position(|c| match how.time_column {
            Some(time) => c == time,
            None => TIMES.contains(&time_name(c).0.as_str()),
        });
        let Some(time) = found else {
            return Err(CliError::usage(format!(
                "{name}: there is no column {}; the columns are {}; name the column with the times: --time-column NAME",
                how.time_column.unwrap_or("time"),
                columns.join(", ")
            )));
        };
        let unit = columns.get(time).and_then(|c| time_name(c).1);
        let (is_old, has_decimal_commas) = (how.is_old, separator != b',');
        Ok(Self {
            reader,
            name,
            columns,
            time,
            has_decimal_commas,
            style: None,
            unit,
            zone,
            is_old,
            skipped_lines,
        })
    }

    /// Reads all rows in order, and calls `take` with the time, the line number and the cells of each. Returns the number of
    /// rows.
    pub fn rows(&mut self, mut take: impl FnMut(Wall, u64, &csv::StringRecord)) -> Result<u64, CliError> {
        let mut record = csv::StringRecord::new();
        let mut rows = 0;
        loop {
            let more = self.reader.read_record(&mut record);
            if !more.map_err(|e| CliError::usage(format!("{}: {e}", self.name)))? {
                return Ok(rows);
            }
            let line = record.position().map_or(0, csv::Position::line) + self.skipped_lines;
            let mut text = record.get(self.time).unwrap_or("").trim().to_owned();
            if self.has_decimal_commas {
                text = text.replace(',', ".");
            }
            if self.style.is_none() {
                self.style = TimeStyle::told_by(&text, self.unit, &self.zone);
            }
            let at = self.style.as_ref().and_then(|style| style.read(&text));
            let Some(at) = at else { return Err(self.no_time(line, &text)) };
            if at < Wall::from_millis(EARLIEST_MS) && !self.is_old {
                return Err(CliError::usage(format!(
                    "{}:{line}: time {text} would be {at}, before 1990: the times probably count from another start or in another unit; to accept them: --before-1990",
                    self.name
                )));
            }
            rows += 1;
            take(at, line, &record);
        }
    }

    fn no_time(&self, line: u64, text: &str) -> CliError {
        let wanted = match &self.style {
            None => "an RFC 3339 time, YYYY-MM-DD HH:MM:SS, or Unix seconds or milliseconds",
            Some(TimeStyle::Rfc3339) => "an RFC 3339 time, as in the first row",
            Some(TimeStyle::Civil(_)) => "YYYY-MM-DD HH:MM:SS, as in the first row",
            Some(TimeStyle::Unix(_)) => "a Unix time, as in the first row",
        };
        CliError::usage(format!("{}:{line}: '{text}' is not a time; write {wanted}", self.name))
    }

    /// Returns a note for each column with unreadable cells.
    ///
    /// # Errors
    /// If a column has no readable cell.
    pub fn unreadable(&self, replay: &Replay, columns: &[(usize, Column)]) -> Result<Vec<String>, CliError> {
        let mut refused = Vec::new();
        let mut notes = Vec::new();
        for (index, column) in columns {
            let name = self.columns.get(*index).map_or("", String::as_str);
            let Some(tally) = replay.tally(*column) else { continue };
            let all = tally.readable + tally.marked + tally.unreadable;
            let wanted = replay.wanted(*column);
            if let Some((line, first)) = &tally.first {
                let problem = format!(
                    "column {name}: {} of {all} cells are not a {wanted}, the first in line {line}: '{first}'",
                    tally.unreadable
                );
                if tally.readable == 0 {
                    refused.push(problem);
                    continue;
                }
                notes.push(format!("note: {}: {problem}; each of these cells is a bad reading", self.name));
            }
            if all == 0 {
                notes.push(format!("note: {}: column {name} is empty", self.name));
            }
            if tally.has_commas && tally.has_points {
                notes.push(format!(
                    "note: {}: column {name} has numbers with a decimal comma and numbers with a decimal point; andon accepts both",
                    self.name
                ));
            }
        }
        if refused.is_empty() {
            return Ok(notes);
        }
        let hint = match self.has_decimal_commas {
            true => "write a number alone, or with the unit of its point after it",
            false => {
                "write a number with a decimal point, because commas separate the columns, alone or with the unit of its point after it"
            }
        };
        Err(CliError::usage(format!("{}: {}; {hint}", self.name, refused.join("; "))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(first: &str, text: &str, expected: &str) {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let style = TimeStyle::told_by(first, None, &zone).unwrap();
        assert_eq!(style.read(text).map(|w| w.to_string()).unwrap_or_default(), expected);
    }

    #[test]
    fn the_first_row_tells_how_times_are_written() {
        check("2020-03-01T15:44:06Z", "2020-03-01T16:44:07.5+01:00", "2020-03-01T15:44:07.500Z");
        check("2020-03-01 15:44:06", "2020-03-01 15:44:06.25", "2020-03-01T14:44:06.250Z");
        check("2020-07-01 15:44", "2020-07-01T15:44:06", "2020-07-01T13:44:06.000Z");
        check("1583077446", "1583077446.5", "2020-03-01T15:44:06.500Z");
        check("1583077446500", "1583077446501", "2020-03-01T15:44:06.501Z");
        check("1583077446500000", "1583077446501000", "2020-03-01T15:44:06.501Z");
        check("1583077446500000000", "1583077446501000000", "2020-03-01T15:44:06.501Z");
        check("2020-03-01 15:44:06", "1583077446", "");
        check("1583077446", "nan", "");
        assert_eq!(TimeStyle::told_by("yesterday", None, &TimeZone::UTC), None);
    }

    #[test]
    fn header_separator_and_unit_are_told_by_the_first_lines() {
        assert_eq!(shape("time;a\n1;2\n"), (0, b';'));
        assert_eq!(shape("time,a\n1,2\n"), (0, b','));
        assert_eq!(shape("time\ta\n1\t2\n"), (0, b'\t'));
        assert_eq!(shape("time;a (x, y);b\n1;0,5;1\n"), (0, b';'));
        assert_eq!(shape("time,a\n"), (0, b','));
        // ModbusScope writes comments above its header.
        assert_eq!(shape("//ModbusScope version;0.7.4\n//\n\nTime (ms);Register 40001\n25;6\n"), (3, b';'));
        assert_eq!(time_name("Time (ms)"), ("time".to_owned(), Some(1.0)));
        assert_eq!(time_name("timestamp [s]"), ("timestamp".to_owned(), Some(1000.0)));
        assert_eq!(time_name("ts"), ("ts".to_owned(), None));
    }
}
