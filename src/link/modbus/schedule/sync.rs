//! The answers that may still arrive from a unit, on a line where an answer does not show which request it answers.

use std::collections::VecDeque;

use crate::limits;
use crate::link::modbus::plan::PlannedRequest;
use crate::profile::Area;
use crate::words::Mono;

/// Function and count of a request: the only properties that its answer shows.
type Shape = (u8, u16);

/// The requests to one unit that were given up, by shape.
#[derive(Debug, Default)]
pub(super) struct Sync {
    outstanding: VecDeque<(Shape, Mono)>,
    /// Functions that were refused while a request with that function was given up: the refusal may belong to either.
    refused: Vec<u8>,
    /// Until this time the answers of the unit cannot be distinguished, so no request is sent; `None` if they can.
    pub blocked: Option<Mono>,
}

impl Sync {
    /// Notes a request that was given up.
    pub fn push(&mut self, area: Area, count: u16, now: Mono) {
        self.outstanding.push_back(((area.function(), count), now));
        if self.outstanding.len() > limits::SHAPES_REMEMBERED {
            self.outstanding.pop_front();
        }
    }

    /// Notes a request that was refused. An exception shows only its function, so it may belong to a request with
    /// that function that was given up. Returns true if no older answer can arrive any more.
    pub fn refused(&mut self, area: Area, count: u16, now: Mono) -> bool {
        let function = area.function();
        if !self.outstanding.iter().any(|((f, _), _)| *f == function) {
            return true;
        }
        self.refused.push(function);
        self.push(area, count, now);
        false
    }

    /// Forgets requests that are too old for an answer.
    pub fn expire(&mut self, now: Mono) {
        while self.outstanding.front().is_some_and(|(_, at)| *at + limits::LATE_MAX <= now) {
            self.outstanding.pop_front();
        }
        self.refused.retain(|f| self.outstanding.iter().any(|((o, _), _)| o == f));
        self.blocked = self.blocked.filter(|at| *at > now);
    }

    /// True if an answer of this shape may still arrive.
    pub fn is_outstanding(&self, area: Area, count: u16) -> bool {
        let shape = (area.function(), count);
        self.outstanding.iter().any(|(s, _)| *s == shape)
    }

    /// True if an answer of this shape may still arrive at `now`; does not need [`Self::expire`] first.
    pub fn may_come(&self, area: Area, count: u16, now: Mono) -> bool {
        let shape = (area.function(), count);
        self.outstanding.iter().any(|(s, at)| *s == shape && *at + limits::LATE_MAX > now)
    }

    /// Finds a request whose shape differs from all given up. First choice: fewer registers or a few more, which also
    /// bring values. Then the sister function, the same for other requests of the unit, and a single bit.
    pub fn distinct<'a>(
        &self,
        own: &'a PlannedRequest,
        may_go_beyond: bool,
        others: impl Iterator<Item = &'a PlannedRequest>,
    ) -> Option<(Area, u16, u16)> {
        let is_free = |(area, _, count): &(Area, u16, u16)| {
            !self.is_outstanding(*area, *count) && !self.refused.contains(&area.function())
        };
        let fewer = |p: &'a PlannedRequest| (1..=p.count).rev().map(move |n| (p.area, p.start, n));
        let most = if may_go_beyond { own.count.saturating_add(limits::READ_BEYOND_MAX) } else { 0 };
        let more = (own.count + 1..=most.min(limits::REGISTERS_MAX)).map(|n| (own.area, own.start, n));
        let plans = std::iter::once(own).chain(others.filter(|p| p.area != Area::Identification));
        let of_plans = plans.flat_map(|p| {
            let sister = fewer(p).filter_map(|(area, start, n)| Some((sister(area)?, start, n)));
            fewer(p).chain(sister)
        });
        let bits = [Area::Coil, Area::Discrete].map(|a| (a, own.start, 1));
        let all = fewer(own).chain(more).chain(of_plans).chain(bits);
        // A read must not go beyond the last register.
        let is_within = |(_, start, count): &(Area, u16, u16)| start.checked_add(count - 1).is_some();
        all.filter(is_within).find(is_free)
    }

    /// Blocks the unit until the oldest request that was given up is forgotten, and returns that time.
    pub fn block(&mut self) -> Option<Mono> {
        self.blocked = self.outstanding.front().map(|(_, at)| *at + limits::LATE_MAX);
        self.blocked
    }
}

fn sister(area: Area) -> Option<Area> {
    match area {
        Area::Coil => Some(Area::Discrete),
        Area::Discrete => Some(Area::Coil),
        Area::Input => Some(Area::Holding),
        Area::Holding => Some(Area::Input),
        Area::Identification => None,
    }
}
