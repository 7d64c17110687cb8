//! One unit of a bus: what is due of it, and what an answer or its absence means for the next time.

use std::sync::Arc;
use std::time::Duration;

use super::{Purpose, Report, UnitSetup};
use crate::limits;
use crate::link::modbus::fault::{WireFault, exception_text, is_busy, is_gateways, is_no_value};
use crate::link::modbus::plan::{PlannedPoint, PlannedRequest, split};
use crate::words::Mono;

#[derive(Debug)]
pub(super) struct Request {
    pub plan: Arc<PlannedRequest>,
    pub due: Mono,
    /// When its last turn ended.
    over: Option<Mono>,
    attempts: u32,
    /// It was sent again for nothing in this turn, because a connection that had served others was closed.
    spared: bool,
    /// The device refused it last.
    pub is_refused: bool,
    /// The device refuses to read a few registers more than it.
    pub ends_there: bool,
    /// Why its last turn brought nothing.
    pub trouble: Option<String>,
}

impl Request {
    fn new(plan: PlannedRequest, due: Mono) -> Self {
        Self {
            plan: Arc::new(plan),
            due,
            over: None,
            attempts: 0,
            spared: false,
            is_refused: false,
            ends_there: false,
            trouble: None,
        }
    }
}

/// How long nothing at all has come from a unit.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Silence {
    /// Requests in a row.
    requests: u32,
    /// Whether a whole turn, retries included, was silent.
    is_turn: bool,
    /// When the first of them was given up.
    since: Option<Mono>,
}

