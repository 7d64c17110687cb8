//! Recorded readings in a file: a time and a column a point, whatever the separator, the encoding and the time's format.

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

/// Times before this are more likely counted from another begin, or days of a spreadsheet: 1990.
const EARLIEST_MS: i64 = 631_152_000_000;

/// Bytes of a recording's begin by which its encoding, header and separator are told.
const LOOKED_AT: u64 = 1 << 16;

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
    /// The style of the first time; `unit` is what the header says in brackets, in milliseconds.
    fn told_by(first: &str, unit: Option<f64>, zone: &TimeZone) -> Option<Self> {
        if let Ok(number) = first.parse::<f64>() {
            // Seconds reach the first number in the year 5138, milliseconds had it in 1973; so on with the others.
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
                reason = "saturates, and is far beyond the calendar then"
            )]
            Self::Unix(unit) => {
                let number: f64 = text.parse().ok()?;
                number.is_finite().then(|| Wall::from_millis((number * unit).round() as i64))
            }
        }
    }
}

/// How a recording is to be read.
pub(super) struct HowToRead<'a> {
    /// The column with the times; the usual names where absent.
    pub time_column: Option<&'a str>,
    /// The zone of times without one.
    pub timezone: &'a str,
    /// Whether times before 1990 are meant.
    pub is_old: bool,
}

/// A recording that is being read.
pub(super) struct Recording {
    reader: csv::Reader<Box<dyn Read>>,
    name: String,
    /// Every column's name, the time's included.
    pub columns: Vec<String>,
    /// The time's place among them.
    pub time: usize,
    /// Whether commas do not part the columns: one in a number is a decimal comma.
    pub has_decimal_commas: bool,
    style: Option<TimeStyle>,
    unit: Option<f64>,
    zone: TimeZone,
    is_old: bool,
    /// Lines before the header, and what the reader counts too few.
    skipped_lines: u64,
}

const TIMES: [&str; 5] = ["time", "timestamp", "datetime", "date_time", "ts"];

/// A header's name without what it says in brackets, and the milliseconds of a unit that stands there.
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

/// Lines before the header, which are empty or comments of the program that wrote them, and the separator: what header
/// and first row have alike, and most of.
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
    /// Opens a recording; the separator is told by its header.
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
        // The reader takes the second character of such a line end for the begin of the next line.
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
                "{name}: there is no column {}; its columns are {}; name the one with the times: --time-column NAME",
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

    /// Reads every row in order: its time, its line and its cells.
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
                    "{}:{line}: time {text} would be {at}, before 1990: these times count from another begin, or in another unit; --before-1990 takes them as they are",
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
            Some(TimeStyle::Rfc3339) => "an RFC 3339 time, as the first row has it",
            Some(TimeStyle::Civil(_)) => "YYYY-MM-DD HH:MM:SS, as the first row has it",
            Some(TimeStyle::Unix(_)) => "a Unix time, as the first row has it",
        };
        CliError::usage(format!("{}:{line}: '{text}' is not a time; it should be {wanted}", self.name))
    }

    /// What could not be read, column by column.
    ///
    /// # Errors
    /// A column of which nothing could be read.
    pub fn unreadable(&self, replay: &Replay, columns: &[(usize, Column)]) -> Result<Vec<String>, CliError> {
        let mut refused = Vec::new();
        let mut notes = Vec::new();
        for (index, column) in columns {
            let name = self.columns.get(*index).map_or("", String::as_str);
            let Some(tally) = replay.tally(*column) else { continue };
            let all = tally.readable + tally.marked + tally.unreadable;
            let wanted = replay.wanted(*column);
            if let Some((line, first)) = &tally.first {
                let told = format!(
                    "column {name}: {} of {all} cells are not a {wanted}, the first in line {line}: '{first}'",
                    tally.unreadable
                );
                if tally.readable == 0 {
                    refused.push(told);
                    continue;
                }
                notes.push(format!("note: {}: {told}; each counts as a bad reading", self.name));
            }
            if all == 0 {
                notes.push(format!("note: {}: column {name} is empty", self.name));
            }
            if tally.has_commas && tally.has_points {
                notes.push(format!(
                    "note: {}: column {name} has numbers with a decimal comma and with a decimal point; both are read so",
                    self.name
                ));
            }
        }
        if refused.is_empty() {
            return Ok(notes);
        }
        let hint = match self.has_decimal_commas {
            true => "a number stands alone, or with the unit of its point behind it",
            false => {
                "a number has a decimal point here, for commas part the columns; it stands alone, or with the unit of its point behind it"
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
