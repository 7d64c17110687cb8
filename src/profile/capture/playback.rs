//! Decoding of a capture with a profile: requests and answers are paired by connection and transaction, registers are
//! decoded, and the rest is counted.

use std::collections::BTreeMap;

use super::stream::{Heard, Spoken, Unread, heard};
use crate::limits;
use crate::profile::{Area, Profile, decode};
use crate::words::{BadReason, Value};

/// A reading of a point in a capture.
#[derive(Debug, Clone, PartialEq)]
pub struct Played {
    /// The time of the answer, in microseconds since 1970.
    pub at_us: i64,
    /// The unit id that answered.
    pub unit: u8,
    /// The name of the point.
    pub point: String,
    /// The value, or the reason why it is bad.
    pub value: Result<Value, BadReason>,
}

/// The result of a decoded capture.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Playback {
    /// One reading per point and answer, in the order of the answers.
    pub readings: Vec<Played>,
    /// Data that could not be read or that gave no reading: one sentence with a count for each kind.
    pub remarks: Vec<String>,
}

/// A request that waits for its answer.
#[derive(Debug, Clone, Copy)]
struct Asked {
    transaction: Option<u16>,
    unit: u8,
    function: u8,
    /// The area, the first register and the count of a read; `None` for other functions.
    read: Option<(Area, u16, u16)>,
}

/// The number of requests and answers that gave no reading, by reason.
#[derive(Debug, Default)]
struct Counts {
    requests: usize,
    unanswered: usize,
    unasked: usize,
    misfits: usize,
    malformed: usize,
    lengths: usize,
    other_units: usize,
    unserved: usize,
    exceptions: BTreeMap<u8, usize>,
    functions: BTreeMap<u8, usize>,
}

/// Decodes every answer of a capture that matches its request, for one unit id or for all. `port` is the port of the
/// devices; it is needed only if it is not 502 and the capture does not contain the start of the connections.
///
/// # Errors
/// The reason why the file is not a capture.
pub fn play(file: &[u8], profile: &Profile, unit: Option<u8>, port: Option<u16>) -> Result<Playback, String> {
    let heard = heard(file, port)?;
    let mut player =
        Player { profile, waiting: BTreeMap::new(), factors: BTreeMap::new(), counts: Counts::default() };
    let mut readings = Vec::new();
    // A capture of a third computer on the line has the frames of both sides as received frames.
    let is_one_sided = heard.spoken.iter().all(|s| s.transaction.is_none() && !s.is_request);
    for spoken in &heard.spoken {
        if unit.is_some_and(|u| u != spoken.unit) {
            player.counts.other_units += 1;
        } else if spoken.is_request || is_one_sided && player.asks(spoken) {
            player.request(spoken);
        } else {
            readings.extend(player.answer(spoken));
        }
    }
    player.counts.unanswered += player.waiting.values().map(Vec::len).sum::<usize>();
    Ok(Playback { remarks: remarks(&heard, &player.counts), readings })
}

struct Player<'a> {
    profile: &'a Profile,
    waiting: BTreeMap<usize, Vec<Asked>>,
    /// The last contents of scale factor registers, by connection, unit id and register.
    factors: BTreeMap<(usize, u8, u16), u16>,
    counts: Counts,
}

impl Player<'_> {
    /// True if a frame with unknown direction is a request: no request waits for an answer, and the frame has the
    /// form of a request.
    fn asks(&self, spoken: &Spoken) -> bool {
        self.waiting.get(&spoken.connection).is_none_or(Vec::is_empty)
            && matches!(*spoken.pdu.as_slice(), [1..=6, _, _, _, _] | [15 | 16, _, _, _, _, _, ..])
    }

    fn request(&mut self, spoken: &Spoken) {
        let Some(function) = spoken.pdu.first().copied() else { return };
        self.counts.requests += 1;
        let read = read(&spoken.pdu);
        let is_read = function == 23 || Area::TABLES.iter().any(|area| area.function() == function);
        if read.is_none() && is_read {
            self.counts.malformed += 1;
        } else if read.is_none() {
            *self.counts.functions.entry(function).or_default() += 1;
        }
        let asked = Asked { transaction: spoken.transaction, unit: spoken.unit, function, read };
        let waiting = self.waiting.entry(spoken.connection).or_default();
        // On a serial line a new request ends the wait for the previous answer. On a network several requests can
        // wait.
        let room = if spoken.transaction.is_none() { 1 } else { limits::CAPTURE_REQUESTS_MAX };
        if waiting.len() >= room {
            waiting.remove(0);
            self.counts.unanswered += 1;
        }
        waiting.push(asked);
    }

    fn answer(&mut self, spoken: &Spoken) -> Vec<Played> {
        let Some(code) = spoken.pdu.first().copied() else { return Vec::new() };
        let waiting = self.waiting.entry(spoken.connection).or_default();
        let is_own = |a: &Asked| a.transaction == spoken.transaction;
        let fits = |a: &Asked| is_own(a) && a.unit == spoken.unit && a.function == code & 0x7F;
        let at = waiting.iter().position(fits).or_else(|| waiting.iter().position(is_own));
        let Some(asked) = at.map(|at| waiting.remove(at)) else {
            self.counts.unasked += 1;
            return Vec::new();
        };
        if !fits(&asked) {
            self.counts.misfits += 1;
            return Vec::new();
        }
        if code & 0x80 != 0 {
            let exception = spoken.pdu.get(1).copied().unwrap_or(0);
            *self.counts.exceptions.entry(exception).or_default() += 1;
            return Vec::new();
        }
        let Some((area, start, count)) = asked.read else { return Vec::new() };
        let Some(words) = words(&spoken.pdu, area, count) else {
            self.counts.lengths += 1;
            return Vec::new();
        };
        let own = self.points(spoken, area, start, &words);
        self.counts.unserved += usize::from(own.is_empty());
        own
    }

    fn points(&mut self, spoken: &Spoken, area: Area, start: u16, words: &[u16]) -> Vec<Played> {
        let at = |number: u16, width: u16| {
            let first = usize::from(number.checked_sub(start)?);
            words.get(first..first + usize::from(width))
        };
        let key = |number: u16| (spoken.connection, spoken.unit, number);
        for factor in self.profile.points.iter().filter_map(|p| self.profile.points.get(p.scale_from?)) {
            let address = factor.register().filter(|r| r.area == area);
            if let Some((number, [word])) = address.and_then(|r| Some((r.number, at(r.number, 1)?))) {
                self.factors.insert(key(number), *word);
            }
        }
        let value = |point: &crate::profile::Point| {
            let address = point.register().filter(|r| r.area == area)?;
            let raw = at(address.number, point.width())?;
            // A scale factor from an earlier answer also counts.
            let factor = point.scale_from.and_then(|f| self.profile.points.get(f)?.register());
            let factor = factor.and_then(|r| self.factors.get(&key(r.number)).copied());
            Some(decode(point, raw, factor))
        };
        let played = |point: &crate::profile::Point| {
            let value = value(point)?;
            Some(Played { at_us: spoken.at_us, unit: spoken.unit, point: point.name.to_string(), value })
        };
        self.profile.points.iter().filter_map(played).collect()
    }
}

