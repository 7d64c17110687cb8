//! Readings: the value of a point at an instant, with its quality.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

use super::text::Excerpt;
use super::time::Now;
use crate::limits;

/// The value of a point, after scaling.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// The state of a coil, of a discrete input or of one bit.
    Bool(bool),
    /// A whole number. The code of an enum or of a bit field is also an `Integer`.
    Integer(i128),
    /// A number with a fraction.
    Real(f64),
    /// A text.
    Text(Arc<str>),
}

impl Value {
    /// Makes a value of a text. All texts that equipment sends become values here.
    ///
    /// # Errors
    /// [`BadReason::TextTooLong`] if the text is longer than [`limits::TEXT_VALUE_BYTES_MAX`].
    pub fn text(text: &str) -> Result<Self, BadReason> {
        match text.len() {
            0..=limits::TEXT_VALUE_BYTES_MAX => Ok(Value::Text(text.into())),
            bytes => Err(BadReason::TextTooLong(bytes)),
        }
    }

    /// Returns the value as `f64`; `None` for `Bool` and `Text`.
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

/// Writes a number for people: at most seven significant digits, no trailing zeros.
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

/// The quality of a reading: how far people and rules can trust it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Quality {
    /// The device answered in time and the value is valid.
    Good,
    /// The value is the last good value. The request that should have renewed it got no answer.
    Uncertain,
    /// There is no value, or the value must not be used.
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

/// The reason why a reading is bad.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadReason {
    /// The device sent a raw value that means "no value" (`absent` in the profile).
    #[error("the device reports no value here (0x{0:X} is listed under absent)")]
    Absent(u64),
    /// The device sent a number or a text that means "no value" (`absent` in the profile).
    #[error("the device reports no value here ({0} is listed under absent)")]
    AbsentValue(Excerpt),
    /// The number is outside `valid`. Fields: the number, and the bounds in words.
    #[error("{0} is not valid: the profile says {1}")]
    OutsideValid(Excerpt, Excerpt),
    /// The payload itself marks the value as not usable. Field: the condition of the profile that is not met.
    #[error("the payload marks this value as not usable: {0}")]
    MarkedUnusable(Excerpt),
    /// Other characters follow the zero byte that ends the text.
    #[error(
        "characters follow the zero byte that should end the text; if each register holds one character, set characters_per_register = 1"
    )]
    TextGoesOn,
    /// The device sent a float that is NaN or infinite.
    #[error("the device sends NaN or infinity")]
    NotANumber,
    /// A BCD number has a nibble above 9.
    #[error("0x{0:X} is not a BCD number")]
    NotBcd(u64),
    /// The bytes of the registers are not a text.
    #[error("the bytes in the registers are not a text")]
    NotText,
    /// The text is longer than [`limits::TEXT_VALUE_BYTES_MAX`]. Field: its length in bytes.
    #[error("the text has {0} bytes; a text value must have at most {max} bytes", max = limits::TEXT_VALUE_BYTES_MAX)]
    TextTooLong(usize),
    /// The scale factor is absent, or outside 10^-10 to 10^10. Field: the scale factor and the reason.
    #[error("its scale factor {0} cannot be used")]
    BadScale(String),
    /// A text or a JSON value does not fit the type of the point. Fields: the value, the type.
    #[error("'{0}' is not of type {1}")]
    NotOfType(Excerpt, &'static str),
    /// The point has a JSON pointer, but the payload is not JSON.
    #[error("the payload is not JSON")]
    NotJson,
    /// The payload has no value at the JSON pointer. Field: the pointer.
    #[error("the payload has nothing at {0}")]
    NothingThere(Excerpt),
    /// The device refused the request. Field: its answer, as a sentence.
    #[error("{0}")]
    Refused(Arc<str>),
    /// The request got no answer, also after its retries. The point keeps its last good value until that value is
    /// stale. Field: what happened, as a sentence.
    #[error("{0}")]
    NoAnswer(Arc<str>),
    /// The last good reading is older than `stale_after`. Field: that limit.
    #[error("the last good reading is older than {}", super::span::render_duration(*.0))]
    Stale(Duration),
}

impl BadReason {
    /// True if nothing was read. False if a value was read and is bad.
    #[must_use]
    pub fn is_no_reading(&self) -> bool {
        matches!(self, BadReason::NoAnswer(_))
    }
}

/// The presence of a piece of equipment, as shown by a batch of readings: whether it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// The equipment answered, or sent a message by itself.
    Answered,
    /// A broker sent a retained message of the equipment. Nobody knows when the equipment sent it.
    Retained,
    /// The equipment did not answer. The readings only carry the reason.
    NoAnswer,
    /// The equipment is known to be offline: its last will, its death certificate (Sparkplug) or its broker says so.
    Lost,
}

impl Presence {
    /// True if the equipment itself sent the readings, now or earlier.
    #[must_use]
    pub fn is_answer(self) -> bool {
        matches!(self, Presence::Answered | Presence::Retained)
    }
}

/// The value of a point at an instant, or the reason why it is bad.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The value if it is good, else the reason why it is bad.
    pub value: Result<Value, BadReason>,
    /// The time at which the answer arrived at the gateway.
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
