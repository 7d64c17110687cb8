//! Binary frames on a serial line: their start, their end and their checksum. The rest of andon handles a frame as a
//! line of hexadecimal bytes, `FF 86 02 58`; patterns and cases have the same form.

use super::serial::Checksum;
use crate::limits;
use crate::source::Section;

/// The start and the end of a frame. A frame has either a length or an end marker.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FrameShape {
    /// The bytes at the start of a frame; empty if the frame has no start marker.
    pub start: Vec<u8>,
    /// The bytes at the end of a frame; empty if the frame has a length.
    pub end: Vec<u8>,
    /// The number of bytes of a frame, with its start and its checksum; `None` if the frame has an end marker.
    pub length: Option<usize>,
}

/// The meaning of the first received bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cut {
    /// The first bytes belong to no frame. Field: their number.
    Noise(usize),
    /// The first bytes are a frame. Field: their number.
    Frame(usize),
    /// More bytes must arrive.
    Wait,
}

impl FrameShape {
    /// Returns the meaning of the first received bytes.
    #[must_use]
    pub fn cut(&self, received: &[u8]) -> Cut {
        if received.is_empty() {
            return Cut::Wait;
        }
        if !self.start.is_empty() && !received.starts_with(&self.start) {
            // A start marker that is incomplete at the end of the received bytes can become complete.
            let may_begin = |at: &usize| {
                let rest = received.get(*at..).unwrap_or(&[]);
                rest.starts_with(&self.start) || self.start.starts_with(rest)
            };
            let next = (1..received.len()).find(may_begin).unwrap_or(received.len());
            return if self.start.starts_with(received) { Cut::Wait } else { Cut::Noise(next) };
        }
        if let Some(length) = self.length {
            return if received.len() < length { Cut::Wait } else { Cut::Frame(length) };
        }
        let from = self.start.len();
        let rest = received.get(from..).unwrap_or(&[]);
        match rest.windows(self.end.len().max(1)).position(|w| w == self.end) {
            Some(at) => Cut::Frame(from + at + self.end.len()),
            None if received.len() > limits::SERIAL_LINE_BYTES_MAX => Cut::Noise(received.len()),
            None => Cut::Wait,
        }
    }
}

/// Writes a frame as a line of hexadecimal bytes.
#[must_use]
pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02X}")).collect::<Vec<_>>().join(" ")
}

/// Reads a line of hexadecimal bytes, with or without spaces; `None` if it contains other characters or half a byte.
#[must_use]
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.chunks(2).map(pair).collect()
}

/// True if the checksum of a frame is right. The checksum covers the bytes from `from` on, and `end` is the length of
/// the end marker.
#[must_use]
pub fn is_proven(checksum: Checksum, frame: &[u8], from: usize, end: usize) -> bool {
    let size = match checksum {
        Checksum::None => return true,
        Checksum::Xor | Checksum::Sum8 | Checksum::Sum8Complement => 1,
        Checksum::Crc16 | Checksum::Sum16 => 2,
    };
    // The checksum is before the end marker.
    let Some(at) = frame.len().checked_sub(size + end) else { return false };
    let (Some(checked), Some(said)) = (frame.get(from..at), frame.get(at..at + size)) else { return false };
    let sum8 = checked.iter().fold(0_u8, |sum, b| sum.wrapping_add(*b));
    match checksum {
        Checksum::None => true,
        Checksum::Xor => said == [checked.iter().fold(0, |acc, b| acc ^ b)],
        Checksum::Sum8 => said == [sum8],
        Checksum::Sum8Complement => said == [sum8.wrapping_neg()],
        Checksum::Crc16 => said == crc16(checked).to_le_bytes(),
        Checksum::Sum16 => {
            said == checked.iter().fold(0_u16, |sum, b| sum.wrapping_add(u16::from(*b))).to_be_bytes()
        }
    }
}

