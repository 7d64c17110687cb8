//! Answers a Modbus request: function and data in, function and data out (Modbus application protocol 1.1b3, section
//! 6).

use std::time::Duration;

use super::machine::Machine;
use crate::limits;
use crate::profile::Area;

const ILLEGAL_FUNCTION: u8 = 1;
const ILLEGAL_ADDRESS: u8 = 2;
const ILLEGAL_VALUE: u8 = 3;

/// The answer of the machine to a request (function and data).
pub(super) fn answer(request: &[u8], machine: &mut Machine, now: Duration) -> Vec<u8> {
    let function = request.first().copied().unwrap_or(0);
    let done = match (function, request) {
        (1..=4, [_, a, b, c, d]) => {
            let area = Area::TABLES.into_iter().find(|area| area.function() == function);
            area.ok_or(ILLEGAL_FUNCTION).and_then(|area| read(area, [*a, *b], [*c, *d], machine, now))
        }
        (5, [_, a, b, c, d]) => {
            write(machine, request, Area::Coil, [*a, *b], &[u16::from([*c, *d] == [0xFF, 0])])
        }
        (6, [_, a, b, c, d]) => {
            write(machine, request, Area::Holding, [*a, *b], &[u16::from_be_bytes([*c, *d])])
        }
        (16, [_, a, b, c, d, bytes, data @ ..]) if usize::from(*bytes) == data.len() => {
            let words: Vec<u16> = data
                .chunks_exact(2)
                .map(|pair| match pair {
                    [high, low] => u16::from_be_bytes([*high, *low]),
                    _ => 0,
                })
                .collect();
            if usize::from(u16::from_be_bytes([*c, *d])) == words.len() {
                write(machine, request, Area::Holding, [*a, *b], &words)
            } else {
                Err(ILLEGAL_VALUE)
            }
        }
        (43, [_, 14, code @ 1..=3, first]) => identification(*code, *first, machine, now),
        (1..=6 | 16, _) => Err(ILLEGAL_VALUE),
        _ => Err(ILLEGAL_FUNCTION),
    };
    done.unwrap_or_else(|code| vec![function | 0x80, code])
}

/// Reads registers or bits. Both have the same checks and header, but different packing.
fn read(area: Area, start: [u8; 2], count: [u8; 2], machine: &Machine, now: Duration) -> Result<Vec<u8>, u8> {
    let count = u16::from_be_bytes(count);
    let most = if area.is_bits() { limits::BITS_MAX } else { limits::REGISTERS_MAX };
    if !(1..=most).contains(&count) {
        return Err(ILLEGAL_VALUE);
    }
    let words = machine.registers(area, u16::from_be_bytes(start), count, now).ok_or(ILLEGAL_ADDRESS)?;
    let data: Vec<u8> = if area.is_bits() {
        let byte = |eight: &[u16]| eight.iter().rev().fold(0, |byte, bit| byte << 1 | u8::from(*bit != 0));
        words.chunks(8).map(byte).collect()
    } else {
        words.iter().flat_map(|w| w.to_be_bytes()).collect()
    };
    let mut out = vec![area.function(), u8::try_from(data.len()).map_err(|_| ILLEGAL_VALUE)?];
    out.extend(data);
    Ok(out)
}

/// Reads the device identification (6.21) of a machine whose profile contains it: all objects in one answer.
fn identification(code: u8, first: u8, machine: &Machine, now: Duration) -> Result<Vec<u8>, u8> {
    let last = if code == 1 { 2 } else { 6 };
    let objects: Vec<(u8, Vec<u8>)> = (u16::from(first)..=last)
        .filter_map(|object| {
            let words = machine.identification(object, now)?;
            let bytes = words.iter().flat_map(|w| w.to_be_bytes()).take_while(|b| *b != 0).collect();
            Some((u8::try_from(object).ok()?, bytes))
        })
        .collect();
    if objects.is_empty() {
        return Err(ILLEGAL_FUNCTION);
    }
    let mut out = vec![43, 14, code, 0x82, 0, 0, u8::try_from(objects.len()).map_err(|_| ILLEGAL_VALUE)?];
    for (object, bytes) in objects {
        out.extend([object, u8::try_from(bytes.len()).map_err(|_| ILLEGAL_VALUE)?]);
        out.extend(bytes);
    }
    Ok(out)
}

