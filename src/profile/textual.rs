//! Texts and JSON into values, for what is not registers. A value that does not fit its type is a bad reading,
//! never cast: a fraction for an integer, a text for a number, one out of range, an absent one.

use super::decode::{DataType, decode, scaled_value};
use super::frame::from_hex;
use super::model::Point;
use crate::words::{BadReason, Excerpt, Value};

fn misfit(point: &Point, found: &str) -> BadReason {
    BadReason::NotOfType(Excerpt::of(found), point.kind.word())
}

/// Reads a plain text: a line's capture, or a whole payload.
///
/// # Errors
/// Why there is no usable value.
pub fn parse_text(point: &Point, text: &str) -> Result<Value, BadReason> {
    let text = text.trim();
    let bad = || misfit(point, text);
    match point.kind {
        DataType::Text { .. } => Value::text(text),
        DataType::Bool => match text.to_ascii_lowercase().as_str() {
            "1" | "true" | "on" | "yes" => Ok(Value::Bool(true)),
            "0" | "false" | "off" | "no" => Ok(Value::Bool(false)),
            _ => Err(bad()),
        },
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

/// Reads bytes of a binary frame, which stands here as a line of hexadecimal bytes, as registers would be read.
///
/// # Errors
/// Why there is no usable value.
pub fn parse_bytes(point: &Point, frame: &str, at: usize, count: usize) -> Result<Value, BadReason> {
    let bytes = from_hex(frame).ok_or_else(|| misfit(point, frame))?;
    let own = bytes.get(at..at + count).ok_or_else(|| misfit(point, frame))?;
    // Fewer bytes than the type has are its low ones.
    let mut wide =
        vec![0; usize::from(point.kind.registers()) * 2 - count.min(usize::from(point.kind.registers()) * 2)];
    wide.extend(own);
    let words: Vec<u16> =
        wide.chunks(2).map(|pair| pair.iter().fold(0, |w, b| w << 8 | u16::from(*b))).collect();
    decode(point, &words, None)
}

/// Reads a JSON value.
///
/// # Errors
/// Why there is no usable value.
pub fn parse_json(point: &Point, json: &serde_json::Value) -> Result<Value, BadReason> {
    use serde_json::Value as Json;
    let bad = || misfit(point, &json.to_string());
    match (point.kind, json) {
        (DataType::Text { .. }, Json::String(text)) => Value::text(text),
        (DataType::Bool, Json::Bool(flag)) => Ok(Value::Bool(*flag)),
        (DataType::Enum16 | DataType::Enum32, Json::String(text)) => named(point, text).ok_or_else(bad),
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

/// Reads an MQTT payload: whole as a plain text, or what a JSON pointer leads to.
///
/// # Errors
/// Why there is no usable value.
pub fn parse_payload(point: &Point, payload: &[u8], pointer: Option<&str>) -> Result<Value, BadReason> {
    let text = std::str::from_utf8(payload).map_err(|_| BadReason::NotText)?;
    let Some(pointer) = pointer else { return parse_text(point, text) };
    let json: serde_json::Value = serde_json::from_str(text).map_err(|_| BadReason::NotJson)?;
    let found = json.pointer(pointer).ok_or_else(|| BadReason::NothingThere(Excerpt::of(pointer)))?;
    parse_json(point, found)
}

/// `5.0` is a whole number written with a point.
fn exact(json: &serde_json::Value) -> Option<i128> {
    let number = json.as_f64()?;
    #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
    (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i128)
}

/// An enum's value by its name, or by its number.
fn named(point: &Point, text: &str) -> Option<Value> {
    let by_name = point.values.get(text).copied();
    let code = by_name.or_else(|| text.parse().ok().filter(|n| point.values.values().any(|v| v == n)))?;
    Some(Value::Integer(code))
}

/// A whole number within its type's range.
fn whole(point: &Point, number: i128) -> Option<Value> {
    let (min, max): (i128, i128) = match point.kind {
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
        json(DataType::F64, "\"12.5\"", None);
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
        assert_eq!(pointed, Err(BadReason::TextTooLong(limits::TEXT_VALUE_BYTES_MAX + 1)));
        let longest = "x".repeat(limits::TEXT_VALUE_BYTES_MAX);
        text(DataType::Text { registers: 0 }, &longest, Some(Value::Text(longest.as_str().into())));
    }

    #[test]
    fn scale_and_offset_apply() {
        let p = Point { scale: 0.1, offset: 2.0, ..point(DataType::U16) };
        assert_eq!(parse_text(&p, "35"), Ok(Value::Real(5.5)));
    }
}
