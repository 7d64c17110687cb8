//! The desk: the engine of the gateway, a single state machine that does no I/O and reads no clock.
//!
//! The driver (`daemon/driver.rs`) gives the desk [`Input`]s: readings, requests of people, time. It carries out the
//! [`Output`]s: lines for the journal, replies, reads and writes of equipment.
//!
//! * A request ([`Ask`]) carries a [`Verb`] of one room. The room decides: events, or a refusal.
//! * The desk proves that the events can be written ([`Record::prove`]), applies them to its [`State`], and sends them
//!   to the journal.
//! * A reply to a change leaves only after [`Input::Written`], when the events are on disk
//!   (test: `nothing_is_told_before_it_is_written`).
//! * If the events cannot be written ([`Input::NotWritten`]), the desk undoes them and refuses commands. A *machine
//!   change*, which no person asked for, waits and is decided again later (test: `a_full_disk_undoes_and_catches_up`).
//!
//! ```
//! # use andon::{site, source::SourceText, words::{Mono, Now, ProfileName, Wall}};
//! # struct NoProfiles;
//! # impl site::ProfileFiles for NoProfiles {
//! #     fn text(&self, _: &ProfileName) -> Option<SourceText> { None }
//! #     fn names(&self) -> Vec<String> { Vec::new() }
//! # }
//! # let (site, _) = site::load(&SourceText::new("andon.toml", "[gateway]\nname = 'hall-2'\n"), &NoProfiles);
//! # let site = std::sync::Arc::new(site.unwrap());
//! # let now = Now { mono: Mono(0), wall: Wall::from_millis(0) };
//! use andon::desk::{Desk, Input, Output, State};
//! use andon::words::Seq;
//!
//! let mut desk = Desk::new(site, State::default(), now);
//! desk.start(now, "1.0.0", &[]);
//! let Some(Output::Write(first)) = desk.poll_output() else { panic!("the start is recorded") };
//! assert_eq!(first.record.seq, Seq(1));
//! let last = desk.decided_seq();
//! assert_eq!(desk.durable_seq(), Seq(0), "decided, but not on disk yet");
//! desk.handle(now, Input::Written(last));
//! assert_eq!(desk.durable_seq(), last);
//! ```
//!
//! Questions do not go through the desk's inputs: a route takes a [`Snapshot`], and [`crate::view`] makes the answer.

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
pub use engine::{Desk, Snapshot, Suppressed, Suppression, Unrecorded};
pub use event::{NotReadable, NotRecordable, ProvenLine, Record};
pub use rooms::{Event, Verb};
pub use state::{State, Touched};
