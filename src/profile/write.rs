//! Values that a person may write to a point, and their registers. andon writes a point only if the profile marks it
//! `writable`.

use super::data_type::DataType;
use super::decode::{decode, encode};
use super::model::{Point, Writable};
use crate::source::{Section, suggest};
use crate::words::Value;

/// Why a value cannot be written to a point.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum WriteProblem {
    /// The profile does not allow it.
    #[error("its profile does not say that it may be written")]
    NotWritable,
    /// It is no value of that point.
    #[error("{0}")]
    NoValue(String),
    /// It is outside the profile's bounds.
    #[error("it is written between {min} and {max}")]
    OutOfBounds {
        /// The least value.
        min: f64,
        /// The greatest value.
        max: f64,
    },
    /// Its registers cannot hold it.
    #[error("its registers hold {0} instead")]
    Rounded(Value),
}

/// The value that a text means, and the registers (or 0 and 1 for a coil) that carry it; `factor` is what the point's
/// `scale_from` register holds.
///
/// # Errors
/// Why it cannot be written.
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
        Err(reason) => Err(WriteProblem::NoValue(format!("its registers would read as: {reason}"))),
    }
}

/// Whether two values are the same, to the last digits of a double.
fn is_same(a: &Value, b: &Value) -> bool {
    match (a.number(), b.number()) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-6 * a.abs().max(b.abs()).max(1e-6),
        _ => a == b,
    }
}

fn value(point: &Point, text: &str) -> Result<Value, WriteProblem> {
    let no = |why: String| Err(WriteProblem::NoValue(why));
    if point.kind == DataType::Bool {
        return match text {
            "true" | "on" | "1" => Ok(Value::Bool(true)),
            "false" | "off" | "0" => Ok(Value::Bool(false)),
            _ => no(format!("{text} is neither on nor off")),
        };
    }
    if !point.values.is_empty() {
        let named = point.values.iter().find(|(name, code)| *name == text || code.to_string() == text);
        return match named {
            Some((_, code)) => Ok(Value::Integer(*code)),
            None => {
                let meant = suggest(text, point.values.keys().map(String::as_str)).or_known();
                no(format!("{text} is none of its values; {meant}"))
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

/// `writable = { min = 20, max = 80 }`, or `true` for what has a few values only.
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
                s.error(span, "a number is written between bounds", "as in { min = 20, max = 80 }");
                return None;
            }
        },
    };
    let problem = match point.register() {
        None => Some("only registers and coils are written"),
        Some(address) if !address.area.is_writable() => Some("only coils and holding registers are written"),
        Some(_) if point.bit.is_some() => {
            Some("one bit of a register cannot be written without its neighbours; write the register")
        }
        Some(_) if point.mask.is_some() || point.shift > 0 => {
            Some("some bits of a register cannot be written without their neighbours")
        }
        Some(_) if matches!(point.kind, DataType::Text { .. }) => Some("a string is not written"),
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
        check(bounded, "40.57", None, Err("its registers hold 40.6 instead"));
        check(bounded, "80.1", None, Err("between 20 and 80"));
        check(bounded, "nan", None, Err("not a number"));
        check(bounded, "hot", None, Err("hot is not a number"));
        check("register = 'holding:1', type = 'i16'", "40", None, Err("does not say"));
        let mode =
            "register = 'holding:1', type = 'enum16', values = { 0 = 'off', 1 = 'auto' }, writable = true";
        check(mode, "auto", None, Ok(&[1]));
        check(mode, "1", None, Ok(&[1]));
        check(mode, "aut", None, Err("did you mean auto?"));
        check(mode, "2", None, Err("none of its values; known: auto, off"));
        let coil = "register = 'coil:1', type = 'bool', writable = true";
        check(coil, "on", None, Ok(&[1]));
        check(coil, "off", None, Ok(&[0]));
        check(coil, "2", None, Err("neither on nor off"));
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
        refused("register = 'holding:1', type = 'u16', writable = true", "written between bounds");
        refused("register = 'holding:1', type = 'bool', bit = 3, writable = true", "without its neighbours");
        refused("register = 'holding:1', type = 'u16', writable = { min = 2, max = 1 }", "greater than max");
    }
}
