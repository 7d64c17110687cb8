//! The recorder: keeps the readings of the last days, compressed, within a limit of disk space.
//!
//! The recorder collects samples in memory, encodes the samples as one block, and appends the block to a segment in one
//! write. If the disk budget is used up, the oldest segments are deleted. The recorder does not know the meaning of a
//! reading, and does not keep texts.
//!
//! Readings are not part of the tamper-evident record. A power failure can lose the last minutes. A torn or damaged
//! block is skipped; all other blocks are still read.
//!
//! ```
//! use andon::recorder::{Recorder, Wanted};
//! use andon::words::Wall;
//!
//! let folder = tempfile::tempdir().unwrap();
//! let (recorder, thread) = Recorder::start(folder.path().to_owned(), 1 << 20).unwrap();
//! // The daemon calls `recorder.note(&equipment, &readings)` for each response of a device.
//! let wanted = [Wanted { equipment: "press-7", point: "current" }];
//! let found = recorder.samples(Wall::from_millis(0), Wall::from_millis(60_000), &wanted).unwrap();
//! assert!(found[0].is_empty(), "nothing is recorded yet");
//! recorder.stop();
//! thread.join().unwrap();
//! ```
//!
//! The API reads samples for `andon samples`. The daemon reads them at the start (windows and delays) and when a ticket
//! opens (the trace of the ticket).

mod block;
mod buffer;
mod segments;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use buffer::Buffer;
use segments::Segments;

use crate::limits;
use crate::site::Equipment;
use crate::words::{Mono, PointIndex, Reading, Value, Wall};

/// One recorded reading of a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// The time at which the reading arrived.
    pub at: Wall,
    /// The value in the unit of the point; `true` is 1 and `false` is 0. `None` for a bad reading.
    pub value: Option<f64>,
}

impl Sample {
    /// Sorts the samples of one point by time and removes samples that were found twice. [`Recorder::each`] returns samples
    /// in no particular order.
    pub fn in_order(series: &mut Vec<Sample>) {
        series.sort_by_key(|s| s.at);
        // A buffer that reached the disk during the search was found in memory and on disk.
        series.dedup_by(|b, a| a.at == b.at && a.value.map(f64::to_bits) == b.value.map(f64::to_bits));
    }
}

/// One point of one piece of equipment whose samples are wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The id of the equipment.
    pub equipment: &'a str,
    /// The name of the point.
    pub point: &'a str,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    woken: Condvar,
    folder: PathBuf,
}

#[derive(Debug, Default)]
struct State {
    open: Buffer,
    /// Time of the first sample in the open buffer; `None` if the buffer is empty.
    since: Option<Mono>,
    /// Full buffers that wait to be written. Queries search these buffers too.
    leaving: VecDeque<Arc<Buffer>>,
    /// Number of samples lost because the disk was too slow or failed.
    dropped: u64,
    /// The error of the last write; `None` if the last write succeeded.
    failure: Option<String>,
    is_over: bool,
}

/// A handle to the recorder. All clones share the same buffers.
#[derive(Debug, Clone)]
pub struct Recorder(Arc<Shared>);

impl Recorder {
    /// Opens a folder for writing and starts the thread that writes. [`Self::stop`] ends the thread. `budget` is the
    /// largest size of all segments together, in bytes.
    ///
    /// # Errors
    /// The error of the operating system.
    pub fn start(folder: PathBuf, budget: u64) -> io::Result<(Self, JoinHandle<()>)> {
        let segments = Segments::open(&folder, budget)?;
        let recorder = Self::reading(folder);
        let shared = recorder.0.clone();
        let thread = std::thread::Builder::new()
            .name("recorder".to_owned())
            .spawn(move || write(&shared, segments))?;
        Ok((recorder, thread))
    }

