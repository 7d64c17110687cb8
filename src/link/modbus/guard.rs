//! The guard: a filter between the port and the Modbus client. It passes only the response that matches the request; it
//! drops every other frame and records why.
//!
//! It checks unit, function, length by function, count, write echo, checksum or transaction id of every frame
//! before the client sees a byte; everything else is dropped and remembered, so that a failure can be named.
//! An echo of the request is stripped. Bytes that wait before a request is sent are drained. On TCP the guard
//! numbers the transactions itself, over every client that the stream has had.

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

/// How frames stand on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// With a header that carries a transaction id.
    Tcp,
    /// With a checksum, and nothing that says which request they answer.
    Rtu,
    /// The same as lines of hexadecimal digits.
    Ascii,
}

struct Inner {
    io: Box<dyn Stream>,
    framing: Framing,
    flush: bool,
    request: Vec<u8>,
    received: Vec<u8>,
    ready: Vec<u8>,
    waiting: bool,
    seen: Option<WireFault>,
    fatal: Option<WireFault>,
    /// The last answer let through, and the request it answered.
    last: Option<(Vec<u8>, Vec<u8>)>,
    suspicious: bool,
    /// Frames dropped, echoes stripped.
    dropped: u64,
    /// The adapter sends back what is sent; learned from requests whose answer differs from them.
    echoes: bool,
    /// The echo of this request was taken away.
    stripped: bool,
    /// Of ASCII framing: what waits to be sent, and what came and is no whole line yet.
    outgoing: Vec<u8>,
    line: Vec<u8>,
    /// On TCP: the transaction id of the last request, counted over every client on this stream.
    transaction: u16,
    /// What the only device on the line may do against the standard.
    accept: Accept,
}

/// A handle on the guarded stream; the client gets one, the wire keeps one.
#[derive(Clone)]
pub struct Guard(Arc<Mutex<Inner>>);

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Guard")
    }
}

impl Guard {
    /// Guards a stream. A serial driver's flush blocks the thread, so it is left out there.
    pub(super) fn new(io: Box<dyn Stream>, framing: Framing, flush: bool) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            io,
            framing,
            flush,
            request: Vec::new(),
            received: Vec::new(),
            ready: Vec::new(),
            waiting: false,
            seen: None,
            fatal: None,
            last: None,
            suspicious: false,
            dropped: 0,
            echoes: false,
            stripped: false,
            outgoing: Vec::new(),
            line: Vec::new(),
            transaction: 0,
            accept: Accept::default(),
        })))
    }

    /// Lets through what the only device on the line may do against the standard.
    pub(super) fn accepting(self, accept: Accept) -> Self {
        self.lock().accept = accept;
        self
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets the last request and drops what waits; returns how many bytes did.
    ///
    /// # Errors
    /// When the stream has ended.
    pub fn drain(&self, cx: &mut Context<'_>) -> Result<usize, WireFault> {
        let mut inner = self.lock();
        let mut stray = std::mem::take(&mut inner.received).len() + std::mem::take(&mut inner.line).len();
        inner.outgoing.clear();
        inner.request.clear();
        inner.ready.clear();
        inner.waiting = false;
        inner.seen = None;
        inner.fatal = None;
        inner.suspicious = false;
        inner.stripped = false;
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

    /// Why the request failed, as far as the bytes tell; a plain timeout otherwise.
    pub fn fault(&self) -> WireFault {
        let inner = self.lock();
        if let Some(fault) = inner.fatal.clone().or_else(|| inner.seen.clone()) {
            return fault;
        }
        match (inner.received.len() + inner.line.len(), inner.announced()) {
            (0, _) => WireFault::Timeout,
            (got, Some(wanted)) => WireFault::Incomplete { got, wanted },
            (got, None) => WireFault::Garbled(got),
        }
    }

    /// Whether the answer is byte for byte the one before it, to another request: it may be that one again.
    pub fn is_suspicious(&self) -> bool {
        self.lock().suspicious
    }

    /// Frames dropped and echoes stripped since the stream was opened.
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
        // A client that was rebuilt counts its transactions from 0 again: a late answer of an old one would fit.
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
            inner.sift();
            if inner.fatal.is_some() {
                return Poll::Ready(Err(io::Error::from(io::ErrorKind::InvalidData)));
            }
        }
    }
}

impl Inner {
    /// Sends a whole frame as a line; the client wrote it in one piece, and is told so once the last character is gone.
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

