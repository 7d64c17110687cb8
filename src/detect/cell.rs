//! Cells of a recording: reads values in the ways people and programs write them, and counts the cells that cannot be
//! read.

use crate::profile::{DataType, Point, truth_of, within_valid};
use crate::words::{BadReason, Excerpt, Value};

/// The counts of cells in one column.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tally {
    /// Cells with a value, also if the value is marked absent or outside `valid`.
    pub readable: u64,
    /// Cells with a word for "no value", such as `nan` or `bad`.
    pub marked: u64,
    /// All other cells: they are bad readings.
    pub unreadable: u64,
    /// The line number and text of the first unreadable cell; `None` if there is none.
    pub first: Option<(u64, Excerpt)>,
    /// True if a number with a decimal comma was read.
    pub has_commas: bool,
    /// True if a number with a decimal point was read.
    pub has_points: bool,
}

/// The meaning of a cell.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    /// A value, or a value that the device itself marks as absent.
    Value(Result<Value, BadReason>),
    /// A word for "no value".
    Marked,
    /// Text that does not fit the type of the point.
    Unreadable,
}

/// Words for "no value" in recordings.
const MARKS: [&str; 12] =
    ["nan", "-nan", "bad", "null", "none", "n/a", "na", "#n/a", "inf", "-inf", "infinity", "-infinity"];

impl Tally {
    pub(super) fn note(&mut self, line: u64, text: &str, cell: &Cell) {
        match cell {
            Cell::Marked => self.marked += 1,
            Cell::Unreadable => {
                self.unreadable += 1;
                self.first.get_or_insert_with(|| (line, Excerpt::of(text)));
            }
            Cell::Value(value) => {
                self.readable += 1;
                if matches!(value, Ok(Value::Integer(_) | Value::Real(_))) {
                    self.has_commas |= text.contains(',');
                    self.has_points |= text.contains('.') && !text.contains(',');
                }
            }
        }
    }
}

/// Reads a cell according to the type of its point: numbers after scaling, enums by name or code.
pub(super) fn read(point: &Point, text: &str, decimal_comma: bool) -> Cell {
    let number = || number(text, &point.unit, decimal_comma);
    let value = match point.kind {
        DataType::Text { .. } => return Cell::Value(not_absent(point, text)),
        DataType::Bool => truth_of(point, text).or_else(|| number().map(|n| n != 0.0)).map(Value::Bool),
        _ => match point.values.get(text) {
            Some(code) => Some(Value::Integer(*code)),
            None => number().map(|n| super::replay::number_as(point, n)),
        },
    };
    match value {
        Some(value) => Cell::Value(usable(point, value)),
        None if MARKS.contains(&text.to_ascii_lowercase().as_str()) => Cell::Marked,
        None => Cell::Unreadable,
    }
}

fn not_absent(point: &Point, text: &str) -> Result<Value, BadReason> {
    match point.absent.words.iter().any(|word| word == text) {
        true => Err(BadReason::AbsentValue(Excerpt::of(text))),
        false => Value::text(text),
    }
}

/// Checks a recorded value: an error if it is the device's mark for an absent value, or outside `valid`.
pub(super) fn usable(point: &Point, value: Value) -> Result<Value, BadReason> {
    let number = value.number().filter(|_| !point.absent.is_empty());
    if let Some(number) = number
        && point.absent.recorded(point).iter().any(|mark| (mark - number).abs() <= mark.abs() * 1e-9)
    {
        return Err(BadReason::AbsentValue(Excerpt::of(&value.to_string())));
    }
    within_valid(point, value)
}

/// Reads a number, with or without the point's unit after it. If the columns are not separated by commas, a comma may
/// be the decimal sign, and points may group the digits before it by three.
fn number(text: &str, unit: &str, decimal_comma: bool) -> Option<f64> {
    let text = without_unit(text, unit);
    let plain = |t: &str| t.parse::<f64>().ok().filter(|n| n.is_finite());
    if let Some(number) = plain(text) {
        return Some(number);
    }
    if !decimal_comma {
        return None;
    }
    let (whole, part) = text.split_once(',')?;
    if part.contains([',', '.']) {
        return None;
    }
    let digits = whole.trim_start_matches(['+', '-']);
    let mut groups = digits.split(['.', '\u{a0}', '\u{202f}', ' ', '\'']);
    let first = groups.next().unwrap_or("").len();
    let is_grouped = digits.len() == first || (1..=3).contains(&first) && groups.all(|g| g.len() == 3);
    let whole: String = whole.chars().filter(|c| c.is_ascii_digit() || "+-".contains(*c)).collect();
    is_grouped.then(|| plain(&format!("{whole}.{part}"))).flatten()
}

