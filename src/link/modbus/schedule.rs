//! Which request comes next on a bus: by deadline, fair among units; silent ones wait for the others, and dead ones are
//! probed within a budget of the line's time. Pure: the time is an argument, so a day of polling runs in a moment.
//!
//! **After an unanswered request its answer may still come**, and on a serial line nothing in it says which
//! request it answers but its unit, function and length (`sync`). On TCP a transaction id says it. So the next request to that unit has another shape (function,
//! count) than everything still outstanding: when its answer comes, the late ones have come or never will.

mod budget;
mod sync;
mod unit;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::fault::{WireFault, is_gateways};
use super::plan::PlannedRequest;
use crate::limits;
use crate::profile::Area;
use crate::words::{EquipmentIndex, Mono};
use budget::Budget;
use sync::Sync;
use unit::Unit;

/// A piece of equipment on the bus.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitSetup {
    /// Which.
    pub equipment: EquipmentIndex,
    /// Its unit id.
    pub unit: u8,
    /// What is read of it.
    pub requests: Vec<PlannedRequest>,
    /// The time it has to answer.
    pub timeout: Duration,
    /// Attempts after the first.
    pub retries: u32,
    /// The least time between two requests.
    pub min_interval: Duration,
}

/// Why something is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// For its values: the request's place in the unit's list.
    Poll(usize),
    /// To be in step again; its values are not used.
    Resync(usize),
}

/// A request to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The unit's place in the schedule.
    pub index: usize,
    /// Its unit id.
    pub unit: u8,
    /// The table.
    pub area: Area,
    /// The first register.
    pub start: u16,
    /// How many.
    pub count: u16,
    /// Why.
    pub purpose: Purpose,
    /// The time it has to answer.
    pub timeout: Duration,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Send this.
    Ask(Ask),
    /// Nothing before then.
    Wait(Mono),
    /// Nothing at all.
    Idle,
}

/// The result of one Modbus request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Registers, or bits as 0 and 1.
    Answered(Vec<u16>),
    /// The device refused with this exception code.
    Exception(u8),
    /// No valid response was received.
    Failed(WireFault),
}

/// What is to be told of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// Its values came.
    Values(Arc<PlannedRequest>),
    /// It is given up for this turn, and why: no reading.
    Failed(Arc<PlannedRequest>, String),
    /// The device says that it has no such value, in these words.
    Refused(Arc<PlannedRequest>, String),
    /// No report: the request will be repeated, or it was sent only to resynchronise the line.
    Nothing,
}

/// The schedule of one bus.
#[derive(Debug)]
pub struct Schedule {
    units: Vec<Unit>,
    sync: BTreeMap<u8, Sync>,
    turn: u64,
    /// Each answer says itself which request it answers.
    tells_apart: bool,
    budget: Budget,
    /// When the last request to a silent unit ended: what was due of others by then goes before the next.
    waited_in_vain: Mono,
}

impl Schedule {
    /// Everything is due at once.
    #[must_use]
    pub fn new(setups: Vec<UnitSetup>, now: Mono) -> Self {
        let units = setups.into_iter().map(|setup| Unit::new(setup, now)).collect();
        let (sync, budget) = (BTreeMap::new(), Budget::new(now));
        Self { units, sync, turn: 0, tells_apart: false, budget, waited_in_vain: now }
    }

    /// Each answer says itself which request it answers, as on Modbus TCP.
    #[must_use]
    pub fn telling_apart(mut self) -> Self {
        self.tells_apart = true;
        self
    }

    /// From here on these units are asked. What is known of those that stay as they were is kept; and so is what is
    /// outstanding on the line, because its answers may still come.
    pub fn replace(&mut self, setups: Vec<UnitSetup>, now: Mono) {
        let mut known = std::mem::take(&mut self.units);
        self.units = setups
            .into_iter()
            .map(|setup| match known.iter().position(|u| u.setup.asks_as(&setup)) {
                Some(at) => Unit { setup, ..known.swap_remove(at) },
                None => Unit::new(setup, now),
            })
            .collect();
    }

