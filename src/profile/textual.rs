//! Conversion of texts and JSON into values, for points that are not registers. A value that does not fit the type of
//! its point is a bad reading and is never converted: a fraction for an integer, a text for a number, a value out of
//! range, an absent value.

use std::borrow::Cow;

use super::data_type::DataType;
use super::decode::{Order, decode, scaled_value};
use super::frame::from_hex;
use super::model::Point;
use crate::words::{BadReason, Excerpt, Value};

fn misfit(point: &Point, found: &str) -> BadReason {
    BadReason::NotOfType(Excerpt::of(found), point.kind.word())
}

/// Reads a plain text: a capture of a line, or a whole payload.
///
/// # Errors
/// The reason why the text does not give a usable value.
pub fn parse_text(point: &Point, text: &str) -> Result<Value, BadReason> {
    let text = text.trim();
    let bad = || misfit(point, text);
    point.absent.of_text(text)?;
    match point.kind {
        DataType::Text { .. } => Value::text(text),
        DataType::Bool => truth_of(point, text).map(Value::Bool).ok_or_else(bad),
        DataType::Enum16 | DataType::Enum32 => named(point, text).ok_or_else(bad),
        _ if point.kind.is_float() => {
            let number: f64 = text.trim_start_matches('+').parse().map_err(|_| bad())?;
            scaled_value(point, Value::Real(number))
        }
        _ => {
            let number: i128 = text.trim_start_matches('+').parse().map_err(|_| bad())?;
            whole(point, number).ok_or_else(bad).and_then(|v| scaled_value(point, v))
        }
    }
}

/// Returns the meaning of a text for a bool point: first by `true_words` and `false_words` of the point, then by the
/// usual words; `None` if the text is none of them.
#[must_use]
pub fn truth_of(point: &Point, text: &str) -> Option<bool> {
    let is_one = |words: &[String]| words.iter().any(|w| w.eq_ignore_ascii_case(text));
    match text {
        _ if is_one(&point.true_words) => Some(true),
        _ if is_one(&point.false_words) => Some(false),
        text => match text.to_ascii_lowercase().as_str() {
            "1" | "true" | "on" | "yes" => Some(true),
            "0" | "false" | "off" | "no" => Some(false),
            _ => None,
        },
    }
}

/// Reads `count` bytes of a binary frame, from byte `at`, in the same way as registers. A frame is a text of
/// hexadecimal bytes.
///
/// # Errors
/// The reason why the bytes do not give a usable value.
pub fn parse_bytes(point: &Point, frame: &str, at: usize, count: usize) -> Result<Value, BadReason> {
    let bytes = from_hex(frame).ok_or_else(|| misfit(point, frame))?;
    let own = bytes.get(at..at + count).ok_or_else(|| misfit(point, frame))?;
    // A value with fewer bytes than its type has the low bytes of the type: the zeros come before them, or after them
    // if the least significant byte is first.
    let room = usize::from(point.kind.registers()) * 2;
    let missing = room.saturating_sub(own.len());
    let is_low_first = point.byte_order == Order::Little && (room == 2 || point.word_order == Order::Little);
    let mut wide = Vec::with_capacity(room);
    if !is_low_first {
        wide.resize(missing, 0);
    }
    wide.extend(own);
    wide.resize(room.max(wide.len()), 0);
    let words: Vec<u16> =
        wide.chunks(2).map(|pair| pair.iter().fold(0, |w, b| w << 8 | u16::from(*b))).collect();
    // The sign of a signed value is the top bit of the bytes that the frame has.
    let is_narrow = point.kind.is_signed() && point.mask.is_none() && own.len() < point.kind.bytes();
    if is_narrow {
        let mask = Some((1_u64 << (8 * own.len().min(7))) - 1);
        return decode(&Point { mask, ..point.clone() }, &words, None);
    }
    decode(point, &words, None)
}

