//! The guard: a filter between the port and the Modbus client. It passes only the response that matches the request;
//! it drops every other frame and records why.
//!
//! The guard checks each frame before the client sees a byte of it: unit, function, length (from the function),
//! count, echo of a write, and checksum or transaction id. The last reason for a drop becomes the reason of the
//! failed request. The guard removes an echo of the request, and drops bytes that arrived before a request is sent.
//! On Modbus TCP the guard numbers the transactions itself, because each new client on the same stream would begin
//! with 0 again.

mod ascii;

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::fault::WireFault;
use crate::limits;
use crate::link::wire::Stream;
use crate::profile::{Accept, crc16};

/// The form of a Modbus frame on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// Modbus TCP: a header with a transaction id.
    Tcp,
    /// Modbus RTU: a checksum, and no field that tells which request a frame answers.
    Rtu,
    /// Modbus ASCII: an RTU frame as a line of hexadecimal digits.
    Ascii,
}

struct Inner {
    io: Box<dyn Stream>,
    framing: Framing,
    /// True on TCP; the flush of a serial driver blocks the thread.
    flush: bool,
    /// The request under way, with header or checksum.
    request: Vec<u8>,
    /// Bytes that arrived and were not handled yet.
    received: Vec<u8>,
    /// The part of the answer that the client has not read yet.
    ready: Vec<u8>,
    /// True while the answer to `request` is awaited; otherwise received bytes are dropped.
    waiting: bool,
    /// The reason for the last drop since the request was sent; `None` if nothing was dropped.
    last_fault: Option<WireFault>,
    /// The reason why the stream cannot be used any more; `None` while it can.
    fatal: Option<WireFault>,
    /// The last request that was answered, and its answer.
    last: Option<(Vec<u8>, Vec<u8>)>,
    suspicious: bool,
    /// The number of frames that were dropped and echoes that were removed.
    dropped: u64,
    /// True if the adapter sends every request back. Learned from requests whose answer cannot be equal to the
    /// request.
    echoes: bool,
    /// True if the echo of the present request was removed.
    echo_removed: bool,
    /// Only for ASCII: bytes of a line that wait to be sent. The field `line` holds a received line that is not
    /// complete yet.
    outgoing: Vec<u8>,
    line: Vec<u8>,
    /// Only for TCP: the transaction id of the last request, counted over all clients on this stream.
    transaction: u16,
    /// Deviations from the standard that are accepted, because the link has only one device.
    accept: Accept,
}

/// A handle on the guarded stream. The Modbus client has one, the `ModbusConnection` has another.
#[derive(Clone)]
pub struct Guard(Arc<Mutex<Inner>>);

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Guard")
    }
}

impl Guard {
    /// Guards a stream. `flush` must be false for a serial port, because its driver blocks the thread in a flush.
    pub(super) fn new(io: Box<dyn Stream>, framing: Framing, flush: bool) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            io,
            framing,
            flush,
            request: Vec::new(),
            received: Vec::new(),
            ready: Vec::new(),
            waiting: false,
            last_fault: None,
            fatal: None,
            last: None,
            suspicious: false,
            dropped: 0,
            echoes: false,
            echo_removed: false,
            outgoing: Vec::new(),
            line: Vec::new(),
            transaction: 0,
            accept: Accept::default(),
        })))
    }

    /// Accepts deviations from the standard, for the only device on a link.
    pub(super) fn accepting(self, accept: Accept) -> Self {
        self.lock().accept = accept;
        self
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets the last request and drops the bytes that have arrived. Returns the number of bytes dropped.
    ///
    /// # Errors
    /// If the stream has ended.
    pub fn drain(&self, cx: &mut Context<'_>) -> Result<usize, WireFault> {
        let mut inner = self.lock();
        let mut stray = std::mem::take(&mut inner.received).len() + std::mem::take(&mut inner.line).len();
        inner.outgoing.clear();
        inner.request.clear();
        inner.ready.clear();
        inner.waiting = false;
        inner.last_fault = None;
        inner.fatal = None;
        inner.suspicious = false;
        inner.echo_removed = false;
        let mut space = [0_u8; 512];
        loop {
            let mut buf = ReadBuf::new(&mut space);
            match Pin::new(&mut inner.io).poll_read(cx, &mut buf) {
                Poll::Pending => return Ok(stray),
                Poll::Ready(Ok(())) if buf.filled().is_empty() => return Err(WireFault::Closed),
                Poll::Ready(Ok(())) => stray += buf.filled().len(),
                Poll::Ready(Err(e)) => return Err(WireFault::Io(e.to_string())),
            }
            if stray > limits::STRAY_BYTES_MAX {
                return Ok(stray);
            }
        }
    }

    /// The reason why the request failed, as far as the received bytes show it; otherwise a timeout.
    pub fn fault(&self) -> WireFault {
        let inner = self.lock();
        if let Some(fault) = inner.fatal.clone().or_else(|| inner.last_fault.clone()) {
            return fault;
        }
        match (inner.received.len() + inner.line.len(), inner.announced()) {
            (0, _) => WireFault::Timeout,
            (got, Some(wanted)) => WireFault::Incomplete { got, wanted },
            (got, None) => WireFault::Garbled(got),
        }
    }

    /// True if the answer is identical to the previous answer, which belonged to another request. The answer may then
    /// be a duplicate of the previous one.
    pub fn is_suspicious(&self) -> bool {
        self.lock().suspicious
    }

    /// The number of frames dropped and echoes removed since the stream was opened.
    pub fn dropped(&self) -> u64 {
        self.lock().dropped
    }
}

