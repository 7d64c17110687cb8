//! Registers into values and back: every type, byte and word order.
//!
//! `encode` serves the simulator and the property tests; both directions are checked against hand-made
//! register dumps and foreign servers, never only against each other.

use super::model::Point;
use crate::words::{BadReason, Value};

/// What a point's registers hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DataType {
    /// A coil, a discrete input, one bit of a register, or a register that is not zero.
    Bool,
    /// Unsigned, 16 bits.
    U16,
    /// Two's complement, 16 bits.
    I16,
    /// Unsigned, 32 bits.
    U32,
    /// Two's complement, 32 bits.
    I32,
    /// Unsigned, 64 bits.
    U64,
    /// Two's complement, 64 bits.
    I64,
    /// IEEE 754 single.
    F32,
    /// IEEE 754 double.
    F64,
    /// Four decimal digits, one a nibble.
    Bcd16,
    /// Eight decimal digits.
    Bcd32,
    /// Named bits of 16.
    Bits16,
    /// Named bits of 32.
    Bits32,
    /// Named values of 16 bits.
    Enum16,
    /// Named values of 32 bits.
    Enum32,
    /// Text, two characters a register, zero or space padded.
    Text {
        /// Registers it takes.
        registers: u16,
    },
}

impl DataType {
    /// The words in profiles, text aside.
    pub const WORDS: [(&'static str, DataType); 15] = [
        ("bool", DataType::Bool),
        ("u16", DataType::U16),
        ("i16", DataType::I16),
        ("u32", DataType::U32),
        ("i32", DataType::I32),
        ("u64", DataType::U64),
        ("i64", DataType::I64),
        ("f32", DataType::F32),
        ("f64", DataType::F64),
        ("bcd16", DataType::Bcd16),
        ("bcd32", DataType::Bcd32),
        ("bits16", DataType::Bits16),
        ("bits32", DataType::Bits32),
        ("enum16", DataType::Enum16),
        ("enum32", DataType::Enum32),
    ];

    /// The word in profiles.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, t)| *t == self).map_or("string", |(w, _)| w)
    }

    /// Registers it takes.
    #[must_use]
    pub fn registers(self) -> u16 {
        match self {
            DataType::Bool
            | DataType::U16
            | DataType::I16
            | DataType::Bcd16
            | DataType::Bits16
            | DataType::Enum16 => 1,
            DataType::U32
            | DataType::I32
            | DataType::F32
            | DataType::Bcd32
            | DataType::Bits32
            | DataType::Enum32 => 2,
            DataType::U64 | DataType::I64 | DataType::F64 => 4,
            DataType::Text { registers } => registers,
        }
    }

    /// Whether it holds numbers with a fraction.
    #[must_use]
    pub fn is_float(self) -> bool {
        matches!(self, DataType::F32 | DataType::F64)
    }

    /// Whether `scale` and `offset` make sense.
    #[must_use]
    pub fn is_number(self) -> bool {
        match self {
            DataType::Bool
            | DataType::Bits16
            | DataType::Bits32
            | DataType::Enum16
            | DataType::Enum32
            | DataType::Text { .. } => false,
            DataType::U16
            | DataType::I16
            | DataType::U32
            | DataType::I32
            | DataType::U64
            | DataType::I64
            | DataType::F32
            | DataType::F64
            | DataType::Bcd16
            | DataType::Bcd32 => true,
        }
    }
}

/// Which part comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The most significant.
    Big,
    /// The least significant.
    Little,
}

/// The registers as one unsigned number, most significant byte first after undoing both orders.
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

/// Reads a point's value from its registers; `factor` is the content of its `scale_from` register.
///
/// # Errors
/// Why there is no usable value.
pub fn decode(point: &Point, words: &[u16], factor: Option<u16>) -> Result<Value, BadReason> {
    if let DataType::Text { .. } = point.kind {
        return text(words, point.byte_order);
    }
    let raw = raw_unsigned(words, point.word_order, point.byte_order);
    if point.absent.contains(&raw) {
        return Err(BadReason::Absent(raw));
    }
    let raw = (raw & point.mask.unwrap_or(u64::MAX)) >> point.shift.min(63);
    #[expect(
        clippy::cast_possible_wrap,
        clippy::cast_possible_truncation,
        reason = "two's complement is meant"
    )]
    let value = match point.kind {
        DataType::Bool => {
            return Ok(Value::Bool(match point.bit {
                Some(bit) => raw >> bit & 1 == 1,
                None => raw != 0,
            }));
        }
        DataType::U16
        | DataType::U32
        | DataType::U64
        | DataType::Bits16
        | DataType::Bits32
        | DataType::Enum16
        | DataType::Enum32 => Value::Integer(i128::from(raw)),
        DataType::I16 => Value::Integer(i128::from(raw as u16 as i16)),
        DataType::I32 => Value::Integer(i128::from(raw as u32 as i32)),
        DataType::I64 => Value::Integer(i128::from(raw as i64)),
        DataType::F32 => Value::Real(shortest(f32::from_bits(raw as u32))),
        DataType::F64 => Value::Real(f64::from_bits(raw)),
        DataType::Bcd16 | DataType::Bcd32 => Value::Integer(i128::from(bcd(raw)?)),
        DataType::Text { .. } => return Err(BadReason::NotText),
    };
    scaled(point, value, factor)
}