    /// Looks for the answer among what was received; everything that is not it is dropped and remembered.
    fn sift(&mut self) {
        if !self.waiting {
            self.received.clear();
            return;
        }
        let found = match self.framing {
            Framing::Tcp => self.sift_tcp(),
            Framing::Rtu | Framing::Ascii => self.sift_rtu(),
        };
        if let Some(frame) = found {
            self.waiting = false;
            let other = |last: &(Vec<u8>, Vec<u8>)| last.0 != self.request && last.1 == frame;
            self.suspicious = self.framing != Framing::Tcp && self.last.as_ref().is_some_and(other);
            self.last = Some((self.request.clone(), frame.clone()));
            self.ready = frame;
        } else if self.received.len() + self.line.len() > limits::STRAY_BYTES_MAX {
            self.fatal =
                Some(WireFault::OutOfStep(format!("{} bytes and no answer among them", self.received.len())));
        }
    }

    /// On TCP: the length of the frame under way, as its header announces it.
    fn announced(&self) -> Option<usize> {
        let header: &[u8; 6] =
            self.received.get(..6).filter(|_| self.framing == Framing::Tcp)?.try_into().ok()?;
        let [.., high, low] = *header;
        Some(6 + usize::from(u16::from_be_bytes([high, low])))
    }

    fn note(&mut self, fault: WireFault) {
        self.dropped += 1;
        self.seen = Some(fault);
    }

    fn sift_tcp(&mut self) -> Option<Vec<u8>> {
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
            match judge(asked, self.accept.unit(unit, asked_unit), frame.get(7..).unwrap_or(&[])) {
                Ok(()) => {
                    // The client is to see its own transaction id and unit again.
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

    fn sift_rtu(&mut self) -> Option<Vec<u8>> {
        // An adapter that echoes: the request comes back before the answer. The answer to a write of one register or coil
        // equals its request: there only an adapter that is known to echo is thought to have echoed.
        let is_own_answer = matches!(self.request.get(1), Some(5 | 6));
        let is_new = !self.stripped && self.received.starts_with(&self.request);
        if is_new && (self.echoes || !is_own_answer) {
            self.received.drain(..self.request.len());
            self.dropped += 1;
            self.stripped = true;
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
            match judge(&asked, unit, frame.get(1..length - 2).unwrap_or(&[])) {
                Ok(()) if found.as_ref().is_some_and(|f| *f != frame) => {
                    self.note(WireFault::Doubled);
                    found = None;
                    break;
                }
                Ok(()) => found = Some(frame),
                Err(fault) => self.note(fault),
            }
        }
        // Whole frames are worked off; what may be the beginning of one stays.
        self.received.drain(..keep_from.min(self.received.len()));
        found
    }
}

/// Length of the RTU frame that would begin here, by its function; nothing for functions that are not asked.
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

/// Length of the RTU frame of an identification: its objects' own lengths tell (6.21).
fn identification_length(bytes: &[u8]) -> Option<usize> {
    let count = *bytes.get(7)?;
    let end = (0..count).try_fold(8_usize, |at, _| Some(at + 2 + usize::from(*bytes.get(at + 1)?)))?;
    (bytes.get(2) == Some(&0x0E)).then_some(end + 2)
}

/// Whether a frame (function and data, without header and checksum) answers what was asked (unit, function, data).
fn judge(asked: &[u8], unit: u8, pdu: &[u8]) -> Result<(), WireFault> {
    let (Some(asked_unit), Some(asked_function)) = (asked.first(), asked.get(1)) else {
        return Err(WireFault::Foreign("nothing was asked".to_owned()));
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
        // The same kind of identification, read in the same way.
        let same = pdu.get(1..3) == asked.get(2..4) && pdu.len() >= 7;
        return if same { Ok(()) } else { Err(WireFault::Foreign("another identification".to_owned())) };
    }
    let count = match asked.get(4..6) {
        Some([high, low]) => usize::from(u16::from_be_bytes([*high, *low])),
        _ => 0,
    };
    let wanted = match function {
        1 | 2 => count.div_ceil(8),
        3 | 4 => count * 2,
        // Writes are answered with the address and value, or address and count, of the request.
        5 | 6 | 15 | 16 => {
            let same = pdu.get(1..5) == asked.get(2..6) && pdu.len() == 5;
            return if same {
                Ok(())
            } else {
                Err(WireFault::Foreign("a write of something else".to_owned()))
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
