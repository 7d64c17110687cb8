//! [`Desk`]: takes one input at a time, and keeps the events in order.

mod asked;
mod change;
mod checks;
mod damage;
mod durable;
mod links;
mod reactions;
mod reload;
mod snapshot;
mod startup;
mod suppressed;
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

pub use snapshot::{Snapshot, Suppressed, Unrecorded};
use suppressed::SuppressedCondition;
pub use suppression::Suppression;

use crate::alarm::{Bursts, Chatter, Key, unshelved};
use crate::detect::{BaselineEvent, Detector};
use crate::gateway::GatewayEvent;
use crate::limits;
use crate::site::Site;
use crate::ticket::{LogEntry, Ticket};
use crate::words::{Author, LinkName, Mono, Now, Refusal, Rule, Seq};
use crate::writing::Orders;

/// The engine of the gateway; see the documentation of the module.
#[derive(Debug)]
pub struct Desk {
    site: Arc<Site>,
    /// The state of each fault's condition.
    detector: Detector,
    state: State,
    /// The state that is on disk: an earlier version of `state`.
    durable: State,
    /// The version of `state` after each call of [`Desk::handle`] that decided an event which is not on disk yet.
    turns: VecDeque<State>,
    next_seq: Seq,
    /// Events that are decided and not on disk yet, oldest first.
    unwritten: VecDeque<Unwritten>,
    /// Machine changes that wait until the journal can be written, oldest first.
    waiting: VecDeque<Change>,
    /// The number of machine changes that were dropped because too many waited.
    changes_dropped: u64,
    /// The time at which `waiting` is decided again; `None` if nothing waits.
    retry_at: Option<Mono>,
    /// The reason why the journal cannot be written; `None` while it can.
    not_writable: Option<String>,
    /// Steps that the gateway is checking, each with the time of its next evaluation.
    checks: Vec<(Check, Mono)>,
    timers: Timers,
    /// The number of events that could not be recorded because of a bug.
    not_recordable: u64,
    /// Conditions that became true while their alarm was suppressed.
    suppressed: BTreeMap<Key, SuppressedCondition>,
    /// Journal position at the last [`Desk::release`]. A suppression ends only by an event or after its grace time, so
    /// nothing is checked again until `state.seq` moves. `None`: check at the next input.
    released_seq: Option<Seq>,
    chatter: Chatter,
    bursts: Bursts,
    /// Links that have no connection.
    away: BTreeMap<LinkName, links::Away>,
    /// Writes to equipment that are under way, with the person who asked.
    orders: Orders<(Token, Author)>,
    outputs: VecDeque<Output>,
    last: Now,
    /// True for a daemon, which reads equipment. False for a single command, which records neither start nor stop.
    reads: bool,
    /// True once the stop was decided. The stop is the last event.
    is_stopping: bool,
}

impl Desk {
    /// Continues after the last event of the journal: `state` is the result of all its events.
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
            suppressed: BTreeMap::new(),
            released_seq: None,
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

    /// Returns the live state that is on disk.
    #[must_use]
    pub fn recorded(&self) -> &State {
        &self.durable
    }

    /// Returns the site in force.
    #[must_use]
    pub fn site(&self) -> &Arc<Site> {
        &self.site
    }

    /// Returns the reason why the journal cannot be written; `None` while it can.
    #[must_use]
    pub fn not_writable(&self) -> Option<&str> {
        self.not_writable.as_deref()
    }

    /// Returns the number of the last decided event, on disk or not.
    #[must_use]
    pub fn decided_seq(&self) -> Seq {
        self.state.seq
    }

