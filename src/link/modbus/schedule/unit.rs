//! The schedule of one unit of a bus: its due requests, and the consequences of an answer or a timeout.

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
    /// The time when it is or was due.
    pub due: Mono,
    /// The time when its last turn ended (a turn is one due read with all its attempts); `None` before the first.
    over: Option<Mono>,
    /// The failed attempts in this turn.
    attempts: u32,
    /// True if it was sent again in this turn without counting a failure, because an idle connection had been closed.
    was_sent_again: bool,
    /// True if the device refused it last.
    pub is_refused: bool,
    /// True if the device refuses to read a few registers more than planned.
    pub ends_there: bool,
    /// The reason why its last turn failed; `None` if it did not fail.
    pub trouble: Option<String>,
}

impl Request {
    fn new(plan: PlannedRequest, due: Mono) -> Self {
        Self {
            plan: Arc::new(plan),
            due,
            over: None,
            attempts: 0,
            was_sent_again: false,
            is_refused: false,
            ends_there: false,
            trouble: None,
        }
    }
}

/// How long a unit has sent nothing at all.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Silence {
    /// The number of requests in a row without a byte in response.
    requests: u32,
    /// True if a whole turn, with all attempts, was silent.
    is_turn: bool,
    /// The time when the first of these requests was given up; `None` if the unit is not silent.
    since: Option<Mono>,
}

#[derive(Debug)]
pub(super) struct SlaveSchedule {
    pub setup: UnitSetup,
    pub requests: Vec<Request>,
    pub silence: Silence,
    /// The time of the last probe of a dead unit; `None` if the unit is alive.
    pub probed: Option<Mono>,
    /// True if a person waits for a dead unit: it is probed once as soon as possible.
    pub is_wanted: bool,
    /// The earliest time of the next request, because of `min_interval` or a busy device.
    pub allowed: Mono,
    /// The number of the last request to this unit, counted over the bus; the lowest was served longest ago.
    pub served: u64,
    /// The number of reads that were skipped.
    pub missed: u64,
    /// The part of `missed` that was skipped although the unit answered: the line has no time for all requests.
    pub late: u64,
    /// The longest of the last answer times; it shrinks slowly. Sets the timeout of probes. `None` before the first
    /// answer.
    pub answer_time: Option<Duration>,
    /// The number of probes so far; see [`limits::PROBE_WHOLE_EVERY`].
    pub probes: u32,
}

impl UnitSetup {
    /// True if both send the same requests in the same way. The equipment's index in the site does not count.
    pub(super) fn asks_as(&self, other: &Self) -> bool {
        *self == Self { equipment: self.equipment, ..other.clone() }
    }
}

impl SlaveSchedule {
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

    /// The time when the first request of a living unit is or was due; `None` for a dead unit.
    pub(super) fn due(&self) -> Option<Mono> {
        self.requests.iter().map(|r| r.due).min().filter(|_| self.probed.is_none())
    }

    /// True if the last request to the unit had no response at all.
    pub(super) fn is_suspect(&self) -> bool {
        self.silence.requests > 0
    }

    /// Makes all requests due. A request that was read a moment ago becomes due a moment later, so that a person who
    /// asks again and again cannot occupy the line.
    pub(super) fn read_now(&mut self, now: Mono) {
        for request in &mut self.requests {
            let soonest = request.over.map_or(now, |at| now.max(at + limits::READ_AGAIN_MIN));
            request.due = request.due.min(soonest);
        }
        self.is_wanted = self.probed.is_some();
    }

    /// Makes all requests due after a write, so that the written value is read back.
    pub(super) fn written(&mut self, now: Mono) {
        for request in &mut self.requests {
            request.due = request.due.min(now);
        }
        self.is_wanted = self.probed.is_some();
    }

    /// The request that comes next, the time when it is due, and its rank among overdue requests: 0 goes before 1.
    pub(super) fn soonest(&self, now: Mono) -> Option<(usize, Mono, u8)> {
        let ranked = |r: &Request| {
            let is_late = now.since(r.due) >= r.plan.every * limits::LATE_PERIODS;
            let rank = u8::from(!r.plan.is_used_by_fault && !is_late);
            // Requests that are not due yet are ordered by time alone.
            if r.due <= now { (now, rank, r.due) } else { (r.due, 0, r.due) }
        };
        let first = self.requests.iter().enumerate().map(|(i, r)| (ranked(r), i)).min();
        first.map(|((_, rank, due), index)| (index, due, rank))
    }

