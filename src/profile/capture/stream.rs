//! Frames of a capture. The bytes of each direction of each connection are put in order and then cut into frames by
//! the length in each frame. Packets of a serial line are cut by their checksums.

use std::collections::BTreeMap;

use super::container::packets;
use super::packet::{End, Layer, Segment, layer};
use crate::limits;
use crate::profile::crc16;

/// A Modbus frame: the unit id and the PDU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spoken {
    /// The time of its last byte, in microseconds since 1970.
    pub at_us: i64,
    /// The number of the packet that completed the frame. Frames are sorted by it.
    pub order: usize,
    pub connection: usize,
    pub is_request: bool,
    /// The transaction id; `None` on a serial line.
    pub transaction: Option<u16>,
    pub unit: u8,
    pub pdu: Vec<u8>,
}

/// The number of packets, bytes and frames that could not be read, by reason.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Unread {
    /// Packets of other protocols or ports.
    pub others: usize,
    /// Packets with a link layer that andon cannot read, by the number of the link layer.
    pub links: BTreeMap<u32, usize>,
    /// Parts of IP packets that the network has split.
    pub fragments: usize,
    /// Packets that are shorter than their headers say.
    pub broken: usize,
    /// Packets of which the capture contains only the beginning.
    pub cut: usize,
    /// Bytes of connections that are not Modbus.
    pub bytes: usize,
    /// The number of places where bytes of a connection are missing in the capture.
    pub gaps: usize,
    /// Frames of a serial line with a wrong checksum.
    pub checksums: usize,
    /// The reason if the file could not be read to its end.
    pub end: Option<String>,
}

/// The Modbus frames of a capture.
#[derive(Debug, Clone, Default)]
pub(super) struct Heard {
    pub spoken: Vec<Spoken>,
    pub unread: Unread,
    pub connections: usize,
}

/// One direction of a connection.
#[derive(Debug, Default)]
struct Stream<'f> {
    /// The sequence number of the first byte, and of the next expected byte.
    begin: Option<u32>,
    next: Option<u32>,
    /// The last packet with bytes, and its time. A frame is complete when all its bytes have arrived.
    latest: (usize, i64),
    buffer: Vec<u8>,
    /// Segments that arrived before earlier ones, by their sequence numbers.
    early: BTreeMap<u32, (i64, usize, &'f [u8])>,
}

/// A connection: the direction to the server, and the direction back.
#[derive(Debug)]
struct Connection<'f> {
    number: usize,
    server: End,
    streams: [Stream<'f>; 2],
}

/// Reads a capture. `port` is the port of the devices. Without it, the server is found by the start of the
/// connection, by port 502, or by the lower port.
///
/// # Errors
/// The reason why the file is not a capture.
pub(super) fn heard(file: &[u8], port: Option<u16>) -> Result<Heard, String> {
    let (packets, end) = packets(file)?;
    let mut out = Heard::default();
    out.unread.end = end;
    let mut open: BTreeMap<(End, End), Connection<'_>> = BTreeMap::new();
    let mut line = [Vec::new(), Vec::new()];
    for (order, packet) in packets.iter().enumerate() {
        out.unread.cut += usize::from(packet.is_cut);
        match layer(packet.link_type, packet.bytes) {
            Layer::Tcp(segment) => {
                if port.is_some_and(|p| segment.from.1 != p && segment.to.1 != p) {
                    out.unread.others += 1;
                    continue;
                }
                let key = if segment.from < segment.to {
                    (segment.from, segment.to)
                } else {
                    (segment.to, segment.from)
                };
                let begins_again = segment.is_opening && !segment.is_answer && open.contains_key(&key);
                if begins_again && let Some(old) = open.remove(&key) {
                    old.end(&mut out);
                }
                if open.len() >= limits::CAPTURE_CONNECTIONS_MAX && !open.contains_key(&key) {
                    out.unread.bytes += segment.payload.len();
                    continue;
                }
                let connection = open.entry(key).or_insert_with(|| {
                    out.connections += 1;
                    let server = server(&segment, port);
                    Connection { number: out.connections, server, streams: Default::default() }
                });
                connection.take(packet.at_us, order, &segment, &mut out);
            }
            Layer::Serial(is_sent, bytes) => {
                let [received, sent] = &mut line;
                let kept = if is_sent { sent } else { received };
                serial(kept, bytes, (packet.at_us, order, is_sent), &mut out);
            }
            Layer::Fragment => out.unread.fragments += 1,
            Layer::Other => out.unread.others += 1,
            Layer::UnknownLink(link) => *out.unread.links.entry(link).or_default() += 1,
            Layer::Broken => out.unread.broken += 1,
        }
    }
    for connection in open.into_values() {
        connection.end(&mut out);
    }
    out.unread.checksums += line.iter().filter(|kept| !kept.is_empty()).count();
    out.spoken.sort_by_key(|s| s.order);
    Ok(out)
}

