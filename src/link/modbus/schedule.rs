//! Which request comes next on a bus: by deadline, fair among units, silent ones probed with growing
//! intervals. Pure: the time is an argument, so a day of polling runs in a moment.
//!
//! **After an unanswered request its answer may still come**, and on a serial line nothing in it says which
//! request it answers but its unit, function and length. So the next request to that unit has another shape (function,
//! count) than everything still outstanding: when its answer comes, the late ones have come or never will.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::fault::{WireFault, exception_text};
use super::plan::{PlannedRequest, split};
use crate::limits;
use crate::profile::Area;
use crate::words::{EquipmentIndex, Mono};

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

/// What a request came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Registers, or bits as 0 and 1.
    Answered(Vec<u16>),
    /// The device refused with this exception code.
    Exception(u8),
    /// Nothing usable came.
    Failed(WireFault),
}

/// What is to be told of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// Its values came.
    Values(Arc<PlannedRequest>),
    /// It is given up for this turn, and why.
    Failed(Arc<PlannedRequest>, String),
    /// It is tried again, or was only to be in step.
    Nothing,
}

type Shape = (u8, u16);

#[derive(Debug)]
struct Request {
    plan: Arc<PlannedRequest>,
    due: Mono,
    attempts: u32,
    /// The exception with which the device refused it last.
    refused: Option<u8>,
}

impl Request {
    fn new(plan: PlannedRequest, due: Mono) -> Self {
        Self { plan: Arc::new(plan), due, attempts: 0, refused: None }
    }
}

#[derive(Debug)]
struct Unit {
    setup: UnitSetup,
    requests: Vec<Request>,
    misses: u32,
    probe: Option<(Mono, Duration)>,
    allowed: Mono,
    served: u64,
    missed: u64,
    /// Of those, turns that were missed although everything was answered: the line is asked more than it carries.
    late: u64,
    /// The longest of its last answer times, fading: what its probes wait for.
    answer_time: Option<Duration>,
    probes: u32,
}

#[derive(Debug, Default)]
struct Sync {
    outstanding: VecDeque<Shape>,
    last: Option<Mono>,
    hold: bool,
}

impl Sync {
    fn push(&mut self, shape: Shape, now: Mono) {
        self.outstanding.push_back(shape);
        if self.outstanding.len() > limits::SHAPES_REMEMBERED {
            self.outstanding.pop_front();
        }
        self.last = Some(now);
    }
}

/// The schedule of one bus.
#[derive(Debug)]
pub struct Schedule {
    units: Vec<Unit>,
    sync: BTreeMap<u8, Sync>,
    turn: u64,
}

impl Schedule {
    /// Everything is due at once.
    #[must_use]
    pub fn new(setups: Vec<UnitSetup>, now: Mono) -> Self {
        let units = setups.into_iter().map(|setup| Unit::new(setup, now)).collect();
        Self { units, sync: BTreeMap::new(), turn: 0 }
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

    /// Whether a unit is only probed.
    #[must_use]
    pub fn is_probed(&self, index: usize) -> bool {
        self.units.get(index).is_some_and(|u| u.probe.is_some())
    }

    /// The requests of a unit that the device refuses, with the last exception.
    #[must_use]
    pub fn refused(&self, index: usize) -> (usize, Option<u8>) {
        let codes = self.units.get(index).map(|u| u.requests.iter().filter_map(|r| r.refused));
        codes.map_or((0, None), |codes| (codes.clone().count(), codes.max()))
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
            for request in &mut unit.requests {
                request.due = request.due.min(now);
            }
            if let Some((at, _)) = &mut unit.probe {
                *at = (*at).min(now);
            }
        }
    }

    /// How long a unit wants to rest before anything else is sent to it.
    #[must_use]
    pub fn rest(&self, equipment: EquipmentIndex, now: Mono) -> Duration {
        let unit = self.units.iter().find(|u| u.setup.equipment == equipment);
        unit.map_or(Duration::ZERO, |u| u.allowed.since(now))
    }

    /// Whether an answer of this shape may still come from a unit, to a request that was given up.
    #[must_use]
    pub fn is_outstanding(&self, unit: u8, area: Area, count: u16) -> bool {
        self.sync.get(&unit).is_some_and(|s| s.outstanding.contains(&(area.function(), count)))
    }

    /// A request besides the schedule was not answered: its answer may still come.
    pub fn unanswered(&mut self, unit: u8, area: Area, count: u16, now: Mono) {
        // Nobody here is polled under that id: there is nothing its answer could be taken for.
        if self.units.iter().any(|u| u.setup.unit == unit) {
            self.sync.entry(unit).or_default().push((area.function(), count), now);
        }
    }

    /// A new connection: nothing of the old one can still arrive on it.
    pub fn reconnected(&mut self, now: Mono) {
        self.sync.clear();
        for request in self.units.iter_mut().flat_map(|u| &mut u.requests) {
            request.due = request.due.max(now);
        }
    }

