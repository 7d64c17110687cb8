//! A Modbus server that misbehaves in one way for some time, and answers correctly before and after. The value of a register
//! shows its unit and number: unit * 4096 + number.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::pause;

/// The wrong behaviour of the server for one response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misdeed {
    /// The server sends no response.
    Silent,
    /// The response comes after the timeout.
    Late,
    /// Each response belongs to the previous request.
    OneBehind,
    /// The response comes from another unit.
    ForeignUnit,
    /// The response has another function.
    ForeignFunction,
    /// The response has fewer registers than requested.
    Short,
    /// The response has more registers than requested.
    Long,
    /// The response comes twice.
    Doubled,
    /// The request comes back before the response.
    Echoed,
    /// The request comes back, and no response.
    OnlyEcho,
    /// The end of the response is missing.
    Truncated,
    /// One bit of the response is changed: the checksum, or on TCP the transaction id, is wrong.
    Garbled,
    /// Noise comes before the response.
    Noise,
    /// The server closes the connection and sends no response.
    Closed,
    /// The response is an exception that is not in the standard.
    StrangeException,
    /// The response is the exception "server device busy".
    Busy,
}

pub const ALL: [Misdeed; 16] = [
    Misdeed::Silent,
    Misdeed::Late,
    Misdeed::OneBehind,
    Misdeed::ForeignUnit,
    Misdeed::ForeignFunction,
    Misdeed::Short,
    Misdeed::Long,
    Misdeed::Doubled,
    Misdeed::Echoed,
    Misdeed::OnlyEcho,
    Misdeed::Truncated,
    Misdeed::Garbled,
    Misdeed::Noise,
    Misdeed::Closed,
    Misdeed::StrangeException,
    Misdeed::Busy,
];

/// Returns the value of a register of a unit.
pub fn register(unit: u8, number: u16) -> u16 {
    u16::from(unit) * 4096 + number
}

/// The misdeed of a server, and the number of misdeeds that are left.
#[derive(Clone)]
pub struct Conduct {
    pub misdeed: Misdeed,
    left: Arc<AtomicU32>,
    good_first: Arc<AtomicU32>,
    /// The share of misdeeds, in percent of the responses.
    share: u32,
    seed: Arc<AtomicU32>,
}

impl Conduct {
    pub fn new(misdeed: Misdeed, times: u32) -> Self {
        Self {
            misdeed,
            left: Arc::new(AtomicU32::new(times)),
            good_first: Arc::new(AtomicU32::new(8)),
            share: 100,
            seed: Arc::new(AtomicU32::new(1)),
        }
    }

    /// Returns random misdeeds, `share` percent of the responses, until [`Self::end`].
    pub fn at_random(misdeed: Misdeed, share: u32) -> Self {
        Self { share, ..Self::new(misdeed, u32::MAX) }
    }

    pub fn is_random(&self) -> bool {
        self.share < 100
    }

    /// Ends the misdeeds: the server then answers correctly.
    pub fn end(&self) {
        self.left.store(0, Ordering::SeqCst);
    }

    /// Decides at random whether the next response is a misdeed (Park and Miller's generator, the same in each run).
    fn is_chosen(&self) -> bool {
        let step = |s: u32| u32::try_from(u64::from(s) * 48271 % 2_147_483_647).ok();
        let before = self.seed.fetch_update(Ordering::SeqCst, Ordering::SeqCst, step).unwrap();
        before / 7 % 100 < self.share
    }

    fn next(&self) -> Option<Misdeed> {
        let counted =
            |a: &AtomicU32| a.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok();
        if counted(&self.good_first) || !self.is_chosen() {
            return None;
        }
        counted(&self.left).then_some(self.misdeed)
    }

    /// Returns true if no misdeeds are left.
    pub fn is_over(&self) -> bool {
        self.left.load(Ordering::SeqCst) == 0
    }
}

/// The delay of a late response; longer than the timeout in the profile.
const LATE: Duration = Duration::from_millis(350);

fn pdu(unit: u8, request: &[u8]) -> Vec<u8> {
    let [function, a, b, c, d] = *request else { return vec![request[0] | 0x80, 3] };
    let (start, count) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    let mut out = vec![function, u8::try_from(count * 2).unwrap()];
    out.extend((start..start + count).flat_map(|n| register(unit, n).to_be_bytes()));
    out
}

/// Returns the unit and the PDU (function and data) of the response, changed by the misdeed.
fn changed(misdeed: Option<Misdeed>, unit: u8, request: &[u8]) -> (u8, Vec<u8>) {
    let good = pdu(unit, request);
    match misdeed {
        Some(Misdeed::ForeignUnit) => (unit + 1, pdu(unit + 1, request)),
        Some(Misdeed::ForeignFunction) => {
            let mut other = good;
            other[0] = if other[0] == 3 { 4 } else { 3 };
            (unit, other)
        }
        Some(Misdeed::Short) => {
            let mut short = good;
            short.truncate(short.len() - 2);
            short[1] -= 2;
            (unit, short)
        }
        Some(Misdeed::Long) => {
            let mut long = good;
            long.extend([0x55, 0x55]);
            long[1] += 2;
            (unit, long)
        }
        Some(Misdeed::StrangeException) => (unit, vec![request[0] | 0x80, 0x77]),
        Some(Misdeed::Busy) => (unit, vec![request[0] | 0x80, 6]),
        _ => (unit, good),
    }
}

