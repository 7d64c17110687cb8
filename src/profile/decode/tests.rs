//! Tests of every type, order and absent value, with register dumps made by hand and a second, simple implementation.

use super::*;
use crate::profile::{Absent, Valid};
use crate::words::Excerpt;
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
    // The manual of Eastron prints 0x43664000 as 230.25 V. IEEE 754 gives 0x43663333 for 230.2.
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
    // 1.0 as a single is 3F80 0000. Modbus masters call the four orders ABCD, CDAB, BADC and DCBA.
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

/// Signed bytes of a register (int8 of openHAB, s8 of wb-mqtt-serial), and values of 24 bits.
#[test]
fn the_top_bit_that_counts_is_the_sign() {
    let of = |kind, mask, shift| Point { mask, shift, ..point(kind) };
    let check = |p: Point, words: &[u16], expected: i128| {
        assert_eq!(decode(&p, words, None), Ok(Value::Integer(expected)), "{p:?}");
        if p.mask.is_none() && p.shift == 0 {
            let again = encode(&p, &Value::Integer(expected), None);
            assert_eq!(decode(&p, &again, None), Ok(Value::Integer(expected)), "{p:?}");
        }
    };
    check(of(DataType::I16, Some(0x00FF), 0), &[0xF6FB], -5);
    check(of(DataType::I16, Some(0xFF00), 8), &[0xF6FB], -10);
    check(of(DataType::I16, None, 8), &[0xF6FB], -10);
    check(of(DataType::I16, Some(0x0FF0), 4), &[0xA7F3], 0x7F);
    check(of(DataType::I16, Some(0x0FF0), 4), &[0xAFF3], -1);
    check(of(DataType::I32, Some(0x00FF_FFFF), 0), &[0x12FF, 0xFFFE], -2);
    check(of(DataType::U16, Some(0xFF00), 8), &[0xF6FB], 0xF6);
    check(of(DataType::I8, None, 0), &[0xF6FB], -5);
    check(of(DataType::I8, Some(0xFF00), 8), &[0xF6FB], -10);
    check(of(DataType::U8, None, 0), &[0xF6FB], 0xFB);
    check(of(DataType::I24, None, 0), &[0x00FF, 0xFFFE], -2);
    check(of(DataType::I24, None, 0), &[0x007F, 0xFFFF], 0x7F_FFFF);
    check(of(DataType::U24, None, 0), &[0xABFF, 0xFFFE], 0xFF_FFFE);
    let little = Point { word_order: Order::Little, ..point(DataType::I24) };
    check(little, &[0xFFFE, 0x00FF], -2);
    let high = Point { byte_order: Order::Little, ..point(DataType::I8) };
    check(high, &[0xF6FB], -10);
}

#[test]
fn marks_and_bounds_of_registers() {
    let absent = |raw: &[u64], numbers: &[f64]| Absent {
        raw: raw.to_vec(),
        numbers: numbers.to_vec(),
        words: vec!["----".to_owned()],
    };
    // The overload value of SCPI-99 7.2.1.4 as a single: 7E94 F56A.
    let p = Point { absent: absent(&[], &[9.9e37]), ..point(DataType::F32) };
    assert_eq!(decode(&p, &[0x7E94, 0xF56A], None), Err(BadReason::AbsentValue(Excerpt::of("9.900000e37"))));
    let p = Point { absent: absent(&[], &[-1.0]), scale: 0.1, ..point(DataType::I16) };
    assert!(matches!(decode(&p, &[0xFFFF], None), Err(BadReason::AbsentValue(_))));
    assert_eq!(decode(&p, &[0xFFF6], None), Ok(Value::Real(-1.0)));
    let p = Point { absent: absent(&[], &[]), ..point(DataType::Text { registers: 2 }) };
    assert!(matches!(decode(&p, &[0x2D2D, 0x2D2D], None), Err(BadReason::AbsentValue(_))));
    let p = Point { valid: Some(Valid { min: -40.0, max: 120.0 }), scale: 0.1, ..point(DataType::I16) };
    assert_eq!(decode(&p, &[1200], None), Ok(Value::Real(120.0)));
    assert_eq!(
        decode(&p, &[1201], None).unwrap_err().to_string(),
        "120.1 is not valid: the profile says -40 to 120"
    );
    let p = Point { valid: Some(Valid { min: 0.0, max: f64::INFINITY }), ..point(DataType::F32) };
    assert_eq!(
        decode(&p, &[0xBF80, 0], None).unwrap_err().to_string(),
        "-1 is not valid: the profile says 0 or more"
    );
}

/// The string format of wb-mqtt-serial: one character in the low byte of each register.
#[test]
fn texts_of_one_character_a_register() {
    let words = [0x31, 0x2E, 0x32, 0x30, 0x2E, 0x33, 0, 0];
    let kind = DataType::Text { registers: 8 };
    let one = Point { one_character: true, ..point(kind) };
    assert_eq!(decode(&one, &words, None), Ok(Value::Text("1.20.3".into())));
    assert_eq!(encode(&one, &Value::Text("1.20.3".into()), None), words);
    // With two characters per register, these registers must not give a good text that is empty or has one character.
    assert_eq!(decode(&point(kind), &words, None), Err(BadReason::TextGoesOn));
    let high: Vec<u16> = words.iter().map(|w| w << 8).collect();
    assert_eq!(decode(&point(kind), &high, None), Err(BadReason::TextGoesOn));
    let swapped = Point { byte_order: Order::Little, ..one };
    assert_eq!(decode(&swapped, &high, None), Ok(Value::Text("1.20.3".into())));
    let left_over = [0x4100, 0x4243, 0];
    assert_eq!(
        decode(&point(DataType::Text { registers: 3 }), &left_over, None),
        Ok(Value::Text("A".into()))
    );
    assert_eq!(decode(&point(kind), &[0; 8], None), Ok(Value::Text("".into())));
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
    let absent = Absent { raw: vec![0x8000], ..Absent::default() };
    let p = Point { absent, ..point(DataType::I16) };
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
        let narrow = matches!(kind, DataType::U8 | DataType::I8 | DataType::U24 | DataType::I24);
        if let Ok(value) = decode(&p, &words, None) {
            let again = encode(&p, &value, None);
            prop_assert_eq!(decode(&p, &again, None), Ok(value.clone()));
            if kind != DataType::Bool && !narrow {
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