/// The double nearest to the single's shortest decimal: 230.2 as single is read as 230.2, not 230.1999969.
fn shortest(single: f32) -> f64 {
    if !single.is_finite() {
        return f64::from(single);
    }
    single.to_string().parse().unwrap_or_else(|_| f64::from(single))
}

/// Applies a point's scale and offset to a value that was read as text.
pub(super) fn scaled_value(point: &Point, value: Value) -> Result<Value, BadReason> {
    scaled(point, value, None)
}

fn scaled(point: &Point, value: Value, factor: Option<u16>) -> Result<Value, BadReason> {
    if let Value::Real(r) = &value
        && !r.is_finite()
    {
        return Err(BadReason::NotANumber);
    }
    #[expect(clippy::float_cmp, reason = "the defaults are exact")]
    let plain = point.scale == 1.0 && point.offset == 0.0 && point.scale_from.is_none();
    if plain || !point.kind.is_number() {
        return Ok(value);
    }
    let Some(number) = value.number() else { return Ok(value) };
    let mut number = number;
    if point.scale_from.is_some() {
        number = power_of_ten(number, factor)?;
    }
    // Dividing by the reciprocal where that is a whole number keeps decimals exact: 123 * 0.1 is 12.3, not 12.300000000000001.
    let reciprocal = (1.0 / point.scale).round();
    let exact = reciprocal.abs() > 1.0 && (point.scale * reciprocal - 1.0).abs() < 1e-12;
    number = if exact { number / reciprocal } else { number * point.scale };
    number += point.offset;
    if number.is_finite() { Ok(Value::Real(number)) } else { Err(BadReason::NotANumber) }
}

/// `number * 10^factor`, the factor two's complement as SunSpec has it, from -10 to 10.
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

fn text(words: &[u16], byte_order: Order) -> Result<Value, BadReason> {
    let bytes = words.iter().flat_map(|w| match byte_order {
        Order::Big => w.to_be_bytes(),
        Order::Little => w.to_le_bytes(),
    });
    let bytes: Vec<u8> = bytes.take_while(|b| *b != 0).collect();
    let text = String::from_utf8(bytes).map_err(|_| BadReason::NotText)?;
    let text = text.trim_end();
    if text.chars().any(char::is_control) {
        return Err(BadReason::NotText);
    }
    Value::text(text)
}

