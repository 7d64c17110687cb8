//! Statistics and last answers of one link and of each piece of equipment on it, for `status` and `why`.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::record::WireRecord;
use crate::limits;
use crate::site::Site;
use crate::words::{EquipmentId, EquipmentIndex, Now, worded};

worded! {
    /// The state of a link or of a piece of equipment.
    #[derive(PartialOrd, Ord)]
    pub enum LinkState {
        /// Every request is answered.
        Online = "online",
        /// Some requests are not answered, or some answers are errors.
        Degraded = "degraded",
        /// No request is answered, or the link cannot be opened.
        Offline = "offline",
    }
}

/// The request that an answer belongs to, as the key under which the answer is stored.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum AnswerKey {
    /// A read of registers or bits: the word of the area, and the first register.
    Read(&'static str, u16),
    /// A serial request or stream, an MQTT topic, or a Sparkplug metric, by name.
    Named(String),
}

/// The last answer to one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastAnswer {
    /// The request as text, for example `unit 3 read holding 40..59`.
    pub request: String,
    /// The content of the answer as text; empty if the answer contains registers.
    pub text: String,
    /// The registers in the answer, beginning with register `start`; empty if the answer is text.
    pub words: Vec<u16>,
    /// The number of the first register.
    pub start: u16,
    /// The time when the answer arrived.
    pub at: Now,
    /// The time from the request to the answer.
    pub took: Duration,
}

/// Statistics and last answers of one piece of equipment.
#[derive(Debug, Clone)]
pub struct EquipmentStats {
    /// The present state.
    pub state: LinkState,
    /// The time when `state` last changed.
    pub since: Now,
    /// Requests sent since the link's task started.
    pub requests: u64,
    /// Failed requests since the link's task started, by kind (`WireFault::kind` and `exception-N`).
    pub errors: BTreeMap<String, u64>,
    /// The reason for the state, as a sentence for people.
    pub message: String,
    /// The times that the last answers took, oldest first; at most [`limits::ANSWER_TIMES_KEPT`].
    pub answer_times: VecDeque<Duration>,
    /// The last answer to each request.
    pub last: BTreeMap<AnswerKey, LastAnswer>,
    /// Reads that were skipped because their time passed before they could be sent.
    pub missed: u64,
    /// The part of `missed` that was skipped although the equipment answered: the line had no time for these reads.
    pub late: u64,
    /// The time when `late` last grew; `None` if it is 0.
    pub late_at: Option<Now>,
}

/// Statistics of one link.
#[derive(Debug, Clone)]
pub struct LinkStats {
    /// The link's name in `andon.toml`.
    pub name: String,
    /// The present state.
    pub state: LinkState,
    /// The time when `state` last changed.
    pub since: Now,
    /// Requests sent since the link's task started.
    pub requests: u64,
    /// Failures of the link itself since the link's task started, by kind.
    pub errors: BTreeMap<String, u64>,
    /// The reason for the state, as a sentence for people.
    pub message: String,
    /// The time from which `busy` is counted: the start of the link's task.
    pub begun: Now,
    /// The total time since `begun` in which the line was in use.
    pub busy: Duration,
    /// The equipment on this link.
    pub equipment: BTreeMap<EquipmentId, EquipmentStats>,
}

/// Statistics shared by a link's task, which writes them, and `status`, which reads them. The lock is never held
/// across an `await`.
#[derive(Debug, Clone)]
pub struct LinkBoard {
    stats: Arc<Mutex<LinkStats>>,
    record: WireRecord,
}

impl LinkBoard {
    /// Statistics of a link that has not been opened yet.
    #[must_use]
    pub fn new(name: &str, equipment: impl IntoIterator<Item = EquipmentId>, now: Now) -> Self {
        let stats = Arc::new(Mutex::new(LinkStats {
            name: name.to_owned(),
            state: LinkState::Offline,
            since: now,
            requests: 0,
            errors: BTreeMap::new(),
            message: "not opened yet".to_owned(),
            begun: now,
            busy: Duration::ZERO,
            equipment: BTreeMap::new(),
        }));
        let board = Self { stats, record: WireRecord::default() };
        board.set_equipment(equipment, now);
        board
    }