    /// True if all decided events are on disk, and no machine change waits to be decided again.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.unwritten.is_empty() && self.waiting.is_empty()
    }

    /// True if a decided event is not on disk yet.
    #[must_use]
    pub fn has_unwritten(&self) -> bool {
        !self.unwritten.is_empty()
    }

    /// Returns the number of the last event that is on disk.
    #[must_use]
    pub fn durable_seq(&self) -> Seq {
        self.durable.seq
    }

    /// Returns the next output. Call until the result is `None`.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Returns the time of the next call with [`Input::Elapsed`] and its reason; `None` if no time is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<(Mono, &'static str)> {
        let timers = self.timers.next().map(|at| (at, "the end of a watch or of shelving"));
        let checks = self.checks.iter().map(|(_, at)| (*at, "a check"));
        let retry = self.retry_at.map(|at| (at, "the journal is tried again"));
        let detect = self.detector.next_due().map(|at| (at, "a delay, staleness or silence"));
        let suppressed = self.next_suppressed().map(|at| (at, "a suppressed or chattering alarm"));
        let links = self.next_link().map(|at| (at, "the alarm of a link without connection"));
        timers
            .into_iter()
            .chain(links)
            .chain(suppressed)
            .chain(checks)
            .chain(retry)
            .chain(detect)
            .min_by_key(|(at, _)| *at)
    }

    /// Takes an input. First the delays and timers that end until `now` are decided, in the order of time.
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
        self.report_damped(now);
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
                    self.machine_change(now, Change::Gateway(GatewayEvent::Stopped {}));
                }
                self.end_turn();
                return;
            }
        }
        self.raise_links(now);
        self.release(now);
        self.evaluate_checks(now);
        self.end_turn();
    }

    /// Keeps the state after this input until its events are on disk.
    fn end_turn(&mut self) {
        let decided = self.turns.back().map_or(self.durable.seq, |s| s.seq);
        if self.state.seq > decided {
            self.turns.push_back(self.state.clone());
        }
    }

    /// Records a step of the wall clock, if it differs from the monotonic clock by at least [`limits::CLOCK_STEP_MIN`].
    fn notice_clock_step(&mut self, now: Now) {
        let expected = self.last.at(now.mono);
        self.last = now;
        let by_ms = now.wall.millis().saturating_sub(expected.wall.millis());
        if u128::from(by_ms.unsigned_abs()) >= limits::CLOCK_STEP_MIN.as_millis() {
            self.machine_change(now, Change::Gateway(GatewayEvent::ClockStepped { by_ms }));
            if now.wall.is_set() && !expected.wall.is_set() {
                self.timers.clock_was_set(now);
            }
        }
    }

    /// Takes the changes of conditions and the learned models from the detector.
    fn take_transitions(&mut self, now: Now) {
        for t in self.detector.take_transitions() {
            self.condition(now, t);
        }
        for learned in self.detector.take_learned() {
            self.machine_change(now, Change::Learned(learned));
        }
    }

    /// Decides the timers that have ended.
    fn end_timers(&mut self, now: Now) {
        while let Some(timer) = self.timers.pop_ended(now.mono) {
            match timer {
                Timer::Watch(number) => self.machine_change(now, Change::Verified(number)),
                Timer::Shelf(key) => {
                    let times = self.held_back(&key);
                    self.machine_change(now, Change::Alarm(unshelved(key, None, times)));
                }
            }
        }
    }

    /// Records a time in which the program did not run. It is not a step of the wall clock, and delays do not count it.
    fn paused(&mut self, now: Now, length: Duration) {
        self.last.wall = self.last.wall.after(length);
        let for_ms = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
        self.machine_change(now, Change::Gateway(GatewayEvent::Paused { for_ms }));
    }

    /// Decides a change that no person asked for. While the journal cannot be written, the change waits.
    fn machine_change(&mut self, now: Now, change: Change) {
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

    /// Gives events to the journal: numbers and proves each event, then applies all of them. `stored` is the ticket
    /// from the store, if the desk no longer holds it.
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

    /// Drops a change because one of its events cannot be recorded. A second try would fail the same way.
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
    .remedy("free some space on the disk of the data directory; andon then continues by itself")
}
