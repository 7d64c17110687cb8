//! Whether a piece of equipment is in service. While it is out of service, its alarms are suppressed.
//!
//! A person asks with a [`ServiceVerb`]. [`decide`] answers with a [`ServiceEvent`] and a sentence for the person, or
//! with a refusal. [`apply`] takes the event into the [`ServiceState`] and cannot refuse, so every old journal loads.
//! The desk records the event, and looks in [`ServiceState::out`] to see whether an alarm is suppressed.
//!
//! ```
//! use andon::service::{ServiceState, ServiceVerb, apply, decide};
//! use andon::words::{Author, EquipmentId, Wall};
//!
//! let pump = EquipmentId::parse("pump-1").unwrap();
//! let mut state = ServiceState::default();
//! let verb = ServiceVerb::TakeOut { equipment: "pump-1".to_owned(), reason: "new seal".to_owned() };
//! let (event, told) = decide(&state, &verb, &pump).unwrap();
//! assert_eq!(told, "pump-1 is out of service: its alarms are suppressed");
//! apply(&mut state, Wall::from_millis(0), &Author::unproven("eva"), &event);
//! assert_eq!(state.out[&pump].reason, "new seal");
//! assert!(decide(&state, &verb, &pump).is_err(), "it is already out of service");
//! ```

mod apply;
mod decide;
mod event;
mod state;
mod verb;

pub use apply::apply;
pub use decide::decide;
pub use event::ServiceEvent;
pub use state::{OutOfService, ServiceState};
pub use verb::ServiceVerb;