/// The framing of one wire: Modbus TCP or Modbus RTU.
trait Wire {
    /// Reads the next request: the head of its frame, its unit, and its PDU (function and data).
    fn request(&mut self) -> Option<(Vec<u8>, u8, Vec<u8>)>;
    fn frame(&self, head: &[u8], unit: u8, pdu: &[u8]) -> Vec<u8>;
    fn send(&mut self, bytes: &[u8]) -> bool;
    fn can_close(&self) -> bool;
}

fn converse(wire: &mut dyn Wire, conduct: &Conduct) {
    let mut before: Option<Vec<u8>> = None;
    while let Some((head, unit, request)) = wire.request() {
        let misdeed = conduct.next();
        let (answer_unit, answer) = changed(misdeed, unit, &request);
        let mut frame = wire.frame(&head, answer_unit, &answer);
        let echo = wire.frame(&head, unit, &request);
        if conduct.share < 100 && misdeed != Some(Misdeed::OneBehind) {
            before = Some(frame.clone());
        }
        let sent = match misdeed {
            Some(Misdeed::Silent) => true,
            Some(Misdeed::Late) => {
                pause(LATE);
                wire.send(&frame)
            }
            Some(Misdeed::OneBehind) => {
                let last = before.replace(frame);
                last.is_none_or(|last| wire.send(&last))
            }
            Some(Misdeed::Doubled) => {
                let first = wire.send(&frame);
                pause(Duration::from_millis(20));
                first && wire.send(&frame)
            }
            Some(Misdeed::Echoed) => wire.send(&[echo, frame].concat()),
            Some(Misdeed::OnlyEcho) => wire.send(&echo),
            Some(Misdeed::Truncated) => {
                frame.truncate(frame.len() - 3);
                wire.send(&frame)
            }
            Some(Misdeed::Garbled) => {
                let at = if wire.can_close() { 1 } else { frame.len() - 3 };
                frame[at] ^= 0x40;
                wire.send(&frame)
            }
            Some(Misdeed::Noise) if !wire.can_close() => {
                wire.send(&[vec![0x00, 0xFF, 0x03, 0x7F], frame].concat())
            }
            Some(Misdeed::Closed) if wire.can_close() => return,
            Some(Misdeed::Closed) => true,
            _ => wire.send(&frame),
        };
        if !sent {
            return;
        }
    }
}

struct Tcp(TcpStream);

impl Wire for Tcp {
    fn request(&mut self) -> Option<(Vec<u8>, u8, Vec<u8>)> {
        let mut header = [0; 7];
        self.0.read_exact(&mut header).ok()?;
        let length = usize::from(u16::from_be_bytes([header[4], header[5]]));
        let mut pdu = vec![0; length - 1];
        self.0.read_exact(&mut pdu).ok()?;
        Some((header[..2].to_vec(), header[6], pdu))
    }
    fn frame(&self, head: &[u8], unit: u8, pdu: &[u8]) -> Vec<u8> {
        let length = u16::try_from(pdu.len() + 1).unwrap().to_be_bytes();
        [head, &[0, 0], &length, &[unit], pdu].concat()
    }
    fn send(&mut self, bytes: &[u8]) -> bool {
        self.0.write_all(bytes).is_ok()
    }
    fn can_close(&self) -> bool {
        true
    }
}

struct Rtu(File);

impl Wire for Rtu {
    fn request(&mut self) -> Option<(Vec<u8>, u8, Vec<u8>)> {
        let mut frame = [0; 8];
        self.0.read_exact(&mut frame).ok()?;
        Some((Vec::new(), frame[0], frame[1..6].to_vec()))
    }
    fn frame(&self, _head: &[u8], unit: u8, pdu: &[u8]) -> Vec<u8> {
        let mut frame = [&[unit], pdu].concat();
        let mut crc = 0xFFFF_u16;
        for byte in &frame {
            crc ^= u16::from(*byte);
            for _ in 0..8 {
                crc = if crc & 1 == 1 { crc >> 1 ^ 0xA001 } else { crc >> 1 };
            }
        }
        frame.extend(crc.to_le_bytes());
        frame
    }
    fn send(&mut self, bytes: &[u8]) -> bool {
        self.0.write_all(bytes).is_ok()
    }
    fn can_close(&self) -> bool {
        false
    }
}

/// Serves Modbus TCP on a free port, and returns the port.
pub fn serve_tcp(conduct: Conduct) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            stream.set_nodelay(true).unwrap();
            converse(&mut Tcp(stream), &conduct);
        }
    });
    port
}

/// Serves Modbus RTU on a terminal.
pub fn serve_rtu(terminal: &Path, conduct: Conduct) {
    let file = File::options().read(true).write(true).open(terminal).unwrap();
    std::thread::spawn(move || converse(&mut Rtu(file), &conduct));
}