/// Returns the end of the connection that is the device.
fn server(segment: &Segment<'_>, port: Option<u16>) -> End {
    let (from, to) = (segment.from, segment.to);
    match port.or_else(|| [from.1, to.1].contains(&502).then_some(502)) {
        Some(port) if to.1 == port => to,
        Some(_) => from,
        None if segment.is_answer => from,
        None if segment.is_opening || to.1 < from.1 => to,
        None => from,
    }
}

impl<'f> Connection<'f> {
    fn take(&mut self, at_us: i64, order: usize, segment: &Segment<'f>, out: &mut Heard) {
        let is_request = segment.to == self.server;
        let (number, [to, from]) = (self.number, &mut self.streams);
        let stream = if is_request { to } else { from };
        let first = match segment.is_opening {
            true => segment.sequence.wrapping_add(1),
            false => segment.sequence,
        };
        if segment.is_opening {
            (stream.begin, stream.next) = (Some(first), Some(first));
        }
        if segment.payload.is_empty() {
            return;
        }
        let next = *stream.next.get_or_insert(first);
        let begin = *stream.begin.get_or_insert(first);
        if first.wrapping_sub(begin).cast_signed() < 0 {
            // A segment from before the first one in the capture: the rest of its frame is missing.
            out.unread.bytes += segment.payload.len();
            return;
        }
        // Sequence numbers wrap around: up to half of all numbers ahead is early, the other half is old.
        let ahead = first.wrapping_sub(next).cast_signed();
        if ahead > 0 {
            stream.early.entry(first).or_insert((at_us, order, segment.payload));
            if stream.early.len() > limits::CAPTURE_SEGMENTS_EARLY_MAX {
                stream.skip(number, is_request, out);
            }
            return;
        }
        stream.add(first, (at_us, order, segment.payload), number, is_request, out);
        stream.follow(number, is_request, out);
    }

    /// Ends a connection: segments that wait for missing bytes are used without these bytes.
    fn end(mut self, out: &mut Heard) {
        let [to, from] = &mut self.streams;
        for (stream, is_request) in [(to, true), (from, false)] {
            while !stream.early.is_empty() {
                stream.skip(self.number, is_request, out);
            }
            out.unread.bytes += stream.buffer.len();
        }
    }
}

