//! Packets of a capture file: pcap with microseconds or nanoseconds, and pcapng, in both byte orders.

const PCAP_MICROS: u32 = 0xA1B2_C3D4;
const PCAP_NANOS: u32 = 0xA1B2_3C4D;
const SECTION: u32 = 0x0A0D_0D0A;
const SECTION_ORDER: u32 = 0x1A2B_3C4D;

/// One packet of a capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Packet<'f> {
    /// The time, in microseconds since 1970.
    pub at_us: i64,
    /// The number of the link layer with which the bytes begin.
    pub link_type: u32,
    pub bytes: &'f [u8],
    /// True if the capture contains only the beginning of the packet.
    pub is_cut: bool,
}

/// The order of the bytes of a number in the file.
#[derive(Debug, Clone, Copy)]
enum Endian {
    Big,
    Little,
}

/// A reader for the numbers of a file.
#[derive(Debug, Clone, Copy)]
struct Reader<'f> {
    file: &'f [u8],
    endian: Endian,
}

impl<'f> Reader<'f> {
    fn u32(self, at: usize) -> Option<u32> {
        let bytes: [u8; 4] = self.bytes(at, 4)?.try_into().ok()?;
        Some(match self.endian {
            Endian::Big => u32::from_be_bytes(bytes),
            Endian::Little => u32::from_le_bytes(bytes),
        })
    }

    fn u16(self, at: usize) -> Option<u16> {
        let bytes: [u8; 2] = self.bytes(at, 2)?.try_into().ok()?;
        Some(match self.endian {
            Endian::Big => u16::from_be_bytes(bytes),
            Endian::Little => u16::from_le_bytes(bytes),
        })
    }

    fn size(self, at: usize) -> Option<usize> {
        usize::try_from(self.u32(at)?).ok()
    }

    fn bytes(self, at: usize, length: usize) -> Option<&'f [u8]> {
        self.file.get(at..at.checked_add(length)?)
    }
}

/// Returns all packets, and the reason if andon cannot read the file to its end.
///
/// # Errors
/// The reason why the file is not a capture.
pub(super) fn packets(file: &[u8]) -> Result<(Vec<Packet<'_>>, Option<String>), String> {
    let magic: [u8; 4] =
        file.get(..4).and_then(|m| m.try_into().ok()).ok_or("this is not a capture file: it is too short")?;
    let of = |endian| Reader { file, endian };
    match (u32::from_le_bytes(magic), u32::from_be_bytes(magic)) {
        (PCAP_MICROS, _) => pcap(of(Endian::Little), 1),
        (_, PCAP_MICROS) => pcap(of(Endian::Big), 1),
        (PCAP_NANOS, _) => pcap(of(Endian::Little), 1000),
        (_, PCAP_NANOS) => pcap(of(Endian::Big), 1000),
        (SECTION, _) => Ok(pcapng(file)),
        _ => Err("this is not a pcap file or a pcapng file".to_owned()),
    }
}

/// Reads a pcap file. `divisor` converts the fraction of a second into microseconds.
fn pcap(reader: Reader<'_>, divisor: u32) -> Result<(Vec<Packet<'_>>, Option<String>), String> {
    // The upper bits tell whether frames end with a checksum.
    let link_type = reader.u32(20).ok_or("the header of the capture file is incomplete")? & 0x0FFF_FFFF;
    let mut out = Vec::new();
    let mut at = 24;
    while at < reader.file.len() {
        let header = (reader.u32(at), reader.u32(at + 4), reader.size(at + 8), reader.size(at + 12));
        let (Some(seconds), Some(part), Some(length), Some(whole)) = header else {
            return Ok((out, Some(format!("the file ends within a packet's header, at byte {at}"))));
        };
        let Some(bytes) = reader.bytes(at + 16, length) else {
            return Ok((out, Some(format!("the file ends within a packet, at byte {at}"))));
        };
        let at_us = i64::from(seconds) * 1_000_000 + i64::from(part / divisor);
        out.push(Packet { at_us, link_type, bytes, is_cut: whole > length });
        at += 16 + length;
    }
    Ok((out, None))
}

