//! The timers of the rooms in one queue, ordered by time.
//!
//! A room gives the end of each of its timers on the wall clock ([`ticket::watch_until`], [`alarm::shelved_until`]). The
//! desk counts each timer on the monotonic clock, from the time at which the timer was set. A jump of the wall clock
//! therefore ends no timer early or late (test: `a_clock_that_jumps_a_year_ends_no_watch_and_no_shelf`). While the wall
//! clock is not set, no timer ends; when it is set, every timer is counted from that time. After a restart
//! [`Timers::start`] takes the timers from the state.

use std::collections::{BTreeMap, BTreeSet};

use super::rooms::Event;
use super::state::State;
use crate::alarm::{self, Key};
use crate::ticket;
use crate::words::{Mono, Now, TicketNumber, Wall};

/// A timer of a room.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// The end of the watch after a ticket was closed: until then the fault reopens the ticket.
    Watch(TicketNumber),
    /// The end of shelving an alarm.
    Shelf(Key),
}

/// The end of a timer.
#[derive(Debug, Clone, Copy, PartialEq)]
struct End {
    until: Wall,
    /// The same time on the monotonic clock; `None` while the wall clock is not set.
    at: Option<Mono>,
}

/// The timers that run, and the timers that have ended but whose end is not recorded yet.
#[derive(Debug, Default)]
pub(super) struct Timers {
    all: BTreeMap<Timer, End>,
    /// The timers that run, in the order of their ends.
    queue: BTreeSet<(Mono, Timer)>,
}

impl Timers {
    /// Takes the timers of the whole state. A timer whose end is unchanged continues; a new end is counted from `now`.
    pub(super) fn start(&mut self, state: &State, now: Now) {
        let tickets = state.tickets.live.values().flat_map(|t| ticket_timers(state, t.number));
        let alarms = state.alarms.shelves.keys().flat_map(|key| alarm_timers(state, key));
        let wanted: BTreeMap<Timer, Option<Wall>> = tickets.chain(alarms).collect();
        let gone = self.all.keys().filter(|timer| !wanted.contains_key(*timer)).cloned().collect::<Vec<_>>();
        for timer in gone {
            self.set(timer, None, now);
        }
        for (timer, until) in wanted {
            self.set(timer, until, now);
        }
    }

    /// Takes the timers of the ticket or alarm that an event concerns.
    pub(super) fn changed(&mut self, state: &State, event: &Event, now: Now) {
        match event {
            Event::Ticket(event) => {
                for (timer, until) in ticket_timers(state, event.number()) {
                    self.set(timer, until, now);
                }
            }
            Event::Alarm(event) => {
                for (timer, until) in alarm_timers(state, &event.key()) {
                    self.set(timer, until, now);
                }
            }
            Event::Gateway(_)
            | Event::Service(_)
            | Event::Write(_)
            | Event::Baseline(_)
            | Event::Other { .. } => {}
        }
    }

    fn set(&mut self, timer: Timer, until: Option<Wall>, now: Now) {
        if self.all.get(&timer).map(|end| end.until) == until {
            return;
        }
        if let Some(End { at: Some(at), .. }) = self.all.remove(&timer) {
            self.queue.remove(&(at, timer.clone()));
        }
        if let Some(until) = until {
            let at = now.wall.is_set().then(|| now.mono + until.since(now.wall));
            self.queue.extend(at.map(|at| (at, timer.clone())));
            self.all.insert(timer, End { until, at });
        }
    }

    /// Counts every timer again, after the wall clock was set for the first time.
    pub(super) fn clock_was_set(&mut self, now: Now) {
        for (timer, end) in &mut self.all {
            let at = now.mono + end.until.since(now.wall);
            if let Some(before) = end.at.replace(at) {
                self.queue.remove(&(before, timer.clone()));
            }
            self.queue.insert((at, timer.clone()));
        }
    }

    /// Returns the time at which the next timer ends.
    pub(super) fn next(&self) -> Option<Mono> {
        self.queue.first().map(|(at, _)| *at)
    }

    /// Returns the next timer that has ended until `now`. Each end is returned once.
    pub(super) fn pop_ended(&mut self, now: Mono) -> Option<Timer> {
        if self.next()? > now {
            return None;
        }
        self.queue.pop_first().map(|(_, timer)| timer)
    }
}

fn ticket_timers(state: &State, number: TicketNumber) -> [(Timer, Option<Wall>); 1] {
    [(Timer::Watch(number), ticket::watch_until(&state.tickets, number))]
}

fn alarm_timers(state: &State, key: &Key) -> [(Timer, Option<Wall>); 1] {
    [(Timer::Shelf(key.clone()), alarm::shelved_until(&state.alarms, key))]
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn now(mono_ms: u64, wall: i64) -> Now {
        Now { mono: Mono::default() + Duration::from_millis(mono_ms), wall: Wall::from_millis(wall) }
    }

    const SET: i64 = 1_790_000_000_000;

    fn watch(n: u64) -> Timer {
        Timer::Watch(TicketNumber(n))
    }

    #[test]
    fn timers_end_in_the_order_of_time_and_each_once() {
        let (mut timers, start) = (Timers::default(), now(0, SET));
        for (n, after) in [(1, 300), (2, 100), (3, 200), (4, 100)] {
            timers.set(watch(n), Some(Wall::from_millis(SET + after)), start);
        }
        timers.set(watch(3), None, start);
        timers.set(watch(4), Some(Wall::from_millis(SET + 250)), start);
        let mut ended = Vec::new();
        for ms in (0..=400).step_by(50) {
            while let Some(timer) = timers.pop_ended(now(ms, SET).mono) {
                ended.push((ms, timer));
            }
        }
        assert_eq!(ended, [(100, watch(2)), (250, watch(4)), (300, watch(1))]);
        assert_eq!(timers.next(), None);
    }

    #[test]
    fn a_timer_that_ended_runs_again_only_with_another_end() {
        let (mut timers, start) = (Timers::default(), now(0, SET));
        let until = Some(Wall::from_millis(SET + 100));
        timers.set(watch(1), until, start);
        assert_eq!(timers.pop_ended(now(100, SET).mono), Some(watch(1)));
        timers.set(watch(1), until, now(150, SET + 150));
        assert_eq!(timers.next(), None);
        timers.set(watch(1), Some(Wall::from_millis(SET + 400)), now(150, SET + 150));
        assert_eq!(timers.next(), Some(now(400, 0).mono));
    }

    #[test]
    fn timers_wait_until_the_wall_clock_is_set() {
        let mut timers = Timers::default();
        timers.set(watch(1), Some(Wall::from_millis(SET + 100)), now(0, 0));
        assert_eq!(timers.next(), None);
        timers.clock_was_set(now(5_000, SET));
        assert_eq!(timers.next(), Some(now(5_100, 0).mono));
    }
}