    /// The equipment of a unit's place.
    #[must_use]
    pub fn equipment(&self, index: usize) -> Option<EquipmentIndex> {
        self.units.get(index).map(|u| u.setup.equipment)
    }

    /// Whether a unit is dead and only probed.
    #[must_use]
    pub fn is_probed(&self, index: usize) -> bool {
        self.units.get(index).is_some_and(|u| u.probed.is_some())
    }

    /// The requests of a unit whose last turn brought nothing, of all it has, and why the first of them did not.
    #[must_use]
    pub fn troubles(&self, index: usize) -> ((usize, usize), Option<&str>) {
        let Some(unit) = self.units.get(index) else { return ((0, 0), None) };
        let mut troubled = unit.requests.iter().filter_map(|r| r.trouble.as_deref());
        let first = troubled.next();
        ((troubled.count() + usize::from(first.is_some()), unit.requests.len()), first)
    }

    /// A connection that had served others was closed under a request: whether it is simply sent again.
    pub fn spare(&mut self, ask: &Ask) -> bool {
        let (Purpose::Poll(at) | Purpose::Resync(at)) = ask.purpose;
        // Elsewhere its answer may come over the next connection as well.
        self.tells_apart && self.units.get_mut(ask.index).is_some_and(|u| u.spare(at))
    }

    /// Bytes came after a request was given up: its unit lives.
    pub fn heard_late(&mut self, index: usize, now: Mono) {
        if let Some(unit) = self.units.get_mut(index) {
            unit.lives(now);
        }
    }

    /// Turns of a unit's requests that came too late and were left out.
    #[must_use]
    pub fn missed(&self, index: usize) -> u64 {
        self.units.get(index).map_or(0, |u| u.missed)
    }

    /// Of those, turns that were missed although everything was answered: the line is asked more than it carries.
    #[must_use]
    pub fn late(&self, index: usize) -> u64 {
        self.units.get(index).map_or(0, |u| u.late)
    }

    /// Everything of this equipment becomes due.
    pub fn read_now(&mut self, equipment: EquipmentIndex, now: Mono) {
        for unit in self.units.iter_mut().filter(|u| u.setup.equipment == equipment) {
            unit.read_now(now);
        }
    }

    /// A unit was spoken to besides the schedule: it rests as after any request. What was written to is read back.
    pub fn spoken_to(&mut self, unit: u8, written: Option<EquipmentIndex>, now: Mono) {
        for unit in self.units.iter_mut().filter(|u| u.setup.unit == unit) {
            unit.allowed = now + unit.setup.min_interval;
            if written == Some(unit.setup.equipment) {
                unit.written(now);
            }
        }
    }

    /// When a unit has rested long enough for something else to be sent to it.
    #[must_use]
    pub fn rested(&self, unit: u8) -> Mono {
        let rested = self.units.iter().filter(|u| u.setup.unit == unit).map(|u| u.allowed);
        rested.max().unwrap_or_default()
    }

    /// Whether a poll that was due at an instant has not had its turn since.
    #[must_use]
    pub fn is_due_since(&self, at: Mono) -> bool {
        self.units.iter().any(|u| u.due().is_some_and(|due| self.ready(u, due) <= at))
    }

    /// When something that is due of a unit may be sent.
    fn ready(&self, unit: &Unit, due: Mono) -> Mono {
        let blocked = self.sync.get(&unit.setup.unit).and_then(|s| s.blocked).unwrap_or_default();
        due.max(unit.allowed).max(blocked)
    }

    /// Whether an answer of this shape may still come from a unit, to a request that was given up.
    #[must_use]
    pub fn is_outstanding(&self, unit: u8, area: Area, count: u16, now: Mono) -> bool {
        self.sync.get(&unit).is_some_and(|s| s.may_come(area, count, now))
    }

    /// A request besides the schedule was not answered: its answer may still come.
    pub fn unanswered(&mut self, unit: u8, area: Area, count: u16, now: Mono) {
        // Nobody here is polled under that id: there is nothing its answer could be taken for.
        if !self.tells_apart && self.units.iter().any(|u| u.setup.unit == unit) {
            self.sync.entry(unit).or_default().push(area, count, now);
        }
    }

