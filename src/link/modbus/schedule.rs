//! Which request comes next on a bus: by deadline, fair among units, silent ones probed with growing
//! intervals. Pure: the time is an argument, so a day of polling runs in a moment.
//!
//! **After an unanswered request its answer may still come**, and on a serial line nothing in it says which
//! request it answers but its unit, function and length. So the next request to that unit has another shape (function,
//! count) than everything still outstanding: when its answer comes, the late ones have come or never will.

mod unit;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::fault::WireFault;
use super::plan::PlannedRequest;
use crate::limits;
use crate::profile::Area;
use crate::words::{EquipmentIndex, Mono};
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
    /// It is given up for this turn, and why.
    Failed(Arc<PlannedRequest>, String),
    /// No report: the request will be repeated, or it was sent only to resynchronise the line.
    Nothing,
}

type Shape = (u8, u16);

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
        let held = self.sync.get(&unit.setup.unit).and_then(|s| s.last.filter(|_| s.hold));
        let hold = held.map_or(Mono(0), |at| at + limits::LATE_MAX);
        due.max(unit.allowed).max(hold)
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
            let due = self.ready(unit, due);
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

#[cfg(test)]
mod tests;