impl AsyncWrite for Guard {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut inner = self.lock();
        let inner = &mut *inner;
        if inner.framing == Framing::Ascii {
            return inner.write_line(cx, bytes);
        }
        // A new client counts its transactions from 0 again, so a late answer to the previous client could match. The
        // guard therefore writes its own number.
        let marked = match (inner.framing, bytes) {
            (Framing::Tcp, [_, _, rest @ ..]) if inner.request.is_empty() => {
                inner.transaction = inner.transaction.wrapping_add(1);
                Some([&inner.transaction.to_be_bytes(), rest].concat())
            }
            _ => None,
        };
        let done = Pin::new(&mut inner.io).poll_write(cx, marked.as_deref().unwrap_or(bytes));
        if let Poll::Ready(Ok(n)) = &done {
            inner.request.extend(bytes.iter().take(*n));
            inner.waiting = true;
        }
        done
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut inner = self.lock();
        if inner.flush { Pin::new(&mut inner.io).poll_flush(cx) } else { Poll::Ready(Ok(())) }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut inner = self.lock();
        Pin::new(&mut inner.io).poll_shutdown(cx)
    }
}

impl AsyncRead for Guard {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut inner = self.lock();
        loop {
            if !inner.ready.is_empty() {
                let n = inner.ready.len().min(buf.remaining());
                let rest = inner.ready.split_off(n);
                buf.put_slice(&inner.ready);
                inner.ready = rest;
                return Poll::Ready(Ok(()));
            }
            let mut space = [0_u8; 512];
            let mut read = ReadBuf::new(&mut space);
            match Pin::new(&mut inner.io).poll_read(cx, &mut read) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(e)) => return Poll::Ready(Err(e)),
                Poll::Ready(Ok(())) if read.filled().is_empty() => {
                    inner.fatal = Some(WireFault::Closed);
                    return Poll::Ready(Ok(()));
                }
                Poll::Ready(Ok(())) => {}
            }
            let fresh = read.filled().to_vec();
            inner.take_in(&fresh);
            inner.find_answer();
            if inner.fatal.is_some() {
                return Poll::Ready(Err(io::Error::from(io::ErrorKind::InvalidData)));
            }
        }
    }
}

