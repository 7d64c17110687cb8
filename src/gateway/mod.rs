//! The gateway itself: its start and stop, the files in force, steps of its clock, and damage of its journal.
//!
//! [`decide`] decides the only request of a person here: to accept damage. [`apply`] keeps the files in force and the
//! damage in the [`GatewayState`] and cannot refuse, so every old journal loads. The desk records the events, and
//! `andon status` shows the state.
//!
//! ```
//! use andon::gateway::{GatewayEvent, GatewayState, GatewayVerb, apply, decide};
//! use andon::words::{Author, Wall};
//!
//! let eva = Author::unproven("eva");
//! let mut state = GatewayState::default();
//! let verb = GatewayVerb::AcceptDamage { reason: "known since the power failure".to_owned() };
//! assert!(decide(&state, &verb).is_err(), "nothing is damaged");
//! let damaged = GatewayEvent::JournalDamaged { message: "line 7 was changed".to_owned(), damage: None };
//! apply(&mut state, Wall::from_millis(0), &Author::Gateway, &damaged);
//! let (event, _) = decide(&state, &verb).unwrap();
//! apply(&mut state, Wall::from_millis(1), &eva, &event);
//! assert_eq!(state.damage[0].accepted.as_ref().unwrap().by, "eva");
//! ```

mod apply;
mod decide;
mod event;
mod state;
mod verb;

pub use apply::apply;
pub use decide::{decide, new_damage};
pub use event::GatewayEvent;
pub use state::{Accepted, GatewayState, KnownDamage};
pub use verb::GatewayVerb;