/// Reads a JSON value.
///
/// # Errors
/// The reason why the JSON value does not give a usable value.
pub fn parse_json(point: &Point, json: &serde_json::Value) -> Result<Value, BadReason> {
    use serde_json::Value as Json;
    let bad = || misfit(point, &json.to_string());
    match (point.kind, json) {
        // Some bridges put numbers and booleans in quotes. andon reads these like plain text.
        (DataType::Text { .. }, Json::String(text)) => {
            point.absent.of_text(text)?;
            Value::text(text)
        }
        (_, Json::String(text)) => parse_text(point, text),
        (DataType::Bool, Json::Bool(flag)) => {
            let own = !point.true_words.is_empty() || !point.false_words.is_empty();
            let said = own.then(|| truth_of(point, &flag.to_string())).flatten();
            Ok(Value::Bool(said.unwrap_or(*flag)))
        }
        (DataType::Bool, Json::Number(number))
            if [&point.true_words, &point.false_words]
                .iter()
                .any(|words| words.contains(&number.to_string())) =>
        {
            parse_text(point, &number.to_string())
        }
        (_, Json::Number(number)) if point.kind.is_float() => {
            let number = number.as_f64().ok_or_else(bad)?;
            scaled_value(point, Value::Real(number))
        }
        (DataType::Bool | DataType::Text { .. }, _) => Err(bad()),
        (_, Json::Number(number)) => {
            let number = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
            let number = number.or_else(|| exact(json)).ok_or_else(bad)?;
            whole(point, number).ok_or_else(bad).and_then(|v| scaled_value(point, v))
        }
        _ => Err(bad()),
    }
}

/// Reads an MQTT payload: the whole payload as plain text, or the value at a JSON pointer or a selection. Returns
/// `None` if the payload does not mention the point: a list without the element that the point selects.
#[must_use]
pub fn parse_payload(
    point: &Point,
    payload: &[u8],
    pointer: Option<&str>,
) -> Option<Result<Value, BadReason>> {
    let Ok(text) = std::str::from_utf8(payload) else { return Some(Err(BadReason::NotText)) };
    if pointer.is_none() && point.selection.is_none() {
        return Some(parse_text(point, unquoted(point, text)));
    }
    let Ok(json) = serde_json::from_str::<serde_json::Value>(text) else {
        return Some(Err(BadReason::NotJson));
    };
    let shown = pointer.unwrap_or("the payload");
    let found = match &point.selection {
        Some(selection) => selection.find(&json, shown)?,
        None => {
            json.pointer(shown).map(Cow::Borrowed).ok_or_else(|| BadReason::NothingThere(Excerpt::of(shown)))
        }
    };
    Some(found.and_then(|json| parse_json(point, &json)))
}

/// Removes the quotes from a payload that is one quoted number or boolean.
fn unquoted<'t>(point: &Point, text: &'t str) -> &'t str {
    let inner = text.trim().strip_prefix('"').and_then(|t| t.strip_suffix('"'));
    match (point.kind, inner) {
        (DataType::Text { .. }, _) | (_, None) => text,
        (_, Some(inner)) => inner,
    }
}

/// Reads a whole number that is written with a decimal point, such as `5.0`.
fn exact(json: &serde_json::Value) -> Option<i128> {
    let number = json.as_f64()?;
    #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
    (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i128)
}

/// Returns the value of an enum by its name or by its number.
fn named(point: &Point, text: &str) -> Option<Value> {
    let by_name = point.values.get(text).copied();
    let code = by_name.or_else(|| text.parse().ok().filter(|n| point.values.values().any(|v| v == n)))?;
    Some(Value::Integer(code))
}

