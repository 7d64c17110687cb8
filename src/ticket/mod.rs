//! Tickets: each is the record of troubleshooting one fault on one piece of equipment, from opening to verified
//! close.
//!
//! A person asks with a [`TicketVerb`]. [`decide`] answers with [`TicketEvent`]s or a refusal and changes nothing.
//! [`apply`] takes an event into a [`Ticket`] and cannot refuse, so every old journal loads. No sequence of verbs
//! leaves the lifecycle (test: `no_sequence_leaves_the_lifecycle`). The desk opens a ticket when an alarm is raised,
//! and records the events.
//!
//! ```
//! use andon::ticket::{TicketOpening, TicketOrigin, TicketState, TicketVerb, apply, decide, opened};
//! use andon::words::{Author, EquipmentId, FaultName, Mono, Now, Seq, Severity, TicketNumber, Wall};
//!
//! let opening = TicketOpening {
//!     number: TicketNumber(42),
//!     equipment: EquipmentId::parse("press-7").unwrap(),
//!     fault: FaultName::parse("oil-hot").unwrap(),
//!     origin: TicketOrigin::Fault,
//!     severity: Severity::Major,
//!     summary: "the oil is too hot".to_owned(),
//!     code: None,
//!     onset: Wall::from_millis(0),
//!     values: [("oil".to_owned(), "81 degC".to_owned())].into(),
//!     profile: "press".to_owned(),
//!     profile_sha256: String::new(),
//!     firmware: None,
//!     firmware_notes: Vec::new(),
//!     first_up: None,
//! };
//! let now = Now { mono: Mono(0), wall: Wall::from_millis(0) };
//! let (mut ticket, _line) = opened(Seq(1), now.wall, &Author::Gateway, &opening);
//! let eva = Author::unproven("eva");
//! for event in decide(&ticket, None, &TicketVerb::Start, now).unwrap() {
//!     apply(&mut ticket, Seq(2), now.wall, &eva, &event);
//! }
//! assert_eq!(ticket.state, TicketState::InProgress);
//! assert!(decide(&ticket, None, &TicketVerb::Start, now).is_err(), "work has already started");
//! ```

mod apply;
mod decide;
mod event;
mod report;
mod state;
#[cfg(test)]
mod tests;
mod verb;

pub use apply::{apply, opened, take};
pub use decide::{StepNow, current_step, decide, decide_answer};
pub use event::{TicketEvent, TicketOpening};
pub use report::report;
pub use state::{
    Condition, Fix, LogEntry, StepRecord, Ticket, TicketOrigin, TicketState, Tickets, watch_until,
};
pub use verb::{Answer, CancelReason, Target, TicketAsk, TicketChange, TicketReport, TicketVerb, UsedPart};
