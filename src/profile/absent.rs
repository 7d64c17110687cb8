//! Values that mean "no value": the values in `absent`, and values outside `valid`.

use super::data_type::DataType;
use super::model::Point;
use super::place::Place;
use crate::limits;
use crate::source::{NumberOrWord, Section};
use crate::words::{BadReason, Excerpt, Value, render_real};

/// The values of a point that mean "no value".
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Absent {
    /// Whole numbers, compared before mask and scale: registers as one unsigned number, texts as they are written.
    pub raw: Vec<u64>,
    /// Numbers, compared after decoding and before scaling.
    pub numbers: Vec<f64>,
    /// Texts, compared without regard to upper and lower case.
    pub words: Vec<String>,
}

/// The bounds of valid values. A reading outside is bad.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Valid {
    /// The smallest valid value, after scaling; minus infinity if there is no bound.
    pub min: f64,
    /// The largest valid value, after scaling; infinity if there is no bound.
    pub max: f64,
}

impl Absent {
    /// True if no value is listed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.raw.is_empty() && self.numbers.is_empty() && self.words.is_empty()
    }

    /// Checks registers as one unsigned number.
    pub(super) fn of_raw(&self, raw: u64) -> Result<(), BadReason> {
        if self.raw.contains(&raw) { Err(BadReason::Absent(raw)) } else { Ok(()) }
    }

    /// Checks a decoded number before scaling.
    pub(super) fn of_number(&self, kind: DataType, value: &Value) -> Result<(), BadReason> {
        let Some(number) = value.number().filter(|_| !self.numbers.is_empty()) else { return Ok(()) };
        #[expect(clippy::float_cmp, reason = "a mark is one number")]
        let is = |mark: &f64| {
            #[expect(clippy::cast_possible_truncation, reason = "a single is compared as a single")]
            let singles = kind == DataType::F32 && *mark as f32 == number as f32;
            *mark == number || singles
        };
        match self.numbers.iter().find(|mark| is(mark)) {
            Some(mark) => Err(BadReason::AbsentValue(Excerpt::of(&render_real(*mark)))),
            None => Ok(()),
        }
    }

    /// Checks a number that arrived as text, before scaling. The values in `raw` then count as plain numbers, also in
    /// two's complement.
    pub(super) fn of_written(&self, kind: DataType, value: &Value) -> Result<(), BadReason> {
        let is = |mark: &u64| match value {
            Value::Integer(i) => {
                let width = kind.bits().min(64);
                let low = if width < 64 { (1_u64 << width) - 1 } else { u64::MAX };
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "two's complement is meant"
                )]
                let complement = *i < 0 && (*i as u64 & low) == *mark;
                *i == i128::from(*mark) || complement
            }
            #[expect(clippy::cast_precision_loss, clippy::float_cmp, reason = "a mark is one number")]
            Value::Real(r) => *r == *mark as f64,
            Value::Bool(_) | Value::Text(_) => false,
        };
        match self.raw.iter().find(|mark| is(mark)) {
            Some(_) => Err(BadReason::AbsentValue(Excerpt::of(&value.to_string()))),
            None => self.of_number(kind, value),
        }
    }

    /// Returns the scaled numbers that mean "no value" in a recording of this point.
    #[must_use]
    pub fn recorded(&self, point: &Point) -> Vec<f64> {
        if point.scale_from.is_some() {
            return Vec::new();
        }
        let scaled = |mark: f64| mark * point.scale + point.offset;
        let raw = self.raw.iter().map(|mark| match point.kind {
            DataType::F32 => u32::try_from(*mark).map_or(f64::NAN, |bits| f64::from(f32::from_bits(bits))),
            DataType::F64 if point.register().is_some() => f64::from_bits(*mark),
            kind if kind.is_signed() => {
                let unused = 64 - kind.bits().clamp(1, 64);
                #[expect(clippy::cast_precision_loss, reason = "recorded values are f64")]
                let number = ((mark << unused).cast_signed() >> unused) as f64;
                number
            }
            #[expect(clippy::cast_precision_loss, reason = "recorded values are f64")]
            _ => *mark as f64,
        });
        raw.chain(self.numbers.iter().copied()).map(scaled).filter(|mark| mark.is_finite()).collect()
    }

    /// Checks a text as it arrived.
    pub(super) fn of_text(&self, text: &str) -> Result<(), BadReason> {
        match self.words.iter().find(|word| word.trim().eq_ignore_ascii_case(text.trim())) {
            Some(word) => Err(BadReason::AbsentValue(Excerpt::of(word))),
            None => Ok(()),
        }
    }
}