    /// The line is open again after it was away: that time was nobody's turn.
    pub fn reconnected(&mut self, now: Mono) {
        for request in self.units.iter_mut().flat_map(|u| &mut u.requests) {
            request.due = request.due.max(now);
        }
    }

    /// What to send now.
    pub fn next(&mut self, now: Mono) -> Next {
        let mut best: Option<(Mono, u8, u8, u64, usize, usize)> = None;
        for (index, unit) in self.units.iter().enumerate().filter(|(_, u)| u.probed.is_none()) {
            let Some((request, due, rank)) = unit.soonest(now) else { continue };
            let ready = self.ready(unit, due);
            // What is due is due. What was due when the last wait for a silent unit ended goes first, then one silent unit:
            // so each of them costs the others one wait at a time, and all have their turn. Among those first what faults are
            // judged by, then the unit that waited longest.
            let (class, rank, served) = match (unit.is_suspect(), ready <= now) {
                (_, false) => (0, 0, 0),
                (true, true) => (1, rank, unit.served),
                (false, true) => (if due <= self.waited_in_vain { 0 } else { 2 }, rank, unit.served),
            };
            let key = (ready.max(now), class, rank, served, index, request);
            if best.is_none_or(|b| key < b) {
                best = Some(key);
            }
        }
        let living = best.map(|(at, ..)| at);
        match self.probe(living, now) {
            (Some(index), _) => match self.ask_probe(index, now) {
                Next::Wait(_) => self.next(now),
                next => next,
            },
            (None, probe) => match best {
                Some((at, _, _, _, index, request)) if at <= now => match self.ask(index, request, now) {
                    // Nothing can be told apart on this unit for a while: the others go on.
                    Next::Wait(_) => self.next(now),
                    next => next,
                },
                _ => living.into_iter().chain(probe).min().map_or(Next::Idle, Next::Wait),
            },
        }
    }

    /// The dead unit that is to be probed now, or when to look for one again. `living` is when the next living unit is asked.
    fn probe(&mut self, living: Option<Mono>, now: Mono) -> (Option<usize>, Option<Mono>) {
        let usual = self.usual();
        self.budget.earn(now);
        let mut soonest: Option<Mono> = None;
        let dead = self.units.iter().enumerate().filter_map(|(i, u)| Some((u.served, i, u, u.probed?)));
        let mut dead: Vec<_> = dead.filter(|(_, _, u, _)| !u.requests.is_empty()).collect();
        dead.sort_by_key(|(served, index, ..)| (*served, *index));
        for (_, index, unit, last) in dead {
            let cost = unit.probe_time(usual);
            let ready = self.ready(unit, now);
            let paid = ready.max(last + limits::PROBE_INTERVAL_MIN).max(self.budget.affords(cost, now));
            // Where nobody else is due meanwhile, it costs nobody anything.
            let free = ready.max(last + limits::PROBE_INTERVAL_FREE);
            let is_free = living.is_none_or(|at| free.max(now) + cost <= at);
            let at = match (unit.is_wanted, is_free) {
                (true, _) => ready.max(last + limits::PROBE_INTERVAL_MIN),
                (false, true) => paid.min(free),
                (false, false) => paid,
            };
            if at <= now {
                return (Some(index), None);
            }
            soonest = Some(soonest.map_or(at, |s| s.min(at)));
        }
        (None, soonest)
    }

    fn ask_probe(&mut self, index: usize, now: Mono) -> Next {
        let usual = self.usual();
        let Some(unit) = self.units.get_mut(index) else { return Next::Idle };
        let time = unit.probe_time(usual);
        unit.probes = unit.probes.wrapping_add(1);
        unit.probed = Some(now);
        unit.is_wanted = false;
        let Some((request, ..)) = unit.soonest(now) else { return Next::Idle };
        match self.ask(index, request, now) {
            Next::Ask(ask) => {
                self.budget.begun(now);
                Next::Ask(Ask { timeout: time, ..ask })
            }
            next => next,
        }
    }

