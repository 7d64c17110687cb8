//! Tests with captures made by hand, byte by byte: pairing, order of segments, cutting of frames, counts.

use proptest::prelude::*;

use super::{Frame, WireKind, play, to_pcap};
use crate::profile::{Profile, crc16, load};
use crate::source::SourceText;
use crate::words::{ProfileName, Value};

fn profile() -> Profile {
    let text = "[device]\nvendor='v'\nmodel='m'\nkind='k'\n[points]\n\
        a = { register = 'holding:10', type = 'u16', scale = 0.1 }\nb = { register = 'holding:11', type = 'i16' }\n\
        c = { register = 'input:5', type = 'u16' }\nd = { register = 'coil:3', type = 'bool' }\n\
        sf = { register = 'holding:20', type = 'i16' }\ne = { register = 'holding:21', type = 'u16', scale_from = 'sf' }\n";
    load(&ProfileName::parse("p").unwrap(), &SourceText::new("p", text)).0.unwrap()
}

const TO: bool = true;
const BACK: bool = false;

/// Makes a Modbus TCP frame.
fn adu(transaction: u16, unit: u8, pdu: &[u8]) -> Vec<u8> {
    let length = u16::try_from(pdu.len() + 1).unwrap();
    [&transaction.to_be_bytes()[..], &[0, 0], &length.to_be_bytes(), &[unit], pdu].concat()
}

fn ask(transaction: u16, unit: u8, register: u8, count: u8) -> Vec<u8> {
    adu(transaction, unit, &[3, 0, register, 0, count])
}

fn tell(transaction: u16, unit: u8, values: &[u16]) -> Vec<u8> {
    let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_be_bytes()).collect();
    adu(transaction, unit, &[&[3, u8::try_from(bytes.len()).unwrap()], bytes.as_slice()].concat())
}

/// Segments of connections to port 502. Each direction has its own sequence numbers.
#[derive(Default)]
struct Net {
    packets: Vec<Vec<u8>>,
    sequences: std::collections::BTreeMap<(u16, bool), u32>,
}

impl Net {
    /// Makes an IPv4 packet with a TCP segment.
    fn packet(client: u16, is_to: bool, sequence: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
        let total = u16::try_from(40 + payload.len()).unwrap();
        let (from, to) = if is_to { ([10, 0, 0, 1], [10, 0, 0, 2]) } else { ([10, 0, 0, 2], [10, 0, 0, 1]) };
        let (source, target) = if is_to { (client, 502) } else { (502, client) };
        let mut out = vec![0x45, 0];
        out.extend(total.to_be_bytes());
        out.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
        out.extend(from);
        out.extend(to);
        out.extend(source.to_be_bytes());
        out.extend(target.to_be_bytes());
        out.extend(sequence.to_be_bytes());
        out.extend([0, 0, 0, 0, 0x50, flags, 0x20, 0, 0, 0, 0, 0]);
        out.extend(payload);
        out
    }

    fn say(&mut self, client: u16, is_to: bool, payload: &[u8]) -> &mut Self {
        let next = self.sequences.entry((client, is_to)).or_insert(u32::MAX - 20);
        self.packets.push(Self::packet(client, is_to, *next, 0x18, payload));
        *next = next.wrapping_add(u32::try_from(payload.len()).unwrap());
        self
    }

    fn pcap(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend(0xA1B2_C3D4_u32.to_le_bytes());
        out.extend([2, 0, 4, 0]);
        out.extend([0; 8]);
        out.extend(65_535_u32.to_le_bytes());
        out.extend(101_u32.to_le_bytes());
        for (n, packet) in self.packets.iter().enumerate() {
            let length = u32::try_from(packet.len()).unwrap();
            for word in [u32::try_from(n).unwrap(), 500_000, length, length] {
                out.extend(word.to_le_bytes());
            }
            out.extend(packet);
        }
        out
    }