impl<'f> Stream<'f> {
    /// Adds a segment whose bytes are next. The beginning of the segment can already be known (a repeated segment).
    fn add(
        &mut self,
        first: u32,
        part: (i64, usize, &'f [u8]),
        number: usize,
        is_request: bool,
        out: &mut Heard,
    ) {
        let (at_us, order, payload) = part;
        let next = self.next.unwrap_or(first);
        let known = usize::try_from(next.wrapping_sub(first)).unwrap_or(usize::MAX);
        let Some(fresh) = payload.get(known..).filter(|f| !f.is_empty()) else { return };
        let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        self.next = Some(first.wrapping_add(length));
        self.buffer.extend(fresh);
        self.latest = self.latest.max((order, at_us));
        let (order, at_us) = self.latest;
        self.cut(at_us, order, number, is_request, out);
    }

    /// Adds the early segments that are next now.
    fn follow(&mut self, number: usize, is_request: bool, out: &mut Heard) {
        while let Some(next) = self.next {
            let due = self.early.keys().copied().find(|first| first.wrapping_sub(next).cast_signed() <= 0);
            let Some(first) = due else { return };
            let Some(part) = self.early.remove(&first) else { return };
            self.add(first, part, number, is_request, out);
        }
    }

    /// Continues after bytes that are missing.
    fn skip(&mut self, number: usize, is_request: bool, out: &mut Heard) {
        let next = self.next.unwrap_or(0);
        let nearest = self.early.keys().copied().min_by_key(|first| first.wrapping_sub(next));
        let Some(first) = nearest else { return };
        out.unread.gaps += 1;
        out.unread.bytes += self.buffer.len();
        self.buffer.clear();
        self.next = Some(first);
        self.follow(number, is_request, out);
    }

    /// Cuts complete frames from the buffer.
    fn cut(&mut self, at_us: i64, order: usize, connection: usize, is_request: bool, out: &mut Heard) {
        loop {
            let [t0, t1, p0, p1, l0, l1, ..] = *self.buffer.as_slice() else { return };
            let length = usize::from(u16::from_be_bytes([l0, l1]));
            if [p0, p1] != [0, 0] || !(2..=limits::MBAP_LENGTH_MAX).contains(&length) {
                // The bytes are not Modbus, or are the middle of a frame. The next segment can start a new frame.
                out.unread.bytes += self.buffer.len();
                self.buffer.clear();
                return;
            }
            let Some(body) = self.buffer.get(6..6 + length) else { return };
            if let Some((unit, pdu)) = body.split_first() {
                let transaction = Some(u16::from_be_bytes([t0, t1]));
                let (unit, pdu) = (*unit, pdu.to_vec());
                out.spoken.push(Spoken { at_us, order, connection, is_request, transaction, unit, pdu });
            }
            self.buffer.drain(..6 + length);
        }
    }
}

/// Cuts frames from the bytes of a serial line: the whole packet if its checksum is right, else by the length of each
/// function. Bytes without a right checksum are kept once, for the packet that can continue them.
fn serial(kept: &mut Vec<u8>, bytes: &[u8], of: (i64, usize, bool), out: &mut Heard) {
    let mut push = |unit: u8, pdu: &[u8]| {
        let (at_us, order, is_request) = of;
        out.spoken.push(Spoken {
            at_us,
            order,
            connection: 0,
            is_request,
            transaction: None,
            unit,
            pdu: pdu.to_vec(),
        });
    };
    if let Some(body) = ascii(bytes) {
        if let Some((unit, pdu)) = body.split_first() {
            push(*unit, pdu);
        }
        return;
    }
    let had = std::mem::take(kept);
    let joined = [had.as_slice(), bytes].concat();
    // The packet alone comes first, because the kept bytes can be noise.
    for candidate in [bytes, joined.as_slice()] {
        if let Some(frames) = rtu(candidate, of.2) {
            for frame in frames {
                if let Some((unit, pdu)) = frame.split_first() {
                    push(*unit, pdu);
                }
            }
            out.unread.checksums += usize::from(!had.is_empty() && candidate.len() == bytes.len());
            return;
        }
    }
    out.unread.checksums += usize::from(!had.is_empty());
    if bytes.len() <= limits::RTU_FRAME_MAX {
        *kept = bytes.to_vec();
    } else {
        out.unread.checksums += 1;
    }
}

/// Returns the frames in the bytes, without their checksums; `None` if a checksum is wrong.
fn rtu(bytes: &[u8], is_request: bool) -> Option<Vec<&[u8]>> {
    let proven = |frame: &[u8]| match frame.split_last_chunk::<2>() {
        Some((body, said)) => body.len() >= 2 && *said == crc16(body).to_le_bytes(),
        None => false,
    };
    let mut rest = bytes;
    let mut out = Vec::new();
    while !rest.is_empty() {
        let whole = proven(rest).then_some(rest.len());
        let length =
            whole.or_else(|| length_of(rest, is_request)).filter(|n| rest.get(..*n).is_some_and(proven))?;
        let (frame, behind) = rest.split_at_checked(length)?;
        out.push(frame.get(..length - 2)?);
        rest = behind;
    }
    (!out.is_empty()).then_some(out)
}

/// Returns the length of a frame of a serial line, by its function; `None` if the function is unknown.
fn length_of(frame: &[u8], is_request: bool) -> Option<usize> {
    let function = *frame.get(1)?;
    Some(match (function, is_request) {
        (0x80.., _) => 5,
        (1..=6, true) | (5 | 6 | 15 | 16, false) => 8,
        (1..=4 | 23, false) => 5 + usize::from(*frame.get(2)?),
        (15 | 16, true) => 9 + usize::from(*frame.get(6)?),
        _ => return None,
    })
}

/// Returns the body of a Modbus ASCII frame; `None` if its checksum is wrong.
fn ascii(bytes: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(bytes).ok()?.trim_end().strip_prefix(':')?;
    let mut body = crate::profile::from_hex(text)?;
    let sum = body.iter().fold(0_u8, |sum, b| sum.wrapping_add(*b));
    body.pop()?;
    (sum == 0 && body.len() >= 2).then_some(body)
}
