//! The session with one device: what to send and when, and the meaning of a received line. The functions are pure:
//! bytes and time are arguments.

use std::collections::BTreeMap;

use regex::Regex;

use crate::limits;
use crate::profile::{Checksum, Cut, SerialSettings, crc16, is_proven, to_hex};
use crate::words::Mono;

/// The next action of the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Next {
    /// Send these bytes; the index of the request in the profile's list.
    Ask(usize, Vec<u8>),
    /// Send nothing before this time.
    Wait(Mono),
    /// Only listen: the profile has no requests.
    Listen,
}

/// The result of a received line, or of a timeout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Heard {
    /// A request or stream has delivered captured values.
    Values {
        /// The name of the request or stream.
        source: String,
        /// The captured texts, by name.
        captures: BTreeMap<String, String>,
        /// The line as received.
        line: String,
        /// The time when the request was sent; `None` for a stream.
        asked_at: Option<Mono>,
    },
    /// A request has failed.
    Failed {
        /// The name of the request.
        source: String,
        /// The kind of failure, as it is counted.
        kind: &'static str,
        /// The reason, as a sentence.
        why: String,
    },
    /// A line that answers no request and fits no stream; counted under this kind.
    Stray(&'static str),
}

/// What a received line is for the present request.
enum Answer {
    /// The line does not belong to the request: it is from a stream, late, or noise.
    Foreign,
    /// A part of the response; more lines follow.
    Partial,
    /// The end of the response, and the result of the request.
    Ended(Heard),
}

#[derive(Debug)]
struct Pending {
    /// The index of the request in the profile.
    request: usize,
    asked_at: Mono,
    deadline: Mono,
    /// The lines of the response so far.
    lines: usize,
    captures: BTreeMap<String, String>,
    text: String,
}

#[derive(Debug, Default, Clone, Copy)]
struct Turn {
    due: Mono,
    again: u32,
}

/// The session with one device.
#[derive(Debug)]
pub(super) struct Session {
    settings: SerialSettings,
    turns: Vec<Turn>,
    pending: Option<Pending>,
    /// After a timeout: the request, and the time until which a late response can still arrive. No request is sent
    /// until that time has passed or the response has arrived.
    quarantine: Option<(usize, Mono)>,
    received: Vec<u8>,
    is_noise: bool,
}

impl Session {
    pub(super) fn new(settings: SerialSettings, now: Mono) -> Self {
        let turns = vec![Turn { due: now, again: 0 }; settings.requests.len()];
        Self { settings, turns, pending: None, quarantine: None, received: Vec::new(), is_noise: false }
    }

    /// Makes all requests due.
    pub(super) fn read_now(&mut self, now: Mono) {
        for turn in &mut self.turns {
            turn.due = turn.due.min(now);
        }
    }

    /// Begins a new connection. Forgets everything about the old one, and returns the bytes to send first.
    pub(super) fn opened(&mut self) -> Vec<u8> {
        self.pending = None;
        self.quarantine = None;
        self.received.clear();
        self.is_noise = false;
        self.settings.start.concat()
    }

    /// Returns the bytes to send now, or how long to listen.
    pub(super) fn next(&mut self, now: Mono) -> Next {
        if let Some(pending) = &self.pending {
            return Next::Wait(pending.deadline);
        }
        if let Some((_, until)) = self.quarantine {
            if until > now {
                return Next::Wait(until);
            }
            self.quarantine = None;
        }
        let soonest = self.turns.iter().enumerate().map(|(i, t)| (t.due, i)).min();
        match soonest {
            None => Next::Listen,
            Some((due, index)) if due <= now => match self.settings.requests.get(index) {
                Some(request) => {
                    let send = request.send.clone();
                    if self.settings.frame.as_ref().is_some_and(|f| f.start.is_empty()) {
                        // Bytes that arrived before the request do not belong to its response.
                        self.received.clear();
                    }
                    self.pending = Some(Pending {
                        request: index,
                        asked_at: now,
                        deadline: now + request.timeout,
                        lines: 0,
                        captures: BTreeMap::new(),
                        text: String::new(),
                    });
                    Next::Ask(index, send)
                }
                None => Next::Listen,
            },
            Some((due, _)) => Next::Wait(due),
        }
    }

