//! Readings of the last days, compressed, within a disk budget.
//!
//! *Must not know* what a reading means. Samples are buffered in memory, encoded as one block and appended to a segment in
//! one write; the oldest segments go when the budget is spent. Readings are not the record: a power cut may take the
//! last minutes, and a torn or damaged block is passed over, never the rest. Texts are not kept.

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

/// A reading, as it is kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// When it arrived.
    pub at: Wall,
    /// Its value: numbers as they are, true as 1; nothing for a bad reading.
    pub value: Option<f64>,
}

impl Sample {
    /// Puts the samples of a point, as [`Recorder::each`] gives them, in order of time.
    pub fn in_order(series: &mut Vec<Sample>) {
        series.sort_by_key(|s| s.at);
        // A buffer that reached the disk in between was found twice.
        series.dedup_by(|b, a| a.at == b.at && a.value.map(f64::to_bits) == b.value.map(f64::to_bits));
    }
}

/// Whose samples are wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Of which equipment.
    pub equipment: &'a str,
    /// Of which point.
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
    /// When the oldest sample of the open buffer came.
    since: Option<Mono>,
    /// Buffers on their way to the disk; they are searched until they are there.
    leaving: VecDeque<Arc<Buffer>>,
    /// Samples that were let go because the disk was too slow or away.
    dropped: u64,
    failure: Option<String>,
    is_over: bool,
}

/// The recorder; cheap to clone.
#[derive(Debug, Clone)]
pub struct Recorder(Arc<Shared>);

impl Recorder {
    /// Opens a folder for writing and starts the thread that does. The thread ends with [`Self::stop`].
    ///
    /// # Errors
    /// What the operating system says.
    pub fn start(folder: PathBuf, budget: u64) -> io::Result<(Self, JoinHandle<()>)> {
        let segments = Segments::open(&folder, budget)?;
        let recorder = Self::reading(folder);
        let shared = recorder.0.clone();
        let thread = std::thread::Builder::new()
            .name("recorder".to_owned())
            .spawn(move || write(&shared, segments))?;
        Ok((recorder, thread))
    }

    /// A recorder that only reads what is there.
    #[must_use]
    pub fn reading(folder: PathBuf) -> Self {
        Self(Arc::new(Shared { state: Mutex::default(), woken: Condvar::new(), folder }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the readings of one answer.
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

    fn hand_over(&self, state: &mut State) {
        let full = std::mem::take(&mut state.open);
        state.since = None;
        if full.samples() == 0 {
            return;
        }
        // The first one is being written: what comes of that is counted there.
        if state.leaving.len() >= limits::RECORDER_LEAVING
            && let Some(lost) = state.leaving.remove(1)
        {
            state.dropped += lost.samples() as u64;
        }
        state.leaving.push_back(Arc::new(full));
        self.0.woken.notify_one();
    }

    /// Writes what is buffered and ends the thread.
    pub fn stop(&self) {
        let mut state = self.state();
        self.hand_over(&mut state);
        state.is_over = true;
        self.0.woken.notify_one();
    }

    /// Why samples cannot be written, while they cannot, and how many were let go so far.
    #[must_use]
    pub fn trouble(&self) -> (Option<String>, u64) {
        let state = self.state();
        (state.failure.clone(), state.dropped)
    }

    /// Full buffers that are on their way to the disk.
    #[must_use]
    pub fn backlog(&self) -> usize {
        self.state().leaving.len()
    }

    /// The samples of each point that is wanted, in order of time, those not yet on disk as well; in one pass over what is
    /// recorded.
    ///
    /// # Errors
    /// What the operating system says.
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

    /// Every sample that is wanted, given to `each` with its equipment and point, in no order.
    ///
    /// # Errors
    /// What the operating system says.
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

/// What is kept of a reading: nothing of a text.
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
                // Readings are not the record: they are let go, and the next block tries again.
                state.failure = Some(e.to_string());
                state.dropped += next.samples() as u64;
            }
        }
        if state.leaving.front().is_some_and(|front| Arc::ptr_eq(front, &next)) {
            state.leaving.pop_front();
        }
    }
}