    /// Writes the same packets as pcapng, in big endian, with a clock of nanoseconds.
    fn pcapng(&self) -> Vec<u8> {
        fn block(kind: u32, body: &[u8]) -> Vec<u8> {
            let padded = body.len().div_ceil(4) * 4;
            let length = u32::try_from(padded + 12).unwrap().to_be_bytes();
            let mut out = [&kind.to_be_bytes()[..], &length, body].concat();
            out.resize(8 + padded, 0);
            out.extend(length);
            out
        }
        let mut out =
            block(0x0A0D_0D0A, &[0x1A, 0x2B, 0x3C, 0x4D, 0, 1, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255]);
        // Link type 101, a clock with a resolution of 10^-9, and the end of the options.
        out.extend(block(1, &[0, 101, 0, 0, 0, 0, 255, 255, 0, 9, 0, 1, 9, 0, 0, 0, 0, 0, 0, 0]));
        out.extend(block(5, &[0; 12]));
        for (n, packet) in self.packets.iter().enumerate() {
            let ticks = u64::try_from(n).unwrap() * 1_000_000_000 + 500_000_000;
            let length = u32::try_from(packet.len()).unwrap().to_be_bytes();
            let head = [&[0; 4], &ticks.to_be_bytes()[..], &length, &length].concat();
            out.extend(block(6, &[head.as_slice(), packet].concat()));
        }
        out
    }
}