/// Writes registers or coils. The answer is the first five bytes of the request.
fn write(
    machine: &mut Machine,
    request: &[u8],
    area: Area,
    start: [u8; 2],
    words: &[u16],
) -> Result<Vec<u8>, u8> {
    if machine.write(area, u16::from_be_bytes(start), words) {
        Ok(request.iter().take(5).copied().collect())
    } else {
        Err(ILLEGAL_ADDRESS)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::super::machine::{Signal, Signals};
    use super::super::wave::Wave;
    use super::*;
    use crate::source::SourceText;
    use crate::words::{ProfileName, Value};

    fn machine() -> Machine {
        let text = "[device]\nvendor='v'\nmodel='m'\nkind='k'\n[points]\n\
            a = { register = 'holding:10', type = 'u16', scale = 0.1, writable = { min = 0, max = 100 } }\n\
            b = { register = 'holding:12', type = 'f32' }\n\
            c = { register = 'coil:3', type = 'bool' }\nd = { register = 'coil:5', type = 'bool' }\n";
        let name = ProfileName::parse("p").unwrap();
        let (profile, diagnostics) = crate::profile::load(&name, &SourceText::new("p", text));
        let profile = profile.unwrap_or_else(|| panic!("{:?}", diagnostics.lines()));
        let at = |n: &str| profile.point(n).unwrap().0.0;
        let base: Signals = [
            (at("a"), Signal::Wave(Wave::constant(12.3))),
            (at("b"), Signal::Wave(Wave::constant(1.0))),
            (at("d"), Signal::Fixed(Value::Bool(true))),
        ]
        .into();
        Machine::new(Arc::new(profile), base, BTreeMap::new(), "on".to_owned(), 1)
    }

    #[track_caller]
    fn check(request: &[u8], expected: &[u8]) {
        assert_eq!(answer(request, &mut machine(), Duration::ZERO), expected);
    }

    #[test]
    fn reads() {
        check(&[3, 0, 10, 0, 4], &[3, 8, 0, 123, 0, 0, 0x3F, 0x80, 0, 0]);
        check(&[3, 0, 12, 0, 1], &[3, 2, 0x3F, 0x80]);
        check(&[1, 0, 3, 0, 3], &[1, 1, 0b100]);
        check(&[3, 0, 9, 0, 1], &[0x83, 2]);
        check(&[3, 0, 13, 0, 2], &[0x83, 2]);
        check(&[3, 0, 10, 0, 0], &[0x83, 3]);
        check(&[3, 0, 10, 0, 126], &[0x83, 3]);
        check(&[4, 0, 10, 0, 1], &[0x84, 2]);
        check(&[43, 14, 1, 0], &[0xAB, 1]);
        check(&[3, 0], &[0x83, 3]);
        check(&[], &[0x80, 1]);
    }

    #[test]
    fn writes_only_what_is_writable() {
        let mut m = machine();
        assert_eq!(answer(&[6, 0, 10, 0, 200], &mut m, Duration::ZERO), [6, 0, 10, 0, 200]);
        assert_eq!(answer(&[3, 0, 10, 0, 1], &mut m, Duration::ZERO), [3, 2, 0, 200]);
        assert_eq!(answer(&[6, 0, 12, 0, 1], &mut m, Duration::ZERO), [0x86, 2]);
        assert_eq!(answer(&[16, 0, 10, 0, 1, 2, 0, 50], &mut m, Duration::ZERO), [16, 0, 10, 0, 1]);
        assert_eq!(answer(&[16, 0, 10, 0, 2, 2, 0, 50], &mut m, Duration::ZERO), [0x90, 3]);
    }
}