    /// The longest usual answer time on the bus.
    fn usual(&self) -> Option<Duration> {
        self.units.iter().filter_map(|u| u.answer_time).max()
    }

    fn ask(&mut self, index: usize, request: usize, now: Mono) -> Next {
        self.turn += 1;
        let turn = self.turn;
        let Some(unit) = self.units.get_mut(index) else { return Next::Idle };
        unit.served = turn;
        unit.allowed = now + unit.setup.min_interval;
        let Some(plan) = unit.requests.get(request).map(|r| &r.plan) else { return Next::Idle };
        let mut ask = Ask {
            index,
            unit: unit.setup.unit,
            area: plan.area,
            start: plan.start,
            count: plan.count,
            purpose: Purpose::Poll(request),
            // On a serial line a shorter wait would only end before an answer that holds the line until it has come.
            timeout: if self.tells_apart { unit.time() } else { unit.setup.timeout },
        };
        let sync = self.sync.entry(unit.setup.unit).or_default();
        sync.expire(now);
        // A late answer to an identification says the same as any other: it is asked for at any time, and proves nothing.
        if plan.area != Area::Identification && sync.is_outstanding(plan.area, plan.count) {
            let ends_there = unit.requests.get(request).is_some_and(|r| r.ends_there);
            match sync.distinct(plan, !ends_there, unit.requests.iter().map(|r| &*r.plan)) {
                Some((area, start, count)) => {
                    // The first of its registers, or those and a few more, bring values.
                    if (area, start) != (plan.area, plan.start) {
                        ask.purpose = Purpose::Resync(request);
                    }
                    (ask.area, ask.start, ask.count) = (area, start, count);
                }
                None => return sync.block().map_or(Next::Ask(ask), Next::Wait),
            }
        }
        Next::Ask(ask)
    }

    /// Takes in what a request came to and how long that took, and says what is to be told.
    pub fn answered(&mut self, ask: &Ask, outcome: &Outcome, took: Duration, now: Mono) -> Report {
        let Some(unit) = self.units.get_mut(ask.index) else { return Report::Nothing };
        self.budget.ended(now);
        if matches!(outcome, Outcome::Answered(_)) {
            // It grows at once and fades slowly.
            let before = unit.answer_time.map_or(took, |t| t - t / 16);
            unit.answer_time = Some(before.max(took));
        }
        if !self.tells_apart && ask.area != Area::Identification {
            let sync = self.sync.entry(ask.unit).or_default();
            match outcome {
                Outcome::Answered(_) => *sync = Sync::default(),
                Outcome::Exception(_) => {
                    if sync.refused(ask.area, ask.count, now) {
                        *sync = Sync::default();
                    }
                }
                Outcome::Failed(_) => sync.push(ask.area, ask.count, now),
            }
        }
        let (Purpose::Poll(at) | Purpose::Resync(at)) = ask.purpose;
        let planned = unit.requests.get(at).map_or(ask.count, |r| r.plan.count);
        let is_whole = ask.purpose == Purpose::Poll(at) && ask.count == planned;
        let report = match outcome {
            Outcome::Answered(_) if ask.purpose == Purpose::Poll(at) && !is_whole => {
                unit.partly(at, ask.count, self.waited_in_vain, now)
            }
            Outcome::Answered(_) => unit.good(ask.purpose, at, self.waited_in_vain, now),
            Outcome::Exception(code) if !is_whole && !is_gateways(*code) => {
                unit.lives(now);
                if let Some(request) = unit.requests.get_mut(at).filter(|_| ask.count > planned) {
                    request.ends_there = true;
                }
                Report::Nothing
            }
            Outcome::Exception(code) => unit.exception(at, *code, now),
            Outcome::Failed(fault) => unit.unanswered(at, fault, now),
        };
        if unit.is_suspect() {
            self.waited_in_vain = now;
        }
        report
    }
}

#[cfg(test)]
mod tests;
