//! The engine: routes readings, commands and time to the rooms, and owns events and commands.
//!
//! *Must not* have a rule of its own, ask for the time, or do I/O. `handle` never fails: a refusal is an
//! output. A reply to a change leaves only after [`Input::Written`]; on [`Input::NotWritten`] everything from
//! that event on is undone, commands are refused, and machine changes wait and are decided again
//! (tests: `nothing_is_told_before_it_is_written`, `a_full_disk_undoes_and_catches_up`).

mod checks;
mod command;
mod deadlines;
mod engine;
mod event;
mod operation;
mod state;
#[cfg(test)]
mod tests;
mod writing;

pub use command::{AcceptAsk, Command, Done, Draft, Input, Output, Target, Token};
pub use engine::{Desk, Held, Hidden, Unrecorded};
pub use event::{EquipmentEvent, Event, GatewayEvent, NotReadable, NotRecordable, ProvenLine, Record};
pub use operation::{Operation, OperationAsk};
pub use state::{Accepted, KnownDamage, OutOfService, State, Touched};
pub use writing::{Carried, Order, OrderId, WriteAsk, Wrote};