    /// Ends the present request if its time has passed.
    pub(super) fn elapsed(&mut self, now: Mono) -> Option<Heard> {
        let pending = self.pending.take_if(|p| p.deadline <= now)?;
        let request = self.settings.requests.get(pending.request)?;
        let (source, timeout) = (request.name.clone(), request.timeout);
        self.quarantine = Some((pending.request, now + timeout));
        self.turn_over(pending.request, now);
        Some(Heard::Failed { source, kind: "timeout", why: "no answer in time".to_owned() })
    }

    /// Takes received bytes, and returns the results of the complete lines among them.
    pub(super) fn received(&mut self, bytes: &[u8], now: Mono) -> Vec<Heard> {
        let mut heard = Vec::new();
        self.received.extend_from_slice(bytes);
        if self.settings.frame.is_some() {
            self.frames(now, &mut heard);
            return heard;
        }
        let end = self.settings.terminator.clone();
        while let Some(at) = find(&self.received, &end) {
            let line: Vec<u8> = self.received.drain(..at + end.len()).take(at).collect();
            if std::mem::take(&mut self.is_noise) {
                continue;
            }
            let line = String::from_utf8_lossy(&line).into_owned();
            match proven(self.settings.checksum, line.trim_matches(['\r', '\n', '\0'])) {
                Some("") => {}
                Some(line) => {
                    let line = line.to_owned();
                    heard.extend(self.line(&line, now));
                }
                None => heard.push(Heard::Stray("checksum")),
            }
        }
        if self.received.len() > limits::SERIAL_LINE_BYTES_MAX {
            self.received.clear();
            self.is_noise = true;
            heard.push(Heard::Stray("noise"));
        }
        heard
    }

    /// Removes complete frames from the received bytes. From here on each frame is a line of hexadecimal bytes.
    fn frames(&mut self, now: Mono, heard: &mut Vec<Heard>) {
        let Some(shape) = self.settings.frame.clone() else { return };
        loop {
            match shape.cut(&self.received) {
                Cut::Wait => return,
                Cut::Noise(count) => {
                    self.received.drain(..count.min(self.received.len()));
                    heard.push(Heard::Stray("noise"));
                }
                Cut::Frame(count) => {
                    let frame: Vec<u8> = self.received.drain(..count.min(self.received.len())).collect();
                    let (kind, from) = (self.settings.checksum, self.settings.checksum_from);
                    if is_proven(kind, &frame, from, shape.end.len()) {
                        heard.extend(self.line(&to_hex(&frame), now));
                    } else {
                        // The frame may have begun at a wrong byte, so its bytes are searched again.
                        let rest =
                            if shape.start.is_empty() { &[][..] } else { frame.get(1..).unwrap_or(&[]) };
                        self.received.splice(..0, rest.iter().copied());
                        heard.push(Heard::Stray("checksum"));
                    }
                }
            }
        }
    }

    fn line(&mut self, line: &str, now: Mono) -> Option<Heard> {
        match self.answer(line, now) {
            Answer::Ended(heard) => return Some(heard),
            Answer::Partial => return None,
            Answer::Foreign => {}
        }
        for stream in &self.settings.streams {
            if let Some(captures) = captures(&stream.matches, line) {
                let source = stream.name.clone();
                return Some(Heard::Values { source, captures, line: line.to_owned(), asked_at: None });
            }
        }
        if let Some((request, _)) = self.quarantine
            && self.settings.requests.get(request).is_some_and(|r| r.expect.is_match(line))
        {
            // This is the late response, so requests and responses are in step again.
            self.quarantine = None;
            return Some(Heard::Stray("late"));
        }
        Some(Heard::Stray("unexpected"))
    }

