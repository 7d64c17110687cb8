//! Modbus RTU on a pseudo-terminal, with the time of each character. A pseudo-terminal delivers bytes at once, so the
//! simulator computes the time of the line: a request has arrived when its last character would have arrived, and the
//! characters of the answer are sent one after the other. The line has its own thread, because the timers of the
//! async runtime are only exact to a millisecond.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use serialport::{SerialPort, TTYPort};

use super::machine::Shared;
use super::pdu::answer;
use crate::ambient::Clock;
use crate::limits;
use crate::words::Mono;

/// A simulated line. When it is dropped, the line ends and its symbolic link is removed.
#[derive(Debug)]
pub(super) struct RtuLine {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    path: PathBuf,
}

struct LineWorker {
    port: TTYPort,
    units: BTreeMap<u8, (Shared, Duration)>,
    clock: Clock,
    character: Duration,
    silence: Duration,
    received: Vec<u8>,
    /// The time when the last character on the line has passed.
    free: Mono,
}

/// Opens a pseudo-terminal, links `path` to it and serves it.
pub(super) fn serve(
    path: &Path,
    baud: u32,
    units: BTreeMap<u8, (Shared, Duration)>,
    clock: Clock,
) -> io::Result<RtuLine> {
    let (mut master, slave) = TTYPort::pair()?;
    master.set_timeout(limits::SIM_LOOK_EVERY)?;
    let name = slave.name().ok_or_else(|| io::Error::other("the pseudo-terminal has no name"))?;
    if path.is_symlink() {
        std::fs::remove_file(path)?;
    }
    // The simulator does not keep this end open: a client's exclusive lock must end with the client, as on a real
    // port.
    drop(slave);
    symlink(&name, path)?;
    let character = Duration::from_secs(11) / baud.max(1);
    let silence = if baud > 19_200 { limits::RTU_SILENCE_MIN } else { character * 7 / 2 };
    let stop = Arc::new(AtomicBool::new(false));
    let mut line =
        LineWorker { port: master, units, clock, character, silence, received: Vec::new(), free: Mono(0) };
    let told = stop.clone();
    let thread = std::thread::Builder::new().name("sim-rtu".to_owned()).spawn(move || {
        while !told.load(Ordering::Relaxed) {
            if line.turn().is_err() {
                return;
            }
        }
    })?;
    Ok(RtuLine { stop, thread: Some(thread), path: path.to_owned() })
}

impl Drop for RtuLine {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // The thread ends when it next looks at the flag.
            let _ended = thread.join();
        }
        let _gone = std::fs::remove_file(&self.path);
    }
}

impl LineWorker {
    fn turn(&mut self) -> io::Result<()> {
        let mut space = [0; 512];
        let wait = if self.received.is_empty() { limits::SIM_LOOK_EVERY } else { limits::SIM_REQUEST_GAP };
        self.port.set_timeout(wait)?;
        let count = match self.port.read(&mut space) {
            Ok(count) => count,
            Err(e) if e.kind() == io::ErrorKind::TimedOut => {
                self.received.clear();
                return Ok(());
            }
            // No client has the other end open.
            Err(e) if has_hung_up(&e) => {
                self.received.clear();
                self.wait_until(self.clock.now().mono + limits::SIM_LOOK_EVERY);
                return Ok(());
            }
            Err(e) => return Err(e),
        };
        self.free = self.free.max(self.clock.now().mono) + self.character * u32::try_from(count).unwrap_or(0);
        self.received.extend(space.iter().take(count));
        while let Some(length) = request_length(&self.received).filter(|n| *n <= self.received.len()) {
            let rest = self.received.split_off(length);
            let frame = std::mem::replace(&mut self.received, rest);
            self.answer(&frame)?;
        }
        Ok(())
    }

    fn answer(&mut self, frame: &[u8]) -> io::Result<()> {
        let [body @ .., low, high] = frame else { return Ok(()) };
        let ([unit, request @ ..], true) = (body, crc16(body) == [*low, *high]) else {
            // These bytes are noise. A slave waits for silence and starts again.
            self.received.clear();
            return Ok(());
        };
        let Some((machine, turnaround)) = self.units.get(unit) else { return Ok(()) };
        let arrived = self.free + self.silence + *turnaround;
        let now = arrived.since(Mono(0));
        let Some(pdu) = machine.with(|m| (!m.is_silent()).then(|| answer(request, m, now))) else {
            return Ok(());
        };
        let mut out = vec![*unit];
        out.extend(pdu);
        out.extend(crc16(&out));
        self.send(&out, arrived)
    }

    /// Sends characters, each at the time at which it would have passed. Characters that are due are written
    /// together.
    fn send(&mut self, bytes: &[u8], begin: Mono) -> io::Result<()> {
        self.free = begin + self.character * u32::try_from(bytes.len()).unwrap_or(0);
        let mut sent = 0;
        while sent < bytes.len() {
            let next = begin + self.character * u32::try_from(sent + 1).unwrap_or(0);
            self.wait_until(next);
            let passed = self.clock.now().mono.since(begin).as_nanos() / self.character.as_nanos().max(1);
            let due = usize::try_from(passed).unwrap_or(bytes.len()).clamp(sent + 1, bytes.len());
            match self.port.write_all(bytes.get(sent..due).unwrap_or(&[])) {
                // The client closed the port during the answer.
                Err(e) if has_hung_up(&e) => return Ok(()),
                other => other?,
            }
            sent = due;
        }
        Ok(())
    }

    #[expect(clippy::disallowed_methods, reason = "the line's own pace, finer than the runtime's timers")]
    fn wait_until(&self, at: Mono) {
        std::thread::sleep(at.since(self.clock.now().mono));
    }
}

fn has_hung_up(e: &io::Error) -> bool {
    e.kind() == io::ErrorKind::BrokenPipe || e.raw_os_error() == Some(libc::EIO)
}

/// The length of the request that begins here, from its function; `None` if it is not known yet.
fn request_length(bytes: &[u8]) -> Option<usize> {
    match *bytes.get(1)? {
        15 | 16 => Some(usize::from(*bytes.get(6)?) + 9),
        _ => Some(8),
    }
}

/// CRC-16/MODBUS, low byte first. It is a second implementation on purpose: with the checksum of `link`, both would
/// have the same mistakes.
fn crc16(bytes: &[u8]) -> [u8; 2] {
    let mut crc = 0xFFFF_u16;
    for byte in bytes {
        crc ^= u16::from(*byte);
        for _ in 0..8 {
            let carry = crc & 1 != 0;
            crc >>= 1;
            if carry {
                crc ^= 0xA001;
            }
        }
    }
    crc.to_le_bytes()
}
