//! The order of requests on a bus: by due time, and fair among units. Silent units wait for the others, and dead
//! units are probed within a limit for the line's time. The functions are pure: the time is an argument, so a test
//! runs a day of polling in a moment.
//!
//! **After a timeout the answer may still arrive.** On a serial line an answer shows only its unit, function and
//! length, and not its request; on Modbus TCP it shows a transaction id. On a serial line the next request to that
//! unit therefore has another shape (function and count) than all requests whose answers may still arrive. When the
//! answer to the new request arrives, no older answer can arrive any more (see `sync`).

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
use unit::SlaveSchedule;

/// One piece of equipment on the bus, as the schedule needs it.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitSetup {
    /// The index of the equipment in the site.
    pub equipment: EquipmentIndex,
    /// The Modbus unit id.
    pub unit: u8,
    /// The planned read requests.
    pub requests: Vec<PlannedRequest>,
    /// The time that the device has for an answer.
    pub timeout: Duration,
    /// The number of repeated attempts after the first attempt.
    pub retries: u32,
    /// The minimum time between two requests to this unit.
    pub min_interval: Duration,
}

/// The purpose of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To read values; the index of the request in the unit's list.
    Poll(usize),
    /// To find out which answers can still arrive; the values are not used. The index is as in `Poll`.
    Resync(usize),
}

/// A request to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The index of the unit in the schedule.
    pub index: usize,
    /// The Modbus unit id.
    pub unit: u8,
    /// The Modbus table.
    pub area: Area,
    /// The number of the first register or bit.
    pub start: u16,
    /// The number of registers or bits.
    pub count: u16,
    /// The purpose of the request.
    pub purpose: Purpose,
    /// The time that the device has for an answer.
    pub timeout: Duration,
}

/// The next action of the bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Send this request.
    Ask(Ask),
    /// Send nothing before this time.
    Wait(Mono),
    /// No request is planned.
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

/// The report about a request to the rest of the daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// The values have arrived.
    Values(Arc<PlannedRequest>),
    /// No answer, also after all attempts, and the reason: the points have no new reading.
    Failed(Arc<PlannedRequest>, String),
    /// The device refused because it does not have the value; the reason. The points are bad.
    Refused(Arc<PlannedRequest>, String),
    /// No report: the request will be repeated, or it was sent only to resynchronise the line.
    Nothing,
}

/// The schedule of one bus.
#[derive(Debug)]
pub struct Schedule {
    units: Vec<SlaveSchedule>,
    /// The answers that may still arrive, by unit id; not used with transaction ids.
    sync: BTreeMap<u8, Sync>,
    /// The number of requests so far; [`SlaveSchedule::served`] refers to it.
    turn: u64,
    /// True if each answer shows which request it answers.
    has_transaction_ids: bool,
    budget: Budget,
    /// The time when the last request to a silent unit ended. Requests of other units that were due by then go before
    /// the next request to a silent unit.
    last_silence_ended: Mono,
}

impl Schedule {
    /// A schedule in which every request is due now.
    #[must_use]
    pub fn new(setups: Vec<UnitSetup>, now: Mono) -> Self {
        let units = setups.into_iter().map(|setup| SlaveSchedule::new(setup, now)).collect();
        let (sync, budget) = (BTreeMap::new(), Budget::new(now));
        Self { units, sync, turn: 0, has_transaction_ids: false, budget, last_silence_ended: now }
    }

    /// Declares that each answer shows which request it answers, as on Modbus TCP.
    #[must_use]
    pub fn with_transaction_ids(mut self) -> Self {
        self.has_transaction_ids = true;
        self
    }

    /// Replaces the units after a reload. Units that did not change keep their state. The answers that may still
    /// arrive are kept too.
    pub fn replace(&mut self, setups: Vec<UnitSetup>, now: Mono) {
        let mut known = std::mem::take(&mut self.units);
        self.units = setups
            .into_iter()
            .map(|setup| match known.iter().position(|u| u.setup.asks_as(&setup)) {
                Some(at) => SlaveSchedule { setup, ..known.swap_remove(at) },
                None => SlaveSchedule::new(setup, now),
            })
            .collect();
    }

