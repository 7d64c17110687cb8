//! Conversion of registers into values and back, for every type, byte order and word order.
//!
//! `encode` is used by the simulator, for writes and in tests. Tests compare both directions with register dumps made
//! by hand and with servers of other makers, never only with each other.

use super::absent::within_valid;
use super::data_type::DataType;
use super::model::Point;
use crate::words::{BadReason, Value};

/// The order of bytes or registers: the part that comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The most significant part comes first.
    Big,
    /// The least significant part comes first.
    Little,
}

/// Returns the registers as one unsigned number, with both orders applied.
#[must_use]
pub fn raw_unsigned(words: &[u16], word_order: Order, byte_order: Order) -> u64 {
    let fold = |acc: u64, word: u16| {
        let word = match byte_order {
            Order::Big => word,
            Order::Little => word.swap_bytes(),
        };
        acc << 16 | u64::from(word)
    };
    match word_order {
        Order::Big => words.iter().copied().fold(0, fold),
        Order::Little => words.iter().rev().copied().fold(0, fold),
    }
}

/// Reads the value of a point from its registers. `factor` is the content of the `scale_from` register, if the point
/// has one.
///
/// # Errors
/// The reason why the registers do not give a usable value.
pub fn decode(point: &Point, words: &[u16], factor: Option<u16>) -> Result<Value, BadReason> {
    if let DataType::Text { .. } = point.kind {
        let value = text(words, point)?;
        point.absent.of_text(&value.to_string())?;
        return Ok(value);
    }
    let raw = raw_unsigned(words, point.word_order, point.byte_order);
    point.absent.of_raw(raw)?;
    let raw = (raw & point.mask.unwrap_or(u64::MAX)) >> point.shift.min(63);
    #[expect(clippy::cast_possible_truncation, reason = "the low bits are meant")]
    let value = match point.kind {
        DataType::Bool => {
            return Ok(Value::Bool(match point.bit {
                Some(bit) => raw >> bit & 1 == 1,
                None => raw != 0,
            }));
        }
        DataType::U8 => Value::Integer(i128::from(raw & 0xFF)),
        DataType::U24 => Value::Integer(i128::from(raw & 0xFF_FFFF)),
        DataType::U16
        | DataType::U32
        | DataType::U64
        | DataType::Bits16
        | DataType::Bits32
        | DataType::Enum16
        | DataType::Enum32 => Value::Integer(i128::from(raw)),
        DataType::I8 | DataType::I16 | DataType::I24 | DataType::I32 | DataType::I64 => {
            Value::Integer(i128::from(signed(raw, value_bits(point))))
        }
        DataType::F32 => Value::Real(shortest(f32::from_bits(raw as u32))),
        DataType::F64 => Value::Real(f64::from_bits(raw)),
        DataType::Bcd16 | DataType::Bcd32 => Value::Integer(i128::from(bcd(raw)?)),
        DataType::Text { .. } => return Err(BadReason::NotText),
    };
    point.absent.of_number(point.kind, &value)?;
    scaled(point, value, factor)
}

/// Returns the number of bits of the value: the bits of its type, or fewer if the point has a mask or shift.
fn value_bits(point: &Point) -> u32 {
    let top = point.mask.map_or(u32::from(point.kind.registers()) * 16, |mask| 64 - mask.leading_zeros());
    top.saturating_sub(u32::from(point.shift)).min(point.kind.bits())
}

/// Reads the low `bits` bits as two's complement and ignores the others.
fn signed(raw: u64, bits: u32) -> i64 {
    match bits {
        0 => 0,
        bits => raw.wrapping_shl(64 - bits.min(64)).cast_signed() >> (64 - bits.min(64)),
    }
}

/// Returns the double with the same shortest decimal number as the single: a single of 230.2 gives 230.2, not
/// 230.1999969.
fn shortest(single: f32) -> f64 {
    if !single.is_finite() {
        return f64::from(single);
    }
    single.to_string().parse().unwrap_or_else(|_| f64::from(single))
}

/// Checks and scales a value that arrived as text or JSON.
pub(super) fn scaled_value(point: &Point, value: Value) -> Result<Value, BadReason> {
    // Marks of "no value" count before scaling.
    point.absent.of_written(point.kind, &value)?;
    scaled(point, value, None)
}

