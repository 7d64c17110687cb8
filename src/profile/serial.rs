//! Reading of `[serial]`, `[requests]` and `[streams]`: the requests to a device with its own serial protocol, and
//! the format of its lines.

use std::collections::BTreeSet;
use std::time::Duration;

use regex::Regex;

use super::frame::{FrameShape, from_hex, read_frame};
use super::pattern::Patterns;
use crate::limits;
use crate::source::Section;

/// The serial protocol of a device.
#[derive(Debug, Clone, Default)]
pub struct SerialSettings {
    /// The baud rate in bits per second; `None` if the profile does not set it. The link in `andon.toml` has
    /// priority.
    pub baud: Option<u32>,
    /// The bytes at the end of each line; default: one line feed.
    pub terminator: Vec<u8>,
    /// The start and end of a frame, for a device that sends bytes instead of lines; `None` for a device that sends
    /// lines.
    pub frame: Option<FrameShape>,
    /// The checksum of each line or frame.
    pub checksum: Checksum,
    /// The position of the first byte of a frame that the checksum covers, from 0.
    pub checksum_from: usize,
    /// The texts that andon sends, unchanged, when the link is opened.
    pub start: Vec<Vec<u8>>,
    /// The requests that andon repeats.
    pub requests: Vec<LineRequest>,
    /// The lines that the device sends without a request.
    pub streams: Vec<Stream>,
}

/// The checksum of a line: hexadecimal digits at the end of the line, with or without a `*` before them. In a frame
/// it is bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Checksum {
    /// No checksum.
    #[default]
    None,
    /// Two digits: the exclusive or of all bytes.
    Xor,
    /// Two digits: the sum of all bytes, modulo 256.
    Sum8,
    /// Four digits: CRC-16/MODBUS. In a frame two bytes, the low one first.
    Crc16,
    /// Two digits: the negative of the sum of all bytes, modulo 256.
    Sum8Complement,
    /// Four digits: the sum of all bytes, modulo 65536. In a frame two bytes, the high one first.
    Sum16,
}

/// A request, and the format of its answer.
#[derive(Debug, Clone)]
pub struct LineRequest {
    /// The name in `[requests]`.
    pub name: String,
    /// The bytes that andon sends, unchanged.
    pub send: Vec<u8>,
    /// The period of the request.
    pub every: Duration,
    /// The longest time until the answer is complete.
    pub timeout: Duration,
    /// The format of the answer line. Its named captures are points.
    pub expect: Regex,
    /// The last line of an answer with several lines; `None` if the first line that matches `expect` ends the answer.
    pub until: Option<Regex>,
    /// The format of an answer after which andon repeats the request at once, to empty a queue in the device; `None`
    /// for most requests.
    pub again: Option<Regex>,
}

/// Lines that a device sends without a request.
#[derive(Debug, Clone)]
pub struct Stream {
    /// The name in `[streams]`.
    pub name: String,
    /// The format of the lines. Their named captures are points.
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
    /// The period of a request; `None` for a stream, or if no request has this name.
    #[must_use]
    pub fn every(&self, source: &str) -> Option<Duration> {
        self.requests.iter().find(|r| r.name == source).map(|r| r.every)
    }

    /// The names of the captures of a request or stream; `None` if none has this name.
    #[must_use]
    pub fn captures(&self, source: &str) -> Option<BTreeSet<String>> {
        let request = self.requests.iter().find(|r| r.name == source).map(|r| &r.expect);
        let found = request.or_else(|| self.streams.iter().find(|s| s.name == source).map(|s| &s.matches))?;
        Some(found.capture_names().flatten().map(str::to_owned).collect())
    }

    /// The names of all requests and streams.
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
                s.error(
                    t.span.clone(),
                    "terminator must not be empty",
                    "write \"\\n\", \"\\r\" or \"\\r\\n\"",
                );
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
            s.error(t.span, "send_hex must be hexadecimal bytes", "as in \"FF 01 86\"");
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