/// Returns a whole number if it is in the range of the type of the point.
fn whole(point: &Point, number: i128) -> Option<Value> {
    let (min, max): (i128, i128) = match point.kind {
        DataType::U8 => (0, u8::MAX.into()),
        DataType::I8 => (i8::MIN.into(), i8::MAX.into()),
        DataType::U24 => (0, 0xFF_FFFF),
        DataType::I24 => (-0x80_0000, 0x7F_FFFF),
        DataType::U16 | DataType::Bits16 | DataType::Enum16 => (0, u16::MAX.into()),
        DataType::I16 => (i16::MIN.into(), i16::MAX.into()),
        DataType::U32 | DataType::Bits32 | DataType::Enum32 => (0, u32::MAX.into()),
        DataType::I32 => (i32::MIN.into(), i32::MAX.into()),
        DataType::U64 => (0, u64::MAX.into()),
        DataType::I64 => (i64::MIN.into(), i64::MAX.into()),
        DataType::Bcd16 => (0, 9_999),
        DataType::Bcd32 => (0, 99_999_999),
        DataType::F32 | DataType::F64 | DataType::Bool | DataType::Text { .. } => return None,
    };
    (min..=max).contains(&number).then_some(Value::Integer(number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits;

    fn point(kind: DataType) -> Point {
        Point { kind, values: [("Idle".to_owned(), 0), ("Run".to_owned(), 1)].into(), ..Point::test("p") }
    }

    #[track_caller]
    fn text(kind: DataType, text: &str, expected: Option<Value>) {
        assert_eq!(parse_text(&point(kind), text).ok(), expected, "{text}");
    }

    #[track_caller]
    fn json(kind: DataType, text: &str, expected: Option<Value>) {
        let json = serde_json::from_str(text).unwrap();
        assert_eq!(parse_json(&point(kind), &json).ok(), expected, "{text}");
    }

    #[test]
    fn texts_fit_their_type_or_are_bad() {
        text(DataType::F64, " +12.5 ", Some(Value::Real(12.5)));
        text(DataType::F64, "1e-3", Some(Value::Real(0.001)));
        text(DataType::F64, "nan", None);
        text(DataType::F64, "12 mm", None);
        text(DataType::U16, "65535", Some(Value::Integer(65_535)));
        text(DataType::U16, "65536", None);
        text(DataType::U16, "1.5", None);
        text(DataType::I16, "-5", Some(Value::Integer(-5)));
        text(DataType::U16, "-5", None);
        text(DataType::Bool, "ON", Some(Value::Bool(true)));
        text(DataType::Bool, "maybe", None);
        text(DataType::Enum16, "Run", Some(Value::Integer(1)));
        text(DataType::Enum16, "1", Some(Value::Integer(1)));
        text(DataType::Enum16, "Alarm", None);
        text(DataType::Text { registers: 1 }, " abc ", Some(Value::Text("abc".into())));
        text(DataType::U16, "", None);
    }

    #[test]
    fn json_fits_its_type_or_is_bad() {
        json(DataType::F64, "12.5", Some(Value::Real(12.5)));
        json(DataType::F64, "\"12.5\"", Some(Value::Real(12.5)));
        json(DataType::U16, "5.0", Some(Value::Integer(5)));
        json(DataType::U16, "5.5", None);
        json(DataType::U16, "70000", None);
        json(DataType::U64, "18446744073709551615", Some(Value::Integer(u64::MAX.into())));
        json(DataType::Bool, "true", Some(Value::Bool(true)));
        json(DataType::Bool, "1", None);
        json(DataType::Enum16, "\"Idle\"", Some(Value::Integer(0)));
        json(DataType::Text { registers: 1 }, "\"x\"", Some(Value::Text("x".into())));
        json(DataType::F64, "null", None);
        json(DataType::F64, "{}", None);
    }

    #[test]
    fn a_text_longer_than_a_text_value_is_bad_and_quoted_short() {
        let long = "\\".repeat(200_000);
        let json = serde_json::Value::from(long.clone());
        let of = |kind| [parse_text(&point(kind), &long), parse_json(&point(kind), &json)];
        for kind in
            [DataType::Text { registers: 0 }, DataType::Bool, DataType::Enum16, DataType::F64, DataType::U16]
        {
            for found in of(kind) {
                let why = found.unwrap_err().to_string();
                assert!(why.len() < 200, "{kind:?}: {} bytes", why.len());
            }
        }
        let [plain, json] = of(DataType::Text { registers: 0 });
        assert_eq!(
            (&plain, &json),
            (&Err(BadReason::TextTooLong(200_000)), &Err(BadReason::TextTooLong(200_000)))
        );
        let payload = format!("{{\"a\": \"{}\"}}", "x".repeat(limits::TEXT_VALUE_BYTES_MAX + 1));
        let pointed = parse_payload(&point(DataType::Text { registers: 0 }), payload.as_bytes(), Some("/a"));
        assert_eq!(pointed, Some(Err(BadReason::TextTooLong(limits::TEXT_VALUE_BYTES_MAX + 1))));
        let longest = "x".repeat(limits::TEXT_VALUE_BYTES_MAX);
        text(DataType::Text { registers: 0 }, &longest, Some(Value::Text(longest.as_str().into())));
    }

    /// A payload of a bridge that puts numbers in quotes: `{"outdoorTemp":"19.6","heatPmp":"on"}`.
    #[test]
    fn quoted_numbers_and_truths_are_read_as_the_text_they_hold() {
        json(DataType::F64, "\"19.6\"", Some(Value::Real(19.6)));
        json(DataType::F64, "\" -3 \"", Some(Value::Real(-3.0)));
        json(DataType::U16, "\"12\"", Some(Value::Integer(12)));
        json(DataType::U16, "\"12.5\"", None);
        json(DataType::U16, "\"70000\"", None);
        json(DataType::F64, "\"19.6 C\"", None);
        json(DataType::F64, "\"\"", None);
        json(DataType::Bool, "\"on\"", Some(Value::Bool(true)));
        json(DataType::Bool, "\"FALSE\"", Some(Value::Bool(false)));
        json(DataType::Bool, "\"open\"", None);
        let whole = |payload: &[u8]| parse_payload(&point(DataType::F64), payload, None).unwrap().ok();
        assert_eq!(whole(b"\"19.6\""), Some(Value::Real(19.6)));
        assert_eq!(whole(b"19.6"), Some(Value::Real(19.6)));
        let words = |yes: &[&str], no: &[&str]| Point {
            true_words: yes.iter().map(|w| (*w).to_owned()).collect(),
            false_words: no.iter().map(|w| (*w).to_owned()).collect(),
            ..point(DataType::Bool)
        };
        let valve = words(&["open"], &["closed"]);
        for (text, truth) in
            [("Open", Some(true)), ("closed", Some(false)), ("on", Some(true)), ("ajar", None)]
        {
            assert_eq!(parse_text(&valve, text).ok(), truth.map(Value::Bool), "{text}");
        }
        let inverse = words(&["0", "false"], &["1", "true"]);
        assert_eq!(parse_text(&inverse, "0"), Ok(Value::Bool(true)));
        assert_eq!(parse_json(&inverse, &serde_json::json!(true)), Ok(Value::Bool(false)));
        assert_eq!(parse_json(&inverse, &serde_json::json!(1)), Ok(Value::Bool(false)));
    }

    #[test]
    fn marks_and_bounds_hold_for_texts_and_json_too() {
        use crate::profile::{Absent, Valid};
        let absent = |raw: &[u64], numbers: &[f64], words: &[&str]| Absent {
            raw: raw.to_vec(),
            numbers: numbers.to_vec(),
            words: words.iter().map(|w| (*w).to_owned()).collect(),
        };
        let of = |kind, absent| Point { absent, ..point(kind) };
        let lq = of(DataType::U16, absent(&[255], &[], &[]));
        assert!(matches!(parse_json(&lq, &serde_json::json!(255)), Err(BadReason::AbsentValue(_))));
        assert!(matches!(parse_text(&lq, "255"), Err(BadReason::AbsentValue(_))));
        assert_eq!(parse_text(&lq, "254"), Ok(Value::Integer(254)));
        let real = of(DataType::F64, absent(&[255], &[9.9e37, -999.25], &["n/a"]));
        for text in ["+9.90000000E+37", "255", "255.0", "-999.25", "N/A"] {
            assert!(matches!(parse_text(&real, text), Err(BadReason::AbsentValue(_))), "{text}");
        }
        assert!(matches!(parse_json(&real, &serde_json::json!(9.9e37)), Err(BadReason::AbsentValue(_))));
        let raw = of(DataType::I16, absent(&[0x8000], &[], &[]));
        assert!(matches!(parse_text(&raw, "-32768"), Err(BadReason::AbsentValue(_))));
        let scaled = Point { scale: 0.1, valid: Some(Valid { min: 0.0, max: 100.0 }), ..lq };
        assert!(matches!(parse_text(&scaled, "255"), Err(BadReason::AbsentValue(_))), "before the scale");
        assert_eq!(parse_text(&scaled, "1000"), Ok(Value::Real(100.0)));
        assert!(matches!(parse_text(&scaled, "1001"), Err(BadReason::OutsideValid(..))));
        let label = of(DataType::Text { registers: 0 }, absent(&[], &[], &["unknown"]));
        assert!(matches!(parse_json(&label, &serde_json::json!("unknown")), Err(BadReason::AbsentValue(_))));
    }

    #[test]
    fn bytes_of_a_frame_keep_their_sign_and_their_order() {
        let of = |kind, order| Point { byte_order: order, word_order: order, ..point(kind) };
        let check = |p: &Point, at: usize, count: usize, expected: i128| {
            let found = parse_bytes(p, "FB FF FE 7F 01", at, count);
            assert_eq!(found, Ok(Value::Integer(expected)), "{p:?}");
        };
        check(&of(DataType::I8, Order::Big), 0, 1, -5);
        check(&of(DataType::U8, Order::Big), 0, 1, 0xFB);
        check(&of(DataType::I16, Order::Big), 0, 1, -5);
        check(&of(DataType::U16, Order::Big), 0, 1, 0xFB);
        check(&of(DataType::U16, Order::Little), 0, 1, 0xFB);
        check(&of(DataType::I24, Order::Big), 0, 3, 0xFBFFFE - 0x100_0000);
        check(&of(DataType::I24, Order::Little), 0, 3, 0xFEFFFB - 0x100_0000);
        check(&of(DataType::U24, Order::Little), 2, 3, 0x017FFE);
        check(&of(DataType::I32, Order::Big), 0, 3, 0xFBFFFE - 0x100_0000);
    }

    #[test]
    fn scale_and_offset_apply() {
        let p = Point { scale: 0.1, offset: 2.0, ..point(DataType::U16) };
        assert_eq!(parse_text(&p, "35"), Ok(Value::Real(5.5)));
    }
}
