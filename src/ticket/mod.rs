//! The record of troubleshooting one fault on one piece of equipment, from opening to verified close.
//!
//! `decide` reads and refuses, `apply` changes and cannot refuse. No sequence of commands reaches a
//! state outside the lifecycle (test: `no_sequence_leaves_the_lifecycle`). State comes back from the journal.

mod apply;
mod decide;
mod event;
mod state;
#[cfg(test)]
mod tests;
mod verb;

pub use apply::{apply, opened, take};
pub use decide::{StepNow, current_step, decide, decide_answer};
pub use event::{TicketEvent, TicketOpening};
pub use state::{Condition, Fix, LogEntry, StepRecord, Ticket, TicketState, Tickets, watch_until};
pub use verb::{Answer, CancelReason, Target, TicketAsk, TicketVerb, UsedPart};