/// Applies scale, scale factor and offset, and checks the bounds of `valid`.
fn scaled(point: &Point, value: Value, factor: Option<u16>) -> Result<Value, BadReason> {
    if let Value::Real(r) = &value
        && !r.is_finite()
    {
        return Err(BadReason::NotANumber);
    }
    #[expect(clippy::float_cmp, reason = "the defaults are exact")]
    let plain = point.scale == 1.0 && point.offset == 0.0 && point.scale_from.is_none();
    if plain || !point.kind.is_number() {
        return within_valid(point, value);
    }
    let Some(number) = value.number() else { return Ok(value) };
    let mut number = number;
    if point.scale_from.is_some() {
        number = power_of_ten(number, factor)?;
    }
    // A scale such as 0.1 is not exact in binary. Dividing by its reciprocal, a whole number, keeps decimals exact:
    // 123 * 0.1 gives 12.3, not 12.300000000000001.
    let reciprocal = (1.0 / point.scale).round();
    let exact = reciprocal.abs() > 1.0 && (point.scale * reciprocal - 1.0).abs() < 1e-12;
    number = if exact { number / reciprocal } else { number * point.scale };
    number += point.offset;
    if number.is_finite() { within_valid(point, Value::Real(number)) } else { Err(BadReason::NotANumber) }
}

/// Returns `number * 10^factor`. The factor is a two's complement number from -10 to 10, as in SunSpec.
fn power_of_ten(number: f64, factor: Option<u16>) -> Result<f64, BadReason> {
    let Some(raw) = factor else { return Err(BadReason::BadScale("is missing".to_owned())) };
    let exponent = i32::from(raw.cast_signed());
    if !(-10..=10).contains(&exponent) {
        return Err(BadReason::BadScale(format!("0x{raw:04X}")));
    }
    Ok(if exponent < 0 { number / 10_f64.powi(-exponent) } else { number * 10_f64.powi(exponent) })
}

fn bcd(raw: u64) -> Result<u64, BadReason> {
    let mut value = 0;
    for nibble in (0..16).rev() {
        let digit = raw >> (nibble * 4) & 0xF;
        if digit > 9 {
            return Err(BadReason::NotBcd(raw));
        }
        value = value * 10 + digit;
    }
    Ok(value)
}

fn text(words: &[u16], point: &Point) -> Result<Value, BadReason> {
    let pair = |w: &u16| match point.byte_order {
        Order::Big => w.to_be_bytes(),
        Order::Little => w.to_le_bytes(),
    };
    let all: Vec<u8> = match point.one_character {
        true => words.iter().map(pair).map(|[_, low]| low).collect(),
        false => words.iter().flat_map(pair).collect(),
    };
    let end = all.iter().position(|b| *b == 0).unwrap_or(all.len());
    let (bytes, behind) = all.split_at(end);
    if ends_too_early(&all, bytes, behind) {
        return Err(BadReason::TextGoesOn);
    }
    let text = String::from_utf8(bytes.to_vec()).map_err(|_| BadReason::NotText)?;
    let text = text.trim_end();
    if text.chars().any(char::is_control) {
        return Err(BadReason::NotText);
    }
    Value::text(text)
}

/// True if a text ends too early: before its first character although characters follow, or after its first character
/// although every register holds one character and a zero byte.
fn ends_too_early(all: &[u8], text: &[u8], behind: &[u8]) -> bool {
    if text.is_empty() {
        return behind.iter().any(|b| *b != 0);
    }
    let pairs = || all.chunks_exact(2).filter(|pair| pair.iter().any(|b| *b != 0));
    text.len() == 1 && pairs().count() > 1 && pairs().all(|pair| matches!(pair, [b, 0] if *b != 0))
}

