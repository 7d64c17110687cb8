//! What is known of links and of each piece of equipment on them, for `status` and `why`.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::record::WireRecord;
use crate::limits;
use crate::site::Site;
use crate::words::{EquipmentId, EquipmentIndex, Now, worded};

worded! {
    /// How a link or a piece of equipment is.
    #[derive(PartialOrd, Ord)]
    pub enum LinkState {
        /// It answers.
        Online = "online",
        /// It answers, not always or not everything.
        Degraded = "degraded",
        /// It does not.
        Offline = "offline",
    }
}

/// What an answer is remembered under.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum AnswerKey {
    /// A read of registers: the area's word and the first register.
    Read(&'static str, u16),
    /// A serial request or stream, an MQTT topic, a Sparkplug metric.
    Named(String),
}

/// The last answer to one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastAnswer {
    /// The request, as `unit 3 read holding 40..59`.
    pub request: String,
    /// What it brought, where that is no registers.
    pub text: String,
    /// The registers it brought, from `start` on.
    pub words: Vec<u16>,
    /// The first register.
    pub start: u16,
    /// When it arrived.
    pub at: Now,
    /// How long it took.
    pub took: Duration,
}

/// What is known of one piece of equipment on a link.
#[derive(Debug, Clone)]
pub struct EquipmentStats {
    /// How it is.
    pub state: LinkState,
    /// Since when.
    pub since: Now,
    /// Requests sent.
    pub requests: u64,
    /// Failures by kind.
    pub errors: BTreeMap<String, u64>,
    /// What is wrong, as a sentence.
    pub message: String,
    /// Times of the last answers.
    pub answer_times: VecDeque<Duration>,
    /// The last answer to each request.
    pub last: BTreeMap<AnswerKey, LastAnswer>,
    /// Requests whose turn came too late.
    pub missed: u64,
    /// Of those, the ones missed although everything was answered.
    pub late: u64,
    /// When that was last.
    pub late_at: Option<Now>,
}

/// What is known of a link.
#[derive(Debug, Clone)]
pub struct LinkStats {
    /// Its name.
    pub name: String,
    /// How it is.
    pub state: LinkState,
    /// Since when.
    pub since: Now,
    /// Requests sent.
    pub requests: u64,
    /// Failures by kind.
    pub errors: BTreeMap<String, u64>,
    /// What is wrong, as a sentence.
    pub message: String,
    /// Since when it is served.
    pub begun: Now,
    /// Time the line was in use.
    pub busy: Duration,
    /// Its equipment.
    pub equipment: BTreeMap<EquipmentId, EquipmentStats>,
}

/// Shared between a link's task, which writes, and `status`, which reads; never held across an await.
#[derive(Debug, Clone)]
pub struct LinkBoard {
    stats: Arc<Mutex<LinkStats>>,
    record: WireRecord,
}

impl LinkBoard {
    /// A link that has not been opened yet.
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

    /// From here on this is the link's equipment; what is known of those that stay is kept.
    pub fn set_equipment(&self, equipment: impl IntoIterator<Item = EquipmentId>, now: Now) {
        let blank = EquipmentStats {
            state: LinkState::Offline,
            since: now,
            requests: 0,
            errors: BTreeMap::new(),
            message: "not asked yet".to_owned(),
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

    /// A look at it.
    pub fn lock(&self) -> MutexGuard<'_, LinkStats> {
        self.stats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The link's last frames.
    #[must_use]
    pub fn record(&self) -> &WireRecord {
        &self.record
    }
}

impl LinkStats {
    /// Notes how the link is.
    pub fn set_state(&mut self, state: LinkState, message: &str, now: Now) {
        if self.state != state {
            self.since = now;
        }
        self.state = state;
        message.clone_into(&mut self.message);
    }

    /// What is known of a piece of equipment of the site.
    pub fn of(&mut self, site: &Site, index: EquipmentIndex) -> Option<&mut EquipmentStats> {
        self.equipment.get_mut(&site.equipment.get(index.0)?.id)
    }

    /// The share of its time that the line was in use, from 0 to 1.
    #[must_use]
    pub fn line_use(&self, now: Now) -> f64 {
        let served = now.mono.since(self.begun.mono).as_secs_f64();
        // A request under way when it was first served began before.
        if served > 0.0 { (self.busy.as_secs_f64() / served).min(1.0) } else { 0.0 }
    }

    /// Counts a failure of the link itself.
    pub fn count_error(&mut self, kind: &str) {
        *self.errors.entry(kind.to_owned()).or_default() += 1;
    }
}

impl EquipmentStats {
    /// Notes how the equipment is.
    pub fn set_state(&mut self, state: LinkState, message: &str, now: Now) {
        if self.state != state {
            self.since = now;
        }
        self.state = state;
        if self.message != message {
            message.clone_into(&mut self.message);
        }
    }

    /// Notes the time of an answer.
    pub fn note_time(&mut self, took: Duration) {
        if self.answer_times.len() >= limits::ANSWER_TIMES_KEPT {
            self.answer_times.pop_front();
        }
        self.answer_times.push_back(took);
    }

    /// The answer time that this share of the last answers kept within.
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

    /// A day after the clock's beginning, which lies far before the program's.
    fn at(ms: u64) -> Now {
        Now { mono: Mono((86_400_000 + ms) * 1_000_000), wall: Wall::from_millis(0) }
    }

    #[test]
    fn the_use_of_a_line_counts_from_its_own_beginning() {
        let board = LinkBoard::new("l", [], at(0));
        assert!(board.lock().line_use(at(0)).abs() < 1e-9);
        board.lock().busy = Duration::from_millis(160);
        // 160 ms of a second are 16 %.
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
        // The middle of 1 to 99 is 50; 97 of them are below 98.
        assert_eq!(e.answer_time(0.5), Some(Duration::from_millis(50)));
        assert_eq!(e.answer_time(0.99), Some(Duration::from_millis(98)));
        for _ in 0..limits::ANSWER_TIMES_KEPT {
            e.note_time(Duration::from_millis(7));
        }
        assert_eq!(e.answer_time(0.99), Some(Duration::from_millis(7)));
    }
}