impl Inner {
    /// Sends an RTU frame as an ASCII line. The client wrote the frame in one piece; it is told so when the last
    /// character is sent.
    fn write_line(&mut self, cx: &mut Context<'_>, frame: &[u8]) -> Poll<io::Result<usize>> {
        if self.request.is_empty() {
            self.request = frame.to_vec();
            self.outgoing = ascii::to_line(frame);
        }
        while !self.outgoing.is_empty() {
            match Pin::new(&mut self.io).poll_write(cx, &self.outgoing) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(e)) => return Poll::Ready(Err(e)),
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(n)) => {
                    self.outgoing.drain(..n.min(self.outgoing.len()));
                }
            }
        }
        self.waiting = true;
        Poll::Ready(Ok(frame.len()))
    }

    fn take_in(&mut self, fresh: &[u8]) {
        if self.framing != Framing::Ascii {
            self.received.extend(fresh);
            return;
        }
        self.line.extend(fresh);
        for frame in ascii::take_frames(&mut self.line) {
            match frame {
                Ok(rtu) => self.received.extend(rtu),
                Err(count) => self.note(WireFault::Garbled(count)),
            }
        }
    }

    /// Looks for the answer in the received bytes. Every other frame is dropped and its reason noted.
    fn find_answer(&mut self) {
        if !self.waiting {
            self.received.clear();
            return;
        }
        let found = match self.framing {
            Framing::Tcp => self.find_answer_tcp(),
            Framing::Rtu | Framing::Ascii => self.find_answer_rtu(),
        };
        if let Some(frame) = found {
            self.waiting = false;
            let other = |last: &(Vec<u8>, Vec<u8>)| last.0 != self.request && last.1 == frame;
            self.suspicious = self.framing != Framing::Tcp && self.last.as_ref().is_some_and(other);
            self.last = Some((self.request.clone(), frame.clone()));
            self.ready = frame;
        } else if self.received.len() + self.line.len() > limits::STRAY_BYTES_MAX {
            self.fatal =
                Some(WireFault::OutOfStep(format!("{} bytes without a valid response", self.received.len())));
        }
    }

    /// Only for TCP: the length of the frame that is arriving, as its header announces it.
    fn announced(&self) -> Option<usize> {
        let header: &[u8; 6] =
            self.received.get(..6).filter(|_| self.framing == Framing::Tcp)?.try_into().ok()?;
        let [.., high, low] = *header;
        Some(6 + usize::from(u16::from_be_bytes([high, low])))
    }

    fn note(&mut self, fault: WireFault) {
        self.dropped += 1;
        self.last_fault = Some(fault);
    }

    fn find_answer_tcp(&mut self) -> Option<Vec<u8>> {
        loop {
            let header: [u8; 7] = self.received.get(..7)?.try_into().ok()?;
            let [t1, t0, p1, p0, l1, l0, unit] = header;
            let length = usize::from(u16::from_be_bytes([l1, l0]));
            if (p1, p0) != (0, 0) || !(3..=254).contains(&length) {
                self.fatal = Some(WireFault::OutOfStep("this is not a Modbus TCP header".to_owned()));
                return None;
            }
            if self.received.len() < 6 + length {
                return None;
            }
            let rest = self.received.split_off(6 + length);
            let mut frame = std::mem::replace(&mut self.received, rest);
            if self.transaction != u16::from_be_bytes([t1, t0]) && !self.accept.any_transaction {
                self.note(WireFault::Foreign(format!("transaction {}", u16::from_be_bytes([t1, t0]))));
                continue;
            }
            let asked = self.request.get(6..).unwrap_or(&[]);
            let asked_unit = self.request.get(6).copied().unwrap_or(0);
            match check_response(asked, self.accept.unit(unit, asked_unit), frame.get(7..).unwrap_or(&[])) {
                Ok(()) => {
                    // The client expects its own transaction id and its own unit id.
                    for at in [0, 1, 6] {
                        if let (Some(byte), Some(own)) = (frame.get_mut(at), self.request.get(at)) {
                            *byte = *own;
                        }
                    }
                    return Some(frame);
                }
                Err(fault) => self.note(fault),
            }
        }
    }

    fn find_answer_rtu(&mut self) -> Option<Vec<u8>> {
        // An echoing adapter sends the request back before the answer. The answer to a write of one register or coil
        // is equal to its request, so there the bytes count as an echo only if the adapter has echoed before.
        let is_own_answer = matches!(self.request.get(1), Some(5 | 6));
        let is_new = !self.echo_removed && self.received.starts_with(&self.request);
        if is_new && (self.echoes || !is_own_answer) {
            self.received.drain(..self.request.len());
            self.dropped += 1;
            self.echo_removed = true;
            self.echoes = true;
        }
        let asked = self.request.get(..self.request.len().saturating_sub(2)).unwrap_or(&[]).to_vec();
        let mut found: Option<Vec<u8>> = None;
        let mut at = 0;
        let mut keep_from = 0;
        while let Some(rest) = self.received.get(at..).filter(|r| r.len() >= 5) {
            let Some(length) = frame_length(rest) else {
                at += 1;
                continue;
            };
            let Some(frame) = rest.get(..length).filter(|f| checksum_holds(f)).map(<[u8]>::to_vec) else {
                at += 1;
                continue;
            };
            at += length;
            keep_from = at;
            let unit = frame.first().copied().unwrap_or(0);
            match check_response(&asked, unit, frame.get(1..length - 2).unwrap_or(&[])) {
                Ok(()) if found.as_ref().is_some_and(|f| *f != frame) => {
                    self.note(WireFault::Doubled);
                    found = None;
                    break;
                }
                Ok(()) => found = Some(frame),
                Err(fault) => self.note(fault),
            }
        }
        // Complete frames have been handled; bytes that may begin a frame stay.
        self.received.drain(..keep_from.min(self.received.len()));
        found
    }
}