/// Computes the CRC-16 of Modbus.
#[must_use]
pub fn crc16(bytes: &[u8]) -> u16 {
    static MODBUS: crc::Crc<u16> = crc::Crc::<u16>::new(&crc::CRC_16_MODBUS);
    MODBUS.checksum(bytes)
}

/// Reads `frame = { start = "42 4D", length = 32 }`, or `end` instead of `length`.
pub(super) fn read_frame(s: &Section<'_>) -> Option<FrameShape> {
    let table = s.section("frame")?;
    let marker = |key: &str| -> Vec<u8> {
        let Some(text) = table.text(key) else { return Vec::new() };
        from_hex(&text.value).filter(|b| !b.is_empty()).unwrap_or_else(|| {
            table.error(text.span, format!("{key} must be hexadecimal bytes"), "as in \"42 4D\"");
            Vec::new()
        })
    };
    let (start, end) = (marker("start"), marker("end"));
    let length = table.integer_between("length", 1, limits::SERIAL_LINE_BYTES_MAX as i128);
    let length = length.and_then(|l| usize::try_from(l.value).ok());
    table.finish();
    match (length, end.is_empty(), start.is_empty()) {
        (Some(_), false, _) => {
            table.error(table.span(), "a frame must have either length or end", "keep one of them")
        }
        (None, true, _) => table.missing("length", "9  (or end = \"03\")"),
        (None, false, true) => {
            table.missing("start", "\"02\"  (a frame with an end marker also needs a start)")
        }
        _ => return Some(FrameShape { start, end, length }),
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_cut_by_length_and_by_markers() {
        let by_length = FrameShape { start: vec![0x42, 0x4D], end: Vec::new(), length: Some(5) };
        assert_eq!(by_length.cut(&[]), Cut::Wait);
        assert_eq!(by_length.cut(&[1, 2, 0x42]), Cut::Noise(2));
        assert_eq!(by_length.cut(&[0x42]), Cut::Wait);
        assert_eq!(by_length.cut(&[0x42, 0x42, 0x4D]), Cut::Noise(1));
        assert_eq!(by_length.cut(&[0x42, 0x4D, 1, 2]), Cut::Wait);
        assert_eq!(by_length.cut(&[0x42, 0x4D, 1, 2, 3, 4]), Cut::Frame(5));
        let by_markers = FrameShape { start: vec![2], end: vec![3], length: None };
        assert_eq!(by_markers.cut(&[9, 2, 7]), Cut::Noise(1));
        assert_eq!(by_markers.cut(&[2, 7]), Cut::Wait);
        assert_eq!(by_markers.cut(&[2, 7, 3, 2]), Cut::Frame(3));
        let plain = FrameShape { length: Some(2), ..FrameShape::default() };
        assert_eq!(plain.cut(&[7]), Cut::Wait);
        assert_eq!(plain.cut(&[7, 8, 9]), Cut::Frame(2));
    }

    #[test]
    fn frames_prove_themselves() {
        // The example in the manual of the MH-Z19: checksum 0x79 of the request for CO2, over bytes 1 to 7.
        let ask = [0xFF, 0x01, 0x86, 0, 0, 0, 0, 0, 0x79];
        assert!(is_proven(Checksum::Sum8Complement, &ask, 1, 0));
        assert!(!is_proven(Checksum::Sum8Complement, &ask, 0, 0));
        assert!(is_proven(Checksum::Crc16, &[2, 7, 0x41, 0x12], 0, 0));
        assert!(is_proven(Checksum::Xor, &[2, 7, 5, 3], 0, 1));
        assert!(is_proven(Checksum::Sum16, &[0x42, 0x4D, 0, 0x8F], 0, 0));
        assert!(!is_proven(Checksum::Sum16, &[1], 0, 0));
        assert_eq!(from_hex("FF 0186"), Some(vec![0xFF, 1, 0x86]));
        assert_eq!(from_hex("F"), None);
        assert_eq!(from_hex("GG"), None);
    }
}
