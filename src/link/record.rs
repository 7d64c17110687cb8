//! The last frames of a link, in a bounded buffer that drops the oldest first. `andon capture` reads them.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::{fmt, io};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::wire::Stream;
use crate::ambient::Clock;
use crate::limits;
use crate::profile::Frame;
use crate::words::Now;

/// The stored frames; `bytes` is the sum of their lengths.
#[derive(Default)]
struct Ring {
    frames: VecDeque<Frame>,
    bytes: usize,
    /// The time of the last byte of the last frame, in microseconds since 1970.
    last_us: i64,
}

/// The last frames of a link. Clones share one buffer.
#[derive(Clone, Default)]
pub struct WireRecord(Arc<Mutex<Ring>>);

impl fmt::Debug for WireRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WireRecord")
    }
}

impl WireRecord {
    /// Adds bytes to the record. Bytes that follow others in the same direction without a pause belong to the same
    /// frame, because serial drivers deliver a frame in pieces.
    pub fn note(&self, now: Now, is_sent: bool, bytes: &[u8]) {
        let at_us = now.wall.millis().saturating_mul(1000);
        let mut ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ring = &mut *ring;
        let pause = limits::FRAME_PAUSE.as_micros();
        let follows = u128::from(at_us.abs_diff(ring.last_us)) <= pause;
        ring.last_us = at_us;
        let kept = bytes.get(..limits::FRAME_BYTES_MAX).unwrap_or(bytes);
        match ring.frames.back_mut() {
            Some(last)
                if follows
                    && last.is_sent == is_sent
                    && last.bytes.len() + kept.len() <= limits::FRAME_BYTES_MAX =>
            {
                last.bytes.extend(kept);
            }
            _ => ring.frames.push_back(Frame { at_us, is_sent, bytes: kept.to_vec() }),
        }
        ring.bytes += kept.len();
        while ring.bytes > limits::WIRE_RECORD_BYTES || ring.frames.len() > limits::WIRE_RECORD_FRAMES {
            let Some(first) = ring.frames.pop_front() else { break };
            ring.bytes = ring.bytes.saturating_sub(first.bytes.len());
        }
    }

    /// The frames that began at `from_us` (microseconds since 1970) or later.
    #[must_use]
    pub fn since(&self, from_us: i64) -> Vec<Frame> {
        let ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ring.frames.iter().filter(|f| f.at_us >= from_us).cloned().collect()
    }
}

/// A stream that records every byte that is read or written.
pub(super) struct Tapped {
    pub io: Box<dyn Stream>,
    pub record: WireRecord,
    pub clock: Clock,
}

impl AsyncRead for Tapped {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let done = Pin::new(&mut self.io).poll_read(cx, buf);
        if let Some(fresh) = buf.filled().get(before..).filter(|f| !f.is_empty()) {
            self.record.note(self.clock.now(), false, fresh);
        }
        done
    }
}

impl AsyncWrite for Tapped {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.io).poll_write(cx, bytes);
        if let Poll::Ready(Ok(n)) = &done {
            self.record.note(self.clock.now(), true, bytes.get(..*n).unwrap_or(&[]));
        }
        done
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::{Mono, Wall};

    #[test]
    fn pieces_make_frames_and_the_ring_is_bounded() {
        let record = WireRecord::default();
        let at = |ms: i64| Now { mono: Mono(0), wall: Wall::from_millis(ms) };
        record.note(at(1000), true, &[1, 2]);
        record.note(at(1005), false, &[3]);
        record.note(at(1008), false, &[4]);
        record.note(at(2000), false, &[5]);
        let found: Vec<_> = record.since(0).into_iter().map(|f| (f.at_us, f.is_sent, f.bytes)).collect();
        let expected =
            [(1_000_000, true, vec![1, 2]), (1_005_000, false, vec![3, 4]), (2_000_000, false, vec![5])];
        assert_eq!(found, expected);
        assert_eq!(record.since(1_500_000).len(), 1);
        for i in 0..10_000 {
            record.note(at(10_000 + i * 100), i % 2 == 0, &[0; 300]);
        }
        let kept = record.since(0);
        assert!(kept.len() <= limits::WIRE_RECORD_FRAMES);
        assert!(kept.iter().map(|f| f.bytes.len()).sum::<usize>() <= limits::WIRE_RECORD_BYTES);
        assert_eq!(kept.last().map(|f| f.at_us), Some((10_000 + 9_999 * 100) * 1000));
    }
}
