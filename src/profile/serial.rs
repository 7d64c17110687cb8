//! Reading `[serial]`, `[requests]` and `[streams]`: how to ask a device on a line, and how to read it.

use std::collections::BTreeSet;
use std::time::Duration;

use regex::Regex;

use super::frame::{FrameShape, from_hex, read_frame};
use super::pattern::Patterns;
use crate::limits;
use crate::source::Section;

/// How a device on a serial line talks.
#[derive(Debug, Clone, Default)]
pub struct SerialSettings {
    /// Bits a second, where the link does not say.
    pub baud: Option<u32>,
    /// What ends a line.
    pub terminator: Vec<u8>,
    /// Where a frame begins and ends, for a device that sends bytes instead of lines.
    pub frame: Option<FrameShape>,
    /// How a line or frame proves itself.
    pub checksum: Checksum,
    /// The first byte of a frame that its checksum covers.
    pub checksum_from: usize,
    /// What is sent when the line is opened, to the letter.
    pub start: Vec<Vec<u8>>,
    /// What is asked.
    pub requests: Vec<LineRequest>,
    /// What comes unasked.
    pub streams: Vec<Stream>,
}

/// How a line proves itself: hexadecimal digits at its end, perhaps behind a `*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Checksum {
    /// It does not.
    #[default]
    None,
    /// Two digits: exclusive or of all bytes.
    Xor,
    /// Two digits: the sum of all bytes, modulo 256.
    Sum8,
    /// Four digits: CRC-16/MODBUS; of a frame two bytes, the low one first.
    Crc16,
    /// The negative of the sum of all bytes, modulo 256.
    Sum8Complement,
    /// Four digits: the sum of all bytes, modulo 65536; of a frame two bytes, the high one first.
    Sum16,
}

/// A question and how its answer reads.
#[derive(Debug, Clone)]
pub struct LineRequest {
    /// Its name.
    pub name: String,
    /// What is sent, to the letter.
    pub send: Vec<u8>,
    /// How often.
    pub every: Duration,
    /// How long the answer may take.
    pub timeout: Duration,
    /// What the answer's line looks like; its captures are points.
    pub expect: Regex,
    /// The line that ends an answer of several; the first that fits `expect` when absent.
    pub until: Option<Regex>,
    /// An answer that asks for being asked again at once: a queue that is to be drained.
    pub again: Option<Regex>,
}

/// Lines that come unasked.
#[derive(Debug, Clone)]
pub struct Stream {
    /// Its name.
    pub name: String,
    /// What they look like; their captures are points.
    pub matches: Regex,
}

const CHECKSUMS: [(&str, Checksum); 6] = [
    ("none", Checksum::None),
    ("xor", Checksum::Xor),
    ("sum8", Checksum::Sum8),
    ("crc16", Checksum::Crc16),
    ("sum8-complement", Checksum::Sum8Complement),
    ("sum16", Checksum::Sum16),
];

impl SerialSettings {
    /// How often a source is asked; nothing for a stream, or where there is none of that name.
    #[must_use]
    pub fn every(&self, source: &str) -> Option<Duration> {
        self.requests.iter().find(|r| r.name == source).map(|r| r.every)
    }

    /// The captures of a source; nothing where there is none of that name.
    #[must_use]
    pub fn captures(&self, source: &str) -> Option<BTreeSet<String>> {
        let request = self.requests.iter().find(|r| r.name == source).map(|r| &r.expect);
        let found = request.or_else(|| self.streams.iter().find(|s| s.name == source).map(|s| &s.matches))?;
        Some(found.capture_names().flatten().map(str::to_owned).collect())
    }

    /// The names of requests and streams.
    #[must_use]
    pub fn sources(&self) -> Vec<&str> {
        self.requests
            .iter()
            .map(|r| r.name.as_str())
            .chain(self.streams.iter().map(|s| s.name.as_str()))
            .collect()
    }
}

pub(super) fn read_serial(root: &Section<'_>, patterns: &Patterns) -> SerialSettings {
    let mut out = SerialSettings { terminator: b"\n".to_vec(), ..SerialSettings::default() };
    if let Some(s) = root.section("serial") {
        out.baud = s.integer_between("baud", 300, 4_000_000).and_then(|b| u32::try_from(b.value).ok());
        if let Some(t) = s.text("terminator") {
            if t.value.is_empty() {
                s.error(t.span.clone(), "a line ends with something", "write \"\\n\", \"\\r\" or \"\\r\\n\"");
            } else {
                out.terminator = t.value.into_bytes();
            }
        }
        if let Some(c) = s.choice("checksum", &CHECKSUMS) {
            out.checksum = c.value;
        }
        out.frame = read_frame(&s);
        if let Some(n) = s.integer_between("checksum_from", 0, 255) {
            out.checksum_from = usize::try_from(n.value).unwrap_or(0);
        }
        out.start = s.texts("start").into_iter().map(|t| t.value.into_bytes()).collect();
        s.finish();
    }
    if let Some(table) = root.section("requests") {
        for name in table.names() {
            let Some(s) = table.section(&name.value) else { continue };
            if let Some(request) = read_request(&s, name.value, patterns) {
                out.requests.push(request);
            }
            s.finish();
        }
    }
    if let Some(table) = root.section("streams") {
        for name in table.names() {
            let Some(s) = table.section(&name.value) else { continue };
            let matches = patterns.read(&s, "match");
            if let Some(matches) = s.required("match", "'^ALARM:(?<code>\\d+)'", matches) {
                out.streams.push(Stream { name: name.value, matches });
            }
            s.finish();
        }
    }
    out
}

fn read_request(s: &Section<'_>, name: String, patterns: &Patterns) -> Option<LineRequest> {
    let bytes = s.text("send_hex").and_then(|t| match from_hex(&t.value) {
        Some(bytes) => Some(bytes),
        None => {
            s.error(t.span, "send_hex is written in hexadecimal bytes", "as in \"FF 01 86\"");
            None
        }
    });
    let send = match bytes {
        Some(bytes) => Some(bytes),
        None if s.has("send_hex") => None,
        None => {
            let send = s.text("send");
            s.required("send", "\"*IDN?\\n\"  (or send_hex = \"FF 01 86\")", send)
                .map(|t| t.value.into_bytes())
        }
    };
    let every =
        s.duration_between("every", limits::EVERY_MIN, limits::EVERY_MAX).unwrap_or(limits::EVERY_DEFAULT);
    let timeout = s
        .duration_between("timeout", limits::TIMEOUT_MIN, limits::TIMEOUT_MAX)
        .unwrap_or(limits::TIMEOUT_DEFAULT);
    let expect = patterns.read(s, "expect");
    let expect = s.required("expect", "'^(?<value>[-+.\\d]+)$'", expect);
    let (until, again) = (patterns.read(s, "until"), patterns.read(s, "again"));
    Some(LineRequest { name, send: send?, every, timeout, expect: expect?, until, again })
}