/// Converts a value into the registers of a point: the inverse of [`decode`]. The value is rounded and limited to the
/// range of the type.
#[must_use]
pub fn encode(point: &Point, value: &Value, factor: Option<u16>) -> Vec<u16> {
    if let (DataType::Text { registers }, Value::Text(text)) = (point.kind, value) {
        return encode_text(text, registers, point);
    }
    let number = match value {
        Value::Bool(b) => return bits_of(point, u64::from(*b) << point.bit.unwrap_or(0)),
        Value::Integer(i) => unscaled_integer(point, *i, factor),
        Value::Real(r) => Unscaled::Real(unscaled(point, *r, factor)),
        Value::Text(_) => return vec![0; usize::from(point.kind.registers())],
    };
    let raw = match point.kind {
        #[expect(clippy::cast_possible_truncation, reason = "a single is what the registers hold")]
        DataType::F32 => u64::from((number.real() as f32).to_bits()),
        DataType::F64 => number.real().to_bits(),
        DataType::Bcd16 => to_bcd(number.clamped(0, 9_999)),
        DataType::Bcd32 => to_bcd(number.clamped(0, 99_999_999)),
        DataType::U8 => number.clamped(0, 0xFF),
        DataType::I8 => number.clamped(i128::from(i8::MIN), i128::from(i8::MAX)) & 0xFF,
        DataType::U24 => number.clamped(0, 0xFF_FFFF),
        DataType::I24 => number.clamped(-0x80_0000, 0x7F_FFFF) & 0xFF_FFFF,
        DataType::I16 => number.clamped(i128::from(i16::MIN), i128::from(i16::MAX)),
        DataType::I32 => number.clamped(i128::from(i32::MIN), i128::from(i32::MAX)),
        DataType::I64 => number.clamped(i128::from(i64::MIN), i128::from(i64::MAX)),
        DataType::U32 | DataType::Bits32 | DataType::Enum32 => number.clamped(0, i128::from(u32::MAX)),
        DataType::U64 => number.clamped(0, i128::from(u64::MAX)),
        DataType::U16 | DataType::Bits16 | DataType::Enum16 | DataType::Bool | DataType::Text { .. } => {
            number.clamped(0, i128::from(u16::MAX))
        }
    };
    bits_of(point, raw << point.shift.min(63) & point.mask.unwrap_or(u64::MAX))
}

/// A value in the unit of the registers, before it is encoded.
enum Unscaled {
    Integer(i128),
    Real(f64),
}

impl Unscaled {
    #[expect(clippy::cast_precision_loss, reason = "registers of floats hold floats")]
    fn real(&self) -> f64 {
        match self {
            Unscaled::Integer(i) => *i as f64,
            Unscaled::Real(r) => *r,
        }
    }

    /// The nearest whole number within the bounds, as two's complement.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped; two's complement is meant"
    )]
    fn clamped(&self, min: i128, max: i128) -> u64 {
        let whole = match self {
            Unscaled::Integer(i) => *i,
            Unscaled::Real(r) => r.round() as i128,
        };
        whole.clamp(min, max) as u64
    }
}

fn unscaled_integer(point: &Point, value: i128, factor: Option<u16>) -> Unscaled {
    #[expect(clippy::float_cmp, reason = "the defaults are exact")]
    let plain = point.scale == 1.0 && point.offset == 0.0 && point.scale_from.is_none();
    #[expect(clippy::cast_precision_loss, reason = "scaled values are f64")]
    if plain { Unscaled::Integer(value) } else { Unscaled::Real(unscaled(point, value as f64, factor)) }
}

fn unscaled(point: &Point, value: f64, factor: Option<u16>) -> f64 {
    if !point.kind.is_number() {
        return value;
    }
    let exponent = factor.filter(|_| point.scale_from.is_some()).map_or(0, |f| i32::from(f.cast_signed()));
    (value - point.offset) / point.scale / 10_f64.powi(exponent.clamp(-10, 10))
}

fn to_bcd(mut value: u64) -> u64 {
    let mut raw = 0;
    for nibble in 0..8 {
        raw |= (value % 10) << (nibble * 4);
        value /= 10;
    }
    raw
}

fn bits_of(point: &Point, raw: u64) -> Vec<u16> {
    let count = point.kind.registers();
    let mut words: Vec<u16> = (0..count)
        .rev()
        .map(|i| {
            #[expect(clippy::cast_possible_truncation, reason = "the low word is meant")]
            let word = (raw >> (16 * u32::from(i)).min(63)) as u16;
            match point.byte_order {
                Order::Big => word,
                Order::Little => word.swap_bytes(),
            }
        })
        .collect();
    if point.word_order == Order::Little {
        words.reverse();
    }
    words
}

fn encode_text(text: &str, registers: u16, point: &Point) -> Vec<u16> {
    let mut bytes: Vec<u8> = match point.one_character {
        true => text.bytes().flat_map(|b| [0, b]).collect(),
        false => text.as_bytes().to_vec(),
    };
    bytes.resize(usize::from(registers) * 2, 0);
    bytes
        .chunks_exact(2)
        .map(|pair| match (pair, point.byte_order) {
            ([a, b], Order::Big) => u16::from_be_bytes([*a, *b]),
            ([a, b], Order::Little) => u16::from_le_bytes([*a, *b]),
            _ => 0,
        })
        .collect()
}

#[cfg(test)]
mod tests;