/// The length of the RTU frame that would begin here, from its function; `None` for a function that andon never
/// sends.
fn frame_length(bytes: &[u8]) -> Option<usize> {
    let function = *bytes.get(1)?;
    match function {
        1..=4 => Some(usize::from(*bytes.get(2)?) + 5),
        5 | 6 | 15 | 16 => Some(8),
        0x2B => identification_length(bytes),
        0x81..=0xAB => Some(5),
        _ => None,
    }
}

/// The length of an RTU frame with a device identification, from the lengths of its objects (6.21).
fn identification_length(bytes: &[u8]) -> Option<usize> {
    let count = *bytes.get(7)?;
    let end = (0..count).try_fold(8_usize, |at, _| Some(at + 2 + usize::from(*bytes.get(at + 1)?)))?;
    (bytes.get(2) == Some(&0x0E)).then_some(end + 2)
}

/// Checks whether a frame answers the request. `asked` is unit, function and data of the request; `pdu` is function
/// and data of the frame, without header and checksum.
fn check_response(asked: &[u8], unit: u8, pdu: &[u8]) -> Result<(), WireFault> {
    let (Some(asked_unit), Some(asked_function)) = (asked.first(), asked.get(1)) else {
        return Err(WireFault::Foreign("no request is under way".to_owned()));
    };
    let function = pdu.first().copied().unwrap_or(0);
    if unit != *asked_unit {
        return Err(WireFault::Foreign(format!("unit {unit}")));
    }
    if function == asked_function | 0x80 {
        return if pdu.len() == 2 { Ok(()) } else { Err(WireFault::Length { got: pdu.len(), wanted: 2 }) };
    }
    if function != *asked_function {
        return Err(WireFault::Foreign(format!("function {function}")));
    }
    if function == 0x2B {
        // The answer must repeat the type of the request (MEI type and read device id code).
        let same = pdu.get(1..3) == asked.get(2..4) && pdu.len() >= 7;
        return if same {
            Ok(())
        } else {
            Err(WireFault::Foreign("a device identification of another kind".to_owned()))
        };
    }
    let count = match asked.get(4..6) {
        Some([high, low]) => usize::from(u16::from_be_bytes([*high, *low])),
        _ => 0,
    };
    let wanted = match function {
        1 | 2 => count.div_ceil(8),
        3 | 4 => count * 2,
        // The answer to a write repeats address and value, or address and count, of the request.
        5 | 6 | 15 | 16 => {
            let same = pdu.get(1..5) == asked.get(2..6) && pdu.len() == 5;
            return if same {
                Ok(())
            } else {
                Err(WireFault::Foreign("the confirmation of another write".to_owned()))
            };
        }
        _ => return Err(WireFault::Foreign(format!("function {function}"))),
    };
    let said = usize::from(pdu.get(1).copied().unwrap_or(0));
    let got = pdu.len().saturating_sub(2);
    if said == wanted && got == wanted {
        Ok(())
    } else {
        Err(WireFault::Length { got: said.min(got), wanted })
    }
}

fn checksum_holds(frame: &[u8]) -> bool {
    match frame {
        [body @ .., low, high] => crc16(body) == u16::from_le_bytes([*low, *high]),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