    /// The equipment of the unit at `index`.
    #[must_use]
    pub fn equipment(&self, index: usize) -> Option<EquipmentIndex> {
        self.units.get(index).map(|u| u.setup.equipment)
    }

    /// True if the unit is dead and only probed.
    #[must_use]
    pub fn is_probed(&self, index: usize) -> bool {
        self.units.get(index).is_some_and(|u| u.probed.is_some())
    }

    /// The number of requests that failed last time, the number of all requests of the unit, and the reason of the
    /// first failure.
    #[must_use]
    pub fn troubles(&self, index: usize) -> ((usize, usize), Option<&str>) {
        let Some(unit) = self.units.get(index) else { return ((0, 0), None) };
        let mut troubled = unit.requests.iter().filter_map(|r| r.trouble.as_deref());
        let first = troubled.next();
        ((troubled.count() + usize::from(first.is_some()), unit.requests.len()), first)
    }

    /// A connection that had worked was closed when this request was sent. Returns true if the request is sent again
    /// without counting a failure.
    pub fn send_again(&mut self, ask: &Ask) -> bool {
        let (Purpose::Poll(at) | Purpose::Resync(at)) = ask.purpose;
        // Without transaction ids, the answer could arrive through the next connection.
        self.has_transaction_ids && self.units.get_mut(ask.index).is_some_and(|u| u.send_again(at))
    }

    /// Bytes arrived after a request was given up, so its unit is alive.
    pub fn heard_late(&mut self, index: usize, now: Mono) {
        if let Some(unit) = self.units.get_mut(index) {
            unit.is_heard(now);
        }
    }

    /// The number of reads that were skipped because their time passed before they could be sent.
    #[must_use]
    pub fn missed(&self, index: usize) -> u64 {
        self.units.get(index).map_or(0, |u| u.missed)
    }

    /// The part of `missed` that was skipped although the units answered: the line has no time for all requests.
    #[must_use]
    pub fn late(&self, index: usize) -> u64 {
        self.units.get(index).map_or(0, |u| u.late)
    }

    /// Makes all requests of this equipment due.
    pub fn read_now(&mut self, equipment: EquipmentIndex, now: Mono) {
        for unit in self.units.iter_mut().filter(|u| u.setup.equipment == equipment) {
            unit.read_now(now);
        }
    }

    /// Notes a request that was not in the schedule: the unit needs its pause, and equipment that was written to is
    /// read back.
    pub fn spoken_to(&mut self, unit: u8, written: Option<EquipmentIndex>, now: Mono) {
        for unit in self.units.iter_mut().filter(|u| u.setup.unit == unit) {
            unit.allowed = now + unit.setup.min_interval;
            if written == Some(unit.setup.equipment) {
                unit.written(now);
            }
        }
    }

    /// The time from which the unit may receive another request.
    #[must_use]
    pub fn rested(&self, unit: u8) -> Mono {
        let rested = self.units.iter().filter(|u| u.setup.unit == unit).map(|u| u.allowed);
        rested.max().unwrap_or_default()
    }

    /// True if a poll that was due at `at` was not sent yet.
    #[must_use]
    pub fn is_due_since(&self, at: Mono) -> bool {
        self.units.iter().any(|u| u.due().is_some_and(|due| self.ready(u, due) <= at))
    }

    /// The time from which a request of the unit that is due at `due` may be sent.
    fn ready(&self, unit: &SlaveSchedule, due: Mono) -> Mono {
        let blocked = self.sync.get(&unit.setup.unit).and_then(|s| s.blocked).unwrap_or_default();
        due.max(unit.allowed).max(blocked)
    }

    /// True if an answer of this function and count may still arrive from the unit, to a request that was given up.
    #[must_use]
    pub fn is_outstanding(&self, unit: u8, area: Area, count: u16, now: Mono) -> bool {
        self.sync.get(&unit).is_some_and(|s| s.may_come(area, count, now))
    }