#[derive(Debug)]
pub(super) struct Unit {
    pub setup: UnitSetup,
    pub requests: Vec<Request>,
    pub silence: Silence,
    /// A dead unit: when its last probe was sent.
    pub probed: Option<Mono>,
    /// Somebody waits for a dead unit: it is probed once at once.
    pub is_wanted: bool,
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
            silence: Silence::default(),
            probed: None,
            is_wanted: false,
            allowed: now,
            served: 0,
            missed: 0,
            late: 0,
            answer_time: None,
            probes: 0,
        }
    }

    /// Since when, or from when on, something of a living unit is due.
    pub(super) fn due(&self) -> Option<Mono> {
        self.requests.iter().map(|r| r.due).min().filter(|_| self.probed.is_none())
    }

    /// The last request to it had no answer at all.
    pub(super) fn is_suspect(&self) -> bool {
        self.silence.requests > 0
    }

    /// Everything becomes due, what was read a moment ago a moment later: who asks without end takes no line.
    pub(super) fn read_now(&mut self, now: Mono) {
        for request in &mut self.requests {
            let soonest = request.over.map_or(now, |at| now.max(at + limits::READ_AGAIN_MIN));
            request.due = request.due.min(soonest);
        }
        self.is_wanted = self.probed.is_some();
    }

    /// It was written to: everything is read back.
    pub(super) fn written(&mut self, now: Mono) {
        for request in &mut self.requests {
            request.due = request.due.min(now);
        }
        self.is_wanted = self.probed.is_some();
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
        first.map(|((_, rank, due), index)| (index, due, rank))
    }

    /// The time its next probe has: several times what it, or the others on the bus, usually take, or the whole timeout.
    pub(super) fn probe_time(&self, usual: Option<Duration>) -> Duration {
        match self.answer_time.or(usual) {
            Some(time) if !self.probes.wrapping_add(1).is_multiple_of(limits::PROBE_WHOLE_EVERY) => {
                (time * limits::PROBE_ANSWER_TIMES).max(limits::PROBE_TIMEOUT_MIN).min(self.setup.timeout)
            }
            _ => self.setup.timeout,
        }
    }

    /// The time a living unit has. One that was just silent for its whole timeout is given a part of it the next times, if
    /// it usually takes no longer: on a line that loses answers the others, and its own next try, come sooner.
    pub(super) fn time(&self) -> Duration {
        let whole = self.setup.timeout;
        match self.answer_time {
            Some(usual) if !self.silence.requests.is_multiple_of(limits::SUSPECT_WHOLE_EVERY) => {
                (usual * limits::PROBE_ANSWER_TIMES).max(whole / 2).min(whole)
            }
            _ => whole,
        }
    }

    /// Part of a request's values came, or all of them and more: they serve, and prove that the line is in step.
    pub(super) fn partly(&mut self, at: usize, count: u16, waited_in_vain: Mono, now: Mono) -> Report {
        let Some(plan) = self.requests.get(at).map(|r| r.plan.clone()) else { return Report::Nothing };
        let is_within = |p: &&PlannedPoint| p.offset + p.width <= count && p.factor.is_none_or(|f| f < count);
        let points: Vec<PlannedPoint> = plan.points.iter().filter(is_within).copied().collect();
        let is_all = points.len() == plan.points.len();
        let part = Arc::new(PlannedRequest { count, points, ..PlannedRequest::clone(&plan) });
        if is_all {
            self.good(Purpose::Poll(at), at, waited_in_vain, now);
        } else {
            self.lives(now);
        }
        if part.points.is_empty() { Report::Nothing } else { Report::Values(part) }
    }

    /// Something came from it: an answer, an exception, garbled bytes, the end of a connection.
    pub(super) fn lives(&mut self, now: Mono) {
        self.silence = Silence::default();
        if self.probed.take().is_some() {
            for request in &mut self.requests {
                request.due = now;
            }
        }
    }

    /// `waited_in_vain` is when the line waited last for somebody who did not answer: what is late by that is not late because
    /// the line is asked too much.
    pub(super) fn good(&mut self, purpose: Purpose, at: usize, waited_in_vain: Mono, now: Mono) -> Report {
        self.lives(now);
        match purpose {
            Purpose::Resync(_) => Report::Nothing,
            Purpose::Poll(_) => {
                if let Some(request) = self.requests.get_mut(at) {
                    request.is_refused = false;
                    request.trouble = None;
                }
                let missed = self.missed;
                let is_asked_too_much = self.requests.get(at).is_some_and(|r| r.due >= waited_in_vain);
                let done = self.done(at, now);
                self.late += if is_asked_too_much { self.missed - missed } else { 0 };
                done.map_or(Report::Nothing, Report::Values)
            }
        }
    }

    /// The request's turn is over: its next one follows the period, without drift; turns that are past are left out.
    fn done(&mut self, at: usize, now: Mono) -> Option<Arc<PlannedRequest>> {
        let request = self.requests.get_mut(at)?;
        request.attempts = 0;
        request.spared = false;
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
        if is_gateways(code) {
            return self.failed(at, &exception_text(code), true, now);
        }
        self.lives(now);
        if !matches!(code, 1..=3) {
            if is_busy(code) {
                self.allowed = self.allowed.max(now + limits::BUSY_AGAIN_AFTER);
            }
            return self.failed(at, &exception_text(code), false, now);
        }
        if let Some(request) = self.requests.get(at)
            && let Some((left, right)) = split(&request.plan)
        {
            self.requests.splice(at..=at, [left, right].map(|plan| Request::new(plan, now)));
            return Report::Nothing;
        }
        let Some(plan) = self.done(at, now) else { return Report::Nothing };
        if let Some(request) = self.requests.get_mut(at) {
            request.due = now + limits::REFUSED_AGAIN_AFTER.max(plan.every);
            request.is_refused = true;
            request.trouble = Some(exception_text(code));
        }
        let why = exception_text(code);
        if is_no_value(code) { Report::Refused(plan, why) } else { Report::Failed(plan, why) }
    }

    pub(super) fn unanswered(&mut self, at: usize, fault: &WireFault, now: Mono) -> Report {
        if !fault.is_silence() {
            self.lives(now);
        }
        self.failed(at, &fault.to_string(), fault.is_silence(), now)
    }

    /// The connection that carried a request was closed, and had served others before: whether the request is sent again as
    /// if it never was. Once a turn: it may be the request itself of which connections die.
    pub(super) fn spare(&mut self, at: usize) -> bool {
        self.requests.get_mut(at).is_some_and(|r| !std::mem::replace(&mut r.spared, true))
    }

    fn failed(&mut self, at: usize, why: &str, is_silence: bool, now: Mono) -> Report {
        // A unit that was silent for a whole turn is not asked twice in the next.
        let retries = if is_silence && self.silence.is_turn { 0 } else { self.setup.retries };
        if is_silence {
            self.silence.requests += 1;
            self.silence.since.get_or_insert(now);
        }
        let Some(request) = self.requests.get_mut(at) else { return Report::Nothing };
        request.attempts += 1;
        if request.attempts <= retries {
            return Report::Nothing;
        }
        request.trouble = Some(why.to_owned());
        self.silence.is_turn |= is_silence;
        if self.probed.is_none() && self.is_silent_for_long(now) {
            self.probed = Some(now);
        }
        match self.done(at, now) {
            Some(plan) => Report::Failed(plan, why.to_owned()),
            None => Report::Nothing,
        }
    }

    fn is_silent_for_long(&self, now: Mono) -> bool {
        let shortest = self.requests.iter().map(|r| r.plan.every).min().unwrap_or_default();
        let Silence { requests, since, .. } = self.silence;
        requests >= limits::SILENT_REQUESTS_DEAD
            && since.is_some_and(|at| {
                now.since(at) >= (shortest * limits::SILENT_POLLS_DEAD).max(limits::SILENT_TIME_DEAD)
            })
    }
}
