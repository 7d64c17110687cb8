//! The layers of a packet: the link layer, IP and TCP, or the header of a serial packet.

const SERIAL_HEADER: usize = 12;

/// An IP address and a port. IPv4 addresses are in their IPv6 form.
pub(super) type End = ([u8; 16], u16);

/// A TCP segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment<'p> {
    pub from: End,
    pub to: End,
    pub sequence: u32,
    /// True for the first segment of each direction (SYN).
    pub is_opening: bool,
    /// True for the first segment of the server (SYN and ACK).
    pub is_answer: bool,
    pub payload: &'p [u8],
}

/// The content of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layer<'p> {
    Tcp(Segment<'p>),
    /// Bytes of a serial line. The first field is true if the recording computer sent them.
    Serial(bool, &'p [u8]),
    /// A part of an IP packet that the network has split.
    Fragment,
    /// Other content: ARP, UDP, a control signal.
    Other,
    /// A link layer that andon cannot read. Field: its number.
    UnknownLink(u32),
    /// A packet that is shorter than its headers say.
    Broken,
}

/// Reads the layers of a packet.
pub(super) fn layer(link_type: u32, bytes: &[u8]) -> Layer<'_> {
    match link_type {
        // Ethernet, with or without VLAN tags.
        1 => ethernet(bytes, 12),
        // BSD loopback: an address family comes before the IP packet.
        0 | 108 => bytes.get(4..).map_or(Layer::Broken, ip),
        12 | 14 | 101 | 228 | 229 => ip(bytes),
        // The "any" interface of Linux, in its old and new form.
        113 => ethernet(bytes, 14),
        276 => match (word(bytes, 0), bytes.get(20..)) {
            (Some(0x0800 | 0x86DD), Some(rest)) => ip(rest),
            (Some(_), Some(_)) => Layer::Other,
            _ => Layer::Broken,
        },
        250 => match (bytes.get(8), bytes.get(SERIAL_HEADER..)) {
            (Some(1), Some(data)) => Layer::Serial(true, data),
            (Some(2), Some(data)) => Layer::Serial(false, data),
            (Some(_), Some(_)) => Layer::Other,
            _ => Layer::Broken,
        },
        other => Layer::UnknownLink(other),
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

/// Reads the packet after the protocol number, which is at `at`.
fn ethernet(bytes: &[u8], at: usize) -> Layer<'_> {
    let Some(kind) = word(bytes, at) else { return Layer::Broken };
    match (kind, bytes.get(at + 2..)) {
        (0x8100 | 0x88A8 | 0x9100, Some(_)) => ethernet(bytes, at + 4),
        (0x0800 | 0x86DD, Some(rest)) => ip(rest),
        (_, Some(_)) => Layer::Other,
        (_, None) => Layer::Broken,
    }
}

fn ip(bytes: &[u8]) -> Layer<'_> {
    let read = match bytes.first().map(|b| b >> 4) {
        Some(4) => ip4(bytes),
        Some(6) => ip6(bytes),
        Some(_) => Some(Layer::Other),
        None => None,
    };
    read.unwrap_or(Layer::Broken)
}

fn ip4(bytes: &[u8]) -> Option<Layer<'_>> {
    let header = usize::from(bytes.first()? & 0xF) * 4;
    let total = usize::from(word(bytes, 2)?);
    // The network card can split a packet after the capture; its length is then 0.
    let total = if total == 0 { bytes.len() } else { total.min(bytes.len()) };
    if word(bytes, 6)? & 0x3FFF != 0 {
        return Some(Layer::Fragment);
    }
    if bytes.get(9)? != &6 {
        return Some(Layer::Other);
    }
    let address = |at: usize| {
        let [a, b, c, d]: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
        Some([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, a, b, c, d])
    };
    tcp(bytes.get(header..total)?, address(12)?, address(16)?)
}

fn ip6(bytes: &[u8]) -> Option<Layer<'_>> {
    let length = usize::from(word(bytes, 4)?);
    let end = if length == 0 { bytes.len() } else { (40 + length).min(bytes.len()) };
    let (from, to) = (bytes.get(8..24)?.try_into().ok()?, bytes.get(24..40)?.try_into().ok()?);
    let (mut next, mut at) = (*bytes.get(6)?, 40);
    // Headers that can come before TCP: hop by hop, routing, destination.
    while matches!(next, 0 | 43 | 60) {
        next = *bytes.get(at)?;
        at += 8 + usize::from(*bytes.get(at + 1)?) * 8;
    }
    match next {
        44 => Some(Layer::Fragment),
        6 => tcp(bytes.get(at..end)?, from, to),
        _ => Some(Layer::Other),
    }
}

fn tcp(bytes: &[u8], from: [u8; 16], to: [u8; 16]) -> Option<Layer<'_>> {
    let header = usize::from(bytes.get(12)? >> 4) * 4;
    let flags = *bytes.get(13)?;
    Some(Layer::Tcp(Segment {
        from: (from, word(bytes, 0)?),
        to: (to, word(bytes, 2)?),
        sequence: u32::from_be_bytes(bytes.get(4..8)?.try_into().ok()?),
        is_opening: flags & 2 != 0,
        is_answer: flags & 0x12 == 0x12,
        payload: bytes.get(header..)?,
    }))
}