/// Checks that a scaled value is one that the device can have.
///
/// # Errors
/// The bounds that the value is outside of.
pub fn within_valid(point: &Point, value: Value) -> Result<Value, BadReason> {
    let (Some(valid), Some(number)) = (point.valid, value.number()) else { return Ok(value) };
    if (valid.min..=valid.max).contains(&number) {
        return Ok(value);
    }
    let bounds = match (valid.min.is_finite(), valid.max.is_finite()) {
        (true, true) => format!("{} to {}", render_real(valid.min), render_real(valid.max)),
        (true, false) => format!("{} or more", render_real(valid.min)),
        _ => format!("{} or less", render_real(valid.max)),
    };
    Err(BadReason::OutsideValid(Excerpt::of(&render_real(number)), Excerpt::of(&bounds)))
}

/// Reads `absent = [0x8000, -1, 9.9e37, "n/a", "nan"]`.
pub(super) fn read_absent(s: &Section<'_>, place: Option<&Place>, kind: Option<DataType>) -> Absent {
    let mut out = Absent::default();
    let is_written = place.is_some_and(|p| !matches!(p, Place::Register(_) | Place::Bytes { .. }));
    let is_text = matches!(kind, Some(DataType::Text { .. }));
    for item in s.marks("absent") {
        match item.value {
            NumberOrWord::Integer(n) => match u64::try_from(n) {
                Ok(n) => out.raw.push(n),
                #[expect(clippy::cast_precision_loss, reason = "marks are compared as numbers")]
                Err(_) => out.numbers.push(n as f64),
            },
            NumberOrWord::Real(r) => out.numbers.push(r),
            NumberOrWord::Text(word) if is_written || is_text => out.words.push(word),
            // NaN is never a value, so the word needs no action. Manuals list it, so a profile can also list it.
            NumberOrWord::Text(word) if word.eq_ignore_ascii_case("nan") => {}
            NumberOrWord::Text(word) => {
                s.error(item.span, format!("\"{word}\" is neither a number nor \"nan\""), "")
            }
        }
    }
    out
}

/// Reads `valid = { min = -40, max = 120 }`. One of the two can be missing.
pub(super) fn read_valid(s: &Section<'_>, kind: Option<DataType>) -> Option<Valid> {
    let table = s.section("valid")?;
    let (min, max) = (table.number("min"), table.number("max"));
    table.finish();
    if kind.is_some_and(|k| !k.is_number()) {
        s.error(s.key_span("valid"), "valid can only be used with a number", "");
        return None;
    }
    let valid = Valid {
        min: min.as_ref().map_or(f64::NEG_INFINITY, |n| n.value),
        max: max.as_ref().map_or(f64::INFINITY, |n| n.value),
    };
    if min.is_none() && max.is_none() {
        s.error(s.key_span("valid"), "valid needs min or max or both", "as in { min = -40, max = 120 }");
        return None;
    }
    if valid.min > valid.max {
        s.error(s.key_span("valid"), "min is greater than max", "every value would be bad");
        return None;
    }
    Some(valid)
}

/// Reads `true_words = ["open"]` and `false_words = ["closed"]`: the texts that mean true and false for a bool.
pub(super) fn read_words(
    s: &Section<'_>,
    place: Option<&Place>,
    kind: Option<DataType>,
) -> (Vec<String>, Vec<String>) {
    let words = |key: &str| -> Vec<String> {
        s.texts_up_to(key, limits::KEY_BYTES_MAX).into_iter().map(|t| t.value.trim().to_owned()).collect()
    };
    let (yes, no) = (words("true_words"), words("false_words"));
    let Some(key) = ["true_words", "false_words"].into_iter().find(|key| s.has(key)) else {
        return (yes, no);
    };
    if kind.is_some_and(|k| k != DataType::Bool) {
        s.error(s.key_span(key), format!("{key} can only be used with a bool"), "");
    } else if place.is_some_and(|p| matches!(p, Place::Register(_) | Place::Bytes { .. })) {
        s.error(
            s.key_span(key),
            format!("{key} can only be used if the value arrives as text"),
            "a register or byte is a number",
        );
    } else if let Some(both) = yes.iter().find(|w| no.iter().any(|n| n.eq_ignore_ascii_case(w))) {
        s.error(s.key_span(key), format!("\"{both}\" is in true_words and in false_words"), "");
    }
    (yes, no)
}