    /// Checks whether a line belongs to the present request.
    fn answer(&mut self, line: &str, now: Mono) -> Answer {
        let Some(mut pending) = self.pending.take() else { return Answer::Foreign };
        let Some(request) = self.settings.requests.get(pending.request) else { return Answer::Foreign };
        let found = captures(&request.expect, line);
        let is_last = request.until.as_ref().is_none_or(|u| u.is_match(line));
        if found.is_none() && request.until.is_none() {
            self.pending = Some(pending);
            return Answer::Foreign;
        }
        pending.lines += 1;
        if found.is_some() {
            line.clone_into(&mut pending.text);
        }
        pending.captures.extend(found.unwrap_or_default());
        if pending.lines > limits::SERIAL_ANSWER_LINES_MAX {
            let source = request.name.clone();
            self.turn_over(pending.request, now);
            let why = "the answer has no end".to_owned();
            return Answer::Ended(Heard::Failed { source, kind: "length", why });
        }
        if !is_last {
            self.pending = Some(pending);
            return Answer::Partial;
        }
        let (source, again) = (request.name.clone(), request.again.clone());
        self.answered(pending.request, again.is_some_and(|a| a.is_match(line)), now);
        if pending.text.is_empty() {
            let why = "the answer has nothing of what is expected".to_owned();
            return Answer::Ended(Heard::Failed { source, kind: "unexpected", why });
        }
        let Pending { captures, text: line, asked_at, .. } = pending;
        Answer::Ended(Heard::Values { source, captures, line, asked_at: Some(asked_at) })
    }

    fn answered(&mut self, index: usize, asks_again: bool, now: Mono) {
        let Some(turn) = self.turns.get_mut(index) else { return };
        if asks_again && turn.again < limits::SERIAL_AGAIN_MAX {
            turn.again += 1;
            turn.due = now;
        } else {
            self.turn_over(index, now);
        }
    }