    /// The timeout of the next probe: several times the usual answer time of the unit or of the bus, or the whole
    /// timeout.
    pub(super) fn probe_time(&self, usual: Option<Duration>) -> Duration {
        match self.answer_time.or(usual) {
            Some(time) if !self.probes.wrapping_add(1).is_multiple_of(limits::PROBE_WHOLE_EVERY) => {
                (time * limits::PROBE_ANSWER_TIMES).max(limits::PROBE_TIMEOUT_MIN).min(self.setup.timeout)
            }
            _ => self.setup.timeout,
        }
    }

    /// The timeout of a living unit. If the unit was silent for its whole timeout, the next attempts get a part of
    /// it, if the unit usually answers faster. On a line that loses answers, the next attempt and the other units
    /// then come sooner.
    pub(super) fn time(&self) -> Duration {
        let whole = self.setup.timeout;
        match self.answer_time {
            Some(usual) if !self.silence.requests.is_multiple_of(limits::SUSPECT_WHOLE_EVERY) => {
                (usual * limits::PROBE_ANSWER_TIMES).max(whole / 2).min(whole)
            }
            _ => whole,
        }
    }

    /// Takes an answer to a shorter or longer read than planned. Its values are used, and it shows that no older
    /// answer can arrive any more.
    pub(super) fn partly(&mut self, at: usize, count: u16, last_silence_ended: Mono, now: Mono) -> Report {
        let Some(plan) = self.requests.get(at).map(|r| r.plan.clone()) else { return Report::Nothing };
        let is_within = |p: &&PlannedPoint| p.offset + p.width <= count && p.factor.is_none_or(|f| f < count);
        let points: Vec<PlannedPoint> = plan.points.iter().filter(is_within).copied().collect();
        let is_all = points.len() == plan.points.len();
        let part = Arc::new(PlannedRequest { count, points, ..PlannedRequest::clone(&plan) });
        if is_all {
            self.good(Purpose::Poll(at), at, last_silence_ended, now);
        } else {
            self.is_heard(now);
        }
        if part.points.is_empty() { Report::Nothing } else { Report::Values(part) }
    }

    /// Notes a sign of life: an answer, an exception, garbled bytes or the end of a connection.
    pub(super) fn is_heard(&mut self, now: Mono) {
        self.silence = Silence::default();
        if self.probed.take().is_some() {
            for request in &mut self.requests {
                request.due = now;
            }
        }
    }

    /// Takes a whole answer. `last_silence_ended` is the time when the line last waited for a silent unit: a read that
    /// is late because of that wait does not count as `late`.
    pub(super) fn good(
        &mut self,
        purpose: Purpose,
        at: usize,
        last_silence_ended: Mono,
        now: Mono,
    ) -> Report {
        self.is_heard(now);
        match purpose {
            Purpose::Resync(_) => Report::Nothing,
            Purpose::Poll(_) => {
                if let Some(request) = self.requests.get_mut(at) {
                    request.is_refused = false;
                    request.trouble = None;
                }
                let missed = self.missed;
                let is_asked_too_much = self.requests.get(at).is_some_and(|r| r.due >= last_silence_ended);
                let done = self.done(at, now);
                self.late += if is_asked_too_much { self.missed - missed } else { 0 };
                done.map_or(Report::Nothing, Report::Values)
            }
        }
    }

    /// Ends the turn of a request. The next turn follows the period without drift, and turns that have passed are
    /// skipped.
    fn done(&mut self, at: usize, now: Mono) -> Option<Arc<PlannedRequest>> {
        let request = self.requests.get_mut(at)?;
        request.attempts = 0;
        request.was_sent_again = false;
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
        self.is_heard(now);
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
            self.is_heard(now);
        }
        self.failed(at, &fault.to_string(), fault.is_silence(), now)
    }

    /// A connection that had worked was closed when this request was sent. Returns true if the request is sent again
    /// without counting a failure: once in a turn, because the request itself may be the reason why connections are
    /// closed.
    pub(super) fn send_again(&mut self, at: usize) -> bool {
        self.requests.get_mut(at).is_some_and(|r| !std::mem::replace(&mut r.was_sent_again, true))
    }

    fn failed(&mut self, at: usize, why: &str, is_silence: bool, now: Mono) -> Report {
        // If a unit was silent for a whole turn, the next turn has no second attempt.
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
