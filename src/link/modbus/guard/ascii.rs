//! Converts Modbus ASCII (Modbus over serial line 2.5.2) to RTU frames and back. The client and the guard's checks
//! know only RTU.

use crate::profile::crc16;

/// Converts an RTU frame to a line: colon, hexadecimal digits, longitudinal redundancy check, CR LF.
pub(super) fn to_line(rtu: &[u8]) -> Vec<u8> {
    let body = rtu.get(..rtu.len().saturating_sub(2)).unwrap_or(&[]);
    let mut line = String::from(":");
    for byte in body.iter().chain(std::iter::once(&lrc(body))) {
        line.push_str(&format!("{byte:02X}"));
    }
    line.push_str("\r\n");
    line.into_bytes()
}

/// Removes complete lines from the front of the received bytes. Each line gives an RTU frame, or the number of its
/// bytes if it is not valid.
pub(super) fn take_frames(received: &mut Vec<u8>) -> Vec<Result<Vec<u8>, usize>> {
    let mut out = Vec::new();
    while let Some(end) = received.iter().position(|b| *b == b'\n') {
        let line: Vec<u8> = received.drain(..=end).collect();
        // Noise before the colon does not belong to the frame.
        let Some(start) = line.iter().rposition(|b| *b == b':') else {
            out.push(Err(line.len()));
            continue;
        };
        out.push(from_line(line.get(start..).unwrap_or(&[])).ok_or(line.len()));
    }
    out
}

fn from_line(line: &[u8]) -> Option<Vec<u8>> {
    let digits = line.strip_prefix(b":")?.strip_suffix(b"\r\n")?;
    let mut bytes: Vec<u8> = digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok().filter(|p| p.len() == 2)?, 16).ok())
        .collect::<Option<_>>()?;
    let check = bytes.pop()?;
    if bytes.len() < 2 || lrc(&bytes) != check {
        return None;
    }
    let crc = crc16(&bytes);
    bytes.extend(crc.to_le_bytes());
    Some(bytes)
}

/// The longitudinal redundancy check: two's complement of the sum of all bytes (6.2.1).
fn lrc(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0_u8, |sum, b| sum.wrapping_add(*b)).wrapping_neg()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_of_the_standard() {
        // Read holding registers 107..109 of unit 17: 11 03 006B 0003 has the check 7E.
        let body = [0x11, 3, 0, 0x6B, 0, 3];
        let rtu = [body.as_slice(), &crc16(&body).to_le_bytes()].concat();
        assert_eq!(to_line(&rtu), b":1103006B00037E\r\n");
        let mut received = b"xx:1103006B00037E\r\n:1103006B00037F\r\n:11".to_vec();
        assert_eq!(take_frames(&mut received), [Ok(rtu), Err(17)]);
        assert_eq!(received, b":11");
        for wrong in [&b"\r\n"[..], b":\r\n", b":11\r\n", b":1103006B00037\r\n", b":GG03006B00037E\r\n"] {
            assert!(matches!(take_frames(&mut wrong.to_vec()).as_slice(), [Err(_)]), "{wrong:?}");
        }
    }
}