    /// Sets the equipment of the link. Statistics of equipment that was already on the link are kept.
    pub fn set_equipment(&self, equipment: impl IntoIterator<Item = EquipmentId>, now: Now) {
        let blank = EquipmentStats {
            state: LinkState::Offline,
            since: now,
            requests: 0,
            errors: BTreeMap::new(),
            message: "no request sent yet".to_owned(),
            answer_times: VecDeque::new(),
            last: BTreeMap::new(),
            missed: 0,
            late: 0,
            late_at: None,
        };
        let mut stats = self.lock();
        let mut known = std::mem::take(&mut stats.equipment);
        stats.equipment = equipment
            .into_iter()
            .map(|id| {
                let of = known.remove(&id).unwrap_or_else(|| blank.clone());
                (id, of)
            })
            .collect();
    }

    /// Locks the statistics for reading or writing.
    pub fn lock(&self) -> MutexGuard<'_, LinkStats> {
        self.stats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last frames on the link.
    #[must_use]
    pub fn record(&self) -> &WireRecord {
        &self.record
    }
}

impl LinkStats {
    /// Sets the state of the link and its reason.
    pub fn set_state(&mut self, state: LinkState, message: &str, now: Now) {
        if self.state != state {
            self.since = now;
        }
        self.state = state;
        message.clone_into(&mut self.message);
    }

    /// The statistics of a piece of equipment of the site; `None` if the equipment is not on this link.
    pub fn of(&mut self, site: &Site, index: EquipmentIndex) -> Option<&mut EquipmentStats> {
        self.equipment.get_mut(&site.equipment.get(index.0)?.id)
    }

    /// The line load: the share of time in which the line was in use, from 0 to 1.
    #[must_use]
    pub fn line_use(&self, now: Now) -> f64 {
        let served = now.mono.since(self.begun.mono).as_secs_f64();
        // A request that was under way when the count began can make the share greater than 1.
        if served > 0.0 { (self.busy.as_secs_f64() / served).min(1.0) } else { 0.0 }
    }

    /// Counts one failure of the link itself.
    pub fn count_error(&mut self, kind: &str) {
        *self.errors.entry(kind.to_owned()).or_default() += 1;
    }
}

impl EquipmentStats {
    /// Sets the state of the equipment and its reason.
    pub fn set_state(&mut self, state: LinkState, message: &str, now: Now) {
        if self.state != state {
            self.since = now;
        }
        self.state = state;
        if self.message != message {
            message.clone_into(&mut self.message);
        }
    }

    /// Adds the time that an answer took.
    pub fn note_time(&mut self, took: Duration) {
        if self.answer_times.len() >= limits::ANSWER_TIMES_KEPT {
            self.answer_times.pop_front();
        }
        self.answer_times.push_back(took);
    }

    /// The time within which this share (0 to 1) of the last answers arrived: 0.5 gives the median. `None` without
    /// answers.
    #[must_use]
    pub fn answer_time(&self, share: f64) -> Option<Duration> {
        let mut times: Vec<Duration> = self.answer_times.iter().copied().collect();
        times.sort_unstable();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "an index into 256"
        )]
        let at = ((times.len() as f64 - 1.0) * share).round().max(0.0) as usize;
        times.get(at).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::{Mono, Wall};

    /// A time that is a day after the start of the monotonic clock: the clock is older than the program.
    fn at(ms: u64) -> Now {
        Now { mono: Mono((86_400_000 + ms) * 1_000_000), wall: Wall::from_millis(0) }
    }

    #[test]
    fn the_use_of_a_line_counts_from_its_own_beginning() {
        let board = LinkBoard::new("l", [], at(0));
        assert!(board.lock().line_use(at(0)).abs() < 1e-9);
        board.lock().busy = Duration::from_millis(160);
        // The line was in use for 160 ms: 16 % of one second.
        assert!((board.lock().line_use(at(1000)) - 0.16).abs() < 1e-9);
        assert!((board.lock().line_use(at(4000)) - 0.04).abs() < 1e-9);
    }

    #[test]
    fn answer_times_are_those_of_the_last_answers() {
        let id = EquipmentId::parse("e").unwrap();
        let board = LinkBoard::new("l", [id.clone()], at(0));
        let mut stats = board.lock();
        let e = stats.equipment.get_mut(&id).unwrap();
        assert_eq!(e.answer_time(0.5), None);
        for ms in (1..=99).rev() {
            e.note_time(Duration::from_millis(ms));
        }
        // The median of 1 to 99 is 50; 97 of these values are less than 98.
        assert_eq!(e.answer_time(0.5), Some(Duration::from_millis(50)));
        assert_eq!(e.answer_time(0.99), Some(Duration::from_millis(98)));
        for _ in 0..limits::ANSWER_TIMES_KEPT {
            e.note_time(Duration::from_millis(7));
        }
        assert_eq!(e.answer_time(0.99), Some(Duration::from_millis(7)));
    }
}
