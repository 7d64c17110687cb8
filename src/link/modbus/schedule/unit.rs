//! One unit of a bus: what is due of it, and what an answer or its absence means for the next time.

use std::sync::Arc;
use std::time::Duration;

use super::{Purpose, Report, UnitSetup};
use crate::limits;
use crate::link::modbus::fault::{WireFault, exception_text};
use crate::link::modbus::plan::{PlannedRequest, split};
use crate::words::Mono;

#[derive(Debug)]
pub(super) struct Request {
    pub plan: Arc<PlannedRequest>,
    pub due: Mono,
    /// When its last turn ended.
    over: Option<Mono>,
    attempts: u32,
    /// The exception with which the device refused it last.
    pub refused: Option<u8>,
}

impl Request {
    fn new(plan: PlannedRequest, due: Mono) -> Self {
        Self { plan: Arc::new(plan), due, over: None, attempts: 0, refused: None }
    }
}

#[derive(Debug)]
pub(super) struct Unit {
    pub setup: UnitSetup,
    pub requests: Vec<Request>,
    pub misses: u32,
    pub probe: Option<(Mono, Duration)>,
    pub allowed: Mono,
    pub served: u64,
    pub missed: u64,
    /// Of those, turns that were missed although everything was answered: the line is asked more than it carries.
    pub late: u64,
    /// The longest of its last answer times, fading: what its probes wait for.
    pub answer_time: Option<Duration>,
    pub probes: u32,
}

impl UnitSetup {
    /// Whether the same is asked in the same way, whatever the equipment's place in the site.
    pub(super) fn asks_as(&self, other: &Self) -> bool {
        *self == Self { equipment: self.equipment, ..other.clone() }
    }
}

impl Unit {
    pub(super) fn new(setup: UnitSetup, now: Mono) -> Self {
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

    /// Since when, or from when on, something of it is due.
    pub(super) fn due(&self) -> Option<Mono> {
        let first = self.requests.iter().map(|r| r.due).min()?;
        Some(self.probe.map_or(first, |(at, _)| at))
    }

    /// Everything becomes due, what was read a moment ago a moment later: who asks without end takes no line.
    pub(super) fn read_now(&mut self, now: Mono) {
        for request in &mut self.requests {
            let soonest = request.over.map_or(now, |at| now.max(at + limits::READ_AGAIN_MIN));
            request.due = request.due.min(soonest);
        }
        if let Some((at, _)) = &mut self.probe {
            *at = (*at).min(now);
        }
    }

    /// It was written to: everything is read back.
    pub(super) fn written(&mut self, now: Mono) {
        for request in &mut self.requests {
            request.due = request.due.min(now);
        }
        if let Some((at, _)) = &mut self.probe {
            *at = (*at).min(now);
        }
    }

    /// The request that comes next, when, and its rank among what is due: 0 before 1.
    pub(super) fn soonest(&self, now: Mono) -> Option<(usize, Mono, u8)> {
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
    pub(super) fn timeout(&mut self, usual: Option<Duration>) -> Duration {
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

    pub(super) fn good(&mut self, purpose: Purpose, at: usize, now: Mono) -> Report {
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
        request.over = Some(now);
        let every = request.plan.every;
        request.due = request.due + every;
        if request.due <= now {
            let behind = now.since(request.due).as_nanos() / every.as_nanos().max(1) + 1;
            self.missed += u64::try_from(behind).unwrap_or(u64::MAX);
            request.due = request.due + every * u32::try_from(behind).unwrap_or(u32::MAX);
        }
        Some(request.plan.clone())
    }

    pub(super) fn exception(&mut self, at: usize, code: u8, now: Mono) -> Report {
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

    pub(super) fn failed(&mut self, at: usize, fault: &WireFault, now: Mono) -> Report {
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
