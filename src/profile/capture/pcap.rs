//! Writing of frames as a pcap file (a header, then packets with times), and reading of such a file.

use super::container::packets;
use super::packet::{Layer, layer};
use super::{Frame, WireKind};

const MAGIC: u32 = 0xA1B2_C3D4;
const ETHERNET: u32 = 1;
const RTAC_SERIAL: u32 = 250;
/// The address and port of andon in the file.
const OURS: ([u8; 4], u16) = ([10, 0, 0, 1], 49_152);
/// The address of the device or broker in the file.
const THEIRS: [u8; 4] = [10, 0, 0, 2];
/// The most payload bytes of one packet: the limit of IP without the headers.
const PAYLOAD_MAX: usize = 65_000;
const SERIAL_HEADER: usize = 12;

/// Writes frames as a pcap file.
#[must_use]
pub fn to_pcap(kind: WireKind, frames: &[Frame]) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend(MAGIC.to_le_bytes());
    out.extend([2, 0, 4, 0]);
    out.extend([0; 8]);
    out.extend(u32::MAX.wrapping_shr(14).to_le_bytes());
    let link_type = match kind {
        WireKind::Tcp(_) => ETHERNET,
        WireKind::Serial => RTAC_SERIAL,
    };
    out.extend(link_type.to_le_bytes());
    let mut sequence = (1_u32, 1_u32);
    for frame in frames {
        for part in frame.bytes.chunks(PAYLOAD_MAX) {
            let packet = match kind {
                WireKind::Tcp(port) => segment(port, frame.is_sent, part, &mut sequence),
                WireKind::Serial => serial(frame, part),
            };
            let (seconds, micros) = parts(frame.at_us);
            let length = u32::try_from(packet.len()).unwrap_or(u32::MAX);
            for word in [seconds, micros, length, length] {
                out.extend(word.to_le_bytes());
            }
            out.extend(packet);
        }
    }
    out
}

fn parts(at_us: i64) -> (u32, u32) {
    let seconds = u32::try_from(at_us.div_euclid(1_000_000)).unwrap_or(0);
    (seconds, u32::try_from(at_us.rem_euclid(1_000_000)).unwrap_or(0))
}

/// Writes the header of the RTAC serial format: time, direction, control lines, reserved bytes.
fn serial(frame: &Frame, part: &[u8]) -> Vec<u8> {
    let (seconds, micros) = parts(frame.at_us);
    let mut out = Vec::with_capacity(SERIAL_HEADER + part.len());
    out.extend(seconds.to_be_bytes());
    out.extend(micros.to_be_bytes());
    out.extend([if frame.is_sent { 1 } else { 2 }, 0, 0, 0]);
    out.extend(part);
    out
}

fn segment(port: u16, is_sent: bool, part: &[u8], sequence: &mut (u32, u32)) -> Vec<u8> {
    let (source, target) =
        if is_sent { ((OURS.0, OURS.1), (THEIRS, port)) } else { ((THEIRS, port), (OURS.0, OURS.1)) };
    let (own, other) = if is_sent { (&mut sequence.0, sequence.1) } else { (&mut sequence.1, sequence.0) };
    let length = u16::try_from(part.len()).unwrap_or(u16::MAX);
    let mut tcp = Vec::new();
    tcp.extend(source.1.to_be_bytes());
    tcp.extend(target.1.to_be_bytes());
    tcp.extend(own.to_be_bytes());
    tcp.extend(other.to_be_bytes());
    // A header of five words, with the flags PSH and ACK, a window, the checksum and the urgent pointer.
    tcp.extend([0x50, 0x18, 0x20, 0, 0, 0, 0, 0]);
    *own = own.wrapping_add(u32::from(length));
    let total = 40 + length;
    let mut ip = vec![0x45, 0];
    ip.extend(total.to_be_bytes());
    ip.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
    ip.extend(source.0);
    ip.extend(target.0);
    let sum = checksum(&[&ip]);
    put(&mut ip, 10, sum);
    let pseudo = [&source.0[..], &target.0[..], &[0, 6], &(20 + length).to_be_bytes()].concat();
    let sum = checksum(&[&pseudo, &tcp, part]);
    put(&mut tcp, 16, sum);
    let (to, from) = if is_sent { (2, 1) } else { (1, 2) };
    let mut out = vec![2, 0, 0, 0, 0, to, 2, 0, 0, 0, 0, from, 8, 0];
    out.extend(ip);
    out.extend(tcp);
    out.extend(part);
    out
}

fn put(header: &mut [u8], at: usize, value: u16) {
    for (slot, byte) in header.iter_mut().skip(at).zip(value.to_be_bytes()) {
        *slot = byte;
    }
}

/// Computes the internet checksum (RFC 1071). All parts except the last must have an even length.
fn checksum(parts: &[&[u8]]) -> u16 {
    let words = parts.iter().flat_map(|p| p.chunks(2)).map(|pair| match pair {
        [a, b] => u32::from(u16::from_be_bytes([*a, *b])),
        [a] => u32::from(*a) << 8,
        _ => 0,
    });
    let mut sum: u32 = words.fold(0, u32::wrapping_add);
    while sum > 0xFFFF {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(0)
}

/// Reads the frames of a file that [`to_pcap`] has written.
///
/// # Errors
/// The reason why the file cannot be read.
pub fn from_pcap(file: &[u8]) -> Result<(WireKind, Vec<Frame>), String> {
    let (packets, end) = packets(file)?;
    if let Some(end) = end {
        return Err(end);
    }
    let mut port = None;
    let frames = packets.iter().filter_map(|p| {
        let (is_sent, bytes) = match layer(p.link_type, p.bytes) {
            Layer::Tcp(s) => {
                let theirs = *port.get_or_insert(s.from.1.min(s.to.1));
                (s.to.1 == theirs, s.payload)
            }
            Layer::Serial(is_sent, bytes) => (is_sent, bytes),
            Layer::Fragment | Layer::Other | Layer::UnknownLink(_) | Layer::Broken => return None,
        };
        Some(Frame { at_us: p.at_us, is_sent, bytes: bytes.to_vec() })
    });
    let frames = frames.collect();
    Ok((port.map_or(WireKind::Serial, WireKind::Tcp), frames))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frames() -> impl Strategy<Value = Vec<Frame>> {
        let frame =
            (0_i64..4_000_000_000_000_000, any::<bool>(), proptest::collection::vec(any::<u8>(), 1..300));
        let frame = frame.prop_map(|(at_us, is_sent, bytes)| Frame { at_us, is_sent, bytes });
        proptest::collection::vec(frame, 1..20)
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(frames in frames(), serial in any::<bool>()) {
            let kind = if serial { WireKind::Serial } else { WireKind::Tcp(502) };
            let file = to_pcap(kind, &frames);
            prop_assert_eq!(from_pcap(&file), Ok((kind, frames)));
        }
    }

    #[test]
    fn headers_are_as_long_as_they_say() {
        let file = to_pcap(WireKind::Tcp(502), &[Frame { at_us: 0, is_sent: true, bytes: vec![1, 2, 3] }]);
        assert_eq!(file.len(), 24 + 16 + 54 + 3);
        // The checksum of an IP header with its own checksum inside is zero.
        assert_eq!(checksum(&[&file[24 + 16 + 14..24 + 16 + 34]]), 0);
    }
}
