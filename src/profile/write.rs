//! Values that a person writes to a point, and the registers for them. andon writes a point only if the profile marks
//! it `writable`.

use super::data_type::DataType;
use super::decode::{decode, encode};
use super::model::{Point, Writable};
use crate::source::{Section, suggest};
use crate::words::Value;

/// The reason why a value cannot be written to a point.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum WriteProblem {
    /// The profile does not mark the point `writable`.
    #[error("its profile does not mark it `writable`")]
    NotWritable,
    /// The text is not a value of this point. Field: the reason, as a sentence.
    #[error("{0}")]
    NoValue(String),
    /// The value is outside the bounds of the profile.
    #[error("the value must be from {min} to {max}")]
    OutOfBounds {
        /// The smallest value that can be written.
        min: f64,
        /// The largest value that can be written.
        max: f64,
    },
    /// The registers cannot hold the value exactly. Field: the value that they can hold.
    #[error("its registers cannot hold this value; the nearest value is {0}")]
    Rounded(Value),
}

/// Converts a text into a value and its registers (0 or 1 for a coil). `factor` is the content of the `scale_from`
/// register, if the point has one.
///
/// # Errors
/// The reason why the value cannot be written.
pub fn to_write(point: &Point, text: &str, factor: Option<u16>) -> Result<(Value, Vec<u16>), WriteProblem> {
    let bounds = point.writable.ok_or(WriteProblem::NotWritable)?;
    if point.register().is_none() {
        return Err(WriteProblem::NotWritable);
    }
    let value = value(point, text.trim())?;
    let number = match &value {
        Value::Bool(b) => f64::from(u8::from(*b)),
        other => other.number().ok_or_else(|| WriteProblem::NoValue("it is not a number".to_owned()))?,
    };
    if !(bounds.min..=bounds.max).contains(&number) {
        return Err(WriteProblem::OutOfBounds { min: bounds.min, max: bounds.max });
    }
    let words = encode(point, &value, factor);
    match decode(point, &words, factor) {
        Ok(read) if is_same(&read, &value) => Ok((value, words)),
        Ok(read) => Err(WriteProblem::Rounded(read)),
        Err(reason) => Err(WriteProblem::NoValue(format!("its registers cannot hold this value: {reason}"))),
    }
}

/// True if two values are equal within the precision of a double.
fn is_same(a: &Value, b: &Value) -> bool {
    match (a.number(), b.number()) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-6 * a.abs().max(b.abs()).max(1e-6),
        _ => a == b,
    }
}

/// Reads a text as a value of the type of the point.
fn value(point: &Point, text: &str) -> Result<Value, WriteProblem> {
    let no = |why: String| Err(WriteProblem::NoValue(why));
    if point.kind == DataType::Bool {
        return match text {
            "true" | "on" | "1" => Ok(Value::Bool(true)),
            "false" | "off" | "0" => Ok(Value::Bool(false)),
            _ => no(format!("{text} is not on or off")),
        };
    }
    if !point.values.is_empty() {
        let named = point.values.iter().find(|(name, code)| *name == text || code.to_string() == text);
        return match named {
            Some((_, code)) => Ok(Value::Integer(*code)),
            None => {
                let meant = suggest(text, point.values.keys().map(String::as_str)).or_known();
                no(format!("{text} is not one of its values; {meant}"))
            }
        };
    }
    let hexadecimal = text.strip_prefix("0x").and_then(|hex| i128::from_str_radix(hex, 16).ok());
    match (hexadecimal.or_else(|| text.parse().ok()), text.parse::<f64>()) {
        (Some(whole), _) => Ok(Value::Integer(whole)),
        (None, Ok(real)) if real.is_finite() => Ok(Value::Real(real)),
        _ => no(format!("{text} is not a number")),
    }
}