type Row = (i64, u8, &'static str, f64);

#[track_caller]
fn check(file: &[u8], rows: &[Row], remarks: &[&str]) {
    let played = play(file, &profile(), None, None).unwrap();
    let found: Vec<(i64, u8, String, String)> = played
        .readings
        .iter()
        .map(|r| {
            let value = r.value.as_ref().map_or_else(ToString::to_string, Value::to_string);
            (r.at_us / 1_000_000, r.unit, r.point.clone(), value)
        })
        .collect();
    let wanted: Vec<(i64, u8, String, String)> =
        rows.iter().map(|(at, unit, p, v)| (*at, *unit, (*p).to_owned(), v.to_string())).collect();
    assert_eq!(found, wanted);
    assert_eq!(played.remarks.len(), remarks.len(), "{:?}", played.remarks);
    for (found, part) in played.remarks.iter().zip(remarks) {
        assert!(found.contains(part), "{found} instead of {part}");
    }
}

#[test]
fn several_requests_under_way_are_paired_by_transaction() {
    let mut net = Net::default();
    net.say(40_001, TO, &ask(1, 7, 10, 1)).say(40_001, TO, &ask(2, 7, 11, 1)).say(
        40_001,
        TO,
        &ask(3, 8, 10, 2),
    );
    // The answers come in another order.
    net.say(40_001, BACK, &tell(3, 8, &[30, 31])).say(40_001, BACK, &tell(1, 7, &[123]));
    net.say(40_001, BACK, &tell(2, 7, &[0xFFFF]));
    let rows = [(3, 8, "a", 3.0), (3, 8, "b", 31.0), (4, 7, "a", 12.3), (5, 7, "b", -1.0)];
    check(&net.pcap(), &rows, &[]);
    check(&net.pcapng(), &rows, &[]);
}

#[test]
fn connections_are_told_apart() {
    let mut net = Net::default();
    net.say(40_001, TO, &ask(1, 7, 10, 1)).say(40_002, TO, &ask(1, 7, 11, 1));
    net.say(40_001, BACK, &tell(1, 7, &[100])).say(40_002, BACK, &tell(1, 7, &[200]));
    check(&net.pcap(), &[(2, 7, "a", 10.0), (3, 7, "b", 200.0)], &[]);
}

#[test]
fn segments_hold_several_frames_and_frames_take_several_segments() {
    let mut net = Net::default();
    let asked = [ask(1, 7, 10, 1), ask(2, 7, 11, 1)].concat();
    net.say(40_001, TO, &asked[..15]).say(40_001, TO, &asked[15..]);
    let told = [tell(1, 7, &[100]), tell(2, 7, &[200])].concat();
    net.say(40_001, BACK, &told[..3]).say(40_001, BACK, &told[3..9]).say(40_001, BACK, &told[9..]);
    check(&net.pcap(), &[(4, 7, "a", 10.0), (4, 7, "b", 200.0)], &[]);
}

#[test]
fn what_is_sent_again_or_overtaken_is_put_in_order() {
    let mut net = Net::default();
    net.say(40_001, TO, &ask(9, 7, 99, 1)).say(40_001, BACK, &adu(9, 7, &[0x83, 6]));
    net.say(40_001, TO, &ask(1, 7, 10, 2));
    let told = tell(1, 7, &[100, 200]);
    net.say(40_001, BACK, &told[..4]).say(40_001, BACK, &told[4..8]).say(40_001, BACK, &told[8..]);
    net.packets.swap(3, 5);
    let again = net.packets[3].clone();
    net.packets.push(again);
    check(&net.pcap(), &[(5, 7, "a", 10.0), (5, 7, "b", 200.0)], &["1 answer is exception 6"]);
    // Segments from before the first one in the capture cannot be read; they are counted.
    let mut net = Net::default();
    net.say(40_001, BACK, &told[..4]).say(40_001, BACK, &told[4..]);
    net.packets.swap(0, 1);
    let remarks = play(&net.pcap(), &profile(), None, None).unwrap().remarks;
    assert!(remarks[0].contains("13 bytes of the connections are not Modbus TCP"), "{remarks:?}");
}

#[test]
fn what_is_missing_in_the_capture_is_counted_and_what_follows_is_read() {
    let mut net = Net::default();
    net.say(40_001, TO, &ask(1, 7, 10, 1)).say(40_001, BACK, &tell(1, 7, &[100])).say(
        40_001,
        TO,
        &ask(2, 7, 10, 1),
    );
    net.say(40_001, BACK, &tell(2, 7, &[200])).say(40_001, TO, &ask(3, 7, 10, 1)).say(
        40_001,
        BACK,
        &tell(3, 7, &[300]),
    );
    net.packets.remove(3);
    check(
        &net.pcap(),
        &[(1, 7, "a", 10.0), (4, 7, "a", 30.0)],
        &["1 time bytes of a connection are missing", "1 request has no answer"],
    );
}

#[test]
fn what_is_no_reading_is_counted() {
    let mut net = Net::default();
    net.say(40_001, BACK, &tell(9, 7, &[1]));
    net.say(40_001, TO, &ask(1, 7, 10, 2)).say(40_001, BACK, &tell(1, 7, &[1]));
    net.say(40_001, TO, &ask(2, 7, 10, 1)).say(40_001, BACK, &adu(2, 7, &[0x83, 2]));
    net.say(40_001, TO, &ask(3, 7, 10, 1)).say(40_001, BACK, &tell(3, 8, &[1]));
    net.say(40_001, TO, &adu(4, 7, &[6, 0, 10, 0, 1])).say(40_001, BACK, &adu(4, 7, &[6, 0, 10, 0, 1]));
    net.say(40_001, TO, &ask(5, 7, 99, 1)).say(40_001, BACK, &tell(5, 7, &[1]));
    net.say(40_001, TO, &ask(6, 7, 10, 1));
    net.say(40_003, TO, b"GET / HTTP/1.1\r\n");
    check(
        &net.pcap(),
        &[],
        &[
            "16 bytes of the connections are not Modbus TCP",
            "1 request has function 6",
            "1 answer is exception 2",
            "1 answer has no request",
            "1 answer has another unit id or function",
            "1 answer does not have the requested length",
            "1 answer contains no register of this profile",
            "1 request has no answer",
        ],
    );
    let whole = net.pcap();
    let remarks = play(&whole[..whole.len() - 5], &profile(), None, None).unwrap().remarks;
    assert!(remarks.iter().any(|r| r.contains("ends within a packet")), "{remarks:?}");
    assert!(play(b"[device]\nvendor", &profile(), None, None).unwrap_err().contains("not a pcap file"));
}

#[test]
fn a_factor_of_another_answer_counts() {
    let mut net = Net::default();
    net.say(40_001, TO, &ask(1, 7, 21, 1)).say(40_001, BACK, &tell(1, 7, &[2301]));
    net.say(40_001, TO, &ask(2, 7, 20, 1)).say(40_001, BACK, &tell(2, 7, &[0xFFFF]));
    net.say(40_001, TO, &ask(3, 7, 21, 1)).say(40_001, BACK, &tell(3, 7, &[2301]));
    let played = play(&net.pcap(), &profile(), Some(7), None).unwrap();
    let values: Vec<_> =
        played.readings.iter().filter(|r| r.point == "e").map(|r| r.value.clone().ok()).collect();
    assert_eq!(values, [None, Some(Value::Real(230.1))]);
    let other = play(&net.pcap(), &profile(), Some(9), None).unwrap();
    assert!(
        other.readings.is_empty()
            && other.remarks.iter().any(|r| r.contains("6 frames have another unit id"))
    );
}

#[test]
fn bits_input_registers_and_reading_with_writing() {
    let mut net = Net::default();
    net.say(40_001, TO, &adu(1, 7, &[1, 0, 0, 0, 8])).say(40_001, BACK, &adu(1, 7, &[1, 1, 0b1000]));
    net.say(40_001, TO, &adu(2, 7, &[4, 0, 5, 0, 1])).say(40_001, BACK, &adu(2, 7, &[4, 2, 1, 0]));
    net.say(40_001, TO, &adu(3, 7, &[23, 0, 11, 0, 1, 0, 50, 0, 1, 2, 0, 9]));
    net.say(40_001, BACK, &adu(3, 7, &[23, 2, 0, 9]));
    let played = play(&net.pcap(), &profile(), None, None).unwrap();
    let found: Vec<_> =
        played.readings.iter().map(|r| (r.point.as_str(), r.value.clone().unwrap())).collect();
    assert_eq!(found, [("d", Value::Bool(true)), ("c", Value::Integer(256)), ("b", Value::Integer(9))]);
    assert_eq!(played.remarks, Vec::<String>::new());
}

/// Makes a frame of a serial line with its checksum.
fn rtu(body: &[u8]) -> Vec<u8> {
    [body, &crc16(body).to_le_bytes()].concat()
}

#[test]
fn serial_lines_prove_their_frames() {
    let ask = rtu(&[7, 3, 0, 10, 0, 1]);
    let answer = rtu(&[7, 3, 2, 0, 100]);
    let frame =
        |n: i64, is_sent: bool, bytes: &[u8]| Frame { at_us: n * 1_000_000, is_sent, bytes: bytes.to_vec() };
    let of = |frames: &[Frame]| to_pcap(WireKind::Serial, frames);
    check(&of(&[frame(1, true, &ask), frame(2, false, &answer)]), &[(2, 7, "a", 10.0)], &[]);
    let split = [frame(1, true, &ask), frame(2, false, &answer[..3]), frame(3, false, &answer[3..])];
    check(&of(&split), &[(3, 7, "a", 10.0)], &[]);
    let two = [
        frame(1, true, &ask),
        frame(2, false, &answer),
        frame(3, true, &ask),
        frame(4, false, &[answer.clone(), rtu(&[7, 0x83, 2])].concat()),
    ];
    check(&of(&two), &[(2, 7, "a", 10.0), (4, 7, "a", 10.0)], &["1 answer has no request"]);
    let mut wrong = answer.clone();
    wrong[4] ^= 1;
    let garbled =
        [frame(1, true, &ask), frame(2, false, &wrong), frame(3, true, &ask), frame(4, false, &answer)];
    check(&of(&garbled), &[(4, 7, "a", 10.0)], &["1 frame has a wrong checksum", "1 request has no answer"]);
    // A capture of a third computer on the line has the frames of both sides as received frames.
    check(&of(&[frame(1, false, &ask), frame(2, false, &answer)]), &[(2, 7, "a", 10.0)], &[]);
    // Frames of Modbus ASCII.
    let ascii = [frame(1, true, b":0703000A0001EB\r\n"), frame(2, false, b":070302006490\r\n")];
    check(&of(&ascii), &[(2, 7, "a", 10.0)], &[]);
}

proptest! {
    #[test]
    fn no_file_makes_it_panic(file in proptest::collection::vec(any::<u8>(), 0..300), at in 0_usize..400, byte in any::<u8>(), ng in any::<bool>()) {
        let profile = profile();
        let _read = play(&file, &profile, None, None);
        let mut net = Net::default();
        net.say(40_001, TO, &ask(1, 7, 10, 1)).say(40_001, BACK, &tell(1, 7, &[100])).say(40_002, BACK, &file);
        let mut whole = if ng { net.pcapng() } else { net.pcap() };
        if let Some(slot) = whole.get_mut(at) {
            *slot = byte;
        }
        let _read = play(&whole, &profile, None, None);
        let _read = play(whole.get(..at).unwrap_or(&[]), &profile, Some(7), Some(502));
    }
}