    /// What to send now.
    pub fn next(&mut self, now: Mono) -> Next {
        let mut best: Option<(Mono, u8, u64, usize, usize)> = None;
        for (index, unit) in self.units.iter().enumerate() {
            let Some((request, due, rank)) = unit.soonest(now) else { continue };
            let hold = self
                .sync
                .get(&unit.setup.unit)
                .and_then(|s| s.last.filter(|_| s.hold))
                .map(|at| at + limits::LATE_MAX);
            let due = due.max(unit.allowed).max(hold.unwrap_or(Mono(0)));
            // What is due is due: among those first what faults are judged by, then the unit that waited longest.
            let (rank, served) = if due <= now { (rank, unit.served) } else { (0, 0) };
            let key = (due.max(now), rank, served, index, request);
            if best.is_none_or(|b| key < b) {
                best = Some(key);
            }
        }
        match best {
            None => Next::Idle,
            Some((at, _, _, index, request)) if at <= now => self.ask(index, request, now),
            Some((at, ..)) => Next::Wait(at),
        }
    }

    fn ask(&mut self, index: usize, request: usize, now: Mono) -> Next {
        self.turn += 1;
        let turn = self.turn;
        let usual = self.units.iter().filter_map(|u| u.answer_time).max();
        let Some(unit) = self.units.get_mut(index) else { return Next::Idle };
        unit.served = turn;
        unit.allowed = now + unit.setup.min_interval;
        let timeout = unit.timeout(usual);
        let Some(plan) = unit.requests.get(request).map(|r| &r.plan) else { return Next::Idle };
        let sync = self.sync.entry(unit.setup.unit).or_default();
        if sync.hold && sync.last.is_some_and(|at| at + limits::LATE_MAX <= now) {
            *sync = Sync::default();
        }
        let mut ask = Ask {
            index,
            unit: unit.setup.unit,
            area: plan.area,
            start: plan.start,
            count: plan.count,
            purpose: Purpose::Poll(request),
            timeout,
        };
        // A late answer to an identification says the same as any other: it is asked for at any time, and proves nothing.
        if plan.area != Area::Identification && sync.outstanding.contains(&(plan.area.function(), plan.count))
        {
            match distinct(plan, &sync.outstanding) {
                Some((area, count)) => {
                    ask.area = area;
                    ask.count = count;
                    ask.purpose = Purpose::Resync(request);
                }
                None => {
                    let until = sync.last.unwrap_or(now) + limits::LATE_MAX;
                    if until > now {
                        sync.hold = true;
                        return Next::Wait(until);
                    }
                    *sync = Sync::default();
                }
            }
        }
        Next::Ask(ask)
    }

    /// Takes in what a request came to and how long that took, and says what is to be told.
    pub fn answered(&mut self, ask: &Ask, outcome: &Outcome, took: Duration, now: Mono) -> Report {
        let Some(unit) = self.units.get_mut(ask.index) else { return Report::Nothing };
        if matches!(outcome, Outcome::Answered(_)) {
            // It grows at once and fades slowly.
            let before = unit.answer_time.map_or(took, |t| t - t / 16);
            unit.answer_time = Some(before.max(took));
        }
        let sync = self.sync.entry(ask.unit).or_default();
        let shape = (ask.area.function(), ask.count);
        let (Purpose::Poll(at) | Purpose::Resync(at)) = ask.purpose;
        match outcome {
            _ if ask.area == Area::Identification => {}
            Outcome::Answered(_) => *sync = Sync::default(),
            // An exception names its function and nothing more: it proves nothing while one of that function is outstanding.
            Outcome::Exception(_) if !sync.outstanding.iter().any(|(f, _)| *f == shape.0) => {
                *sync = Sync::default()
            }
            Outcome::Exception(_) | Outcome::Failed(_) => {
                sync.push(shape, now);
                sync.hold |= matches!(outcome, Outcome::Exception(_));
            }
        }
        match outcome {
            Outcome::Answered(_) => unit.good(ask.purpose, at, now),
            Outcome::Exception(_) if ask.purpose != Purpose::Poll(at) => {
                unit.misses = 0;
                Report::Nothing
            }
            Outcome::Exception(code) => unit.exception(at, *code, now),
            Outcome::Failed(fault) => unit.failed(at, fault, now),
        }
    }
}

/// Another shape than everything outstanding: fewer registers, or the sister function for a single one.
fn distinct(plan: &PlannedRequest, outstanding: &VecDeque<Shape>) -> Option<(Area, u16)> {
    let fewer = (1..plan.count).rev().find(|n| !outstanding.contains(&(plan.area.function(), *n)));
    if let Some(count) = fewer {
        return Some((plan.area, count));
    }
    let sister = match plan.area {
        Area::Coil => Area::Discrete,
        Area::Discrete => Area::Coil,
        Area::Input => Area::Holding,
        Area::Holding => Area::Input,
        Area::Identification => return None,
    };
    (!outstanding.contains(&(sister.function(), 1))).then_some((sister, 1))
}