/// Writes a value into a point's registers: the inverse of [`decode`], rounded and clamped to the type.
#[must_use]
pub fn encode(point: &Point, value: &Value, factor: Option<u16>) -> Vec<u16> {
    if let (DataType::Text { registers }, Value::Text(text)) = (point.kind, value) {
        return encode_text(text, registers, point.byte_order);
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

    /// Two's complement of the nearest whole number within bounds.
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

fn encode_text(text: &str, registers: u16, byte_order: Order) -> Vec<u16> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.resize(usize::from(registers) * 2, 0);
    bytes
        .chunks_exact(2)
        .map(|pair| match (pair, byte_order) {
            ([a, b], Order::Big) => u16::from_be_bytes([*a, *b]),
            ([a, b], Order::Little) => u16::from_le_bytes([*a, *b]),
            _ => 0,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn point(kind: DataType) -> Point {
        Point { kind, ..Point::test("p") }
    }

    #[track_caller]
    fn check(kind: DataType, words: &[u16], expected: Result<Value, BadReason>) {
        assert_eq!(decode(&point(kind), words, None), expected);
    }

    #[test]
    fn values_from_manuals() {
        // Eastron's manual prints 0x43664000 as 230.25 V; IEEE 754 gives 230.2 as 0x43663333.
        check(DataType::F32, &[0x4366, 0x3333], Ok(Value::Real(230.2)));
        check(DataType::F32, &[0x4366, 0x4000], Ok(Value::Real(230.25)));
        check(DataType::I16, &[0xFFFF], Ok(Value::Integer(-1)));
        check(DataType::U32, &[0x0001, 0x0000], Ok(Value::Integer(65_536)));
        check(DataType::I64, &[0xFFFF, 0xFFFF, 0xFFFF, 0xFFFE], Ok(Value::Integer(-2)));
        check(DataType::U64, &[0xFFFF; 4], Ok(Value::Integer(i128::from(u64::MAX))));
        check(DataType::Bcd16, &[0x1234], Ok(Value::Integer(1234)));
        check(DataType::Bcd32, &[0x1234, 0x5678], Ok(Value::Integer(12_345_678)));
        check(DataType::Bcd16, &[0x12A4], Err(BadReason::NotBcd(0x12A4)));
        check(DataType::F32, &[0x7FC0, 0], Err(BadReason::NotANumber));
        check(DataType::F64, &[0x3FF8, 0, 0, 0], Ok(Value::Real(1.5)));
        check(DataType::Text { registers: 3 }, &[0x4142, 0x4320, 0], Ok(Value::Text("ABC".into())));
        check(DataType::Text { registers: 1 }, &[0xFFFE], Err(BadReason::NotText));
        check(DataType::Bool, &[2], Ok(Value::Bool(true)));
    }

    #[test]
    fn the_four_orders_of_a_wide_value() {
        // 1.0 as single is 3F80 0000; the four orders as Modbus masters name them ABCD, CDAB, BADC, DCBA.
        for (words, word_order, byte_order) in [
            ([0x3F80, 0x0000], Order::Big, Order::Big),
            ([0x0000, 0x3F80], Order::Little, Order::Big),
            ([0x803F, 0x0000], Order::Big, Order::Little),
            ([0x0000, 0x803F], Order::Little, Order::Little),
        ] {
            let p = Point { word_order, byte_order, ..point(DataType::F32) };
            assert_eq!(decode(&p, &words, None), Ok(Value::Real(1.0)));
        }
    }

    #[test]
    fn masks_and_shifts_come_before_the_scale() {
        let p = Point { mask: Some(0x0FF0), shift: 4, scale: 0.5, ..point(DataType::U16) };
        assert_eq!(decode(&p, &[0xA123], None), Ok(Value::Real(9.0)));
        assert_eq!(encode(&p, &Value::Real(9.0), None), [0x0120]);
        let p = Point { shift: 8, ..point(DataType::U32) };
        assert_eq!(decode(&p, &[0x0012, 0x3456], None), Ok(Value::Integer(0x1234)));
    }

    #[test]
    fn scales() {
        let p = Point { scale: 0.1, ..point(DataType::I16) };
        assert_eq!(decode(&p, &[123], None), Ok(Value::Real(12.3)));
        let p = Point { scale: 0.1, offset: -40.0, ..point(DataType::U16) };
        assert_eq!(decode(&p, &[400], None), Ok(Value::Real(0.0)));
        let p = Point { scale_from: Some(0), ..point(DataType::U16) };
        assert_eq!(decode(&p, &[2301], Some(0xFFFF)), Ok(Value::Real(230.1)));
        assert_eq!(decode(&p, &[23], Some(2)), Ok(Value::Real(2300.0)));
        assert_eq!(decode(&p, &[23], Some(0x8000)), Err(BadReason::BadScale("0x8000".into())));
        let p = Point { absent: vec![0x8000], ..point(DataType::I16) };
        assert_eq!(decode(&p, &[0x8000], None), Err(BadReason::Absent(0x8000)));
    }

    fn kinds() -> impl Strategy<Value = DataType> {
        proptest::sample::select(DataType::WORDS.map(|(_, t)| t).to_vec())
    }

    fn order() -> impl Strategy<Value = Order> {
        prop_oneof![Just(Order::Big), Just(Order::Little)]
    }

    proptest! {
        #[test]
        fn decode_reads_what_encode_wrote(kind in kinds(), raw in any::<u64>(), word_order in order(), byte_order in order()) {
            let p = Point { word_order, byte_order, ..point(kind) };
            let words: Vec<u16> =
                (0..kind.registers()).map(|i| u16::try_from(raw >> (16 * i) & 0xFFFF).unwrap()).collect();
            if let Ok(value) = decode(&p, &words, None) {
                let again = encode(&p, &value, None);
                prop_assert_eq!(decode(&p, &again, None), Ok(value.clone()));
                if kind != DataType::Bool {
                    prop_assert_eq!(again, words, "{:?}", value);
                }
            }
        }

        #[test]
        fn decode_agrees_with_a_naive_twin(a in any::<u16>(), b in any::<u16>(), word_order in order(), byte_order in order()) {
            let p = Point { word_order, byte_order, ..point(DataType::U32) };
            let mut bytes = [a.to_be_bytes(), b.to_be_bytes()];
            if byte_order == Order::Little { bytes.iter_mut().for_each(|w| w.reverse()); }
            if word_order == Order::Little { bytes.reverse(); }
            let naive = u32::from_be_bytes([bytes[0][0], bytes[0][1], bytes[1][0], bytes[1][1]]);
            prop_assert_eq!(decode(&p, &[a, b], None), Ok(Value::Integer(i128::from(naive))));
        }

        #[test]
        fn scaled_values_survive_the_round_trip(raw in any::<i16>(), scale in prop_oneof![Just(0.1), Just(0.01), Just(2.5)], offset in -100.0..100.0) {
            let p = Point { scale, offset, ..point(DataType::I16) };
            let value = decode(&p, &[raw.cast_unsigned()], None).unwrap();
            prop_assert_eq!(encode(&p, &value, None), vec![raw.cast_unsigned()]);
        }
    }
}