    /// Sets the next due time by the period, without drift. Times that have passed are skipped.
    fn turn_over(&mut self, index: usize, now: Mono) {
        let every = self.settings.requests.get(index).map_or(limits::EVERY_DEFAULT, |r| r.every);
        let Some(turn) = self.turns.get_mut(index) else { return };
        turn.again = 0;
        turn.due = turn.due + every;
        if turn.due <= now {
            let behind = now.since(turn.due).as_nanos() / every.as_nanos().max(1) + 1;
            turn.due = turn.due + every * u32::try_from(behind).unwrap_or(u32::MAX);
        }
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    if wanted.is_empty() {
        return None;
    }
    bytes.windows(wanted.len()).position(|w| w == wanted)
}

fn captures(regex: &Regex, line: &str) -> Option<BTreeMap<String, String>> {
    let found = regex.captures(line)?;
    let named = regex.capture_names().flatten();
    Some(named.filter_map(|n| Some((n.to_owned(), found.name(n)?.as_str().to_owned()))).collect())
}

/// Returns the line without its checksum, or `None` if the checksum is wrong.
fn proven(checksum: Checksum, line: &str) -> Option<&str> {
    let digits = match checksum {
        Checksum::None => return Some(line),
        Checksum::Xor | Checksum::Sum8 | Checksum::Sum8Complement => 2,
        Checksum::Crc16 | Checksum::Sum16 => 4,
    };
    let at = line.len().checked_sub(digits)?;
    let (text, said) = (line.get(..at)?, line.get(at..)?);
    let text = text.strip_suffix('*').unwrap_or(text);
    // As in NMEA 0183, a `$` at the start is not included in the checksum.
    let checked = text.strip_prefix('$').unwrap_or(text).as_bytes();
    let found = match checksum {
        Checksum::None => 0,
        Checksum::Xor => u16::from(checked.iter().fold(0_u8, |acc, b| acc ^ b)),
        Checksum::Sum8 => u16::from(checked.iter().fold(0_u8, |acc, b| acc.wrapping_add(*b))),
        Checksum::Sum8Complement => {
            u16::from(checked.iter().fold(0_u8, |acc, b| acc.wrapping_add(*b)).wrapping_neg())
        }
        Checksum::Sum16 => checked.iter().fold(0_u16, |acc, b| acc.wrapping_add(u16::from(*b))),
        Checksum::Crc16 => crc16(checked),
    };
    (u16::from_str_radix(said, 16).ok()? == found).then_some(text)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::profile::{LineRequest, Stream};

    fn request(name: &str, send: &str, every_ms: u64, expect: &str) -> LineRequest {
        LineRequest {
            name: name.to_owned(),
            send: send.as_bytes().to_vec(),
            every: Duration::from_millis(every_ms),
            timeout: Duration::from_millis(200),
            expect: Regex::new(expect).unwrap(),
            until: None,
            again: None,
        }
    }

    fn settings(requests: Vec<LineRequest>) -> SerialSettings {
        let alarm = Stream { name: "alarm".to_owned(), matches: Regex::new(r"^ALARM:(?<code>\d+)").unwrap() };
        SerialSettings {
            terminator: b"\r\n".to_vec(),
            requests,
            streams: vec![alarm],
            ..SerialSettings::default()
        }
    }

    fn ms(n: u64) -> Mono {
        Mono(n * 1_000_000)
    }

    /// The results as text: `source name=value`, `!source kind` or `?kind`.
    fn told(heard: Vec<Heard>) -> Vec<String> {
        heard
            .into_iter()
            .map(|h| match h {
                Heard::Values { source, captures, .. } => {
                    let all: Vec<String> = captures.iter().map(|(k, v)| format!("{k}={v}")).collect();
                    format!("{source} {}", all.join(" "))
                }
                Heard::Failed { source, kind, .. } => format!("!{source} {kind}"),
                Heard::Stray(kind) => format!("?{kind}"),
            })
            .collect()
    }

    fn grbl() -> Session {
        let report = request("report", "?", 500, r"^<(?<state>[A-Za-z]+)[^|]*\|MPos:(?<x>-?[\d.]+),");
        Session::new(settings(vec![report]), ms(0))
    }

    #[test]
    fn questions_answers_and_streams() {
        let mut s = grbl();
        assert_eq!(s.opened(), b"");
        assert_eq!(s.next(ms(0)), Next::Ask(0, b"?".to_vec()));
        assert_eq!(s.next(ms(1)), Next::Wait(ms(200)));
        // A part of a line, then a stream, then the rest of the line.
        assert_eq!(told(s.received(b"ALARM:1\r\n<Idle|MPos:1.", ms(5))), ["alarm code=1"]);
        assert_eq!(told(s.received(b"500,0,0|FS:0,0>\r\n", ms(6))), ["report state=Idle x=1.500"]);
        assert_eq!(s.next(ms(7)), Next::Wait(ms(500)));
        assert_eq!(told(s.received(b"hello\r\n\r\n", ms(8))), ["?unexpected"]);
    }

    #[test]
    fn a_late_answer_is_not_taken_for_the_next_one() {
        let number = r"^(?<v>[-+.\d]+)$";
        let requests = vec![
            request("volt", "MEAS:VOLT?\n", 1000, number),
            request("curr", "MEAS:CURR?\n", 1000, number),
        ];
        let mut s = Session::new(settings(requests), ms(0));
        assert_eq!(s.next(ms(0)), Next::Ask(0, b"MEAS:VOLT?\n".to_vec()));
        assert_eq!(told(s.elapsed(ms(200)).into_iter().collect()), ["!volt timeout"]);
        assert_eq!(s.next(ms(200)), Next::Wait(ms(400)), "nothing is asked yet");
        assert_eq!(told(s.received(b"12.5\r\n", ms(300))), ["?late"]);
        assert_eq!(s.next(ms(300)), Next::Ask(1, b"MEAS:CURR?\n".to_vec()));
        assert_eq!(told(s.received(b"0.5\r\n", ms(310))), ["curr v=0.5"]);
        assert_eq!(s.next(ms(320)), Next::Wait(ms(1000)));
    }

    #[test]
    fn answers_of_several_lines_end_where_they_say() {
        let mut all = request("all", "$$\n", 1000, r"^\$(?<n>\d+)=(?<v>.*)$");
        all.until = Some(Regex::new("^ok$").unwrap());
        let mut s = Session::new(settings(vec![all]), ms(0));
        s.next(ms(0));
        assert_eq!(told(s.received(b"$0=10\r\n$1=25\r\n", ms(5))), Vec::<String>::new());
        assert_eq!(told(s.received(b"ok\r\n", ms(6))), ["all n=1 v=25"]);
        s.next(ms(1000));
        assert_eq!(told(s.received(b"ok\r\n", ms(1006))), ["!all unexpected"]);
    }

    #[test]
    fn a_queue_is_drained_at_once_but_not_for_ever() {
        let mut errors = request("errors", "SYST:ERR?\n", 1000, r"^(?<code>[-+]?\d+),");
        errors.again = Some(Regex::new("^[-+]?0*[1-9]").unwrap());
        let mut s = Session::new(settings(vec![errors]), ms(0));
        let mut asked = 0;
        while let Next::Ask(..) = s.next(ms(asked)) {
            asked += 1;
            s.received(b"-113,\"Undefined header\"\r\n", ms(asked));
        }
        assert_eq!(asked, u64::from(limits::SERIAL_AGAIN_MAX) + 1);
        assert_eq!(s.next(ms(500)), Next::Wait(ms(1000 + asked - 1)));
    }

    #[test]
    fn checksums_prove_a_line() {
        assert_eq!(
            proven(Checksum::Xor, "$GPGLL,5057.970,N,00146.110,E,142451,A*27"),
            Some("$GPGLL,5057.970,N,00146.110,E,142451,A")
        );
        assert_eq!(proven(Checksum::Xor, "$GPGLL,5057.970,N,00146.110,E,142451,B*27"), None);
        assert_eq!(proven(Checksum::Sum8, "AB83"), Some("AB"));
        assert_eq!(proven(Checksum::Crc16, "123456789*4B37"), Some("123456789"));
        assert_eq!(proven(Checksum::Xor, "4"), None);
        assert_eq!(proven(Checksum::None, "x"), Some("x"));
    }

    #[test]
    fn noise_without_end_is_dropped_up_to_the_next_line() {
        let mut s = grbl();
        s.next(ms(0));
        let noise = vec![b'x'; limits::SERIAL_LINE_BYTES_MAX + 1];
        assert_eq!(told(s.received(&noise, ms(1))), ["?noise"]);
        assert_eq!(told(s.received(b"yyy\r\n<Run|MPos:2,0,0>\r\n", ms(2))), ["report state=Run x=2"]);
        assert_eq!(told(s.received(&[0xFF, 0xFE, b'\r', b'\n'], ms(3))), ["?unexpected"]);
    }

    #[test]
    fn frames_of_bytes_are_asked_for_checked_and_found_again_after_noise() {
        let mut co2 = request("co2", "", 1000, "^FF 86");
        co2.send = vec![0xFF, 1, 0x86, 0, 0, 0, 0, 0, 0x79];
        let frame = crate::profile::FrameShape { start: vec![0xFF], end: Vec::new(), length: Some(9) };
        let mut s = Session::new(
            SerialSettings {
                frame: Some(frame),
                checksum: Checksum::Sum8Complement,
                checksum_from: 1,
                requests: vec![co2],
                ..SerialSettings::default()
            },
            ms(0),
        );
        assert!(matches!(s.next(ms(0)), Next::Ask(0, bytes) if bytes.len() == 9));
        // Noise before the frame, a byte that only looks like a start, and the frame in two pieces.
        assert_eq!(told(s.received(&[0x00, 0xFF, 0xFF, 0x86, 0x02], ms(1))), ["?noise"]);
        let heard = s.received(&[0x58, 0, 0, 0, 0, 0x20], ms(2));
        assert_eq!(told(heard.clone()), ["?checksum", "co2 "]);
        assert!(matches!(&heard[1], Heard::Values { line, .. } if line == "FF 86 02 58 00 00 00 00 20"));
        assert_eq!(s.next(ms(3)), Next::Wait(ms(1000)));
    }
}
