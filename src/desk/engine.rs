//! The engine itself.

mod asked;
mod begun;
mod change;
mod durable;
mod held;
mod judged;
mod links;
mod reactions;
mod record;
mod reloaded;
mod snapshot;
mod suppression;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::checks::Check;
use super::command::{Draft, Input, Output, Token};
use super::event::{NotRecordable, Record};
use super::rooms::Event;
use super::state::{State, Touched};
use super::timers::{Timer, Timers};
use change::{Change, Origin, Unwritten};
use held::Held;
pub use snapshot::{Snapshot, Suppressed, Unrecorded};
pub use suppression::Hidden;

use crate::alarm::{Bursts, Chatter, Key, unshelved};
use crate::detect::{BaselineEvent, Detector};
use crate::gateway::GatewayEvent;
use crate::limits;
use crate::site::Site;
use crate::ticket::{LogEntry, Ticket};
use crate::words::{Author, LinkName, Mono, Now, Refusal, Rule, Seq};
use crate::writing::Orders;

/// The engine: inputs in, outputs out, nothing else.
#[derive(Debug)]
pub struct Desk {
    site: Arc<Site>,
    /// What is true of every fault's condition.
    detector: Detector,
    state: State,
    /// What is on disk: an earlier handle on `state`.
    durable: State,
    /// Handles on `state` as it was at the end of each turn that decided something and is not on disk yet.
    turns: VecDeque<State>,
    next_seq: Seq,
    unwritten: VecDeque<Unwritten>,
    waiting: VecDeque<Change>,
    /// Machine changes that were dropped because too many waited.
    changes_dropped: u64,
    retry_at: Option<Mono>,
    not_writable: Option<String>,
    checks: Vec<(Check, Mono)>,
    timers: Timers,
    /// Events that could not be recorded because of a bug.
    not_recordable: u64,
    /// Conditions that are there and make no alarm.
    held: BTreeMap<Key, Held>,
    /// The event after which it was last looked for what is no longer held back.
    released_at: Option<Seq>,
    chatter: Chatter,
    bursts: Bursts,
    /// Links that are away.
    away: BTreeMap<LinkName, links::Away>,
    /// Orders to write, with who asked.
    orders: Orders<(Token, Author)>,
    outputs: VecDeque<Output>,
    last: Now,
    /// Whether a daemon reads equipment; a single command does not, and records neither start nor stop.
    reads: bool,
    /// Whether the stop was decided: it is the last event, and nothing is decided after it.
    is_stopping: bool,
}

impl Desk {
    /// Takes up where the journal ends: `state` is everything it adds up to.
    #[must_use]
    pub fn new(site: Arc<Site>, state: State, now: Now) -> Self {
        let mut detector = Detector::new(site.clone(), now);
        for ((equipment, fault), model) in &state.baselines.models {
            detector.restore_baseline(equipment.as_str(), fault.as_str(), model);
        }
        let mut timers = Timers::default();
        timers.start(&state, now);
        Self {
            site,
            detector,
            next_seq: state.seq.next(),
            durable: state.clone(),
            turns: VecDeque::new(),
            state,
            unwritten: VecDeque::new(),
            waiting: VecDeque::new(),
            changes_dropped: 0,
            retry_at: None,
            not_writable: None,
            checks: Vec::new(),
            timers,
            not_recordable: 0,
            held: BTreeMap::new(),
            released_at: None,
            chatter: Chatter::default(),
            bursts: Bursts::default(),
            away: BTreeMap::new(),
            orders: Orders::default(),
            outputs: VecDeque::new(),
            last: now,
            reads: true,
            is_stopping: false,
        }
    }

    /// The live state as it is on disk.
    #[must_use]
    pub fn recorded(&self) -> &State {
        &self.durable
    }

    /// The site in force.
    #[must_use]
    pub fn site(&self) -> &Arc<Site> {
        &self.site
    }

    /// Why the journal cannot be written, while it cannot.
    #[must_use]
    pub fn not_writable(&self) -> Option<&str> {
        self.not_writable.as_deref()
    }