    /// Notes a request that was not in the schedule and had no answer: its answer may still arrive.
    pub fn unanswered(&mut self, unit: u8, area: Area, count: u16, now: Mono) {
        // If no equipment is polled under this unit id, the answer cannot be mistaken for another.
        if !self.has_transaction_ids && self.units.iter().any(|u| u.setup.unit == unit) {
            self.sync.entry(unit).or_default().push(area, count, now);
        }
    }

    /// Notes that the link is open again. The time without a connection does not count as skipped reads.
    pub fn reconnected(&mut self, now: Mono) {
        for request in self.units.iter_mut().flat_map(|u| &mut u.requests) {
            request.due = request.due.max(now);
        }
    }

    /// Returns what to do now.
    pub fn next(&mut self, now: Mono) -> Next {
        let mut best: Option<(Mono, u8, u8, u64, usize, usize)> = None;
        for (index, unit) in self.units.iter().enumerate().filter(|(_, u)| u.probed.is_none()) {
            let Some((request, due, rank)) = unit.soonest(now) else { continue };
            let ready = self.ready(unit, due);
            // Overdue requests rank equal in time. Requests that were due when the last wait for a silent unit ended
            // go first, then one silent unit: each silent unit delays the others by one timeout at a time. Among
            // these, requests that a fault uses go first, then the unit that was served longest ago.
            let (class, rank, served) = match (unit.is_suspect(), ready <= now) {
                (_, false) => (0, 0, 0),
                (true, true) => (1, rank, unit.served),
                (false, true) => (if due <= self.last_silence_ended { 0 } else { 2 }, rank, unit.served),
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
                    // The answers of this unit cannot be distinguished for a while; continue with the others.
                    Next::Wait(_) => self.next(now),
                    next => next,
                },
                _ => living.into_iter().chain(probe).min().map_or(Next::Idle, Next::Wait),
            },
        }
    }

    /// The dead unit to probe now, or the time of the next probe. `living` is the time when the next living unit is
    /// due.
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
            // A probe that ends before any other request is due costs no time of the line.
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
            // On a serial line a shorter timeout saves nothing: the line stays occupied until the answer has arrived.
            timeout: if self.has_transaction_ids { unit.time() } else { unit.setup.timeout },
        };
        let sync = self.sync.entry(unit.setup.unit).or_default();
        sync.expire(now);
        // A late answer to an identification contains the same text, so it does no harm. It is no proof either.
        if plan.area != Area::Identification && sync.is_outstanding(plan.area, plan.count) {
            let ends_there = unit.requests.get(request).is_some_and(|r| r.ends_there);
            match sync.distinct(plan, !ends_there, unit.requests.iter().map(|r| &*r.plan)) {
                Some((area, start, count)) => {
                    // A request with the same start brings values of the plan, so it counts as a poll.
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

    /// Notes the result of a request and the time it took. Returns what to report.
    pub fn answered(&mut self, ask: &Ask, outcome: &Outcome, took: Duration, now: Mono) -> Report {
        let Some(unit) = self.units.get_mut(ask.index) else { return Report::Nothing };
        self.budget.ended(now);
        if matches!(outcome, Outcome::Answered(_)) {
            // The estimate grows at once and shrinks slowly.
            let before = unit.answer_time.map_or(took, |t| t - t / 16);
            unit.answer_time = Some(before.max(took));
        }
        if !self.has_transaction_ids && ask.area != Area::Identification {
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
                unit.partly(at, ask.count, self.last_silence_ended, now)
            }
            Outcome::Answered(_) => unit.good(ask.purpose, at, self.last_silence_ended, now),
            Outcome::Exception(code) if !is_whole && !is_gateways(*code) => {
                unit.is_heard(now);
                if let Some(request) = unit.requests.get_mut(at).filter(|_| ask.count > planned) {
                    request.ends_there = true;
                }
                Report::Nothing
            }
            Outcome::Exception(code) => unit.exception(at, *code, now),
            Outcome::Failed(fault) => unit.unanswered(at, fault, now),
        };
        if unit.is_suspect() {
            self.last_silence_ended = now;
        }
        report
    }
}

#[cfg(test)]
mod tests;