/// The description of an interface in a pcapng file.
#[derive(Debug, Clone, Copy)]
struct Interface {
    link_type: u32,
    /// Ticks of its clock per second.
    ticks: u64,
    /// Seconds that are added to its times.
    offset: i64,
}

fn pcapng(file: &[u8]) -> (Vec<Packet<'_>>, Option<String>) {
    let mut out: Vec<Packet<'_>> = Vec::new();
    let mut reader = Reader { file, endian: Endian::Little };
    let mut interfaces: Vec<Interface> = Vec::new();
    let mut at = 0;
    while at < file.len() {
        let ends = || Some(format!("the file is not valid pcapng from byte {at} on"));
        if file.get(at..at + 4) == Some(&SECTION.to_le_bytes()) {
            let order = file.get(at + 8..at + 12).and_then(|o| o.try_into().ok()).map(u32::from_le_bytes);
            reader.endian = if order == Some(SECTION_ORDER) { Endian::Little } else { Endian::Big };
            interfaces.clear();
        }
        let (Some(kind), Some(length)) = (reader.u32(at), reader.size(at + 4)) else { return (out, ends()) };
        if length < 12 || length % 4 != 0 || reader.bytes(at, length).is_none() {
            return (out, ends());
        }
        // The reader sees only this block, so that it cannot read beyond the block.
        let body = Reader { file: file.get(at + 8..at + length - 4).unwrap_or(&[]), ..reader };
        let before = out.last().map_or(0, |p| p.at_us);
        match kind {
            1 => interfaces.push(interface(body)),
            2 | 3 | 6 => out.extend(packet(kind, body, &interfaces, before)),
            _ => {}
        }
        at += length;
    }
    (out, None)
}

fn interface(body: Reader<'_>) -> Interface {
    let mut out = Interface { link_type: u32::from(body.u16(0).unwrap_or(0)), ticks: 1_000_000, offset: 0 };
    let mut at = 8;
    while let (Some(code), Some(length)) = (body.u16(at), body.u16(at + 2)) {
        let value = body.bytes(at + 4, usize::from(length)).unwrap_or(&[]);
        match (code, value) {
            (0, _) => break,
            (9, [power]) if power & 0x80 != 0 => {
                out.ticks = 1_u64.checked_shl(u32::from(power & 0x7F)).unwrap_or(out.ticks);
            }
            (9, [power]) => out.ticks = 10_u64.checked_pow(u32::from(*power)).unwrap_or(out.ticks),
            (14, value) => {
                let bytes: Option<[u8; 8]> = value.try_into().ok();
                let read = |b| match body.endian {
                    Endian::Big => i64::from_be_bytes(b),
                    Endian::Little => i64::from_le_bytes(b),
                };
                out.offset = bytes.map_or(0, read);
            }
            _ => {}
        }
        at += 4 + usize::from(length).div_ceil(4) * 4;
    }
    out
}

/// Reads a packet of an enhanced (6), simple (3) or old (2) block. A simple block has no time; its packet gets the
/// time of the packet before it.
fn packet<'f>(kind: u32, body: Reader<'f>, interfaces: &[Interface], before: i64) -> Option<Packet<'f>> {
    let index = match kind {
        6 => body.size(0)?,
        2 => usize::from(body.u16(0)?),
        _ => 0,
    };
    let interface = interfaces.get(index)?;
    if kind == 3 {
        let whole = body.size(0)?;
        let bytes = body.bytes(4, whole.min(body.file.len() - 4))?;
        return Some(Packet {
            at_us: before,
            link_type: interface.link_type,
            bytes,
            is_cut: bytes.len() < whole,
        });
    }
    let ticks = u64::from(body.u32(4)?) << 32 | u64::from(body.u32(8)?);
    let micros = u128::from(ticks) * 1_000_000 / u128::from(interface.ticks.max(1));
    let at_us = i64::try_from(micros).ok()?.checked_add(interface.offset.checked_mul(1_000_000)?)?;
    let (length, whole) = (body.size(12)?, body.size(16)?);
    let bytes = body.bytes(20, length)?;
    Some(Packet { at_us, link_type: interface.link_type, bytes, is_cut: whole > length })
}
