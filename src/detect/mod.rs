//! Decides whether the condition of a fault is true: staleness, delays, hysteresis, codes, silence and baselines.
//!
//! [`Detector`] takes the readings of a whole site and returns a [`Transition`] for each fault that is raised or
//! cleared. The desk makes alarms and tickets of them. [`Replay`] runs the same detector on a recording:
//!
//! ```
//! use andon::detect::Replay;
//! use andon::profile;
//! use andon::source::SourceText;
//! use andon::words::{EquipmentId, ProfileName, Wall};
//!
//! let text = r#"
//! [device]
//! vendor = "v"
//! model = "m"
//! kind = "pump"
//! [points]
//! pressure = { register = "holding:0", type = "u16", unit = "bar" }
//! [faults.pressure-high]
//! when = "pressure > 8"
//! on_delay = "2s"
//! severity = "minor"
//! means = "the pressure is too high"
//! "#;
//! let name = ProfileName::parse("pump").unwrap();
//! let (profile, _) = profile::load(&name, &SourceText::new("pump.toml", text));
//! let mut replay = Replay::new(&profile.unwrap(), &EquipmentId::parse("pump-1").unwrap(), None);
//! let pressure = replay.column("pressure").unwrap();
//! for (second, cell) in [(0, "7"), (1, "9"), (2, "9"), (3, "9"), (4, "9")] {
//!     let at = Wall::from_millis(second * 1000);
//!     replay.row(at, 1, [(pressure, cell)].into_iter());
//! }
//! let alarm = &replay.alarms()[0];
//! assert_eq!(alarm.onset, Wall::from_millis(1000), "the condition became true");
//! assert_eq!(alarm.raised_at, Wall::from_millis(3000), "the delay ended");
//! ```
//!
//! *Must not know* people or acknowledgement, and never asks for the time. Everything that is due is handled in the
//! order of time before a reading is evaluated, so additional calls of [`Detector::elapsed`] change nothing (test:
//! `extra_elapsed_changes_nothing`). A delay that is due at the instant of a reading ends before that reading counts.
//! After a restart the state comes from recorded readings ([`Detector::warm`]); alarms that were active are restored
//! by [`Detector::restore_active`].

mod aging;
mod baseline;
mod baselines;
mod cell;
mod detector;
mod explain;
mod reload;
mod remembered;
mod replay;
mod shared;
mod state;
mod suggest;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod unanswered;
mod warm;

pub use baseline::{DailyProfile, LongerScale, Model};
pub use baselines::BaselineEvent;
pub use cell::Tally;
pub use detector::Detector;
pub use explain::{FaultExplanation, OperandExplanation, PointState};
pub use replay::{Column, Replay, Replayed};
pub use state::{Transition, TransitionKind};
pub use suggest::{Proposal, Seen, suggest};
pub use warm::{Recorded, reach};
