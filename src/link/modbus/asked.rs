//! What people ask of a bus takes turns with polling. Pure: the time is an argument.
//!
//! After one request of a person every poll that was due by then goes first. A request whose asker is gone is not sent
//! (tests: `polls_of_a_living_unit_are_late_by_one_try_at_most`, `who_is_gone_is_not_asked_for`).

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
    /// A connection that had served others was closed under it: it is sent once more.
    Again(TryOrder),
}

impl Order {
    fn is_gone(&self) -> bool {
        match self {
            Order::Write(order) => order.done.is_closed(),
            Order::Try(order) | Order::Again(order) => order.done.is_closed(),
        }
    }

    /// Tells the asker that there is no room for this.
    fn refuse(self) {
        let why = format!("{} requests already wait for this link", limits::LINK_COMMANDS_MAX);
        // Whoever asked may be gone.
        let _told = match self {
            Order::Write(order) => {
                order.done.send(WriteEnd { answer: Err(why.clone()), read_back: Err(why) }).is_ok()
            }
            Order::Try(order) | Order::Again(order) => order.done.send(TryEnd::Failed(why)).is_ok(),
        };
    }
}

/// The requests of people that wait for their turn, each with its unit.
#[derive(Debug, Default)]
pub(super) struct Asked {
    waiting: VecDeque<(u8, Order)>,
    /// When the last one ended, while polls that were due by then still wait.
    after: Option<Mono>,
}

impl Asked {
    /// Takes a request in; writes go before tries.
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

    /// What is to be sent now, before anything else.
    pub(super) fn next(&mut self, schedule: &Schedule, now: Mono) -> Option<Order> {
        self.waiting.retain(|(_, o)| !o.is_gone());
        if self.after.is_some_and(|at| schedule.is_due_since(at)) {
            return None;
        }
        self.after = None;
        let at = self.waiting.iter().position(|(unit, _)| schedule.rested(*unit) <= now)?;
        self.waiting.remove(at).map(|(_, order)| order)
    }

    /// One has ended.
    pub(super) fn ended(&mut self, now: Mono) {
        self.after = Some(now);
    }

    /// When the first of them may be sent, where a unit wants to rest before.
    pub(super) fn due(&self, schedule: &Schedule) -> Option<Mono> {
        self.waiting.iter().map(|(unit, _)| schedule.rested(*unit)).min()
    }

    /// The link is away: dropping them tells their askers.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
        self.after = None;
    }
}

#[cfg(test)]
mod tests;