/// Reads `writable = { min = 20, max = 80 }`, or `writable = true` for a bool or an enum.
pub(super) fn read_writable(s: &Section<'_>, point: &Point) -> Option<Writable> {
    if !s.has("writable") {
        return None;
    }
    let span = s.key_span("writable");
    let is_single = point.kind == DataType::Bool || !point.values.is_empty();
    let writable = match s.shape("writable") {
        Some(crate::source::Shape::Table) => read_bounds(&s.section("writable")?)?,
        _ => match s.flag("writable")?.value {
            false => return None,
            true if is_single => Writable { min: f64::MIN, max: f64::MAX },
            true => {
                s.error(span, "a writable number needs bounds", "as in { min = 20, max = 80 }");
                return None;
            }
        },
    };
    let problem = match point.register() {
        None => Some("only registers and coils can be written"),
        Some(address) if !address.area.is_writable() => {
            Some("only coils and holding registers can be written")
        }
        Some(_) if point.bit.is_some() => {
            Some("one bit of a register cannot be written alone; make the whole register writable")
        }
        Some(_) if point.mask.is_some() || point.shift > 0 => {
            Some("some bits of a register cannot be written alone")
        }
        Some(_) if matches!(point.kind, DataType::Text { .. }) => Some("a string cannot be written"),
        Some(_) => None,
    };
    match problem {
        None => Some(writable),
        Some(problem) => {
            s.error(span, problem, "");
            None
        }
    }
}

fn read_bounds(s: &Section<'_>) -> Option<Writable> {
    let (min, max) = (s.number("min"), s.number("max"));
    let (min, max) = (s.required("min", "0", min), s.required("max", "100", max));
    s.finish();
    let (min, max) = (min?.value, max?.value);
    if min > max {
        s.error(s.span(), "min is greater than max", "");
        return None;
    }
    Some(Writable { min, max })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::load;
    use crate::source::SourceText;
    use crate::words::ProfileName;

    #[track_caller]
    fn check(point: &str, text: &str, factor: Option<u16>, expected: Result<&[u16], &str>) {
        let text_of = format!(
            "[device]\nvendor='v'\nmodel='m'\nkind='k'\n[points]\nsf = {{ register = 'holding:9', type = 'i16' }}\np = {{ {point} }}"
        );
        let source = SourceText::new("p.toml", &text_of);
        let (profile, diagnostics) = load(&ProfileName::parse("p").unwrap(), &source);
        let found = match profile {
            Some(profile) => to_write(profile.point("p").unwrap().1, text, factor)
                .map(|(_, words)| words)
                .map_err(|e| e.to_string()),
            None => Err(diagnostics.lines().join("\n")),
        };
        match (found, expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected),
            (Err(found), Err(part)) => assert!(found.contains(part), "{found}"),
            (found, expected) => panic!("{found:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn values_become_registers_or_are_refused_with_the_reason() {
        let bounded = "register = 'holding:1', type = 'i16', scale = 0.1, writable = { min = 20, max = 80 }";
        check(bounded, "40", None, Ok(&[400]));
        check(bounded, "40.5", None, Ok(&[405]));
        check(bounded, "40.57", None, Err("the nearest value is 40.6"));
        check(bounded, "80.1", None, Err("from 20 to 80"));
        check(bounded, "nan", None, Err("not a number"));
        check(bounded, "hot", None, Err("hot is not a number"));
        check("register = 'holding:1', type = 'i16'", "40", None, Err("does not mark it"));
        let mode =
            "register = 'holding:1', type = 'enum16', values = { 0 = 'off', 1 = 'auto' }, writable = true";
        check(mode, "auto", None, Ok(&[1]));
        check(mode, "1", None, Ok(&[1]));
        check(mode, "aut", None, Err("did you mean auto?"));
        check(mode, "2", None, Err("not one of its values; known: auto, off"));
        let coil = "register = 'coil:1', type = 'bool', writable = true";
        check(coil, "on", None, Ok(&[1]));
        check(coil, "off", None, Ok(&[0]));
        check(coil, "2", None, Err("not on or off"));
        let float =
            "register = 'holding:1', type = 'f32', word_order = 'little', writable = { min = 0, max = 1e6 }";
        check(float, "230.2", None, Ok(&[0x3333, 0x4366]));
        let scaled =
            "register = 'holding:1', type = 'u16', scale_from = 'sf', writable = { min = 0, max = 500 }";
        check(scaled, "230.1", Some(0xFFFF), Ok(&[2301]));
        check(scaled, "230.1", None, Err("scale factor"));
    }

    #[test]
    fn what_cannot_be_written_is_refused_when_the_profile_is_loaded() {
        let refused = |point: &str, why: &str| check(point, "1", None, Err(why));
        refused(
            "register = 'input:1', type = 'u16', writable = { min = 0, max = 1 }",
            "only coils and holding",
        );
        refused("register = 'holding:1', type = 'u16', writable = true", "needs bounds");
        refused("register = 'holding:1', type = 'bool', bit = 3, writable = true", "cannot be written alone");
        refused("register = 'holding:1', type = 'u16', writable = { min = 2, max = 1 }", "greater than max");
    }
}