impl UnitSetup {
    /// Whether the same is asked in the same way, whatever the equipment's place in the site.
    fn asks_as(&self, other: &Self) -> bool {
        *self == Self { equipment: self.equipment, ..other.clone() }
    }
}

impl Unit {
    fn new(setup: UnitSetup, now: Mono) -> Self {
        Self {
            requests: setup.requests.iter().map(|plan| Request::new(plan.clone(), now)).collect(),
            setup,
            misses: 0,
            probe: None,
            allowed: now,
            served: 0,
            missed: 0,
            late: 0,
            answer_time: None,
            probes: 0,
        }
    }

    /// The request that comes next, when, and its rank among what is due: 0 before 1.
    fn soonest(&self, now: Mono) -> Option<(usize, Mono, u8)> {
        let ranked = |r: &Request| {
            let is_late = now.since(r.due) >= r.plan.every * limits::LATE_PERIODS;
            let rank = u8::from(!r.plan.is_judged && !is_late);
            // What is not due yet is ordered by its time alone.
            if r.due <= now { (now, rank, r.due) } else { (r.due, 0, r.due) }
        };
        let first = self.requests.iter().enumerate().map(|(i, r)| (ranked(r), i)).min();
        let ((_, rank, due), index) = first?;
        match self.probe {
            // A probe of a silent unit never goes before what the others are due.
            Some((at, _)) => Some((index, at, 1)),
            None => Some((index, due, rank)),
        }
    }

    /// The time a request has. A silent unit's probes wait only for several times what it, or the others on the bus,
    /// usually take; every fourth has the whole time, so that a device that became slow is found again.
    fn timeout(&mut self, usual: Option<Duration>) -> Duration {
        if self.probe.is_none() {
            return self.setup.timeout;
        }
        self.probes = self.probes.wrapping_add(1);
        match self.answer_time.or(usual) {
            Some(time) if !self.probes.is_multiple_of(4) => {
                (time * limits::PROBE_ANSWER_TIMES).max(limits::PROBE_TIMEOUT_MIN).min(self.setup.timeout)
            }
            _ => self.setup.timeout,
        }
    }

    fn good(&mut self, purpose: Purpose, at: usize, now: Mono) -> Report {
        self.misses = 0;
        if self.probe.take().is_some() {
            for request in &mut self.requests {
                request.due = now;
            }
        }
        match purpose {
            Purpose::Resync(_) => Report::Nothing,
            Purpose::Poll(_) => {
                if let Some(request) = self.requests.get_mut(at) {
                    request.refused = None;
                }
                let missed = self.missed;
                let done = self.done(at, now);
                self.late += self.missed - missed;
                done.map_or(Report::Nothing, Report::Values)
            }
        }
    }

    /// The request's turn is over: its next one follows the period, without drift; turns that are past are left out.
    fn done(&mut self, at: usize, now: Mono) -> Option<Arc<PlannedRequest>> {
        let request = self.requests.get_mut(at)?;
        request.attempts = 0;
        let every = request.plan.every;
        request.due = request.due + every;
        if request.due <= now {
            let behind = now.since(request.due).as_nanos() / every.as_nanos().max(1) + 1;
            self.missed += u64::try_from(behind).unwrap_or(u64::MAX);
            request.due = request.due + every * u32::try_from(behind).unwrap_or(u32::MAX);
        }
        Some(request.plan.clone())
    }

    fn exception(&mut self, at: usize, code: u8, now: Mono) -> Report {
        self.misses = 0;
        self.probe = None;
        let refused = matches!(code, 1..=3);
        if refused
            && let Some(request) = self.requests.get(at)
            && let Some((left, right)) = split(&request.plan)
        {
            self.requests.splice(at..=at, [left, right].map(|plan| Request::new(plan, now)));
            return Report::Nothing;
        }
        let Some(plan) = self.done(at, now) else { return Report::Nothing };
        if let Some(request) = self.requests.get_mut(at).filter(|_| refused) {
            request.due = now + limits::REFUSED_AGAIN_AFTER.max(plan.every);
            request.refused = Some(code);
        }
        Report::Failed(plan, exception_text(code))
    }

    fn failed(&mut self, at: usize, fault: &WireFault, now: Mono) -> Report {
        // A unit that has just failed a whole turn is not asked twice in the next.
        let retries = if self.misses > 0 { 0 } else { self.setup.retries };
        let Some(request) = self.requests.get_mut(at) else { return Report::Nothing };
        request.attempts += 1;
        if request.attempts <= retries {
            return Report::Nothing;
        }
        self.misses += 1;
        if let Some((due, interval)) = &mut self.probe {
            *interval = (*interval * 2).min(limits::PROBE_INTERVAL_MAX);
            *due = now + *interval;
        } else if self.misses >= limits::MISSES_BEFORE_PROBING {
            self.probe = Some((now + limits::PROBE_INTERVAL_MIN, limits::PROBE_INTERVAL_MIN));
        }
        match self.done(at, now) {
            Some(plan) => Report::Failed(plan, fault.to_string()),
            None => Report::Nothing,
        }
    }
}

#[cfg(test)]
mod tests;
