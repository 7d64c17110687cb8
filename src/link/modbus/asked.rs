//! Requests of people to a bus. They take turns with polling. The functions are pure: the time is an argument.
//!
//! After one request of a person, every poll that was due by then goes first. A request is not sent if the person no
//! longer waits for it (tests: `polls_of_a_living_unit_are_late_by_one_try_at_most`, `who_is_gone_is_not_asked_for`).

use std::collections::VecDeque;

use super::schedule::Schedule;
use crate::limits;
use crate::link::{TryEnd, TryOrder, WriteEnd, WriteOrder};
use crate::words::Mono;

/// A request of a person.
#[derive(Debug)]
pub(super) enum Order {
    Write(WriteOrder),
    Try(TryOrder),
    /// A request that is sent a second time, because an idle connection was closed by the other side when it was
    /// used.
    TryAgain(TryOrder),
}

impl Order {
    fn is_gone(&self) -> bool {
        match self {
            Order::Write(order) => order.done.is_closed(),
            Order::Try(order) | Order::TryAgain(order) => order.done.is_closed(),
        }
    }

    /// Answers that too many requests already wait for this link.
    fn refuse(self) {
        let why = format!("{} requests already wait for this link", limits::LINK_COMMANDS_MAX);
        // The person may no longer wait for the answer.
        let _told = match self {
            Order::Write(order) => {
                order.done.send(WriteEnd { answer: Err(why.clone()), read_back: Err(why) }).is_ok()
            }
            Order::Try(order) | Order::TryAgain(order) => order.done.send(TryEnd::Failed(why)).is_ok(),
        };
    }
}

/// The requests of people that wait to be sent, each with its unit id.
#[derive(Debug, Default)]
pub(super) struct HumanRequests {
    waiting: VecDeque<(u8, Order)>,
    /// The time when the last request of a person ended; `None` once every poll that was due by then was sent.
    after: Option<Mono>,
}

impl HumanRequests {
    /// Adds a request. Writes go before other requests.
    pub(super) fn push(&mut self, unit: u8, order: Order) {
        self.waiting.retain(|(_, o)| !o.is_gone());
        if self.waiting.len() >= limits::LINK_COMMANDS_MAX {
            order.refuse();
            return;
        }
        let writes = self.waiting.iter().take_while(|(_, o)| matches!(o, Order::Write(_))).count();
        let at = if matches!(order, Order::Write(_)) { writes } else { self.waiting.len() };
        self.waiting.insert(at, (unit, order));
    }

    /// Returns the request of a person that must be sent now, before any poll; `None` if there is none.
    pub(super) fn next(&mut self, schedule: &Schedule, now: Mono) -> Option<Order> {
        self.waiting.retain(|(_, o)| !o.is_gone());
        if self.after.is_some_and(|at| schedule.is_due_since(at)) {
            return None;
        }
        self.after = None;
        let at = self.waiting.iter().position(|(unit, _)| schedule.rested(*unit) <= now)?;
        self.waiting.remove(at).map(|(_, order)| order)
    }

    /// Notes that a request of a person has ended.
    pub(super) fn ended(&mut self, now: Mono) {
        self.after = Some(now);
    }

    /// The time from which the first waiting request may be sent: a unit may need a pause (`min_interval`) before it.
    pub(super) fn due(&self, schedule: &Schedule) -> Option<Mono> {
        self.waiting.iter().map(|(unit, _)| schedule.rested(*unit)).min()
    }

    /// Drops all requests because the link has no connection. Dropping a request tells the person who waits for it.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
        self.after = None;
    }
}

#[cfg(test)]
mod tests;