fn without_unit<'t>(text: &'t str, unit: &str) -> &'t str {
    let other: &[&str] = match unit {
        "" => return text,
        "degC" => &["°C", "℃", "C"],
        "degF" => &["°F", "℉", "F"],
        _ => &[],
    };
    let units = std::iter::once(unit).chain(other.iter().copied());
    let stripped = units.filter_map(|u| text.strip_suffix(u)).map(str::trim_end);
    let is_number = |t: &&str| t.ends_with(|c: char| c.is_ascii_digit());
    stripped.into_iter().find(is_number).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{Absent, Valid};

    #[track_caller]
    fn check(text: &str, unit: &str, decimal_comma: bool, expected: Option<f64>) {
        assert_eq!(number(text, unit, decimal_comma), expected, "{text}");
    }

    #[test]
    fn numbers_as_recordings_have_them() {
        check("7.5", "", true, Some(7.5));
        check("7,5", "", true, Some(7.5));
        check("-0,25", "", true, Some(-0.25));
        check("1,5e3", "", true, Some(1500.0));
        check("1.234,5", "", true, Some(1234.5));
        check("1\u{a0}234,5", "", true, Some(1234.5));
        check("12.34,5", "", true, None);
        check("1,234.5", "", true, None);
        check("1,2,3", "", true, None);
        check("7,5", "", false, None);
        check("0.5 bar", "bar", false, Some(0.5));
        check("0,5bar", "bar", true, Some(0.5));
        check("0.5 bar", "kPa", false, None);
        check("0.5 bar", "", false, None);
        check("21 °C", "degC", false, Some(21.0));
        check("bar", "bar", false, None);
        check("nan", "", true, None);
        check(",", "", true, None);
        check(",5", "", true, Some(0.5));
    }

    #[test]
    fn cells_are_values_marks_or_neither() {
        let p = Point {
            kind: DataType::I16,
            scale: 0.1,
            absent: Absent { raw: vec![0x8000], ..Absent::default() },
            valid: Some(Valid { min: -40.0, max: 120.0 }),
            ..Point::test("p")
        };
        assert_eq!(read(&p, "7,5", true), Cell::Value(Ok(Value::Real(7.5))));
        assert!(matches!(read(&p, "-3276,8", true), Cell::Value(Err(BadReason::AbsentValue(_)))));
        assert!(matches!(read(&p, "121", true), Cell::Value(Err(BadReason::OutsideValid(..)))));
        assert_eq!(read(&p, "NaN", true), Cell::Marked);
        assert_eq!(read(&p, "bad", true), Cell::Marked);
        assert_eq!(read(&p, "7.5 bar", true), Cell::Unreadable);
        let flag = Point { kind: DataType::Bool, true_words: vec!["open".to_owned()], ..Point::test("b") };
        assert_eq!(read(&flag, "Open", false), Cell::Value(Ok(Value::Bool(true))));
        assert_eq!(read(&flag, "0", false), Cell::Value(Ok(Value::Bool(false))));
        assert_eq!(read(&flag, "ajar", false), Cell::Unreadable);
    }

    #[test]
    fn a_column_may_have_the_unit_of_its_point_in_brackets() {
        use crate::detect::Replay;
        use crate::source::SourceText;
        use crate::words::{EquipmentId, ProfileName};
        let text = "[device]\nvendor='v'\nmodel='m'\nkind='k'\n[points]\n\
            oil_pressure = { register = 'holding:0', type = 'u16', unit = 'bar' }\n";
        let name = ProfileName::parse("p").unwrap();
        let profile = crate::profile::load(&name, &SourceText::new("p", text)).0.unwrap();
        let replay = Replay::new(&profile, &EquipmentId::parse("e").unwrap(), None);
        for (column, is_it) in [
            ("Oil Pressure", true),
            ("Oil Pressure (bar)", true),
            ("oil pressure [bar]", true),
            ("Oil Pressure (mbar)", false),
        ] {
            assert_eq!(replay.column(column).is_some(), is_it, "{column}");
        }
    }

    #[test]
    fn a_tally_keeps_the_first_that_cannot_be_read() {
        let mut tally = Tally::default();
        for (line, text) in [(2, "0,5"), (3, "x"), (4, "nan"), (5, "y"), (6, "1.5")] {
            let p = Point { kind: DataType::F32, ..Point::test("p") };
            tally.note(line, text, &read(&p, text, true));
        }
        assert_eq!((tally.readable, tally.marked, tally.unreadable), (2, 1, 2));
        assert_eq!(tally.first, Some((3, Excerpt::of("x"))));
        assert!(tally.has_commas && tally.has_points);
    }
}
