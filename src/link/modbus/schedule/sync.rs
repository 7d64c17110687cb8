//! Which answers may still come from a unit of a line on which nothing in an answer says which request it answers.

use std::collections::VecDeque;

use crate::limits;
use crate::link::modbus::plan::PlannedRequest;
use crate::profile::Area;
use crate::words::Mono;

/// Function and count: what an answer shows of its request.
type Shape = (u8, u16);

/// The requests to one unit that were given up, by their shapes.
#[derive(Debug, Default)]
pub(super) struct Sync {
    outstanding: VecDeque<(Shape, Mono)>,
    /// Functions that were refused while one of them was outstanding: nobody knows which request that was.
    refused: Vec<u8>,
    /// Nothing can be told apart until then.
    pub blocked: Option<Mono>,
}

impl Sync {
    /// A request was given up.
    pub fn push(&mut self, area: Area, count: u16, now: Mono) {
        self.outstanding.push_back(((area.function(), count), now));
        if self.outstanding.len() > limits::SHAPES_REMEMBERED {
            self.outstanding.pop_front();
        }
    }

    /// A request was refused. An exception names its function and nothing more: it proves nothing while one of that
    /// function is outstanding. Whether everything before it has come or never will.
    pub fn refused(&mut self, area: Area, count: u16, now: Mono) -> bool {
        let function = area.function();
        if !self.outstanding.iter().any(|((f, _), _)| *f == function) {
            return true;
        }
        self.refused.push(function);
        self.push(area, count, now);
        false
    }

    /// Forgets what is too long ago to come.
    pub fn expire(&mut self, now: Mono) {
        while self.outstanding.front().is_some_and(|(_, at)| *at + limits::LATE_MAX <= now) {
            self.outstanding.pop_front();
        }
        self.refused.retain(|f| self.outstanding.iter().any(|((o, _), _)| o == f));
        self.blocked = self.blocked.filter(|at| *at > now);
    }

    /// Whether an answer of this shape may still come.
    pub fn is_outstanding(&self, area: Area, count: u16) -> bool {
        let shape = (area.function(), count);
        self.outstanding.iter().any(|(s, _)| *s == shape)
    }

    /// Whether an answer of this shape may still come, as things are now.
    pub fn may_come(&self, area: Area, count: u16, now: Mono) -> bool {
        let shape = (area.function(), count);
        self.outstanding.iter().any(|(s, at)| *s == shape && *at + limits::LATE_MAX > now)
    }

    /// Another shape than everything outstanding: fewer registers or a few more, which bring values as well; then the sister
    /// function, the same of the unit's other requests, a single bit.
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

    /// Until when nothing can be told apart: the first of what is outstanding is forgotten then.
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
