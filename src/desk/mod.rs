//! The engine: keeps order, time and durability, asks the rooms what to do, and records what they decide.
//!
//! An [`Ask`] carries a [`Verb`] of one room. That room decides: events and what is told, or a refusal. The desk proves that
//! the events can be written, applies them to its [`State`], and gives them to the journal. `handle` never fails: a refusal is
//! an output. A reply to a change leaves only after [`Input::Written`]; on [`Input::NotWritten`] everything from
//! that event on is undone, commands are refused, and machine changes wait and are decided again
//! (tests: `nothing_is_told_before_it_is_written`, `a_full_disk_undoes_and_catches_up`).
//!
//! The desk does no I/O and asks nobody for the time.

mod checks;
mod command;
mod engine;
mod event;
mod rooms;
mod state;
#[cfg(test)]
mod tests;
mod timers;

pub use command::{Ask, Draft, Input, Output, Reply, Token};
pub use engine::{Desk, Hidden, Snapshot, Suppressed, Unrecorded};
pub use event::{NotReadable, NotRecordable, ProvenLine, Record};
pub use rooms::{Event, Verb};
pub use state::{State, Touched};