    /// The last event decided, on disk or not.
    #[must_use]
    pub fn decided_seq(&self) -> Seq {
        self.state.seq
    }

    /// Whether everything decided is on disk, and nothing waits to be decided again.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.unwritten.is_empty() && self.waiting.is_empty()
    }

    /// Whether something decided is not on disk yet.
    #[must_use]
    pub fn has_unwritten(&self) -> bool {
        !self.unwritten.is_empty()
    }

    /// The last event that is on disk.
    #[must_use]
    pub fn durable_seq(&self) -> Seq {
        self.durable.seq
    }

    /// The next output; call until there is none.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call with [`Input::Elapsed`], and why.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<(Mono, &'static str)> {
        let ending = self.timers.next().map(|at| (at, "the end of a watch or of shelving"));
        let checks = self.checks.iter().map(|(_, at)| (*at, "a check"));
        let retry = self.retry_at.map(|at| (at, "the journal is tried again"));
        let detect = self.detector.next_due().map(|at| (at, "a delay, staleness or silence"));
        let held = self.next_held().map(|at| (at, "an alarm that is held back"));
        let links = self.next_link().map(|at| (at, "a link that is away"));
        ending
            .into_iter()
            .chain(links)
            .chain(held)
            .chain(checks)
            .chain(retry)
            .chain(detect)
            .min_by_key(|(at, _)| *at)
    }

    /// Ends everything due up to now, in time order, and only then looks at the input.
    pub fn handle(&mut self, now: Now, input: Input) {
        if self.is_stopping {
            match input {
                Input::Written(seq) => self.written(seq),
                Input::NotWritten(seq, why) => self.not_written(now, seq, why),
                _ => {}
            }
            return;
        }
        if let Input::Paused(length) = &input {
            self.paused(now, *length);
        }
        self.notice_clock_step(now);
        self.detector.elapsed(now);
        self.take_transitions(now);
        self.tell_damped(now);
        self.end_timers(now);
        if self.retry_at.is_some_and(|at| at <= now.mono) {
            self.retry(now);
        }
        match input {
            Input::Readings { equipment, readings, presence } => {
                self.detector.readings(now, equipment, readings, presence);
                self.take_transitions(now);
            }
            Input::Link { link, away } => self.link_news(now, link, away),
            Input::Asked(token, ask) => self.asked(now, token, &ask),
            Input::Carried(id, carried) => self.order_carried(now, id, &carried),
            Input::Reloaded(site) => self.reloaded(now, site),
            Input::Elapsed | Input::Paused(_) => {}
            Input::Writable => self.writable(now),
            Input::Damaged(found) => self.record_damage(now, &found),
            Input::Written(seq) => self.written(seq),
            Input::NotWritten(seq, why) => self.not_written(now, seq, why),
            Input::Stopping => {
                self.is_stopping = true;
                if self.reads {
                    self.machine(now, Change::Gateway(GatewayEvent::Stopped {}));
                }
                self.end_turn();
                return;
            }
        }
        self.raise_links(now);
        self.release(now);
        self.judge_checks(now);
        self.end_turn();
    }

    /// Keeps a handle on what was decided in this turn, until it is on disk.
    fn end_turn(&mut self) {
        let decided = self.turns.back().map_or(self.durable.seq, |s| s.seq);
        if self.state.seq > decided {
            self.turns.push_back(self.state.clone());
        }
    }

    fn notice_clock_step(&mut self, now: Now) {
        let expected = self.last.at(now.mono);
        self.last = now;
        let by_ms = now.wall.millis().saturating_sub(expected.wall.millis());
        if u128::from(by_ms.unsigned_abs()) >= limits::CLOCK_STEP_MIN.as_millis() {
            self.machine(now, Change::Gateway(GatewayEvent::ClockStepped { by_ms }));
            if now.wall.is_set() && !expected.wall.is_set() {
                self.timers.clock_was_set(now);
            }
        }
    }

    fn take_transitions(&mut self, now: Now) {
        for t in self.detector.take_transitions() {
            self.condition(now, t);
        }
        for learned in self.detector.take_learned() {
            self.machine(now, Change::Learned(learned));
        }
    }

    fn end_timers(&mut self, now: Now) {
        while let Some(timer) = self.timers.pop_ended(now.mono) {
            match timer {
                Timer::Watch(number) => self.machine(now, Change::Verified(number)),
                Timer::Shelf(key) => {
                    let held_back = self.held_back(&key);
                    self.machine(now, Change::Alarm(unshelved(key, None, held_back)));
                }
            }
        }
    }

    /// The program did not run for a while: that is neither a step of the wall clock nor time that delays count.
    fn paused(&mut self, now: Now, length: Duration) {
        self.last.wall = self.last.wall.after(length);
        let for_ms = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
        self.machine(now, Change::Gateway(GatewayEvent::Paused { for_ms }));
    }

    /// A change that nobody asked for: it is decided now, or waits while the journal cannot be written.
    fn machine(&mut self, now: Now, change: Change) {
        if self.retry_at.is_some() {
            if self.waiting.len() >= limits::WAITING_CHANGES_MAX {
                self.waiting.pop_front();
                self.changes_dropped += 1;
            }
            self.waiting.push_back(change);
            return;
        }
        let (at, events) = self.decide_change(now, &change);
        self.emit(at, &Author::Gateway, events, Origin::Machine(change), None);
    }

    fn emit(
        &mut self,
        now: Now,
        by: &Author,
        events: Vec<Event>,
        origin: Origin,
        stored: Option<Arc<Ticket>>,
    ) {
        if events.is_empty() {
            return;
        }
        let mut drafts = Vec::with_capacity(events.len());
        let mut seq = self.next_seq;
        for event in events {
            let record = Arc::new(Record { seq, at: now.wall, by: by.clone(), event });
            match record.prove() {
                Ok(line) => drafts.push(Draft { record, line }),
                Err(why) => {
                    self.cannot_record(&record, &why, origin);
                    return;
                }
            }
            seq = seq.next();
        }
        self.next_seq = seq;
        let mut result: Option<(Arc<Ticket>, Vec<LogEntry>)> = None;
        let mut forgets = Vec::new();
        for draft in drafts {
            let mut fetched = stored.clone();
            let touched = self.state.apply(&draft.record, &mut |_| fetched.take().map(Arc::unwrap_or_clone));
            if let Touched::Ticket(t, entry) = touched {
                let mut entries = result.take().map_or_else(Vec::new, |(_, entries)| entries);
                entries.push(entry);
                result = Some((t, entries));
            }
            if let Event::Baseline(BaselineEvent::Forgotten { equipment, fault, .. }) = &draft.record.event {
                forgets.push((equipment.clone(), fault.clone()));
            }
            self.timers.changed(&self.state, &draft.record.event, now);
            self.outputs.push_back(Output::Write(Box::new(draft)));
        }
        self.unwritten.push_back(Unwritten { last: self.state.seq, origin, forgets, result });
    }

    /// An event cannot stand in the journal. Nothing of the change happens; the same would fail again, so nothing is retried.
    fn cannot_record(&mut self, record: &Record, why: &NotRecordable, origin: Origin) {
        self.not_recordable += 1;
        let text = format!("event {} cannot be recorded: {why}", record.seq);
        let kind = format!("{:.200}", format!("{:?}", record.event));
        self.outputs.push_back(Output::Bug(format!("{text}; it is dropped: {kind}")));
        let Origin::Asked(token, _) = origin else { return };
        let refusal = Refusal::new(Rule::NotRecordable, format!("nothing was changed: {text}"))
            .remedy("this is a bug of andon: please report it");
        self.outputs.push_back(Output::Reply(token, Box::new(Err(refusal))));
    }
}

fn not_writable(why: &str) -> Refusal {
    Refusal::new(
        Rule::JournalNotWritable,
        format!("nothing was changed: the journal cannot be written: {why}"),
    )
    .remedy("make room on the data directory's disk; the gateway goes on by itself")
}