/// Returns the area, the first register and the count of a read. Function 23 reads and writes; the read counts.
fn read(pdu: &[u8]) -> Option<(Area, u16, u16)> {
    let (area, a, b, c, d) = match *pdu {
        [23, a, b, c, d, ..] => (Area::Holding, a, b, c, d),
        [function, a, b, c, d] => {
            (Area::TABLES.into_iter().find(|area| area.function() == function)?, a, b, c, d)
        }
        _ => return None,
    };
    Some((area, u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])))
}

/// Returns the registers of an answer, or its bits as 0 and 1; `None` if the number differs from the request.
fn words(pdu: &[u8], area: Area, count: u16) -> Option<Vec<u16>> {
    let [_, length, data @ ..] = pdu else { return None };
    if usize::from(*length) != data.len() {
        return None;
    }
    let words: Vec<u16> = if area.is_bits() {
        if data.len() != usize::from(count).div_ceil(8) {
            return None;
        }
        (0..count).filter_map(|i| Some(u16::from(data.get(usize::from(i / 8))? >> (i % 8) & 1))).collect()
    } else {
        data.chunks_exact(2).map(|pair| pair.iter().fold(0, |w, b| w << 8 | u16::from(*b))).collect()
    };
    (words.len() == usize::from(count) && (area.is_bits() || data.len() % 2 == 0)).then_some(words)
}

/// Describes all data without a reading, in sentences.
fn remarks(heard: &Heard, counts: &Counts) -> Vec<String> {
    let u: &Unread = &heard.unread;
    let mut out = Vec::new();
    let mut say = |n: usize, one: &str, many: &str| match n {
        0 => {}
        1 => out.push(format!("1 {one}")),
        n => out.push(format!("{n} {many}")),
    };
    say(
        u.others,
        "packet does not use TCP, or uses another port",
        "packets do not use TCP, or use another port",
    );
    for (link, n) in &u.links {
        let (one, many) = (
            format!("packet has link type {link}, which andon cannot read"),
            format!("packets have link type {link}, which andon cannot read"),
        );
        say(*n, &one, &many);
    }
    say(
        u.fragments,
        "packet is a fragment of a split IP packet and is not read",
        "packets are fragments of split IP packets and are not read",
    );
    say(u.broken, "packet is shorter than its headers say", "packets are shorter than their headers say");
    say(
        u.cut,
        "packet was cut short by the capture (snap length)",
        "packets were cut short by the capture (snap length)",
    );
    say(
        u.gaps,
        "time bytes of a connection are missing in the capture",
        "times bytes of a connection are missing in the capture",
    );
    say(u.bytes, "byte of the connections is not Modbus TCP", "bytes of the connections are not Modbus TCP");
    say(u.checksums, "frame has a wrong checksum", "frames have a wrong checksum");
    say(counts.other_units, "frame has another unit id", "frames have another unit id");
    for (function, n) in &counts.functions {
        let (one, many) = (
            format!("request has function {function}, which does not read registers"),
            format!("requests have function {function}, which does not read registers"),
        );
        say(*n, &one, &many);
    }
    for (code, n) in &counts.exceptions {
        let (one, many) = (format!("answer is exception {code}"), format!("answers are exception {code}"));
        say(*n, &one, &many);
    }
    say(
        counts.malformed,
        "request has the wrong length for its function",
        "requests have the wrong length for their function",
    );
    say(counts.unasked, "answer has no request in the capture", "answers have no request in the capture");
    say(
        counts.misfits,
        "answer has another unit id or function than its request",
        "answers have another unit id or function than their requests",
    );
    say(
        counts.lengths,
        "answer does not have the requested length",
        "answers do not have the requested length",
    );
    say(
        counts.unserved,
        "answer contains no register of this profile",
        "answers contain no register of this profile",
    );
    say(counts.unanswered, "request has no answer in the capture", "requests have no answer in the capture");
    if let Some(end) = &u.end {
        out.push(end.clone());
    }
    if counts.requests == 0 {
        out.push(
            "no Modbus request was found; if the devices use another port than 502, add --port N".to_owned(),
        );
    }
    out
}
