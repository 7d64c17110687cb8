//! When watches and shelves end, on the monotonic clock.
//!
//! A deadline is written on the wall clock, and counted on the monotonic one from when it was set: a wall clock that jumps
//! a year and back ends nothing early and nothing late (test: `a_clock_that_jumps_a_year_ends_no_watch_and_no_shelf`).
//! While the wall clock was never set, nothing ends; once it is set, every deadline is counted from there.
//! State comes back from the journal: [`Deadlines::agree`] at the start.

use std::collections::BTreeMap;

use super::state::State;
use crate::alarm::Key;
use crate::words::{Mono, Now, TicketNumber, Wall};

/// What ends at a deadline.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Ending {
    /// The time after a close in which the fault reopens the ticket.
    Watch(TicketNumber),
    /// Shelving of an alarm.
    Shelf(Key),
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Deadline {
    until: Wall,
    /// `None` while the wall clock was not set when this was counted.
    at: Option<Mono>,
    is_past: bool,
}

/// Every deadline that is not over.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    all: BTreeMap<Ending, Deadline>,
    next: Option<Mono>,
}

impl Deadlines {
    /// Takes in what has changed: deadlines that are new are counted from `now`, those that are gone are forgotten.
    pub(super) fn agree(&mut self, state: &State, now: Now) {
        let watches =
            state.tickets.live.values().filter_map(|t| Some((Ending::Watch(t.number), t.watch_until?)));
        let shelves = state.alarms.shelves.iter().map(|(key, s)| (Ending::Shelf(key.clone()), s.until));
        let wanted: BTreeMap<Ending, Wall> = watches.chain(shelves).collect();
        self.all.retain(|ending, d| wanted.get(ending) == Some(&d.until));
        for (ending, until) in wanted {
            let at = now.wall.is_set().then(|| now.mono + until.since(now.wall));
            self.all.entry(ending).or_insert(Deadline { until, at, is_past: false });
        }
        self.find_next();
    }

    /// The wall clock was set for the first time: everything is counted anew.
    pub(super) fn clock_was_set(&mut self, now: Now) {
        for deadline in self.all.values_mut() {
            deadline.at = Some(now.mono + deadline.until.since(now.wall));
        }
        self.find_next();
    }

    /// The next instant at which something ends.
    pub(super) fn next(&self) -> Option<Mono> {
        self.next
    }

    /// What has ended by now, each once.
    pub(super) fn take_past(&mut self, now: Mono) -> Vec<Ending> {
        if self.next.is_none_or(|at| at > now) {
            return Vec::new();
        }
        let mut past = Vec::new();
        for (ending, deadline) in &mut self.all {
            if !deadline.is_past && deadline.at.is_some_and(|at| at <= now) {
                deadline.is_past = true;
                past.push(ending.clone());
            }
        }
        self.find_next();
        past
    }

    fn find_next(&mut self) {
        self.next = self.all.values().filter(|d| !d.is_past).filter_map(|d| d.at).min();
    }
}