    /// Returns a recorder that reads the segments of a folder and never writes.
    #[must_use]
    pub fn reading(folder: PathBuf) -> Self {
        Self(Arc::new(Shared { state: Mutex::default(), woken: Condvar::new(), folder }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records the readings of one response. A missing response is not recorded.
    pub fn note(&self, equipment: &Equipment, readings: &[(PointIndex, Reading)]) {
        let Some(now) = readings.first().map(|(_, r)| r.at) else { return };
        let mut state = self.state();
        let is_reading = |r: &Reading| !matches!(&r.value, Err(why) if why.is_no_reading());
        let samples =
            readings.iter().filter(|(_, r)| is_reading(r)).filter_map(|(p, r)| Some((*p, kept(&r.value)?)));
        state.open.note(equipment, now.wall, samples);
        let since = *state.since.get_or_insert(now.mono);
        if state.open.samples() >= limits::RECORDER_BUFFERED
            || now.mono.since(since) >= limits::RECORDER_EVERY
        {
            self.hand_over(&mut state);
        }
    }

    /// Puts the open buffer in the queue of the writing thread. If the queue is full, drops the oldest buffer that is
    /// not being written.
    fn hand_over(&self, state: &mut State) {
        let full = std::mem::take(&mut state.open);
        state.since = None;
        if full.samples() == 0 {
            return;
        }
        // The writing thread may be writing the first buffer, so drop the second.
        if state.leaving.len() >= limits::RECORDER_LEAVING
            && let Some(lost) = state.leaving.remove(1)
        {
            state.dropped += lost.samples() as u64;
        }
        state.leaving.push_back(Arc::new(full));
        self.0.woken.notify_one();
    }

    /// Tells the thread to write all buffered samples and then to end.
    pub fn stop(&self) {
        let mut state = self.state();
        self.hand_over(&mut state);
        state.is_over = true;
        self.0.woken.notify_one();
    }

    /// Returns the error of the last write (`None` if it succeeded), and the number of samples lost since the start.
    #[must_use]
    pub fn trouble(&self) -> (Option<String>, u64) {
        let state = self.state();
        (state.failure.clone(), state.dropped)
    }

    /// Returns the number of full buffers that are not on disk yet.
    #[must_use]
    pub fn backlog(&self) -> usize {
        self.state().leaving.len()
    }

    /// Returns the samples of each wanted point with `since <= at < until`, sorted by time. The result has one list for
    /// each element of `wanted`, in the same order, and includes samples that are not on disk yet.
    ///
    /// # Errors
    /// The error of the operating system.
    pub fn samples(&self, since: Wall, until: Wall, wanted: &[Wanted<'_>]) -> io::Result<Vec<Vec<Sample>>> {
        let place = |equipment: &str, point: &str| {
            wanted.iter().position(|w| w.equipment == equipment && w.point == point)
        };
        let mut found = vec![Vec::new(); wanted.len()];
        let mut keep = |equipment: &str, point: &str, sample: Sample| {
            let series = place(equipment, point).and_then(|at| found.get_mut(at));
            series.into_iter().for_each(|s: &mut Vec<Sample>| s.push(sample));
        };
        self.each(since, until, &|equipment, point| place(equipment, point).is_some(), &mut keep)?;
        found.iter_mut().for_each(Sample::in_order);
        Ok(found)
    }

    /// Calls `each` with the equipment id, the point name and the sample, for every wanted sample with
    /// `since <= at < until`, in no particular order.
    ///
    /// # Errors
    /// The error of the operating system.
    pub fn each(
        &self,
        since: Wall,
        until: Wall,
        is_wanted: &dyn Fn(&str, &str) -> bool,
        each: &mut dyn FnMut(&str, &str, Sample),
    ) -> io::Result<()> {
        let buffers: Vec<Arc<Buffer>> = {
            let state = self.state();
            state.leaving.iter().cloned().chain([Arc::new(state.open.clone())]).collect()
        };
        segments::read(&self.0.folder, (since, until), is_wanted, each)?;
        for buffer in buffers {
            buffer.find((since, until), is_wanted, each);
        }
        Ok(())
    }
}

/// Converts a reading into a sample value: NaN for a bad reading, `None` for a text.
#[expect(clippy::cast_precision_loss, reason = "samples are f64, as documented")]
fn kept<E>(value: &Result<Value, E>) -> Option<f64> {
    match value {
        Ok(Value::Real(r)) => Some(*r),
        Ok(Value::Integer(i)) => Some(*i as f64),
        Ok(Value::Bool(b)) => Some(f64::from(u8::from(*b))),
        Ok(Value::Text(_)) => None,
        Err(_) => Some(f64::NAN),
    }
}

/// The writing thread: writes one full buffer after the other, until [`Recorder::stop`].
fn write(shared: &Shared, mut segments: Segments) {
    let lock = || shared.state.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let next = {
            let mut state = lock();
            while state.leaving.is_empty() && !state.is_over {
                state = shared.woken.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            match state.leaving.front() {
                Some(buffer) => buffer.clone(),
                None => return,
            }
        };
        let done = block::encode(&next).map_err(io::Error::other).and_then(|bytes| segments.append(&bytes));
        let mut state = lock();
        match done {
            Ok(()) => state.failure = None,
            Err(e) => {
                // Readings may be lost, unlike events: drop this buffer and try to write the next.
                state.failure = Some(e.to_string());
                state.dropped += next.samples() as u64;
            }
        }
        if state.leaving.front().is_some_and(|front| Arc::ptr_eq(front, &next)) {
            state.leaving.pop_front();
        }
    }
}
