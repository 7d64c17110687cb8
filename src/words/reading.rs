//! A reading: a point's value at an instant, with a quality.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

use super::text::Excerpt;
use super::time::Now;
use crate::limits;

/// A value as a point delivers it, after scaling.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A coil, a discrete input, one bit.
    Bool(bool),
    /// A whole number; also the raw code of an enum or a bit field.
    Integer(i128),
    /// A number with a fraction.
    Real(f64),
    /// A text.
    Text(Arc<str>),
}

impl Value {
    /// A text as a value: the one way in for texts of equipment.
    ///
    /// # Errors
    /// [`BadReason::TextTooLong`] of a text longer than [`limits::TEXT_VALUE_BYTES_MAX`].
    pub fn text(text: &str) -> Result<Self, BadReason> {
        match text.len() {
            0..=limits::TEXT_VALUE_BYTES_MAX => Ok(Value::Text(text.into())),
            bytes => Err(BadReason::TextTooLong(bytes)),
        }
    }

    /// The value as `f64`; `None` for `Bool` and `Text`.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "all arithmetic is f64, as documented")]
            Value::Integer(i) => Some(*i as f64),
            Value::Real(r) => Some(*r),
            Value::Bool(_) | Value::Text(_) => None,
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Bool(b) => s.serialize_bool(*b),
            Value::Integer(i) => match (i64::try_from(*i), u64::try_from(*i)) {
                (Ok(small), _) => s.serialize_i64(small),
                (_, Ok(large)) => s.serialize_u64(large),
                _ => s.collect_str(i),
            },
            Value::Real(r) => s.serialize_f64(*r),
            Value::Text(t) => s.serialize_str(t),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Bool(b) => fmt::Display::fmt(b, f),
            Value::Integer(i) => fmt::Display::fmt(i, f),
            Value::Real(r) => f.write_str(&render_real(*r)),
            Value::Text(t) => f.write_str(t),
        }
    }
}

/// A number as a person reads it: at most seven significant digits, no trailing zeros.
#[must_use]
pub fn render_real(r: f64) -> String {
    if !r.is_finite() {
        return r.to_string();
    }
    let magnitude = if r == 0.0 { 0.0 } else { r.abs().log10().floor() };
    if !(-5.0..15.0).contains(&magnitude) {
        return format!("{r:.6e}");
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 12")]
    let places = (6.0 - magnitude).clamp(0.0, 12.0) as usize;
    let text = format!("{r:.places$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// How far a reading can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Quality {
    /// Read from the equipment, whole and in time.
    Good,
    /// Read, and judged; the request that should have renewed it had no answer.
    Uncertain,
    /// No value, or one that must not be used.
    Bad,
}

impl fmt::Display for Quality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Quality::Good => "good",
            Quality::Uncertain => "uncertain",
            Quality::Bad => "bad",
        })
    }
}

/// Why a reading is bad.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadReason {
    /// The device sends a value that means "no value".
    #[error("the device reports no value here (0x{0:X} is listed under absent)")]
    Absent(u64),
    /// A number or text that means "no value".
    #[error("the device reports no value here ({0} is listed under absent)")]
    AbsentValue(Excerpt),
    /// A number that the device cannot have: it, and the bounds.
    #[error("{0} is not valid: the profile says {1}")]
    OutsideValid(Excerpt, Excerpt),
    /// The payload itself marks the value: which of the profile's conditions is not met.
    #[error("the payload marks this value as not usable: {0}")]
    MarkedUnusable(Excerpt),
    /// A text that ends before it begins, with more behind its end.
    #[error(
        "characters follow the zero byte that should end the text; if each register holds one character, set characters_per_register = 1"
    )]
    TextGoesOn,
    /// A float that is no number.
    #[error("the device sends NaN or infinity")]
    NotANumber,
    /// A nibble above 9 in a BCD number.
    #[error("0x{0:X} is not a BCD number")]
    NotBcd(u64),
    /// Bytes that are no text.
    #[error("the registers hold no text")]
    NotText,
    /// A text longer than a text value may be: how many bytes it has.
    #[error("the text has {0} bytes; a text value must have at most {max} bytes", max = limits::TEXT_VALUE_BYTES_MAX)]
    TextTooLong(usize),
    /// A scale factor that is absent or beyond 10^-10 to 10^10.
    #[error("its scale factor {0} cannot be used")]
    BadScale(String),
    /// A text or JSON value that does not fit its type.
    #[error("'{0}' is not of type {1}")]
    NotOfType(Excerpt, &'static str),
    /// A payload that is no JSON, where a JSON pointer is asked for.
    #[error("the payload is not JSON")]
    NotJson,
    /// Nothing stands where the JSON pointer leads.
    #[error("the payload has nothing at {0}")]
    NothingThere(Excerpt),
    /// The device itself refuses to give it.
    #[error("{0}")]
    Refused(Arc<str>),
    /// No reading at all: the request that should have brought it, its retries included, has no answer. The point keeps its
    /// last good value until that is stale.
    #[error("{0}")]
    NoAnswer(Arc<str>),
    /// Its last good reading is too old.
    #[error("the last good reading is older than {}", super::span::render_duration(*.0))]
    Stale(Duration),
}

impl BadReason {
    /// Whether this says that nothing was read, not that what was read is bad.
    #[must_use]
    pub fn is_no_reading(&self) -> bool {
        matches!(self, BadReason::NoAnswer(_))
    }
}

/// What a batch of readings says of the equipment itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It has answered, or told something by itself.
    Answered,
    /// A broker had kept this of it: it was so once, and nobody says when.
    Retained,
    /// It has not: the readings only say why there is no value.
    NoAnswer,
    /// It is known to be away: its last will, its death certificate, its broker says so.
    Lost,
}

impl Presence {
    /// Whether this is something of the equipment itself.
    #[must_use]
    pub fn is_answer(self) -> bool {
        matches!(self, Presence::Answered | Presence::Retained)
    }
}

/// A point's value at an instant: the value when it is good, the reason when it is bad.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// What was read, or why it cannot be used.
    pub value: Result<Value, BadReason>,
    /// When the answer arrived at the gateway.
    pub at: Now,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(r: f64, text: &str) {
        assert_eq!(render_real(r), text);
    }

    #[test]
    fn numbers_read_well() {
        check(230.2, "230.2");
        check(f64::from(230.2_f32), "230.2");
        check(0.0, "0");
        check(50.0, "50");
        check(-0.25, "-0.25");
        check(1_234_567.0, "1234567");
        check(1e20, "1.000000e20");
        check(f64::NAN, "NaN");
    }

    #[test]
    fn large_integers_keep_every_digit_in_json() {
        assert_eq!(
            serde_json::to_string(&Value::Integer(i128::from(u64::MAX))).unwrap(),
            u64::MAX.to_string()
        );
    }
}
